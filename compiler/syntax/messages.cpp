#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/render.h"
#include "compiler/syntax/describe.h"

namespace mlp::syntax {

namespace {

class Describer : public Place {
 public:
  using Place::Place;

  diag::Diagnostic run() {
    for (auto foreign : {foreign_declaration, foreign_entry, foreign_expression})
      if (Found found = foreign(*this)) return std::move(*found);
    for (auto rule : {&Describer::unknown_declaration, &Describer::unknown_entry, &Describer::open_line,
                      &Describer::open_bracket, &Describer::assign_for_equal, &Describer::equal_for_assign,
                      &Describer::chained_parentheses, &Describer::reserved, &Describer::no_type,
                      &Describer::no_assign, &Describer::no_brace, &Describer::two_in_a_line})
      if (Found found = (this->*rule)()) return std::move(*found);
    return plain();
  }

 private:
  using Place::make;
  diag::Fix fix(std::size_t i, std::string by, std::string title) const {
    return {span(i), std::move(by), std::move(title), true};
  }

  /// The words that would fit here, with the meant one as a correction.
  diag::Diagnostic wrong_word(diag::Code code, std::string message, std::string_view list) const {
    std::vector<std::string_view> words;
    for (const std::uint16_t type : expected())
      if (!keyword(type).empty()) words.push_back(keyword(type));
    diag::Diagnostic d = make(code, span(here), std::move(message));
    if (const std::string_view meant = diag::did_you_mean(word(here), words); !meant.empty()) {
      d.help = fmt::format("did you mean `{}`?", meant);
      d.fixes.push_back({span(here), std::string(meant), "correct the word", false});
    } else {
      d.help = fmt::format("{} {}", list, fmt::join(words, ", "));
    }
    return d;
  }

  Found unknown_declaration() {
    if (here != 0) return std::nullopt;
    if (!is_name(type()))
      return make(diag::Code::E0101, span(0), fmt::format("no declaration begins with `{}`", shown(0)))
          .with_help(
              "a declaration begins with a word such as `data`, `feature`, `train`; is a bracket closed too early "
              "before it?");
    return wrong_word(diag::Code::E0101, fmt::format("`{}` begins no declaration", word(0)), "declarations are");
  }

  Found unknown_entry() {
    if (start() != here || here == 0 || !is_name(type()) || expects(P::WORD)) return std::nullopt;
    const std::uint16_t before = at(here - 1).type;
    if (before == P::BAR && rule() == "stage")
      return wrong_word(diag::Code::E0206, fmt::format("`{}` is no stage of a pipeline", word(here)), "stages are");
    if (before != P::SEP && before != P::LBRACE) return std::nullopt;
    return wrong_word(diag::Code::E0206, fmt::format("`{}` is no entry of a block of `{}`", word(here), word(0)),
                      "entries are");
  }

  /// `a = b +`, and under it `c = d`: the mistake is in the first line.
  Found open_line() {
    if ((type() != P::ASSIGN && type() != P::COLON) || here < 2 || !at(here - 1).first_in_line ||
        !is_name(at(here - 1).type) || at(here - 2).type == P::SEP || at(here - 2).type == P::LBRACE)
      return std::nullopt;
    return make(diag::Code::E0101, span(here - 2), fmt::format("something is missing after `{}`", shown(here - 2)))
        .with_secondary(span(here - 1), "so this line was read as its rest")
        .with_help(fmt::format("write the rest of the line, or remove `{}`", shown(here - 2)));
  }

  /// A new line where a bracket is open still.
  Found open_bracket() {
    if (!at(here).first_in_line && type() != P::END) return std::nullopt;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < here; ++i) {
      const std::uint16_t type = at(i).type;
      if (type == P::LPAREN || type == P::SET_OPEN || type == P::LBRACKET || type == P::LBRACE) open.push_back(i);
      if ((type == P::RPAREN || type == P::RBRACKET || type == P::RBRACE) && !open.empty()) open.pop_back();
    }
    if (open.empty() || at(open.back()).type == P::LBRACE) return std::nullopt;
    const bool list = at(open.back()).type == P::LBRACKET;
    if (!expects(list ? P::RBRACKET : P::RPAREN)) return std::nullopt;
    return make(diag::Code::E0107, span(open.back()), fmt::format("`{}` is not closed", word(open.back())))
        .with_secondary(span(here), "here it is open still")
        .with_help(fmt::format("close it with `{}`", list ? "]" : ")"));
  }

  Found assign_for_equal() {
    if (type() != P::ASSIGN) return std::nullopt;
    if (in("modelParameter") || in("namedValue") || (in("argument") && expects(P::COLON)))
      return make(diag::Code::E0101, span(here), "a value is given with `:` here")
          .with_help("write `name: value`")
          .with_fix(fix(here, ":", "write `:`"));
    if (in("gateEntry"))
      return make(diag::Code::E0101, span(here), "a gate is not decided by `=`")
          .with_help("compare with `>=`, `>`, `<=` or `<`");
    if (expects(P::EQUAL))
      return make(diag::Code::E0101, span(here), "`=` gives a name to a value; it does not compare")
          .with_help("a comparison is `==`")
          .with_fix(fix(here, "==", "write `==`"));
    if (expects(P::GREATER_EQUAL))
      return make(diag::Code::E0101, span(here), "`=` gives a name to a value; it does not compare")
          .with_help("compare with `>=`, `>`, `<=` or `<`");
    return std::nullopt;
  }

  Found equal_for_assign() {
    if (type() != P::EQUAL || (!expects(P::ASSIGN) && !is_lone_column())) return std::nullopt;
    return make(diag::Code::E0101, span(here), "`==` compares; it gives no name to a value")
        .with_help("write `=`")
        .with_fix(fix(here, "=", "write `=`"));
  }

  /// After the first word of an entry of a feature block.
  bool is_lone_column() const {
    if (here < 2 || !is_name(at(here - 1).type) || (!in("takenColumns") && !in("featureEntry"))) return false;
    const std::uint16_t before = at(here - 2).type;
    return before == P::SEP || before == P::LBRACE;
  }

  Found chained_parentheses() {
    if (type() != P::COMMA || here == 0) return std::nullopt;
    if (const std::uint16_t before = at(here - 1).type;
        before == P::COMMA || before == P::LPAREN || before == P::SET_OPEN || before == P::LBRACKET)
      return make(diag::Code::E0101, span(here), "a value is missing before `,`")
          .with_help("remove the comma, or write the value");
    int depth = 0;
    for (std::size_t i = here; i-- > 0;) {
      const std::uint16_t type = at(i).type;
      if (type == P::RPAREN || type == P::RBRACKET || type == P::RBRACE) ++depth;
      if (type == P::LBRACE || type == P::LBRACKET || type == P::LPAREN || type == P::SET_OPEN) {
        if (depth-- > 0) continue;
        if (type != P::LPAREN || !expects(P::RPAREN)) return std::nullopt;
        return make(diag::Code::E0101, span(here), "parentheses hold one value here")
            .with_help("several values stand in parentheses only after `in`; a list is `[a, b]`");
      }
    }
    return std::nullopt;
  }

  Found reserved() {
    if (!is_reserved(type()) || !expects(P::WORD) || expects(P::INT)) return std::nullopt;
    return make(diag::Code::E0108, span(here), fmt::format("`{}` is a reserved word", word(here)))
        .with_help(fmt::format("to use it as a name, write it in backticks: `` `{}` ``", word(here)))
        .with_fix({span(here), fmt::format("`{}`", word(here)), "put it in backticks", false});
  }

  Found no_type() {
    const bool column = (rule() == "dataEntry" && here == start() + 1) || (in("column") && expects(P::COLON));
    if (here < 2 || (!column && rule() != "paramDecl" && rule() != "parameter")) return std::nullopt;
    if (!column && !expects(P::COLON)) return std::nullopt;
    if (column && !is_name(at(here - 1).type)) return std::nullopt;
    if (column && at(here - 2).type != P::SEP && at(here - 2).type != P::LBRACE && at(here - 2).type != P::COMMA)
      return std::nullopt;
    const std::string_view name = word(here - 1);
    if (type() == P::ASSIGN)
      return make(diag::Code::E0101, span(here), fmt::format("`{}` has no type", name))
          .with_help(fmt::format("write `{} : TYPE = …`", name));
    return make(diag::Code::E0101, ends_line() ? span(here - 1) : span(here),
                fmt::format("`:` and a type are missing after `{}`", name))
        .with_help(fmt::format("write `{} : {}`", name, !ends_line() && is_name(type()) ? word(here) : "TYPE"));
  }

  Found no_assign() {
    if (is_lone_column() && !ends_line() &&
        (is_name(type()) || type() == P::LPAREN || type() == P::INT || type() == P::FLOAT || type() == P::STRING))
      return make(diag::Code::E0101, span(here), fmt::format("`=` is missing after `{}`", word(here - 1)))
          .with_help(
              fmt::format("a column is made with `{0} = …`; columns taken as they are stand with commas: `{0}, …`",
                          word(here - 1)));
    if (!expects(P::ASSIGN) || expects(P::EQUAL) || here == 0 || (ends_line() && expects(P::END))) return std::nullopt;
    if ((expects(P::SEP) || expects(P::END)) && !in("callableDecl")) return std::nullopt;
    return make(diag::Code::E0101, ends_line() ? span(here - 1) : span(here),
                ends_line() ? "`=` and a value are missing at the end of this line"
                            : fmt::format("`=` is missing before `{}`", shown(here)))
        .with_help("a value is given with `= VALUE`");
  }

  Found no_brace() {
    if (!expects(P::LBRACE) || !ends_line() || here == 0 || expects(P::SEP) || expects(P::END)) return std::nullopt;
    return make(diag::Code::E0107, span(here - 1), fmt::format("the block of `{}` is missing", word(entry())))
        .with_help("entries stand between `{` and `}`");
  }

  Found two_in_a_line() {
    if (ends_line() || (!expects(P::SEP) && !expects(P::END)) || here == 0) return std::nullopt;
    diag::Diagnostic d = make(diag::Code::E0101, span(here), fmt::format("`{}` does not fit here", shown(here)));
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
  std::string what_fits() const {
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
    for (const std::uint16_t type : expected())
      if (!keyword(type).empty() && !is_reserved(type) && !name) fits.push_back(fmt::format("`{}`", keyword(type)));
    if (after_value && fits.size() < 6) fits.push_back("an operator");
    if (fits.empty() || fits.size() > 9) return {};
    if (fits.size() == 1) return "here fits " + fits[0];
    const std::string last = fits.back();
    fits.pop_back();
    return fmt::format("here fits {} or {}", fmt::join(fits, ", "), last);
  }

  diag::Diagnostic plain() const {
    const bool missing_end = type() == P::SEP || type() == P::END || type() == P::RBRACE;
    if (missing_end && here > 0) {
      diag::Diagnostic d =
          make(diag::Code::E0101, span(here - 1), fmt::format("something is missing after `{}`", shown(here - 1)));
      d.help = what_fits();
      if (d.help.empty()) d.help = fmt::format("write what `{0}` goes on with, or remove `{0}`", shown(here - 1));
      return d;
    }
    diag::Diagnostic d = make(diag::Code::E0101, span(here), fmt::format("`{}` does not fit here", shown(here)));
    d.help = start() == here ? what_fits() : std::string();
    if (d.help.empty() && type() == P::ALL_COLUMNS)
      d.help = "a `*` that begins a line stands for all columns; a product goes on after its `*`";
    if (d.help.empty() && start() < here)
      d.help = fmt::format("what begins with `{}` does not go on like this; is something missing before `{}`?", shown(start()), shown(here));
    if (d.help.empty())
      d.help = here > 0 ? fmt::format("remove it, or write before it what `{}` goes on with", shown(here - 1)) : "remove it";
    return d;
  }
};

}  // namespace

diag::Diagnostic describe(const Mismatch& mismatch, const Chunk& chunk, std::string_view text, std::uint32_t file) {
  return Describer(mismatch, chunk, text, file).run();
}

}  // namespace mlp::syntax
