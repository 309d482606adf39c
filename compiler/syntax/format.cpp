#include "compiler/syntax/format.h"

#include <algorithm>
#include <set>
#include <vector>

#include "compiler/support/check.h"
#include "compiler/support/text.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/tokens.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp {

namespace {

using L = grammar::MlpLexer;
using syntax::Lexeme;

constexpr std::size_t kIndent = 4, kLongestField = 9;

enum class Column : std::uint8_t { none, colon, assign, field };

/// A line of the result.
struct Row {
  std::vector<std::size_t> lexemes;  ///< positions; none: a comment alone
  std::string comment;
  bool blank_before = false;
  bool begins_declaration = false;
  std::size_t indent = 0;
  Column column = Column::none;      ///< what is set below the same of its neighbours, after the first word
  std::size_t head_lexemes = 0;      ///< what stands before the column
  std::size_t type_lexemes = 0;      ///< and, of a column with a type and a value, what stands before its `=`
  std::string head, type, rest;      ///< the same as texts, and what follows; without a column all is in `rest`
  std::size_t block = 0;             ///< the declaration it belongs to
};

bool opens(std::uint16_t type) { return type == L::LPAREN || type == L::SET_OPEN || type == L::LBRACKET || type == L::LBRACE; }
bool closes(std::uint16_t type) { return type == L::RPAREN || type == L::RBRACKET || type == L::RBRACE; }
bool is_sign(std::uint16_t type) { return type == L::MINUS || type == L::PLUS; }

struct Formatter {
  std::string_view text;
  std::vector<Lexeme> all;
  std::set<std::uint32_t> entries = {};       ///< where an entry or a declaration begins
  std::set<std::uint32_t> declarations = {};
  std::vector<Row> rows = {};

  std::string_view word(std::size_t i) const { return text.substr(all[i].begin, all[i].end - all[i].begin); }
  std::uint16_t type(std::size_t i) const { return all[i].type; }
  bool is_keyword(std::size_t i) const { return !syntax::keyword(type(i)).empty(); }
  bool had_space(std::size_t i) const { return i > 0 && all[i - 1].end < all[i].begin; }

  /// `-` and `+` before an operand rather than between two.
  bool is_unary(std::size_t i) const {
    if (!is_sign(type(i)) || i == 0) return is_sign(type(i));
    const std::uint16_t before = type(i - 1);
    if (before == L::INT || before == L::FLOAT || before == L::PERCENT || before == L::DURATION || before == L::STRING || before == L::WORD || before == L::QUOTED_NAME ||
        before == L::R_TRUE || before == L::R_FALSE || before == L::R_MISSING || closes(before))
      return false;
    // A word of the language may be a name here: as it was written.
    if (is_keyword(i - 1) && !syntax::is_reserved(before)) return had_space(i) && i + 1 < all.size() && !had_space(i + 1);
    return true;
  }

  bool space_before(std::size_t i) const {
    const std::uint16_t before = type(i - 1), now = type(i);
    if (now == L::RPAREN || now == L::RBRACKET || now == L::COMMA || now == L::SEMICOLON || now == L::QUESTION || now == L::DOT || now == L::RANGE || now == L::COLON) return false;
    if (before == L::LPAREN || before == L::LBRACKET || before == L::DOT || before == L::RANGE || before == L::AT) return false;
    if (before == L::MINUS && now == L::MINUS) return true;  // `--` would look like a comment
    if (is_unary(i - 1)) return false;
    if (now == L::CARET || before == L::CARET) return false;
    // refit train+validation
    if (now == L::PLUS && is_keyword(i - 1) && !syntax::is_reserved(before)) return had_space(i);
    if (before == L::PLUS && i > 1 && is_keyword(i - 2) && !syntax::is_reserved(type(i - 2))) return had_space(i);
    // 70/15/15
    if (now == L::SLASH && before == L::INT) return had_space(i);
    if (before == L::SLASH && now == L::INT) return had_space(i);
    if (now == L::LPAREN) {
      if (before == L::WORD || before == L::QUOTED_NAME) return false;
      if (before == L::R_MISSING || (is_keyword(i - 1) && !syntax::is_reserved(before)) || closes(before)) return had_space(i);
      return true;
    }
    if (now == L::LBRACKET && (before == L::WORD || before == L::QUOTED_NAME || is_keyword(i - 1) || closes(before))) return had_space(i);
    return true;
  }

  /// The lines as they stand, with their comments.
  void read_rows() {
    Row row;
    std::size_t newlines = 0;
    bool has_row = false;
    const auto finish = [&] {
      if (!has_row) return;
      rows.push_back(std::move(row));
      row = {};
      has_row = false;
    };
    const auto begin = [&] {
      finish();
      row.blank_before = newlines > 1 && !rows.empty();
      newlines = 0;
      has_row = true;
    };
    const auto gap = [&](std::uint32_t from, std::uint32_t to) {
      for (std::uint32_t at = from; at < to;) {
        if (text[at] == '\n') {
          ++newlines;
          ++at;
        } else if (text[at] == '#') {
          std::uint32_t end = at;
          while (end < to && text[end] != '\n') ++end;
          std::string_view comment = text.substr(at, end - at);
          while (comment.ends_with(' ') || comment.ends_with('\t') || comment.ends_with('\r')) comment.remove_suffix(1);
          if (newlines > 0 || !has_row) begin();
          row.comment = comment;
          at = end;
        } else {
          ++at;
        }
      }
    };
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      gap(at, all[i].begin);
      if (newlines > 0 || !has_row || !row.comment.empty()) begin();
      row.lexemes.push_back(i);
      at = all[i].end;
    }
    gap(at, static_cast<std::uint32_t>(text.size()));
    finish();
  }

  void indent_rows() {
    struct Open {
      std::uint16_t type;
      std::size_t indent;  ///< of its line
    };
    std::vector<Open> open;
    std::size_t declaration = 0;
    std::uint16_t kind = L::END;  ///< first word of the declaration
    for (Row& row : rows) {
      const std::size_t inside = open.empty() ? 0 : open.back().indent + kIndent;
      row.indent = inside;
      if (row.lexemes.empty()) {
        row.block = declaration;
        continue;
      }
      const std::size_t first = row.lexemes.front();
      row.begins_declaration = declarations.contains(all[first].begin);
      if (row.begins_declaration) ++declaration, kind = type(first);
      row.block = declaration;
      const bool in_block = open.empty() || open.back().type == L::LBRACE;
      const bool begins_entry = entries.contains(all[first].begin) || (first > 0 && (type(first - 1) == L::LBRACE || type(first - 1) == L::SEMICOLON));
      if (closes(type(first)) && !open.empty()) row.indent = open.back().indent;
      else if (in_block && !begins_entry && first > 0 && type(first - 1) != L::COMMA) row.indent += kIndent;
      if (open.size() == 1 && open.back().type == L::LBRACE && begins_entry && row.lexemes.size() > 1) {
        // `latitude, longitude : float`
        std::size_t names = 0;
        while (names + 1 < row.lexemes.size() && syntax::is_name(type(row.lexemes[names])) && (names == 0 || type(row.lexemes[names - 1]) == L::COMMA)) {
          ++names;
          if (type(row.lexemes[names]) != L::COMMA) break;
          ++names;
        }
        const std::uint16_t after = type(row.lexemes[std::min(names, row.lexemes.size() - 1)]);
        row.head_lexemes = names;
        if (names > 0 && after == L::COLON) row.column = kind == L::K_DATA ? Column::colon : Column::none;
        if (row.column == Column::colon) {
          int depth = 0;
          for (std::size_t k = names; k < row.lexemes.size() && row.type_lexemes == 0; ++k) {
            depth += opens(type(row.lexemes[k])) - closes(type(row.lexemes[k]));
            if (depth == 0 && type(row.lexemes[k]) == L::ASSIGN) row.type_lexemes = k;
          }
        } else if (names == 1 && after == L::ASSIGN) {
          row.column = Column::assign;
        } else if (after != L::COLON && is_keyword(first) && (kind == L::K_TRAIN || kind == L::K_EVALUATE || kind == L::K_MONITOR || kind == L::K_TEST || kind == L::K_EXPLORE)) {
          row.column = Column::field;
          row.head_lexemes = 1;
        }
      }
      for (const std::size_t i : row.lexemes) {
        if (opens(type(i))) open.push_back({type(i) == L::SET_OPEN ? static_cast<std::uint16_t>(L::LPAREN) : type(i), row.indent});
        else if (closes(type(i)) && !open.empty()) open.pop_back();
      }
    }
  }

  void write_rows() {
    for (Row& row : rows) {
      std::string& out = row.rest;
      for (std::size_t k = 0; k < row.lexemes.size(); ++k) {
        const std::size_t i = row.lexemes[k];
        if (k == row.head_lexemes && row.column != Column::none) {
          row.head = std::move(out);
          out.clear();
          out += word(i);
          continue;
        }
        if (k > 0 && k == row.type_lexemes) {
          row.type = std::move(out);
          out.clear();
          out += word(i);
          continue;
        }
        if (k > 0 && space_before(i)) out += ' ';
        out += word(i);
      }
    }
  }

  /// Empty lines: none at the ends of blocks, one around declarations of several lines.
  void space_rows() {
    std::vector<std::size_t> lines_of(rows.empty() ? 1 : rows.back().block + 2);
    for (const Row& row : rows)
      if (!row.lexemes.empty()) ++lines_of[row.block];
    for (std::size_t r = 1; r < rows.size(); ++r) {
      const Row& before = rows[r - 1];
      if (!before.lexemes.empty() && opens(type(before.lexemes.back()))) rows[r].blank_before = false;
      if (!rows[r].lexemes.empty() && closes(type(rows[r].lexemes.front()))) rows[r].blank_before = false;
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!rows[r].begins_declaration || rows[r].block < 2) continue;
      if (lines_of[rows[r].block] < 2 && lines_of[rows[r].block - 1] < 2) continue;
      std::size_t top = r;  // comments that stand on it belong to it
      while (top > 0 && rows[top - 1].lexemes.empty() && !rows[top].blank_before) --top;
      rows[top].blank_before = top > 0;
    }
  }

  std::size_t width(const std::string& line) const { return count_code_points(line); }
  /// `performance`, or several names at once, do not push the others to the right.
  bool is_long(const Row& row) const { return row.head_lexemes > 1 || (row.column == Column::field && width(row.head) > kLongestField); }

  std::string join() const {
    std::vector<std::string> lines;
    for (std::size_t r = 0; r < rows.size();) {
      std::size_t end = r + 1;
      while (end < rows.size() && !rows[end].blank_before && rows[end].block == rows[r].block) ++end;
      // The columns of these rows.
      for (std::size_t i = r; i < end; ++i) {
        const Row& row = rows[i];
        std::string line(row.lexemes.empty() && row.comment.empty() ? 0 : row.indent, ' ');
        if (row.column != Column::none) {
          std::size_t widest = 0;
          for (std::size_t j = r; j < end; ++j)
            if (rows[j].column == row.column && !is_long(rows[j])) widest = std::max(widest, width(rows[j].head));
          line += row.head + std::string(widest > width(row.head) ? widest - width(row.head) + 1 : 1, ' ');
        }
        if (!row.type.empty()) {
          std::size_t from = i, to = i, widest = 0;  // types of rows with values that follow each other
          while (from > r && !rows[from - 1].type.empty()) --from;
          while (to < end && !rows[to].type.empty()) widest = std::max(widest, width(rows[to++].type));
          for (; from < i; ++from) widest = std::max(widest, width(rows[from].type));
          line += row.type + std::string(widest - width(row.type) + 1, ' ');
        }
        lines.push_back(line + row.rest);
      }
      // Comments behind rows that follow each other begin in one column.
      for (std::size_t i = r; i < end;) {
        const auto trails = [&](std::size_t j) { return j < end && !rows[j].lexemes.empty() && !rows[j].comment.empty(); };
        std::size_t run = i;
        std::size_t widest = 0;
        for (; trails(run); ++run) widest = std::max(widest, width(last_line(lines[run])));
        for (std::size_t j = i; j < run; ++j) lines[j] += std::string(widest - width(last_line(lines[j])) + 2, ' ') + rows[j].comment;
        if (run == i) {
          if (rows[i].lexemes.empty()) lines[i] += rows[i].comment;
          ++run;
        }
        i = run;
      }
      r = end;
    }
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (rows[r].blank_before) out += '\n';
      out += lines[r] + '\n';
    }
    return out;
  }
  static std::string last_line(const std::string& line) { return line.substr(line.rfind('\n') + 1); }
};

/// The same words, and entries at the same ones.
bool same_tokens(std::string_view a, const syntax::Tokens& before, std::string_view b, const syntax::Tokens& after) {
  if (before.chunks.size() != after.chunks.size() || before.docs != after.docs) return false;
  for (std::size_t c = 0; c < before.chunks.size(); ++c) {
    const auto &x = before.chunks[c].lexemes, &y = after.chunks[c].lexemes;
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (x[i].type != y[i].type || a.substr(x[i].begin, x[i].end - x[i].begin) != b.substr(y[i].begin, y[i].end - y[i].begin)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> format_source(const SourceMap& sources, std::uint32_t file, diag::Sink& sink) {
  parse(sources, file, sink);
  if (sink.has_errors()) return std::nullopt;
  const std::string_view text = sources.file(file).text;
  const syntax::Tokens tokens = syntax::tokenize(text, file, sink, {});
  Formatter formatter{text, syntax::lex(text, file, sink).lexemes};
  for (const syntax::Chunk& chunk : tokens.chunks) {
    formatter.declarations.insert(chunk.lexemes.front().begin);
    formatter.entries.insert(chunk.lexemes.front().begin);
    for (std::size_t i = 1; i < chunk.lexemes.size(); ++i)
      if (chunk.lexemes[i - 1].type == L::SEP) formatter.entries.insert(chunk.lexemes[i].begin);
  }
  formatter.read_rows();
  formatter.indent_rows();
  formatter.write_rows();
  formatter.space_rows();
  std::string out = formatter.join();
  diag::Sink quiet;
  MLP_CHECK(same_tokens(text, tokens, out, syntax::tokenize(out, file, quiet, {})));
  return out;
}

}  // namespace mlp
