#include "runtime/exec/reason.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlp::exec {

Digest output_digest(const StepState& state) {
  Hasher hasher("outputs/1");
  for (const Digest& digest : state.outputs) hasher.add(digest);
  return hasher.finish();
}

store::RunStep record_of(const Session& session, plan::StepId id, const StepReport& report, const Digest& key) {
  const plan::Step& step = session.plan[id];
  store::RunStep record;
  record.ordinal = static_cast<std::uint32_t>(id.index());
  record.name = step.name;
  record.kind = plan::kind_name(step.code);
  record.action = report.action == Action::ran ? store::StepAction::ran : report.action == Action::failed ? store::StepAction::failed : store::StepAction::reused;
  record.key = key;
  record.code = step.code_key;
  record.code_text = step.text;
  for (plan::StepId input : step.inputs) record.inputs.push_back({session.plan[input].name, output_digest(session.steps[input.index()])});
  if (session.steps[id.index()].done) record.outputs = session.steps[id.index()].outputs;
  record.reason = report.reason;
  record.seconds = report.seconds;
  record.span = step.file.empty() ? std::string() : fmt::format("{}:{}", step.file, step.line);
  return record;
}

std::string reason_to_run(Session& session, plan::StepId id) {
  const plan::Step& step = session.plan[id];
  const auto found = session.catalog.last_step(step.name, session.plan.workflow);
  if (!found || !*found) return "not computed before";
  const store::RunStep& last = **found;
  if (last.code != step.code_key) {
    if (last.code_text == step.text || last.code_text.empty()) return "its code changed";
    return fmt::format("its code changed: {} -> {}", last.code_text, step.text);
  }
  std::vector<std::string> changed;
  const std::size_t count = std::min(step.inputs.size(), last.inputs.size());
  for (std::size_t i = 0; i < count; ++i) {
    const StepState& input = session.steps[step.inputs[i].index()];
    const std::string& name = session.plan[step.inputs[i]].name;
    if (input.done && output_digest(input) != last.inputs[i].digest && std::find(changed.begin(), changed.end(), name) == changed.end()) changed.push_back(name);
  }
  if (step.inputs.size() != last.inputs.size()) changed.push_back("the list of its inputs");
  if (changed.empty()) return "its result is not in the store";
  if (changed.size() > 4) return fmt::format("{} and {} more of its inputs changed", fmt::join(changed.begin(), changed.begin() + 3, ", "), changed.size() - 3);
  return fmt::format("{} changed", fmt::join(changed, ", "));
}

}  // namespace mlp::exec
