#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/lsp/analysis.h"
#include "compiler/syntax/tokens.h"

namespace mlp::lsp {

/// What stands at a place of a document.
struct Meaning {
  Span at;
  std::variant<const Symbol*, LibraryName, EntryWord> what;
};

/// `last_good`: the newest version of the document without errors, nullptr where there was none; it helps where an entry or a
/// declaration could not be read. A symbol may be one of `last_good`; then its spans are of that version.
std::optional<Meaning> find_meaning(const Analysis& now, const Analysis* last_good, std::uint32_t offset);

/// The columns that an owner (a table, view or model) has now; those that it had, where it cannot be read.
const Columns* columns_now_or_before(const Analysis& now, const Analysis* last_good, std::string_view owner, const Analysis*& from);

/// A few lines of code, and what is to be said about them.
struct Hover {
  Span at;
  std::string code;
  std::string text;
};
std::optional<Hover> hover(const Analysis& now, const Analysis* last_good, std::uint32_t offset);

/// Where the name at the byte is declared, in `now`; nowhere for what no file declares.
Span definition(const Analysis& now, const Analysis* last_good, std::uint32_t offset);

/// Declarations and documentation of an entry of the standard library, all overloads.
Hover library_page(const LibraryName& name);

/// The tokens of the document; none where the text is no text.
std::vector<syntax::Lexeme> tokens_of(const Analysis& analysis);

}  // namespace mlp::lsp
