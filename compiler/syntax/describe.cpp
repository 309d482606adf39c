#include "gen/grammar/MlpParser.h"

#include "compiler/syntax/describe.h"

#include <fmt/format.h>

namespace mlp::syntax {

bool opens_bracket(std::uint16_t type) {
  return type == P::LPAREN || type == P::SET_OPEN || type == P::LBRACKET || type == P::LBRACE;
}
bool closes_bracket(std::uint16_t type) {
  return type == P::RPAREN || type == P::RBRACKET || type == P::RBRACE;
}
bool begins_operand(std::uint16_t type) {
  return type == P::INT || type == P::FLOAT || type == P::PERCENT || type == P::DURATION || type == P::STRING ||
         type == P::R_TRUE || type == P::R_FALSE || type == P::R_MISSING || type == P::LPAREN || type == P::LBRACKET ||
         is_name(type);
}
bool ends_operand(std::uint16_t type) {
  return begins_operand(type) ? type != P::LPAREN && type != P::LBRACKET : type == P::RPAREN || type == P::RBRACKET;
}

std::string in_small_letters(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

bool is_null_word(std::string_view word) {
  return is_one_of(in_small_letters(word), {"null", "none", "nil", "nan", "na", "nothing", "undefined", "missing"});
}

std::optional<std::size_t> Place::open_at(std::size_t i) const {
  int depth = 0;
  while (i-- > 0) {
    if (closes_bracket(type(i))) ++depth;
    if (opens_bracket(type(i)) && depth-- == 0) return i;
  }
  return std::nullopt;
}

std::size_t Place::closing(std::size_t i) const {
  int depth = 0;
  for (; i < size(); ++i) {
    if (opens_bracket(type(i))) ++depth;
    if (closes_bracket(type(i)) && --depth == 0) return i;
  }
  return size() - 1;
}

std::size_t Place::entry() const {
  int depth = 0;
  for (std::size_t i = std::min(here, size() - 1); i-- > 0;) {
    if (closes_bracket(type(i))) ++depth;
    if (opens_bracket(type(i)) && depth > 0) {
      --depth;
      continue;
    }
    if (depth == 0 && (type(i) == P::SEP || type(i) == P::LBRACE || (type(i) == P::BAR && at(i).first_in_line)))
      return i + 1;
  }
  return 0;
}

std::size_t Place::begin_of(std::size_t i) const {
  const std::size_t first = entry();
  int depth = 0;
  while (i > first) {
    const std::uint16_t before = type(i - 1);
    if (closes_bracket(before)) ++depth;
    if (opens_bracket(before) && depth-- == 0) break;
    if (depth <= 0 && (before == P::ASSIGN || before == P::COMMA || before == P::COLON || before == P::R_IF ||
                       before == P::R_THEN || before == P::R_ELSE || before == P::R_AND || before == P::R_OR ||
                       before == P::R_NOT || before == P::BAR || before == P::BAD))
      break;
    // `where x …`, `expect x …`: the word that begins the entry is no part of what follows.
    if (depth <= 0 && i - 1 == first && is_name(before) && begins_operand(type(i)) && type(i) != P::LPAREN &&
        type(i) != P::LBRACKET)
      break;
    --i;
  }
  return i;
}

std::size_t Place::end_of(std::size_t i) const {
  int depth = 0;
  for (; i < size(); ++i) {
    const std::uint16_t now = type(i);
    if (opens_bracket(now)) ++depth;
    if (closes_bracket(now) && depth-- == 0) break;
    if (depth == 0 && (now == P::SEP || now == P::END || now == P::COMMA || now == P::COLON || now == P::R_THEN ||
                       now == P::R_ELSE || now == P::R_AND || now == P::R_OR || now == P::K_BECAUSE || now == P::BAR ||
                       now == P::AT || now == P::K_WHEN || now == P::K_FOR))
      break;
  }
  return i;
}

std::string Place::source(std::size_t from, std::size_t end) const {
  if (from >= end) return {};
  std::string out;
  bool blank = false;
  for (const char c : text_.substr(at(from).begin, at(end - 1).end - at(from).begin)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (is_blank && !blank) out += ' ';
    if (!is_blank) out += c;
    blank = is_blank;
  }
  return out;
}

diag::Diagnostic Place::instead(diag::Code code, Span where, std::string message, const std::string& by,
                                bool safe) const {
  const std::string_view shown = std::string_view(by).substr(by.find_first_not_of(' '));
  diag::Diagnostic d = make(code, where, std::move(message),
                            fmt::format("{} `{}`{}", safe ? "write" : "did you mean", shown, safe ? "" : "?"));
  d.fixes.push_back({where, by, fmt::format("write `{}`", shown), safe});
  return d;
}

}  // namespace mlp::syntax
