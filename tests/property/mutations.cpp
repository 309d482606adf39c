#include "tests/property/mutations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include "compiler/syntax/tokens.h"
#include "compiler/types/signature.h"

namespace mlp::mutations {

namespace {

using syntax::Lexeme;
using Words = std::vector<std::string_view>;

struct Program {
  std::string_view text;
  std::vector<Lexeme> tokens;
  std::vector<std::pair<std::size_t, std::size_t>> lines;  ///< begin and end, the line's end included
  std::mt19937_64& random;

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random() % n); }
  template <class T>
  const T& any(const std::vector<T>& of) { return of[below(of.size())]; }
  std::string_view word(std::size_t i) const { return text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin); }
  std::size_t line_of(std::size_t at) const {
    return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
  /// A token for which the predicate holds; nullopt where there is none.
  std::optional<std::size_t> token(const std::function<bool(std::size_t)>& holds) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      if (holds(i)) found.push_back(i);
    if (found.empty()) return std::nullopt;
    return any(found);
  }
  std::optional<std::size_t> name() {
    return token([&](std::size_t i) { return syntax::is_name(tokens[i].type) && syntax::keyword(tokens[i].type).empty(); });
  }
  std::optional<std::size_t> one_of(const Words& words) {
    return token([&](std::size_t i) { return std::ranges::find(words, word(i)) != words.end(); });
  }
  std::optional<std::size_t> number() {
    return token([&](std::size_t i) { return std::isdigit(static_cast<unsigned char>(word(i)[0])) != 0; });
  }
  Mutant replace(std::size_t begin, std::size_t end, std::string_view by) const {
    Mutant out;
    out.text = std::string(text.substr(0, begin)) + std::string(by) + std::string(text.substr(end));
    out.edit = fmt::format("line {}: `{}` becomes `{}`", line_of(begin), text.substr(begin, std::min<std::size_t>(end - begin, 60)), by);
    return out;
  }
  Mutant replace(std::size_t token, std::string_view by) const { return replace(tokens[token].begin, tokens[token].end, by); }
  Mutant swap(std::size_t a, std::size_t b) const {
    if (a > b) std::swap(a, b);
    const auto between = text.substr(tokens[a].end, tokens[b].begin - tokens[a].end);
    return replace(tokens[a].begin, tokens[b].end, std::string(word(b)) + std::string(between) + std::string(word(a)));
  }
  std::string_view line(std::size_t i) const { return text.substr(lines[i].first, lines[i].second - lines[i].first); }
  /// Position after the bracket that closes the one at `i`; the end of the tokens where nothing does.
  std::size_t after_bracket(std::size_t i) const {
    int depth = 0;
    for (; i < tokens.size(); ++i) {
      const std::string_view w = word(i);
      depth += w == "(" || w == "[" || w == "{";
      depth -= w == ")" || w == "]" || w == "}";
      if (depth <= 0) return i + 1;
    }
    return i;
  }
};

using Maybe = std::optional<Mutant>;

const Words kBrackets = {"(", ")", "[", "]", "{", "}"};
const Words kTypes = {"int", "float", "bool", "text", "category", "date", "timestamp", "duration", "string", "zone"};
const Words kTags = {"@key", "@time", "@label", "@pii", "@protected", "@weight", "@ignore", "@available(never)", "@available(after 1d)", "@whatever"};
const Words kUnits = {"ms", "s", "min", "h", "d", "w", "y", "m", "days", "%", ""};
const Words kLiterals = {"true", "\"text\"", "missing", "1.5", "7", "3d", "10%", "\"2024-01-31\"", "-1", "r\"[a-z\"", "\"\""};
const Words kNumbers = {"0", "1", "2", "0.0", "1.5", "1e308", "1e-320", "9223372036854775807", "9223372036854775808", "99999999999999999999", "-7", "100%", "1_000_000_000"};
const Words kKeywords = {"of", "by", "over", "if", "then", "else", "not", "in", "is", "missing", "data", "train", "feature", "at", "next", "where",
                         "because", "tune", "from", "join", "select", "each", "except", "as", "and", "or", "for", "within", "until", "version"};
const Words kOperators = {"+", "-", "*", "/", "^", "==", "!=", "<", "<=", ">", ">=", "??", "and", "or", "..", "=", ":", "->", "|", "in", "is"};
const Words kHeads = {"param", "secret", "fn", "data", "feature", "split", "train", "deploy", "evaluate", "monitor", "env"};

Maybe delete_token(Program& p) { return p.replace(p.below(p.tokens.size()), ""); }
Maybe duplicate_token(Program& p) {
  const std::size_t i = p.below(p.tokens.size());
  return p.replace(i, fmt::format("{} {}", p.word(i), p.word(i)));
}
Maybe swap_names(Program& p) {
  const auto a = p.name(), b = p.name();
  if (!a || !b || *a == *b) return std::nullopt;
  return p.swap(*a, *b);
}
Maybe swap_neighbours(Program& p) {
  if (p.tokens.size() < 2) return std::nullopt;
  const std::size_t i = p.below(p.tokens.size() - 1);
  return p.swap(i, i + 1);
}
Maybe change_literal(Program& p) {
  const auto i = p.token([&](std::size_t t) {
    const std::string_view w = p.word(t);
    return std::isdigit(static_cast<unsigned char>(w[0])) || w[0] == '"' || w == "true" || w == "false" || w == "missing";
  });
  if (!i) return std::nullopt;
  return p.replace(*i, p.any(kLiterals));
}
Maybe change_number(Program& p) {
  const auto i = p.number();
  if (!i) return std::nullopt;
  return p.replace(*i, p.any(kNumbers));
}
Maybe drop_default(Program& p) {
  const auto i = p.one_of({"??"});
  if (!i || *i + 1 >= p.tokens.size()) return std::nullopt;
  std::size_t last = *i + 1;
  if (last + 1 < p.tokens.size() && p.word(last + 1) == "(") last = p.after_bracket(last + 1) - 1;
  return p.replace(p.tokens[*i].begin, p.tokens[last].end, "");
}
Maybe move_line(Program& p) {
  const std::size_t from = p.below(p.lines.size()), to = p.below(p.lines.size());
  if (from == to) return std::nullopt;
  std::vector<std::string_view> lines;
  for (std::size_t i = 0; i < p.lines.size(); ++i) lines.push_back(p.line(i));
  const std::string_view moved = lines[from];
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(from));
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(std::min(to, lines.size())), moved);
  Mutant out{{}, fmt::format("line {} moves to {}", from + 1, to + 1)};
  for (const std::string_view line : lines) out.text += line;
  return out;
}
Maybe delete_line(Program& p) {
  const std::size_t i = p.below(p.lines.size());
  return p.replace(p.lines[i].first, p.lines[i].second, "");
}
Maybe duplicate_line(Program& p) {
  const std::size_t i = p.below(p.lines.size());
  return p.replace(p.lines[i].first, p.lines[i].first, p.line(i));
}
Maybe delete_bracket(Program& p) {
  const auto i = p.one_of(kBrackets);
  if (!i) return std::nullopt;
  return p.replace(*i, "");
}
Maybe insert_keyword(Program& p) {
  const std::size_t at = p.tokens[p.below(p.tokens.size())].begin;
  return p.replace(at, at, fmt::format("{} ", p.any(kKeywords)));
}
Maybe rename_declaration(Program& p) {
  const auto i = p.token([&](std::size_t t) {
    return t > 0 && syntax::is_name(p.tokens[t].type) && p.tokens[t - 1].first_in_line && std::ranges::find(kHeads, p.word(t - 1)) != kHeads.end();
  });
  if (!i) return std::nullopt;
  if (p.below(3) == 0)
    if (const auto other = p.name()) return p.replace(*i, p.word(*other));
  return p.replace(*i, fmt::format("{}_2", p.word(*i)));
}
Maybe change_type(Program& p) {
  const auto i = p.one_of(kTypes);
  if (!i) return std::nullopt;
  return p.replace(*i, p.any(kTypes));
}
Maybe toggle_missing(Program& p) {
  const auto mark = p.one_of({"?"}), type = p.one_of(kTypes);
  if (mark && p.below(2) == 0) return p.replace(*mark, "");
  if (!type) return std::nullopt;
  return p.replace(*type, fmt::format("{}?", p.word(*type)));
}
Maybe drop_tag(Program& p) {
  const auto i = p.one_of({"@"});
  if (!i || *i + 1 >= p.tokens.size()) return std::nullopt;
  std::size_t last = *i + 1;
  if (last + 1 < p.tokens.size() && p.word(last + 1) == "(") last = p.after_bracket(last + 1) - 1;
  return p.replace(p.tokens[*i].begin, p.tokens[last].end, "");
}
Maybe add_tag(Program& p) {
  const std::size_t i = p.below(p.lines.size());
  std::size_t end = p.lines[i].second;
  while (end > p.lines[i].first && std::isspace(static_cast<unsigned char>(p.text[end - 1]))) --end;
  return p.replace(end, end, fmt::format(" {}", p.any(kTags)));
}
Maybe change_unit(Program& p) {
  const auto i = p.token([&](std::size_t t) {
    const std::string_view w = p.word(t);
    return std::isdigit(static_cast<unsigned char>(w[0])) && (std::isalpha(static_cast<unsigned char>(w.back())) || w.back() == '%');
  });
  if (!i) return std::nullopt;
  std::string_view digits = p.word(*i);
  while (!digits.empty() && !std::isdigit(static_cast<unsigned char>(digits.back()))) digits.remove_suffix(1);
  return p.replace(*i, fmt::format("{}{}", digits, p.any(kUnits)));
}
Maybe truncate(Program& p) {
  const std::size_t at = p.below(p.text.size());
  return Mutant{std::string(p.text.substr(0, at)), fmt::format("ends in line {}", p.line_of(at))};
}
Maybe insert_byte(Program& p) {
  const std::size_t at = p.below(p.text.size() + 1);
  const char byte = static_cast<char>(p.below(256));
  Mutant out = p.replace(at, at, std::string_view(&byte, 1));
  out.edit = fmt::format("line {}: byte {:#04x} put in", p.line_of(at), static_cast<unsigned char>(byte));
  return out;
}
Maybe library_name(Program& p) {
  const auto i = p.name();
  if (!i) return std::nullopt;
  const auto library = standard_library();
  return p.replace(*i, library[p.below(library.size())].name);
}
Maybe other_name(Program& p) {
  const auto i = p.name(), by = p.name();
  if (!i || p.word(*i) == p.word(*by)) return std::nullopt;
  return p.replace(*i, p.word(*by));
}
Maybe change_operator(Program& p) {
  const auto i = p.one_of(kOperators);
  if (!i) return std::nullopt;
  return p.replace(*i, p.any(kOperators));
}
Maybe delete_block(Program& p) {
  const auto i = p.token([&](std::size_t t) { return p.tokens[t].first_in_line && p.tokens[t].begin > 0 && p.text[p.tokens[t].begin - 1] == '\n' && p.word(t) != "}"; });
  if (!i) return std::nullopt;
  std::size_t last = *i + 1;
  while (last < p.tokens.size() && !(p.tokens[last].first_in_line && p.text[p.tokens[last].begin - 1] == '\n' && p.word(last) != "}")) ++last;
  return p.replace(p.tokens[*i].begin, p.tokens[last - 1].end, "");
}
Maybe wrap_expression(Program& p) {
  const auto i = p.name();
  if (!i) return std::nullopt;
  const auto library = standard_library();
  return p.replace(*i, fmt::format("{}({})", library[p.below(library.size())].name, p.word(*i)));
}
Maybe change_character(Program& p) {
  const auto i = p.name();
  if (!i) return std::nullopt;
  std::string name(p.word(*i));
  name[p.below(name.size())] = static_cast<char>('a' + p.below(26));
  return p.replace(*i, name);
}

struct Kind {
  std::string_view name;
  Maybe (*edit)(Program&);
};
constexpr Kind kKinds[] = {
    {"delete a token", delete_token},           {"duplicate a token", duplicate_token}, {"swap two names", swap_names},
    {"swap neighbouring tokens", swap_neighbours}, {"change a literal's type", change_literal}, {"change a number", change_number},
    {"drop a `?? x`", drop_default},            {"move a line", move_line},             {"delete a line", delete_line},
    {"duplicate a line", duplicate_line},       {"delete a bracket", delete_bracket},   {"insert a keyword", insert_keyword},
    {"rename a declaration", rename_declaration}, {"change a type", change_type},       {"put or take a `?`", toggle_missing},
    {"drop a tag", drop_tag},                   {"add a tag", add_tag},                 {"change a unit", change_unit},
    {"truncate the file", truncate},            {"insert a byte", insert_byte},         {"a name of the library", library_name},
    {"another name of the file", other_name},   {"change an operator", change_operator}, {"delete a declaration", delete_block},
    {"wrap in a call", wrap_expression},        {"mistype a name", change_character},
};

}  // namespace

const std::vector<std::string_view>& kinds() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const Kind& kind : kKinds) out.push_back(kind.name);
    return out;
  }();
  return names;
}

std::optional<Mutant> mutate(std::string_view program, std::size_t kind, std::mt19937_64& random) {
  diag::Sink quiet;
  Program p{program, syntax::lex(program, 0, quiet).lexemes, {}, random};
  for (std::size_t begin = 0; begin < program.size();) {
    const std::size_t end = std::min(program.find('\n', begin), program.size() - 1) + 1;
    p.lines.emplace_back(begin, end);
    begin = end;
  }
  if (p.tokens.empty()) return std::nullopt;
  auto mutant = kKinds[kind].edit(p);
  if (mutant) mutant->edit = fmt::format("{}: {}", kKinds[kind].name, mutant->edit);
  if (mutant && mutant->text == program) return std::nullopt;
  return mutant;
}

}  // namespace mlp::mutations
