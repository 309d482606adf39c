#include "runtime/fetch/postgres/decode.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "runtime/io/date_text.h"

namespace mlp::fetch {

namespace {

// src/include/catalog/pg_type.dat
enum Type : std::uint32_t {
  kBool = 16, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kOid = 26, kJson = 114, kFloat4 = 700, kFloat8 = 701, kVarchar = 1043,
  kDate = 1082, kTimestamp = 1114, kTimestampTz = 1184, kInterval = 1186, kNumeric = 1700, kUuid = 2950,
};

constexpr std::int64_t kDaysTo2000 = 10957;
using io::kMicrosecondsADay;

template <class Integer>
Integer big_endian(std::string_view bytes, std::size_t at = 0) {
  std::make_unsigned_t<Integer> value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<decltype(value)>((value << 8) | static_cast<unsigned char>(bytes[at + i]));
  return static_cast<Integer>(value);
}

bool write_float(io::RowWriter& to, double value) { return (std::isnan(value) ? to.add_missing() : to.add_float(value)), true; }

/// Groups of four decimal digits: their number, the power of 10,000 of the first, sign, digits after the point, groups.
bool write_numeric(io::RowWriter& to, std::string_view bytes) {
  if (bytes.size() < 8) return false;
  const auto count = big_endian<std::uint16_t>(bytes), sign = big_endian<std::uint16_t>(bytes, 4), scale = big_endian<std::uint16_t>(bytes, 6);
  const int weight = big_endian<std::int16_t>(bytes, 2);
  if (bytes.size() != 8 + std::size_t{count} * 2) return false;
  if (sign == 0xC000) return to.add_missing(), true;
  if (sign == 0xD000 || sign == 0xF000) return to.add_plain(sign == 0xD000 ? "inf" : "-inf"), true;
  const auto group = [&](int power) {
    const int index = weight - power;
    return index >= 0 && index < count ? big_endian<std::uint16_t>(bytes, 8 + static_cast<std::size_t>(index) * 2) : std::uint16_t{0};
  };
  std::string text = sign == 0x4000 ? "-" : "";
  text += fmt::format("{}", weight < 0 ? 0 : group(weight));
  for (int power = weight - 1; power >= 0; --power) text += fmt::format("{:04}", group(power));
  if (scale > 0) {
    std::string fraction;
    for (int power = -1; fraction.size() < scale; --power) fraction += fmt::format("{:04}", group(power));
    text += "." + fraction.substr(0, scale);
  }
  to.add_plain(text);
  return true;
}

bool write_timestamp(io::RowWriter& to, std::int64_t since_2000) {
  const bool infinite = since_2000 == std::numeric_limits<std::int64_t>::max() || since_2000 == std::numeric_limits<std::int64_t>::min();
  const std::int64_t days = infinite ? 0 : since_2000 / kMicrosecondsADay;
  if (infinite || days < io::kFirstDay - kDaysTo2000 || days > io::kLastDay - kDaysTo2000) to.add_plain("outside of the years 1 to 9999");
  else to.add_plain(io::text_of_timestamp(since_2000 + kDaysTo2000 * kMicrosecondsADay));
  return true;
}

}  // namespace

bool is_text_type(std::uint32_t type) { return type == kName || type == kText || type == kVarchar; }

bool is_decoded(std::uint32_t type) {
  switch (type) {
    case kBool: case kName: case kInt8: case kInt2: case kInt4: case kText: case kOid: case kJson: case kFloat4: case kFloat8: case kVarchar:
    case kDate: case kTimestamp: case kTimestampTz: case kInterval: case kNumeric: case kUuid: return true;
    default: return false;
  }
}

bool write_value(io::RowWriter& to, std::uint32_t type, std::string_view bytes) {
  const auto sized = [&](std::size_t size) { return bytes.size() == size; };
  switch (type) {
    case kBool: return sized(1) && (to.add_bool(bytes[0] != 0), true);
    case kInt2: return sized(2) && (to.add_int(big_endian<std::int16_t>(bytes)), true);
    case kInt4: return sized(4) && (to.add_int(big_endian<std::int32_t>(bytes)), true);
    case kOid: return sized(4) && (to.add_int(big_endian<std::uint32_t>(bytes)), true);
    case kInt8: return sized(8) && (to.add_int(big_endian<std::int64_t>(bytes)), true);
    case kFloat4: return sized(4) && write_float(to, static_cast<double>(std::bit_cast<float>(big_endian<std::uint32_t>(bytes))));
    case kFloat8: return sized(8) && write_float(to, std::bit_cast<double>(big_endian<std::uint64_t>(bytes)));
    case kNumeric: return write_numeric(to, bytes);
    case kText: case kName: case kVarchar: case kJson: return to.add_text(bytes), true;
    case kDate: {
      if (!sized(4)) return false;
      const std::int64_t days = big_endian<std::int32_t>(bytes) + kDaysTo2000;
      to.add_plain(days < io::kFirstDay || days > io::kLastDay ? "outside of the years 1 to 9999" : io::text_of_date(days));
      return true;
    }
    case kTimestamp:
    case kTimestampTz: return sized(8) && write_timestamp(to, big_endian<std::int64_t>(bytes));
    case kInterval: {
      if (!sized(16)) return false;
      const auto microseconds = big_endian<std::int64_t>(bytes);
      const auto days = big_endian<std::int32_t>(bytes, 8), months = big_endian<std::int32_t>(bytes, 12);
      // A month has no length: it becomes a text that no duration is read from.
      to.add_plain(months ? fmt::format("{} months {} days {}us", months, days, microseconds) : fmt::format("{}us", microseconds + days * kMicrosecondsADay));
      return true;
    }
    case kUuid: {
      if (!sized(16)) return false;
      std::string text;
      for (std::size_t i = 0; i < 16; ++i) text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", static_cast<unsigned char>(bytes[i]));
      to.add_plain(text);
      return true;
    }
    default: return false;
  }
}

}  // namespace mlp::fetch
