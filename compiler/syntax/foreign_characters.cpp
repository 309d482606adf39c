#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/text.h"
#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using L = grammar::MlpLexer;

/// A sign that looks like one of the language, or stands for it elsewhere.
struct LookAlike {
  std::string_view sign, name;
  std::string_view meant;  ///< empty: a blank
  std::uint16_t type;      ///< of the token; 0: a blank
  bool safe = true;
};

constexpr LookAlike kLookAlikes[] = {
    {"\u00A0", "a non-breaking space", " ", 0},
    {"\u2007", "a figure space", " ", 0},
    {"\u2009", "a thin space", " ", 0},
    {"\u202F", "a narrow non-breaking space", " ", 0},
    {"\u2002", "an en space", " ", 0},
    {"\u2003", "an em space", " ", 0},
    {"\u3000", "an ideographic space", " ", 0},
    {"\u2028", "a line separator", " ", 0, false},
    {"\u00AD", "a soft hyphen", "", 0},
    {"\u200B", "a zero-width space", "", 0},
    {"\u200C", "a zero-width non-joiner", "", 0},
    {"\u200D", "a zero-width joiner", "", 0},
    {"\u200E", "a left-to-right mark", "", 0},
    {"\u200F", "a right-to-left mark", "", 0},
    {"\u2060", "a word joiner", "", 0},
    {"\uFEFF", "a byte order mark", "", 0},
    {"\u2212", "a minus sign", "-", L::MINUS},
    {"\u2010", "a hyphen", "-", L::MINUS},
    {"\u2011", "a non-breaking hyphen", "-", L::MINUS},
    {"\u2013", "an en dash", "-", L::MINUS},
    {"\u2014", "an em dash", "-", L::BAD, false},
    {"\u00D7", "a times sign", "*", L::STAR},
    {"\u22C5", "a multiplication dot", "*", L::STAR},
    {"\u00B7", "a middle dot", "*", L::STAR, false},
    {"\u00F7", "a division sign", "/", L::SLASH},
    {"\u2215", "a division slash", "/", L::SLASH},
    {"\u2264", "a sign", "<=", L::LESS_EQUAL},
    {"\u2265", "a sign", ">=", L::GREATER_EQUAL},
    {"\u2260", "a sign", "!=", L::NOT_EQUAL},
    {"\u2192", "an arrow", "->", L::ARROW},
    {"\u2026", "an ellipsis", "..", L::RANGE},
    {"\u2227", "a sign", "and", L::R_AND},
    {"\u2228", "a sign", "or", L::R_OR},
    {"\u00AC", "a sign", "not", L::R_NOT},
    {"\u2208", "a sign", "in", L::R_IN},
    {"\uFF08", "a full-width parenthesis", "(", L::LPAREN},
    {"\uFF09", "a full-width parenthesis", ")", L::RPAREN},
    {"\uFF0C", "a full-width comma", ",", L::COMMA},
    {"\uFF1A", "a full-width colon", ":", L::COLON},
    {"\uFF1B", "a full-width semicolon", ";", L::SEMICOLON},
    {"\uFF1D", "a full-width equals sign", "=", L::ASSIGN},
    {"\uFF5B", "a full-width brace", "{", L::LBRACE},
    {"\uFF5D", "a full-width brace", "}", L::RBRACE},
    {"\u00B2", "a raised two", "^2", L::BAD, false},
    {"\u00B3", "a raised three", "^3", L::BAD, false},
};

constexpr std::string_view kOpeningQuotes[] = {"\u201C", "\u201D", "\u201E", "\u201F", "\u00AB", "\u00BB", "\u2018",
                                               "\u2019", "\u201A", "\u2039", "\u203A", "\u2032", "\u2033"};

/// One report of characters that begin no token.
class Characters {
 public:
  explicit Characters(const Reading& at) : at_(at), what_(at.text.substr(at.begin, at.end - at.begin)) {}

  Foreign run() const {
    if (what_.front() == '\'') return quoted("'", "'");
    for (const std::string_view quote : kOpeningQuotes)
      if (what_ == quote) return quoted(quote, {});
    for (const LookAlike& each : kLookAlikes)
      if (what_ == each.sign) return look_alike(each);
    switch (what_.front()) {
      case '%':
        return percent();
      case '&':
        return ampersand();
      case '!':
        return exclamation();
      case '~':
        return tilde();
      case '$':
        return dollar();
      case '\\':
        return backslash();
      default:
        return other();
    }
  }

 private:
  std::string_view rest() const { return at_.text.substr(at_.begin); }
  char before() const { return at_.begin > 0 ? at_.text[at_.begin - 1] : '\n'; }
  char after(std::uint32_t end) const { return end < at_.text.size() ? at_.text[end] : '\n'; }
  Span span(std::uint32_t begin, std::uint32_t end) const { return {at_.file, begin, end}; }
  const Lexeme* last() const { return at_.before.empty() ? nullptr : &at_.before.back(); }
  bool glued_to(std::uint16_t type) const {
    return last() && last()->end == at_.begin && last()->type == type && !at_.first_in_line;
  }
  std::string_view word(const Lexeme& lexeme) const { return at_.text.substr(lexeme.begin, lexeme.end - lexeme.begin); }

  Foreign read(std::uint32_t end, std::uint16_t type, std::string message, std::string help,
               diag::Code code = diag::Code::E0102) const {
    return {diag::make(code, span(at_.begin, end), std::move(message)).with_help(std::move(help)), end, type};
  }
  /// With blanks where a word would else be glued to its neighbours.
  std::string apart(std::string_view word, std::uint32_t end) const {
    std::string out(word);
    if (is_letter(before()) || is_digit(before()) || before() == ')' || before() == ']') out.insert(0, " ");
    if (!is_blank(after(end)) && after(end) != '\n') out += ' ';
    return out;
  }

  Foreign look_alike(const LookAlike& sign) const {
    // A run of the same blank is one mistake.
    std::uint32_t end = at_.end;
    while (sign.type == 0 && at_.text.substr(end).starts_with(sign.sign))
      end += static_cast<std::uint32_t>(sign.sign.size());
    const bool blank = sign.type == 0;
    const bool between_digits = is_digit(before()) && is_digit(after(end));
    const bool range = between_digits && (sign.sign == "\u2013" || sign.sign == "\u2014");
    const std::string_view meant = range ? std::string_view("..") : sign.meant;
    std::string message = fmt::format("{} is no blank of the language", sign.name);
    if (!blank && sign.name != "a sign") message = fmt::format("`{}` is {}, not `{}`", sign.sign, sign.name, meant);
    if (sign.name == "a sign") message = fmt::format("`{}` is not a sign of the language", sign.sign);
    if (blank && sign.meant.empty()) message = fmt::format("{} stands here, which cannot be seen", sign.name);
    std::string help = blank ? sign.meant.empty() ? "remove it; it was pasted with the text" : "write a plain space"
                             : fmt::format("write `{}`", meant);
    Foreign out =
        read(end, range ? static_cast<std::uint16_t>(L::RANGE) : sign.type, std::move(message), std::move(help));
    std::string replacement(meant);
    if (blank) replacement = std::string(sign.meant.empty() ? 0 : (end - at_.begin) / sign.sign.size(), ' ');
    if (is_letter(meant.empty() ? ' ' : meant.front())) replacement = apart(meant, end);
    out.report.fixes.push_back({span(at_.begin, end), replacement,
                                blank ? "use plain spaces" : fmt::format("write `{}`", meant), sign.safe && !range});
    return out;
  }

  /// The end of the line, or of what is near.
  std::uint32_t stop_after(std::uint32_t from) const { return line_end(at_.text.substr(0, from + kFarthest), from); }

  /// A text in single or typographic quotes. `close` is empty where any quote of the kind may close it.
  Foreign quoted(std::string_view open, std::string_view close) const {
    const std::uint32_t stop = stop_after(at_.begin);
    const std::string_view line = at_.text.substr(at_.begin, stop - at_.begin);
    // 1'000: digits are parted by `_`.
    if (glued_to(L::INT) && line.size() > 1 && is_digit(line[1])) {
      std::uint32_t end = at_.begin + static_cast<std::uint32_t>(open.size());
      while (end < stop && (is_digit(at_.text[end]) || at_.text[end] == '\''))
        ++end;
      std::string digits(at_.text.substr(last()->begin, end - last()->begin));
      for (std::size_t i; (i = digits.find(open)) != std::string::npos;)
        digits.replace(i, open.size(), "_");
      Foreign out = read(end, L::BAD, fmt::format("digits are not parted by `{}`", open),
                         fmt::format("write `{}`", digits), diag::Code::E0104);
      out.report.fixes.push_back({span(last()->begin, end), digits, "part the digits by `_`", true});
      return out;
    }
    std::string inner;
    std::size_t end = open.size();
    bool closed = false;
    while (end < line.size() && !closed) {
      std::string_view found;
      if (!close.empty() && line.substr(end).starts_with(close)) found = close;
      for (const std::string_view quote : kOpeningQuotes)
        if (close.empty() && line.substr(end).starts_with(quote)) found = quote;
      if (found.empty()) {
        if (line[end] == '\\' && end + 1 < line.size() && line[end + 1] == '\'') ++end;
        inner += line[end++];
      } else if (!close.empty() && line.substr(end + 1).starts_with(close)) {  // 'it''s'
        inner += found;
        end += 2 * found.size();
      } else {
        end += found.size();
        closed = true;
      }
    }
    const std::string shown(first_code_points(inner, 40));
    if (!closed) {
      // Brackets at the end of the line most likely belong to what is around the text.
      end = line.size();
      while (end > open.size() && (is_blank(line[end - 1]) || line[end - 1] == ')' || line[end - 1] == '{'))
        --end;
      return read(at_.begin + static_cast<std::uint32_t>(end), L::BAD,
                  fmt::format("a text does not begin with `{}`, and this one is not closed", open),
                  "a text stands between two straight double quotes: \"like this\"", diag::Code::E0103);
    }
    const auto stop_at = at_.begin + static_cast<std::uint32_t>(end);
    const std::string straight = fmt::format("\"{}\"", inner);
    const bool plain = inner.find_first_of("\"\\") == std::string::npos;
    std::uint32_t from = at_.begin;
    Foreign out = read(stop_at, L::BAD,
                       open == "'" ? "texts stand in double quotes, not in single ones"
                                   : fmt::format("`{}` begins no text: it is a typographic quote", open),
                       plain ? fmt::format("write `{}`", straight)
                             : "write straight double quotes, and a `\\` before each inside of the text");
    const std::string_view word =
        last() && !at_.first_in_line && last()->type == L::WORD ? this->word(*last()) : std::string_view();
    if (word == "interval" || word == "INTERVAL") {
      const std::string length = duration_of(inner);
      from = last()->begin;
      out.report.message = "a length of time is written without `interval` and quotes";
      out.report.help =
          length.empty() ? "write a duration such as `7d`, `24h` or `15min`" : fmt::format("write `{}`", length);
      if (!length.empty()) out.report.fixes.push_back({span(from, stop_at), length, "write a duration", true});
      return out;
    }
    const bool typed = word == "date" || word == "timestamp" || word == "DATE" || word == "TIMESTAMP";
    if (typed && last()->end < at_.begin && plain) {
      const std::string call = fmt::format("{}({})",
                                           word == "DATE"        ? "date"
                                           : word == "TIMESTAMP" ? "timestamp"
                                                                 : word,
                                           straight);
      out.report.message = fmt::format("`{}` is called, with a text in double quotes", word);
      out.report.help = fmt::format("write `{}`", call);
      out.report.fixes.push_back({span(last()->begin, stop_at), call, "write a call", true});
      return out;
    }
    const bool prefixed = last() && last()->end == at_.begin && last()->type == L::WORD && word.size() <= 2;
    if (prefixed && (word.find('f') != word.npos || word.find('F') != word.npos)) {
      out.report.message = "a text is not filled in: there is no `f` before it";
      out.report.help = "join texts with `concat(a, b)`; a number becomes a text with `string(x)`";
      return out;
    }
    if (!plain || prefixed) return out;
    // One byte at each end is what the quotes of a token take, so this can be read on as the text that it is.
    if (open == "'" && inner.size() + 2 == end) out.type = L::STRING;
    const bool iso_date =
        inner.size() == 10 && inner[4] == '-' && inner[7] == '-' && is_digit(inner[0]) && is_digit(inner[9]);
    const bool compared = last() && (last()->type == L::EQUAL || last()->type == L::NOT_EQUAL ||
                                     (last()->type >= L::LESS_EQUAL && last()->type <= L::GREATER));
    if (iso_date && compared) {
      out.type = L::BAD;
      out.report.help = fmt::format("write `date({})`, or `{}` where a text is meant", straight, straight);
      return out;
    }
    out.report.fixes.push_back({span(from, stop_at), straight, "write straight double quotes", true});
    return out;
  }

  Foreign percent() const {
    if (rest().starts_with("%>%")) {
      Foreign out = read(at_.begin + 3, L::BAR, "`%>%` begins no stage of a pipeline", "write `|`");
      out.report.fixes.push_back({span(at_.begin, at_.begin + 3), "|", "write `|`", true});
      return out;
    }
    const bool number = last() && !at_.first_in_line && (last()->type == L::INT || last()->type == L::FLOAT);
    std::string_view next = at_.text.substr(at_.end, stop_after(at_.end) - at_.end);
    next = trimmed(next.substr(0, next.find('#')));
    const bool operand = !next.empty() && (is_letter(next[0]) || is_digit(next[0]) || next[0] == '(' || next[0] == '`');
    const bool word = operand && (next.starts_with("and ") || next.starts_with("or ") || next.starts_with("then ") ||
                                  next.starts_with("else ") || next.starts_with("of ") || next.starts_with("for ") ||
                                  next.starts_with("because ") || next.starts_with("seed "));
    if (what_ == "%" && number && (!operand || word)) {
      const std::string glued = fmt::format("{}%", this->word(*last()));
      Foreign out = read(at_.end, L::BAD, "a percent sign stands right behind its number",
                         fmt::format("write `{}`", glued), diag::Code::E0104);
      out.report.fixes.push_back({span(last()->begin, at_.end), glued, "glue the sign to the number", true});
      return out;
    }
    return read(at_.end, L::BAD, fmt::format("there is no operator `{}`", what_),
                "the remainder of a division is `mod(a, b)`; a percent sign stands right behind its number: `10%`");
  }

  Foreign ampersand() const {
    if (what_.starts_with("&&")) {
      Foreign out = read(at_.begin + 2, L::R_AND, "there is no operator `&&`", "write `and`");
      out.report.fixes.push_back({span(at_.begin, out.end), apart("and", out.end), "write `and`", true});
      return out;
    }
    // In Python it binds tighter than a comparison, so it is not certain what was meant.
    Foreign out = read(at_.begin + 1, L::R_AND, "there is no operator `&`", "did you mean `and`?");
    out.report.fixes.push_back({span(at_.begin, out.end), apart("and", out.end), "write `and`", false});
    return out;
  }

  Foreign exclamation() const {
    if (glued_to(L::ASSIGN)) {
      Foreign out = read(at_.begin + 1, L::BAD, "there is no operator `=!`", "did you mean `!=`?");
      out.report.span.begin = last()->begin;
      out.report.fixes.push_back({out.report.span, "!=", "write `!=`", false});
      return out;
    }
    // `!a == b` negates `a` alone elsewhere; `not a == b` the comparison.
    std::uint32_t i = at_.begin + 1;
    int depth = 0;
    const std::uint32_t stop = stop_after(i);
    for (; i < stop &&
           (depth > 0 || is_letter(at_.text[i]) || is_digit(at_.text[i]) || at_.text[i] == '.' || at_.text[i] == '(');
         ++i)
      depth += at_.text[i] == '(' ? 1 : at_.text[i] == ')' ? -1 : 0;
    const std::string_view next = trimmed(at_.text.substr(i, stop - i));
    const bool alone = next.empty() || next.starts_with(')') || next.starts_with(',') || next.starts_with('#') ||
                       next.starts_with("&&") || next.starts_with("and ") || next.starts_with("or ") ||
                       next.starts_with("||") || next.starts_with("then ") || next.starts_with("else ") ||
                       next.starts_with('}');
    Foreign out = read(at_.begin + 1, L::R_NOT, "there is no operator `!`",
                       alone ? "write `not`" : "did you mean `not`? it negates all that follows, up to `and` or `or`");
    out.report.fixes.push_back({span(at_.begin, out.end), apart("not", out.end), "write `not`", alone});
    return out;
  }

  Foreign tilde() const {
    if (glued_to(L::ASSIGN)) {
      Foreign out = read(at_.begin + 1, L::BAD, "there is no operator `=~`",
                         "test a text with `contains(x, \"…\")`, `starts_with` or `ends_with`");
      out.report.span.begin = last()->begin;
      return out;
    }
    Foreign out = read(at_.begin + 1, L::R_NOT, "there is no operator `~`", "did you mean `not`?");
    out.report.fixes.push_back({span(at_.begin, out.end), apart("not", out.end), "write `not`", false});
    return out;
  }

  Foreign dollar() const {
    const char next = after(at_.begin + 1);
    if (is_digit(next)) return read(at_.begin + 1, 0, "an amount of money is a plain number", "remove the `$`");
    if (next == '{')
      return read(at_.begin + 1, L::BAD, "values are not filled in with `${…}`",
                  "name a `param` as it is: declare `param limit: int = 3`, write `limit`");
    if (is_letter(next)) {
      Foreign out = read(at_.begin + 1, 0, "names begin with no `$`", "remove the `$`");
      out.report.fixes.push_back({span(at_.begin, at_.begin + 1), "", "remove the `$`", true});
      return out;
    }
    return read(at_.end, L::BAD, fmt::format("`{}` means nothing here", what_),
                "a name has letters, digits and `_`; any other name stands in backticks");
  }

  Foreign backslash() const {
    if (trimmed(at_.text.substr(at_.begin + 1,
                                stop_after(at_.begin) - std::min(stop_after(at_.begin), at_.begin + 1)))
            .empty()) {
      Foreign out = read(at_.begin + 1, 0, "no `\\` is needed where a line goes on",
                         "a line goes on after an operator, `=`, `,` or inside of parentheses: remove the `\\`");
      out.report.fixes.push_back({span(at_.begin, at_.begin + 1), "", "remove the `\\`", true});
      return out;
    }
    return read(at_.end, L::BAD, fmt::format("`{}` means nothing here", what_),
                "a name has letters, digits and `_`; any other name stands in backticks");
  }

  Foreign other() const {
    if (static_cast<unsigned char>(what_.front()) < 0x20 || what_.front() == 0x7f)
      return read(at_.end, L::BAD, "a control character means nothing here",
                  "remove it; editors show it when asked for invisible characters");
    for (const std::string_view money : {"\u20AC", "\u00A3", "\u00A5"})
      if (what_ == money && is_digit(after(at_.end)))
        return read(at_.end, 0, "an amount of money is a plain number", fmt::format("remove the `{}`", money));
    return read(at_.end, L::BAD, fmt::format("`{}` means nothing here", what_),
                "a name that holds this character stands in backticks, a text in double quotes");
  }

  const Reading& at_;
  std::string_view what_;
};

}  // namespace

Foreign foreign_characters(const Reading& at) {
  return Characters(at).run();
}

}  // namespace mlp::syntax
