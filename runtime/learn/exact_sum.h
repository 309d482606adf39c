#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

/// Sums of doubles without any rounding before the end: equal for every order and every way of cutting the terms.
/// A superaccumulator after Neal, "Fast exact summation using small and large superaccumulators" (arXiv:1505.05571), with limbs
/// of 32 bits in 64-bit words, wide enough for products of two doubles.
namespace mlp::learn {

class ExactSum {
 public:
  /// Adds a finite number.
  void add(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const auto exponent = static_cast<int>((bits >> 52) & 0x7FF);
    std::uint64_t mantissa = bits & 0xFFFFFFFFFFFFFull;
    if (exponent != 0) mantissa |= 1ull << 52;
    // x = mantissa * 2^(e - 1075), e = 1 for subnormal numbers.
    add_bits(mantissa, (exponent == 0 ? 1 : exponent) - 1075, (bits >> 63) != 0);
  }
  /// Adds a * b exactly; both finite.
  void add_product(double a, double b);
  /// Adds magnitude * 2^exponent, negated where `negative`; within the range of products of two doubles.
  void add_scaled(unsigned __int128 magnitude, int exponent, bool negative);
  void add(const ExactSum& other);
  void subtract(const ExactSum& other);
  /// The sum, rounded once, to nearest even; infinite when out of range.
  double value() const;
  /// The sum as doubles of falling size: value(), then what that leaves over, and so on; at most `terms`, zeros left out.
  std::vector<double> expand(int terms) const;
  bool is_zero() const;
  /// The sum divided by 2^(32 limbs); what is below the smallest bit is left out.
  ExactSum divided(int limbs) const;

  friend bool operator==(const ExactSum& a, const ExactSum& b) { return a.canonical() == b.canonical(); }

  template <class A>
  void fields(A& a) {
    // One form for one sum: sign, first limb that is not zero, limbs.
    auto [negative, first, limbs] = compact();
    a(negative, first, limbs);
    if (!restore(negative, first, limbs)) reject(a);
  }

 private:
  // Limb i counts multiples of 2^(32 i - kBias). Products reach from 2^-2148 to below 2^2048; the sum of 2^60 of them fits.
  static constexpr int kBias = 2176;
  static constexpr int kLimbs = 136;
  static constexpr std::uint32_t kBeforeCarry = 1u << 30;

  struct Compact {
    bool negative;
    std::uint32_t first;
    std::vector<std::uint32_t> limbs;
  };
  struct Canonical {
    bool negative = false;
    std::array<std::uint32_t, kLimbs> limbs{};
    friend bool operator==(const Canonical&, const Canonical&) = default;
  };
  template <class A>
  static void reject(A& a) { if constexpr (requires { a.fail(); }) a.fail(); }

  void add_bits(std::uint64_t mantissa, int exponent, bool negative) {
    const int position = exponent + kBias;
    const auto limb = static_cast<std::size_t>(position >> 5);
    const auto wide = static_cast<unsigned __int128>(mantissa) << (position & 31);
    const auto low = static_cast<std::int64_t>(static_cast<std::uint32_t>(wide));
    const auto middle = static_cast<std::int64_t>(static_cast<std::uint32_t>(wide >> 32));
    const auto high = static_cast<std::int64_t>(static_cast<std::uint32_t>(wide >> 64));
    if (negative) {
      limbs_[limb] -= low, limbs_[limb + 1] -= middle, limbs_[limb + 2] -= high;
    } else {
      limbs_[limb] += low, limbs_[limb + 1] += middle, limbs_[limb + 2] += high;
    }
    if (++since_carry_ >= kBeforeCarry) carry();
  }
  void carry();
  Canonical canonical() const;
  Compact compact() const;
  bool restore(bool negative, std::uint32_t first, const std::vector<std::uint32_t>& limbs);

  std::array<std::int64_t, kLimbs> limbs_{};
  std::uint32_t since_carry_ = 0;
};

/// Mean and population variance of n numbers from their exact sum and sum of squares; no cancellation, however large the mean
/// is against the deviation. n > 0.
struct Moments {
  double mean = 0;
  double variance = 0;  ///< in units of 4^exponent
  int exponent = 0;     ///< above 0 where the variance may be too large for a double, which its root is not

  double deviation() const { return std::ldexp(std::sqrt(variance), exponent); }
};
Moments moments(std::uint64_t n, const ExactSum& sum, const ExactSum& squares);

/// Of a sample of n > 1 numbers, from their variance as a population: divided by n - 1.
inline double deviation_of_sample(std::uint64_t n, double variance, int exponent = 0) {
  const auto rows = static_cast<double>(n);
  return std::ldexp(std::sqrt(variance * (rows / (rows - 1))), exponent);
}

}  // namespace mlp::learn
