#include <fmt/format.h>
#include <numeric>
#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

/// Everything that is fitted on these rows, up to the model.
FittedModel fit_model(Lowering& l, hir::TrainId id, StepId split, plan::Rows rows, const std::string& suffix) {
  const hir::Train& train = l.workflow[id];
  const hir::TableId table = l.workflow[train.view].table;
  const auto index = table_index(l.workflow, table);
  Instance instance{split, hashed_columns(l.workflow, l.workflow[train.split]), rows, train.label, suffix, {}};

  std::vector<StepId> columns;
  for (const hir::MatrixColumn& column : train.matrix) {
    const Place place{fmt::format("{}.{}", train.name, l.workflow[column.from].name), suffix, l.workflow[column.from].span, index};
    columns.push_back(lower_expression(l, column.code, place, &instance));
  }
  FittedModel fitted;
  for (const std::size_t i : order_columns(l, columns)) {
    const hir::ColumnId from = train.matrix[i].from;
    const Place place{column_name(l.workflow, from), suffix, l.workflow[from].span, index};
    fitted.matrix.push_back(train.binned ? lower_bins(l, columns[i], place, instance) : columns[i]);
    fitted.names.push_back(l.workflow[from].name);
    fitted.features.push_back(lower_column(l, from, &instance));
  }

  std::vector<StepId> inputs = {split, lower_column(l, train.label, nullptr)};
  if (train.weight) inputs.push_back(lower_column(l, *train.weight, nullptr));
  inputs.insert(inputs.end(), fitted.matrix.begin(), fitted.matrix.end());
  const plan::Train code{train.model,  train.options, train.binned, train.weight.has_value(), train.task == hir::Task::binary,
                         train.seed, std::move(rows)};
  const std::string text = fmt::format("{} {{ {} }} seed {}", native_name(train.model), options_text(train.options), train.seed);
  fitted.model = add_step(l, {train.name, suffix, train.span, index}, code, std::move(inputs), text);
  return fitted;
}

plan::Rows all_parts(int count) {
  plan::Rows rows;
  rows.parts.resize(static_cast<std::size_t>(count));
  std::iota(rows.parts.begin(), rows.parts.end(), 0);
  return rows;
}

void lower_folds(Lowering& l, hir::TrainId id, const hir::Split& split, LoweredTrain& lowered) {
  for (int fold = 0; fold < split.folds; ++fold) {
    plan::Rows others = all_parts(split.folds);
    others.parts.erase(others.parts.begin() + fold);
    FittedModel fitted = fit_model(l, id, lowered.split, std::move(others), fmt::format(" [fold {}]", fold + 1));
    fitted.held_out.parts = {fold};
    lowered.measured.push_back(std::move(fitted));
  }
  lowered.held_out = lowered.measured;
  lowered.rows = all_parts(split.folds);
  lowered.on = "folds";
  // Without a refit the candidate is one of the models that were measured: the first.
  lowered.registered = l.workflow[id].refit == hir::Refit::none ? lowered.measured.front()
                                                                : fit_model(l, id, lowered.split, all_parts(split.folds), " [refit]");
}

/// A model a window, each on what was known when it begins.
void lower_windows(Lowering& l, hir::TrainId id, const hir::Split& split, LoweredTrain& lowered) {
  const auto segments = [](int count) {
    plan::Rows rows = all_parts(count);
    rows.known = count;
    return rows;
  };
  const plan::Rows all = segments(2 * split.folds + 1);
  std::set<int> measured;
  for (int window = 0; window < split.folds; ++window) {
    const plan::WindowSegments held = plan::window_segments(window, split.folds, split.every_us, split.horizon_us);
    plan::Rows before = segments(held.first);
    before.known = held.first - 1;
    FittedModel fitted = fit_model(l, id, lowered.split, std::move(before), fmt::format(" [window {}]", window + 1));
    fitted.held_out = {{}, all.known};
    for (int segment = held.first; segment <= held.last; ++segment) {
      fitted.held_out.parts.push_back(segment);
      lowered.overlap = !measured.insert(segment).second || lowered.overlap;
    }
    lowered.measured.push_back(std::move(fitted));
  }
  lowered.rows = {{measured.begin(), measured.end()}, all.known};
  lowered.held_out = lowered.measured;
  lowered.on = "folds";
  lowered.registered = l.workflow[id].refit == hir::Refit::none ? lowered.measured.back() : fit_model(l, id, lowered.split, all, " [refit]");
}

/// The parts of a cut by time that are left out of training before the validation rows, and before the test rows; see plan::CutByTime.
constexpr int kGapBeforeValidation = 3, kGapBeforeTest = 4;

void lower_parts(Lowering& l, hir::TrainId id, const hir::Split& split, LoweredTrain& lowered) {
  constexpr int kTrain = 0, kValidation = 1, kTest = 2;
  const hir::Refit refit = l.workflow[id].refit;
  FittedModel measured = fit_model(l, id, lowered.split, {{kTrain}}, "");
  lowered.registered = measured;
  measured.held_out = {{kValidation}};
  lowered.held_out = {measured};
  plan::Rows further{{kTrain, kValidation}}, all{{kTrain, kValidation, kTest}};
  if (is_by_time(split)) further.parts.push_back(kGapBeforeValidation), all.parts.insert(all.parts.end(), {kGapBeforeValidation, kGapBeforeTest});
  if (refit == hir::Refit::train_and_validation) lowered.registered = fit_model(l, id, lowered.split, further, " [refit]");
  if (refit == hir::Refit::all) lowered.registered = fit_model(l, id, lowered.split, all, " [refit]");
  const bool test = l.options.final_rows && split.percent.size() > kTest && split.percent[kTest] > 0;
  lowered.rows = {{test ? kTest : kValidation}};
  lowered.on = test ? "test" : "validation";
  // The test rows are unseen by the refit on training and validation rows, so they measure the very model that is registered.
  if (test && refit == hir::Refit::train_and_validation) measured = lowered.registered;
  measured.held_out = lowered.rows;
  lowered.measured.push_back(std::move(measured));
}

}  // namespace

Instance measured_instance(Lowering& l, hir::TrainId id) {
  const hir::Train& train = l.workflow[id];
  const hir::Split& split = l.workflow[train.split];
  const StepId step = lower_split(l, train);
  const bool folds = split.kind == hir::SplitKind::fold, windows = split.kind == hir::SplitKind::rolling;
  plan::Rows rows = folds ? all_parts(split.folds) : plan::Rows{{0}};
  if (folds) rows.parts.erase(rows.parts.begin());
  if (windows) rows.known = 0;
  return {step, hashed_columns(l.workflow, split), std::move(rows), train.label, folds ? " [fold 1]" : windows ? " [window 1]" : "", {}};
}

LoweredTrain& lower_train(Lowering& l, hir::TrainId id) {
  const auto [at, is_new] = l.trains.try_emplace(id);
  LoweredTrain& lowered = at->second;
  if (!is_new) return lowered;
  const hir::Train& train = l.workflow[id];
  const hir::Split& split = l.workflow[train.split];
  lowered.split = lower_split(l, train);
  if (split.kind == hir::SplitKind::rolling) lower_windows(l, id, split, lowered);
  else if (split.kind == hir::SplitKind::fold) lower_folds(l, id, split, lowered);
  else lower_parts(l, id, split, lowered);
  return lowered;
}

StepId lower_predict(Lowering& l, hir::TrainId id, StepId split, const std::vector<FittedModel>& models, const std::string& on) {
  const hir::Train& train = l.workflow[id];
  plan::Predict code{train.model, train.binned, train.task == hir::Task::binary, static_cast<std::uint32_t>(models.front().matrix.size()), {}};
  std::vector<StepId> inputs = {split};
  for (const FittedModel& fitted : models) {
    code.models.push_back(fitted.held_out);
    inputs.push_back(fitted.model);
    inputs.insert(inputs.end(), fitted.matrix.begin(), fitted.matrix.end());
  }
  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  return add_step(l, {train.name + ".predict", "", train.span, table}, std::move(code), std::move(inputs), "predict on " + on);
}

}  // namespace mlp::planner
