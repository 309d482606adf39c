#include <algorithm>

#include "compiler/syntax/tokens.h"
#include "gen/grammar/MlpLexer.h"

// The rules of grammar/MlpLexer.g4 by hand. ANTLR's lexer builds its automaton anew in every process, which took longer than all the
// rest of checking a workflow; tests/unit/syntax_scan_test.cpp holds the two against each other.

namespace mlp::syntax {

namespace {

using L = grammar::MlpLexer;
using Scanned = std::pair<std::uint16_t, std::size_t>;  ///< type, and the byte after the token

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_line_end(char c) { return c == '\r' || c == '\n'; }

/// A character: its code point and its bytes.
std::pair<std::uint32_t, std::size_t> character(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t code_point = bytes == 1 ? first : first & (0xFFu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (at + i == text.size()) return {0xFFFD, i};  // an editor's text is not looked through before
    code_point = code_point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  return {code_point, bytes};
}

bool is_letter(std::uint32_t c) {
  if (c < 0x80) return is_ascii_letter(static_cast<char>(c));
  return (c >= 0xC0 && c <= 0xD6) || (c >= 0xD8 && c <= 0xF6) || (c >= 0xF8 && c <= 0x24F) || (c >= 0x370 && c <= 0x1FFF) || (c >= 0x3040 && c <= 0xD7FF);
}

struct Scanner {
  std::string_view text;

  char at(std::size_t i) const { return i < text.size() ? text[i] : '\0'; }
  template <class Keep>
  std::size_t run_of(std::size_t i, Keep keep) const {
    while (i < text.size() && keep(text[i])) ++i;
    return i;
  }
  bool has(std::size_t i, std::string_view what) const { return text.substr(std::min(i, text.size())).starts_with(what); }
  std::size_t line_end(std::size_t i) const { return run_of(i, [](char c) { return !is_line_end(c); }); }

  /// [0-9] ('_'? [0-9])*
  std::size_t digits(std::size_t i) const {
    while (is_digit(at(i)) || (at(i) == '_' && is_digit(at(i + 1)))) ++i;
    return i;
  }

  Scanned number(std::size_t begin) const {
    if (text.size() >= begin + 5 && is_digit(at(begin + 1)) && at(begin + 2) == ':' && is_digit(at(begin + 3)) && is_digit(at(begin + 4)))
      return {L::TIME_OF_DAY, begin + 5};
    std::size_t end = digits(begin);
    std::uint16_t type = L::INT;
    if (at(end) == '.' && is_digit(at(end + 1))) {
      type = L::FLOAT;
      end = digits(end + 1);
      if (at(end) == '.' && is_digit(at(end + 1))) {
        while (at(end) == '.' && is_digit(at(end + 1))) end = digits(end + 1);
        return {L::BAD_NUMBER, end};
      }
    }
    if (at(end) == '%') return {L::PERCENT, end + 1};
    if (!is_ascii_letter(at(end))) return {type, end};
    // Letters are glued to it: an exponent, a unit, or a mistake. The longest counts.
    const std::size_t glued = run_of(end, [](char c) { return is_ascii_letter(c) || is_digit(c); });
    if (at(end) == 'e' || at(end) == 'E') {
      const std::size_t power = end + (at(end + 1) == '+' || at(end + 1) == '-' ? 2 : 1);
      if (const std::size_t after = run_of(power, is_digit); after > power && after >= glued) return {L::FLOAT, after};
    }
    const std::string_view unit = text.substr(end, glued - end);
    for (const std::string_view known : {"ms", "s", "min", "h", "d", "w", "y"})
      if (unit == known) return {L::DURATION, glued};
    return {L::BAD_NUMBER, glued};
  }

  /// A text that begins with the quote at `quote`; `begin` is that, or an `r` before it.
  Scanned string(std::size_t begin, std::size_t quote) const {
    if (has(quote, "\"\"\"")) {
      const std::size_t close = text.find("\"\"\"", quote + 3);
      if (close != std::string_view::npos) return {L::TRIPLE, close + 3};
      std::size_t end = text.size();  // all, save quotes at the very end
      while (end > quote + 3 && text[end - 1] == '"') --end;
      return {L::UNCLOSED_TRIPLE, end};
    }
    std::size_t end = quote + 1;
    while (end < text.size() && text[end] != '"' && !is_line_end(text[end])) {
      if (text[end] == '\\') {
        ++end;
        if (end == text.size() || is_line_end(text[end])) break;  // a last `\` belongs to it
      }
      ++end;
    }
    const bool closed = end < text.size() && text[end] == '"';
    if (begin == quote) return closed ? Scanned{L::STRING, end + 1} : Scanned{L::UNCLOSED, end};
    // In a raw text `\` is a sign as any other. Where the next quote stands behind one, both readings end there or the other is longer.
    const std::size_t raw = run_of(quote + 1, [](char c) { return c != '"' && !is_line_end(c); });
    return at(raw) == '"' && raw + 1 >= end ? Scanned{L::RAW, raw + 1} : Scanned{L::UNCLOSED, end};
  }

  std::size_t word(std::size_t i) const {
    while (i < text.size()) {
      const auto [c, bytes] = character(text, i);
      if (!is_letter(c) && !(c < 0x80 && is_digit(static_cast<char>(c)))) break;
      i += bytes;
    }
    return i;
  }

  Scanned next(std::size_t begin) const {
    const char c = text[begin];
    const auto sign = [&](std::string_view longer, std::uint16_t type, std::uint16_t otherwise) {
      return has(begin, longer) ? Scanned{type, begin + longer.size()} : Scanned{otherwise, begin + 1};
    };
    switch (c) {
      case '#': return {at(begin + 1) == '#' ? L::DOC : L::COMMENT, line_end(begin)};
      case '\n': return {L::NEWLINE, begin + 1};
      case '\r':
        if (at(begin + 1) == '\n') return {L::NEWLINE, begin + 2};
        [[fallthrough]];
      case ' ':
      case '\t':
      case '\f': return {L::BLANK, run_of(begin, [](char b) { return b == ' ' || b == '\t' || b == '\f' || b == '\r'; })};
      case '"': return string(begin, begin);
      case '`': {
        const std::size_t end = run_of(begin + 1, [](char b) { return b != '`' && !is_line_end(b); });
        return at(end) == '`' && end > begin + 1 ? Scanned{L::QUOTED_NAME, end + 1} : Scanned{L::UNCLOSED_NAME, end};
      }
      case '?': return sign("??", L::COALESCE, L::QUESTION);
      case '=': return sign("==", L::EQUAL, L::ASSIGN);
      case '<': return sign("<=", L::LESS_EQUAL, L::LESS);
      case '>': return sign(">=", L::GREATER_EQUAL, L::GREATER);
      case '.': return sign("..", L::RANGE, L::DOT);
      case '-': return sign("->", L::ARROW, L::MINUS);
      case '+': return {L::PLUS, begin + 1};
      case '*': return {L::STAR, begin + 1};
      case '/': return {L::SLASH, begin + 1};
      case '^': return {L::CARET, begin + 1};
      case '|': return {L::BAR, begin + 1};
      case '@': return {L::AT, begin + 1};
      case ':': return {L::COLON, begin + 1};
      case ',': return {L::COMMA, begin + 1};
      case ';': return {L::SEMICOLON, begin + 1};
      case '(': return {L::LPAREN, begin + 1};
      case ')': return {L::RPAREN, begin + 1};
      case '[': return {L::LBRACKET, begin + 1};
      case ']': return {L::RBRACKET, begin + 1};
      case '{': return {L::LBRACE, begin + 1};
      case '}': return {L::RBRACE, begin + 1};
      case '\'': {
        const std::size_t end = run_of(begin + 1, [](char b) { return b != '\'' && !is_line_end(b); });
        return {L::STRANGE, at(end) == '\'' ? end + 1 : end};
      }
      case '!':
        if (at(begin + 1) == '=') return {L::NOT_EQUAL, begin + 2};
        [[fallthrough]];
      case '%':
      case '&':
      case '~':
      case '$':
      case '\\': return {L::STRANGE, run_of(begin, [](char b) { return std::string_view("%&!~$\\").find(b) != std::string_view::npos; })};
      default: break;
    }
    if (is_digit(c)) return number(begin);
    if (c == 'r' && at(begin + 1) == '"') return string(begin, begin + 1);
    const auto [code_point, bytes] = character(text, begin);
    return is_letter(code_point) ? Scanned{L::WORD, word(begin)} : Scanned{L::STRANGE, begin + bytes};
  }
};

}  // namespace

std::pair<std::uint16_t, std::size_t> scan(std::string_view text, std::size_t begin) { return Scanner{text}.next(begin); }

}  // namespace mlp::syntax
