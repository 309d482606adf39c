#include <fmt/format.h>

#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using L = grammar::MlpLexer;
using diag::Code;

/// Two or three signs without a blank between them, and the one that they stand for.
struct Joined {
  std::uint16_t first, second;
  std::string_view sign, meant;
  std::uint16_t type;  ///< that they become; BAD where the meaning is not certain
  bool safe;
  std::string_view message, help;  ///< empty: the usual ones
};

constexpr Joined kJoined[] = {
    {L::EQUAL, L::ASSIGN, "===", "==", L::EQUAL, true, {}, {}},
    {L::NOT_EQUAL, L::ASSIGN, "!==", "!=", L::NOT_EQUAL, true, {}, {}},
    {L::LESS, L::GREATER, "<>", "!=", L::NOT_EQUAL, true, {}, {}},
    {L::STAR, L::STAR, "**", "^", L::CARET, true, {}, {}},
    {L::ASSIGN, L::LESS, "=<", "<=", L::LESS_EQUAL, true, {}, {}},
    {L::ASSIGN, L::GREATER, "=>", ">=", L::BAD, false, {}, "did you mean `>=`?"},
    {L::BAR,
     L::BAR,
     "||",
     "or",
     L::BAD,
     false,
     {},
     "write `or` between conditions; texts are joined with `concat(a, b)`"},
    {L::BAR, L::GREATER, "|>", "|", L::BAR, true, "`|>` begins no stage of a pipeline", {}},
    {L::RANGE, L::DOT, "...", "..", L::RANGE, false, "a range is written with two points", {}},
    {L::COLON, L::COLON, "::", "", L::BAD, false, {}, "a value gets another type by a call: `float(x)`"},
    {L::PLUS,
     L::PLUS,
     "++",
     "",
     L::BAD,
     false,
     {},
     "a name has one value, which nothing changes: write `x + 1` under a name of its own"},
    {L::PLUS, L::ASSIGN, "+=", "", L::BAD, false, {}, {}},
    {L::MINUS, L::ASSIGN, "-=", "", L::BAD, false, {}, {}},
    {L::STAR, L::ASSIGN, "*=", "", L::BAD, false, {}, {}},
    {L::SLASH, L::ASSIGN, "/=", "", L::BAD, false, {}, {}},
};

bool ends_operand(std::uint16_t type) {
  return type == L::INT || type == L::FLOAT || type == L::PERCENT || type == L::DURATION || type == L::STRING ||
         type == L::RPAREN || type == L::RBRACKET || is_name(type);
}

struct Joiner {
  std::vector<Lexeme>& all;
  std::string_view text;
  std::uint32_t file;
  diag::Sink& sink;

  std::string_view word(std::size_t i) const { return text.substr(all[i].begin, all[i].end - all[i].begin); }
  bool glued(std::size_t i) const {
    return i + 1 < all.size() && all[i].end == all[i + 1].begin && !all[i + 1].first_in_line;
  }
  std::uint16_t type(std::size_t i) const { return i < all.size() ? all[i].type : static_cast<std::uint16_t>(L::END); }

  /// Makes `count` tokens from `i` on one of that type, and reports it.
  void join(std::size_t i, std::size_t count, std::uint16_t type, Code code, std::string message, std::string help,
            std::string fix, bool safe) {
    const Span span{file, all[i].begin, all[i + count - 1].end};
    diag::Diagnostic d = diag::make(code, span, std::move(message)).with_help(std::move(help));
    if (!fix.empty()) {
      std::string title = fmt::format("write `{}`", fix);
      if (fix == "or") {
        if (span.begin > 0 && text[span.begin - 1] != ' ') fix.insert(0, " ");
        if (span.end < text.size() && text[span.end] != ' ') fix += ' ';
      }
      d.fixes.push_back({span, std::move(fix), std::move(title), safe});
    }
    sink.report(std::move(d));
    all[i].type = type;
    all[i].mended = true;
    all[i].end = span.end;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.begin() + static_cast<std::ptrdiff_t>(i + count));
  }

  void signs(std::size_t i) {
    for (const Joined& each : kJoined) {
      if (each.first != type(i) || each.second != type(i + 1)) continue;
      if (each.first == L::STAR && each.second == L::STAR && (i == 0 || !ends_operand(type(i - 1)))) continue;
      // A `|` that begins a line begins a stage, whatever follows; `||` there is none.
      if (each.sign == "||" && all[i].first_in_line) continue;
      std::string message(each.message), help(each.help);
      if (message.empty()) message = fmt::format("there is no operator `{}`", each.sign);
      if (help.empty() && each.meant.empty())
        help = "a name has one value, which nothing changes: give the new value a name of its own";
      if (help.empty())
        help = each.safe ? fmt::format("write `{}`", each.meant) : fmt::format("did you mean `{}`?", each.meant);
      if (each.sign == "::" && i > 0 && is_name(type(i - 1)) && is_name(type(i + 2)))
        help = fmt::format("a value gets another type by a call: `{}({})`", word(i + 2), word(i - 1));
      if (each.sign == "||" && ((i > 0 && type(i - 1) == L::STRING) || type(i + 2) == L::STRING)) {
        join(i, 2, L::BAD, Code::E0101, std::move(message), "texts are joined with `concat(a, b)`", {}, false);
        return;
      }
      join(i, 2, each.type, Code::E0101, std::move(message), std::move(help), std::string(each.meant), each.safe);
      return;
    }
  }

  /// `1.`, `.5`, `1e3.5`.
  void numbers(std::size_t i) {
    const bool after_operand = i > 0 && glued(i - 1) && ends_operand(type(i - 1));
    if (type(i) == L::DOT && type(i + 1) == L::INT && !after_operand) {
      std::string number = fmt::format("0.{}", word(i + 1));
      join(i, 2, L::FLOAT, Code::E0104, fmt::format("a number begins with a digit: `.{}` does not", word(i + 1)),
           fmt::format("write `{}`", number), number, true);
    } else if (type(i) == L::FLOAT && type(i + 1) == L::DOT && type(i + 2) == L::INT && glued(i + 1)) {
      join(i, 3, L::BAD, Code::E0104, fmt::format("the exponent of `{}.{}` is no whole number", word(i), word(i + 2)),
           "write for example `1e3`, or `3e-4`; a power is `10^3.5`", {}, false);
    } else if (type(i) == L::INT && type(i + 1) == L::DOT &&
               !(glued(i + 1) && (type(i + 2) == L::INT || is_name(type(i + 2)) || type(i + 2) == L::DOT)) &&
               !after_operand) {
      std::string number = fmt::format("{}.0", word(i));
      join(i, 2, L::FLOAT, Code::E0104, fmt::format("no digit follows the point of `{}.`", word(i)),
           fmt::format("write `{}`", number), number, true);
    }
  }

  /// `f"…"`, `b"…"`: nothing is glued before a text but the `r` of a raw one.
  void prefixed_text(std::size_t i) {
    if (type(i) != L::WORD || type(i + 1) != L::STRING || word(i).size() > 2) return;
    const bool fills = word(i).find('f') != std::string_view::npos || word(i).find('F') != std::string_view::npos;
    join(i, 2, L::BAD, Code::E0101,
         fills ? "a text is not filled in: there is no `f` before it"
               : fmt::format("there is no `{}` before a text", word(i)),
         fills ? "join texts with `concat(a, b)`; a number becomes a text with `string(x)`"
               : "remove it; a raw text is `r\"…\"`",
         {}, false);
  }

  /// `csv("a.csv", sep=";")`: arguments have their name before a colon.
  void named_arguments() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::uint16_t now = type(i);
      if (now == L::LPAREN || now == L::LBRACKET || now == L::LBRACE) open.push_back(i);
      if ((now == L::RPAREN || now == L::RBRACKET || now == L::RBRACE) && !open.empty()) open.pop_back();
      if (now != L::ASSIGN || open.empty() || i < 2 || type(open.back()) != L::LPAREN || !is_name(type(i - 1)))
        continue;
      if (type(i - 2) != L::COMMA && type(i - 2) != L::LPAREN) continue;
      const std::size_t callee = open.back() - 1;  // the open bracket is not the first token: a name stands behind it
      const bool declares =
          callee > 0 && open.back() > 1 && type(callee - 1) >= L::K_FN && type(callee - 1) <= L::K_AGGREGATE;
      if (open.back() == 0 || !is_name(type(callee)) || all[open.back()].first_in_line || declares) continue;
      const Span span{file, all[i].begin, all[i].end};
      sink.report(diag::make(Code::E0101, span, "an argument has its name before a `:`, not before a `=`")
                      .with_help(fmt::format("write `{}: …`", word(i - 1)))
                      .with_fix({span, ":", "write `:`", true}));
      all[i].type = L::COLON;
      all[i].mended = true;
    }
  }

  void run() {
    named_arguments();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      if (!glued(i)) continue;
      signs(i);
      if (!glued(i)) continue;
      numbers(i);
      if (glued(i)) prefixed_text(i);
    }
  }
};

}  // namespace

void join_foreign_operators(std::vector<Lexeme>& all, std::string_view text, std::uint32_t file, diag::Sink& sink) {
  Joiner{all, text, file, sink}.run();
}

}  // namespace mlp::syntax
