#include "gen/grammar/MlpParser.h"

#include "compiler/syntax/describe.h"
#include "compiler/syntax/foreign.h"

#include <fmt/format.h>

namespace mlp::syntax {

namespace {

using diag::Code;

// ---- choices: `if`, `case`, `? :` ----

/// The `if` before `here` that is not complete yet.
struct OpenIf {
  std::size_t at = 0;
  std::optional<std::size_t> then;
};
std::optional<OpenIf> open_if(const Place& p) {
  std::vector<OpenIf> open;
  for (std::size_t i = p.entry(); i < p.here; ++i) {
    if (p.type(i) == P::R_IF) open.push_back({i, {}});
    if (p.type(i) == P::R_THEN && !open.empty()) open.back().then = i;
    if (p.type(i) == P::R_ELSE && !open.empty()) open.pop_back();
  }
  if (open.empty()) return std::nullopt;
  return open.back();
}

constexpr std::string_view kIfForm = "write `if CONDITION then VALUE else OTHER`";

Found else_if(const Place& p) {
  if (!is_one_of(in_small_letters(p.word()), {"elif", "elseif", "elsif"}) || !p.expects_operator()) return std::nullopt;
  return p.instead(Code::E0101, p.span(p.here), fmt::format("there is no `{}`", p.word()), "else if", true);
}

Found incomplete_if(const Place& p) {
  const auto found = open_if(p);
  if (!found) return std::nullopt;
  const std::uint16_t type = p.type();
  if (!found->then && type == P::COMMA && p.type(found->at + 1) == P::LPAREN &&
      p.open_at(p.here) == found->at + 1) {  // if(a, b, c)
    const std::size_t close = p.closing(found->at + 1);
    const std::size_t second = p.end_of(p.here + 1);
    auto d = p.make(Code::E0101, p.span(found->at), "`if` is no function", std::string(kIfForm));
    if (p.type(second) == P::COMMA && close < p.size() - 1) {
      const std::string meant = fmt::format("if {} then {} else {}", p.source(found->at + 2, p.here),
                                            p.source(p.here + 1, second), p.source(second + 1, close));
      d.help = fmt::format("did you mean `{}`?", meant);
      d.fixes.push_back({p.span(found->at, close), meant, "write `if … then … else …`", false});
    }
    return d;
  }
  const bool value = begins_operand(type) && p.here > 0 && ends_operand(p.type(p.here - 1));
  if (!found->then && (type == P::COLON || type == P::LBRACE || value) && p.open_at(p.here) == p.open_at(found->at)) {
    auto d = p.make(Code::E0101, p.span(p.here), "`then` is missing after the condition of `if`", std::string(kIfForm));
    d.secondary.push_back({p.span(found->at), "of this `if`"});
    return d;
  }
  if (found->then && type == P::LBRACE)
    return p.make(Code::E0101, p.span(p.here), "the values of `if` stand without braces", std::string(kIfForm));
  const bool ends =
      type == P::SEP || type == P::END || closes_bracket(type) || type == P::COMMA || p.at(p.here).first_in_line;
  if (found->then && ends && p.open_at(p.here) == p.open_at(found->at)) {
    auto d = p.make(Code::E0101, p.span(found->at), "this `if` has no `else`",
                    "every row needs a value: add `else OTHER`, or `else missing` where there is none");
    d.label = "has a value for some rows only";
    return d;
  }
  return std::nullopt;
}

/// `A if C else B`
Found trailing_if(const Place& p) {
  if (p.type() != P::R_IF || !p.expects_operator()) return std::nullopt;
  const std::size_t begin = p.begin_of(p.here), otherwise = p.end_of(p.here + 1);
  auto d = p.make(Code::E0101, p.span(p.here), "`if` stands before both of its values", std::string(kIfForm));
  if (p.type(otherwise) != P::R_ELSE || begin >= p.here) return d;
  const std::size_t end = p.end_of(otherwise + 1);
  const std::string meant = fmt::format("if {} then {} else {}", p.source(p.here + 1, otherwise),
                                        p.source(begin, p.here), p.source(otherwise + 1, end));
  d.help = fmt::format("did you mean `{}`?", meant);
  d.fixes.push_back({p.span(begin, end - 1), meant, "put the condition first", false});
  return d;
}

/// `C ? A : B`
Found question(const Place& p) {
  if (p.type() != P::QUESTION || !p.expects_operator()) return std::nullopt;
  const std::size_t begin = p.begin_of(p.here), colon = p.end_of(p.here + 1);
  auto d = p.make(Code::E0101, p.span(p.here), "there is no operator `?`",
                  p.type(colon) == P::COLON
                      ? std::string(kIfForm)
                      : "`T?` is a type whose values may be missing; a stand-in for them is `x ?? default`");
  if (p.type(colon) != P::COLON || begin >= p.here) return d;
  const std::size_t end = p.end_of(colon + 1);
  const std::string meant = fmt::format("if {} then {} else {}", p.source(begin, p.here), p.source(p.here + 1, colon),
                                        p.source(colon + 1, end));
  d.help = fmt::format("did you mean `{}`?", meant);
  d.fixes.push_back({p.span(begin, end - 1), meant, "write `if … then … else …`", false});
  return d;
}

/// `case when C then A else B end`
Found case_when(const Place& p) {
  if (p.here == 0) return std::nullopt;
  const bool plain = p.type() == P::K_WHEN && in_small_letters(p.word(p.here - 1)) == "case";
  const bool shouted = is_one_of(p.word(), {"WHEN"}) && in_small_letters(p.word(p.here - 1)) == "case";
  const bool of_value = p.here > 0 && in_small_letters(p.word(p.here - 1)) == "case" && begins_operand(p.type());
  if (!plain && !shouted && !of_value) return std::nullopt;
  const std::size_t begin = p.here - 1;
  std::size_t end = begin;
  while (end < p.size() - 1 && p.type(end) != P::SEP && in_small_letters(p.word(end)) != "end")
    ++end;
  const bool has_end = in_small_letters(p.word(end)) == "end";
  auto d = p.make(Code::E0101, p.span(begin, has_end ? end : begin), "there is no `case`", std::string(kIfForm));
  if (!plain || !has_end) return d;
  std::string meant;
  bool has_else = false;
  for (std::size_t i = p.here; i < end;) {
    const std::size_t next = [&] {
      std::size_t j = i + 1;
      while (j < end && p.type(j) != P::K_WHEN && p.type(j) != P::R_THEN && p.type(j) != P::R_ELSE)
        ++j;
      return j;
    }();
    const std::string part = p.source(i + 1, next);
    if (p.type(i) == P::K_WHEN) meant += fmt::format("{}if {}", meant.empty() ? "" : " else ", part);
    if (p.type(i) == P::R_THEN) meant += fmt::format(" then {}", part);
    if (p.type(i) == P::R_ELSE) meant += fmt::format(" else {}", part), has_else = true;
    i = next;
  }
  if (!has_else) meant += " else missing";
  d.help = fmt::format("did you mean `{}`?", meant);
  d.fixes.push_back({p.span(begin, end), meant, "write `if … then … else …`", false});
  return d;
}

// ---- comparisons ----

/// `x is null`, `x IS NOT NULL`, `x is "a"`
Found is_what(const Place& p) {
  std::size_t is = p.here;
  if (p.here > 0 && p.type(p.here - 1) == P::R_IS)
    is = p.here - 1;
  else if (in_small_letters(p.word()) != "is" || p.word() == "is" || !p.expects_operator())
    return std::nullopt;
  const bool negated = in_small_letters(p.word(is + 1)) == "not";
  const std::size_t what = is + 1 + (negated ? 1 : 0);
  const std::string word = in_small_letters(p.word(what));
  if (is_null_word(word) || word == "known") {
    const bool known = (word == "known") != negated;
    return p.instead(Code::E0101, p.span(is, what),
                     is_null_word(word) && word != "missing"
                         ? fmt::format("there is no `{}`: a value that is not there is `missing`", p.word(what))
                         : fmt::format("there is no `{}`", p.source(is, what)),
                     known ? "is known" : "is missing", true);
  }
  if (is != p.here - 1) return std::nullopt;
  auto d = p.make(Code::E0101, p.span(p.here),
                  fmt::format("`is` is followed by `known` or `missing`, not by `{}`", p.word()),
                  negated ? "to compare with a value, write `!=`" : "to compare with a value, write `==`");
  if (begins_operand(p.type(what)))
    d.fixes.push_back({p.span(is, what - 1), negated ? "!=" : "==", negated ? "write `!=`" : "write `==`", false});
  return d;
}

/// `x between a and b`, `x not between a and b`
Found between(const Place& p) {
  if (in_small_letters(p.word()) != "between" ||
      (!p.expects_operator() && !(p.here > 0 && in_small_letters(p.word(p.here - 1)) == "not") && !p.in("column")))
    return std::nullopt;
  const bool negated = p.here > 0 && in_small_letters(p.word(p.here - 1)) == "not";
  const std::size_t from = negated ? p.here - 1 : p.here, low = p.end_of(p.here + 1);
  auto d = p.make(Code::E0101, p.span(p.here), "there is no `between`", "a range has both its ends in: `x in 3..7`");
  if (p.type(low) != P::R_AND || low == p.here + 1) return d;
  const std::size_t end = p.end_of(low + 1);
  if (end == low + 1) return d;
  const std::string meant =
      fmt::format("{}in {}..{}", negated ? "not " : "", p.source(p.here + 1, low), p.source(low + 1, end));
  return p.instead(Code::E0101, p.span(from, end - 1), "there is no `between`", meant, false);
}

/// `x like "a%"`
Found like(const Place& p) {
  const std::string word = in_small_letters(p.word());
  const bool negated = p.here > 0 && in_small_letters(p.word(p.here - 1)) == "not";
  if (!is_one_of(word, {"like", "ilike", "rlike", "regexp", "glob", "similar"}) || (!p.expects_operator() && !negated))
    return std::nullopt;
  const std::size_t operand_end = negated ? p.here - 1 : p.here, begin = p.begin_of(operand_end);
  const std::size_t pattern = p.here + 1;
  auto d = p.make(Code::E0101, p.span(p.here), fmt::format("there is no `{}`", p.word()),
                  "test a text with `starts_with(x, \"a\")`, `ends_with(x, \"a\")` or `contains(x, \"a\")`");
  if (p.type(pattern) != P::STRING || begin >= operand_end || (word != "like" && word != "ilike")) return d;
  std::string text(p.word(pattern));
  text = text.substr(1, text.size() - 2);
  const bool front = text.starts_with('%'), back = text.size() > (front ? 1u : 0u) && text.ends_with('%');
  const std::string body = text.substr(front ? 1 : 0, text.size() - (front ? 1 : 0) - (back ? 1 : 0));
  if (body.find_first_of("%_") != std::string::npos || body.empty()) return d;
  const std::string x =
      word == "ilike" ? fmt::format("lower({})", p.source(begin, operand_end)) : p.source(begin, operand_end);
  const std::string test = front && back ? fmt::format("contains({}, \"{}\")", x, body)
                           : front       ? fmt::format("ends_with({}, \"{}\")", x, body)
                           : back        ? fmt::format("starts_with({}, \"{}\")", x, body)
                                         : fmt::format("{} == \"{}\"", x, body);
  const std::string meant = negated ? fmt::format("not {}", test) : test;
  d.help = fmt::format("did you mean `{}`?", meant);
  d.span = p.span(p.here, pattern);
  d.fixes.push_back({p.span(begin, pattern), meant, "write a test of the text", false});
  return d;
}

/// `a AND b`, `NOT a`, `IF a THEN b`
Found shouted(const Place& p) {
  const auto reserved = [&](std::size_t i) {
    return p.type(i) == P::WORD && is_reserved(word_type(in_small_letters(p.word(i)))) && !is_null_word(p.word(i));
  };
  std::size_t i = p.here;
  if (!(reserved(i) && p.expects_operator())) {
    if (p.here == 0 || !reserved(p.here - 1) || !begins_operand(p.type())) return std::nullopt;
    i = p.here - 1;
  }
  return p.instead(Code::E0101, p.span(i), fmt::format("`{}` is written in small letters", p.word(i)),
                   in_small_letters(p.word(i)), true);
}

/// `a xor b`, `a div b`, `a isnull`
Found word_operator(const Place& p) {
  if (p.type() != P::WORD || !p.expects_operator()) return std::nullopt;
  const std::string word = in_small_letters(p.word());
  const std::size_t begin = p.begin_of(p.here), end = p.end_of(p.here + 1);
  if (begin >= p.here) return std::nullopt;
  const std::string left = p.source(begin, p.here), right = p.source(p.here + 1, end);
  const auto rewritten = [&](std::string meant) {
    return p.instead(Code::E0101, p.span(begin, std::max(end, p.here + 1) - 1),
                     fmt::format("there is no operator `{}`", p.word()), meant, false);
  };
  if (word == "isnull") return rewritten(fmt::format("{} is missing", left));
  if (word == "notnull") return rewritten(fmt::format("{} is known", left));
  if (right.empty()) return std::nullopt;
  if (word == "xor") return rewritten(fmt::format("{} != {}", left, right));
  if (word == "div" || word == "mod") return rewritten(fmt::format("{}({}, {})", word, left, right));
  if (word == "eq" || word == "equals") return rewritten(fmt::format("{} == {}", left, right));
  if (word == "contains" || word == "starts_with" || word == "ends_with")
    return rewritten(fmt::format("{}({}, {})", word, left, right));
  return std::nullopt;
}

/// `a | b` in an expression; `x in {a, b}`.
Found sign_operator(const Place& p) {
  if (p.type() == P::LBRACE && p.here > 0 && p.type(p.here - 1) == P::R_IN) {
    const std::size_t close = p.closing(p.here);
    return p.instead(Code::E0101, p.span(p.here, close), "a set stands in parentheses",
                     fmt::format("({})", p.source(p.here + 1, close)), true);
  }
  const bool stage = p.here > 0 && p.type(p.here - 1) == P::BAR && !p.at(p.here - 1).first_in_line &&
                     p.rule() == "stage" && !is_name(p.type());
  const std::size_t bar = stage ? p.here - 1 : p.here;
  if (p.type(bar) != P::BAR || p.at(bar).first_in_line || (!stage && !p.expects_operator())) return std::nullopt;
  return p.instead(Code::E0101, p.span(bar), "there is no operator `|`", "or", false);
}

// ---- calls and parts ----

/// `x[0]`, `df["a"]`, `list[int]`
Found subscript(const Place& p) {
  if (p.type() != P::LBRACKET || p.here == 0 || !ends_operand(p.type(p.here - 1))) return std::nullopt;
  const std::size_t close = p.closing(p.here);
  const std::string inside = p.source(p.here + 1, close);
  if (!p.expects_operator()) {
    if (!p.in("column") && !p.in("type")) return std::nullopt;
    const std::string outer(p.word(p.here - 1));
    if (outer == "Optional")
      return p.instead(Code::E0101, p.span(p.here - 1, close), "there is no `Optional`", fmt::format("{}?", inside),
                       false);
    return p.instead(Code::E0101, p.span(p.here - 1, close), "a type has its arguments in parentheses",
                     fmt::format("{}({})", outer, inside), true);
  }
  const Span whole = p.span(p.here - 1, close);
  if (p.type(p.here + 1) == P::STRING && close == p.here + 2) {
    const std::string name = inside.substr(1, inside.size() - 2);
    auto d = p.make(Code::E0101, whole, "a column stands by its name alone", fmt::format("did you mean `{}`?", name));
    d.fixes.push_back({whole, name, fmt::format("write `{}`", name), false});
    return d;
  }
  return p.make(
      Code::E0101, p.span(p.here, close), "a value has no parts that brackets could choose",
      "a part of a text is `substr(x, 1, 3)` or `split_part(x, \"-\", 1)`; the value of an earlier row is `lag(…)`");
}

Found in_call(const Place& p) {
  const auto open = p.open_at(p.here);
  if (!open || p.type(*open) != P::LPAREN || *open == 0 || !is_name(p.type(*open - 1))) return std::nullopt;
  const std::string callee = in_small_letters(p.word(*open - 1));
  const std::size_t close = p.closing(*open);
  if (p.type() == P::K_AS && is_one_of(callee, {"cast", "try_cast", "convert", "safe_cast"}) &&
      is_name(p.type(p.here + 1)))
    return p.instead(Code::E0101, p.span(*open - 1, close), fmt::format("there is no `{}`", p.word(*open - 1)),
                     fmt::format("{}({})", p.word(p.here + 1), p.source(*open + 1, p.here)), false);
  if (p.type() == P::K_FROM && callee == "extract" && p.here == *open + 2)
    return p.instead(Code::E0101, p.span(*open - 1, close), "there is no `extract`",
                     fmt::format("{}({})", in_small_letters(p.word(*open + 1)), p.source(p.here + 1, close)), false);
  if (callee == "count" && p.here == *open + 1 && (p.type() == P::STAR || p.type() == P::ALL_COLUMNS))
    return p.make(
        Code::E0101, p.span(p.here), "`*` does not stand for the rows here",
        "rows are counted with `count(TABLE by KEY) over 7d` in a feature, with `count()` in a `group` stage");
  if (const std::uint16_t before = p.type(p.here - 1); before == P::K_BY || before == P::K_WHERE)
    return p.make(Code::E0101, p.span(p.here - 1), fmt::format("`{}` stands behind an argument", p.word(p.here - 1)),
                  fmt::format("write what is computed before it, as in `mean(trips.fare {} …)`", p.word(p.here - 1)));
  if (begins_operand(p.type()) && ends_operand(p.type(p.here - 1)) && p.expects(P::COMMA) &&
      !p.at(p.here).first_in_line) {
    auto d = p.make(Code::E0101, p.span(p.here), fmt::format("a comma is missing before `{}`", p.word()),
                    "arguments are parted by commas");
    const std::uint32_t end = p.at(p.here - 1).end;
    d.fixes.push_back({{p.span(p.here).file, end, end}, ",", "put a comma between them", false});
    return d;
  }
  return std::nullopt;
}

Found lambda(const Place& p) {
  if (p.here == 0 || p.word(p.here - 1) != "lambda") return std::nullopt;
  return p.make(Code::E0101, p.span(p.here - 1), "there are no functions without a name",
                "declare it between the blocks, `fn NAME(x: TYPE) -> TYPE = EXPRESSION`, and call it by its name");
}

// ---- numbers ----

bool is_number(std::uint16_t type) {
  return type == P::INT || type == P::FLOAT;
}

/// `1,5`, `5 days`, `over 7`, `gap "7d"`
Found amount(const Place& p) {
  const std::size_t here = p.here;
  if (p.type() == P::COMMA && here > 0 && p.type(here - 1) == P::INT && p.type(here + 1) == P::INT &&
      p.glued(here - 1) && p.glued(here)) {
    const bool thousands = p.word(here + 1).size() == 3 && p.word(here - 1).size() <= 3;
    const std::string whole(p.word(here - 1)), rest(p.word(here + 1));
    return p.instead(Code::E0104, p.span(here - 1, here + 1),
                     fmt::format("there is no comma inside of a number, as in `{},{}`", whole, rest),
                     fmt::format("{}{}{}", whole, thousands ? "_" : ".", rest), false);
  }
  const std::size_t number = here > 0 && is_number(p.type(here - 1)) && p.type() == P::WORD ? here - 1 : here;
  if (is_number(p.type(number)) && (number < here || p.expects(P::DURATION) || p.expects_operator())) {
    const std::string meant = p.type(number + 1) == P::WORD && !p.at(number + 1).first_in_line
                                  ? duration_of(fmt::format("{} {}", p.word(number), p.word(number + 1)))
                                  : std::string();
    if (!meant.empty())
      return p.instead(Code::E0104, p.span(number, number + 1),
                       "the unit of a duration is short, and glued to its number", meant, true);
  }
  if (!p.expects(P::DURATION) || p.expects(P::INT) || p.in("tagArgument")) return std::nullopt;
  if (is_number(p.type()))
    return p.make(Code::E0104, p.span(here), fmt::format("`{}` is no duration: it has no unit", p.word()),
                  fmt::format("write for example `{0}d` or `{0}h`", p.word()));
  if (p.type() == P::STRING && p.word().size() > 2) {
    const std::string meant = duration_of(p.word().substr(1, p.word().size() - 2));
    if (!meant.empty()) return p.instead(Code::E0101, p.span(here), "a duration stands without quotes", meant, true);
  }
  if (p.type() == P::LPAREN && here > 0 && p.type(here - 1) == P::K_OVER)
    return p.make(Code::E0101, p.span(here), "after `over` stands a length of time",
                  "write for example `mean(orders.total by shop) over 28d`; rows are parted with `by`");
  return std::nullopt;
}

}  // namespace

Found foreign_expression(const Place& place) {
  for (auto rule : {else_if, amount, case_when, is_what, between, like, shouted, lambda, trailing_if, question,
                    sign_operator, subscript, in_call, incomplete_if, word_operator})
    if (Found found = rule(place)) return found;
  return std::nullopt;
}

}  // namespace mlp::syntax
