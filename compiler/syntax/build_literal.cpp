#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

namespace {

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '_') out += c;
  return out;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

}  // namespace

// ---- tokens and names ----

std::string_view Builder::text(antlr4::Token* token) const {
  const Lexeme& l = lexeme(token);
  return text_.substr(l.begin, l.end - l.begin);
}

Span Builder::span(antlr4::Token* token) const {
  if (everywhere_) return everywhere_;
  const Lexeme& l = lexeme(token);
  return {file_, l.begin, l.end};
}

Span Builder::span(antlr4::ParserRuleContext* tree) const {
  return tree->stop ? cover(span(tree->start), span(tree->stop)) : span(tree->start);
}

std::string Builder::doc(antlr4::ParserRuleContext* tree) const {
  const std::int32_t index = lexeme(tree->start).doc;
  return index < 0 ? std::string() : docs_[static_cast<std::size_t>(index)];
}

void Builder::report(diag::Code code, Span at, std::string message, std::string help) {
  sink_.report(diag::make(code, at, std::move(message)).with_help(std::move(help)));
}

Name Builder::name_of(antlr4::Token* token) {
  std::string_view word = text(token);
  const bool quoted = token->getType() == P::QUOTED_NAME;
  if (quoted) word = word.substr(1, word.size() - 2);
  return {std::string(word), span(token), quoted};
}

std::vector<Name> Builder::names(P::NamesContext* tree) {
  std::vector<Name> out;
  for (auto* each : tree->name())
    out.push_back(name(each));
  return out;
}

Path Builder::path(antlr4::ParserRuleContext* tree) {
  Path out;
  for (antlr4::tree::ParseTree* child : tree->children)
    if (auto* part = dynamic_cast<antlr4::ParserRuleContext*>(child)) out.parts.push_back(name_of(part->start));
  out.span = span(tree);
  return out;
}

std::vector<Path> Builder::paths(P::PathsContext* tree) {
  std::vector<Path> out;
  if (tree)
    for (auto* each : tree->path())
      out.push_back(path(each));
  return out;
}

Text Builder::string(antlr4::tree::TerminalNode* node) {
  const Span at = span(node);
  std::string_view body = text(node->getSymbol());
  const std::uint32_t begin = lexeme(node->getSymbol()).begin;
  const bool raw = body.front() == 'r';
  std::size_t skipped = raw ? 1 : 0;
  body.remove_prefix(skipped);
  const std::size_t quotes = body.starts_with("\"\"\"") && body.size() >= 6 ? 3 : 1;
  body = body.substr(quotes, body.size() - 2 * quotes);
  skipped += quotes;
  if (quotes == 3)  // a text of several lines may begin under its quotes
    for (const std::string_view line_end : {"\r\n", "\n"})
      if (body.starts_with(line_end)) {
        body.remove_prefix(line_end.size());
        skipped += line_end.size();
        break;
      }
  Text out{{}, at};
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (raw || body[i] != '\\' || i + 1 == body.size()) {
      out.value += body[i];
      continue;
    }
    const std::size_t from = i++;
    switch (body[i]) {
      case 'n':
        out.value += '\n';
        break;
      case 't':
        out.value += '\t';
        break;
      case 'r':
        out.value += '\r';
        break;
      case '"':
      case '\\':
      case '\'':
        out.value += body[i];
        break;
      case 'u': {
        const std::size_t close = body.find('}', i);
        std::uint32_t code = 0xFFFFFFFF;
        if (i + 1 < body.size() && body[i + 1] == '{' && close != std::string_view::npos) {
          const auto [end, error] = std::from_chars(body.data() + i + 2, body.data() + close, code, 16);
          if (error != std::errc() || end != body.data() + close) code = 0xFFFFFFFF;
        }
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) || code == 0) {
          report(diag::Code::E0101, at, "`\\u` is followed by a code point in braces",
                 "write `\\u{20AC}` for the euro sign");
        } else {
          append_utf8(out.value, code);
          i = close;
        }
        break;
      }
      default: {
        const auto place = static_cast<std::uint32_t>(begin + skipped + from);
        report(diag::Code::E0101, everywhere_ ? everywhere_ : Span{file_, place, place + 2},
               fmt::format("`\\{}` stands for no character", body[i]),
               "escapes are \\n \\t \\r \\\" \\\\ \\u{…}; a pattern is easier as r\"…\", where `\\` is itself");
        out.value += body[i];
      }
    }
  }
  return out;
}

std::vector<Text> Builder::strings(const std::vector<antlr4::tree::TerminalNode*>& nodes) {
  std::vector<Text> out;
  for (auto* node : nodes)
    out.push_back(string(node));
  return out;
}

std::int64_t Builder::integer(antlr4::tree::TerminalNode* node) {
  const std::string digits = without_underscores(text(node->getSymbol()));
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
    report(diag::Code::E0104, span(node), fmt::format("`{}` does not fit into 64 bits", text(node->getSymbol())),
           "the largest int is 9_223_372_036_854_775_807");
  return value;
}

std::optional<Text> Builder::because(P::BecauseContext* tree) {
  if (!tree) return std::nullopt;
  return string(tree->STRING());
}

// ---- literals ----

ExprId Builder::literal(P::LiteralContext* tree) {
  const Span at = span(tree);
  if (tree->number()) return number(tree->number());
  if (tree->DURATION()) return duration(tree->start);
  if (tree->STRING()) return push(at, String{string(tree->STRING()).value});
  if (tree->R_TRUE()) return push(at, Bool{true});
  if (tree->R_FALSE()) return push(at, Bool{false});
  return push(at, Missing{});
}

ExprId Builder::number(P::NumberContext* tree) {
  const Span at = span(tree);
  if (tree->INT()) return push(at, Int{integer(tree->INT())});
  std::string digits = without_underscores(text(tree->start));
  const bool percent = tree->PERCENT() != nullptr;
  if (percent) digits.replace(digits.size() - 1, 1, "e-2");
  double value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc() || !std::isfinite(value)) {
    report(diag::Code::E0104, at, fmt::format("`{}` is beyond what a float can hold", text(tree->start)),
           "floats go from 5e-324 to 1.8e308");
    return push(at, Broken{});
  }
  if (percent) return push(at, Percent{value});
  return push(at, Float{value});
}

ExprId Builder::duration(antlr4::Token* token) {
  const std::string all = without_underscores(text(token));
  const std::size_t unit_at = all.find_first_not_of("0123456789.");
  const std::string_view unit = std::string_view(all).substr(unit_at);
  constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;
  const std::int64_t micros = unit == "ms"    ? 1000
                              : unit == "s"   ? kSecond
                              : unit == "min" ? 60 * kSecond
                              : unit == "h"   ? 3600 * kSecond
                              : unit == "d"   ? kDay
                              : unit == "w"   ? 7 * kDay
                                              : 365 * kDay;
  std::int64_t whole = 0, result = 0;
  const bool fraction = all.find('.') < unit_at;
  bool fits = true;
  if (!fraction) {
    fits = std::from_chars(all.data(), all.data() + unit_at, whole).ec == std::errc() &&
           !__builtin_mul_overflow(whole, micros, &result);
  } else {
    double value = 0;
    std::from_chars(all.data(), all.data() + unit_at, value);
    const double scaled = std::round(value * static_cast<double>(micros));
    fits = scaled < 9e18;
    if (fits) result = static_cast<std::int64_t>(scaled);
  }
  if (!fits) {
    report(diag::Code::E0104, span(token), fmt::format("`{}` is too long for a duration", text(token)),
           "durations go up to 292_000y");
    return push(span(token), Broken{});
  }
  return push(span(token), Duration{result});
}

}  // namespace mlp::syntax
