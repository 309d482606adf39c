#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/exec/session.h"
#include "runtime/learn/native.h"

namespace mlp::exec {

/// The value of a bool, int or float (or time) at a known row, as a double.
double number_at(const Column& column, std::size_t row);

/// The rows a model sees, gathered from the cells of a step's inputs; the runs of a vector become columns of their own.
class Matrix {
 public:
  /// `columns` inputs: uint8 bins if `binned`, else numbers that are all known.
  Matrix(bool binned, std::size_t columns) : binned_(binned), bins_(columns), values_(columns) {}
  /// Adds `rows` of a fragment; the matrix columns are the step's inputs from `first` on.
  Result<void> append(Session& session, const plan::Step& step, std::size_t first, std::size_t fragment, std::span<const std::uint32_t> rows);
  learn::MatrixView view() const;

 private:
  bool binned_;
  std::size_t rows_ = 0;
  std::vector<std::vector<std::vector<std::uint8_t>>> bins_;  ///< by input, by run
  std::vector<std::vector<std::vector<double>>> values_;
};

}  // namespace mlp::exec
