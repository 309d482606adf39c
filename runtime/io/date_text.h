#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/zone.h"

namespace mlp::io {

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; nullopt when there is no such day. Years 1 to 9999.
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
std::optional<std::int64_t> days_of(std::int64_t year, std::int64_t month, std::int64_t day);

/// The first and the last day that days_of gives.
inline constexpr std::int64_t kFirstDay = -719162, kLastDay = 2932896;
inline constexpr std::int64_t kMicrosecondsADay = 86'400'000'000;
/// ISO 8601, as messages show them: "2024-12-31", "2024-12-31T23:59:59.5Z".
std::string text_of_date(std::int64_t days);
std::string text_of_timestamp(std::int64_t microseconds);

/// How dates or timestamps are written: ISO 8601, or a pattern of %d %m %Y %y %b %B %H %M %S %f %z %% and literal characters.
/// %y: 69–99 are 19yy, 00–68 are 20yy (POSIX). %b and %B: English names. %f: up to 6 digits of a second. %z: Z or ±HH[:]MM.
class DateFormat {
 public:
  /// `zone`: of times without an offset of their own; empty: UTC. E0901 where the machine does not know it.
  Result<void> use_zone(const std::string& zone);
  /// Empty text: ISO. A directive that is not read is E0601; a pattern that names no whole day (or a time, for dates) is E0308.
  static Result<DateFormat> parse(std::string_view pattern, bool with_time);
  /// Days since 1970-01-01.
  std::optional<std::int64_t> read_date(std::string_view text) const;
  /// Microseconds since 1970-01-01T00:00:00Z; a text without an offset of its own is of the zone. ISO: a day alone is its first moment.
  std::optional<std::int64_t> read_timestamp(std::string_view text) const;
  std::string why_no_date(std::string_view text) const;
  std::string why_no_timestamp(std::string_view text) const;

 private:
  std::string pattern_;
  std::string zone_name_;
  std::shared_ptr<const Zone> zone_;
};

}  // namespace mlp::io
