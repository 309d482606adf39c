#include <algorithm>
#include <array>
#include <cctype>

#include "compiler/syntax/tokens.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

using grammar::MlpLexer;

struct Word {
  std::string_view text;
  std::uint16_t type;
};

#define MLP_RESERVED(X)                                                                                               \
  X(AND, "and")                                                                                                       \
  X(OR, "or")                                                                                                         \
  X(NOT, "not") X(IN, "in") X(IS, "is") X(IF, "if") X(THEN, "then") X(ELSE, "else") X(TRUE, "true") X(FALSE, "false") \
      X(MISSING, "missing")
#define MLP_KEYWORDS(X)                                                                                                                                \
  X(WORKFLOW, "workflow")                                                                                                                              \
  X(IMPORT, "import")                                                                                                                                  \
  X(PARAM, "param") X(SECRET, "secret") X(ENV, "env") X(FN, "fn") X(TRANSFORM, "transform") X(MODEL, "model") X(                                       \
      METRIC, "metric") X(DRIFT, "drift") X(SOURCE, "source") X(SINK, "sink") X(AGGREGATE, "aggregate") X(DATA, "data") X(FEATURE, "feature")                                    \
      X(SPLIT, "split") X(TRAIN, "train") X(EVALUATE, "evaluate") X(DEPLOY, "deploy") X(MONITOR, "monitor")                                            \
          X(EXPLORE, "explore") X(TEST, "test") X(SCHEDULE, "schedule") X(ABSENT, "absent") X(AFTER, "after") X(                                       \
              AGAINST, "against") X(AGO, "ago") X(AHEAD, "ahead") X(ALERT, "alert") X(ALL, "all")                                                      \
              X(APPROVAL, "approval") X(AS, "as") X(ASC, "asc") X(ASOF, "asof") X(AT, "at") X(AT_LEAST, "at_least") X(                                 \
                  BACK,                                                                                                                                \
                  "back") X(BATCH, "batch") X(BEATS, "beats")                                                                                          \
                  X(BECAUSE, "because") X(BEFORE, "before") X(BETTER, "better") X(BINNED, "binned") X(BY, "by") X(                                     \
                      CALIBRATE,                                                                                                                       \
                      "calibrate") X(CANARY,                                                                                                           \
                                     "canary") X(COOLDOWN, "cooldown")                                                                                 \
                      X(CORRECTED, "corrected") X(CROSS, "cross") X(                                                                                   \
                          CROSS_FIT,                                                                                                                   \
                          "cross_fit") X(DECIDE,                                                                                                       \
                                         "decide") X(DECISION,                                                                                         \
                                                     "decision") X(DECLASSIFIES, "declassifies") X(DEDUPE,                                                                             \
                                                                   "dedupe") X(DERIVE,                                                                 \
                                                                               "derive") X(DESC,                                                       \
                                                                                           "desc") X(EACH, "each")                                     \
                          X(EARLY_STOP,                                                                                                                \
                            "early_stop") X(ENDING, "ending")                                                                                          \
                              X(EVERY, "every") X(EXCEPT, "except") X(EXPECT, "expect") X(EXPIRE, "expire") X(                                         \
                                  EXPLAIN, "explain") X(FILL, "fill")                                                                                  \
                                  X(FINAL, "final") X(FITS, "fits") X(FOLD, "fold") X(FOR, "for") X(FORMAT, "format")                                  \
                                      X(FRESH, "fresh") X(FROM, "from") X(                                                                             \
                                          GAP,                                                                                                         \
                                          "gap") X(GIVEN,                                                                                              \
                                                   "given") X(GLOBAL, "global")                                                                        \
                                          X(GROUP, "group") X(HIGHER, "higher") X(HORIZON, "horizon") X(                                               \
                                              INTERPRETED,                                                                                             \
                                              "interpreted") X(INTO,                                                                                   \
                                                               "into") X(JOIN,                                                                         \
                                                                         "join") X(KEEP,                                                               \
                                                                                   "keep") X(KEY, "key")                                               \
                                              X(KNOWN, "known") X(LABELS, "labels") X(LAST, "last") X(LEFT, "left")                                    \
                                                  X(LIMIT, "limit") X(LIVE, "live") X(LOCK, "lock") X(LOG, "log") X(                                   \
                                                      LOWER,                                                                                           \
                                                      "lower") X(MATCHES,                                                                              \
                                                                 "matches") X(MAXIMIZE, "maximize")                                                    \
                                                      X(MEANS, "means") X(                                                                             \
                                                          METRICS,                                                                                     \
                                                          "metrics") X(MINIMIZE,                                                                       \
                                                                       "minimize") X(NEXT,                                                             \
                                                                                     "next") X(OF,                                                     \
                                                                                               "of") X(ON, "on")                                       \
                                                          X(ONE, "one") X(OPERATOR, "operator") X(OVER, "over") X(                                     \
                                                              PER,                                                                                     \
                                                              "per") X(PERFORMANCE,                                                                    \
                                                                       "performance") X(POSITIVES, "positives")                                        \
                                                              X(PREDICT, "predict") X(PREDICTS, "predicts") X(                                         \
                                                                  PREPARES,                                                                            \
                                                                  "prepares") X(PRODUCTION, "production")                                              \
                                                                  X(PUBLISH, "publish") X(PYTHON, "python") X(                                         \
                                                                      QUALITY,                                                                         \
                                                                      "quality") X(QUANTILES,                                                          \
                                                                                   "quantiles") X(RANDOM, "random")                                    \
                                                                      X(RANGE, "range") X(RANK, "rank") X(                                             \
                                                                          REFIT,                                                                       \
                                                                          "ref"                                                                        \
                                                                          "it")                                                                        \
                                                                          X(REFRESH,                                                                   \
                                                                            "refresh") X(REJECT,                                                       \
                                                                                         "reject") X(REQUESTS,                                         \
                                                                                                     "requests") X(REQUIRE,                            \
                                                                                                                   "r"                                 \
                                                                                                                   "e"                                 \
                                                                                                                   "q"                                 \
                                                                                                                   "u"                                 \
                                                                                                                   "i"                                 \
                                                                                                                   "r"                                 \
                                                                                                                   "e") X(REQUIRES,                    \
                                                                                                                          "require"                    \
                                                                                                                          "s") X(RESAMPLE,             \
                                                                                                                                 "resample") X(REST,   \
                                                                                                                                               "rest") \
                                                                              X(RETRAIN, "retrain") X(                                                 \
                                                                                  ROLLBACK,                                                            \
                                                                                  "rollback") X(ROLLING, "rolling")                                    \
                                                                                  X(ROW,                                                               \
                                                                                    "row") X(ROWS,                                                     \
                                                                                             "rows") X(SAME,                                           \
                                                                                                       "same") X(SAMPLE,                               \
                                                                                                                 "s"                                   \
                                                                                                                 "a"                                   \
                                                                                                                 "m"                                   \
                                                                                                                 "p"                                   \
                                                                                                                 "l"                                   \
                                                                                                                 "e") X(SEED,                          \
                                                                                                                        "seed") X(SELECT,              \
                                                                                                                                  "select")            \
                                                                                      X(SERVE, "serve") X(SLICE, "sli"                                 \
                                                                                                                 "ce") X(                              \
                                                                                          SORT,                                                        \
                                                                                          "sort") X(SQL, "sql")                                        \
                                                                                          X(STAGE,                                                     \
                                                                                            "stage") X(STOP,                                           \
                                                                                                       "stop") X(STRATEGY,                             \
                                                                                                                 "s"                                   \
                                                                                                                 "t"                                   \
                                                                                                                 "r"                                   \
                                                                                                                 "a"                                   \
                                                                                                                 "t"                                   \
                                                                                                                 "e"                                   \
                                                                                                                 "g"                                   \
                                                                                                                 "y") X(STRATIFIED,                    \
                                                                                                                        "stratifi"                     \
                                                                                                                        "ed") X(TAKES,                 \
                                                                                                                                "takes") X(TIME,       \
                                                                                                                                           "time")     \
                                                                                              X(                                                       \
                                                                                                  TOP,                                                 \
                                                                                                  "top") X(TRIALS,                                     \
                                                                                                           "trials") X(TUNE,                           \
                                                                                                                       "tune") X(UNION,                \
                                                                                                                                 "unio"                \
                                                                                                                                 "n") X(UNIQUE,        \
                                                                                                                                        "unique")      \
                                                                                                  X(                                                   \
                                                                                                      UNPIVOT,                                         \
                                                                                                      "unpivo"                                         \
                                                                                                      "t") X(UNTIL,                                    \
                                                                                                             "until")                                  \
                                                                                                      X(UP,                                            \
                                                                                                        "u"                                            \
                                                                                                        "p") X(VALID,                                  \
                                                                                                               "vali"                                  \
                                                                                                               "d")                                    \
                                                                                                          X(                                           \
                                                                                                              VALUES,                                  \
                                                                                                              "value"                                  \
                                                                                                              "s") X(VERSION,                          \
                                                                                                                     "version")                        \
                                                                                                              X(WARN,                                  \
                                                                                                                "war"                                  \
                                                                                                                "n") X(WEIGHTS,                        \
                                                                                                                       "weights")                      \
                                                                                                                  X(WHEN,                              \
                                                                                                                    "when")                            \
                                                                                                                      X(WHERE,                         \
                                                                                                                        "where") X(WINDOW,             \
                                                                                                                                   "window")           \
                                                                                                                          X(WITH,                      \
                                                                                                                            "with")                    \
                                                                                                                              X(WITHIN,                \
                                                                                                                                "within")

constexpr auto kWords = [] {
#define MLP_R(name, text) Word{text, MlpLexer::R_##name},
#define MLP_K(name, text) Word{text, MlpLexer::K_##name},
  std::array words{MLP_RESERVED(MLP_R) MLP_KEYWORDS(MLP_K)};
  std::ranges::sort(words, {}, &Word::text);
  return words;
}();

constexpr auto kByType = [] {
  auto words = kWords;
  std::ranges::sort(words, {}, &Word::type);
  return words;
}();

// A K_ or R_ token of the grammar without its word here would never be made.
static_assert(kWords.size() == MlpLexer::K_WITHIN - MlpLexer::R_AND + 1);

}  // namespace

std::uint16_t word_type(std::string_view word) {
  const auto at = std::ranges::lower_bound(kWords, word, {}, &Word::text);
  return at != kWords.end() && at->text == word ? at->type : static_cast<std::uint16_t>(MlpLexer::WORD);
}

std::string_view keyword(std::uint16_t type) {
  const auto at = std::ranges::lower_bound(kByType, type, {}, &Word::type);
  return at != kByType.end() && at->type == type ? at->text : std::string_view{};
}

bool is_reserved(std::uint16_t type) {
  return type >= MlpLexer::R_AND && type <= MlpLexer::R_MISSING;
}

bool is_name(std::uint16_t type) {
  return type == MlpLexer::WORD || type == MlpLexer::QUOTED_NAME ||
         (type > MlpLexer::R_MISSING && type <= MlpLexer::K_WITHIN);
}

}  // namespace mlp::syntax
