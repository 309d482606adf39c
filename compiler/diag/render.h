#pragma once

#include <span>
#include <string>

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

/// The candidate nearest to `name` by edit distance (transpositions count one), if near enough to be meant; empty otherwise.
std::string_view did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace mlp::diag
