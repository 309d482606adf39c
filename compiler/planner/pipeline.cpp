#include <algorithm>

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
  plan.share = options.share;
  for (const hir::Table& table : workflow.tables) {
    plan::Table& out = plan.tables.emplace_back(
        plan::Table{table.name, table.synthetic, table.stage && table.stage->kind != hir::Stage::Kind::same && !table.stage->is_read(), table.source, table.options, table.path, table.rows, table.span, {}, {}, {}, table.version_by, {}, {}, {}});
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

bool has_train(const hir::Workflow& workflow, std::size_t view) {
  return std::any_of(workflow.trains.begin(), workflow.trains.end(), [&](const hir::Train& train) { return train.view.index() == view; });
}

}  // namespace

Lowering start_lowering(const hir::Workflow& workflow, const SourceMap& sources, const PlanOptions& options) {
  Lowering l{workflow, sources, options, start_plan(workflow, options), {}, {}, {}, {}, {}, {}, {}, {}};
  l.row_columns.resize(workflow.columns.size());
  l.rows.resize(workflow.tables.size());
  return l;
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

plan::Physical lower(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options) {
  Lowering l = start_lowering(workflow, sources, options);
  l.plan.models.resize(workflow.trains.size());
  for (const plan::Operator& op : logical.operators) lower_operator(l, op);
  plan::Physical plan = prune_steps(std::move(l.plan), l.aliases, options.select);
  MLP_CHECK(plan::verify(plan).empty());
  return plan;
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
