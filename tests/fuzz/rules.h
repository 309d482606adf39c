#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What must hold for every text, right or wrong, that is given to the compiler. Shared by the fuzzers, by the replay of their
/// corpus and by the mutation property. Each function gives an empty string, or which rule was broken and how.
namespace mlp::rules {

/// What the checker said about a text.
struct Outcome {
  bool accepted = false;
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::string codes;  ///< of the errors, in their order, with blanks between
};

/// Lexer, parser and formatter: what is well formed can be formatted, formatting keeps the meaning, and a formatted text stays as
/// it is. What is not well formed has diagnostics that keep the rules of `check`.
std::string parse(std::string_view text);

/// The whole checker: rejected exactly when there are errors; every diagnostic has a message and a help text without words from
/// the inside of mlpc, and places inside the file; every rendering of them works.
std::string check(std::string_view text, Outcome* outcome = nullptr);

/// The metadata of Arrow files, as message, schema, footer and batch: what is refused is refused with a word, and what is not lies inside of its body.
std::string arrow(std::string_view bytes);

}  // namespace mlp::rules
