#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/span.h"
#include "compiler/syntax/parse.h"

/// Between lexer and parser: words are told apart, brackets are matched, separators are put in, and the file is cut into
/// declarations, each of which is parsed on its own.
namespace mlp::syntax {

/// A token: its type as the grammar numbers them, and its bytes in the file.
struct Lexeme {
  std::uint16_t type = 0;
  bool first_in_line = false;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::int32_t doc = -1;  ///< index of the `##` text before it
  bool mended = false;    ///< it stands for something else, which was reported
};

/// The tokens of one declaration, END last.
struct Chunk {
  std::vector<Lexeme> lexemes;
  bool reported = false;  ///< its brackets were reported: what the parser finds is a consequence
};

struct Tokens {
  std::vector<Chunk> chunks;
  std::vector<std::string> docs;
};

/// What the lexer gives, before words are told apart: without blanks and comments.
struct RawTokens {
  std::vector<Lexeme> lexemes;
  std::vector<std::string> docs;
};

/// The token that begins at a byte of the text (not at its end): its type as grammar/MlpLexer.g4 numbers them, blanks and comments
/// among them, and the byte after it.
std::pair<std::uint16_t, std::size_t> scan(std::string_view text, std::size_t begin);

/// More tokens make no workflow for people, and their trees would take gigabytes. E0109.
constexpr std::size_t kMostTokens = 2'000'000;
/// Longer names, in bytes, would fill every message that mentions them. E0110.
constexpr std::size_t kLongestName = 255;
/// Names in a path, `a.b.c`; more are E0110 too.
constexpr std::size_t kMostParts = 16;

/// Runs the lexer. Characters, numbers and texts that are no tokens are reported; BAD tokens stand for them. Of a text with too many
/// tokens nothing is left.
RawTokens lex(std::string_view text, std::uint32_t file, diag::Sink& sink);

/// The whole way from text to declarations.
Tokens tokenize(std::string_view text, std::uint32_t file, diag::Sink& sink, const ParseOptions& options);

/// Token type of a word: K_…, R_… or WORD.
std::uint16_t word_type(std::string_view word);
/// The word of a K_… or R_… type, empty for other types.
std::string_view keyword(std::uint16_t type);
bool is_reserved(std::uint16_t type);
/// `WORD`, a quoted name or a keyword that is not reserved.
bool is_name(std::uint16_t type);

}  // namespace mlp::syntax
