#include <algorithm>
#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/planner/passes/prune_steps.h"
#include "compiler/support/check.h"

namespace mlp::planner {

namespace {

BatchRows lower_one(Lowering& l, const AskedBatch& asked) {
  const hir::Batch& batch = *asked.batch;
  const hir::Workflow& workflow = l.workflow;
  const hir::Table& table = workflow[batch.table];
  const auto shown = [&](hir::ColumnId id) {
    const hir::Column& column = workflow[id];
    return ShownColumn{column.name, table.name, column.type, lower_column(l, id, nullptr), false, {}};
  };
  BatchRows out;
  std::set<std::string> left = asked.request;
  // Of the model's own table the request is what its rows were made of: a stage may have taken such a column away, or its name.
  const hir::TrainId train = asked.deploy->train;
  if (workflow[workflow[train].view].table == batch.table)
    for (const auto& [name, step] : l.trains.at(train).registered.request)
      if (left.erase(name)) out.columns.push_back({name, table.name, *plan::column_type(l.plan[step].code), step, false, {}});
  for (const hir::ColumnId id : table.columns)
    if (left.erase(workflow[id].name)) out.columns.push_back(shown(id));
  for (const hir::ColumnId id : batch.key) out.key.push_back(shown(id));
  return out;
}

}  // namespace

BatchPlan lower_batches(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options, const std::vector<AskedBatch>& batches) {
  Lowering l = start_lowering(workflow, sources, options);
  l.plan.models.resize(workflow.trains.size());
  // All of it: what a model is asked about is known when its scorer is lowered. What no batch needs is left out below.
  for (const plan::Operator& op : logical.operators) lower_operator(l, op);
  BatchPlan out;
  for (const AskedBatch& asked : batches) out.batches.push_back(lower_one(l, asked));

  std::vector<bool> keep(l.plan.steps.size(), false);
  for (const BatchRows& rows : out.batches)
    for (const auto* columns : {&rows.columns, &rows.key})
      for (const ShownColumn& column : *columns) keep[column.step.index()] = true;
  std::vector<plan::StepId> moved;
  out.plan = keep_steps(std::move(l.plan), std::move(keep), moved);
  for (BatchRows& rows : out.batches)
    for (auto* columns : {&rows.columns, &rows.key})
      for (ShownColumn& column : *columns) column.step = moved[column.step.index()];
  MLP_CHECK(plan::verify(out.plan).empty());
  return out;
}

}  // namespace mlp::planner
