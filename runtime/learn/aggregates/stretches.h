#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/learn/native.h"

/// What the aggregates share.
namespace mlp::learn {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// 1 for a row of the list that counts: it is used, and its value is known.
std::vector<std::uint8_t> counted(const AggregateInput& in);
/// How many of the first i rows count.
std::vector<std::int64_t> counts_before(std::span<const std::uint8_t> counts);

/// A column of whole numbers (int, date, timestamp, duration, or bool as 0 and 1), without missing values.
Column whole_numbers(const Type& type, const std::vector<std::int64_t>& values);
/// The rows of a column, below 0: missing.
Column picked(const Column& values, const std::vector<std::int64_t>& rows, const Type& type);

/// Adds the sum of whole numbers; missing where 64 bits do not hold it, as for `+`.
inline void push_sum(ColumnBuilder& out, __int128 sum) {
  sum < INT64_MIN || sum > INT64_MAX ? out.push_missing() : out.push_int(static_cast<std::int64_t>(sum));
}
/// The mean of n whole numbers, rounded down like `div`.
inline std::int64_t whole_mean(__int128 total, __int128 n) { return static_cast<std::int64_t>(total / n - (total % n < 0 ? 1 : 0)); }

/// Goes from stretch to stretch: `add` and `remove` a row that counts, then `done(i)`. Where a stretch does not follow the one before,
/// all of that one is removed first.
template <class Add, class Remove, class Done>
void slide(const AggregateInput& in, std::span<const std::uint8_t> counts, Add add, Remove remove, Done done) {
  std::int64_t low = 0, high = 0;
  for (std::size_t i = 0; i < in.begin.size(); ++i) {
    const std::int64_t begin = in.begin[i], end = in.end[i];
    if (begin < low || end < high || begin >= high) {
      for (; low < high; ++low)
        if (counts[index(low)]) remove(low);
      low = high = begin;
    }
    for (; high < end; ++high)
      if (counts[index(high)]) add(high);
    for (; low < begin; ++low)
      if (counts[index(low)]) remove(low);
    done(i);
  }
}

}  // namespace mlp::learn
