#include <algorithm>
#include <map>

#include "compiler/planner/lowering.h"

namespace mlp::planner {

using plan::LogicalKind;
using plan::OperatorId;

namespace {

struct LogicalBuilder {
  const hir::Workflow& workflow;
  plan::Logical plan = {};
  std::vector<OperatorId> sources = {}, views = {};
  std::map<hir::SplitId, OperatorId> splits = {};
  std::vector<OperatorId> trains = {}, predictions = {};

  OperatorId add(LogicalKind kind, std::string name, Span span, std::size_t subject, std::vector<OperatorId> inputs,
                 std::vector<std::string> columns = {}) {
    plan.operators.push_back({kind, std::move(name), span, static_cast<std::uint32_t>(subject), std::move(inputs), std::move(columns)});
    return OperatorId(plan.operators.size() - 1);
  }

  void add_table(std::size_t index) {
    const hir::Table& table = workflow.tables[index];
    std::vector<std::string> columns;
    for (const hir::ColumnId column : table.columns) columns.push_back(workflow[column].name);
    std::vector<OperatorId> inputs;
    if (table.stage) {
      inputs.push_back(sources[table.stage->from.index()]);
      for (const hir::TableId other : table.stage->others) inputs.push_back(sources[other.index()]);
    }
    sources.push_back(add(table.stage ? kind_of(table.stage->kind) : LogicalKind::source, table.name, table.span, index, std::move(inputs), std::move(columns)));
  }
  static LogicalKind kind_of(hir::Stage::Kind kind) {
    using Kind = hir::Stage::Kind;
    switch (kind) {
      case Kind::same: return LogicalKind::derive;
      case Kind::filter: return LogicalKind::filter;
      case Kind::sample: return LogicalKind::sample;
      case Kind::sort: return LogicalKind::sort;
      case Kind::limit: return LogicalKind::limit;
      case Kind::dedupe: return LogicalKind::dedupe;
      case Kind::group: return LogicalKind::aggregate;
      case Kind::join: return LogicalKind::join;
      case Kind::asof_join: return LogicalKind::asof_join;
      case Kind::union_: return LogicalKind::union_;
      case Kind::unpivot: return LogicalKind::unpivot;
      case Kind::fill: return LogicalKind::fill;
      case Kind::cross: return LogicalKind::cross;
      case Kind::python: return LogicalKind::source;
      case Kind::sql: return LogicalKind::source;
    }
    return LogicalKind::derive;
  }
  void add_view(std::size_t index) {
    const hir::View& view = workflow.views[index];
    std::vector<std::string> columns;
    for (const hir::ColumnId column : view.columns)
      if (!is_fitted(workflow, column)) columns.push_back(workflow[column].name);
    // Histories that its columns look into.
    std::vector<OperatorId> inputs = {sources[view.table.index()]};
    std::vector<std::string> looked_up;
    for (const hir::Column& column : workflow.columns) {
      const hir::Aggregate* many = column.aggregate();
      if (!many || !column.view || column.view->index() != index) continue;
      looked_up.push_back(column.name);
      if (std::find(inputs.begin() + 1, inputs.end(), sources[many->of.index()]) == inputs.end()) inputs.push_back(sources[many->of.index()]);
    }
    OperatorId rows = inputs.front();
    if (!looked_up.empty()) rows = add(LogicalKind::point_in_time, view.name, view.span, index, std::move(inputs), std::move(looked_up));
    views.push_back(add(LogicalKind::project, view.name, view.span, index, {rows}, std::move(columns)));
  }
  OperatorId split_of(const hir::Train& train) {
    const auto [at, is_new] = splits.try_emplace(train.split);
    if (!is_new) return at->second;
    const hir::Split& split = workflow[train.split];
    const std::string name = split.name.empty() ? train.name + ".split" : split.name;
    return at->second = add(LogicalKind::split, name, split.span, train.split.index(), {sources[split.table.index()]});
  }
  void add_train(std::size_t index) {
    const hir::Train& train = workflow.trains[index];
    const OperatorId split = split_of(train);
    OperatorId features = views[train.view.index()];
    std::vector<std::string> fitted;
    for (const hir::MatrixColumn& column : train.matrix)
      if (is_fitted(workflow, column.from) || expr::has_fitted(column.code)) fitted.push_back(workflow[column.from].name);
    if (!fitted.empty()) {
      const OperatorId state = add(LogicalKind::fit, train.name, train.span, index, {features, split}, fitted);
      features = add(LogicalKind::apply, train.name, train.span, index, {state, features}, fitted);
    }
    trains.push_back(add(LogicalKind::train, train.name, train.span, index, {features, split}));
    predictions.push_back(add(LogicalKind::predict, train.name, train.span, index, {trains.back(), features, split}));
  }
  void prove_and_register(std::size_t index) {
    const hir::Train& train = workflow.trains[index];
    const OperatorId scorer = add(LogicalKind::build_scorer, train.name, train.span, index, {trains[index]});
    std::vector<OperatorId> proof;
    for (const hir::Evaluate& evaluate : workflow.evaluates) {
      if (evaluate.train.index() != index) continue;
      std::vector<OperatorId> inputs = {predictions[index]};
      for (const hir::Gate& gate : evaluate.gates) {
        if (gate.beats_production) inputs.push_back(scorer);
        for (const hir::GateSide* side : {&gate.left, &gate.right})
          if (side->measure && side->measure->model && side->measure->model->index() != index)
            inputs.push_back(predictions[side->measure->model->index()]);
      }
      const OperatorId figures = add(LogicalKind::evaluate, train.name, evaluate.span, index, std::move(inputs));
      proof.push_back(add(LogicalKind::gate, train.name, evaluate.span, index, {figures}));
    }
    std::vector<OperatorId> inputs = {scorer};
    inputs.insert(inputs.end(), proof.begin(), proof.end());
    add(LogicalKind::register_candidate, train.name, train.span, index, std::move(inputs));
  }
};

}  // namespace

plan::Logical build_logical(const hir::Workflow& workflow) {
  LogicalBuilder builder{workflow};
  builder.plan.workflow = workflow.name;
  for (std::size_t i = 0; i < workflow.tables.size(); ++i) builder.add_table(i);
  for (std::size_t i = 0; i < workflow.views.size(); ++i) builder.add_view(i);
  for (std::size_t i = 0; i < workflow.trains.size(); ++i) builder.add_train(i);
  for (std::size_t i = 0; i < workflow.trains.size(); ++i) builder.prove_and_register(i);
  return std::move(builder.plan);
}

}  // namespace mlp::planner
