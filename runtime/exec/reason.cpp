#include "runtime/exec/reason.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mlp::exec {

namespace {

constexpr const char* kNotInStore = "its result is not in the store";

}  // namespace

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
  // What a function or a statement is given says nothing of its own code.
  const auto* made = std::get_if<plan::HashSource>(&step.code);
  if (last.code != step.code_key || (made && !made->takes.empty() && last.code_text != step.text)) {
    if (last.code_text == step.text || last.code_text.empty()) return "its code changed";
    return fmt::format("its code changed: {} -> {}", last.code_text, step.text);
  }
  // By name, not by position: the order of a matrix's columns says nothing to a person.
  std::map<std::string, Digest> before;
  for (const store::NamedDigest& input : last.inputs) before[input.name] = input.digest;
  std::vector<std::string> changed;
  const auto add = [&](const std::string& text) {
    if (std::find(changed.begin(), changed.end(), text) == changed.end()) changed.push_back(text);
  };
  std::set<std::string> now;
  for (plan::StepId id_of_input : step.inputs) {
    const StepState& input = session.steps[id_of_input.index()];
    const std::string& name = session.plan[id_of_input].name;
    now.insert(name);
    const auto found_before = before.find(name);
    if (found_before == before.end())
      add(name + " is new");
    else if (input.done && output_digest(input) != found_before->second)
      add(name + " changed");
  }
  for (const auto& [name, digest] : before)
    if (!now.contains(name)) add(name + " is gone");
  if (changed.empty() && step.inputs.size() == last.inputs.size()) {
    for (std::size_t i = 0; i < last.inputs.size(); ++i)
      if (session.plan[step.inputs[i]].name != last.inputs[i].name) return "the order of its inputs changed with their code";
  }
  if (changed.empty()) return kNotInStore;
  if (changed.size() > 4) return fmt::format("{} and {} more of its inputs", fmt::join(changed.begin(), changed.begin() + 3, ", "), changed.size() - 3);
  return fmt::format("{}", fmt::join(changed, ", "));
}

std::string reason_to_call(Session& session, plan::StepId id) {
  const std::string reason = reason_to_run(session, id);
  return reason == kNotInStore && !session.plan.tables[session.plan[id].table].path.empty() ? session.plan.tables[session.plan[id].table].path + " was written since it was last called" : reason;
}

}  // namespace mlp::exec
