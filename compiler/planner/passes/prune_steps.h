#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/plan/physical.h"

namespace mlp::planner {

/// Keeps what `select` asks for: the steps called so (`aliases`, one set a step) with all they need, for `NAME+` also what needs
/// them. Models of which a step is gone are gone too.
plan::Physical prune_steps(plan::Physical plan, const std::vector<std::set<std::string>>& aliases, const std::vector<std::string>& select);

/// Keeps these steps with all they need. `moved` becomes, for each step, where it is now; none where it is gone.
plan::Physical keep_steps(plan::Physical plan, std::vector<bool> keep, std::vector<plan::StepId>& moved);

/// "+profile+" -> "profile"; whether what needs it is meant too.
struct Selection {
  std::string name;
  bool with_users = false;
};
Selection parse_selection(const std::string& text);

}  // namespace mlp::planner
