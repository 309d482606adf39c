#include <algorithm>
#include <fmt/format.h>

#include "compiler/planner/lowering.h"
#include "compiler/planner/passes/prune_steps.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;
using How = plan::Arrange::How;
using Kind = hir::Stage::Kind;

namespace {

/// Whether something of the workflow asks for single columns of the table, so that the others need not be there.
bool is_asked(const hir::Workflow& workflow, hir::TableId id) {
  for (const hir::Table& table : workflow.tables)
    if (table.stage && (table.stage->from == id || std::find(table.stage->others.begin(), table.stage->others.end(), id) != table.stage->others.end())) return true;
  for (const hir::View& view : workflow.views)
    if (view.table == id) return true;
  // The columns of a `window` are made of its own table.
  return std::any_of(workflow.columns.begin(), workflow.columns.end(), [&](const hir::Column& c) { return c.aggregate() && c.aggregate()->of == id && c.table != id; });
}

std::string names(const hir::Workflow& workflow, const std::vector<hir::ColumnId>& columns) {
  std::string out;
  for (const hir::ColumnId column : columns) out += (out.empty() ? "" : ", ") + workflow[column].name;
  return out;
}

/// The rows of one made table.
struct RowsOfStage {
  Lowering& l;
  hir::TableId id;
  const hir::Table& table = l.workflow[id];
  const hir::Stage& stage = *table.stage;
  plan::TableIndex from = table_index(l.workflow, stage.from);
  Place place = {table.intermediate ? table.name : table.name + ".rows", "", stage.span, table_index(l.workflow, id)};

  Place at(const char* part, plan::TableIndex index) const { return {place.name + part, "", stage.span, index, true}; }
  StepId column(hir::ColumnId column) { return lower_column(l, column, nullptr); }
  std::vector<StepId> row_maker(hir::TableId of) {
    const auto step = lower_rows_of(l, of);
    return step ? std::vector<StepId>{*step} : std::vector<StepId>{};
  }
  StepId filter() {
    return add_step(l, place, plan::Filter{std::nullopt, 0, from}, {column(*stage.condition)}, fmt::format("where {}", expr::to_string(*l.workflow[*stage.condition].code())));
  }
  StepId sample() { return add_step(l, place, plan::Filter{stage.share, stage.seed, from}, row_maker(stage.from), fmt::format("sample {}% seed {}", stage.share * 100, stage.seed)); }

  plan::Arrange arrange(How how) const {
    plan::Arrange code;
    code.how = how;
    code.of = {from};
    for (const hir::TableId other : stage.others) code.of.push_back(table_index(l.workflow, other));
    return code;
  }
  StepId counted(How how, std::int64_t first, std::int64_t last, std::string text) {
    plan::Arrange code = arrange(how);
    code.first = first, code.last = last;
    std::vector<StepId> inputs = row_maker(stage.from);
    for (const hir::TableId other : stage.others)
      for (const StepId step : row_maker(other)) inputs.push_back(step);
    return add_step(l, place, std::move(code), std::move(inputs), std::move(text));
  }
  /// Rows by keys and an order.
  StepId ordered(How how, std::string text) {
    plan::Arrange code = arrange(how);
    code.keys = static_cast<std::uint32_t>(stage.keys.size());
    std::vector<StepId> inputs;
    for (const hir::ColumnId key : stage.keys) inputs.push_back(column(key));
    for (const auto& [by, descending] : stage.order) {
      code.descending.push_back(descending);
      inputs.push_back(column(by));
      text += fmt::format(" {}{}", l.workflow[by].name, descending ? " desc" : "");
    }
    return add_step(l, place, std::move(code), std::move(inputs), std::move(text));
  }
  StepId join() {
    plan::Arrange code = arrange(stage.kind == Kind::join ? How::join : How::asof_join);
    code.keys = static_cast<std::uint32_t>(stage.equal.size());
    code.left = stage.left, code.one = stage.one;
    const plan::TableIndex other = code.of[1];
    std::vector<StepId> inputs, theirs;
    std::string text = fmt::format("join {}{}{}", stage.one ? "one " : "", stage.left ? "left " : "", l.workflow[stage.others[0]].name);
    for (const auto& [left, right] : stage.equal) {
      inputs.push_back(lower_expression(l, left, at(".key", from), nullptr));
      theirs.push_back(lower_expression(l, right, at(".key", other), nullptr));
      text += fmt::format("{} {} == {}", inputs.size() == 1 ? " on" : " and", expr::to_string(left), expr::to_string(right));
    }
    inputs.insert(inputs.end(), theirs.begin(), theirs.end());
    theirs.clear();
    for (const auto& [left, right, is] : stage.compared) {
      using Is = plan::Arrange::Is;
      code.compared.push_back(is == "<" ? Is::less : is == "<=" ? Is::at_most : is == ">" ? Is::more : Is::at_least);
      text += fmt::format(" {} {} {} {}", inputs.empty() ? "on" : "and", expr::to_string(left), is, expr::to_string(right));
      inputs.push_back(lower_expression(l, left, at(".value", from), nullptr));
      theirs.push_back(lower_expression(l, right, at(".value", other), nullptr));
    }
    inputs.insert(inputs.end(), theirs.begin(), theirs.end());
    if (inputs.empty()) {  // all pairs: only how many rows there are matters
      for (const hir::TableId of : {stage.from, stage.others[0]})
        for (const StepId step : row_maker(of)) inputs.push_back(step);
    }
    if (stage.kind == Kind::asof_join) {
      inputs.push_back(lower_time(l, *stage.at, at(".time", from)));
      inputs.push_back(lower_time(l, *stage.other_time, at(".time", other)));
      text = "asof " + text;
    }
    return add_step(l, place, std::move(code), std::move(inputs), std::move(text));
  }
  /// Of the pairs that a join made before, those for which the whole condition is true.
  StepId join_if() {
    const hir::TableId pairs = *l.workflow[*stage.condition].table;
    plan::Arrange code = arrange(How::join_if);
    code.left = stage.left, code.one = stage.one;
    code.of.push_back(table_index(l.workflow, pairs));
    const std::string text = fmt::format("join {}{}{} on {}", stage.one ? "one " : "", stage.left ? "left " : "", l.workflow[stage.others[0]].name, expr::to_string(*l.workflow[*stage.condition].code()));
    const StepId rows = *lower_rows_of(l, pairs);
    code.in_pieces = l.plan[rows].per_fragment;
    return add_step(l, place, std::move(code), {rows, column(*stage.condition)}, text);
  }
  StepId sample_by_identity() {
    plan::Arrange code = arrange(How::sample);
    code.share = stage.share;
    std::vector<StepId> columns, inputs;
    for (const StepId id : lower_identity(l, stage.from, code.one)) columns.push_back(id);
    for (const std::size_t i : order_columns(l, columns)) inputs.push_back(columns[i]);
    code.keys = static_cast<std::uint32_t>(inputs.size());
    return add_step(l, place, std::move(code), std::move(inputs), fmt::format("sample {}%", stage.share * 100));
  }
  StepId fill() {
    constexpr std::int64_t kDay = 86'400'000'000;
    plan::Arrange code = arrange(How::fill);
    code.keys = static_cast<std::uint32_t>(stage.keys.size());
    const std::int64_t unit = l.workflow[*stage.at].type.base == Base::date ? kDay : 1;
    code.every = stage.every_us / unit;
    code.ahead = stage.ahead_us / unit;
    std::vector<StepId> inputs;
    for (const hir::ColumnId key : stage.keys) inputs.push_back(column(key));
    inputs.push_back(column(*stage.at));
    return add_step(l, place, std::move(code), std::move(inputs), fmt::format("fill by {}", names(l.workflow, stage.keys)));
  }
  StepId lower() {
    switch (stage.kind) {
      case Kind::same:
      case Kind::python:
      case Kind::sql: break;
      case Kind::filter: return filter();
      case Kind::sample: return stage.by_identity ? sample_by_identity() : sample();
      case Kind::sort: return ordered(How::sort, "sort by");
      case Kind::dedupe: return ordered(How::dedupe, fmt::format("dedupe by {}", names(l.workflow, stage.keys)));
      case Kind::group: return ordered(How::group, fmt::format("group by {}", names(l.workflow, stage.keys)));
      case Kind::limit: return counted(How::limit, stage.count, 0, fmt::format("limit {}", stage.count));
      case Kind::unpivot: return counted(How::unpivot, stage.count, 0, "unpivot");
      case Kind::cross: return counted(How::cross, stage.count, stage.last, fmt::format("cross range({}..{})", stage.count, stage.last));
      case Kind::union_: return counted(How::union_, 0, 0, "union");
      case Kind::join:
        if (stage.condition) return join_if();
        return join();
      case Kind::asof_join: return join();
      case Kind::fill: return fill();
    }
    MLP_CHECK(false && "rows of a table that makes none");
    return {};
  }
};

/// The column as a value of this type, in its own rows.
StepId converted(Lowering& l, hir::ColumnId column, const Type& type, const Place& place) {
  const Type& have = l.workflow[column].type;
  if (have.base == type.base) return lower_column(l, column, nullptr);
  expr::Expr code;
  code.inputs = {{column.value, have, l.workflow[column].name}};
  const expr::NodeId input = code.push(expr::Input{0}, have);
  code.push(expr::Convert{input}, type.maybe(have.missing));
  return lower_expression(l, code, {place.name + ".part", place.suffix, place.span, table_index(l.workflow, table_of(l.workflow, column)), true}, nullptr);
}

}  // namespace

namespace {

/// What the stage that makes the rows of a table adds to what tells those before it apart: the number of a `cross`, the word of an `unpivot`, the time
/// of a `fill`.
std::optional<hir::ColumnId> told_by_stage(const hir::Workflow& workflow, hir::TableId table) {
  for (std::size_t i = 0; i < workflow.columns.size(); ++i)
    if (workflow.columns[i].table == table && std::holds_alternative<hir::FromStage>(workflow.columns[i].made_by)) return hir::ColumnId(i);
  return std::nullopt;
}

/// Columns of the table where rows begin that tell them apart; `are_values`: they are all that the rows hold.
std::vector<hir::ColumnId> identity_of(const hir::Workflow& workflow, hir::TableId begin, bool& are_values) {
  const hir::Table& table = workflow[begin];
  const bool filled = table.stage && table.stage->kind == Kind::fill;
  std::vector<hir::ColumnId> keys, values;
  for (std::size_t i = 0; i < workflow.columns.size(); ++i) {
    const hir::Column& column = workflow.columns[i];
    const bool is_value = column.type.base != Base::list && column.type.base != Base::vector && column.type.base != Base::map;
    if (column.table != begin || !is_value) continue;
    const expr::Expr* code = column.code();
    const bool fill_key = filled && code && code->inputs.size() == 1 && std::ranges::find(table.stage->keys, hir::ColumnId(code->inputs[0].column)) != table.stage->keys.end();
    if (filled ? fill_key : column.tags.key) keys.emplace_back(i);
    // What is read is what the rows are; what is computed of it may be edited.
    if (table.source.empty() || table.synthetic || std::holds_alternative<hir::SourceColumn>(column.made_by)) values.emplace_back(i);
  }
  if (filled) keys.push_back(*told_by_stage(workflow, begin));
  are_values = keys.empty();
  return are_values ? values : keys;
}

}  // namespace

std::vector<StepId> lower_identity(Lowering& l, hir::TableId table, bool& one_by_one) {
  hir::TableId begin = table;
  std::vector<hir::ColumnId> columns;
  while (const auto& stage = l.workflow[begin].stage) {
    const Kind kind = stage->kind;
    const bool same_rows = kind == Kind::same || kind == Kind::filter || kind == Kind::sample || kind == Kind::sort || kind == Kind::limit || kind == Kind::dedupe || kind == Kind::join || kind == Kind::asof_join;
    const auto told = kind == Kind::cross || kind == Kind::unpivot ? told_by_stage(l.workflow, begin) : std::nullopt;
    if (!same_rows && !told) break;
    if (told) columns.push_back(*told);
    begin = stage->from;
  }
  const auto of_begin = identity_of(l.workflow, begin, one_by_one);
  columns.insert(columns.end(), of_begin.begin(), of_begin.end());
  std::vector<StepId> out;
  for (const hir::ColumnId id : columns) {
    const auto step = in_rows_of(l, lower_column(l, id, nullptr), table);
    MLP_CHECK(step.has_value());
    if (std::find(out.begin(), out.end(), *step) == out.end()) out.push_back(*step);
  }
  return out;
}

std::optional<StepId> lower_rows_of(Lowering& l, hir::TableId id) {
  const plan::TableIndex index = table_index(l.workflow, id);
  const hir::TableId owner(index);
  if (!l.rows[index] && l.plan.tables[index].made) l.rows[index] = RowsOfStage{l, owner}.lower();
  return l.rows[index];
}

StepId lower_take(Lowering& l, hir::ColumnId column, const Type& type, const Place& place) {
  const hir::TableId made(place.table);
  MLP_CHECK(l.workflow[made].stage.has_value());
  const hir::Stage& stage = *l.workflow[made].stage;
  plan::Take take;
  take.type = type;
  const hir::TableId theirs = table_of(l.workflow, column);
  if (stage.kind == Kind::join || stage.kind == Kind::asof_join) take.side = theirs == stage.from ? 0 : 1;
  if (stage.kind == Kind::fill) {
    if (std::find(stage.keys.begin(), stage.keys.end(), column) != stage.keys.end()) take.side = 1;
    for (const auto& [filled, value] : stage.filled)
      if (filled == column) take.absent = value;
  }
  const auto rows = lower_rows_of(l, made);
  const std::string text = fmt::format("{} of {}", l.workflow[column].name, l.workflow[theirs].name);
  return add_step(l, place, std::move(take), {*rows, lower_column(l, column, nullptr)}, text);
}

std::optional<StepId> lower_stage_column(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Column& column = l.workflow[id];
  const hir::Table& table = l.workflow[*column.table];
  if (!table.stage) return std::nullopt;
  const hir::Stage& stage = *table.stage;
  plan::Take take;
  take.type = column.type;
  if (std::holds_alternative<hir::FromStage>(column.made_by)) {
    take.itself = true;
    take.side = stage.kind == Kind::fill ? 2 : 1;
    return add_step(l, place, std::move(take), {*lower_rows_of(l, *column.table)}, column.name);
  }
  const expr::Expr& code = *column.code();
  if (code.inputs.empty() || stage.kind == Kind::same) return std::nullopt;
  const hir::ColumnId first(code.inputs[0].column);
  if (table_of(l.workflow, first) == *column.table) return std::nullopt;
  const auto one_of = std::get_if<expr::Coalesce>(&code.nodes.back().op);
  if (stage.kind == Kind::union_ || (stage.kind == Kind::unpivot && (one_of || code.inputs.size() == static_cast<std::size_t>(stage.count)) && code.inputs.size() > 1)) {
    std::vector<StepId> inputs = {*lower_rows_of(l, *column.table)};
    for (const expr::InputColumn& input : code.inputs) inputs.push_back(converted(l, hir::ColumnId(input.column), column.type, place));
    if (stage.kind == Kind::unpivot) take.which = 1;
    return add_step(l, place, std::move(take), std::move(inputs), column.name);
  }
  // As it is there, but for what the stage knows of it: a `where … is known` leaves nothing missing.
  if (std::holds_alternative<expr::Input>(code.nodes.back().op)) return lower_take(l, first, column.type, place);
  return std::nullopt;
}

void lower_stage(Lowering& l, hir::TableId id) {
  const hir::Table& table = l.workflow[id];
  if (table.intermediate) return;
  const bool selected = std::any_of(l.options.select.begin(), l.options.select.end(), [&](const std::string& text) { return parse_selection(text).name == table.name; });
  if (is_asked(l.workflow, id) && !selected) return;
  lower_rows_of(l, id);
  for (const hir::ColumnId column : table.columns) lower_column(l, column, nullptr);
}

}  // namespace mlp::planner
