#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

#include "compiler/diag/places.h"
#include "compiler/diag/render.h"

namespace mlp::diag {

namespace {

using Json = nlohmann::ordered_json;

/// A path as a URI reference (RFC 3986): all but the unreserved characters and `/` as percent-encoded bytes. A colon in the first
/// segment would read as a scheme, so it is encoded too.
std::string uri(std::string_view path) {
  std::string out = path.starts_with('/') ? "file://" : "";
  while (path.starts_with("./")) path.remove_prefix(2);
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Json region(Places& places, Span span) {
  const LineColumn begin = places.locate_utf16(span.file, span.begin), end = places.locate_utf16(span.file, span.end);
  return {{"startLine", begin.line}, {"startColumn", begin.column}, {"endLine", end.line}, {"endColumn", end.column}};
}

Json artifact(const SourceMap& sources, Span span) { return {{"uri", uri(sources.file(span.file).path)}}; }

bool has_place(const SourceMap& sources, Span span) { return span && span.file < sources.size(); }

Json location(const SourceMap& sources, Places& places, Span span, std::string_view text) {
  Json out;
  out["physicalLocation"] = {{"artifactLocation", artifact(sources, span)}, {"region", region(places, span)}};
  if (!text.empty()) out["message"] = {{"text", text}};
  return out;
}

/// Elements are written one by one: as one value, those of a file of nothing but mistakes would take gigabytes.
void append_element(std::string& list, const Json& element) {
  if (!list.empty()) list += ',';
  list += element.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json result(const Diagnostic& d, const SourceMap& sources, Places& places, std::size_t rule) {
  Json out;
  out["ruleId"] = name(d.code);
  out["ruleIndex"] = rule;
  out["level"] = severity(d.code) == Severity::error ? "error" : "warning";
  std::string text = d.message;
  for (const std::string& note : d.notes) text += "\nnote: " + note;
  if (!d.help.empty()) text += "\nhelp: " + d.help;
  out["message"] = {{"text", std::move(text)}};
  out["locations"] = Json::array();
  if (has_place(sources, d.span)) out["locations"].push_back(location(sources, places, d.span, d.label));
  Json related = Json::array();
  for (const Label& label : d.secondary)
    if (has_place(sources, label.span)) {
      Json place = location(sources, places, label.span, label.text);
      place["id"] = related.size() + 1;
      related.push_back(std::move(place));
    }
  if (!related.empty()) out["relatedLocations"] = std::move(related);
  Json fixes = Json::array();
  for (const Fix& fix : d.fixes) {
    if (!has_place(sources, fix.span)) continue;
    const Json replacement{{"deletedRegion", region(places, fix.span)}, {"insertedContent", {{"text", fix.replacement}}}};
    Json one;
    one["description"] = {{"text", fix.title}};
    one["artifactChanges"] = Json::array({Json{{"artifactLocation", artifact(sources, fix.span)}, {"replacements", Json::array({replacement})}}});
    one["properties"] = {{"safe", fix.safe}};
    fixes.push_back(std::move(one));
  }
  if (!fixes.empty()) out["fixes"] = std::move(fixes);
  return out;
}

}  // namespace

std::string render_sarif(std::span<const FileReport> files, std::string_view version, std::string_view (*page)(Code)) {
  std::set<Code> broken;
  bool failed = false;
  for (const FileReport& file : files)
    for (const Diagnostic& d : *file.diagnostics) {
      broken.insert(d.code);
      failed = failed || exit_status(d.code) == 5;
    }
  Json rules = Json::array();
  for (const Code code : broken) {
    Json rule;
    rule["id"] = name(code);
    rule["shortDescription"] = {{"text", title(code)}};
    if (const std::string_view text = page(code); !text.empty()) rule["help"] = {{"text", text}, {"markdown", text}};
    rule["defaultConfiguration"] = {{"level", severity(code) == Severity::error ? "error" : "warning"}};
    rules.push_back(std::move(rule));
  }
  Json artifacts = Json::array();
  std::string results;
  for (const FileReport& file : files) {
    artifacts.push_back({{"location", {{"uri", uri(file.path)}}}});
    Places places(*file.sources);
    for (const Diagnostic& d : *file.diagnostics)
      append_element(results, result(d, *file.sources, places, static_cast<std::size_t>(std::distance(broken.begin(), broken.find(d.code)))));
  }
  Json run;
  run["tool"] = {{"driver", {{"name", "mlpc"}, {"version", version}, {"semanticVersion", version}, {"rules", std::move(rules)}}}};
  // Mistakes in a workflow are results; a file that could not be read is a failure of the check itself.
  run["invocations"] = Json::array({Json{{"executionSuccessful", !failed}}});
  run["artifacts"] = std::move(artifacts);
  run["columnKind"] = "utf16CodeUnits";
  run["results"] = Json::array();
  Json log;
  log["$schema"] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";
  log["version"] = "2.1.0";
  log["runs"] = Json::array({std::move(run)});
  std::string text = log.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.insert(text.size() - std::string_view("]}]}").size(), results);
}

}  // namespace mlp::diag
