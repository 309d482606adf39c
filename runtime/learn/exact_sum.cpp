#include "runtime/learn/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlp::learn {

void ExactSum::add_product(double a, double b) {
  const auto parts = [](double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const auto exponent = static_cast<int>((bits >> 52) & 0x7FF);
    std::uint64_t mantissa = bits & 0xFFFFFFFFFFFFFull;
    if (exponent != 0) mantissa |= 1ull << 52;
    return std::pair(mantissa, (exponent == 0 ? 1 : exponent) - 1075);
  };
  const auto [ma, ea] = parts(a);
  const auto [mb, eb] = parts(b);
  const bool negative = std::signbit(a) != std::signbit(b);
  add_scaled(static_cast<unsigned __int128>(ma) * mb, ea + eb, negative);  // below 2^106
}

void ExactSum::add_scaled(unsigned __int128 magnitude, int exponent, bool negative) {
  constexpr std::uint64_t kMask = (1ull << 53) - 1;
  for (; magnitude != 0; magnitude >>= 53, exponent += 53) add_bits(static_cast<std::uint64_t>(magnitude) & kMask, exponent, negative);
}

void ExactSum::carry() {
  std::int64_t up = 0;
  for (int i = 0; i + 1 < kLimbs; ++i) {
    const std::int64_t v = limbs_[i] + up;
    limbs_[i] = v & 0xFFFFFFFFll;
    up = v >> 32;  // rounds down, also below zero
  }
  limbs_[kLimbs - 1] += up;
  since_carry_ = 0;
}

void ExactSum::add(const ExactSum& other) {
  ExactSum carried = other;
  carried.carry();
  carry();
  for (int i = 0; i < kLimbs; ++i) limbs_[i] += carried.limbs_[i];
  since_carry_ = 2;
}

void ExactSum::subtract(const ExactSum& other) {
  ExactSum carried = other;
  carried.carry();
  carry();
  for (int i = 0; i < kLimbs; ++i) limbs_[i] -= carried.limbs_[i];
  since_carry_ = 2;
}

ExactSum::Canonical ExactSum::canonical() const {
  ExactSum copy = *this;
  copy.carry();
  Canonical c;
  c.negative = copy.limbs_[kLimbs - 1] < 0;
  if (c.negative) {
    for (auto& limb : copy.limbs_) limb = -limb;
    copy.carry();
  }
  for (int i = 0; i < kLimbs; ++i) c.limbs[i] = static_cast<std::uint32_t>(copy.limbs_[i]);
  return c;
}

ExactSum ExactSum::divided(int limbs) const {
  ExactSum out = *this;
  out.carry();
  std::shift_left(out.limbs_.begin(), out.limbs_.end(), limbs);
  std::fill(out.limbs_.end() - limbs, out.limbs_.end(), 0);
  return out;
}

bool ExactSum::is_zero() const { return canonical() == Canonical{}; }

double ExactSum::value() const {
  const Canonical c = canonical();
  int top = kLimbs - 1;
  while (top >= 0 && c.limbs[top] == 0) --top;
  if (top < 0) return 0.0;
  // The top three limbs hold at least 65 bits of the sum; what is below only matters as "there is more".
  unsigned __int128 head = 0;
  for (int i = 0; i < 3; ++i) head = (head << 32) | (top - i >= 0 ? c.limbs[top - i] : 0);
  int exponent = 32 * (top - 2) - kBias;
  bool more = false;
  for (int i = 0; i < top - 2; ++i) more = more || c.limbs[i] != 0;

  const auto high = static_cast<std::uint64_t>(head >> 64);
  const int bits = 64 + (64 - std::countl_zero(high));
  int drop = bits - 53;
  if (exponent + drop < -1074) drop = -1074 - exponent;  // subnormal results have fewer bits
  double magnitude = 0;
  if (drop < 128) {
    const unsigned __int128 half = static_cast<unsigned __int128>(1) << (drop - 1);
    const unsigned __int128 rest = head & ((half << 1) - 1);
    auto kept = static_cast<std::uint64_t>(head >> drop);
    if (rest > half || (rest == half && (more || (kept & 1) != 0))) ++kept;
    magnitude = std::ldexp(static_cast<double>(kept), exponent + drop);  // exact, or infinite
  }
  return c.negative ? -magnitude : magnitude;
}

std::vector<double> ExactSum::expand(int terms) const {
  std::vector<double> parts;
  ExactSum rest = *this;
  for (int i = 0; i < terms; ++i) {
    const double part = rest.value();
    if (part == 0 || !std::isfinite(part)) break;
    parts.push_back(part);
    rest.add(-part);
  }
  return parts;
}

ExactSum::Compact ExactSum::compact() const {
  const Canonical c = canonical();
  std::uint32_t first = 0;
  while (first < kLimbs && c.limbs[first] == 0) ++first;
  if (first == kLimbs) return {false, 0, {}};
  int last = kLimbs - 1;
  while (c.limbs[last] == 0) --last;
  return {c.negative, first, {c.limbs.begin() + first, c.limbs.begin() + last + 1}};
}

bool ExactSum::restore(bool negative, std::uint32_t first, const std::vector<std::uint32_t>& limbs) {
  if (limbs.size() > kLimbs || first > kLimbs - limbs.size()) return false;
  if (limbs.empty() ? (first != 0 || negative) : (limbs.front() == 0 || limbs.back() == 0)) return false;
  limbs_.fill(0);
  for (std::size_t i = 0; i < limbs.size(); ++i) limbs_[first + i] = negative ? -std::int64_t{limbs[i]} : std::int64_t{limbs[i]};
  since_carry_ = 1;
  return true;
}

Moments moments(std::uint64_t n, const ExactSum& sum, const ExactSum& squares) {
  const auto rows = static_cast<double>(n);
  // Squares of numbers beyond 10^150 are beyond doubles: the same is done with numbers 2^576 times smaller.
  constexpr int kLimbsLess = 18;
  if (!std::isfinite(squares.value() * rows)) {
    const Moments less = moments(n, sum.divided(kLimbsLess), squares.divided(2 * kLimbsLess));
    return {std::ldexp(less.mean, 32 * kLimbsLess), less.variance, 32 * kLimbsLess};
  }
  // n^2 variance = n * squares - sum^2, taken exactly: expansions of the two sums to 200 bits and more.
  ExactSum numerator;
  for (const double part : squares.expand(5)) numerator.add_product(rows, part);
  const std::vector<double> parts = sum.expand(5);
  for (const double a : parts)
    for (const double b : parts) numerator.add_product(-a, b);
  const double v = numerator.value() / rows / rows;
  return {sum.value() / rows, v > 0 ? v : 0.0};
}

}  // namespace mlp::learn
