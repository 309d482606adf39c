#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"

namespace mlp {

struct ParseOptions {
  std::size_t most_bytes = 50u << 20;  ///< a larger file is E0109
  int most_depth = 200;                ///< brackets inside one another; more is E0105
};

/// Reads a file of the source map. Mistakes are reported (E01xx, E0206 for an unknown word that begins an entry) and the entry or
/// declaration concerned is left out, so that everything else is there. One mistake gives one report.
ast::File parse(const SourceMap& sources, std::uint32_t file, diag::Sink& sink, const ParseOptions& options = {});

/// Reads an expression that is no part of a source file, such as `Signature::known_when`. Its nodes are appended to `into`,
/// all at the place `at`. Nullopt after a report.
std::optional<ast::ExprId> parse_expression(std::string_view text, Span at, ast::File& into, diag::Sink& sink);

/// Reads a source file that is one expression and nothing else, such as the text of an option; reports have their places in it.
std::optional<ast::ExprId> parse_expression(const SourceMap& sources, std::uint32_t file, ast::File& into, diag::Sink& sink);

/// What deciding between the grammar's alternatives took on a file.
struct GrammarProfile {
  std::int64_t most_lookahead = 0;        ///< tokens
  std::int64_t full_context_retries = 0;  ///< of the fast prediction; the grammar is built so that there are none
  std::string farthest_rule, retrying_rule;
};

/// Parses with ANTLR's profiler, which is slow; for tests.
GrammarProfile profile_grammar(const SourceMap& sources, std::uint32_t file);

/// For `--emit ast`: one line a node, indented, without spans.
std::string dump(const ast::File& file);

}  // namespace mlp
