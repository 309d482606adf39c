#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/column.h"
#include "runtime/learn/exact_sum.h"

namespace mlp::learn {

/// What one look at the values of a column tells, in little room: of each fragment one, merged in the order of the fragments.
///
/// Rows, missing values, least and greatest, mean and deviation are exact. While a column has at most kMost distinct values, so are these, their
/// counts and the quantiles. With more, distinct values are estimated (HyperLogLog), a quantile is known to lie in a range of neighbouring
/// values, and counts of frequent values may fall short (Misra and Gries) by at most `short_by`. All but these last counts are equal for
/// every way of cutting the rows into fragments. A text is told from others by 64 bits of XXH3.
struct ColumnProfile {
  /// Values, or ranges of values, that are kept.
  static constexpr std::size_t kMost = 2048;
  /// Frequent values that are kept where there are more than kMost. A fragment leaves out what at most 1/1025 of its rows have, merging takes from
  /// every count at most 1/1025 of all rows: together less than 1/512.
  static constexpr std::size_t kFrequent = 1024;
  /// Relative standard error of an estimate of distinct values: 1.04 / sqrt(8192).
  static constexpr double kDistinctError = 0.0115;

  Base base = Base::error;  ///< of the column; error: of no column yet
  std::uint64_t rows = 0;
  std::uint64_t missing = 0;
  /// Keys have the order of the values; those of texts are hashes, without any.
  std::uint64_t least = 0, greatest = 0;
  std::string least_text, greatest_text;
  ExactSum sum, squares;  ///< of int and float
  /// How often keys occur, ascending, without their last `shift` bits: the least shift that leaves at most kMost. Texts: only while exact.
  std::uint8_t shift = 0;
  std::vector<std::uint64_t> keys, counts;
  /// Of more than kMost distinct values: registers of HyperLogLog, and frequent keys with lower bounds of their counts.
  std::vector<std::uint8_t> registers;
  std::vector<std::uint64_t> frequent_keys, frequent_counts;
  std::uint64_t short_by = 0;
  std::map<std::uint64_t, std::string> texts;  ///< of the keys above

  std::uint64_t known() const { return rows - missing; }
  /// Whether distinct values, counts and quantiles are.
  bool is_exact() const { return registers.empty(); }
  void merge(const ColumnProfile& other);

  /// monostate: no value is known, or (vectors) there is no order.
  Value low() const;
  Value high() const;
  std::uint64_t distinct() const;
  /// Of numbers of which one is known.
  std::optional<double> mean() const;
  /// Of the sample (n - 1), as pandas and R take it: of numbers of which two are known.
  std::optional<double> deviation() const;

  struct Quantile {
    Value value;        ///< of numbers a double, linear between two order statistics (type 7); of times the lower of the two
    double within = 0;  ///< how far the true one is at most; 0: exact
  };
  /// Of numbers and times of which one is known.
  std::optional<Quantile> quantile(double q) const;

  struct Frequent {
    Value value;
    std::uint64_t count;
  };
  /// The most frequent values, most first, then in their order.
  std::vector<Frequent> top(std::size_t most) const;

  friend bool operator==(const ColumnProfile&, const ColumnProfile&) = default;
};

ColumnProfile profile_of(const Column& column);

std::string encode_profile(const ColumnProfile& profile);
Result<ColumnProfile> decode_profile(std::string_view bytes);

}  // namespace mlp::learn
