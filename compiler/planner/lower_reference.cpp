#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

/// The step that computes for every row what a request gets: with the state of all rows, not with those of the cross-fit, whose
/// values differ and would look like drift.
StepId as_served(Lowering& l, StepId id) {
  const plan::Step step = l.plan[id];  // steps are added below
  const auto* apply = std::get_if<plan::ApplyFit>(&step.code);
  if (!apply && !std::holds_alternative<plan::Kernel>(step.code)) return id;
  plan::StepCode code = step.code;
  std::vector<StepId> inputs;
  const bool cross_fit = apply && apply->folds > 0;
  if (cross_fit) std::get<plan::ApplyFit>(code).folds = 0;
  for (std::size_t i = 0; i < step.inputs.size() - (cross_fit ? 2 : 0); ++i) inputs.push_back(as_served(l, step.inputs[i]));
  if (inputs == step.inputs) return id;
  return add_step(l, {step.name + ".served", "", step.span, step.table}, std::move(code), std::move(inputs), step.text);
}

struct Collector {
  Lowering& l;
  std::vector<Reference> found = {};
  std::set<StepId> seen = {};

  /// A vector has no bins that say anything: what it is made of is watched. Free text is not watched: it never comes twice.
  void add(StepId id, const std::string& name) {
    if (!seen.insert(id).second) return;
    const Type type = *plan::column_type(l.plan[id].code);
    if (type.base == Base::vector || type.base == Base::list || type.base == Base::map) {
      const plan::Step& step = l.plan[id];
      const auto* apply = std::get_if<plan::ApplyFit>(&step.code);
      const std::vector<StepId> inputs(step.inputs.begin() + (apply ? 1 : 0), step.inputs.end() - (apply && apply->folds > 0 ? 2 : 0));
      for (const StepId input : inputs) {
        const auto at = l.column_of.find(input);
        add(input, at == l.column_of.end() ? name : l.workflow[at->second].name);
      }
      return;
    }
    if (type.base != Base::string) found.push_back({name, id, {}});
  }
};

}  // namespace

std::vector<Reference> lower_reference(Lowering& l, hir::TrainId id) {
  const LoweredTrain& lowered = lower_train(l, id);
  const FittedModel& fitted = lowered.registered;
  Collector collector{l};
  for (std::size_t i = 0; i < fitted.features.size(); ++i) collector.add(fitted.features[i], fitted.names[i]);
  const plan::Rows rows = std::get<plan::Train>(l.plan[fitted.model].code).rows;
  for (Reference& reference : collector.found) {
    const StepId served = as_served(l, reference.column);
    const plan::Step& step = l.plan[served];
    reference.bins = lower_cuts(l, served, {step.name, "", step.span, step.table}, lowered.split, rows);
  }
  return std::move(collector.found);
}

StepId lower_predicted_reference(Lowering& l, hir::TrainId id) {
  const LoweredTrain& lowered = lower_train(l, id);
  const hir::Train& train = l.workflow[id];
  plan::Rows rows;
  rows.known = lowered.held_out.front().held_out.known;
  for (const FittedModel& fitted : lowered.held_out) rows.parts.insert(rows.parts.end(), fitted.held_out.parts.begin(), fitted.held_out.parts.end());
  const StepId predicted = lower_predict(l, id, lowered.split, lowered.held_out, l.workflow[train.split].kind == hir::SplitKind::fold ? "folds" : "validation");
  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  return lower_cuts(l, predicted, {l.plan[predicted].name, "", train.span, table}, lowered.split, rows);
}

}  // namespace mlp::planner
