#include "gen/grammar/MlpParser.h"

#include "compiler/syntax/describe.h"

#include <fmt/format.h>

namespace mlp::syntax {

namespace {

using diag::Code;

/// A word that begins a statement or declaration elsewhere.
struct Foreign {
  std::string_view theirs, ours, help;
};

constexpr std::string_view kFunction = "a function is declared with `fn NAME(x: TYPE) -> TYPE = EXPRESSION`";
constexpr std::string_view kSetting = "a setting is declared with `param NAME: TYPE = VALUE`";
constexpr std::string_view kTable = "a table is declared with `data NAME from csv(\"…\") { COLUMN : TYPE }`";
constexpr std::string_view kPipeline =
    "a table is made of another by stages, `data NAME = TABLE | where CONDITION | select COLUMN`, or by the stage `| "
    "sql(\"…\")`";
constexpr std::string_view kNoLoop =
    "there are no loops: an expression holds for every row, and aggregates such as `sum(TABLE.COLUMN by KEY) over 7d` "
    "read many";
constexpr std::string_view kImport =
    "write `import \"FILE.mlp\" as NAME` for another workflow; functions need no import";

constexpr Foreign kWords[] = {
    {"def", "fn", kFunction},
    {"function", "fn", kFunction},
    {"func", "fn", kFunction},
    {"fun", "fn", kFunction},
    {"macro", "fn", kFunction},
    {"lambda", "", kFunction},
    {"let", "param", kSetting},
    {"const", "param", kSetting},
    {"var", "param", kSetting},
    {"val", "param", kSetting},
    {"set", "param", kSetting},
    {"declare", "param", kSetting},
    {"config", "param", kSetting},
    {"variable", "param", kSetting},
    {"for", "", kNoLoop},
    {"while", "", kNoLoop},
    {"foreach", "", kNoLoop},
    {"loop", "", kNoLoop},
    {"repeat", "", kNoLoop},
    {"if", "",
     "a choice is an expression, `if CONDITION then VALUE else OTHER`; what differs between places stands in `env NAME "
     "{ … }`"},
    {"when", "", "a choice is an expression, `if CONDITION then VALUE else OTHER`"},
    {"case", "", "a choice is an expression, `if CONDITION then VALUE else OTHER`"},
    {"match", "", "a choice is an expression, `if CONDITION then VALUE else OTHER`"},
    {"switch", "", "a choice is an expression, `if CONDITION then VALUE else OTHER`"},
    {"select", "", kPipeline},
    {"with", "", kPipeline},
    {"from", "", kPipeline},
    {"where", "", kPipeline},
    {"insert", "", "rows are written by a `batch` entry of a `deploy` block; a source is only read"},
    {"update", "", "a source is only read: make another table of it, `data NAME = TABLE | derive COLUMN = VALUE`"},
    {"delete", "", "a source is only read: leave rows out with `data NAME = TABLE | where CONDITION`"},
    {"create", "data", kTable},
    {"table", "data", kTable},
    {"dataset", "data", kTable},
    {"dataframe", "data", kTable},
    {"frame", "data", kTable},
    {"input", "data", kTable},
    {"schema", "data", kTable},
    {"class", "", "tables declare their columns: `data NAME from csv(\"…\") { COLUMN : TYPE }`"},
    {"struct", "", "tables declare their columns: `data NAME from csv(\"…\") { COLUMN : TYPE }`"},
    {"type", "", "types are given where a column is declared: `COLUMN : category(\"a\", \"b\")`"},
    {"enum", "", "types are given where a column is declared: `COLUMN : category(\"a\", \"b\")`"},
    {"pipeline", "data", kPipeline},
    {"view", "feature", "features are declared with `feature NAME of TABLE { COLUMN, NAME = VALUE }`"},
    {"features", "feature", "features are declared with `feature NAME of TABLE { COLUMN, NAME = VALUE }`"},
    {"feature_view", "feature", "features are declared with `feature NAME of TABLE { COLUMN, NAME = VALUE }`"},
    {"fit", "train", "a model is trained with `train NAME of VIEW { predict COLUMN; split … ; model … }`"},
    {"experiment", "train", "a model is trained with `train NAME of VIEW { predict COLUMN; split … ; model … }`"},
    {"estimator", "train", "a model is trained with `train NAME of VIEW { predict COLUMN; split … ; model … }`"},
    {"metrics", "evaluate", "metrics stand in `evaluate MODEL { metrics auc }`"},
    {"require", "evaluate", "gates stand in `evaluate MODEL { require auc >= 0.8 }`"},
    {"cron", "schedule", "write `schedule monday 04:00 { retrain MODEL }`"},
    {"job", "schedule", "write `schedule monday 04:00 { retrain MODEL }`"},
    {"endpoint", "deploy", "write `deploy NAME of MODEL { stage production; serve port 8080 }`"},
    {"include", "import", kImport},
    {"use", "import", kImport},
    {"using", "import", kImport},
    {"load", "import", kImport},
    {"package", "workflow", "a file begins with `workflow NAME`"},
    {"module", "workflow", "a file begins with `workflow NAME`"},
    {"project", "workflow", "a file begins with `workflow NAME`"},
    {"print", "", "nothing is printed by a program; `mlpc run` and `mlpc show` print figures"},
    {"return", "", kFunction},
    {"try", "", "nothing is caught: what may fail gives a missing value, `x ?? default`"},
    {"end", "", "a block ends with `}`: remove the `end`"},
    {"begin", "", "a block begins with `{` and ends with `}`"},
};

Found statement(const Place& p) {
  if (p.here != 0) return std::nullopt;
  const std::string word = in_small_letters(p.word());
  if (p.type() == P::BAR)
    return p.make(Code::E0101, p.span(0), "this stage belongs to no table",
                  "a pipeline ends at a `;`, and at a line that begins with no `|`: look at the line before");
  if (p.type() == P::STRING)
    return p.make(Code::E0101, Span{p.span(0).file, p.at(0).begin, p.at(0).begin + 1},
                  "a text stands between the declarations",
                  "a comment begins with `#`, the documentation of what follows with `##`");
  const bool known = !is_reserved(p.type()) && p.type() != P::WORD && is_name(p.type());
  if (word == "from" && in_small_letters(p.word(2)) == "import")
    return p.make(Code::E0101, p.span(0), "no library is imported here", std::string(kImport));
  if (const auto at = std::ranges::find(kWords, word, &Foreign::theirs);
      at != std::end(kWords) && (!known || p.expects(P::K_DATA))) {
    auto d = p.make(Code::E0101, p.span(0), fmt::format("`{}` begins no declaration", p.word()), std::string(at->help));
    if (!at->ours.empty())
      d.fixes.push_back({p.span(0), std::string(at->ours), fmt::format("write `{}`", at->ours), false});
    return d;
  }
  if (is_name(p.type()) &&
      (p.type(1) == P::ASSIGN || p.type(1) == P::COLON || p.type(1) == P::LBRACKET || p.type(1) == P::DOT))
    return p.make(
        Code::E0101, p.span(0),
        fmt::format("`{}` begins no declaration: values are not given to names between the blocks", p.word()),
        "a setting is declared with `param NAME: TYPE = VALUE`, a table with `data`, a column inside of a block");
  return std::nullopt;
}

Found of_imports(const Place& p) {
  if (p.type(0) != P::K_IMPORT || p.here == 0) return std::nullopt;
  if (p.here == 1 && is_name(p.type()))
    return p.make(Code::E0101, p.span(0, 1), "an import names the file of another workflow", std::string(kImport));
  if (p.here == 2 && p.type(1) == P::STRING)
    return p.make(Code::E0101, p.span(1), "an import has a name",
                  fmt::format("write `import {} as NAME`; what it declares is then `NAME.thing`", p.word(1)));
  return std::nullopt;
}

Found of_data(const Place& p) {
  if (p.type(0) != P::K_DATA || p.here < 2) return std::nullopt;
  const std::size_t here = p.here;
  // data t = csv("x.csv") { … }
  if (here == 4 && p.type() == P::LPAREN && p.type(2) == P::ASSIGN)
    return p.instead(Code::E0101, p.span(2), "a table is read from a source", "from", true);
  if (here == 2 && is_name(p.type()) && p.type(3) == P::LPAREN)
    return p.instead(Code::E0101, p.span(2), fmt::format("`from` is missing before `{}`", p.word()),
                     fmt::format("from {}", p.word()), true);
  if (here == 2 && p.type() == P::COLON)
    return p.instead(Code::E0101, p.span(2), "a table is read from a source", p.glued(1) ? " from" : "from", true);
  return std::nullopt;
}

Found of_of(const Place& p) {
  if (p.here != 2 || !p.expects(P::K_OF) || p.expects(P::LPAREN)) return std::nullopt;  // where a value may stand, `of` may be a column
  const std::string_view what = p.type(0) == P::K_TRAIN ? "VIEW" : p.type(0) == P::K_DEPLOY ? "MODEL" : "TABLE";
  if (p.type() == P::K_FROM || p.type() == P::K_ON || p.type() == P::K_FOR || p.type() == P::ASSIGN ||
      p.type() == P::COLON || p.type() == P::R_IN || p.type() == P::K_WITH) {
    return p.instead(Code::E0101, p.span(2),
                     fmt::format("`{} {}` names its {} with `of`, not with `{}`", p.word(0), p.word(1),
                                 in_small_letters(what), p.word()),
                     p.glued(1) ? " of" : "of", is_name(p.type()));
  }
  if (p.type() == P::LBRACE || p.ends_line())
    return p.make(Code::E0101, p.span(1),
                  fmt::format("`{} {}` does not name its {}", p.word(0), p.word(1), in_small_letters(what)),
                  fmt::format("write `{} {} of {}`", p.word(0), p.word(1), what));
  return std::nullopt;
}

Found of_functions(const Place& p) {
  if (p.type(0) != P::K_FN) return std::nullopt;
  if (p.type() == P::COLON && p.type(p.here - 1) == P::RPAREN)
    return p.instead(Code::E0101, p.span(p.here), "the type of the result stands behind `->`", " ->", true);
  if (p.type() == P::LBRACE && p.expects(P::ASSIGN)) {
    const std::size_t close = p.closing(p.here);
    return p.instead(Code::E0101, p.span(p.here, close), "a function is one expression, without braces",
                     fmt::format("= {}", p.source(p.here + 1, close)), false);
  }
  return std::nullopt;
}

/// `model m of f { … }`, `split s of t 70/15/15`, `split s of t random 70,15,15`, `feature f of t { … } :`
Found of_blocks(const Place& p) {
  if (p.type(0) == P::K_MODEL && p.type() == P::K_OF)
    return p.instead(Code::E0101, p.span(0), "a model is trained by a `train` block", "train", true);
  if (p.type(0) == P::K_SPLIT && p.type() == P::INT && p.expects(P::K_RANDOM))
    return p.make(Code::E0101, p.span(p.here), "a split says how rows are dealt",
                  fmt::format("write `random {0}/…`, or `time {0}/…` where rows have a time", p.word()));
  if (p.type() == P::COMMA && p.here > 1 && p.type(p.here - 1) == P::INT &&
      (p.type(p.here - 2) == P::K_RANDOM || p.type(p.here - 2) == P::K_TIME))
    return p.make(Code::E0101, p.span(p.here), "the parts of a split are parted by `/`",
                  "write for example `70/15/15`");
  if (p.type() == P::COLON && p.expects(P::LBRACE) && p.type(p.here + 1) == P::LBRACE) {
    auto d = p.make(Code::E0101, p.span(p.here), "no `:` stands before a block", "remove it");
    d.fixes.push_back({p.span(p.here), "", "remove the `:`", true});
    return d;
  }
  return std::nullopt;
}

bool is_clause_of_sql(std::string_view word) {
  return is_one_of(in_small_letters(word),
                   {"from", "where", "group", "order", "having", "limit", "join", "left", "inner", "right", "full",
                    "union", "and", "or", "on", "values", "set", "as"});
}

}  // namespace

Found foreign_declaration(const Place& place) {
  for (auto rule : {statement, of_imports, of_data, of_of, of_functions, of_blocks})
    if (Found found = rule(place)) return found;
  return std::nullopt;
}

bool continues_foreign(std::string_view statement, const Chunk& chunk, std::string_view text) {
  const Lexeme& first = chunk.lexemes.front();
  const std::string_view word = text.substr(first.begin, first.end - first.begin);
  const bool declares = first.type >= P::K_WORKFLOW && first.type <= P::K_SCHEDULE;
  if (declares) return false;
  const bool indented = first.begin > 0 && (text[first.begin - 1] == ' ' || text[first.begin - 1] == '\t');
  const bool sql =
      is_one_of(in_small_letters(statement), {"select", "with", "insert", "update", "delete", "create", "from"}) ||
      is_clause_of_sql(statement);
  const bool bracket = closes_bracket(first.type);
  return indented || bracket || (sql && is_clause_of_sql(word)) ||
         is_one_of(word, {"else", "elif", "except", "finally", "end"});
}

}  // namespace mlp::syntax
