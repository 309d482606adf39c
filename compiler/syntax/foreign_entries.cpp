#include "gen/grammar/MlpParser.h"

#include "compiler/syntax/describe.h"

#include <fmt/format.h>

namespace mlp::syntax {

namespace {

using diag::Code;

/// A word that begins no entry or stage here, with what says the same. `ours` is empty where no single word does.
struct Foreign {
  std::string_view theirs, ours, help;
};

constexpr Foreign kStages[] = {
    {"filter", "where", "write `where CONDITION`"},
    {"having", "where", "write `where CONDITION` after the `group` stage"},
    {"order", "sort", "write `sort by COLUMN`"},
    {"order_by", "sort", "write `sort by COLUMN`"},
    {"arrange", "sort", "write `sort by COLUMN`"},
    {"sort_values", "sort", "write `sort by COLUMN`"},
    {"drop", "", "write `select * except (COLUMN)`"},
    {"rename", "", "write `select * except (OLD), OLD as NEW`"},
    {"mutate", "derive", "write `derive NAME = VALUE`"},
    {"assign", "derive", "write `derive NAME = VALUE`"},
    {"extend", "derive", "write `derive NAME = VALUE`"},
    {"let", "derive", "write `derive NAME = VALUE`"},
    {"with_column", "derive", "write `derive NAME = VALUE`"},
    {"with_columns", "derive", "write `derive NAME = VALUE`"},
    {"map", "derive", "write `derive NAME = VALUE`"},
    {"apply", "derive", "write `derive NAME = VALUE`"},
    {"fillna", "derive", "write `derive NAME = COLUMN ?? VALUE`"},
    {"dropna", "where", "write `where COLUMN is known`"},
    {"distinct", "", "write `dedupe by COLUMN`"},
    {"drop_duplicates", "", "write `dedupe by COLUMN`"},
    {"head", "limit", "write `limit N`"},
    {"take", "limit", "write `limit N`"},
    {"top", "limit", "write `sort by COLUMN desc`, and `limit N` after it"},
    {"groupby", "", "write `group by COLUMN { NAME = count() }`"},
    {"group_by", "", "write `group by COLUMN { NAME = count() }`"},
    {"summarise", "", "write `group by COLUMN { NAME = count() }`"},
    {"summarize", "", "write `group by COLUMN { NAME = count() }`"},
    {"aggregate", "", "write `group by COLUMN { NAME = count() }`"},
    {"agg", "", "write `group by COLUMN { NAME = count() }`"},
    {"left", "", "write `join left TABLE on COLUMN == TABLE.COLUMN`; rows without a match stay"},
    {"inner", "", "write `join TABLE on COLUMN == TABLE.COLUMN`; rows without a match go"},
    {"right", "", "begin with the other table, and write `join left TABLE on …`"},
    {"merge", "join", "write `join TABLE on COLUMN == TABLE.COLUMN`"},
    {"concat", "union", "write `union TABLE`"},
    {"append", "union", "write `union TABLE`"},
    {"melt", "unpivot", "write `unpivot a, b as NAME, VALUE`"},
};

constexpr Foreign kTrainEntries[] = {
    {"target", "predict", "the label is named with `predict COLUMN`"},
    {"label", "predict", "the label is named with `predict COLUMN`"},
    {"y", "predict", "the label is named with `predict COLUMN`"},
    {"outcome", "predict", "the label is named with `predict COLUMN`"},
    {"features", "", "the features are those of the view: `train NAME of VIEW`"},
    {"inputs", "", "the features are those of the view: `train NAME of VIEW`"},
    {"x", "", "the features are those of the view: `train NAME of VIEW`"},
    {"algorithm", "model", "write `model gbdt { trees: 300 }`"},
    {"estimator", "model", "write `model gbdt { trees: 300 }`"},
    {"classifier", "model", "write `model gbdt { trees: 300 }`"},
    {"regressor", "model", "write `model gbdt { trees: 300 }`"},
    {"params", "", "parameters stand in the braces of the model: `model gbdt { trees: 300 }`"},
    {"hyperparameters", "", "parameters stand in the braces of the model: `model gbdt { trees: 300 }`"},
    {"random_state", "seed", "write `seed 1`"},
    {"cv", "", "write `split fold 5`"},
    {"folds", "", "write `split fold 5`"},
    {"early_stopping", "early_stop", "write `early_stop`, or `early_stop 50`"},
    {"threshold", "", "write `decide when p >= 0.5`"},
    {"class_weight", "", "write `weights balanced`"},
    {"metrics", "", "metrics stand in a block of their own: `evaluate NAME { metrics auc }`"},
    {"metric", "", "metrics stand in a block of their own: `evaluate NAME { metrics auc }`"},
};
constexpr Foreign kEvaluateEntries[] = {
    {"assert", "require", "write `require auc >= 0.8`"}, {"check", "require", "write `require auc >= 0.8`"},
    {"gate", "require", "write `require auc >= 0.8`"},   {"expect", "require", "write `require auc >= 0.8`"},
    {"threshold", "", "write `require auc >= 0.8`"},     {"segment", "slice", "write `slice by COLUMN`"},
    {"group", "slice", "write `slice by COLUMN`"},
};
constexpr Foreign kDeployEntries[] = {
    {"endpoint", "serve", "write `serve port 8080`"},
    {"port", "serve", "write `serve port 8080`"},
    {"host", "serve", "write `serve port 8080`"},
    {"environment", "stage", "write `stage production`"},
    {"approve", "", "write `stage production requires approval from \"risk\"`"},
    {"approval", "", "write `stage production requires approval from \"risk\"`"},
};
constexpr Foreign kMonitorEntries[] = {
    {"schedule", "every", "write `every 1h over last 7d`"},
    {"cron", "every", "write `every 1h over last 7d`"},
    {"interval", "every", "write `every 1h over last 7d`"},
    {"window", "over", "write `over last 7d`"},
    {"notify", "alert", "write `alert file(\"alerts.jsonl\")`"},
    {"email", "", "write `alert email(\"…\")`"},
    {"webhook", "", "write `alert webhook(…)`"},
};

Found foreign_word(const Place& p) {
  if (p.start() != p.here || p.here == 0 || !is_name(p.type()) || p.expects(P::WORD)) return std::nullopt;
  const bool stage = p.type(p.here - 1) == P::BAR && p.rule() == "stage";
  if (!stage && p.type(p.here - 1) != P::SEP && p.type(p.here - 1) != P::LBRACE) return std::nullopt;
  const std::uint16_t block = p.type(0);
  const auto find = [&](const auto& words) -> Found {
    const auto at = std::ranges::find(words, in_small_letters(p.word()), &Foreign::theirs);
    if (at == std::end(words)) return std::nullopt;
    auto d = p.make(Code::E0206, p.span(p.here),
                    stage ? fmt::format("`{}` is no stage of a pipeline", p.word())
                          : fmt::format("`{}` is no entry of a block of `{}`", p.word(), p.word(0)),
                    std::string(at->help));
    if (!at->ours.empty())
      d.fixes.push_back({p.span(p.here), std::string(at->ours), fmt::format("write `{}`", at->ours), false});
    return d;
  };
  if (stage) return find(kStages);
  if (block == P::K_TRAIN) return find(kTrainEntries);
  if (block == P::K_EVALUATE) return find(kEvaluateEntries);
  if (block == P::K_DEPLOY) return find(kDeployEntries);
  if (block == P::K_MONITOR) return find(kMonitorEntries);
  return std::nullopt;
}

/// `predict: left`, `seed = 1`: the words of blocks stand before their value without a sign.
Found sign_after_word(const Place& p) {
  if ((p.type() != P::COLON && p.type() != P::ASSIGN) || p.here == 0 || p.here - 1 != p.entry() ||
      keyword(p.type(p.here - 1)).empty())
    return std::nullopt;
  const std::uint16_t block = p.type(0);
  if (block != P::K_TRAIN && block != P::K_EVALUATE && block != P::K_DEPLOY && block != P::K_MONITOR &&
      block != P::K_TEST && block != P::K_EXPLORE)
    return std::nullopt;
  auto d = p.make(Code::E0101, p.span(p.here), fmt::format("no `{}` stands after `{}`", p.word(), p.word(p.here - 1)),
                  "remove it");
  d.fixes.push_back({p.span(p.here), p.glued(p.here - 1) && p.glued(p.here) ? " " : "",
                     fmt::format("remove the `{}`", p.word()), true});
  return d;
}

/// `metrics auc,` at the end of a line: the next entry was read as its rest.
Found comma_at_the_end(const Place& p) {
  for (std::size_t i = p.here; i > 0 && i + 2 > p.here; --i) {
    if (!p.at(i).first_in_line || p.type(i - 1) != P::COMMA) continue;
    const std::uint16_t block = p.type(0);
    const bool entry = !keyword(p.type(i)).empty() || p.type() == P::ASSIGN;
    if (!entry || p.open_at(i).value_or(0) == 0 || p.type(*p.open_at(i)) != P::LBRACE || block == P::K_MODEL)
      return std::nullopt;
    auto d = p.make(Code::E0101, p.span(i - 1), "nothing follows this `,` on its line",
                    "remove it: entries end with their line");
    d.secondary.push_back({p.span(i), "so this line was read as its rest"});
    d.fixes.push_back({p.span(i - 1), "", "remove the comma", true});
    return d;
  }
  return std::nullopt;
}

/// `{ a : int, b : int }`, `predict left,`
Found comma_between_entries(const Place& p) {
  if (p.type() != P::COMMA || p.here == 0) return std::nullopt;
  if (p.type(p.here - 1) == P::INT && p.type(p.here + 1) == P::INT && p.glued(p.here - 1) && p.glued(p.here))
    return std::nullopt;  // 1,5
  const auto open = p.open_at(p.here);
  if (p.rule() == "declaration" || !open) {
    if (p.type(p.entry()) == P::K_WHERE)
      return p.instead(Code::E0101, p.span(p.here), "conditions are not parted by commas", " and", false);
    return std::nullopt;
  }
  if (p.type(*open) != P::LBRACE || !p.expects(P::SEP) || p.expects(P::COMMA)) return std::nullopt;
  const bool ends = p.at(p.here + 1).first_in_line || p.type(p.here + 1) == P::RBRACE;
  auto d = p.make(Code::E0101, p.span(p.here), "entries are not parted by commas",
                  ends ? "remove it: an entry ends with its line" : "write `;`, or begin a new line");
  d.fixes.push_back({p.span(p.here), ends ? "" : ";", ends ? "remove the comma" : "write `;`", true});
  return d;
}

// ---- columns of tables ----

Found column_clause(const Place& p) {
  if (p.type(0) != P::K_DATA || p.type(p.entry()) == P::K_EXPECT || p.here == 0) return std::nullopt;
  const std::size_t here = p.here, first = p.entry();
  const std::string word = in_small_letters(p.word());
  if (p.type(first + 1) != P::COLON) {
    if (p.type(first) != P::STRING || here != first) return std::nullopt;
    const std::string name = fmt::format("`{}`", p.word().substr(1, p.word().size() - 2));
    return p.make(Code::E0101, p.span(here), "a name stands without quotes",
                  fmt::format("write it as it is, or in backticks: `` {} ``", name));
  }
  if (p.type() == P::QUESTION && is_name(p.type(here + 1)))
    return p.instead(Code::E0101, p.span(here, here + 1), "the `?` stands behind its type",
                     fmt::format("{}?", p.word(here + 1)), true);
  if (p.type() == P::BAR && is_null_word(p.word(here + 1)))
    return p.instead(Code::E0101, p.span(here - 1, here + 1), "a type whose values may be missing ends in `?`",
                     fmt::format("{}?", p.word(here - 1)), true);
  const bool after_type = p.expects(P::AT) || p.in("columnClause");
  if (!after_type) return std::nullopt;
  const bool after_not = here > 0 && p.type(here - 1) == P::R_NOT;
  if ((p.type() == P::R_NOT && is_null_word(p.word(here + 1))) || (after_not && is_null_word(word))) {
    const std::size_t from = after_not ? here - 1 : here;
    auto d = p.make(
        Code::E0101, p.span(from, from + 1),
        fmt::format("`{}` is not written: a value is known unless its type ends in `?`", p.source(from, from + 2)),
        "remove it");
    d.fixes.push_back({p.span(from, from + 1), "", "remove it", true});
    return d;
  }
  if (is_null_word(word) && p.type(here - 1) != P::ASSIGN)
    return p.instead(Code::E0101, p.span(here - 1, here), "a type whose values may be missing ends in `?`",
                     fmt::format("{}?", p.word(here - 1)), true);
  if (word == "primary" || word == "references" || word == "foreign")
    return p.instead(Code::E0101,
                     p.span(here, word == "primary" && in_small_letters(p.word(here + 1)) == "key" ? here + 1 : here),
                     fmt::format("there is no `{}`", p.word()), "@key", word == "primary");
  if (is_one_of(word, {"key", "time", "label", "pii", "protected", "weight", "ignore", "available"}))
    return p.instead(Code::E0101, p.span(here), fmt::format("the tag `{}` begins with `@`", p.word()),
                     fmt::format("@{}", word), true);
  if (word == "between") {
    const std::size_t low = p.end_of(here + 1), end = p.end_of(low + 1);
    if (p.type(low) == P::R_AND && end > low + 1)
      return p.instead(Code::E0101, p.span(here, end - 1), "there is no `between`",
                       fmt::format("in {}..{}", p.source(here + 1, low), p.source(low + 1, end)), true);
  }
  if (p.type() == P::GREATER_EQUAL || p.type() == P::LESS_EQUAL || p.type() == P::GREATER || p.type() == P::LESS)
    return p.make(Code::E0101, p.span(here), "the values of a column are bounded by a range",
                  "write `in LOW..HIGH`, or `expect COLUMN >= LOW for all rows` as an entry of its own");
  return std::nullopt;
}

/// `in [0, 120]`, `in 0-120`, `in 0:120` behind a type.
Found column_range(const Place& p) {
  if (p.type(0) != P::K_DATA && p.type(0) != P::K_PARAM && p.rule() != "range") return std::nullopt;
  if (!p.expects(P::RANGE) || p.expects_operator() || p.here == 0) return std::nullopt;
  const std::size_t here = p.here;
  if ((p.type() == P::MINUS || p.type() == P::COLON || p.type() == P::COMMA || p.word() == "to") &&
      (p.type(here - 1) == P::INT || p.type(here - 1) == P::FLOAT) &&
      (p.type(here + 1) == P::INT || p.type(here + 1) == P::FLOAT))
    return p.instead(Code::E0101, p.span(here - 1, here + 1), "a range is written with two points",
                     fmt::format("{}..{}", p.word(here - 1), p.word(here + 1)), true);
  if (p.type(here - 1) != P::RBRACKET) return std::nullopt;
  std::size_t open = here - 1;
  int depth = 0;
  for (; open > 0; --open) {
    depth += closes_bracket(p.type(open)) ? 1 : opens_bracket(p.type(open)) ? -1 : 0;
    if (depth == 0) break;
  }
  const Span whole = p.span(open, here - 1);
  if (p.type(open + 1) == P::STRING)
    return p.instead(Code::E0101, whole, "a set stands in parentheses",
                     fmt::format("({})", p.source(open + 1, here - 1)), true);
  const std::size_t comma = p.end_of(open + 1);
  if (p.type(comma) == P::COMMA && p.end_of(comma + 1) == here - 1)
    return p.instead(Code::E0101, whole, "a range is written with two points, a set in parentheses",
                     fmt::format("{}..{}", p.source(open + 1, comma), p.source(comma + 1, here - 1)), false);
  return std::nullopt;
}

// ---- columns of views, definitions ----

/// `let x = …`, `x := …`, `x: …`, `a * 2 as x`
Found definition(const Place& p) {
  const bool view = p.type(0) == P::K_FEATURE;
  if (!view && !p.in("definition") && !p.in("deriveStage")) return std::nullopt;
  const std::size_t here = p.here;
  std::size_t first = p.entry();
  if (!view && p.type(first) == P::K_DERIVE) ++first;
  if (p.type() == P::COLON && p.type(here + 1) == P::ASSIGN && p.glued(here) && here > 0)
    return p.instead(Code::E0101, p.span(here, here + 1), "there is no sign `:=`", "=", true);
  if (p.type() == P::LESS && p.type(here + 1) == P::MINUS && p.glued(here) && here == first + 1)
    return p.instead(Code::E0101, p.span(here, here + 1), "there is no sign `<-`", "=", true);
  if (here == first + 1 && p.type(first) == P::STRING && p.type() == P::ASSIGN)
    return p.make(Code::E0101, p.span(first), "a name stands without quotes", "write it as it is, or in backticks");
  if (here == first && p.type() == P::STRING)
    return p.make(
        Code::E0101, p.span(here), "a name stands without quotes",
        fmt::format("write it as it is, or in backticks: `` `{}` ``", p.word().substr(1, p.word().size() - 2)));
  if (view && here == first && p.type() == P::LBRACKET) {
    const std::size_t close = p.closing(here);
    return p.instead(Code::E0101, p.span(here, close), "columns taken as they are stand without brackets",
                     p.source(here + 1, close), true);
  }
  if (view && (p.type(first) == P::STAR || p.type(first) == P::ALL_COLUMNS)) {
    if (p.type(first + 1) == P::MINUS && is_name(p.type(first + 2)))
      return p.instead(Code::E0101, p.span(first, first + 2), "columns are left out with `except`",
                       fmt::format("* except ({})", p.word(first + 2)), false);
    if (p.type(here - 1) == P::K_EXCEPT && is_name(p.type())) {
      const std::size_t end = [&] {
        std::size_t i = here;
        while (is_name(p.type(i)) && p.type(i + 1) == P::COMMA && is_name(p.type(i + 2)))
          i += 2;
        return i + 1;
      }();
      return p.instead(Code::E0101, p.span(here, end - 1), "what is left out stands in parentheses",
                       fmt::format("({})", p.source(here, end)), true);
    }
  }
  if (here != first + 1 || !is_name(p.type(first))) return std::nullopt;
  const std::string_view word = p.word(first);
  if (is_name(p.type()) && (p.type(here + 1) == P::ASSIGN || p.type(here + 1) == P::COLON)) {
    const bool declares = is_one_of(word, {"let", "var", "val", "const", "auto", "def", "float", "int", "string",
                                           "bool", "str", "double", "date", "category", "column", "feature"});
    auto d = declares ? p.make(Code::E0101, p.span(first),
                               fmt::format("no `{}` stands before the name of a column", word), "remove it")
                      : p.make(Code::E0101, p.span(first, here), "a name has no blank in it",
                               fmt::format("write `{}_{}`, or both words in backticks", word, p.word()));
    if (declares)
      d.fixes.push_back({{p.span(first).file, p.at(first).begin, p.at(here).begin}, "", "remove it", true});
    else
      d.fixes.push_back({p.span(first, here), fmt::format("{}_{}", word, p.word()), "write `_` for the blank", false});
    return d;
  }
  if (word == "return" || word == "select")
    return p.make(Code::E0101, p.span(first), fmt::format("there is no `{}` here", word),
                  "write `NAME = VALUE`, or the names of the columns that are taken as they are");
  if (p.type() == P::COLON) {
    const std::size_t end = p.end_of(here + 1);
    const bool typed = p.type(here + 2) == P::ASSIGN || p.type(here + 3) == P::ASSIGN;
    if (typed) {
      const std::size_t last = p.type(here + 2) == P::ASSIGN ? here + 1 : here + 2;
      auto d = p.make(Code::E0101, p.span(here, last),
                      "the type of a feature is not written: it follows from its value", "remove it");
      d.fixes.push_back({p.span(here, last), "", "remove the type", true});
      return d;
    }
    if (end > here + 1)
      return p.instead(Code::E0101, p.span(here), "a column is made with `=`", p.glued(here - 1) ? " =" : "=", true);
  }
  if (p.type() == P::MINUS && is_name(p.type(here + 1)) && p.glued(first) && p.glued(here) &&
      p.type(here + 2) == P::ASSIGN)
    return p.instead(Code::E0101, p.span(first, here + 1), "a name has no `-` in it",
                     fmt::format("{}_{}", word, p.word(here + 1)), false);
  for (std::size_t i = here; i + 1 < p.size() && p.type(i) != P::SEP && p.type(i) != P::RBRACE; ++i)
    if (p.type(i) == P::K_AS && is_name(p.type(i + 1)) &&
        (p.type(i + 2) == P::SEP || p.type(i + 2) == P::RBRACE || p.type(i + 2) == P::END || p.type(i + 2) == P::BAR))
      return p.instead(Code::E0101, p.span(first, i + 1), "a column has its name first",
                       fmt::format("{} = {}", p.word(i + 1), p.source(first, i)), true);
  return std::nullopt;
}

// ---- train, evaluate, pipelines ----

Found list_without_commas(const Place& p) {
  if (p.type(p.entry()) != P::K_METRICS || p.type() != P::WORD || p.here == 0 || !is_name(p.type(p.here - 1)) ||
      p.at(p.here).first_in_line)
    return std::nullopt;
  auto d = p.make(Code::E0101, p.span(p.here), fmt::format("a comma is missing before `{}`", p.word()),
                  "metrics are parted by commas");
  const std::uint32_t end = p.at(p.here - 1).end;
  d.fixes.push_back({{p.span(p.here).file, end, end}, ",", "put a comma between them", true});
  return d;
}

/// `model "gbdt"`, `workflow "w"`: names of things have no quotes.
Found quoted_name(const Place& p) {
  if (p.type() != P::STRING || !p.expects(P::WORD) || p.expects(P::INT) || p.expects(P::STRING) ||
      p.expects(P::DURATION) || p.here == 0)
    return std::nullopt;
  const std::string_view inner = p.word().substr(1, p.word().size() - 2);
  bool plain = !inner.empty() && !(inner[0] >= '0' && inner[0] <= '9');
  for (const char c : inner)
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
  if (p.type(0) == P::K_DATA && p.in("sourceRef"))
    return p.instead(Code::E0101, p.span(p.here), "a source is a call that says how to read it",
                     fmt::format("{}({})",
                                 inner.ends_with(".tsv")       ? "tsv"
                                 : inner.ends_with(".parquet") ? "parquet"
                                                               : "csv",
                                 p.word()),
                     false);
  if (!plain)
    return p.make(Code::E0101, p.span(p.here), "a name stands without quotes",
                  fmt::format("a name with other signs stands in backticks: `` `{}` ``", inner));
  return p.instead(Code::E0101, p.span(p.here), "a name stands without quotes", std::string(inner), true);
}

/// `select a, b from t`: a stage reads the one before it.
Found from_in_select(const Place& p) {
  const std::size_t from = p.type() == P::K_FROM                           ? p.here
                           : p.here > 0 && p.type(p.here - 1) == P::K_FROM ? p.here - 1
                                                                           : 0;
  if (from == 0 || p.type(p.entry()) != P::K_SELECT || !is_name(p.type(from + 1))) return std::nullopt;
  return p.make(Code::E0101, p.span(from, from + 1), "a stage reads the stage before it, so no `from` stands here",
                fmt::format("begin the pipeline with the table: `data NAME = {} | select …`", p.word(from + 1)));
}

/// `sort a`, `dedupe a`, `group a { … }`
Found by_is_missing(const Place& p) {
  if (p.here == 0 || !is_name(p.type()) || !p.expects(P::K_BY) || p.here - 1 != p.entry()) return std::nullopt;
  const std::uint16_t stage = p.type(p.here - 1);
  if (stage != P::K_SORT && stage != P::K_DEDUPE && stage != P::K_GROUP && stage != P::K_SLICE && stage != P::K_FILL &&
      stage != P::K_WINDOW)
    return std::nullopt;
  auto d = p.make(Code::E0101, p.span(p.here), fmt::format("`by` is missing after `{}`", p.word(p.here - 1)),
                  fmt::format("write `{} by {}`", p.word(p.here - 1), p.word()));
  const std::uint32_t end = p.at(p.here - 1).end;
  d.fixes.push_back({{p.span(p.here).file, end, end}, " by", "write `by`", true});
  return d;
}

/// `is = 1`: a reserved word that was meant as a name.
Found reserved_name(const Place& p) {
  if (!is_reserved(p.type()) || (p.type(p.here + 1) != P::ASSIGN && p.type(p.here + 1) != P::COLON) ||
      !p.at(p.here).first_in_line || p.type(p.here) == P::R_ELSE)
    return std::nullopt;
  auto d = p.make(Code::E0108, p.span(p.here), fmt::format("`{}` is a reserved word", p.word()),
                  fmt::format("to use it as a name, write it in backticks: `` `{}` ``", p.word()));
  d.fixes.push_back({p.span(p.here), fmt::format("`{}`", p.word()), "put it in backticks", true});
  return d;
}

}  // namespace

Found foreign_entry(const Place& place) {
  for (auto rule : {reserved_name, foreign_word, sign_after_word, comma_at_the_end, column_range, column_clause,
                    definition, list_without_commas, from_in_select, by_is_missing, quoted_name, comma_between_entries})
    if (Found found = rule(place)) return found;
  return std::nullopt;
}

}  // namespace mlp::syntax
