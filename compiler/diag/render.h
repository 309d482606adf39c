#pragma once

#include <span>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"

namespace mlp::diag {

struct TextOptions {
  bool colour = false;
  std::size_t most = 20;  ///< shown in full; the rest is counted
};

/// For people: header, source lines with carets, notes and help, as docs/language.md section 7 shows.
std::string render_text(const Diagnostic& diagnostic, const SourceMap& sources, const TextOptions& options = {});
std::string render_text(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources, const TextOptions& options = {});

/// The `check` document of docs/json.md: {"format_version":1,"valid":…,"diagnostics":[…]}.
std::string render_json(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources);
/// One element of its "diagnostics".
std::string render_json(const Diagnostic& diagnostic, const SourceMap& sources);

/// What a check found in one file, for the documents that are about several.
struct FileReport {
  std::string path;
  const std::vector<Diagnostic>* diagnostics = nullptr;
  const SourceMap* sources = nullptr;  ///< of these diagnostics
};

/// One "diagnostics" after another, the counts of all and of each file under "files". `more`: further members, `"key":value,…`, or empty.
std::string render_json(std::span<const FileReport> files, const std::string& more = {});

/// A SARIF 2.1.0 log (OASIS, 27 March 2020) of one run: the rules that were broken, with their pages, and the results. Columns count
/// UTF-16 code units. `page` gives the Markdown of a code, or nothing.
std::string render_sarif(std::span<const FileReport> files, std::string_view version, std::string_view (*page)(Code));

/// The candidate nearest to `name` by edit distance (transpositions count one), if near enough to be meant; empty otherwise.
std::string_view did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace mlp::diag
