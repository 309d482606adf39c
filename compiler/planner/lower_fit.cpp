#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"
#include "compiler/types/signature.h"

namespace mlp::planner {

using plan::StepId;

StepId lower_fitted(Lowering& l, const expr::Fitted& fitted, const std::vector<StepId>& arguments, const Type& type, const Place& place,
                    Instance& instance, const std::string& text) {
  const Signature* signature = find_native(fitted.native);
  MLP_CHECK(signature != nullptr && signature->kind == EntryKind::transform);
  const int folds = signature->cross_fit;
  const auto part = [&](const char* name) { return Place{place.name + name, place.suffix, place.span, place.table}; };

  std::vector<StepId> cross_fit;  // the split and the fold of each training row
  if (folds > 0) {
    std::vector<StepId> hashed;
    for (const hir::ColumnId column : instance.hashed) hashed.push_back(lower_column(l, column, nullptr));
    std::vector<StepId> inputs = {instance.split};
    for (const std::size_t i : order_columns(l, hashed)) inputs.push_back(hashed[i]);
    const plan::AssignFolds code{folds, static_cast<std::uint32_t>(hashed.size()), instance.rows};
    const Place at{l.plan[instance.split].name + ".cross_fit", instance.suffix, l.plan[instance.split].span, place.table};
    cross_fit = {instance.split, add_step(l, at, code, std::move(inputs), "folds of the training rows")};
  }

  std::vector<StepId> inputs = {instance.split};
  inputs.insert(inputs.end(), arguments.begin(), arguments.end());
  if (signature->uses_label) inputs.push_back(lower_column(l, instance.label, nullptr));
  if (folds > 0) inputs.push_back(cross_fit[1]);
  const StepId partial = add_step(l, part(".partial_fit"), plan::PartialFit{fitted.native, fitted.options, signature->uses_label, folds, instance.rows},
                                  std::move(inputs), text);
  const StepId state = add_step(l, part(".fit"), plan::MergeFit{fitted.native, fitted.options, folds}, {partial}, text);

  std::vector<StepId> applied = {state};
  applied.insert(applied.end(), arguments.begin(), arguments.end());
  applied.insert(applied.end(), cross_fit.begin(), cross_fit.end());
  // Only cross-fitting asks which rows were trained on; elsewhere one state serves all rows.
  const plan::ApplyFit apply{fitted.native, fitted.options, folds, instance.rows, type};
  return add_step(l, place, apply, std::move(applied), text);
}

StepId lower_cuts(Lowering& l, StepId column, const Place& place, StepId split, const plan::Rows& rows) {
  const auto part = [&](const char* name) { return Place{place.name + name, place.suffix, place.span, place.table}; };
  const std::string text = l.plan[column].text;
  const StepId partial = add_step(l, part(".partial_bins"), plan::PartialBins{rows}, {split, column}, text);
  return add_step(l, part(".bins"), plan::MergeBins{}, {partial}, text);
}

StepId lower_bins(Lowering& l, StepId column, const Place& place, const Instance& instance) {
  const StepId cuts = lower_cuts(l, column, place, instance.split, instance.rows);
  return add_step(l, {place.name + ".bin", place.suffix, place.span, place.table}, plan::Bin{}, {cuts, column}, l.plan[column].text);
}

}  // namespace mlp::planner
