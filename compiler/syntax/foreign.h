#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/syntax/tokens.h"

/// What is written out of the habit of another language, or pasted from a document: each has a message of its own. Where the meaning is
/// certain it is read as meant, so that the rest of its line is checked too.
namespace mlp::syntax {

/// A token of the lexer that is none of the language, or may begin a comment of another one.
struct Reading {
  std::string_view text;
  std::uint32_t file = 0;
  std::uint32_t begin = 0, end = 0;
  bool first_in_line = false;
  const std::vector<Lexeme>& before;  ///< the tokens so far
};

/// What was found at a Reading, and what it is read as.
struct Foreign {
  diag::Diagnostic report;
  std::uint32_t end = 0;   ///< where the lexer goes on
  std::uint16_t type = 0;  ///< of the token that stands for [begin, end); 0: it is read as a blank
};

// Characters of a text, for the foreign_*.cpp files.
inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// How far a look ahead goes, in bytes: what a sign stands for is seen near it, and every sign may look.
constexpr std::size_t kFarthest = 1 << 14;

/// The end of the line, without the blanks before it.
inline std::uint32_t line_end(std::string_view text, std::uint32_t from) {
  auto end = static_cast<std::uint32_t>(std::min(text.find('\n', from), text.size()));
  while (end > from && is_blank(text[end - 1]))
    --end;
  return end;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

/// A comment as other languages write it (`//`, `--`, `/* */` …), or an address without quotes; nullopt where none begins.
std::optional<Foreign> foreign_comment(const Reading& at);

/// Warns of comments that look like an import: `#include "a.mlp"`.
void warn_of_comments(std::string_view text, std::uint32_t file, const std::vector<Lexeme>& all, diag::Sink& sink);

/// Characters that begin no token: signs of other languages, quotes and blanks of a word processor.
Foreign foreign_characters(const Reading& at);

/// A number or duration that is not well formed.
diag::Diagnostic describe_bad_number(const Reading& at);

/// Operators of other languages that the lexer took for several signs of this one, such as `<>`, `**` and `:=`. Those whose meaning
/// is certain become one token, the others BAD.
void join_foreign_operators(std::vector<Lexeme>& all, std::string_view text, std::uint32_t file, diag::Sink& sink);

/// "`7d`" where the text of a quoted or spaced duration (`7 days`, `7d`) is one, else empty.
std::string duration_of(std::string_view text);

}  // namespace mlp::syntax
