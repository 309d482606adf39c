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

void BitSpread::add(std::span<const double> values, std::span<const std::uint8_t> counts) {
  rows += values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!counts.empty() && !counts[i]) continue;
    const Parts parts = parts_of(values[i]);
    if (parts.mantissa == 0) continue;
    lowest = std::min(lowest, parts.exponent);
    highest = std::max(highest, parts.exponent + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::abs(parts.mantissa)))));
  }
}

void BitSpread::add(const BitSpread& other) {
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  rows += other.rows;
}

std::optional<FixedPoint> FixedPoint::of(const BitSpread& spread, int most_bits) {
  FixedPoint out;
  if (spread.lowest > spread.highest) return out;
  if (spread.highest - spread.lowest > most_bits) return std::nullopt;
  out.unit_ = spread.lowest;
  return out;
}

__int128 FixedPoint::multiple(double x) const {
  const Parts parts = parts_of(x);
  // Multiplied, not shifted: the mantissa may be below 0.
  return static_cast<__int128>(parts.mantissa) * (static_cast<__int128>(1) << (parts.mantissa == 0 ? 0 : parts.exponent - unit_));
}

__int128 FixedPoint::rescaled(__int128 multiple, const FixedPoint& other) const {
  return multiple == 0 ? 0 : multiple * (static_cast<__int128>(1) << (other.unit_ - unit_));
}

Wide Wide::times_power(int bits) const {
  if (bits == 0) return *this;
  if (bits >= 128) return {0, low << (bits - 128)};
  return {low << bits, (high << bits) | (low >> (128 - bits))};
}

Wide Wide::product(unsigned __int128 a, unsigned __int128 b) {
  using Double = unsigned __int128;
  const auto a0 = static_cast<std::uint64_t>(a), a1 = static_cast<std::uint64_t>(a >> 64), b0 = static_cast<std::uint64_t>(b), b1 = static_cast<std::uint64_t>(b >> 64);
  const Double low = static_cast<Double>(a0) * b0, high = static_cast<Double>(a1) * b1;
  if (a1 == 0 && b1 == 0) return {low, 0};
  const Double first = static_cast<Double>(a0) * b1, second = static_cast<Double>(a1) * b0;
  const Double middle = (low >> 64) + static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(second);
  return {(middle << 64) | static_cast<std::uint64_t>(low), high + (first >> 64) + (second >> 64) + (middle >> 64)};
}

void Wide::add(const Wide& other) {
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
}

void Wide::subtract(const Wide& other) {
  high -= other.high + (low < other.low ? 1 : 0);
  low -= other.low;
}

double Wide::value(int unit) const {
  const auto width = [](unsigned __int128 x) {
    const auto upper = static_cast<std::uint64_t>(x >> 64);
    return upper != 0 ? 64 + static_cast<int>(std::bit_width(upper)) : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(x)));
  };
  const int bits = high != 0 ? 128 + width(high) : width(low);
  if (bits <= 64) return std::ldexp(static_cast<double>(static_cast<std::uint64_t>(low)), unit);
  // The first 64 bits, the last of them 1 where anything is left over: so the one rounding of the conversion is that of the whole.
  const int drop = bits - 64;
  const unsigned __int128 one = 1;
  std::uint64_t head = 0;
  bool more = false;
  if (drop >= 128) {
    head = static_cast<std::uint64_t>(high >> (drop - 128));
    more = low != 0 || (high & ((one << (drop - 128)) - 1)) != 0;
  } else {
    head = static_cast<std::uint64_t>((high << (128 - drop)) | (low >> drop));
    more = (low & ((one << drop) - 1)) != 0;
  }
  return std::ldexp(static_cast<double>(head | (more ? 1 : 0)), unit + drop);
}

namespace {

int room_of(std::size_t rows) { return static_cast<int>(std::bit_width(rows)) + 1; }

unsigned __int128 magnitude(__int128 x) { return x < 0 ? -static_cast<unsigned __int128>(x) : static_cast<unsigned __int128>(x); }

}  // namespace

std::optional<FixedPoint> FixedPoint::sums_of(const BitSpread& spread) { return of(spread, 126 - room_of(spread.rows)); }

std::optional<FixedPoint> FixedPoint::sums_of(std::span<const double> values, std::span<const std::uint8_t> counts) {
  BitSpread spread;
  spread.add(values, counts);
  return sums_of(spread);
}

double FixedPoint::value(__int128 multiple) const {
  // The conversion rounds to nearest even, the scaling does not round: the unit is that of a double's own bits. Below the normal
  // numbers a sum of doubles is exact.
  return std::ldexp(static_cast<double>(multiple), unit_);
}

std::optional<RunningMoments> RunningMoments::of(std::span<const double> values, std::span<const std::uint8_t> counts) {
  BitSpread spread;
  spread.add(values, counts);
  return of(spread);
}

std::optional<RunningMoments> RunningMoments::of(const BitSpread& spread) {
  // Sums have `room` bits more than the numbers; n times the sum of squares twice as many, twice.
  const int room = room_of(spread.rows);
  const auto numbers = FixedPoint::of(spread, std::min(126 - room, (254 - 2 * room) / 2));
  // Results below the normal numbers would be rounded a second time, and some of large numbers are beyond doubles.
  if (!numbers || 2 * numbers->unit() < -1022 || 2 * numbers->unit() + 254 > 1023) return std::nullopt;
  RunningMoments out;
  out.numbers_ = *numbers;
  return out;
}

void RunningMoments::add(double x) {
  const __int128 m = numbers_.multiple(x);
  sum_ += m;
  squares_.add(Wide::product(magnitude(m), magnitude(m)));
  ++rows_;
}

void RunningMoments::add(const RunningMoments& other) {
  sum_ += numbers_.rescaled(other.sum_, other.numbers_);
  // Without a number that is not 0 there is no unit of its own.
  if (other.squares_.low != 0 || other.squares_.high != 0) squares_.add(other.squares_.times_power(2 * (other.numbers_.unit() - numbers_.unit())));
  rows_ += other.rows_;
}

void RunningMoments::remove(double x) {
  const __int128 m = numbers_.multiple(x);
  sum_ -= m;
  squares_.subtract(Wide::product(magnitude(m), magnitude(m)));
  --rows_;
}

double RunningMoments::variance() const {
  // n^2 variance = n * squares - sum^2, as in `moments`.
  Wide numerator = Wide::product(squares_.low, rows_);
  numerator.high += squares_.high * rows_;
  numerator.subtract(Wide::product(magnitude(sum_), magnitude(sum_)));
  const auto rows = static_cast<double>(rows_);
  return numerator.value(2 * numbers_.unit()) / rows / rows;
}

std::optional<PrefixSums> PrefixSums::of(std::span<const double> values, std::span<const std::uint8_t> counts) {
  const auto numbers = FixedPoint::sums_of(values, counts);
  if (!numbers) return std::nullopt;
  PrefixSums out;
  out.before_.assign(values.size() + 1, 0);
  out.numbers_ = *numbers;
  __int128 sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (counts.empty() || counts[i]) sum += numbers->multiple(values[i]);
    out.before_[i + 1] = sum;
  }
  return out;
}

double PrefixSums::sum(std::int64_t begin, std::int64_t end) const { return numbers_.value(before_[static_cast<std::size_t>(end)] - before_[static_cast<std::size_t>(begin)]); }

}  // namespace mlp::learn
