#include <nlohmann/json.hpp>

#include "compiler/diag/render.h"

namespace mlp::diag {

namespace {

using Json = nlohmann::ordered_json;

void put_place(Json& out, Span span, const SourceMap& sources) {
  if (!span || span.file >= sources.size()) {
    out["file"] = nullptr;
    return;
  }
  const LineColumn begin = sources.locate(span.file, span.begin), end = sources.locate(span.file, span.end);
  out["file"] = sources.file(span.file).path;
  out["line"] = begin.line;
  out["column"] = begin.column;
  out["end_line"] = end.line;
  out["end_column"] = end.column;
}

Json to_json(const Diagnostic& d, const SourceMap& sources) {
  Json out;
  out["code"] = name(d.code);
  out["severity"] = severity(d.code) == Severity::error ? "error" : "warning";
  out["message"] = d.message;
  put_place(out, d.span, sources);
  Json labels = Json::array();
  if (!d.label.empty()) {
    Json label;
    label["text"] = d.label;
    put_place(label, d.span, sources);
    labels.push_back(std::move(label));
  }
  for (const Label& l : d.secondary) {
    Json label;
    label["text"] = l.text;
    put_place(label, l.span, sources);
    labels.push_back(std::move(label));
  }
  out["labels"] = std::move(labels);
  out["help"] = d.help;
  out["notes"] = d.notes;
  Json fixes = Json::array();
  for (const Fix& f : d.fixes) {
    Json fix;
    fix["title"] = f.title;
    fix["replacement"] = f.replacement;
    fix["safe"] = f.safe;
    put_place(fix, f.span, sources);
    fixes.push_back(std::move(fix));
  }
  out["fixes"] = std::move(fixes);
  if (!d.places.empty()) {
    Json rows = Json::array();
    for (const DataPlace& p : d.places)
      rows.push_back(Json{{"file", p.file}, {"line", p.line}, {"column", p.column}, {"value", p.value}, {"reason", p.reason}});
    out["rows"] = std::move(rows);
    out["more_rows"] = d.more_places;
  }
  return out;
}

/// A value read from a file may hold any bytes; what is not UTF-8 is replaced, never thrown.
std::string write(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string render_json(const Diagnostic& diagnostic, const SourceMap& sources) { return write(to_json(diagnostic, sources)); }

namespace {

struct Counts {
  std::size_t errors = 0, warnings = 0;
  void add(const Diagnostic& d) { ++(severity(d.code) == Severity::error ? errors : warnings); }
};

Json document(const Counts& counts, Json list) {
  Json out;
  out["format_version"] = 1;
  out["valid"] = counts.errors == 0;
  out["error_count"] = counts.errors;
  out["warning_count"] = counts.warnings;
  out["diagnostics"] = std::move(list);
  return out;
}

}  // namespace

std::string render_json(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources) {
  Counts counts;
  Json list = Json::array();
  for (const Diagnostic& d : diagnostics) {
    counts.add(d);
    list.push_back(to_json(d, sources));
  }
  return write(document(counts, std::move(list)));
}

std::string render_json(std::span<const FileReport> files, const std::string& more) {
  Counts all;
  Json list = Json::array(), each = Json::array();
  for (const FileReport& file : files) {
    Counts counts;
    for (const Diagnostic& d : *file.diagnostics) {
      counts.add(d);
      all.add(d);
      list.push_back(to_json(d, *file.sources));
    }
    each.push_back(Json{{"file", file.path}, {"valid", counts.errors == 0}, {"error_count", counts.errors}, {"warning_count", counts.warnings}});
  }
  Json out = document(all, std::move(list));
  out["files"] = std::move(each);
  std::string text = write(out);
  if (!more.empty()) text.insert(text.size() - 1, "," + more);
  return text;
}

}  // namespace mlp::diag
