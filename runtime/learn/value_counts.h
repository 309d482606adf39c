#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/column/column.h"
#include "runtime/learn/cells.h"

/// Distinct values and how often they occur: the exact sketch of quantiles, bins and encoders.
namespace mlp::learn {

struct NumberCounts {
  std::vector<double> values;  ///< ascending; -0 counts as 0
  std::vector<std::uint64_t> counts;
  std::uint64_t missing = 0;

  template <class A>
  void fields(A& a) {
    a(values, counts, missing);
    if constexpr (requires { a.fail(); })
      if (!sound()) a.fail();
  }
  bool sound() const;
  std::uint64_t known() const;
  void merge(const NumberCounts& other);
  /// The q-quantile, linear between the two nearest order statistics (Hyndman and Fan 1996, type 7). Some value must be known.
  double quantile(double q) const;
};
/// Of the rows with use[i] != 0.
NumberCounts count_numbers(const Numbers& numbers, std::span<const std::uint8_t> use);

struct TextCounts {
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t missing = 0;

  template <class A>
  void fields(A& a) { a(counts, missing); }
  std::uint64_t rows() const;
  void merge(const TextCounts& other);
};
TextCounts count_texts(const Column& column, std::span<const std::uint8_t> use);

/// Position in sorted `domain` of each of `texts`, or -1.
std::vector<std::int32_t> match(const std::vector<std::string_view>& texts, const std::vector<std::string>& domain);

}  // namespace mlp::learn
