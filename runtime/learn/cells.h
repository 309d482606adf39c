#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/column/column.h"
#include "runtime/learn/native.h"

/// Columns as transforms and metrics see them: numbers, coded texts, and a fast way to build float results.
namespace mlp::learn {

/// The values of a bool, int or float column as doubles. Refers to the column.
class Numbers {
 public:
  explicit Numbers(const Column& column);
  std::size_t rows() const { return values_.size(); }
  bool known(std::size_t row) const { return known_.empty() || known_[row] != 0; }
  double operator[](std::size_t row) const { return values_[row]; }

 private:
  std::span<const double> values_;
  std::span<const std::uint8_t> known_;
  std::vector<double> converted_;
};

/// The values of a category, string or bool column as codes into the distinct texts. Refers to the column.
class Coded {
 public:
  explicit Coded(const Column& column);
  std::size_t rows() const { return codes_.size(); }
  /// -1 for missing.
  std::int32_t code(std::size_t row) const { return known_.empty() || known_[row] != 0 ? codes_[row] : -1; }
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  std::vector<std::string_view> texts_;
  std::span<const std::int32_t> codes_;
  std::span<const std::uint8_t> known_;
  std::vector<std::int32_t> own_codes_;
};

/// A float column, filled row by row in any order; what is not set, or set to no finite number, is missing.
class FloatCells {
 public:
  explicit FloatCells(std::size_t rows);
  void set(std::size_t row, double value) {
    if (!std::isfinite(value)) return;
    values_[row] = value;
    known_[row] = 1;
  }
  /// `maybe`: the type is `float?`. Without it every row has to be set.
  Column finish(bool maybe) &&;

 private:
  std::size_t rows_;
  Buffer data_, mask_;
  std::span<double> values_;
  std::span<std::uint8_t> known_;
};

/// An int? column out of values and a mask (1: known); under a 0 the value is taken as zero.
Column int_column(std::vector<std::int64_t> values, std::vector<std::uint8_t> known);

/// The value of an option that the signature declares.
double number_option(const Options& options, std::string_view name);
std::string_view text_option(const Options& options, std::string_view name);

}  // namespace mlp::learn
