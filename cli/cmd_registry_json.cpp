#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include <cstdlib>

#include "cli/command.h"
#include "runtime/registry/registry.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string directory(const Common& common) { return common.store.empty() ? std::string(".mlp") : common.store; }

void print(const Json& json) { fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

Json deployed_json(const registry::Deployed& d) {
  return {{"model", d.model}, {"version", d.version}, {"stage", d.stage}, {"scorer", d.scorer.hex()}, {"since", d.since}, {"who", d.who}, {"run", d.run}};
}

Json entry_json(const registry::Entry& e) {
  Json json{{"number", e.number}, {"at", e.at}, {"who", e.who}, {"event", registry::name(e.event)}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  text("deployment", e.deployment);
  text("stage", e.stage);
  text("model", e.model);
  if (e.version) json["version"] = e.version;
  if (e.scorer) json["scorer"] = e.scorer.hex();
  text("run", e.run);
  if (!e.gates.empty()) {
    json["gates"] = Json::array();
    for (const registry::GateProof& gate : e.gates)
      json["gates"].push_back({{"text", gate.text}, {"status", gate.status}, {"value", gate.value ? Json(*gate.value) : Json(nullptr)}});
  }
  text("role", e.role);
  text("approved_by", e.approved_by);
  text("holder", e.holder);
  if (!e.scopes.empty()) json["scopes"] = e.scopes;
  json["hash"] = e.hash.hex();
  return json;
}

std::string proof_text(const registry::Entry& e) {
  std::size_t passed = 0, not_applicable = 0;
  for (const registry::GateProof& gate : e.gates) passed += gate.status == "passed", not_applicable += gate.status == "not_applicable";
  std::string text = e.run;
  if (!e.gates.empty()) text += fmt::format(", {} of {} gates passed", passed, e.gates.size());
  if (not_applicable) text += fmt::format(", {} not applicable", not_applicable);
  if (!e.approved_by.empty()) text += ", approved by " + e.approved_by;
  return text;
}

std::string what_text(const registry::Entry& e) {
  const std::string version = fmt::format("{} version {}", e.model, e.version);
  switch (e.event) {
    case registry::Event::requested:
      return fmt::format("asked for {} in {} as {}{}", version, e.stage, e.deployment, e.role.empty() ? "" : fmt::format(", awaits \"{}\"", e.role));
    case registry::Event::approved: return "approved " + version;
    case registry::Event::deployed: return fmt::format("deployed {} to {} as {}", version, e.stage, e.deployment);
    case registry::Event::rolled_back: return fmt::format("rolled {} back to {} in {}", e.deployment, version, e.stage);
    case registry::Event::token_created: return fmt::format("made a token of {} for {}", e.holder, fmt::join(e.scopes, ", "));
  }
  return {};
}

}  // namespace

Result<registry::Identity> acting_identity(const std::string& store) {
  const char* token = std::getenv("MLP_TOKEN");
  return registry::identify(store, token ? std::optional<std::string>(token) : std::nullopt);
}

int approve(const Common& common, const std::string& what) {
  auto by = acting_identity(directory(common));
  if (!by) return report(common, by.error());
  store::Catalog catalog(directory(common), true);
  auto approved = registry::approve(catalog, directory(common), what, *by);
  if (!approved) return report(common, approved.error());
  const registry::Entry& e = approved->entry;
  if (common.format == Format::json)
    print({{"format_version", 1}, {"model", e.model}, {"version", e.version}, {"scorer", e.scorer.hex()}, {"status", approved->is_new ? "approved" : "unchanged"}, {"who", e.who}, {"at", e.at}});
  else
    fmt::print("{} version {}: {} by {}\n", e.model, e.version, approved->is_new ? "approved" : fmt::format("was approved at {}", e.at), e.who);
  return kDone;
}

int rollback(const Common& common, const std::string& deployment) {
  auto by = acting_identity(directory(common));
  if (!by) return report(common, by.error());
  auto store = store::Store::open(directory(common), store::Mode::read_only);
  if (!store) return report(common, store.error());
  auto done = registry::rollback(*store, deployment, *by);
  if (!done) return report(common, done.error());
  if (common.format == Format::json)
    print({{"format_version", 1}, {"deployment", done->to.deployment}, {"status", "rolled_back"}, {"from", deployed_json(done->from)}, {"to", deployed_json(done->to)}});
  else
    fmt::print("{}: back from version {} to version {} of {} in {}\n", done->to.deployment, done->from.version, done->to.version, done->to.model, done->to.stage);
  return kDone;
}

int token_create(const Common& common, const std::vector<std::string>& scopes, const std::string& holder) {
  auto by = acting_identity(directory(common));
  if (!by) return report(common, by.error());
  auto made = registry::create_token(directory(common), scopes, holder, *by);
  if (!made) {
    const int exit = report(common, made.error());
    return exit == kWorkflowWrong ? kUsage : exit;
  }
  if (common.format == Format::json) {
    print({{"format_version", 1}, {"token", made->token}, {"name", made->entry.holder}, {"scopes", scopes}});
    return kDone;
  }
  fmt::print("{}\n", made->token);
  if (!common.quiet) {
    std::fflush(stdout);
    fmt::print(stderr, "token of {} for {}; it is shown this once: give it as MLP_TOKEN\n", made->entry.holder, fmt::join(scopes, ", "));
  }
  return kDone;
}

int audit(const Common& common, bool verify_only) {
  auto log = registry::read_audit_log(directory(common));
  if (!log) return report(common, log.error());
  const auto unaltered = registry::require_unaltered(*log, directory(common));
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"unaltered", !log->altered}, {"altered", nullptr}, {"count", log->entries.size()}};
    if (log->altered) json["altered"] = {{"line", log->altered->line}, {"what", log->altered->what}};
    if (!verify_only) {
      json["entries"] = Json::array();
      for (const registry::Entry& e : log->entries) json["entries"].push_back(entry_json(e));
    }
    print(json);
    if (unaltered) return kDone;
    Common text = common;  // the document is there already
    text.format = Format::text;
    return report(text, unaltered.error());
  }
  if (!verify_only) {
    std::vector<std::vector<std::string>> rows{{"", "when", "who", "what", "proof"}};
    for (const registry::Entry& e : log->entries) rows.push_back({std::to_string(e.number), e.at, e.who, what_text(e), proof_text(e)});
    if (rows.size() > 1) fmt::print("{}\n", table(rows, common.colour_out));
  }
  std::fflush(stdout);
  if (!unaltered) return report(common, unaltered.error());
  fmt::print("{} entries, none altered\n", log->entries.size());
  return kDone;
}

}  // namespace mlp::cli
