#include "runtime/learn/aggregates/stretches.h"

namespace mlp::learn {

std::vector<std::uint8_t> counted(const AggregateInput& in) {
  std::vector<std::uint8_t> counts(in.rows, 1);
  if (!in.use.empty()) counts.assign(in.use.begin(), in.use.end());
  if (in.values && in.values->known)
    for (std::size_t i = 0; i < in.rows; ++i) counts[i] = counts[i] && in.values->is_known(i);
  return counts;
}

std::vector<std::int64_t> counts_before(std::span<const std::uint8_t> counts) {
  std::vector<std::int64_t> before(counts.size() + 1, 0);
  for (std::size_t i = 0; i < counts.size(); ++i) before[i + 1] = before[i] + (counts[i] ? 1 : 0);
  return before;
}

Column whole_numbers(const Type& type, const std::vector<std::int64_t>& values) {
  Column out;
  out.type = type;
  out.rows = values.size();
  if (type.base == Base::bool_) {
    out.data = Buffer(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) out.data.as_mutable<std::uint8_t>()[i] = values[i] != 0;
  } else {
    out.data = Buffer::copy(values.data(), values.size() * sizeof(std::int64_t));
  }
  return out;
}

Column picked(const Column& values, const std::vector<std::int64_t>& rows, const Type& type) { return take(values, rows, std::monostate{}, type); }

}  // namespace mlp::learn
