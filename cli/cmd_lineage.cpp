#include <fmt/format.h>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/lineage/lineage.h"

namespace mlp::cli {

namespace {

/// The plan whose lineage is asked for: of a file as it stands, or of the newest run of the store.
std::optional<plan::Physical> find_plan(const Common& common, const std::string& file, int& exit) {
  if (!file.empty()) {
    auto opened = open_plan(common, file, false, exit);
    return opened ? std::optional(std::move(opened->loaded.plan)) : std::nullopt;
  }
  const std::string directory = common.store.empty() ? std::string(".mlp") : common.store;
  auto store = store::Store::open(directory, store::Mode::read_only);
  if (!store) {
    exit = report(common, store.error());
    return std::nullopt;
  }
  store::Catalog catalog(directory, true);
  auto runs = catalog.list_runs(1);
  if (!runs) {
    exit = report(common, runs.error());
    return std::nullopt;
  }
  if (runs->empty()) {
    exit = report(common, failure(diag::Code::E0908, fmt::format("there are no runs in `{}`", directory), "name the workflow with --file, or start a run").error());
    return std::nullopt;
  }
  auto bytes = store->get(runs->front().plan);
  auto plan = bytes ? plan::decode_physical(*bytes) : Result<plan::Physical>(failure(std::move(bytes.error())));
  if (!plan) {
    exit = report(common, plan.error());
    return std::nullopt;
  }
  return std::move(*plan);
}

void print_tree(const lineage::Reach& reach, const char* title) {
  fmt::print("{}\n", title);
  if (reach.nodes.size() < 2) fmt::print("  nothing\n");
  std::vector<std::vector<std::string>> rows;
  for (const lineage::Node& node : reach.nodes)
    if (node.distance > 0) rows.push_back({std::string(node.distance * 2, ' ') + node.name, node.kind});
  fmt::print("{}", table(rows, false));
}

/// Columns that stand in a sink as they are, whoever reads it.
void print_keys(const lineage::Reach& reach) {
  std::vector<std::vector<std::string>> rows;
  for (const plan::Edge& edge : reach.edges)
    if (!edge.how.empty()) rows.push_back({"  " + edge.from, edge.how, "of " + edge.to});
  if (!rows.empty()) fmt::print("written as they are\n{}", table(rows, false));
}

}  // namespace

int lineage(const Common& common, const std::string& name, const std::string& file, bool up, bool down) {
  int exit = kDone;
  const auto plan = find_plan(common, file, exit);
  if (!plan) return exit;
  if (!up && !down) up = down = true;
  const std::string node = lineage::resolve(plan->lineage, name);
  if (node.empty()) {
    const std::vector<std::string> all = lineage::names(plan->lineage);
    const std::string_view near = diag::did_you_mean(name, {all.begin(), all.end()});
    return report(common, failure(diag::Code::E0908, fmt::format("`{}` is nothing that `{}` knows, or more than one thing", name, plan->workflow),
                                  near.empty() ? "names are written as table.column, view.column, or the name of a model" : fmt::format("did you mean `{}`?", near))
                              .error());
  }
  const lineage::Reach reach = lineage::reach(plan->lineage, node, up, down);
  if (common.format == Format::json) {
    fmt::print("{}\n", lineage::to_json(reach));
  } else if (common.format == Format::dot) {
    fmt::print("{}", lineage::to_dot(reach));
  } else {
    fmt::print("{} ({})\n", node, reach.nodes[0].kind);
    if (up) print_tree(lineage::reach(plan->lineage, node, true, false), "made from");
    if (down) print_tree(lineage::reach(plan->lineage, node, false, true), "used by");
    print_keys(reach);
  }
  return kDone;
}

}  // namespace mlp::cli
