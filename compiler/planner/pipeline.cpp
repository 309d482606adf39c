#include <algorithm>
#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/planner/passes/prune_steps.h"
#include "compiler/support/check.h"

namespace mlp::planner {

namespace {

plan::Deployment deployment_of(const hir::Workflow& workflow, const hir::Deploy& deploy) {
  plan::Deployment out;
  out.name = deploy.name;
  out.model = workflow[deploy.train].name;
  out.stage = deploy.stage;
  if (deploy.approval) {
    out.needs_approval = true;
    out.approval_from = deploy.approval->from;
    out.approval_per_code = deploy.approval->per_code;
    out.approval_valid_us = deploy.approval->valid_us;
  }
  out.needs_final = deploy.needs_final;
  out.serves = deploy.serves;
  out.port = deploy.port;
  out.max_latency_us = deploy.max_latency_us;
  for (const hir::NotYet& form : deploy.not_yet) out.not_yet.push_back({form.what, form.span});
  out.span = deploy.span;
  return out;
}

plan::Monitor monitor_of(const hir::Workflow& workflow, const hir::Monitor& monitor) {
  plan::Monitor out;
  out.deployment = monitor.deployment;
  if (monitor.table) out.table = workflow[*monitor.table].name;
  out.every_us = monitor.every_us;
  out.window_us = monitor.window_us;
  out.at_least_rows = monitor.at_least_rows;
  for (const hir::DriftCheck& check : monitor.drift)
    out.drift.push_back({check.text, check.span, check.native, check.comparison, check.bound, check.features, check.prediction, check.columns, check.alerts});
  for (const hir::QualityCheck& check : monitor.quality) {
    plan::QualityCheck& quality = out.quality.emplace_back(plan::QualityCheck{check.text, check.span, check.condition, {}, check.alerts});
    for (const hir::Statistic& statistic : check.statistics)
      quality.statistics.emplace_back(static_cast<plan::Expect::Statistic>(statistic.kind), statistic.column ? workflow[*statistic.column].name : std::string());
  }
  for (const hir::AlertTarget& target : monitor.alerts)
    out.alerts.push_back({static_cast<plan::AlertTarget::Kind>(target.kind), static_cast<plan::AlertTarget::Secret>(target.secret), target.value, target.span});
  for (const hir::NotYet& form : monitor.not_yet) out.not_yet.push_back({form.what, form.span});
  return out;
}

plan::Physical start_plan(const hir::Workflow& workflow, const PlanOptions& options) {
  plan::Physical plan;
  plan.workflow = workflow.name;
  plan.folder = options.folder;
  plan.final_rows = options.final_rows;
  for (const hir::Table& table : workflow.tables) {
    plan::Table& out = plan.tables.emplace_back(
        plan::Table{table.name, table.synthetic, table.stage && table.stage->kind != hir::Stage::Kind::same && table.stage->kind != hir::Stage::Kind::python, table.source, table.options, table.path, table.rows, table.span, {}, {}, {}, table.version_by, {}, {}, {}});
    if (table.reject) out.reject = plan::Reject{table.reject->share, table.reject->into};
    if (table.lock) out.lock = table.lock->path;
    for (const hir::ColumnId id : table.columns) {
      const auto* source = std::get_if<hir::SourceColumn>(&workflow[id].made_by);
      if (!source) continue;
      out.columns.push_back(source->source_name);
      if (workflow[id].tags.key) out.key.push_back(source->source_name);
      if (!table.lock) continue;
      if (source->locked) out.locked.push_back({source->source_name, workflow[id].type});
      else out.declared.push_back(source->source_name);
    }
  }
  for (const hir::Param& param : workflow.params) plan.params.push_back({param.name, to_string(param.value), param.from});
  for (const hir::Deploy& deploy : workflow.deploys) plan.deployments.push_back(deployment_of(workflow, deploy));
  for (const hir::Monitor& monitor : workflow.monitors) plan.monitors.push_back(monitor_of(workflow, monitor));
  plan.lineage = trace_lineage(workflow);
  return plan;
}

Lowering start_lowering(const hir::Workflow& workflow, const SourceMap& sources, const PlanOptions& options) {
  Lowering l{workflow, sources, options, start_plan(workflow, options), {}, {}, {}, {}, {}, {}, {}, {}};
  l.row_columns.resize(workflow.columns.size());
  l.rows.resize(workflow.tables.size());
  return l;
}

bool has_train(const hir::Workflow& workflow, std::size_t view) {
  return std::any_of(workflow.trains.begin(), workflow.trains.end(), [&](const hir::Train& train) { return train.view.index() == view; });
}

void lower_operator(Lowering& l, const plan::Operator& op) {
  switch (op.kind) {
    case plan::LogicalKind::source:
      return lower_source(l, hir::TableId(op.subject));
    case plan::LogicalKind::filter:
    case plan::LogicalKind::sample:
    case plan::LogicalKind::sort:
    case plan::LogicalKind::limit:
    case plan::LogicalKind::dedupe:
    case plan::LogicalKind::aggregate:
    case plan::LogicalKind::join:
    case plan::LogicalKind::asof_join:
    case plan::LogicalKind::union_:
    case plan::LogicalKind::unpivot:
    case plan::LogicalKind::fill:
    case plan::LogicalKind::cross:
    case plan::LogicalKind::derive:
      return lower_stage(l, hir::TableId(op.subject));
    case plan::LogicalKind::project:
      // The columns of a view that is trained on are made where a train reads them, the others are not needed.
      return has_train(l.workflow, op.subject) ? void() : lower_project(l, hir::ViewId(op.subject));
    case plan::LogicalKind::train:
      lower_train(l, hir::TrainId(op.subject));
      return;
    case plan::LogicalKind::evaluate:
    case plan::LogicalKind::build_scorer:
    case plan::LogicalKind::register_candidate: {
      plan::Model& model = l.plan.models[op.subject];
      if (op.kind == plan::LogicalKind::evaluate && !model.metrics) lower_evaluate(l, hir::TrainId(op.subject), model);
      if (op.kind == plan::LogicalKind::build_scorer) lower_scorer(l, hir::TrainId(op.subject), model);
      if (op.kind == plan::LogicalKind::register_candidate) lower_register(l, hir::TrainId(op.subject), model);
      return;
    }
    case plan::LogicalKind::split:
    case plan::LogicalKind::point_in_time:
    case plan::LogicalKind::fit:
    case plan::LogicalKind::apply:
    case plan::LogicalKind::predict:
    case plan::LogicalKind::gate:
      return;  // lowered with the column, the train or the evaluation that reads them
  }
}

}  // namespace

plan::Physical lower(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options) {
  Lowering l = start_lowering(workflow, sources, options);
  l.plan.models.resize(workflow.trains.size());
  for (const plan::Operator& op : logical.operators) lower_operator(l, op);
  plan::Physical plan = prune_steps(std::move(l.plan), l.aliases, options.select);
  MLP_CHECK(plan::verify(plan).empty());
  return plan;
}

std::vector<hir::TrainId> trains_of_rows(const hir::Workflow& workflow) {
  std::vector<hir::TrainId> out;
  if (!workflow.rows || !workflow.rows->view) return out;
  const auto& columns = workflow[*workflow.rows->view].columns;
  if (std::none_of(columns.begin(), columns.end(), [&](hir::ColumnId column) { return is_fitted(workflow, column); })) return out;
  for (std::size_t i = 0; i < workflow.trains.size(); ++i)
    if (workflow.trains[i].view == *workflow.rows->view) out.push_back(hir::TrainId(i));
  return out;
}

namespace {

/// Whether the operator makes the rows of a table.
bool is_table(plan::LogicalKind kind) { return kind < plan::LogicalKind::project; }

}  // namespace

std::vector<plan::OperatorId> operators_of_rows(const hir::Workflow& workflow, const plan::Logical& logical, std::optional<hir::TrainId> train) {
  MLP_CHECK(workflow.rows.has_value());
  std::vector<bool> needed(logical.operators.size(), false);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const plan::Operator& op = logical.operators[i];
    if (is_table(op.kind)) needed[i] = op.subject == workflow.rows->table.index();
    // With the histories that its columns look into.
    if (op.kind == plan::LogicalKind::project) needed[i] = workflow.rows->view && op.subject == workflow.rows->view->index();
    // The rows that something is fitted on are those of the split; the model itself is not asked for.
    if (op.kind == plan::LogicalKind::split && train) needed[i] = op.subject == workflow[*train].split.index();
  }
  std::vector<plan::OperatorId> out;
  for (std::size_t i = needed.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const plan::OperatorId input : logical.operators[i].inputs) needed[input.index()] = true;
  }
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (needed[i]) out.push_back(plan::OperatorId(i));
  return out;
}

namespace {

/// The columns of a table that an expression of a view reads, in the order of the table.
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

}  // namespace

RowsPlan lower_rows(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options, std::optional<hir::TrainId> train) {
  Lowering l = start_lowering(workflow, sources, options);
  for (const plan::OperatorId id : operators_of_rows(workflow, logical, train)) lower_operator(l, logical.operators[id.index()]);
  const hir::Rows& rows = *workflow.rows;
  std::optional<Instance> instance;
  if (train) instance = measured_instance(l, *train);

  RowsPlan out;
  const auto show = [&](hir::ColumnId id, const std::string& owner) {
    const hir::Column& column = workflow[id];
    if (is_fitted(workflow, id) && !instance) return void(out.left_out.push_back(column.name));
    const expr::Expr* code = column.code();
    const bool as_it_is = !code || std::holds_alternative<expr::Input>(code->nodes.back().op);
    out.columns.push_back({column.name, owner, column.type, lower_column(l, id, instance ? &*instance : nullptr), column.view.has_value(), as_it_is ? std::string() : expr::to_string(*code)});
  };
  if (rows.view) {
    for (const hir::ColumnId id : columns_behind(workflow, workflow[*rows.view])) show(id, workflow[rows.table].name);
    for (const hir::ColumnId id : workflow[*rows.view].columns) show(id, workflow[*rows.view].name);
  } else {
    for (const hir::ColumnId id : workflow[rows.table].columns) show(id, workflow[rows.table].name);
  }
  if (train) out.fitted_as = workflow[*train].name + instance->suffix;
  if (rows.where) {
    const Place place{(rows.view ? workflow[*rows.view].name : workflow[rows.table].name) + ".where", "", {}, table_index(workflow, rows.table)};
    out.where = lower_expression(l, *rows.where, place, instance ? &*instance : nullptr);
  }

  std::vector<bool> keep(l.plan.steps.size(), false);
  for (const ShownColumn& column : out.columns) keep[column.step.index()] = true;
  if (out.where) keep[out.where->index()] = true;
  std::vector<plan::StepId> moved;
  out.plan = keep_steps(std::move(l.plan), std::move(keep), moved);
  for (ShownColumn& column : out.columns) column.step = moved[column.step.index()];
  if (out.where) out.where = moved[out.where->index()];
  MLP_CHECK(plan::verify(out.plan).empty());
  return out;
}

std::vector<std::string> unknown_selections(const hir::Workflow& workflow, const PlanOptions& options) {
  const auto named = [](const auto& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
  };
  std::vector<std::string> unknown;
  for (const std::string& text : options.select) {
    const std::string name = parse_selection(text).name;
    bool known = !name.empty() && (named(workflow.tables, name) || named(workflow.views, name) || named(workflow.splits, name) ||
                                   named(workflow.trains, name));
    for (std::size_t i = 0; i < workflow.columns.size() && !known; ++i) known = column_name(workflow, hir::ColumnId(i)) == name;
    if (!known) unknown.push_back(text);
  }
  return unknown;
}

}  // namespace mlp::planner
