#include <fmt/format.h>

#include "compiler/planner/lowering.h"

namespace mlp::planner {

using plan::StepId;

namespace {

std::string split_text(const hir::Workflow& workflow, const hir::Split& split) {
  std::string text;
  if (split.kind == hir::SplitKind::fold) {
    text = fmt::format("fold {}", split.folds);
  } else {
    for (const int percent : split.percent) text += fmt::format("{}{}", text.empty() ? "random " : "/", percent);
  }
  if (split.stratified) text += " stratified " + workflow[*split.stratified].name;
  for (std::size_t i = 0; i < split.by.size(); ++i) text += (i ? ", " : " by ") + workflow[split.by[i]].name;
  return text + fmt::format(" seed {}", split.seed);
}

}  // namespace

std::vector<hir::ColumnId> hashed_columns(const hir::Workflow& workflow, const hir::Split& split) {
  return split.by.empty() ? workflow[split.table].key : split.by;
}

StepId lower_split(Lowering& l, hir::SplitId id, const std::string& name_if_inline) {
  const hir::Split& split = l.workflow[id];
  const bool folds = split.kind == hir::SplitKind::fold;
  plan::AssignSplit code{folds ? std::vector<int>{} : split.percent, folds ? split.folds : 0, split.stratified.has_value(), 0, split.seed};
  std::vector<StepId> inputs, hashed;
  if (split.stratified) inputs.push_back(lower_column(l, *split.stratified, nullptr));
  for (const hir::ColumnId column : hashed_columns(l.workflow, split)) hashed.push_back(lower_column(l, column, nullptr));
  // The order in which the parts of a key are declared moves no row.
  for (const std::size_t i : order_columns(l, hashed)) inputs.push_back(hashed[i]);
  code.keys = static_cast<std::uint32_t>(hashed.size());
  const Place place{split.name.empty() ? name_if_inline : split.name, "", split.span, static_cast<plan::TableIndex>(split.table.index())};
  return add_step(l, place, std::move(code), std::move(inputs), split_text(l.workflow, split));
}

}  // namespace mlp::planner
