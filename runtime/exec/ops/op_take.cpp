#include "compiler/support/check.h"
#include "runtime/exec/session.h"

namespace mlp::exec {

Result<Column> take_filtered(Session& session, const plan::Step& step, const plan::Take& code, std::size_t fragment) {
  MLP_TRY(const auto kept, session.column(step.inputs[0], fragment));
  MLP_TRY(const auto column, session.column(step.inputs[1], fragment));
  return take(*column, kept->values<std::int64_t>(), std::monostate{}, code.type);
}

namespace {

/// A side of an Arrange as row numbers, -1 where there is no row.
std::vector<std::int64_t> rows_of(const Column& side) {
  const auto values = side.values<std::int64_t>();
  std::vector<std::int64_t> rows(values.begin(), values.end());
  if (side.known)
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!side.is_known(i)) rows[i] = -1;
  return rows;
}

/// What the side itself says: a number or a time, or one of the words of a closed category.
Column itself(const Column& side, const Type& type) {
  if (type.base != Base::category) {
    Column out = side;
    out.type = type;
    return out;
  }
  const std::vector<std::string>& words = type.domain();
  ColumnBuilder builder(type, side.rows);
  for (const std::int64_t word : side.values<std::int64_t>()) builder.push_text(words.at(static_cast<std::size_t>(word)));
  return builder.finish();
}

}  // namespace

Result<Column> take_arranged(Session& session, const plan::Step& step, const plan::Take& code) {
  MLP_TRY(const Columns parts, session.parts(step.inputs[0]));
  const std::vector<Column>& sides = *parts;
  if (code.side >= sides.size() || code.which.value_or(0) >= sides.size())
    return failure(diag::Code::E0903, "the rows of `" + session.plan.tables[step.table].name + "` are damaged", "run again: they are made anew");
  if (code.itself) return itself(sides[code.side], code.type);
  const Column& side = sides[code.side];
  std::vector<Column> columns;
  std::vector<std::int64_t> first = {0};
  for (std::size_t i = 1; i < step.inputs.size(); ++i) {
    MLP_TRY(columns.emplace_back(), session.whole_column(step.inputs[i]));
    columns.back().type = code.type;
    first.push_back(first.back() + static_cast<std::int64_t>(columns.back().rows));
  }
  const Column from = columns.size() == 1 ? columns[0] : concatenate(columns);
  if (!side.known && !code.which) return take(from, side.values<std::int64_t>(), code.absent.value_or(Value{}), code.type);
  std::vector<std::int64_t> rows = rows_of(side);
  if (code.which) {
    // The columns stand one below the other.
    const auto which = sides[*code.which].values<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] += first.at(static_cast<std::size_t>(which[i]));
  }
  return take(from, rows, code.absent.value_or(Value{}), code.type);
}

}  // namespace mlp::exec
