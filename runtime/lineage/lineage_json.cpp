#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/lineage/lineage.h"

namespace mlp::lineage {

namespace {

std::string dot_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::vector<std::string> names(std::span<const plan::Edge> edges) {
  std::set<std::string> all;
  for (const plan::Edge& edge : edges) all.insert(edge.from), all.insert(edge.to);
  return {all.begin(), all.end()};
}

std::string resolve(std::span<const plan::Edge> edges, std::string_view name) {
  std::string found;
  for (const std::string& candidate : names(edges)) {
    if (candidate == name) return candidate;
    if (candidate.size() > name.size() && candidate.ends_with(name) && candidate[candidate.size() - name.size() - 1] == '.') {
      if (!found.empty()) return {};
      found = candidate;
    }
  }
  return found;
}

Reach reach(std::span<const plan::Edge> edges, const std::string& name, bool up, bool down) {
  std::map<std::string, std::string> kinds;
  std::map<std::string, std::vector<std::string>> sources, users;
  for (const plan::Edge& edge : edges) {
    kinds[edge.from] = edge.from_kind;
    kinds[edge.to] = edge.to_kind;
    sources[edge.to].push_back(edge.from);
    users[edge.from].push_back(edge.to);
  }
  std::map<std::string, std::size_t> distance{{name, 0}};
  const auto walk = [&](const std::map<std::string, std::vector<std::string>>& next) {
    std::vector<std::string> frontier{name};
    std::set<std::string> seen{name};
    for (std::size_t d = 1; !frontier.empty(); ++d) {
      std::vector<std::string> further;
      for (const std::string& node : frontier) {
        const auto found = next.find(node);
        if (found == next.end()) continue;
        for (const std::string& other : found->second)
          if (seen.insert(other).second) {
            further.push_back(other);
            distance.emplace(other, d);
          }
      }
      frontier = std::move(further);
    }
  };
  if (up) walk(sources);
  if (down) walk(users);
  Reach out;
  for (const auto& [node, d] : distance) out.nodes.push_back({node, kinds[node], d});
  std::stable_sort(out.nodes.begin(), out.nodes.end(), [](const Node& a, const Node& b) { return a.distance < b.distance; });
  std::set<std::pair<std::string, std::string>> told;
  for (const plan::Edge& edge : edges)
    if (distance.contains(edge.from) && distance.contains(edge.to) && told.emplace(edge.from, edge.to).second) out.edges.push_back(edge);
  return out;
}

std::string to_dot(const Reach& reach) {
  std::string out = "digraph lineage {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (const Node& node : reach.nodes)
    out += fmt::format("  {} [tooltip={}{}];\n", dot_text(node.name), dot_text(node.kind), node.distance == 0 ? ", style=bold" : "");
  for (const plan::Edge& edge : reach.edges) out += fmt::format("  {} -> {};\n", dot_text(edge.from), dot_text(edge.to));
  return out + "}\n";
}

std::string to_json(const Reach& reach) {
  nlohmann::ordered_json json{{"format_version", 1}, {"name", reach.nodes.empty() ? "" : reach.nodes[0].name}};
  json["nodes"] = nlohmann::ordered_json::array();
  for (const Node& node : reach.nodes) json["nodes"].push_back({{"name", node.name}, {"kind", node.kind}, {"distance", node.distance}});
  json["edges"] = nlohmann::ordered_json::array();
  for (const plan::Edge& edge : reach.edges) {
    json["edges"].push_back({{"from", edge.from}, {"to", edge.to}});
    if (!edge.how.empty()) json["edges"].back()["how"] = edge.how;
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace mlp::lineage
