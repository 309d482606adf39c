#include <nlohmann/json.hpp>

#include "compiler/diag/places.h"
#include "compiler/diag/render.h"

namespace mlp::diag {

namespace {

using Json = nlohmann::ordered_json;

void put_place(Json& out, Span span, const SourceMap& sources, Places& places) {
  if (!span || span.file >= sources.size()) {
    out["file"] = nullptr;
    return;
  }
  const LineColumn begin = places.locate(span.file, span.begin), end = places.locate(span.file, span.end);
  out["file"] = sources.file(span.file).path;
  out["line"] = begin.line;
  out["column"] = begin.column;
  out["end_line"] = end.line;
  out["end_column"] = end.column;
}

Json to_json(const Diagnostic& d, const SourceMap& sources, Places& places) {
  Json out;
  out["code"] = name(d.code);
  out["severity"] = severity(d.code) == Severity::error ? "error" : "warning";
  out["message"] = d.message;
  put_place(out, d.span, sources, places);
  Json labels = Json::array();
  if (!d.label.empty()) {
    Json label;
    label["text"] = d.label;
    put_place(label, d.span, sources, places);
    labels.push_back(std::move(label));
  }
  for (const Label& l : d.secondary) {
    Json label;
    label["text"] = l.text;
    put_place(label, l.span, sources, places);
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
    put_place(fix, f.span, sources, places);
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

std::string render_json(const Diagnostic& diagnostic, const SourceMap& sources) {
  Places places(sources);
  return write(to_json(diagnostic, sources, places));
}

namespace {

struct Counts {
  std::size_t errors = 0, warnings = 0;
  void add(const Diagnostic& d) { ++(severity(d.code) == Severity::error ? errors : warnings); }
};

/// Written one by one: as one value, those of a file of nothing but mistakes would take gigabytes.
void append_elements(std::string& list, const std::vector<Diagnostic>& diagnostics, const SourceMap& sources, Counts& counts) {
  Places places(sources);
  for (const Diagnostic& d : diagnostics) {
    counts.add(d);
    if (!list.empty()) list += ',';
    list += write(to_json(d, sources, places));
  }
}

/// `list`: the elements of "diagnostics"; `more`: further members or nothing.
std::string document(const Counts& counts, const std::string& list, const std::string& more) {
  Json head;
  head["format_version"] = 1;
  head["valid"] = counts.errors == 0;
  head["error_count"] = counts.errors;
  head["warning_count"] = counts.warnings;
  std::string out = write(head);
  out.pop_back();
  out += ",\"diagnostics\":[";
  out += list;
  out += ']';
  if (!more.empty()) out += ',' + more;
  return out + '}';
}

}  // namespace

std::string render_json(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources) {
  Counts counts;
  std::string list;
  append_elements(list, diagnostics, sources, counts);
  return document(counts, list, {});
}

std::string render_json(std::span<const FileReport> files, const std::string& more) {
  Counts all;
  std::string list;
  Json each = Json::array();
  for (const FileReport& file : files) {
    Counts counts;
    append_elements(list, *file.diagnostics, *file.sources, counts);
    all.errors += counts.errors;
    all.warnings += counts.warnings;
    each.push_back(Json{{"file", file.path}, {"valid", counts.errors == 0}, {"error_count", counts.errors}, {"warning_count", counts.warnings}});
  }
  std::string members = "\"files\":" + write(each);
  if (!more.empty()) members += ',' + more;
  return document(all, list, members);
}

}  // namespace mlp::diag
