#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/pages.h"
#include "compiler/diag/render.h"
#include "compiler/types/signature.h"
#include "compiler/types/signature_text.h"

#ifndef MLP_VERSION
#define MLP_VERSION "0.1.0"
#endif

namespace mlp::cli {

namespace {

std::string joined_types(const std::vector<Type>& types) {
  std::string out;
  for (const Type& type : types) out += (out.empty() ? "" : " | ") + to_string(type);
  return out;
}

std::string entry_text(const Signature& entry) {
  std::string out = declaration_text(entry);
  out += "\n";
  if (!entry.predicts.empty()) out += fmt::format("  predicts {}\n", joined_types(entry.predicts));
  if (!entry.takes.empty()) out += fmt::format("  takes {}\n", joined_types(entry.takes));
  if (entry.cross_fit) out += fmt::format("  cross-fitted in {} folds: training rows get out-of-fold values\n", entry.cross_fit);
  if (!entry.doc.empty()) out += fmt::format("  {}\n", entry.doc);
  return out;
}

/// A page as a terminal shows it: code is indented, and what stands in comments is for the tests.
std::string without_markdown(std::string_view page) {
  std::string out;
  bool code = false, comment = false;
  for (std::size_t from = 0; from < page.size();) {
    const std::size_t to = std::min(page.find('\n', from), page.size());
    const std::string_view line = page.substr(from, to - from);
    from = to + 1;
    if (line.starts_with("<!--")) comment = true;
    const bool hidden = comment;
    if (line.ends_with("-->")) comment = false;
    if (hidden) {
      if (out.ends_with("\n\n")) out.pop_back();
    } else if (line.starts_with("```")) {
      code = !code;
    } else {
      if (code && !line.empty()) out += "    ";
      out += line;
      out += '\n';
    }
  }
  return out;
}

int print_page(const Common& common, const std::string& what, const std::string& text) {
  if (common.format == Format::json)
    fmt::print("{}\n", nlohmann::ordered_json{{"format_version", 1}, {"name", what}, {"text", text}}.dump());
  else
    fmt::print("{}", without_markdown(text));
  return kDone;
}

}  // namespace

int explain(const Common& common, const std::string& what) {
  for (const Page& page : pages()) {
    if (page.code == what) return print_page(common, what, std::string(page.text));
  }
  std::vector<std::string_view> names;
  std::string found;
  for (const Signature& entry : standard_library()) {
    names.push_back(entry.name);
    if (entry.name != what) continue;
    found += entry_text(entry);
  }
  if (!found.empty()) return print_page(common, what, found);
  for (const Page& page : pages()) names.push_back(page.code);
  const std::string_view near = diag::did_you_mean(what, names);
  return report(common, failure(diag::Code::E0908, fmt::format("there is no code and no entry of the standard library `{}`", what),
                                near.empty() ? "codes look like E0302; entries like standardize" : fmt::format("did you mean `{}`?", near))
                            .error());
}

std::string_view version_text() { return MLP_VERSION; }

int version(const Common& common) {
  if (common.format == Format::json)
    fmt::print("{{\"format_version\":1,\"version\":\"{}\"}}\n", MLP_VERSION);
  else
    fmt::print("mlpc {}\n", MLP_VERSION);
  return kDone;
}

}  // namespace mlp::cli
