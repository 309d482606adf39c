#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace mlp::io {

/// The clock of a place, by the machine's time zone database.
class Zone {
 public:
  virtual ~Zone() = default;
  /// The moment at which that clock shows this: both microseconds, of the clock as if it were UTC, and of UTC. Of the two moments
  /// of an hour that comes twice the first; nullopt in an hour that the clock leaves out.
  virtual std::optional<std::int64_t> to_utc(std::int64_t local) const = 0;
};

/// nullptr where the database has no zone of that name, or is not there.
std::shared_ptr<const Zone> find_zone(const std::string& name);

}  // namespace mlp::io
