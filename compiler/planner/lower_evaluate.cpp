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
  metrics.resample = static_cast<std::uint32_t>(resampled.size());
  metrics.rows = lowered.rows;
  metrics.on = lowered.on;

  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  const Span span = evaluation.blocks.front()->span;
  std::vector<StepId> inputs = {lowered.split, lower_column(l, train.label, nullptr)};
  if (train.weight) inputs.push_back(lower_column(l, *train.weight, nullptr));
  for (const hir::TrainId compared : evaluation.models) {
    const LoweredTrain& other = lower_train(l, compared);
    inputs.push_back(lower_predict(l, compared, other.split, other.measured, other.on));
  }
  std::optional<StepId> champion;
  if (metrics.champion) {
    const std::string of = l.workflow.name + "." + train.name;
    champion = add_step(l, {train.name + ".champion", "", span, table}, plan::Champion{of, "production", l.plan[lowered.split].recipe_key, lowered.rows},
                        {model.scorer}, "the version of " + train.name + " in production");
    std::vector<StepId> read = {lowered.split, *champion};
    read.insert(read.end(), lowered.registered.request.begin(), lowered.registered.request.end());
    inputs.push_back(add_step(l, {train.name + ".champion.predict", "", span, table}, plan::PredictChampion{lowered.rows}, std::move(read),
                              "predict on " + lowered.on));
  }
  for (const hir::ColumnId column : evaluation.groups) inputs.push_back(lower_column(l, column, nullptr));
  for (const hir::ColumnId column : resampled) inputs.push_back(lower_column(l, column, nullptr));

  std::string measured, decided;
  for (const std::string& name : evaluation.names) measured += (measured.empty() ? "" : ", ") + name;
  for (const plan::Gates::Item& item : gates.items) decided += (decided.empty() ? "" : "; ") + item.text;
  for (const hir::ColumnId column : evaluation.groups) model.group_names.push_back(l.workflow[column].name);
  model.measure_names = evaluation.names;
  model.metrics = add_step(l, {train.name + ".metrics", "", span, table}, std::move(metrics), std::move(inputs), measured + " on " + lowered.on);
  std::vector<StepId> proof = {*model.metrics};
  if (champion) proof.push_back(*champion);
  model.gates = add_step(l, {train.name + ".gates", "", span, table}, std::move(gates), std::move(proof), decided);
}

}  // namespace mlp::planner
