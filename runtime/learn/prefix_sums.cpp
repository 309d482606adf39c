#include "runtime/learn/prefix_sums.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mlp::learn {

namespace {

struct Parts {
  std::int64_t mantissa = 0;  ///< odd, or 0
  int exponent = 0;
};

Parts parts_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto raw = static_cast<int>((bits >> 52) & 0x7FF);
  std::uint64_t mantissa = bits & 0xFFFFFFFFFFFFFull;
  if (raw != 0) mantissa |= 1ull << 52;
  if (mantissa == 0) return {};
  const int zeros = std::countr_zero(mantissa);
  const auto odd = static_cast<std::int64_t>(mantissa >> zeros);
  return {(bits >> 63) != 0 ? -odd : odd, (raw == 0 ? 1 : raw) - 1075 + zeros};
}

}  // namespace

std::optional<PrefixSums> PrefixSums::of(std::span<const double> values, std::span<const std::uint8_t> counts) {
  int lowest = INT32_MAX, highest = INT32_MIN;  // of the bits that are set
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!counts.empty() && !counts[i]) continue;
    const Parts parts = parts_of(values[i]);
    if (parts.mantissa == 0) continue;
    lowest = std::min(lowest, parts.exponent);
    highest = std::max(highest, parts.exponent + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::abs(parts.mantissa)))));
  }
  PrefixSums out;
  out.before_.assign(values.size() + 1, 0);
  if (lowest > highest) return out;
  const int room = static_cast<int>(std::bit_width(values.size())) + 2;
  if (highest - lowest + room > 127) return std::nullopt;
  out.unit_ = lowest;
  __int128 sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (counts.empty() || counts[i]) {
      const Parts parts = parts_of(values[i]);
      // Multiplied, not shifted: the mantissa may be below 0.
      sum += static_cast<__int128>(parts.mantissa) * (static_cast<__int128>(1) << (parts.mantissa == 0 ? 0 : parts.exponent - lowest));
    }
    out.before_[i + 1] = sum;
  }
  return out;
}

double PrefixSums::sum(std::int64_t begin, std::int64_t end) const {
  const __int128 sum = before_[static_cast<std::size_t>(end)] - before_[static_cast<std::size_t>(begin)];
  // The conversion rounds to nearest even, the scaling does not round: the unit is that of a double's own bits. Below the normal
  // numbers a sum of doubles is exact.
  return std::ldexp(static_cast<double>(sum), unit_);
}

}  // namespace mlp::learn
