#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/plan/physical.h"

/// The made-from graph: what something is made from, and what would break without it.
namespace mlp::lineage {

struct Node {
  std::string name, kind;
  std::size_t distance = 0;  ///< steps from the node asked for; 0 is itself
};

struct Reach {
  std::vector<Node> nodes;            ///< the node asked for first, then by distance, then by name
  std::vector<plan::Edge> edges;      ///< those between the nodes
};

/// The node that `name` means: its full name ("people.age"), or the last part of one if only one fits. Empty when there is none.
std::string resolve(std::span<const plan::Edge> edges, std::string_view name);
/// All names, sorted; for "did you mean".
std::vector<std::string> names(std::span<const plan::Edge> edges);
/// What the node is made from (`up`), what is made from it (`down`), or both.
Reach reach(std::span<const plan::Edge> edges, const std::string& name, bool up, bool down);

std::string to_dot(const Reach& reach);
std::string to_json(const Reach& reach);

}  // namespace mlp::lineage
