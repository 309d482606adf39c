#include <algorithm>
#include <fmt/format.h>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

std::string contract_text(const hir::Column& column, const hir::SourceColumn& source) {
  std::string text = fmt::format("{}: {}", column.name, to_string(column.type));
  if (source.ranged) text += fmt::format(" in {}..{}", column.range.low, column.range.high);
  if (!source.allowed.empty()) text += fmt::format(" in ({} values)", source.allowed.size());
  if (!source.matches.empty()) text += fmt::format(" matches \"{}\"", source.matches);
  if (source.unique) text += " unique";
  if (source.source_name != column.name) text += fmt::format(" as \"{}\"", source.source_name);
  return text;
}

plan::ReadColumn contract_of(const hir::Column& column, const hir::SourceColumn& source) {
  plan::ReadColumn code{source.source_name, column.type, source.format, source.bool_values, source.allowed, source.matches, std::nullopt};
  if (source.ranged) code.range = column.range;
  std::sort(code.allowed.begin(), code.allowed.end());  // a set: the order in which it is written means nothing
  return code;
}

StepId read_column(Lowering& l, hir::ColumnId id, StepId files) {
  const hir::Column& column = l.workflow[id];
  const auto& source = std::get<hir::SourceColumn>(column.made_by);
  const Place place{column_name(l.workflow, id), "", column.span, table_index(l.workflow, *column.table)};
  return add_step(l, place, contract_of(column, source), {files}, contract_text(column, source));
}

/// Position of the column's step among the inputs; added where it is not there yet.
std::uint32_t position_of(Lowering& l, std::vector<StepId>& inputs, hir::ColumnId column) {
  const StepId step = lower_column(l, column, nullptr);
  const auto at = std::find(inputs.begin(), inputs.end(), step);
  if (at == inputs.end()) inputs.push_back(step);
  return static_cast<std::uint32_t>(std::find(inputs.begin(), inputs.end(), step) - inputs.begin());
}

/// The part of a column's contract that only the whole table can tell.
plan::Expect::Item expect_unique(const hir::Column& column, std::uint32_t position) {
  plan::Expect::Item item;
  item.text = fmt::format("unique({})", column.name);
  item.span = column.span;
  item.statistics = {{plan::Expect::Statistic::is_unique, position}};
  item.condition.inputs = {{0, Type::of(Base::bool_), "unique"}};
  item.condition.push(expr::Input{0}, Type::of(Base::bool_), {}, column.span);
  return item;
}

void lower_expectations(Lowering& l, const hir::Table& table, plan::TableIndex index) {
  plan::Expect code;
  std::vector<StepId> inputs;
  for (const hir::ColumnId id : table.columns)
    if (const auto* source = std::get_if<hir::SourceColumn>(&l.workflow[id].made_by); source && source->unique)
      code.items.push_back(expect_unique(l.workflow[id], position_of(l, inputs, id)));
  for (const hir::Expectation& expectation : table.expectations) {
    plan::Expect::Item item{expectation.text, expectation.span, expectation.warn, expectation.for_all_rows, expectation.condition, {}};
    if (item.for_all_rows)
      for (expr::InputColumn& input : item.condition.inputs) input.column = position_of(l, inputs, hir::ColumnId(input.column));
    for (const hir::Statistic& statistic : expectation.statistics)
      item.statistics.emplace_back(static_cast<plan::Expect::Statistic>(statistic.kind),
                                   statistic.column ? position_of(l, inputs, *statistic.column) : 0);
    code.items.push_back(std::move(item));
  }
  if (code.items.empty()) return;
  if (inputs.empty()) {  // only the number of rows is asked for: any column tells it
    std::vector<StepId> all;
    for (const hir::ColumnId id : table.columns) all.push_back(lower_column(l, id, nullptr));
    inputs.push_back(all[order_columns(l, all).front()]);
  }
  const Place place{table.name + ".expectations", "", table.expectations.empty() ? table.span : table.expectations.front().span, index};
  std::string text;
  for (const plan::Expect::Item& item : code.items) text += (text.empty() ? "expect " : "; ") + item.text;
  add_step(l, place, std::move(code), std::move(inputs), std::move(text));
}

}  // namespace

void lower_source(Lowering& l, hir::TableId id) {
  const hir::Table& table = l.workflow[id];
  const plan::TableIndex index = table_index(l.workflow, id);
  if (!table.synthetic) {
    const Place place{table.name, "", table.path_span ? table.path_span : table.span, index};
    plan::HashSource code;
    std::vector<StepId> inputs;
    std::string options = options_text(table.options);
    if (table.stage) {
      options = fmt::format("\"{}\"", table.path.empty() ? std::get<std::string>(table.options.front().second) : table.path);
      for (const hir::ColumnId column : table.stage->keys) {
        code.takes.push_back(l.workflow[column].name);
        inputs.push_back(lower_column(l, column, nullptr));
      }
    }
    if (table.reject)
      for (const hir::ColumnId column : table.columns)
        if (const auto* source = std::get_if<hir::SourceColumn>(&l.workflow[column].made_by)) code.contract.push_back(contract_of(l.workflow[column], *source));
    l.rows[index] = add_step(l, place, std::move(code), std::move(inputs), fmt::format("{}({})", native_name(table.source), options));
  }
  // The contract of a table is checked whole, so all declared columns are read, also those that nothing else needs.
  for (const hir::ColumnId column : table.columns) {
    if (std::holds_alternative<hir::SourceColumn>(l.workflow[column].made_by)) {
      MLP_CHECK(l.rows[index].has_value());
      l.row_columns[column.index()] = read_column(l, column, *l.rows[index]);
      name_step(l, *l.row_columns[column.index()], column);
    }
  }
  for (const hir::ColumnId column : table.columns) lower_column(l, column, nullptr);
  lower_expectations(l, table, index);
}

}  // namespace mlp::planner
