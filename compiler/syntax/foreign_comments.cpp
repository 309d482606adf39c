#include <fmt/format.h>

#include <algorithm>

#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using L = grammar::MlpLexer;

/// Two words in a row that are no operators: prose.
bool is_prose(std::string_view text) {
  bool word_before = false;
  std::size_t i = 0;
  while (i < text.size() && text[i] != '#') {
    if (is_letter(text[i])) {
      const std::size_t from = i;
      while (i < text.size() && (is_letter(text[i]) || is_digit(text[i])))
        ++i;
      const bool name = !is_reserved(word_type(text.substr(from, i - from)));
      if (name && word_before) return true;
      word_before = name;
    } else {
      if (!is_blank(text[i])) word_before = false;
      ++i;
    }
  }
  return false;
}

/// The lines of a comment as this language writes them.
std::string with_number_signs(std::string_view body, std::string_view indent) {
  std::string out;
  for (std::size_t from = 0; from <= body.size();) {
    const std::size_t to = std::min(body.find('\n', from), body.size());
    std::string_view line = trimmed(body.substr(from, to - from));
    while (line.starts_with('*'))
      line.remove_prefix(1);
    line = trimmed(line);
    if (!line.empty()) out += fmt::format("{}# {}", out.empty() ? "" : fmt::format("\n{}", indent), line);
    from = to + 1;
  }
  return out;
}

}  // namespace

void warn_of_comments(std::string_view text, std::uint32_t file, const std::vector<Lexeme>& all, diag::Sink& sink) {
  for (const std::string_view word : {"#include", "#import"}) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; at += word.size()) {
      const auto begin = static_cast<std::uint32_t>(at);
      const std::string_view what = trimmed(text.substr(at + word.size(), line_end(text, begin) - std::min<std::size_t>(line_end(text, begin), at + word.size())));
      if (what.size() < 3 || !((what.front() == '"' && what.back() == '"') || (what.front() == '<' && what.back() == '>'))) continue;
      const auto next = std::ranges::upper_bound(all, begin, {}, &Lexeme::begin);
      const bool in_text = next != all.begin() && std::prev(next)->end > begin;
      const bool alone = trimmed(text.substr(text.rfind('\n', at) + 1, at - text.rfind('\n', at) - 1)).empty();
      if (in_text || !alone) continue;
      const std::string path(what.substr(1, what.size() - 2));
      const std::string meant = fmt::format("import \"{}\" as NAME", path);
      sink.report(diag::make(diag::Code::W0101, {file, begin, line_end(text, begin)}, "this line is a comment: nothing is imported").with_help(fmt::format("write `{}`, or put a blank behind the `#`", meant)));
    }
  }
}

std::optional<Foreign> foreign_comment(const Reading& at) {
  const std::string_view rest = at.text.substr(at.begin), near = at.text.substr(0, at.begin + kFarthest);
  const auto make = [&](std::string_view sign, std::uint32_t end, std::string help) {
    Foreign out{diag::make(diag::Code::E0101, {at.file, at.begin, static_cast<std::uint32_t>(at.begin + sign.size())},
                           fmt::format("`{}` begins no comment", sign)),
                end, 0};
    out.report.help = std::move(help);
    return out;
  };
  constexpr std::string_view kHelp = "a comment begins with `#` and ends with its line";
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"/*", "*/"}, {"<!--", "-->"}}) {
    if (!rest.starts_with(open)) continue;
    const std::size_t found = near.find(close, at.begin + open.size());
    const auto end = found == std::string_view::npos ? line_end(at.text, at.begin) : static_cast<std::uint32_t>(found + close.size());
    Foreign out = make(open, end, std::string(kHelp));
    std::uint32_t line = at.begin;
    while (line > 0 && at.text[line - 1] != '\n')
      --line;
    const std::string_view body = at.text.substr(
        at.begin + open.size(), (found == std::string_view::npos ? end : found) - at.begin - open.size());
    if (end == line_end(at.text, end) && !trimmed(body).empty())
      out.report.fixes.push_back(
          {{at.file, at.begin, end},
           with_number_signs(body, at.first_in_line ? at.text.substr(line, at.begin - line) : ""),
           "write a comment with `#`",
           at.first_in_line || body.find('\n') == std::string_view::npos});
    return out;
  }
  if (rest.starts_with("'''")) {
    const std::size_t found = near.find("'''", at.begin + 3);
    return make("'''", found == std::string_view::npos ? line_end(at.text, at.begin) : static_cast<std::uint32_t>(found + 3),
                "a comment begins with `#`, the documentation of what follows with `##`");
  }
  if (at.first_in_line && rest.starts_with('%') && !rest.starts_with("%>%")) {
    Foreign out = make("%", line_end(at.text, at.begin), std::string(kHelp));
    out.report.fixes.push_back({out.report.span, "#", "write a comment with `#`", true});
    return out;
  }
  const bool slashes = rest.starts_with("//"), dashes = rest.starts_with("--");
  if (!slashes && !dashes) return std::nullopt;
  const std::uint32_t stop = line_end(near, at.begin);
  if (slashes && at.begin > 0 && at.text[at.begin - 1] == ':') {  // https://…
    auto end = at.begin;
    while (end < stop && !is_blank(at.text[end]) && at.text[end] != ')' && at.text[end] != ',' && at.text[end] != '"')
      ++end;
    Foreign out{diag::make(diag::Code::E0101, {at.file, at.begin, end}, "an address stands in double quotes"), end,
                L::BAD};
    out.report.help = "write `\"https://…\"`";
    return out;
  }
  const std::string_view sign = slashes ? "//" : "--";
  std::uint32_t end = at.begin;
  while (end < stop && at.text[end] == sign[0])
    ++end;
  const std::string_view body = at.text.substr(end, stop - end);
  // `--x` is a sign twice before its operand.
  const bool seen = stop < near.size() || near.size() == at.text.size();  // to the end of the line
  const bool comment = at.first_in_line || (seen && trimmed(body).empty()) || (dashes ? !body.empty() && is_blank(body.front()) : is_prose(body));
  if (!comment && dashes) return std::nullopt;
  if (comment) {
    Foreign out = make(at.text.substr(at.begin, end - at.begin), line_end(at.text, at.begin), std::string(kHelp));
    out.report.fixes.push_back({out.report.span, "#", "write a comment with `#`", true});
    return out;
  }
  const bool divides = !trimmed(body).empty() && !is_letter(trimmed(body).front());
  Foreign out{diag::make(diag::Code::E0101, {at.file, at.begin, end}, "there is no operator `//`"), end, L::BAD};
  out.report.help = divides ? "whole numbers are divided with `div(a, b)`"
                            : "whole numbers are divided with `div(a, b)`; a comment begins with `#`";
  return out;
}

}  // namespace mlp::syntax
