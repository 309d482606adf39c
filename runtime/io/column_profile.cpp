#include "runtime/io/column_profile.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace mlp::io {

namespace {

/// Least and greatest of the known rows, by `value(row)`.
template <class ValueOf>
auto bounds(const Column& column, ValueOf value) {
  using T = decltype(value(std::size_t{0}));
  std::optional<std::pair<T, T>> found;
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (!column.is_known(row)) continue;
    const T x = value(row);
    if (!found) found.emplace(x, x);
    if (x < found->first) found->first = x;
    if (found->second < x) found->second = x;
  }
  return found;
}

/// -0 and 0 are one value here, so that the order of rows does not decide which is shown.
Value plain(double x) {
  return x == 0 ? 0.0 : x;
}
Value plain(std::int64_t x) {
  return x;
}
Value plain(bool x) {
  return x;
}
Value plain(std::string_view x) {
  return std::string(x);
}

}  // namespace

void ColumnProfile::merge(const ColumnProfile& other) {
  rows += other.rows;
  missing += other.missing;
  if (std::holds_alternative<std::monostate>(other.low)) return;
  if (std::holds_alternative<std::monostate>(low)) {
    low = other.low;
    high = other.high;
    return;
  }
  low = std::min(low, other.low);
  high = std::max(high, other.high);
}

ColumnProfile profile_of(const Column& column) {
  ColumnProfile profile;
  profile.rows = column.rows;
  profile.missing = column.count_missing();
  const auto take = [&](const auto& found) {
    if (!found) return;
    profile.low = plain(found->first);
    profile.high = plain(found->second);
  };
  switch (column.type.base) {
    case Base::bool_:
      take(bounds(column, [v = column.values<std::uint8_t>()](std::size_t r) { return v[r] != 0; }));
      break;
    case Base::float_:
      take(bounds(column, [v = column.values<double>()](std::size_t r) { return v[r]; }));
      break;
    case Base::string:
      take(bounds(column, [&](std::size_t r) { return column.text(r); }));
      break;
    case Base::category:
      // The dictionary is sorted and has used values only.
      if (!column.dictionary->values.empty()) {
        profile.low = column.dictionary->values.front();
        profile.high = column.dictionary->values.back();
      }
      break;
    default:
      take(bounds(column, [v = column.values<std::int64_t>()](std::size_t r) { return v[r]; }));
      break;
  }
  return profile;
}

}  // namespace mlp::io
