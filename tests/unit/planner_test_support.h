#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/planner/planner.h"
#include "compiler/sema/hir.h"

namespace mlp::planner::testing {

/// Builds workflows by hand, so that these tests stand without parser and checker.
struct Builder {
  hir::Workflow workflow;
  hir::TableId table;
  hir::ViewId view;

  explicit Builder(std::string source = "csv", std::string path = "people.csv") {
    workflow.name = "income";
    hir::Table t;
    t.name = "people";
    t.source = std::move(source);
    t.path = std::move(path);
    t.options = {{"null", std::string("?")}, {"trim", true}};
    workflow.tables.push_back(t);
    table = hir::TableId(0);
    hir::View v;
    v.name = "profile";
    v.table = table;
    workflow.views.push_back(v);
    view = hir::ViewId(0);
  }

  hir::ColumnId add_to_table(hir::Column column) {
    column.table = table;
    workflow.columns.push_back(std::move(column));
    const hir::ColumnId id(workflow.columns.size() - 1);
    workflow.tables[0].columns.push_back(id);
    return id;
  }
  hir::ColumnId raw(const std::string& name, Type type, const std::string& source_name = "") {
    hir::Column column;
    column.name = name;
    column.type = type;
    hir::SourceColumn source;
    source.source_name = source_name.empty() ? name : source_name;
    column.made_by = source;
    return add_to_table(column);
  }
  hir::ColumnId computed(const std::string& name, expr::Expr code) {
    hir::Column column;
    column.name = name;
    column.type = code.type();
    column.made_by = std::move(code);
    return add_to_table(column);
  }
  hir::ColumnId feature(const std::string& name, expr::Expr code) {
    hir::Column column;
    column.name = name;
    column.type = code.type();
    column.phase = expr::has_fitted(code) ? Phase::fitted : Phase::row;
    column.made_by = std::move(code);
    column.view = view;
    workflow.columns.push_back(std::move(column));
    const hir::ColumnId id(workflow.columns.size() - 1);
    workflow.views[0].columns.push_back(id);
    return id;
  }
  /// The column as it is.
  expr::Expr same(hir::ColumnId column) const {
    expr::Expr e;
    e.inputs = {{column.value, workflow[column].type, workflow[column].name}};
    e.push(expr::Input{0}, workflow[column].type);
    return e;
  }
  expr::Expr call(const std::string& native, hir::ColumnId column, Type type) const {
    expr::Expr e = same(column);
    e.push(expr::Call{native, {expr::NodeId(0)}, 0}, type);
    return e;
  }
  expr::Expr fitted(const std::string& native, hir::ColumnId column, Type type, plan::Options options = {}) const {
    expr::Expr e = same(column);
    e.push(expr::Fitted{native, {expr::NodeId(0)}, std::move(options)}, type);
    return e;
  }
  hir::SplitId split(hir::Split split) {
    split.table = table;
    workflow.splits.push_back(std::move(split));
    return hir::SplitId(workflow.splits.size() - 1);
  }
  hir::TrainId train(const std::string& name, hir::SplitId split, hir::ColumnId label, bool binned = true) {
    hir::Train train;
    train.name = name;
    train.view = view;
    train.label = label;
    train.split = split;
    train.model = binned ? "gbdt" : "logistic";
    train.options = {{"trees", std::int64_t{50}}};
    train.binned = binned;
    for (const hir::ColumnId column : workflow.views[0].columns) train.matrix.push_back({column, same(column)});
    workflow.trains.push_back(std::move(train));
    return hir::TrainId(workflow.trains.size() - 1);
  }
};

/// What varies between two spellings of one program.
struct Spelling {
  std::string log_gain = "log_gain", age = "age", table = "people", path = "people.csv";
  bool reversed = false;        ///< features and source columns declared the other way round
  std::string gain_function = "log1p";
  int folds = 0;                ///< 0: random 70/15/15
  hir::Refit refit = hir::Refit::none;
  bool two_trains = false;
  std::uint32_t moved = 0;      ///< all places lie so many bytes later
};

inline hir::Workflow income(const Spelling& s = {}) {
  Builder b("csv", s.path);
  b.workflow.tables[0].name = s.table;
  const Type number = Type::of(Base::float_), maybe = Type::of(Base::float_, true), word = Type::category({}, false, true);
  hir::ColumnId age, gain, country, label;
  std::vector<std::function<void()>> columns = {[&] { age = b.raw(s.age, number, "age"); }, [&] { gain = b.raw("gain", number); },
                                                [&] { country = b.raw("country", word); }, [&] { label = b.raw("rich", Type::of(Base::bool_)); }};
  if (s.reversed) std::reverse(columns.begin(), columns.end());
  for (const auto& add : columns) add();
  std::vector<std::function<void()>> features = {
      [&] { b.feature(s.age, b.same(age)); },
      [&] { b.feature(s.log_gain, b.call(s.gain_function, gain, maybe)); },
      [&] { b.feature("negative", b.call("neg_float", gain, number)); },
      [&] { b.feature("from", b.fitted("target_encode", country, number, {{"smoothing", 20.0}})); },
      [&] { b.feature("age_scaled", b.fitted("standardize", age, maybe)); }};
  if (s.reversed) std::reverse(features.begin(), features.end());
  for (const auto& add : features) add();
  hir::Split split;
  split.name = "holdout";
  split.stratified = label;
  split.seed = 7;
  if (s.folds) split.kind = hir::SplitKind::fold, split.folds = s.folds;
  else split.percent = {70, 15, 15};
  const hir::SplitId holdout = b.split(split);
  const hir::TrainId earner = b.train("earner", holdout, label);
  b.workflow.trains[0].refit = s.refit;
  hir::Evaluate evaluate;
  evaluate.train = earner;
  const hir::Metric auc{"auc", "auc", {}, true}, brier{"brier", "brier", {}, false};
  evaluate.metrics = {auc, brier};
  evaluate.slices = {{{country}, 100, 0}};
  hir::Gate gate;
  gate.text = "auc >= 0.9";
  gate.left.measure = hir::Measure{hir::Measure::Over::all, auc, std::nullopt, false, std::nullopt};
  gate.right.offset = 0.9;
  gate.comparison = ">=";
  evaluate.gates = {gate};
  gate.text = "min(auc by country) >= 0.8";
  gate.left.measure = hir::Measure{hir::Measure::Over::min, auc, std::nullopt, false, country};
  evaluate.gates.push_back(gate);
  if (s.two_trains) {
    const hir::TrainId other = b.train("other", holdout, label);
    b.workflow.trains[1].options = {{"trees", std::int64_t{80}}};
    gate.text = "auc >= other.auc with 95%";
    gate.left.measure = hir::Measure{hir::Measure::Over::all, auc, std::nullopt, false, std::nullopt};
    gate.right = {hir::Measure{hir::Measure::Over::all, auc, other, false, std::nullopt}, 1, 0};
    gate.confidence = 0.95;
    evaluate.gates.push_back(gate);
  }
  b.workflow.evaluates.push_back(evaluate);
  for (std::size_t i = 0; i < b.workflow.columns.size(); ++i)
    b.workflow.columns[i].span = {0, s.moved + static_cast<std::uint32_t>(10 * i), s.moved + static_cast<std::uint32_t>(10 * i + 5)};
  return b.workflow;
}

inline plan::Physical plan_of(const hir::Workflow& workflow, const PlanOptions& options = {}) {
  SourceMap sources;
  sources.add("income.mlp", std::string(1000, '\n'));
  return lower(workflow, build_logical(workflow), sources, options);
}

inline std::size_t count_kind(const plan::Physical& plan, std::string_view kind) {
  return static_cast<std::size_t>(
      std::count_if(plan.steps.begin(), plan.steps.end(), [&](const plan::Step& step) { return plan::kind_name(step.code) == kind; }));
}
inline const plan::Step* find_step(const plan::Physical& plan, std::string_view name) {
  for (const plan::Step& step : plan.steps)
    if (step.name == name) return &step;
  return nullptr;
}

}  // namespace mlp::planner::testing
