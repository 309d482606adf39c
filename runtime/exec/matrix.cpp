#include "runtime/exec/matrix.h"

#include "compiler/support/check.h"
#include "runtime/column/bins.h"

namespace mlp::exec {

double number_at(const Column& column, std::size_t row) {
  switch (column.type.base) {
    case Base::bool_: return column.values<std::uint8_t>()[row];
    case Base::float_: return column.values<double>()[row];
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration: return static_cast<double>(column.values<std::int64_t>()[row]);
    case Base::error:
    case Base::string:
    case Base::category:
    case Base::list:
    case Base::vector:
    case Base::map: break;
  }
  MLP_CHECK(false && "a number");
  return 0;
}

Result<void> Matrix::append(Session& session, const plan::Step& step, std::size_t first, std::size_t fragment, std::span<const std::uint32_t> rows) {
  const std::size_t count = binned_ ? bins_.size() : values_.size();
  for (std::size_t c = 0; c < count; ++c) {
    const plan::StepId input = step.inputs[first + c];
    if (binned_) {
      MLP_TRY(const std::string bytes, session.object(input, fragment));
      MLP_TRY(const BinnedColumn cell, decode_binned_column(bytes));
      bins_[c].resize(cell.runs);
      for (std::size_t run = 0; run < cell.runs; ++run) {
        const auto from = cell.run(run);
        for (std::uint32_t row : rows) bins_[c][run].push_back(from[row]);
      }
      continue;
    }
    MLP_TRY(const auto column, session.column(input, fragment));
    const bool vector = column->type.base == Base::vector;
    const std::size_t width = vector ? column->width() : 1;
    values_[c].resize(width);
    for (std::uint32_t row : rows) {
      // The model's signature asks for columns without missing values; the checker saw to it.
      MLP_CHECK(column->is_known(row));
      for (std::size_t run = 0; run < width; ++run)
        values_[c][run].push_back(vector ? column->values<double>()[run * column->rows + row] : number_at(*column, row));
    }
  }
  rows_ += rows.size();
  return {};
}

learn::MatrixView Matrix::view() const {
  learn::MatrixView view;
  view.rows = rows_;
  for (std::size_t c = 0; c < bins_.size(); ++c) {
    for (const auto& run : bins_[c]) view.columns.push_back({run.data(), nullptr});
    for (const auto& run : values_[c]) view.columns.push_back({nullptr, run.data()});
  }
  return view;
}

}  // namespace mlp::exec
