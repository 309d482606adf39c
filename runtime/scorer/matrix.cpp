#include "runtime/scorer/matrix.h"

#include <limits>

#include "compiler/support/check.h"

namespace mlp::scorer {

namespace {

/// Calls `each` with the positions of the rows meant, in order.
template <class Each>
void for_rows(std::span<const std::uint32_t> rows, Each each) {
  for (const std::uint32_t row : rows) each(row);
}

struct AllRows {
  std::size_t count;
};
template <class Each>
void for_rows(AllRows all, Each each) {
  for (std::size_t row = 0; row < all.count; ++row) each(row);
}

template <class Rows>
void gather_bins(const BinnedColumn& column, Rows rows, std::vector<std::vector<std::uint8_t>>& runs) {
  runs.resize(column.runs);
  for (std::size_t run = 0; run < column.runs; ++run) {
    const auto from = column.run(run);
    for_rows(rows, [&](std::size_t row) { runs[run].push_back(from[row]); });
  }
}

template <class Rows>
void gather_numbers(const Column& column, Rows rows, std::vector<std::vector<double>>& runs) {
  const bool vector = column.type.base == Base::vector;
  runs.resize(vector ? column.width() : 1);
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (vector || column.type.base == Base::float_) {
      const auto from = column.values<double>().subspan(run * column.rows, column.rows);
      for_rows(rows, [&](std::size_t row) { runs[run].push_back(from[row]); });
    } else {
      for_rows(rows, [&](std::size_t row) { runs[run].push_back(number_at(column, row)); });
    }
  }
}

template <class Rows>
void note_undefined(const Column& column, Rows rows, std::size_t first, std::size_t total, std::vector<std::uint8_t>& undefined) {
  if (!column.known) return;
  undefined.resize(total);
  std::size_t at = first;
  for_rows(rows, [&](std::size_t row) { undefined[at++] |= !column.is_known(row); });
}

}  // namespace

Matrix::Matrix(bool binned, std::size_t inputs) : binned_(binned) {
  if (binned) bins_.resize(inputs);
  else values_.resize(inputs);
}

void Matrix::begin_rows(std::size_t count) {
  first_ = rows_;
  rows_ += count;
}

void Matrix::add(std::size_t input, const BinnedColumn& column) { gather_bins(column, AllRows{column.rows}, bins_[input]); }

void Matrix::add(std::size_t input, const BinnedColumn& column, std::span<const std::uint32_t> rows) { gather_bins(column, rows, bins_[input]); }

void Matrix::add(std::size_t input, const Column& column) {
  gather_numbers(column, AllRows{column.rows}, values_[input]);
  note_undefined(column, AllRows{column.rows}, first_, rows_, undefined_);
}

void Matrix::add(std::size_t input, const Column& column, std::span<const std::uint32_t> rows) {
  gather_numbers(column, rows, values_[input]);
  note_undefined(column, rows, first_, rows_, undefined_);
}

learn::MatrixView Matrix::view() const {
  learn::MatrixView view;
  view.rows = rows_;
  for (const auto& runs : bins_)
    for (const auto& run : runs) view.columns.push_back({run.data(), nullptr});
  for (const auto& runs : values_)
    for (const auto& run : runs) view.columns.push_back({nullptr, run.data()});
  for (const auto& runs : bins_)
    for (const auto& run : runs) MLP_CHECK(run.size() == rows_);
  for (const auto& runs : values_)
    for (const auto& run : runs) MLP_CHECK(run.size() == rows_);
  return view;
}

std::vector<std::uint32_t> Matrix::undefined_rows() const {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < undefined_.size(); ++row)
    if (undefined_[row]) rows.push_back(row);
  return rows;
}

Result<std::vector<double>> predict(const learn::Model& model, const Matrix& matrix) {
  const learn::MatrixView view = matrix.view();
  // A vector of no rows has no runs, so nothing can be compared then.
  if (matrix.rows() == 0) return std::vector<double>();
  if (view.columns.size() != model.columns())
    return failure(diag::Code::E0903, "the model was trained on another number of columns than it is asked with", "run the workflow again");
  std::vector<double> predictions = model.predict(view);
  MLP_CHECK(predictions.size() == matrix.rows());
  for (const std::uint32_t row : matrix.undefined_rows()) predictions[row] = std::numeric_limits<double>::quiet_NaN();
  return predictions;
}

}  // namespace mlp::scorer
