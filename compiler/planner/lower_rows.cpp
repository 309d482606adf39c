#include <algorithm>
#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/planner/passes/prune_steps.h"
#include "compiler/support/check.h"

namespace mlp::planner {

std::vector<hir::TrainId> trains_of_rows(const hir::Workflow& workflow, const hir::Rows& rows) {
  std::vector<hir::TrainId> out;
  if (!rows.view) return out;
  const auto& columns = workflow[*rows.view].columns;
  if (std::none_of(columns.begin(), columns.end(), [&](hir::ColumnId column) { return is_fitted(workflow, column); })) return out;
  for (std::size_t i = 0; i < workflow.trains.size(); ++i)
    if (workflow.trains[i].view == *rows.view) out.push_back(hir::TrainId(i));
  return out;
}

namespace {

/// Whether the operator makes the rows of a table.
bool is_table(plan::LogicalKind kind) { return kind < plan::LogicalKind::project; }

/// The columns of a table that expressions of a view read, in the order of the table; not those that the view has by their own names.
std::vector<hir::ColumnId> columns_behind(const hir::Workflow& workflow, const hir::View& view) {
  std::set<hir::ColumnId> read, taken;
  for (const hir::ColumnId id : view.columns) {
    const expr::Expr* code = workflow[id].code();
    if (!code) continue;
    for (const expr::InputColumn& input : code->inputs) {
      const hir::ColumnId column(input.column);
      if (!workflow[column].table) continue;
      const bool as_it_is = std::holds_alternative<expr::Input>(code->nodes.back().op) && workflow[column].name == workflow[id].name;
      (as_it_is ? taken : read).insert(column);
    }
  }
  std::vector<hir::ColumnId> out;
  for (const hir::ColumnId column : workflow[view.table].columns)
    if (read.contains(column) && !taken.contains(column)) out.push_back(column);
  return out;
}

ShownRows lower_one(Lowering& l, const hir::Rows& rows, std::optional<hir::TrainId> train, bool behind) {
  const hir::Workflow& workflow = l.workflow;
  std::optional<Instance> instance;
  if (train) instance = measured_instance(l, *train);
  ShownRows out;
  const auto show = [&](hir::ColumnId id, const std::string& owner) {
    const hir::Column& column = workflow[id];
    if (is_fitted(workflow, id) && !instance) return void(out.left_out.push_back(column.name));
    const expr::Expr* code = column.code();
    const bool as_it_is = !code || std::holds_alternative<expr::Input>(code->nodes.back().op);
    out.columns.push_back({column.name, owner, column.type, lower_column(l, id, instance ? &*instance : nullptr), column.view.has_value(), as_it_is ? std::string() : expr::to_string(*code)});
  };
  const std::string& table = workflow[rows.table].name;
  // A sample is shown by the name of the table that it is of.
  const auto& stage = workflow[rows.table].stage;
  const std::string shown = stage && stage->by_identity ? table.substr(0, table.rfind('.')) : table;
  if (rows.view) {
    if (behind)
      for (const hir::ColumnId id : columns_behind(workflow, workflow[*rows.view])) show(id, shown);
    for (const hir::ColumnId id : workflow[*rows.view].columns) show(id, workflow[*rows.view].name);
  } else {
    for (const hir::ColumnId id : workflow[rows.table].columns) show(id, shown);
  }
  if (train) out.fitted_as = workflow[*train].name + instance->suffix;
  if (rows.where) {
    const Place place{(rows.view ? workflow[*rows.view].name : table) + ".where", "", {}, table_index(workflow, rows.table)};
    out.where = lower_expression(l, *rows.where, place, instance ? &*instance : nullptr);
  }
  return out;
}

}  // namespace

std::vector<plan::OperatorId> operators_of_rows(const hir::Workflow& workflow, const plan::Logical& logical, const hir::Rows& rows, std::optional<hir::TrainId> train) {
  std::vector<bool> needed(logical.operators.size(), false);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const plan::Operator& op = logical.operators[i];
    if (is_table(op.kind)) needed[i] = op.subject == rows.table.index();
    // With the histories that its columns look into.
    if (op.kind == plan::LogicalKind::project) needed[i] = rows.view && op.subject == rows.view->index();
    // The rows that something is fitted on are those of the split; the model itself is not asked for.
    if (op.kind == plan::LogicalKind::split && train) needed[i] = op.subject == workflow[*train].split.index();
  }
  std::vector<plan::OperatorId> out;
  for (std::size_t i = needed.size(); i-- > 0;)
    if (needed[i])
      for (const plan::OperatorId input : logical.operators[i].inputs) needed[input.index()] = true;
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (needed[i]) out.push_back(plan::OperatorId(i));
  return out;
}

RowsPlan lower_rows(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options,
                    const std::vector<std::optional<hir::TrainId>>& trains, bool behind) {
  MLP_CHECK(trains.size() == workflow.rows.size());
  std::set<plan::OperatorId> operators;
  for (std::size_t i = 0; i < trains.size(); ++i)
    for (const plan::OperatorId id : operators_of_rows(workflow, logical, workflow.rows[i], trains[i])) operators.insert(id);
  Lowering l = start_lowering(workflow, sources, options);
  for (const plan::OperatorId id : operators) lower_operator(l, logical.operators[id.index()]);
  RowsPlan out;
  for (std::size_t i = 0; i < trains.size(); ++i) out.rows.push_back(lower_one(l, workflow.rows[i], trains[i], behind));

  std::vector<bool> keep(l.plan.steps.size(), false);
  for (const ShownRows& rows : out.rows) {
    for (const ShownColumn& column : rows.columns) keep[column.step.index()] = true;
    if (rows.where) keep[rows.where->index()] = true;
  }
  std::vector<plan::StepId> moved;
  out.plan = keep_steps(std::move(l.plan), std::move(keep), moved);
  for (ShownRows& rows : out.rows) {
    for (ShownColumn& column : rows.columns) column.step = moved[column.step.index()];
    if (rows.where) rows.where = moved[rows.where->index()];
  }
  MLP_CHECK(plan::verify(out.plan).empty());
  return out;
}

}  // namespace mlp::planner
