#include "compiler/support/check.h"
#include "runtime/exec/session.h"

namespace mlp::exec {

namespace {

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

/// The rows that a side names.
Column by_side(const Column& from, const Column& side, const plan::Take& code) {
  if (!side.data && side.rows > 0) {
    if (from.rows == side.rows) {
      Column same = from;
      same.type = code.type;
      return same;
    }
    Column first = slice(from, 0, side.rows);
    first.type = code.type;
    return first;
  }
  if (!side.known) return take(from, side.values<std::int64_t>(), code.absent.value_or(Value{}), code.type);
  std::vector<std::int64_t> rows(side.values<std::int64_t>().begin(), side.values<std::int64_t>().end());
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!side.is_known(i)) rows[i] = -1;
  return take(from, rows, code.absent.value_or(Value{}), code.type);
}

/// The rows that a side names, of the column that another one names.
Column by_which(std::vector<Column> columns, const Column& side, const Column& which, const Type& type) {
  // The columns stand one below the other.
  const auto row = side.values<std::int64_t>(), column = which.values<std::int64_t>();
  std::vector<std::int64_t> rows(side.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = row[i] + column[i] * static_cast<std::int64_t>(columns[0].rows);
  for (Column& each : columns) each.type = type;
  return take(concatenate(columns), rows, std::monostate{}, type);
}

}  // namespace

Result<Column> take_cell(Session& session, const plan::Step& step, const plan::Take& code, std::size_t fragment) {
  const auto* arrange = std::get_if<plan::Arrange>(&session.plan[step.inputs[0]].code);
  using How = plan::Arrange::How;
  if (arrange && arrange->how == How::union_) {
    const auto [table, part] = part_of_union(session, *arrange, fragment);
    MLP_TRY(const auto cell, session.column(step.inputs[1 + table], part));
    Column out = *cell;
    out.type = code.type;
    return canonical(std::move(out));
  }
  MLP_TRY(const Columns sides, session.parts(step.inputs[0], fragment));
  MLP_CHECK(code.side < sides->size() && code.which.value_or(0) < sides->size());
  const Column& side = (*sides)[code.side];
  if (code.itself) return itself(side, code.type);
  if (arrange && code.side == 1) {
    MLP_TRY(const Column whole, session.whole_column(step.inputs[1]));
    return by_side(whole, side, code);
  }
  MLP_TRY(std::vector<Column> columns, session.columns(step, 1, step.inputs.size() - 1, fragment));
  if (!code.which) return by_side(columns[0], side, code);
  return by_which(std::move(columns), side, (*sides)[*code.which], code.type);
}

Result<Column> take_arranged(Session& session, const plan::Step& step, const plan::Take& code) {
  const plan::Step& arranged = session.plan[step.inputs[0]];
  const auto& arrange = std::get<plan::Arrange>(arranged.code);
  if (arrange.how == plan::Arrange::How::group) {
    // The keys of a group are at hand.
    const auto key = std::find(arranged.inputs.begin(), arranged.inputs.begin() + arrange.keys, step.inputs[1]) - arranged.inputs.begin();
    if (key < arrange.keys) {
      MLP_TRY(const auto groups, grouped(session, step.inputs[0]));
      Column out = groups->index.columns()[static_cast<std::size_t>(key)];
      out.type = code.type;
      return out;
    }
  }
  MLP_TRY(const Columns parts, session.parts(step.inputs[0]));
  MLP_CHECK(code.side < parts->size());
  const Column& side = (*parts)[code.side];
  if (code.itself) return itself(side, code.type);
  std::vector<Column> columns;
  for (std::size_t i = 1; i < step.inputs.size(); ++i) {
    MLP_TRY(columns.emplace_back(), session.whole_column(step.inputs[i]));
  }
  return code.which ? by_which(std::move(columns), side, (*parts)[*code.which], code.type) : by_side(columns[0], side, code);
}

}  // namespace mlp::exec
