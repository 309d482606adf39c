#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/render.h"
#include "compiler/syntax/build.h"

namespace mlp::syntax {

namespace {

class Describer {
 public:
  Describer(const Mismatch& m, const Chunk& chunk, std::string_view text, std::uint32_t file)
      : m_(m), all_(chunk.lexemes), text_(text), file_(file), type_(all_[std::min(m.at, all_.size() - 1)].type) {}

  diag::Diagnostic run() {
    using D = std::optional<diag::Diagnostic>;
    for (auto rule : {&Describer::unknown_declaration, &Describer::unknown_entry, &Describer::open_line,
                      &Describer::open_bracket, &Describer::assign_for_equal, &Describer::equal_for_assign,
                      &Describer::chained_parentheses, &Describer::is_not, &Describer::reserved, &Describer::no_type,
                      &Describer::no_assign, &Describer::no_brace, &Describer::two_in_a_line})
      if (D found = (this->*rule)()) return std::move(*found);
    return plain();
  }

 private:
  using Found = std::optional<diag::Diagnostic>;

  const Lexeme& at(std::size_t i) const { return all_[std::min(i, all_.size() - 1)]; }
  std::string_view word(std::size_t i) const { return text_.substr(at(i).begin, at(i).end - at(i).begin); }
  Span span(std::size_t i) const { return {file_, at(i).begin, at(i).end}; }
  bool expects(std::uint16_t type) const { return std::ranges::find(m_.expected, type) != m_.expected.end(); }
  bool ends_line() const { return type_ == P::SEP || type_ == P::END || type_ == P::RBRACE || at(m_.at).first_in_line; }
  bool in(std::string_view rule) const { return std::ranges::find(m_.rules, rule) != m_.rules.end(); }
  std::string_view rule() const { return m_.rules.empty() ? std::string_view() : std::string_view(m_.rules.front()); }
  diag::Diagnostic make(diag::Code code, Span where, std::string message) const {
    return diag::make(code, where, std::move(message));
  }
  diag::Fix fix(std::size_t i, std::string by, std::string title) const {
    return {span(i), std::move(by), std::move(title), true};
  }

  /// The words that would fit here, with the meant one as a correction.
  diag::Diagnostic wrong_word(diag::Code code, std::string message, std::string_view list) const {
    std::vector<std::string_view> words;
    for (const std::uint16_t type : m_.expected)
      if (!keyword(type).empty()) words.push_back(keyword(type));
    diag::Diagnostic d = make(code, span(m_.at), std::move(message));
    if (const std::string_view meant = diag::did_you_mean(word(m_.at), words); !meant.empty()) {
      d.help = fmt::format("did you mean `{}`?", meant);
      d.fixes.push_back({span(m_.at), std::string(meant), "correct the word", false});
    } else {
      d.help = fmt::format("{} {}", list, fmt::join(words, ", "));
    }
    return d;
  }

  Found unknown_declaration() {
    if (m_.at != 0) return std::nullopt;
    if (!is_name(type_))
      return make(diag::Code::E0101, span(0), fmt::format("no declaration begins with `{}`", shown(0)))
          .with_help(
              "a declaration begins with a word such as `data`, `feature`, `train`; is a bracket closed too early "
              "before it?");
    diag::Diagnostic d =
        wrong_word(diag::Code::E0101, fmt::format("`{}` begins no declaration", word(0)), "declarations are");
    static constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
        {"def", "fn"},      {"function", "fn"},  {"func", "fn"},   {"let", "param"},
        {"const", "param"}, {"dataset", "data"}, {"table", "data"}};
    for (const auto& [theirs, ours] : kElsewhere)
      if (word(0) == theirs) d.help = fmt::format("write `{}`", ours);
    return d;
  }

  Found unknown_entry() {
    if (m_.start != m_.at || m_.at == 0 || !is_name(type_) || expects(P::WORD)) return std::nullopt;
    const std::uint16_t before = at(m_.at - 1).type;
    if (before == P::BAR && rule() == "stage")
      return wrong_word(diag::Code::E0206, fmt::format("`{}` is no stage of a pipeline", word(m_.at)), "stages are");
    if (before != P::SEP && before != P::LBRACE) return std::nullopt;
    return wrong_word(diag::Code::E0206, fmt::format("`{}` is no entry of a block of `{}`", word(m_.at), word(0)),
                      "entries are");
  }

  /// `a = b +`, and under it `c = d`: the mistake is in the first line.
  Found open_line() {
    if ((type_ != P::ASSIGN && type_ != P::COLON) || m_.at < 2 || !at(m_.at - 1).first_in_line ||
        !is_name(at(m_.at - 1).type) || at(m_.at - 2).type == P::SEP || at(m_.at - 2).type == P::LBRACE)
      return std::nullopt;
    return make(diag::Code::E0101, span(m_.at - 2), fmt::format("something is missing after `{}`", shown(m_.at - 2)))
        .with_secondary(span(m_.at - 1), "so this line was read as its rest")
        .with_help(fmt::format("write the rest of the line, or remove `{}`", shown(m_.at - 2)));
  }

  /// A new line where a bracket is open still.
  Found open_bracket() {
    if (!at(m_.at).first_in_line && type_ != P::END) return std::nullopt;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < m_.at; ++i) {
      const std::uint16_t type = at(i).type;
      if (type == P::LPAREN || type == P::SET_OPEN || type == P::LBRACKET || type == P::LBRACE) open.push_back(i);
      if ((type == P::RPAREN || type == P::RBRACKET || type == P::RBRACE) && !open.empty()) open.pop_back();
    }
    if (open.empty() || at(open.back()).type == P::LBRACE) return std::nullopt;
    const bool list = at(open.back()).type == P::LBRACKET;
    if (!expects(list ? P::RBRACKET : P::RPAREN)) return std::nullopt;
    return make(diag::Code::E0107, span(open.back()), fmt::format("`{}` is not closed", word(open.back())))
        .with_secondary(span(m_.at), "here it is open still")
        .with_help(fmt::format("close it with `{}`", list ? "]" : ")"));
  }

  Found assign_for_equal() {
    if (type_ != P::ASSIGN) return std::nullopt;
    if (in("modelParameter") || in("namedValue") || (in("argument") && expects(P::COLON)))
      return make(diag::Code::E0101, span(m_.at), "a value is given with `:` here")
          .with_help("write `name: value`")
          .with_fix(fix(m_.at, ":", "write `:`"));
    if (expects(P::EQUAL))
      return make(diag::Code::E0101, span(m_.at), "`=` gives a name to a value; it does not compare")
          .with_help("a comparison is `==`")
          .with_fix(fix(m_.at, "==", "write `==`"));
    if (expects(P::GREATER_EQUAL))
      return make(diag::Code::E0101, span(m_.at), "`=` gives a name to a value; it does not compare")
          .with_help("compare with `>=`, `>`, `<=` or `<`");
    return std::nullopt;
  }

  Found equal_for_assign() {
    if (type_ != P::EQUAL || (!expects(P::ASSIGN) && !is_lone_column())) return std::nullopt;
    return make(diag::Code::E0101, span(m_.at), "`==` compares; it gives no name to a value")
        .with_help("write `=`")
        .with_fix(fix(m_.at, "=", "write `=`"));
  }

  /// After the first word of an entry of a feature block.
  bool is_lone_column() const {
    if (m_.at < 2 || !is_name(at(m_.at - 1).type) || (!in("takenColumns") && !in("featureEntry"))) return false;
    const std::uint16_t before = at(m_.at - 2).type;
    return before == P::SEP || before == P::LBRACE;
  }

  Found chained_parentheses() {
    if (type_ != P::COMMA || m_.at == 0) return std::nullopt;
    if (const std::uint16_t before = at(m_.at - 1).type;
        before == P::COMMA || before == P::LPAREN || before == P::SET_OPEN || before == P::LBRACKET)
      return make(diag::Code::E0101, span(m_.at), "a value is missing before `,`")
          .with_help("remove the comma, or write the value");
    int depth = 0;
    for (std::size_t i = m_.at; i-- > 0;) {
      const std::uint16_t type = at(i).type;
      if (type == P::RPAREN || type == P::RBRACKET || type == P::RBRACE) ++depth;
      if (type == P::LBRACE || type == P::LBRACKET || type == P::LPAREN || type == P::SET_OPEN) {
        if (depth-- > 0) continue;
        if (type != P::LPAREN || !expects(P::RPAREN)) return std::nullopt;
        return make(diag::Code::E0101, span(m_.at), "parentheses hold one value here")
            .with_help("several values stand in parentheses only after `in`; a list is `[a, b]`");
      }
    }
    return std::nullopt;
  }

  Found is_not() {
    if (m_.at == 0 || at(m_.at - 1).type != P::R_IS) return std::nullopt;
    diag::Diagnostic d = make(diag::Code::E0101, span(m_.at),
                              fmt::format("`is` is followed by `known` or `missing`, not by `{}`", shown(m_.at)));
    if (type_ == P::R_NOT && at(m_.at + 1).type == P::R_MISSING) {
      d.help = "write `is known`";
      d.fixes.push_back({{file_, at(m_.at).begin, at(m_.at + 1).end}, "known", "write `is known`", true});
    } else {
      d.help = "to compare with a value, write `==`";
    }
    return d;
  }

  Found reserved() {
    if (!is_reserved(type_) || !expects(P::WORD) || expects(P::INT)) return std::nullopt;
    return make(diag::Code::E0108, span(m_.at), fmt::format("`{}` is a reserved word", word(m_.at)))
        .with_help(fmt::format("to use it as a name, write it in backticks: `` `{}` ``", word(m_.at)))
        .with_fix({span(m_.at), fmt::format("`{}`", word(m_.at)), "put it in backticks", false});
  }

  Found no_type() {
    const bool column = (rule() == "dataEntry" && m_.at == m_.start + 1) || (in("column") && expects(P::COLON));
    if (m_.at < 2 || (!column && rule() != "paramDecl" && rule() != "parameter")) return std::nullopt;
    if (!column && !expects(P::COLON)) return std::nullopt;
    if (column && !is_name(at(m_.at - 1).type)) return std::nullopt;
    if (column && at(m_.at - 2).type != P::SEP && at(m_.at - 2).type != P::LBRACE && at(m_.at - 2).type != P::COMMA)
      return std::nullopt;
    const std::string_view name = word(m_.at - 1);
    if (type_ == P::ASSIGN)
      return make(diag::Code::E0101, span(m_.at), fmt::format("`{}` has no type", name))
          .with_help(fmt::format("write `{} : TYPE = …`", name));
    return make(diag::Code::E0101, ends_line() ? span(m_.at - 1) : span(m_.at),
                fmt::format("`:` and a type are missing after `{}`", name))
        .with_help(fmt::format("write `{} : {}`", name, !ends_line() && is_name(type_) ? word(m_.at) : "TYPE"));
  }

  Found no_assign() {
    if (is_lone_column() && !ends_line() &&
        (is_name(type_) || type_ == P::LPAREN || type_ == P::INT || type_ == P::FLOAT || type_ == P::STRING))
      return make(diag::Code::E0101, span(m_.at), fmt::format("`=` is missing after `{}`", word(m_.at - 1)))
          .with_help(
              fmt::format("a column is made with `{0} = …`; columns taken as they are stand with commas: `{0}, …`",
                          word(m_.at - 1)));
    if (!expects(P::ASSIGN) || expects(P::EQUAL) || m_.at == 0 || (ends_line() && expects(P::END))) return std::nullopt;
    if ((expects(P::SEP) || expects(P::END)) && !in("callableDecl")) return std::nullopt;
    return make(diag::Code::E0101, ends_line() ? span(m_.at - 1) : span(m_.at),
                ends_line() ? "`=` and a value are missing at the end of this line"
                            : fmt::format("`=` is missing before `{}`", shown(m_.at)))
        .with_help("a value is given with `= VALUE`");
  }

  Found no_brace() {
    if (!expects(P::LBRACE) || !ends_line() || m_.at == 0 || expects(P::SEP) || expects(P::END)) return std::nullopt;
    return make(diag::Code::E0107, span(m_.at - 1), fmt::format("the block of `{}` is missing", word(0)))
        .with_help("entries stand between `{` and `}`");
  }

  Found two_in_a_line() {
    if (ends_line() || (!expects(P::SEP) && !expects(P::END)) || m_.at == 0) return std::nullopt;
    diag::Diagnostic d = make(diag::Code::E0101, span(m_.at), fmt::format("`{}` does not fit here", shown(m_.at)));
    d.label = expects(P::END) ? "the declaration could end before this" : "the entry could end before this";
    d.help = fmt::format("{} ends at the end of its line, or with `;`", expects(P::END) ? "a declaration" : "an entry");
    return d;
  }

  /// A token as a message shows it.
  std::string shown(std::size_t i) const {
    const std::string_view body = word(i);
    return std::string(body.size() > 40 ? body.substr(0, body.find_first_of(" \n\"", 1)) : body);
  }

  /// A few words on what fits, or nothing when that would be a list of everything.
  std::string expected() const {
    std::vector<std::string> fits;
    const bool value = expects(P::INT) && expects(P::LPAREN), name = expects(P::WORD);
    if (value)
      fits.push_back("a value");
    else if (name)
      fits.push_back("a name");
    else if (expects(P::INT))
      fits.push_back("a number");
    if (!value && expects(P::STRING)) fits.push_back("a text in double quotes");
    if (!value && expects(P::DURATION)) fits.push_back("a duration such as `7d`");
    static constexpr std::pair<std::uint16_t, std::string_view> kSigns[] = {
        {P::LBRACE, "{"}, {P::RBRACE, "}"}, {P::LPAREN, "("}, {P::RPAREN, ")"}, {P::COLON, ":"},
        {P::COMMA, ","},  {P::ASSIGN, "="}, {P::ARROW, "->"}, {P::RANGE, ".."}};
    const bool after_value = expects(P::EQUAL);
    for (const auto& [type, sign] : kSigns)
      if (expects(type) && !(value && type == P::LPAREN) && !(after_value && type == P::RANGE))
        fits.push_back(fmt::format("`{}`", sign));
    for (const std::uint16_t type : m_.expected)
      if (!keyword(type).empty() && !is_reserved(type) && !name) fits.push_back(fmt::format("`{}`", keyword(type)));
    if (after_value && fits.size() < 6) fits.push_back("an operator");
    if (fits.empty() || fits.size() > 9) return {};
    if (fits.size() == 1) return "here fits " + fits[0];
    const std::string last = fits.back();
    fits.pop_back();
    return fmt::format("here fits {} or {}", fmt::join(fits, ", "), last);
  }

  diag::Diagnostic plain() const {
    const bool missing_end = type_ == P::SEP || type_ == P::END || type_ == P::RBRACE;
    if (missing_end && m_.at > 0) {
      diag::Diagnostic d =
          make(diag::Code::E0101, span(m_.at - 1), fmt::format("something is missing after `{}`", shown(m_.at - 1)));
      d.help = expected();
      if (d.help.empty()) d.help = fmt::format("write what `{0}` goes on with, or remove `{0}`", shown(m_.at - 1));
      return d;
    }
    diag::Diagnostic d = make(diag::Code::E0101, span(m_.at), fmt::format("`{}` does not fit here", shown(m_.at)));
    d.help = m_.start == m_.at ? expected() : std::string();
    if (d.help.empty() && type_ == P::ALL_COLUMNS)
      d.help = "a `*` that begins a line stands for all columns; a product goes on after its `*`";
    if (d.help.empty() && m_.start < m_.at)
      d.help = fmt::format("what begins with `{}` does not go on like this; is something missing before `{}`?", shown(m_.start), shown(m_.at));
    if (d.help.empty())
      d.help = m_.at > 0 ? fmt::format("remove it, or write before it what `{}` goes on with", shown(m_.at - 1)) : "remove it";
    return d;
  }

  const Mismatch& m_;
  const std::vector<Lexeme>& all_;
  std::string_view text_;
  std::uint32_t file_;
  std::uint16_t type_;
};

}  // namespace

diag::Diagnostic describe(const Mismatch& mismatch, const Chunk& chunk, std::string_view text, std::uint32_t file) {
  return Describer(mismatch, chunk, text, file).run();
}

}  // namespace mlp::syntax
