#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/bins.h"
#include "runtime/column/column.h"
#include "runtime/learn/native.h"

namespace mlp::scorer {

/// The rows a model sees: in training, in evaluation and for a request. The runs of a vector become columns of their own.
class Matrix {
 public:
  /// `inputs` of them are added: uint8 bins if `binned`, else numbers.
  Matrix(bool binned, std::size_t inputs);
  /// Adds `count` rows; each input gets the values of these rows before the next call.
  void begin_rows(std::size_t count);
  /// Their values of one input: those named by `rows`, or all of the column.
  void add(std::size_t input, const BinnedColumn& column);
  void add(std::size_t input, const BinnedColumn& column, std::span<const std::uint32_t> rows);
  void add(std::size_t input, const Column& column);
  void add(std::size_t input, const Column& column, std::span<const std::uint32_t> rows);

  std::size_t rows() const { return rows_; }
  learn::MatrixView view() const;
  /// Rows with a number that came out infinite or undefined, ascending: it stands as zero here, and no model may be asked.
  std::vector<std::uint32_t> undefined_rows() const;

 private:
  bool binned_;
  std::size_t rows_ = 0, first_ = 0;
  std::vector<std::vector<std::vector<std::uint8_t>>> bins_;  ///< by input, by run
  std::vector<std::vector<std::vector<double>>> values_;
  std::vector<std::uint8_t> undefined_;  ///< empty: none
};

/// What the model gives for each row: the probability of true, or the number; NaN for undefined rows.
/// E0903 where the model was trained on another number of columns.
Result<std::vector<double>> predict(const learn::Model& model, const Matrix& matrix);

}  // namespace mlp::scorer
