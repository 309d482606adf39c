#include <algorithm>
#include <fmt/format.h>

#include "compiler/planner/lowering.h"

namespace mlp::planner {

using plan::StepId;

namespace {

std::string split_text(const hir::Workflow& workflow, const hir::Split& split) {
  constexpr std::string_view kWords[] = {"random", "fold", "time", "group", "rolling"};
  std::string text(kWords[static_cast<std::size_t>(split.kind)]);
  for (std::size_t i = 0; i < split.percent.size(); ++i) text += fmt::format("{}{}", i ? "/" : " ", split.percent[i]);
  if (split.folds) text += fmt::format(" {}", split.folds);
  if (split.by_time) text += " time";
  if (split.stratified) text += " stratified " + workflow[*split.stratified].name;
  for (std::size_t i = 0; i < split.by.size(); ++i) text += (i ? ", " : " by ") + workflow[split.by[i]].name;
  return is_by_time(split) ? text : text + fmt::format(" seed {}", split.seed);
}

/// The condition of the train, beside the label: which rows take part at all.
std::optional<StepId> lower_chosen(Lowering& l, const hir::Train& train, const Place& place) {
  if (!train.where) return std::nullopt;
  return lower_expression(l, *train.where, {train.name + ".where", "", place.span, place.table}, nullptr);
}

StepId cut_by_time(Lowering& l, const hir::Train& train, const hir::Split& split, const Place& place) {
  plan::CutByTime code;
  code.percent = split.percent;
  code.folds = split.by_time ? split.folds : 0;
  code.windows = split.kind == hir::SplitKind::rolling ? split.folds : 0;
  code.every_us = split.every_us, code.horizon_us = split.horizon_us;
  code.until_us = l.options.as_of_us;
  // A label is learned from once it is known: that is the gap, unless one is written.
  const bool written = split.gap_us >= 0;
  KnownTimes known = lower_known_times(l, split.table, written ? std::vector<hir::ColumnId>{} : std::vector{train.label}, {place.name + ".label", "", place.span, place.table});
  known.after[0] = written ? split.gap_us : std::max(known.after[0], train.label_window_us);
  code.known_after = known.after;
  std::vector<StepId> inputs = known.times;
  code.label = l.workflow[train.label].type.missing;
  if (code.label) inputs.push_back(lower_column(l, train.label, nullptr));
  if (const auto chosen = lower_chosen(l, train, place)) code.chosen = true, inputs.push_back(*chosen);
  if (!written && !code.until_us) inputs.push_back(lower_as_of(l, place.table));
  return add_step(l, place, std::move(code), std::move(inputs), split_text(l.workflow, split));
}

}  // namespace

bool is_by_time(const hir::Split& split) { return split.kind == hir::SplitKind::time || split.kind == hir::SplitKind::rolling || split.by_time; }

std::vector<hir::ColumnId> hashed_columns(const hir::Workflow& workflow, const hir::Split& split) {
  return split.by.empty() ? workflow[split.table].key : split.by;
}

StepId lower_split(Lowering& l, const hir::Train& train) {
  const hir::Split& split = l.workflow[train.split];
  const Place place{split.name.empty() ? train.name + ".split" : split.name, "", split.span, table_index(l.workflow, split.table)};
  if (is_by_time(split)) return cut_by_time(l, train, split, place);
  const bool folds = split.kind == hir::SplitKind::fold;
  plan::AssignSplit code{folds ? std::vector<int>{} : split.percent, folds ? split.folds : 0, split.stratified.has_value(), 0, split.seed};
  std::vector<StepId> inputs, hashed;
  if (split.stratified) inputs.push_back(lower_column(l, *split.stratified, nullptr));
  for (const hir::ColumnId column : hashed_columns(l.workflow, split)) hashed.push_back(lower_column(l, column, nullptr));
  // The order in which the parts of a key are declared moves no row.
  for (const std::size_t i : order_columns(l, hashed)) inputs.push_back(hashed[i]);
  code.keys = static_cast<std::uint32_t>(hashed.size());
  if (const auto chosen = lower_chosen(l, train, place)) code.chosen = true, inputs.push_back(*chosen);
  return add_step(l, place, std::move(code), std::move(inputs), split_text(l.workflow, split));
}

}  // namespace mlp::planner
