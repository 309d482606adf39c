#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Exact sums of stretches of a list of doubles, as whole multiples of one power of two.
namespace mlp::learn {

/// Which powers of two some numbers are sums of.
struct BitSpread {
  int lowest = INT32_MAX, highest = INT32_MIN;
  std::uint64_t rows = 0;
  /// `counts` empty: all count.
  void add(std::span<const double> values, std::span<const std::uint8_t> counts);
  void add(const BitSpread& other);
};

/// Doubles as multiples of 2^unit.
class FixedPoint {
 public:
  /// nullopt where the numbers lie so far apart that one of them has more than `most_bits` bits.
  static std::optional<FixedPoint> of(const BitSpread& spread, int most_bits);
  /// As of(), so that 128 bits hold the sum of all.
  static std::optional<FixedPoint> sums_of(const BitSpread& spread);
  static std::optional<FixedPoint> sums_of(std::span<const double> values, std::span<const std::uint8_t> counts);
  __int128 multiple(double x) const;
  /// A sum in multiples of another unit that is not smaller, in multiples of this.
  __int128 rescaled(__int128 multiple, const FixedPoint& other) const;
  /// Of a multiple: rounded once, to nearest even: the bits of ExactSum::value().
  double value(__int128 multiple) const;
  int unit() const { return unit_; }

 private:
  int unit_ = 0;
};

/// Whole numbers from 0 below 2^256.
struct Wide {
  unsigned __int128 low = 0, high = 0;
  static Wide product(unsigned __int128 a, unsigned __int128 b);  ///< of numbers below 2^128
  Wide times_power(int bits) const;  ///< times 2^bits
  void add(const Wide& other);
  void subtract(const Wide& other);
  /// times 2^unit, rounded once, to nearest even.
  double value(int unit) const;
};

/// Sum and sum of squares of numbers that come and go, as whole numbers.
class RunningMoments {
 public:
  /// nullopt where 256 bits do not hold n * (sum of squares).
  static std::optional<RunningMoments> of(const BitSpread& spread);
  static std::optional<RunningMoments> of(std::span<const double> values, std::span<const std::uint8_t> counts);
  void add(double x);
  void add(const RunningMoments& other);  ///< of a part of the spread
  void remove(double x);
  /// The variance of the population: the bits of `moments` of exact sums. There is a number.
  double variance() const;
  std::uint64_t rows() const { return rows_; }

 private:
  FixedPoint numbers_;
  __int128 sum_ = 0;
  Wide squares_;
  std::uint64_t rows_ = 0;
};

class PrefixSums {
 public:
  /// nullopt where the numbers lie so far apart that 128 bits do not hold their sums. `counts` empty: all count.
  static std::optional<PrefixSums> of(std::span<const double> values, std::span<const std::uint8_t> counts);
  /// The sum of [begin, end), rounded once, to nearest even: the bits of ExactSum::value().
  double sum(std::int64_t begin, std::int64_t end) const;

 private:
  std::vector<__int128> before_;  ///< sums of the first i numbers
  FixedPoint numbers_;
};

}  // namespace mlp::learn
