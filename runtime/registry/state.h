#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/registry/registry.h"

/// The audit log played from its beginning. Used inside the room.
namespace mlp::registry {

struct DeploymentState {
  std::vector<Deployed> versions;        ///< what stood there and was not rolled back; the last one stands
  std::optional<Entry> awaiting;         ///< requested after the last change
};

/// By whole name.
std::map<std::string, DeploymentState> replay(const std::vector<Entry>& entries);
/// The deployment that the name means: E0908 when there is none or there are several.
Result<std::string> find_deployment(const std::map<std::string, DeploymentState>& states, const std::string& name,
                                    const std::string& store_directory);
Deployed deployed_by(const Entry& entry);
/// Seconds since 1970 of a time that the log wrote; nothing when it is none.
std::optional<std::int64_t> seconds_of(const std::string& utc);

}  // namespace mlp::registry
