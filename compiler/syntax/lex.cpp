#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using grammar::MlpLexer;

struct Reporter {
  std::string_view text;
  std::uint32_t file;
  diag::Sink& sink;
  std::size_t most_foreign = 10'000;   ///< signs that are still looked at; after so many it is no program
  std::uint32_t strange_line_end = 0;  ///< one report a line for characters that nothing can be made of

  Span span(std::uint32_t begin, std::uint32_t end) const { return {file, begin, end}; }

  /// Whether the report of a character is told: one a line of those that stay strange.
  void strange(Foreign foreign) {
    const std::uint32_t begin = foreign.report.span.begin;
    if (begin < strange_line_end) return;
    if (foreign.type == MlpLexer::BAD) strange_line_end = static_cast<std::uint32_t>(std::min(text.find('\n', begin), text.size()));
    sink.report(std::move(foreign.report));
  }

  /// Whether a name may be that long.
  bool is_short(std::uint32_t begin, std::uint32_t end) {
    if (end - begin <= kLongestName) return true;
    sink.report(diag::make(diag::Code::E0110, span(begin, end), fmt::format("a name has at most {} bytes; this one has {}", kLongestName, end - begin))
                    .with_label("too long")
                    .with_help("shorten it; a column whose header is longer is bound with `as \"…\"`"));
    return false;
  }

  void too_many_parts(std::uint32_t begin, std::uint32_t end) {
    sink.report(diag::make(diag::Code::E0110, span(begin, end), fmt::format("names joined by dots are at most {}", kMostParts))
                    .with_label("the rest is not read")
                    .with_help("name a column of a table (`table.column`) or what an imported file declares (`file.name`)"));
  }

  void too_many(std::uint32_t begin, std::uint32_t end) {
    sink.report(diag::make(diag::Code::E0109, span(begin, end), fmt::format("the file has more than {} words, numbers and signs", kMostTokens))
                    .with_label("the rest is not read")
                    .with_help("split it and use `import`; tables belong into data files"));
  }

  void unclosed(std::uint32_t begin, std::uint32_t end, bool name, bool triple) {
    const std::string quote = name ? "`" : triple ? "\"\"\"" : "\"";
    diag::Diagnostic d = diag::make(diag::Code::E0103, span(begin, end),
                                    fmt::format("this {} is not closed", name ? "quoted name" : "text"));
    d.label = fmt::format("needs {} at its end", name ? "a backtick" : quote);
    d.help = name     ? "a quoted name ends on its line, with the sign that it begins with"
             : triple ? "close it with \"\"\", three double quotes as at its beginning"
                      : "a text ends on its line; one of several lines stands between \"\"\" and \"\"\"";
    for (const std::string_view curly : {"\u201D", "\u201C"})
      if (const std::size_t at = text.substr(begin, end - begin).rfind(curly); !name && !triple && at != std::string_view::npos) {
        const auto place = static_cast<std::uint32_t>(begin + at);
        d.secondary.push_back({span(place, place + 3), "a typographic quote closes no text"});
        d.help = "write a straight double quote at its end";
        break;
      }
    sink.report(std::move(d));
  }
};

}  // namespace

RawTokens lex(std::string_view text, std::uint32_t file, diag::Sink& sink) {
  RawTokens out;
  const std::uint32_t skip = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark is no character
  Reporter reporter{text, file, sink};
  bool first_in_line = true;
  std::size_t dots = 0;  // of the path that is being read
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
    if (type == MlpLexer::DOT) ++dots;
    else if (type != MlpLexer::WORD && type != MlpLexer::QUOTED_NAME) dots = 0;
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
        if (dots >= kMostParts) {
          if (dots == kMostParts) reporter.too_many_parts(begin, end);
          push(MlpLexer::BAD, begin, end);
          break;
        }
        push(reporter.is_short(begin, end) ? word_type(text.substr(begin, end - begin)) : static_cast<std::uint16_t>(MlpLexer::BAD), begin, end);
        break;
      case MlpLexer::QUOTED_NAME:
        push(reporter.is_short(begin + 1, end - 1) ? type : static_cast<std::uint16_t>(MlpLexer::BAD), begin, end);
        break;
      case MlpLexer::TRIPLE:
      case MlpLexer::RAW:
        push(MlpLexer::STRING, begin, end);
        break;
      case MlpLexer::STRANGE:
      case MlpLexer::SLASH:
      case MlpLexer::MINUS:
      case MlpLexer::LESS: {
        const Reading reading{text, file, begin, end, first_in_line, out.lexemes};
        if (reporter.most_foreign == 0) {
          push(type == MlpLexer::STRANGE ? static_cast<std::uint16_t>(MlpLexer::BAD) : type, begin, end);
          break;
        }
        std::optional<Foreign> foreign = foreign_comment(reading);
        if (!foreign && type == MlpLexer::STRANGE) foreign = foreign_characters(reading);
        if (!foreign) {
          push(type, begin, end);
          break;
        }
        if (foreign->type != 0) {
          push(foreign->type, begin, foreign->end);
          out.lexemes.back().mended = true;
        }
        first_in_line = first_in_line || text.substr(begin, foreign->end - begin).find('\n') != std::string_view::npos;
        MLP_CHECK(foreign->end > begin);
        --reporter.most_foreign;
        at = foreign->end;
        reporter.strange(std::move(*foreign));
        break;
      }
      case MlpLexer::BAD_NUMBER:
        sink.report(describe_bad_number({text, file, begin, end, first_in_line, out.lexemes}));
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
    if (out.lexemes.size() > kMostTokens) {
      reporter.too_many(begin, end);
      return {};
    }
  }
  return out;
}

}  // namespace mlp::syntax
