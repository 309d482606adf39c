#include <fmt/format.h>

#include "compiler/syntax/tokens.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using grammar::MlpLexer;

struct Reporter {
  std::string_view text;
  std::uint32_t file;
  diag::Sink& sink;
  std::uint32_t strange_line_end = 0;  ///< one report a line for strange characters

  Span span(std::uint32_t begin, std::uint32_t end) const { return {file, begin, end}; }

  void strange(std::uint32_t begin, std::uint32_t end) {
    if (begin < strange_line_end) return;
    strange_line_end = static_cast<std::uint32_t>(std::min(text.find('\n', begin), text.size()));
    const std::string_view what = text.substr(begin, end - begin);
    std::string message = fmt::format("`{}` means nothing here", what), help;
    std::string_view better;
    if (what[0] == '%')
      help = "the remainder of a division is `mod(a, b)`; a percent is glued to its number: `10%`";
    else if (what == "&&" || what == "&")
      better = "and";
    else if (what == "!")
      better = "not ";
    else if (what == "~")
      better = "not ";
    else if (what == "$" || what == "\\")
      help = "a name has letters, digits and `_`; any other name stands in backticks";
    else if (what[0] == '\'' || what.starts_with("\u201C") || what.starts_with("\u201D") || what.starts_with("\u2019"))
      help = "texts stand in straight double quotes: \"like this\"";
    else if (static_cast<unsigned char>(what[0]) < 0x20)
      message = "a control character means nothing here", help = "remove it; editors show it when asked for invisible characters";
    else
      help = "a name that holds this character stands in backticks, a text in double quotes";
    if (!better.empty()) help = fmt::format("write `{}`", better.substr(0, better.find(' ')));
    diag::Diagnostic d = diag::make(diag::Code::E0102, span(begin, end), std::move(message)).with_help(std::move(help));
    if (!better.empty()) d.fixes.push_back({span(begin, end), std::string(better), "write it as a word", true});
    sink.report(std::move(d));
  }

  void number(std::uint32_t begin, std::uint32_t end) {
    const std::string_view what = text.substr(begin, end - begin);
    std::string help;
    std::size_t digits = 0;
    while (digits < what.size() &&
           (what[digits] == '_' || what[digits] == '.' || (what[digits] >= '0' && what[digits] <= '9')))
      ++digits;
    const std::string_view unit = what.substr(digits);
    static constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
        {"days", "d"},      {"day", "d"},      {"hours", "h"},  {"hour", "h"},   {"hr", "h"},
        {"minutes", "min"}, {"minute", "min"}, {"m", "min"},    {"mins", "min"}, {"sec", "s"},
        {"secs", "s"},      {"seconds", "s"},  {"second", "s"}, {"weeks", "w"},  {"week", "w"},
        {"years", "y"},     {"year", "y"},     {"msec", "ms"},  {"millis", "ms"}};
    diag::Diagnostic d =
        diag::make(diag::Code::E0104, span(begin, end), fmt::format("`{}` is neither a number nor a duration", what));
    for (const auto& [wrong, right] : kUnits)
      if (unit == wrong) {
        d.help = fmt::format("write `{}{}`", what.substr(0, digits), right);
        d.fixes.push_back(
            {span(begin, end), fmt::format("{}{}", what.substr(0, digits), right), "use the short unit", true});
      }
    if (d.help.empty())
      d.help =
          "numbers look like `1_000`, `0.5`, `1e-3`, `10%`; durations like `20ms`, `2s`, `15min`, `24h`, `7d`, `1w`, "
          "`1y`";
    sink.report(std::move(d));
  }

  void unclosed(std::uint32_t begin, std::uint32_t end, bool name, bool triple) {
    const std::string quote = name ? "`" : triple ? "\"\"\"" : "\"";
    diag::Diagnostic d = diag::make(diag::Code::E0103, span(begin, end),
                                    fmt::format("this {} is not closed", name ? "quoted name" : "text"));
    d.label = fmt::format("needs {} at its end", name ? "a backtick" : quote);
    d.help = name     ? "a quoted name ends on its line, with the sign that it begins with"
             : triple ? "close it with \"\"\", three double quotes as at its beginning"
                      : "a text ends on its line; one of several lines stands between \"\"\" and \"\"\"";
    sink.report(std::move(d));
  }
};

}  // namespace

RawTokens lex(std::string_view text, std::uint32_t file, diag::Sink& sink) {
  RawTokens out;
  const std::uint32_t skip = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark is no character
  Reporter reporter{text, file, sink};
  bool first_in_line = true;
  std::string doc;
  const auto push = [&](std::uint16_t type, std::uint32_t begin, std::uint32_t end) {
    Lexeme lexeme{type, first_in_line, begin, end, -1};
    if (!doc.empty()) {
      lexeme.doc = static_cast<std::int32_t>(out.docs.size());
      out.docs.push_back(std::move(doc));
      doc.clear();
    }
    out.lexemes.push_back(lexeme);
    first_in_line = false;
  };
  for (std::size_t at = skip; at < text.size();) {
    const auto [type, after] = scan(text, at);
    const auto begin = static_cast<std::uint32_t>(at), end = static_cast<std::uint32_t>(after);
    at = after;
    switch (type) {
      case MlpLexer::BLANK:
      case MlpLexer::COMMENT:
        break;
      case MlpLexer::NEWLINE:
        first_in_line = true;
        break;
      case MlpLexer::DOC: {
        std::string_view line = text.substr(begin + 2, end - begin - 2);
        if (line.starts_with('#')) break;  // a ruler of signs is no documentation
        if (line.starts_with(' ')) line.remove_prefix(1);
        while (line.ends_with(' '))
          line.remove_suffix(1);
        if (!doc.empty()) doc += '\n';
        doc += line;
        break;
      }
      case MlpLexer::WORD:
        push(word_type(text.substr(begin, end - begin)), begin, end);
        break;
      case MlpLexer::TRIPLE:
      case MlpLexer::RAW:
        push(MlpLexer::STRING, begin, end);
        break;
      case MlpLexer::STRANGE:
        reporter.strange(begin, end);
        push(MlpLexer::BAD, begin, end);
        break;
      case MlpLexer::BAD_NUMBER:
        reporter.number(begin, end);
        push(MlpLexer::BAD, begin, end);
        break;
      case MlpLexer::UNCLOSED_NAME:
      case MlpLexer::UNCLOSED_TRIPLE:
        reporter.unclosed(begin, end, type == MlpLexer::UNCLOSED_NAME, type == MlpLexer::UNCLOSED_TRIPLE);
        push(MlpLexer::BAD, begin, end);
        break;
      case MlpLexer::UNCLOSED: {
        // The text swallowed the end of its line. Brackets there are taken for what they most likely were, so that the
        // rest of the file keeps its shape.
        reporter.unclosed(begin, end, false, false);
        std::uint32_t tail = end;
        while (tail > begin + 1 && std::string_view(" \t\r){").find(text[tail - 1]) != std::string_view::npos)
          --tail;
        push(MlpLexer::BAD, begin, tail);
        for (std::uint32_t i = tail; i < end; ++i) {
          if (text[i] == ')') push(MlpLexer::RPAREN, i, i + 1);
          if (text[i] == '{') push(MlpLexer::LBRACE, i, i + 1);
        }
        break;
      }
      default:
        push(type, begin, end);
    }
  }
  return out;
}

}  // namespace mlp::syntax
