#include "compiler/planner/lowering.h"

#include <fmt/format.h>

#include "compiler/plan/keys.h"
#include "compiler/support/check.h"
#include "compiler/types/signature.h"

namespace mlp::planner {

using plan::StepId;

StepId add_step(Lowering& l, const Place& place, plan::StepCode code, std::vector<StepId> inputs, std::string text) {
  plan::Step step;
  step.table = place.table;
  step.inputs = std::move(inputs);
  step.per_fragment = plan::made_per_fragment(code);
  step.shows_names = std::holds_alternative<plan::BuildScorer>(code) || std::holds_alternative<plan::Register>(code);
  step.code = std::move(code);
  step.span = place.span;
  step.file = place.span ? l.sources.file(place.span.file).path : l.options.file;
  if (place.span) step.line = l.sources.locate(place.span.file, place.span.begin).line;
  step.text = std::move(text);
  step.code_key = plan::code_key(step.code);
  step.recipe_key = plan::recipe_key(l.plan, step);

  const std::string name = place.name + place.suffix;
  const auto [at, is_new] = l.made.try_emplace({step.recipe_key, step.table, step.inputs}, StepId(l.plan.steps.size()));
  if (!is_new) {
    l.aliases[at->second.index()].insert(name);
    return at->second;
  }
  step.name = name;
  for (int n = 2; !l.names.insert(step.name).second; ++n) step.name = fmt::format("{} ({})", name, n);
  l.plan.steps.push_back(std::move(step));
  l.aliases.push_back({name});
  l.shapes.emplace_back();
  return at->second;
}

std::string column_name(const hir::Workflow& workflow, hir::ColumnId id) {
  const hir::Column& column = workflow[id];
  return (column.view ? workflow[*column.view].name : workflow[*column.table].name) + "." + column.name;
}

bool is_fitted(const hir::Workflow& workflow, hir::ColumnId id) {
  std::set<hir::ColumnId> seen;
  std::vector<hir::ColumnId> open = {id};
  while (!open.empty()) {
    const hir::ColumnId column = open.back();
    open.pop_back();
    const expr::Expr* code = workflow[column].code();
    if (!code || !seen.insert(column).second) continue;
    if (expr::has_fitted(*code)) return true;
    for (const expr::InputColumn& input : code->inputs) open.push_back(hir::ColumnId(input.column));
  }
  return false;
}

hir::TableId table_of(const hir::Workflow& workflow, hir::ColumnId id) {
  const hir::Column& column = workflow[id];
  return column.view ? workflow[*column.view].table : *column.table;
}

plan::TableIndex table_index(const hir::Workflow& workflow, hir::TableId table) {
  while (workflow[table].stage && workflow[table].stage->kind == hir::Stage::Kind::same) table = workflow[table].stage->from;
  return static_cast<plan::TableIndex>(table.index());
}

std::string native_name(const std::string& native) {
  const Signature* signature = find_native(native);
  return signature ? signature->name : native;
}

std::string options_text(const plan::Options& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    const std::string* word = std::get_if<std::string>(&value);
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, word ? *word : to_string(value));
  }
  return text;
}

}  // namespace mlp::planner
