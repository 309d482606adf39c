#include "compiler/syntax/tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using grammar::MlpLexer;
using L = MlpLexer;

bool opens(std::uint16_t type) {
  return type == L::LPAREN || type == L::SET_OPEN || type == L::LBRACKET || type == L::LBRACE;
}
bool closes(std::uint16_t type) {
  return type == L::RPAREN || type == L::RBRACKET || type == L::RBRACE;
}
bool is_pair(std::uint16_t open, std::uint16_t close) {
  return close == L::RBRACE     ? open == L::LBRACE
         : close == L::RBRACKET ? open == L::LBRACKET
                                : open == L::LPAREN || open == L::SET_OPEN;
}

/// An operator that stands between two operands (`not` only with the `in` after it).
bool is_infix(std::uint16_t type) {
  switch (type) {
    case L::R_AND:
    case L::R_OR:
    case L::R_IN:
    case L::R_IS:
    case L::EQUAL:
    case L::NOT_EQUAL:
    case L::LESS:
    case L::LESS_EQUAL:
    case L::GREATER:
    case L::GREATER_EQUAL:
    case L::COALESCE:
    case L::RANGE:
    case L::PLUS:
    case L::MINUS:
    case L::STAR:
    case L::SLASH:
    case L::CARET:
      return true;
    default:
      return false;
  }
}

/// A line that ends with it goes on.
bool wants_more(std::uint16_t type) {
  switch (type) {
    case L::ASSIGN:
    case L::COMMA:
    case L::R_NOT:
    case L::R_IF:
    case L::R_THEN:
    case L::R_ELSE:
    case L::BAR:
    case L::ARROW:
      return true;
    default:
      return is_infix(type);
  }
}

/// A line that starts with it belongs to the line before.
bool goes_on(const std::vector<Lexeme>& all, std::size_t i) {
  switch (all[i].type) {
    case L::BAR:
    case L::R_THEN:
    case L::R_ELSE:
    case L::AT:
    case L::ARROW:
    case L::LBRACE:
      return true;
    case L::R_NOT:
      return i + 1 < all.size() && all[i + 1].type == L::R_IN;
    default:
      return is_infix(all[i].type);
  }
}

/// Between declarations, a line that starts with it is no declaration: clauses of functions and models may have lines of their own.
bool is_clause(std::uint16_t type) {
  switch (type) {
    case L::K_KNOWN:
    case L::K_OPERATOR:
    case L::K_INTERPRETED:
    case L::K_FITS:
    case L::K_CROSS_FIT:
    case L::K_BETTER:
    case L::K_PREDICTS:
    case L::K_TAKES:
    case L::K_BINNED:
    case L::K_PREPARES:
      return true;
    default:
      return false;
  }
}

/// Whether a declaration begins at `i`, judged by its first words; asked only where brackets do not match.
bool is_head(const std::vector<Lexeme>& all, std::size_t i, std::string_view text) {
  if (!all[i].first_in_line || (all[i].begin > 0 && text[all[i].begin - 1] != '\n') || i + 2 >= all.size())
    return false;
  const std::uint16_t second = all[i + 1].type, third = all[i + 2].type;
  switch (all[i].type) {
    case L::K_WORKFLOW:
      return is_name(second) && all[i + 2].first_in_line;
    case L::K_IMPORT:
      return second == L::STRING;
    case L::K_PARAM:
      return is_name(second) && third == L::COLON;
    case L::K_SECRET:
      return is_name(second) && third == L::ASSIGN;
    case L::K_ENV:
    case L::K_EVALUATE:
    case L::K_MONITOR:
    case L::K_EXPLORE:
      return is_name(second) && (third == L::LBRACE || all[i + 2].first_in_line);
    case L::K_FN:
    case L::K_TRANSFORM:
    case L::K_METRIC:
    case L::K_DRIFT:
    case L::K_SOURCE:
    case L::K_SINK:
    case L::K_AGGREGATE:
      return is_name(second) && third == L::LPAREN;
    case L::K_MODEL:
      return is_name(second) && third == L::K_PREDICTS;
    case L::K_DATA:
      return is_name(second) && (third == L::K_FROM || third == L::ASSIGN);
    case L::K_FEATURE:
    case L::K_SPLIT:
    case L::K_TRAIN:
    case L::K_DEPLOY:
      return is_name(second) && third == L::K_OF;
    case L::K_TEST:
      return second == L::STRING && third == L::K_OF;
    case L::K_SCHEDULE:
      return is_name(second) && third == L::TIME_OF_DAY;
    default:
      return false;
  }
}

class Filter {
 public:
  Filter(std::string_view text, std::uint32_t file, diag::Sink& sink, const ParseOptions& options,
         std::vector<Lexeme> all)
      : text_(text), file_(file), sink_(sink), options_(options), all_(std::move(all)) {}

  std::vector<Chunk> run() {
    retype();
    if (is_balanced()) {
      cut();
      return std::move(chunks_);
    }
    // Each declaration is mended on its own, so that a forgotten bracket spoils one of them only.
    const std::vector<Lexeme> whole = std::move(all_);
    std::size_t from = 0;
    for (std::size_t i = 1; i <= whole.size(); ++i) {
      if (i < whole.size() && !is_head(whole, i, text_)) continue;
      all_.assign(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.begin() + static_cast<std::ptrdiff_t>(i));
      mend(i < whole.size() ? &whole[i] : nullptr);
      cut();
      from = i;
    }
    return std::move(chunks_);
  }

 private:
  Span span(const Lexeme& lexeme) const { return {file_, lexeme.begin, lexeme.end}; }
  std::string_view text(const Lexeme& lexeme) const { return text_.substr(lexeme.begin, lexeme.end - lexeme.begin); }
  std::uint16_t type_at(std::size_t i) const {
    return i < all_.size() ? all_[i].type : static_cast<std::uint16_t>(L::END);
  }

  /// Gives a token the type that its neighbours decide.
  void retype() {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      Lexeme& lexeme = all_[i];
      const std::uint16_t before = i > 0 ? all_[i - 1].type : static_cast<std::uint16_t>(L::END);
      if (lexeme.type == L::LPAREN && before == L::R_IN) lexeme.type = L::SET_OPEN;
      if (lexeme.type == L::K_TUNE && before == L::COLON) lexeme.type = L::TUNE_RANGE;
      // `missing(x)` is a function; nothing else can stand before a parenthesis here.
      if (lexeme.type == L::R_MISSING && before != L::R_IS && type_at(i + 1) == L::LPAREN) lexeme.type = L::WORD;
      if (lexeme.type == L::STAR) {
        const bool starts =
            i == 0 || lexeme.first_in_line || before == L::K_SELECT || before == L::LBRACE || before == L::SEMICOLON;
        const std::uint16_t next = type_at(i + 1);
        const bool ends = next == L::COMMA || next == L::K_EXCEPT || next == L::RBRACE || next == L::SEMICOLON ||
                          next == L::BAR || i + 1 == all_.size() || all_[i + 1].first_in_line;
        if (starts && ends) lexeme.type = L::ALL_COLUMNS;
      }
    }
  }

  bool is_balanced() const {
    std::vector<std::uint16_t> open;
    for (const Lexeme& lexeme : all_) {
      if (opens(lexeme.type)) open.push_back(lexeme.type);
      if (!closes(lexeme.type)) continue;
      if (open.empty() || !is_pair(open.back(), lexeme.type)) return false;
      open.pop_back();
    }
    return open.empty();
  }

  bool line_has_bad_text(std::size_t at) const {
    std::size_t i = at;
    while (i > 0 && !all_[i].first_in_line)
      --i;
    do {
      if (all_[i].type == L::BAD && text_[all_[i].begin] == '"') return true;
      ++i;
    } while (i < all_.size() && !all_[i].first_in_line);
    return false;
  }

  /// Reports the brackets of one declaration that do not match, and makes them match: BAD stands for what was wrong.
  void mend(const Lexeme* next) {
    whole_ = reported_ = false;
    missing_braces_ = 0;
    std::vector<std::size_t> open;
    bool braces = false;
    const auto in_braces = [&] {
      return std::ranges::any_of(open, [&](std::size_t o) { return all_[o].type == L::LBRACE; });
    };
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const std::uint16_t type = all_[i].type;
      if (opens(type)) {
        open.push_back(i);
        braces = braces || type == L::LBRACE;
      }
      if (!closes(type)) continue;
      while (type == L::RBRACE && !open.empty() && all_[open.back()].type != L::LBRACE && in_braces()) {
        report_outermost(open);
        all_[open.back()].type = L::BAD;
        open.pop_back();
      }
      if (!open.empty() && is_pair(all_[open.back()].type, type)) {
        open.pop_back();
      } else if (!open.empty() && type != L::RBRACE && all_[open.back()].type != L::LBRACE) {
        report_mismatch(open.back(), i);
        all_[i].type = all_[open.back()].type == L::LBRACKET ? L::RBRACKET : L::RPAREN;
        open.pop_back();
      } else if (type == L::RBRACE && open.empty() && !braces && insert_brace(i)) {
        braces = true;
        ++i;  // the closing brace moved by one, and is closed
      } else {
        report_extra(i);
        all_[i].type = L::BAD;
        if (type == L::RBRACE) whole_ = reported_ = true;
      }
    }
    for (; !open.empty(); open.pop_back()) {
      const std::size_t i = open.back();
      if (all_[i].type == L::LBRACE) {
        if (!reported_) report_unclosed(i, next);
        reported_ = true;
        ++missing_braces_;
      } else {
        report_outermost(open);
        all_[i].type = L::BAD;
      }
    }
  }

  /// Reports the innermost open bracket, unless the one around it stands on the same line: of several forgotten on a line the
  /// outermost is told.
  void report_outermost(const std::vector<std::size_t>& open) {
    if (open.size() < 2 || !on_one_line(open[open.size() - 2], open.back())) report_unclosed(open.back());
  }

  bool on_one_line(std::size_t from, std::size_t to) const {
    if (all_[from].type == L::LBRACE) return false;
    for (std::size_t i = from + 1; i <= to; ++i)
      if (all_[i].first_in_line) return false;
    return true;
  }

  /// The brace that a block's first line forgot; false where the line cannot have one.
  bool insert_brace(std::size_t closing) {
    switch (all_[0].type) {  // those that have no block
      case L::K_WORKFLOW:
      case L::K_IMPORT:
      case L::K_PARAM:
      case L::K_SECRET:
      case L::K_FN:
      case L::K_SPLIT:
        return false;
      default:
        if (all_[0].type == L::K_DATA && type_at(2) == L::ASSIGN) return false;
    }
    std::size_t end = 1;
    while (end < all_.size() && !all_[end].first_in_line)
      ++end;
    if (end > closing) return false;
    const Lexeme last = all_[end - 1];
    diag::Diagnostic d = diag::make(diag::Code::E0107, span(all_[closing]), "`}` closes nothing");
    d.secondary.push_back({span(last), "is `{` missing after this?"});
    d.help = fmt::format("the entries of `{}` stand between `{{` and `}}`", text(all_[0]));
    d.fixes.push_back({{file_, last.end, last.end}, " {", "open the block", false});
    sink_.report(std::move(d));
    all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(end), Lexeme{L::LBRACE, false, last.end, last.end, -1});
    return true;
  }

  void report_unclosed(std::size_t i, const Lexeme* before = nullptr) {
    if (line_has_bad_text(i)) return;
    // A long text that is not closed has swallowed the rest of the file.
    if (all_.back().type == L::BAD && text(all_.back()).find("\"\"\"") != std::string_view::npos) return;
    diag::Diagnostic d = diag::make(diag::Code::E0107, span(all_[i]), fmt::format("`{}` is not closed", text(all_[i])));
    if (before) d.secondary.push_back({span(*before), "the next declaration begins here"});
    d.help = fmt::format("close it with `{}`", all_[i].type == L::LBRACE     ? "}"
                                               : all_[i].type == L::LBRACKET ? "]"
                                                                             : ")");
    sink_.report(std::move(d));
  }
  void report_mismatch(std::size_t open, std::size_t close) {
    diag::Diagnostic d = diag::make(diag::Code::E0107, span(all_[close]),
                                    fmt::format("`{}` cannot close `{}`", text(all_[close]), text(all_[open])));
    d.secondary.push_back({span(all_[open]), "opened here"});
    d.help = fmt::format("write `{}`", all_[open].type == L::LBRACKET ? "]" : ")");
    sink_.report(std::move(d));
  }
  void report_extra(std::size_t i) {
    sink_.report(diag::make(diag::Code::E0107, span(all_[i]), fmt::format("`{}` closes nothing", text(all_[i])))
                     .with_help("remove it, or open it before"));
  }

  void report_depth(const Lexeme& lexeme) {
    sink_.report(
        diag::make(diag::Code::E0105, span(lexeme), fmt::format("nested more than {} deep", options_.most_depth))
            .with_help("give inner parts names of their own, as columns or functions"));
  }

  /// Separators in, declarations apart.
  void cut() {
    struct Frame {
      std::uint16_t open;
      int ifs = 0;
    };
    std::vector<Frame> frames{{L::END}};
    int depth = 0;  // of brackets and of `if` inside `if`
    Chunk chunk;
    bool too_deep = false;
    const auto finish = [&](std::uint32_t at) {
      if (!chunk.lexemes.empty()) {
        chunk.lexemes.push_back({L::END, false, at, at, -1});
        chunk.reported = reported_ || too_deep;
        if (too_deep) shorten(chunk);
        chunks_.push_back(std::move(chunk));
      }
      chunk = {};
      too_deep = false;
    };
    const auto reset_ifs = [&] {
      depth -= frames.back().ifs;
      frames.back().ifs = 0;
    };
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Lexeme& lexeme = all_[i];
      const std::uint16_t inside = frames.back().open;
      const std::uint16_t before =
          chunk.lexemes.empty() ? static_cast<std::uint16_t>(L::SEP) : chunk.lexemes.back().type;
      const bool breaks = lexeme.type == L::SEMICOLON ||
                          (lexeme.first_in_line && !wants_more(before) && !goes_on(all_, i) && inside != L::LPAREN &&
                           inside != L::LBRACKET && !(frames.size() == 1 && is_clause(lexeme.type)));
      if (breaks) {
        reset_ifs();
        if (frames.size() == 1 && !whole_)
          finish(chunk.lexemes.empty() ? lexeme.begin : chunk.lexemes.back().end);
        else if (before != L::SEP && before != L::LBRACE && lexeme.type != L::RBRACE)
          chunk.lexemes.push_back({L::SEP, false, chunk.lexemes.back().end, chunk.lexemes.back().end, -1});
      }
      if (lexeme.type == L::SEMICOLON) continue;
      if (lexeme.type == L::COMMA) reset_ifs();
      if (closes(lexeme.type)) {
        // A comma or separator before the closing bracket says nothing.
        while (chunk.lexemes.size() > 1 &&
               (chunk.lexemes.back().type == L::SEP || chunk.lexemes.back().type == L::COMMA) &&
               !opens(chunk.lexemes[chunk.lexemes.size() - 2].type) &&
               chunk.lexemes[chunk.lexemes.size() - 2].type != L::COMMA)
          chunk.lexemes.pop_back();
        if (frames.size() > 1) {
          reset_ifs();
          frames.pop_back();
          --depth;
        }
      }
      if (opens(lexeme.type)) {
        frames.push_back({lexeme.type == L::SET_OPEN ? static_cast<std::uint16_t>(L::LPAREN) : lexeme.type});
        ++depth;
      }
      if (lexeme.type == L::R_IF) {
        ++frames.back().ifs;
        ++depth;
      }
      if (depth > options_.most_depth && !too_deep) {
        too_deep = true;
        report_depth(lexeme);
      }
      chunk.lexemes.push_back(lexeme);
    }
    for (; missing_braces_ > 0; --missing_braces_) {
      if (chunk.lexemes.empty()) continue;
      const std::uint32_t at = chunk.lexemes.back().end;
      if (chunk.lexemes.back().type == L::SEP) chunk.lexemes.pop_back();
      chunk.lexemes.push_back({L::RBRACE, false, at, at, -1});
    }
    finish(chunk.lexemes.empty() ? 0 : chunk.lexemes.back().end);
  }

  /// Of a declaration that is too deep only its first words go on; the parser must not see the rest.
  static void shorten(Chunk& chunk) {
    const Lexeme end = chunk.lexemes.back();
    chunk.lexemes.resize(std::min<std::size_t>(chunk.lexemes.size() - 1, 2));
    chunk.lexemes.push_back({L::BAD, false, end.begin, end.begin, -1});
    chunk.lexemes.push_back(end);
  }

  std::string_view text_;
  std::uint32_t file_;
  diag::Sink& sink_;
  const ParseOptions& options_;
  std::vector<Lexeme> all_;
  std::vector<Chunk> chunks_;
  bool whole_ = false;      ///< the tokens are one declaration, whatever the separators say
  bool reported_ = false;   ///< its braces were reported
  int missing_braces_ = 0;  ///< to be put at its end
};

}  // namespace

Tokens tokenize(std::string_view text, std::uint32_t file, diag::Sink& sink, const ParseOptions& options) {
  RawTokens raw = lex(text, file, sink);
  warn_of_comments(text, file, raw.lexemes, sink);
  join_foreign_operators(raw.lexemes, text, file, sink);
  Tokens tokens;
  tokens.docs = std::move(raw.docs);
  tokens.chunks = Filter(text, file, sink, options, std::move(raw.lexemes)).run();
  return tokens;
}

}  // namespace mlp::syntax
