#pragma once

// For the .cpp files of this folder only; they include gen/grammar/MlpParser.h first.

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using Found = std::optional<diag::Diagnostic>;

/// Where a declaration stopped fitting the grammar: the tokens around that place, and what would have fitted.
class Place {
 public:
  Place(const Mismatch& m, const Chunk& chunk, std::string_view text, std::uint32_t file)
      : m_(m), all_(chunk.lexemes), text_(text), file_(file), here(m.at) {}

  const Lexeme& at(std::size_t i) const { return all_[std::min(i, all_.size() - 1)]; }
  std::uint16_t type(std::size_t i) const { return at(i).type; }
  std::uint16_t type() const { return at(here).type; }
  std::string_view word(std::size_t i) const { return text_.substr(at(i).begin, at(i).end - at(i).begin); }
  std::string_view word() const { return word(here); }
  Span span(std::size_t i) const { return {file_, at(i).begin, at(i).end}; }
  Span span(std::size_t from, std::size_t last) const { return {file_, at(from).begin, at(last).end}; }
  std::size_t size() const { return all_.size(); }
  std::size_t start() const { return m_.start; }
  const std::vector<std::uint16_t>& expected() const { return m_.expected; }
  bool expects(std::uint16_t type) const { return std::ranges::find(m_.expected, type) != m_.expected.end(); }
  /// An operator could stand here: something that is complete stands before.
  bool expects_operator() const { return expects(P::EQUAL); }
  bool in(std::string_view rule) const { return std::ranges::find(m_.rules, rule) != m_.rules.end(); }
  std::string_view rule() const { return m_.rules.empty() ? std::string_view() : std::string_view(m_.rules.front()); }
  bool ends_line() const {
    return type() == P::SEP || type() == P::END || type() == P::RBRACE || at(here).first_in_line;
  }
  bool glued(std::size_t i) const { return i + 1 < all_.size() && all_[i].end == all_[i + 1].begin; }

  /// The first token of the entry, stage or declaration that `here` stands in.
  std::size_t entry() const;
  /// Where the operand or expression that ends before `i` begins, and where one that begins at `i` ends, by the signs around it.
  std::size_t begin_of(std::size_t i) const;
  std::size_t end_of(std::size_t i) const;
  /// The bracket that is open at `i`, or nullopt.
  std::optional<std::size_t> open_at(std::size_t i) const;
  /// The bracket that closes the one at `i`, or the last token.
  std::size_t closing(std::size_t i) const;
  /// The source of the tokens [from, end), on one line.
  std::string source(std::size_t from, std::size_t end) const;

  diag::Diagnostic make(diag::Code code, Span where, std::string message, std::string help = {}) const {
    return diag::make(code, where, std::move(message)).with_help(std::move(help));
  }
  /// A report whose help says what to write instead of its place, with the fix that does so.
  diag::Diagnostic instead(diag::Code code, Span where, std::string message, const std::string& by, bool safe) const;

 private:
  const Mismatch& m_;
  const std::vector<Lexeme>& all_;
  std::string_view text_;
  std::uint32_t file_;

 public:
  const std::size_t here;  ///< the token that does not fit
};

inline bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}
std::string in_small_letters(std::string_view word);
/// What other languages call a value that is not there.
bool is_null_word(std::string_view word);
bool opens_bracket(std::uint16_t type);
bool closes_bracket(std::uint16_t type);
bool begins_operand(std::uint16_t type);
bool ends_operand(std::uint16_t type);

// What comes from the habit of other languages; nullopt where it is none of it.
Found foreign_declaration(const Place& place);  ///< foreign_declarations.cpp
Found foreign_entry(const Place& place);        ///< foreign_entries.cpp
Found foreign_expression(const Place& place);   ///< foreign_expressions.cpp

/// Whether a line between declarations goes on with a statement of another language that was reported, and began with that word: it
/// is indented, or a clause of SQL.
bool continues_foreign(std::string_view statement, const Chunk& chunk, std::string_view text);

}  // namespace mlp::syntax
