#include <algorithm>
#include <fmt/format.h>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;
using Over = plan::Metrics::Measure::Over;

namespace {

/// Stands for the champion until all models are known that are compared.
constexpr std::uint32_t kChampion = static_cast<std::uint32_t>(-1);

struct Evaluation {
  Lowering& l;
  hir::TrainId train;
  std::vector<const hir::Evaluate*> blocks;
  plan::Metrics metrics = {};
  std::vector<std::string> names = {};
  std::vector<hir::TrainId> models = {};
  std::vector<hir::ColumnId> groups = {};

  std::uint32_t model(hir::TrainId id) {
    if (const auto at = std::find(models.begin(), models.end(), id); at != models.end()) return static_cast<std::uint32_t>(at - models.begin());
    models.push_back(id);
    return static_cast<std::uint32_t>(models.size() - 1);
  }
  std::uint32_t group(hir::ColumnId id) {
    if (const auto at = std::find(groups.begin(), groups.end(), id); at != groups.end()) return static_cast<std::uint32_t>(at - groups.begin());
    groups.push_back(id);
    return static_cast<std::uint32_t>(groups.size() - 1);
  }
  /// Index of the measure; equal ones are computed once.
  std::uint32_t add(plan::Metrics::Measure measure, std::string name) {
    const auto at = std::find(metrics.measures.begin(), metrics.measures.end(), measure);
    if (at != metrics.measures.end()) return static_cast<std::uint32_t>(at - metrics.measures.begin());
    metrics.measures.push_back(std::move(measure));
    names.push_back(std::move(name));
    return static_cast<std::uint32_t>(names.size() - 1);
  }
  plan::Metrics::Measure of_metric(const hir::Metric& metric) const {
    plan::Metrics::Measure measure;
    measure.native = metric.native;
    measure.options = metric.options;
    measure.higher_is_better = metric.higher_is_better;
    return measure;
  }
  /// What a slice over the same column says about too few rows holds for gates over it, too.
  void take_minimum(plan::Metrics::Measure& measure, hir::ColumnId by) const {
    for (const hir::Evaluate* block : blocks)
      for (const hir::Slice& slice : block->slices)
        if (slice.columns == std::vector{by}) {
          measure.at_least_rows = std::max(measure.at_least_rows, slice.at_least_rows);
          measure.at_least_positives = std::max(measure.at_least_positives, slice.at_least_positives);
        }
  }
  std::uint32_t add(const hir::Measure& asked) {
    plan::Metrics::Measure measure = of_metric(asked.metric);
    std::string name = asked.metric.text;
    measure.constant = asked.constant;
    if (asked.constant) name = "constant." + name;
    if (asked.model) measure.model = model(*asked.model);
    if (asked.model && *asked.model != train) name = l.workflow[*asked.model].name + "." + name;
    if (asked.over != hir::Measure::Over::all) {
      MLP_CHECK(asked.by.has_value());
      measure.over = asked.over == hir::Measure::Over::min ? Over::min : asked.over == hir::Measure::Over::max ? Over::max : Over::gap;
      measure.by = {group(*asked.by)};
      take_minimum(measure, *asked.by);
      const char* word = measure.over == Over::min ? "min" : measure.over == Over::max ? "max" : "gap";
      name = fmt::format("{}({} by {})", word, name, l.workflow[*asked.by].name);
    }
    return add(std::move(measure), std::move(name));
  }
  plan::Gates::Item add(const hir::Gate& gate) {
    hir::GateSide left = gate.left, right = gate.right;
    plan::Gates::Item item;
    item.comparison = gate.comparison;
    if (!left.measure) {  // 0.9 <= auc is auc >= 0.9
      MLP_CHECK(right.measure.has_value());
      std::swap(left, right);
      item.comparison[0] = item.comparison[0] == '<' ? '>' : '<';
    }
    item.text = gate.text;
    item.span = gate.span;
    item.measure = add(*left.measure);
    item.left_scale = left.scale, item.left_offset = left.offset;
    item.right_scale = right.scale, item.right_offset = right.offset;
    item.confidence = gate.confidence;
    item.beats_production = gate.beats_production;
    if (gate.beats_production) {
      plan::Metrics::Measure champions = metrics.measures[item.measure];
      champions.model = kChampion;
      item.right_measure = add(champions, "production." + names[item.measure]);
      item.right_scale = 1;
      // Better by the margin: above where higher is better, below where lower is.
      if (!champions.higher_is_better) item.comparison = "<=", item.right_offset = -item.right_offset;
    } else {
      if (!right.measure) return item;
      item.right_measure = add(*right.measure);
    }
    if (gate.confidence > 0 && left.scale != 0) {
      plan::Metrics::Measure difference = metrics.measures[item.measure];
      difference.minus = *item.right_measure;
      difference.minus_scale = item.right_scale / item.left_scale;
      const std::string scale = difference.minus_scale == 1 ? "" : fmt::format("{} * ", difference.minus_scale);
      item.difference = add(std::move(difference), fmt::format("{} - {}{}", names[item.measure], scale, names[*item.right_measure]));
    }
    return item;
  }
};

/// The rows that figures are of: those of the train's table, or where windows overlap a row for each row and window that holds it out.
struct MeasuredRows {
  Lowering& l;
  Place place;
  std::optional<StepId> pairs = {};

  static MeasuredRows of(Lowering& l, const hir::Train& train, const LoweredTrain& lowered, const Place& place) {
    MeasuredRows rows{l, place};
    if (!lowered.overlap) return rows;
    const hir::Split& split = l.workflow[train.split];
    const std::string name = l.plan[lowered.split].name + ".windows";
    const auto [table, is_new] = l.windows.try_emplace(lowered.split, static_cast<plan::TableIndex>(l.plan.tables.size()));
    if (is_new) {
      plan::Table made;
      made.name = name;
      made.made = true;
      made.span = split.span;
      l.plan.tables.push_back(std::move(made));
    }
    plan::Arrange code;
    code.how = plan::Arrange::How::windows;
    code.first = split.folds;
    code.every = split.every_us, code.ahead = split.horizon_us;
    code.of = {place.table};
    rows.place.table = table->second;
    rows.pairs = add_step(l, {name, "", split.span, table->second}, std::move(code), {lowered.split}, "rows by window");
    return rows;
  }
  StepId taken(plan::Take code, std::vector<StepId> columns) const {
    const std::string name = (columns.empty() ? l.plan[*pairs].name + ".row" : l.plan[columns.front()].name) + " [by window]";
    const std::string text = columns.empty() ? "number of the row" : l.plan[columns.front()].text;
    columns.insert(columns.begin(), *pairs);
    return add_step(l, {name, "", place.span, place.table}, std::move(code), std::move(columns), text);
  }
  /// A column of the train's table in these rows.
  StepId column(StepId id, const Type& type) const {
    if (!pairs) return id;
    plan::Take code;
    code.type = type;
    return taken(std::move(code), {id});
  }
  /// What the models of a train predict, each for the rows of its window.
  StepId predictions(hir::TrainId train) const {
    const LoweredTrain& of = lower_train(l, train);
    if (!pairs) return lower_predict(l, train, of.split, of.measured, of.on);
    plan::Take code;
    code.type = Type::of(Base::float_, true);
    code.which = 1;
    std::vector<StepId> columns;
    for (std::size_t window = 0; window < of.measured.size(); ++window)
      columns.push_back(lower_predict(l, train, of.split, {of.measured[window]}, fmt::format("window {}", window + 1)));
    return taken(std::move(code), std::move(columns));
  }
  /// Which row it is: its windows are no rows of their own, so they are resampled together.
  StepId row() const {
    plan::Take code;
    code.itself = true;
    code.type = Type::of(Base::int_);
    return taken(std::move(code), {});
  }
};

}  // namespace

void lower_evaluate(Lowering& l, hir::TrainId id, plan::Model& model) {
  Evaluation evaluation{l, id, {}};
  for (const hir::Evaluate& block : l.workflow.evaluates)
    if (block.train == id) evaluation.blocks.push_back(&block);
  if (evaluation.blocks.empty()) return;
  const hir::Train& train = l.workflow[id];
  const LoweredTrain& lowered = lower_train(l, id);
  evaluation.model(id);

  std::vector<hir::ColumnId> resampled;
  plan::Gates gates;
  for (const hir::Evaluate* block : evaluation.blocks)
    for (const hir::Metric& metric : block->metrics) evaluation.add(evaluation.of_metric(metric), metric.text);
  for (const hir::Evaluate* block : evaluation.blocks) {
    for (const hir::Metric& metric : block->metrics)
      for (const hir::Slice& slice : block->slices) {
        plan::Metrics::Measure measure = evaluation.of_metric(metric);
        measure.over = Over::slice;
        for (const hir::ColumnId column : slice.columns) measure.by.push_back(evaluation.group(column));
        measure.at_least_rows = slice.at_least_rows;
        measure.at_least_positives = slice.at_least_positives;
        evaluation.add(std::move(measure), metric.text);
      }
    resampled.insert(resampled.end(), block->resample_by.begin(), block->resample_by.end());
  }
  for (const hir::Evaluate* block : evaluation.blocks)
    for (const hir::Gate& gate : block->gates) gates.items.push_back(evaluation.add(gate));

  plan::Metrics& metrics = evaluation.metrics;
  metrics.binary = train.task == hir::Task::binary;
  metrics.weighted = train.weight.has_value();
  metrics.champion = std::ranges::any_of(gates.items, &plan::Gates::Item::beats_production);
  metrics.models = static_cast<std::uint32_t>(evaluation.models.size() + (metrics.champion ? 1 : 0));
  for (plan::Metrics::Measure& measure : metrics.measures)
    if (measure.model == kChampion) measure.model = metrics.models - 1;
  metrics.groups = static_cast<std::uint32_t>(evaluation.groups.size());
  const bool rows_together = lowered.overlap && resampled.empty();
  metrics.resample = static_cast<std::uint32_t>(rows_together ? 1 : resampled.size());
  metrics.rows = lowered.rows;
  metrics.on = lowered.on;

  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  const Span span = evaluation.blocks.front()->span;
  const MeasuredRows measured_rows = MeasuredRows::of(l, train, lowered, {train.name, "", span, table});
  const auto column_of = [&](hir::ColumnId id) { return measured_rows.column(lower_column(l, id, nullptr), l.workflow[id].type); };
  std::vector<StepId> inputs = {measured_rows.column(lowered.split, Type::of(Base::int_, true)), column_of(train.label)};
  if (train.weight) inputs.push_back(column_of(*train.weight));
  for (const hir::TrainId compared : evaluation.models) inputs.push_back(measured_rows.predictions(compared));
  std::optional<StepId> champion;
  if (metrics.champion) {
    const std::string of = l.workflow.name + "." + train.name;
    champion = add_step(l, {train.name + ".champion", "", span, table}, plan::Champion{of, "production", l.plan[lowered.split].recipe_key, lowered.rows},
                        {model.scorer}, "the version of " + train.name + " in production");
    std::vector<StepId> read = {lowered.split, *champion};
    for (const auto& [name, step] : lowered.registered.request) read.push_back(step);
    const StepId predicted = add_step(l, {train.name + ".champion.predict", "", span, table}, plan::PredictChampion{lowered.rows}, std::move(read), "predict on " + lowered.on);
    inputs.push_back(measured_rows.column(predicted, Type::of(Base::float_, true)));
  }
  for (const hir::ColumnId column : evaluation.groups) inputs.push_back(column_of(column));
  for (const hir::ColumnId column : resampled) inputs.push_back(column_of(column));
  if (rows_together) inputs.push_back(measured_rows.row());

  std::string measured, decided;
  for (const std::string& name : evaluation.names) measured += (measured.empty() ? "" : ", ") + name;
  for (const plan::Gates::Item& item : gates.items) decided += (decided.empty() ? "" : "; ") + item.text;
  for (const hir::ColumnId column : evaluation.groups) model.group_names.push_back(l.workflow[column].name);
  model.measure_names = evaluation.names;
  model.metrics = add_step(l, {train.name + ".metrics", "", span, measured_rows.place.table}, std::move(metrics), std::move(inputs), measured + " on " + lowered.on);
  std::vector<StepId> proof = {*model.metrics};
  if (champion) proof.push_back(*champion);
  model.gates = add_step(l, {train.name + ".gates", "", span, table}, std::move(gates), std::move(proof), decided);
}

}  // namespace mlp::planner
