#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Exact sums of stretches of a list of doubles, each from two numbers: multiples of one power of two as 128-bit integers.
namespace mlp::learn {

class PrefixSums {
 public:
  /// nullopt where the numbers lie so far apart that 128 bits do not hold their sums. `counts` empty: all count.
  static std::optional<PrefixSums> of(std::span<const double> values, std::span<const std::uint8_t> counts);
  /// The sum of [begin, end), rounded once, to nearest even: the bits of ExactSum::value().
  double sum(std::int64_t begin, std::int64_t end) const;

 private:
  std::vector<__int128> before_;  ///< sums of the first i numbers, in units of 2^unit_
  int unit_ = 0;
};

}  // namespace mlp::learn
