#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/column.h"

/// Cuts of a matrix column into at most 255 bins (0 to 254) and one for missing (255), made on the training rows.
namespace mlp::learn {

/// State of the rows i of one fragment with use[i] != 0: distinct values and how often each occurs (of every run of a vector).
std::string partial_bins(const Column& column, std::span<const std::uint8_t> use);
/// Equal for every way of cutting the rows into fragments and every order of merging.
Result<std::string> merge_bins(std::span<const std::string_view> partials);
/// Numbers with at most 255 distinct values: a bin each. More: quantiles, so that each bin has about as many training rows.
/// Categories: a bin each in the order of their bytes; with more than 255, the rarest share bin 254 (ties: later bytes first).
Result<std::string> finish_bins(std::string_view partial);

/// The cuts of a column, ready to be applied. Immutable.
struct Bins {
  enum class Kind : std::uint8_t { number, category } kind = Kind::number;
  /// Number: bin = the number of cuts that are <= x; one list a run (one for columns that are no vectors).
  std::vector<std::vector<double>> cuts;
  /// Category: the values of bins 0, 1, …; sorted by bytes.
  std::vector<std::string> domain;
  /// Category: bin of each value of the domain (differs from its position only when values share a bin).
  std::vector<std::uint8_t> bin_of;
  /// Training rows in each bin of each run, [255] the missing ones: the reference of drift tests.
  std::vector<std::array<std::uint64_t, 256>> counts;

  std::size_t runs() const { return kind == Kind::number ? cuts.size() : 1; }
  /// One uint8 a row and run, run after run. Missing and unseen values: 255; the unseen ones are added to `*unseen`.
  Buffer apply(const Column& column, std::uint64_t* unseen = nullptr) const;
};
Result<std::shared_ptr<const Bins>> load_bins(std::string_view fitted);

}  // namespace mlp::learn
