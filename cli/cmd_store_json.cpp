#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "runtime/registry/audit_log.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string directory(const Common& common) { return common.store.empty() ? std::string(".mlp") : common.store; }

void print(const Json& json) { fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json run_header(const store::Run& run) {
  return {{"run", run.id}, {"workflow", run.workflow}, {"file", run.file}, {"command", run.command}, {"started", run.started}, {"ended", run.ended}, {"status", run.status}, {"author", run.author}};
}

}  // namespace

int runs(const Common& common) {
  store::Catalog catalog(directory(common), true);
  auto list = catalog.list_runs();
  if (!list) return report(common, list.error());
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"runs", Json::array()}};
    for (const store::Run& run : *list) json["runs"].push_back(run_header(run));
    print(json);
    return kDone;
  }
  if (list->empty()) {
    fmt::print("no runs in {}\n", directory(common));
    return kDone;
  }
  std::vector<std::vector<std::string>> rows{{"run", "workflow", "started", "status", "command"}};
  for (const store::Run& run : *list) rows.push_back({run.id, run.workflow, run.started, run.ended.empty() ? "did not end" : run.status, run.command});
  fmt::print("{}", table(rows, common.colour_out));
  return kDone;
}

int show(const Common& common, const std::string& wanted) {
  store::Catalog catalog(directory(common), true);
  std::string id = wanted;
  if (id.empty()) {
    auto list = catalog.list_runs(1);
    if (!list) return report(common, list.error());
    if (list->empty()) return report(common, failure(diag::Code::E0908, fmt::format("there are no runs in `{}`", directory(common)), "start one with `mlpc run FILE`").error());
    id = list->front().id;
  }
  auto loaded = catalog.load_run(id);
  if (!loaded) return report(common, loaded.error());
  if (common.format == Format::json) {
    Json json{{"format_version", 1}};
    json.update(run_header(loaded->run));
    json["steps"] = Json::array();
    for (const store::RunStep& s : loaded->steps) {
      Json inputs = Json::array(), outputs = Json::array();
      for (const auto& input : s.inputs) inputs.push_back({{"name", input.name}, {"digest", input.digest.hex()}});
      for (const Digest& digest : s.outputs) outputs.push_back(digest.hex());
      json["steps"].push_back({{"name", s.name}, {"kind", s.kind}, {"action", store::name(s.action)}, {"reason", s.reason}, {"seconds", s.seconds},
                               {"key", s.key.hex()}, {"code", s.code_text}, {"place", s.span}, {"inputs", inputs}, {"outputs", outputs}});
    }
    json["metrics"] = Json::array();
    for (const store::RunMetric& m : loaded->metrics)
      json["metrics"].push_back({{"model", m.model}, {"metric", m.metric}, {"by", m.slice_column}, {"group", m.slice_value}, {"on", m.on},
                                 {"value", number(m.value)}, {"low", number(m.low)}, {"high", number(m.high)}, {"rows", m.rows}});
    json["gates"] = Json::array();
    for (const store::RunGate& g : loaded->gates)
      json["gates"].push_back({{"model", g.model}, {"text", g.text}, {"status", g.status}, {"value", number(g.value)}, {"low", number(g.low)}, {"high", number(g.high)}});
    json["candidates"] = Json::array();
    for (const store::Candidate& c : loaded->candidates)
      json["candidates"].push_back({{"model", c.model}, {"version", c.version}, {"proven", c.proven}, {"scorer", c.scorer.hex()}, {"why", c.why}});
    json["openings"] = Json::array();
    for (const store::Opening& o : loaded->openings) json["openings"].push_back({{"model", o.model}, {"at", o.at}});
    print(json);
    return kDone;
  }
  const store::Run& run = loaded->run;
  fmt::print("run {} of {}: {}\n  started {}, ended {}\n  mlpc {}\n\n", run.id, run.workflow, run.ended.empty() ? "did not end" : run.status, run.started,
             run.ended.empty() ? "–" : run.ended, run.command);
  std::vector<std::vector<std::string>> steps{{"step", "kind", "action", "time", "why"}};
  for (const store::RunStep& s : loaded->steps) steps.push_back({s.name, s.kind, std::string(store::name(s.action)), duration_text(s.seconds), s.reason});
  if (steps.size() > 1) fmt::print("{}\n", table(steps, common.colour_out));
  std::vector<std::vector<std::string>> metrics{{"model", "metric", "of", "value", "95% interval", "rows", "on"}};
  for (const store::RunMetric& m : loaded->metrics)
    metrics.push_back({m.model, m.metric, m.slice_column.empty() ? "all" : m.slice_column + " = " + m.slice_value, figure_text(m.value),
                       m.low && m.high ? fmt::format("{} .. {}", figure_text(m.low), figure_text(m.high)) : "–", std::to_string(m.rows), m.on});
  if (metrics.size() > 1) fmt::print("{}\n", table(metrics, common.colour_out));
  std::vector<std::vector<std::string>> gates{{"model", "gate", "status", "value"}};
  for (const store::RunGate& g : loaded->gates) gates.push_back({g.model, g.text, g.status, figure_text(g.value)});
  if (gates.size() > 1) fmt::print("{}\n", table(gates, common.colour_out));
  for (const store::Candidate& c : loaded->candidates) fmt::print("candidate {} version {}: {} ({})\n", c.model, c.version, c.proven ? "proven" : "not proven", c.why);
  if (!loaded->openings.empty()) fmt::print("the test rows were opened for {} models\n", loaded->openings.size());
  return kDone;
}

int models(const Common& common) {
  store::Catalog catalog(directory(common), true);
  auto list = catalog.models();
  if (!list) return report(common, list.error());
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"models", Json::array()}};
    for (const store::Candidate& c : *list)
      json["models"].push_back({{"model", c.model}, {"version", c.version}, {"proven", c.proven}, {"run", c.run}, {"scorer", c.scorer.hex()}, {"why", c.why}});
    print(json);
    return kDone;
  }
  if (list->empty()) {
    fmt::print("no models in {}\n", directory(common));
    return kDone;
  }
  std::vector<std::vector<std::string>> rows{{"model", "version", "proof", "run", "scorer", "why"}};
  for (const store::Candidate& c : *list)
    rows.push_back({c.model, std::to_string(c.version), c.proven ? "proven" : "not proven", c.run, c.scorer.brief(), c.why});
  fmt::print("{}", table(rows, common.colour_out));
  return kDone;
}

int cache_verify(const Common& common) {
  auto store = store::Store::open(directory(common), store::Mode::read_only);
  if (!store) return report(common, store.error());
  auto verified = store->verify();
  if (!verified) return report(common, verified.error());
  store::Catalog catalog(directory(common), true);
  auto integrity = catalog.check_integrity();
  if (!integrity) return report(common, integrity.error());
  auto log = registry::read_audit_log(directory(common));
  if (!log) return report(common, log.error());
  const bool clean = verified->clean() && integrity->empty() && !log->altered;
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"clean", clean}, {"objects", verified->objects}, {"object_bytes", verified->object_bytes},
              {"entries", verified->entries}, {"damaged_manifest_bytes", verified->damaged_manifest_bytes}, {"uncommitted_bytes", verified->uncommitted_bytes}};
    json["damaged"] = Json::array();
    for (const auto* list : {&verified->damaged_objects, &verified->broken_entries})
      for (const store::Damage& d : *list) json["damaged"].push_back({{"digest", d.digest.hex()}, {"what", d.what}});
    json["catalog"] = *integrity;
    json["audit"] = {{"entries", log->entries.size()}, {"altered", log->altered ? Json{{"line", log->altered->line}, {"what", log->altered->what}} : Json(nullptr)}};
    print(json);
  } else {
    for (const auto* list : {&verified->damaged_objects, &verified->broken_entries})
      for (const store::Damage& d : *list) fmt::print("{}: {}\n", d.digest.brief(), d.what);
    for (const std::string& line : *integrity) fmt::print("catalog: {}\n", line);
    if (verified->damaged_manifest_bytes) fmt::print("{} bytes of the manifest are damaged\n", verified->damaged_manifest_bytes);
    if (log->altered) fmt::print("audit log: line {} was altered: {}\n", log->altered->line, log->altered->what);
    const bool anew = verified->clean() && integrity->empty();
    fmt::print("{} objects, {} bytes, {} entries: {}\n", verified->objects, verified->object_bytes, verified->entries,
               clean ? "clean" : anew ? "the audit log was altered" : "damaged; what is damaged is made anew by the next run");
  }
  return clean ? kDone : kEnvironment;
}

int cache_stats(const Common& common) {
  auto store = store::Store::open(directory(common), store::Mode::read_only);
  if (!store) return report(common, store.error());
  auto stats = store->stats();
  if (!stats) return report(common, stats.error());
  const std::vector<std::pair<const char*, std::uint64_t>> lines{
      {"packed_objects", stats->packed_objects}, {"packed_object_bytes", stats->packed_object_bytes}, {"large_objects", stats->large_objects},
      {"large_object_bytes", stats->large_object_bytes}, {"entries", stats->entries}, {"source_stamps", stats->source_stamps}, {"packs", stats->packs},
      {"pack_file_bytes", stats->pack_file_bytes}, {"manifest_bytes", stats->manifest_bytes}, {"catalog_bytes", stats->catalog_bytes}, {"set_aside", stats->set_aside}};
  if (common.format == Format::json) {
    Json json{{"format_version", 1}};
    for (const auto& [key, value] : lines) json[key] = value;
    print(json);
    return kDone;
  }
  std::vector<std::vector<std::string>> rows{{"what", "how much"}};
  for (const auto& [key, value] : lines) {
    std::string words = key;
    for (char& c : words) c = c == '_' ? ' ' : c;
    rows.push_back({words, std::to_string(value)});
  }
  fmt::print("{}", table(rows, common.colour_out));
  return kDone;
}

}  // namespace mlp::cli
