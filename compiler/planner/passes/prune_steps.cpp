#include "compiler/planner/passes/prune_steps.h"

#include <algorithm>

namespace mlp::planner {

using plan::StepId;

Selection parse_selection(const std::string& text) {
  Selection selection{text, false};
  if (selection.name.starts_with('+')) selection.name.erase(0, 1);  // what it needs is always meant
  if (selection.name.ends_with('+')) {
    selection.name.pop_back();
    selection.with_users = true;
  }
  return selection;
}

plan::Physical prune_steps(plan::Physical plan, const std::vector<std::set<std::string>>& aliases, const std::vector<std::string>& select) {
  if (select.empty()) return plan;
  const auto is_called = [](const std::string& step, const std::string& name) {
    return step.starts_with(name) && (step.size() == name.size() || step[name.size()] == '.' || step[name.size()] == ' ');
  };
  std::vector<bool> keep(plan.steps.size(), false);
  for (const std::string& text : select) {
    const Selection selection = parse_selection(text);
    std::vector<bool> chosen(plan.steps.size(), false);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      chosen[i] = std::any_of(aliases[i].begin(), aliases[i].end(), [&](const std::string& name) { return is_called(name, selection.name); });
      if (selection.with_users)
        for (const StepId input : plan.steps[i].inputs) chosen[i] = chosen[i] || chosen[input.index()];
      keep[i] = keep[i] || chosen[i];
    }
  }
  std::vector<StepId> moved;
  return keep_steps(std::move(plan), std::move(keep), moved);
}

plan::Physical keep_steps(plan::Physical plan, std::vector<bool> keep, std::vector<StepId>& moved) {
  // A column of constants reads nothing, and has as many rows as its table.
  std::vector<StepId> rows_of(plan.tables.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::StepCode& code = plan.steps[i].code;
    if (std::holds_alternative<plan::HashSource>(code) || std::holds_alternative<plan::Filter>(code) || std::holds_alternative<plan::Arrange>(code)) rows_of[plan.steps[i].table] = StepId(i);
  }
  std::vector<StepId> open;
  const auto need = [&](StepId id) {
    if (id && !keep[id.index()]) keep[id.index()] = true, open.push_back(id);
  };
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) open.emplace_back(i);
  while (!open.empty()) {
    const plan::Step& step = plan.steps[open.back().index()];
    open.pop_back();
    for (const StepId input : step.inputs) need(input);
    if (step.table < rows_of.size()) need(rows_of[step.table]);
  }

  moved.assign(plan.steps.size(), {});
  std::vector<plan::Step> steps;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (!keep[i]) continue;
    plan::Step step = std::move(plan.steps[i]);
    for (StepId& input : step.inputs) input = moved[input.index()];
    moved[i] = StepId(steps.size());
    steps.push_back(std::move(step));
  }
  plan.steps = std::move(steps);
  std::vector<plan::Model> models;
  for (plan::Model& model : plan.models) {
    const auto move = [&](StepId& id) { id = moved[id.index()]; };
    move(model.train), move(model.scorer), move(model.registration);
    if (model.metrics) move(*model.metrics);
    if (model.gates) move(*model.gates);
    if (model.train && model.scorer && model.registration) models.push_back(std::move(model));
  }
  plan.models = std::move(models);
  return plan;
}

}  // namespace mlp::planner
