#include "runtime/registry/state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <time.h>

namespace mlp::registry {

Deployed deployed_by(const Entry& e) { return {e.deployment, e.model, e.version, e.stage, e.scorer, e.at, e.who, e.run, e.number}; }

std::map<std::string, DeploymentState> replay(const std::vector<Entry>& entries) {
  std::map<std::string, DeploymentState> states;
  for (const Entry& entry : entries) {
    switch (entry.event) {
      case Event::requested: states[entry.deployment].awaiting = entry; break;
      case Event::deployed: {
        DeploymentState& state = states[entry.deployment];
        state.versions.push_back(deployed_by(entry));
        state.awaiting.reset();
        break;
      }
      case Event::rolled_back: {
        DeploymentState& state = states[entry.deployment];
        if (!state.versions.empty()) state.versions.pop_back();
        // The entry says itself what stands there now.
        if (!state.versions.empty()) state.versions.back() = deployed_by(entry);
        state.awaiting.reset();
        break;
      }
      case Event::approved:
      case Event::token_created: break;
    }
  }
  return states;
}

Result<std::string> find_deployment(const std::map<std::string, DeploymentState>& states, const std::string& name, const std::string& directory) {
  if (states.contains(name)) return name;
  std::vector<std::string> found, all;
  for (const auto& [whole, state] : states) {
    all.push_back("`" + whole + "`");
    if (whole.size() > name.size() && whole.ends_with(name) && whole[whole.size() - name.size() - 1] == '.') found.push_back(whole);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return failure(diag::Code::E0908, fmt::format("several deployments in `{}` are called `{}`", directory, name), fmt::format("say which: {}", fmt::join(found, ", ")));
  return failure(diag::Code::E0908, fmt::format("there is no deployment `{}` in `{}`", name, directory),
                 all.empty() ? "`mlpc deploy FILE` makes one" : fmt::format("there are {}", fmt::join(all, ", ")));
}

std::optional<std::int64_t> seconds_of(const std::string& utc) {
  tm parts{};
  const char* end = strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (!end || *end) return std::nullopt;
  return timegm(&parts);
}

}  // namespace mlp::registry
