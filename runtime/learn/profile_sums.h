#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>

#include "runtime/learn/exact_sum.h"

namespace mlp::learn {

/// Exact sums of numbers and of their squares: as whole numbers of a common unit, a few additions each, where ExactSum takes many.
class ProfileSums {
 public:
  /// For whole numbers.
  ProfileSums() = default;
  /// For floats of which none is farther from zero: the unit is the least of which that one has fewer than 2^62.
  explicit ProfileSums(double farthest) : unit_(std::min(61 - std::ilogb(std::max(farthest, 0x1p-900)), 960)), scale_(std::ldexp(1.0, std::max(unit_, 0))) {}

  void add(std::int64_t x, std::uint64_t count = 1) {
    const auto square = static_cast<unsigned __int128>(static_cast<__int128>(x) * x);
    numbers_ += static_cast<__int128>(x) * static_cast<__int128>(count);
    low_ += static_cast<unsigned __int128>(static_cast<std::uint64_t>(square)) * count;
    high_ += static_cast<unsigned __int128>(static_cast<std::uint64_t>(square >> 64)) * count;
  }
  void add(double x, std::uint64_t count = 1) {
    if (unit_ >= 0) [[likely]] {  // else scaling would round
      const double scaled = x * scale_;
      const auto whole = static_cast<std::int64_t>(scaled);
      if (static_cast<double>(whole) == scaled) [[likely]] return add(whole, count);
    }
    if (!others_) others_ = std::make_unique<ByExponent>();
    others_->add(x, count);
  }
  void finish(ExactSum& sum, ExactSum& squares) {
    const bool negative = numbers_ < 0;
    const auto magnitude = static_cast<unsigned __int128>(numbers_);
    sum.add_scaled(negative ? -magnitude : magnitude, -unit_, negative);
    squares.add_scaled(low_, -2 * unit_, false);
    squares.add_scaled(high_, -2 * unit_ + 64, false);
    if (!others_) return;
    others_->flush();
    sum.add(others_->sum);
    squares.add(others_->squares);
  }

 private:
  /// Of floats that are no whole number of units: an accumulator an exponent.
  struct ByExponent {
    static constexpr std::uint64_t kRoom = std::uint64_t{1} << 22;  ///< squares of 106 bits in 128
    std::array<unsigned __int128, 4096> numbers{};
    std::array<unsigned __int128, 2048> by_square{};
    std::uint64_t added = 0;
    ExactSum sum, squares;

    void add(double x, std::uint64_t count) {
      const auto bits = std::bit_cast<std::uint64_t>(x);
      const std::uint64_t exponent = (bits >> 52) & 0x7FF;
      const std::uint64_t mantissa = (bits & 0xFFFFFFFFFFFFFull) | (exponent != 0 ? std::uint64_t{1} << 52 : 0);
      const unsigned __int128 square = static_cast<unsigned __int128>(mantissa) * mantissa;
      while (count > 0) {
        const std::uint64_t times = std::min(count, kRoom - added);
        numbers[bits >> 52] += static_cast<unsigned __int128>(mantissa) * times;
        by_square[exponent] += square * times;
        count -= times;
        if ((added += times) == kRoom) flush();
      }
    }
    void flush() {
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] == 0) continue;
        const auto exponent = static_cast<int>(i & 0x7FF);
        sum.add_scaled(numbers[i], (exponent == 0 ? 1 : exponent) - 1075, i >> 11 != 0);
        numbers[i] = 0;
      }
      for (std::size_t i = 0; i < by_square.size(); ++i) {
        if (by_square[i] == 0) continue;
        squares.add_scaled(by_square[i], 2 * ((i == 0 ? 1 : static_cast<int>(i)) - 1075), false);
        by_square[i] = 0;
      }
      added = 0;
    }
  };

  int unit_ = 0;  ///< 2^-unit_
  double scale_ = 1;
  __int128 numbers_ = 0;
  unsigned __int128 low_ = 0, high_ = 0;  ///< of the squares the last 64 bits, and the others
  std::unique_ptr<ByExponent> others_;
};

}  // namespace mlp::learn
