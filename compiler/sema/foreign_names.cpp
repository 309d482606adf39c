#include "compiler/sema/foreign_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlp::sema {

using diag::Code;

namespace {

/// A function of another language. `ours` is a name of the library with the same arguments; `form` says the same in other words, where
/// {0} {1} {2} are the arguments.
struct ForeignFunction {
  std::string_view theirs, ours;
  std::size_t arguments = 0;  ///< of `form`
  std::string_view form = {};
};

constexpr ForeignFunction kFunctions[] = {
    {"len", "length"}, {"strlen", "length"}, {"char_length", "length"}, {"tolower", "lower"}, {"lcase", "lower"}, {"casefold", "lower"}, {"toupper", "upper"}, {"ucase", "upper"},
    {"strip", "trim"}, {"ltrim", "trim"}, {"rtrim", "trim"}, {"lstrip", "trim"}, {"rstrip", "trim"}, {"substring", "substr"}, {"startswith", "starts_with"}, {"startsWith", "starts_with"},
    {"endswith", "ends_with"}, {"endsWith", "ends_with"}, {"includes", "contains"}, {"strpos", "contains"}, {"instr", "contains"}, {"paste", "concat"}, {"paste0", "concat"},
    {"str", "string"}, {"to_string", "string"}, {"tostring", "string"}, {"to_char", "string"}, {"varchar", "string"}, {"text", "string"}, {"as_string", "string"},
    {"integer", "int"}, {"to_int", "int"}, {"as_int", "int"}, {"bigint", "int"}, {"parseInt", "int"}, {"double", "float"}, {"to_float", "float"}, {"as_float", "float"}, {"to_number", "float"},
    {"to_numeric", "float"}, {"numeric", "float"}, {"parseFloat", "float"}, {"to_date", "date"}, {"todate", "date"}, {"parse_date", "date"}, {"to_datetime", "timestamp"}, {"to_timestamp", "timestamp"},
    {"datetime", "timestamp"}, {"Timestamp", "timestamp"},
    {"ln", "log"}, {"ceiling", "ceil"}, {"power", "pow"}, {"clip", "clamp"}, {"modulo", "mod"}, {"fmod", "mod"}, {"remainder", "mod"}, {"floordiv", "div"}, {"floor_divide", "div"},
    {"least", "min"}, {"minimum", "min"}, {"fmin", "min"}, {"greatest", "max"}, {"maximum", "max"}, {"fmax", "max"}, {"absolute", "abs"}, {"fabs", "abs"}, {"expit", "sigmoid"}, {"logistic", "sigmoid"},
    {"arctan2", "atan2"}, {"arctan", "atan"}, {"arcsin", "asin"}, {"arccos", "acos"},
    {"dayofweek", "weekday"}, {"day_of_week", "weekday"}, {"dow", "weekday"}, {"isodow", "weekday"}, {"dayofyear", "day_of_year"}, {"doy", "day_of_year"}, {"weekofyear", "week"}, {"isoweek", "week"},
    {"dayofmonth", "day"},
    {"avg", "mean"}, {"average", "mean"}, {"nunique", "distinct"}, {"count_distinct", "distinct"}, {"approx_count_distinct", "distinct"}, {"stddev", "std"}, {"stdev", "std"}, {"sd", "std"},
    {"last", "latest"}, {"last_value", "latest"}, {"first_value", "first"}, {"percentile", "quantile"}, {"shift", "lag"},
    {"rand", "uniform"}, {"random", "uniform"}, {"runif", "uniform"}, {"randint", "uniform_int"}, {"rnorm", "normal"}, {"randn", "normal"},
    {"scale", "standardize"}, {"zscore", "standardize"}, {"z_score", "standardize"}, {"StandardScaler", "standardize"}, {"standard_scaler", "standardize"}, {"normalize", "standardize"},
    {"MinMaxScaler", "min_max"}, {"minmax", "min_max"}, {"min_max_scaler", "min_max"}, {"onehot", "one_hot"}, {"OneHotEncoder", "one_hot"}, {"get_dummies", "one_hot"}, {"dummies", "one_hot"},
    {"label_encode", "ordinal_encode"}, {"LabelEncoder", "ordinal_encode"}, {"OrdinalEncoder", "ordinal_encode"}, {"factorize", "ordinal_encode"}, {"qcut", "quantile_bins"}, {"cut", "quantile_bins"},
    {"KBinsDiscretizer", "quantile_bins"}, {"mean_encode", "target_encode"}, {"TargetEncoder", "target_encode"}, {"count_encode", "frequency_encode"}, {"SimpleImputer", "impute"}, {"winsorize", "clip_quantiles"},
    {"coalesce", "", 2, "{0} ?? {1}"}, {"ifnull", "", 2, "{0} ?? {1}"}, {"nvl", "", 2, "{0} ?? {1}"}, {"fillna", "", 2, "{0} ?? {1}"}, {"fill_null", "", 2, "{0} ?? {1}"}, {"isnull", "", 2, "{0} ?? {1}"},
    {"isnull", "", 1, "{0} is missing"}, {"isna", "", 1, "{0} is missing"}, {"isnan", "", 1, "{0} is missing"}, {"is_null", "", 1, "{0} is missing"}, {"is_missing", "", 1, "{0} is missing"},
    {"notnull", "", 1, "{0} is known"}, {"notna", "", 1, "{0} is known"}, {"is_not_null", "", 1, "{0} is known"}, {"is_known", "", 1, "{0} is known"},
    {"where", "", 3, "if {0} then {1} else {2}"}, {"iif", "", 3, "if {0} then {1} else {2}"}, {"ifelse", "", 3, "if {0} then {1} else {2}"}, {"if_else", "", 3, "if {0} then {1} else {2}"},
    {"nullif", "", 2, "if {0} == {1} then missing else {0}"}, {"isin", "", 2, "{0} in {1}"}, {"between", "", 3, "{0} in {1}..{2}"}, {"square", "", 1, "{0}^2"}, {"not_", "", 1, "not {0}"},
    {"astype", "", 2, "{1}({0})"}, {"cast", "", 2, "{1}({0})"}, {"datediff", "", 2, "days({0} - {1})"}, {"date_diff", "", 2, "days({0} - {1})"},
    {"timedelta", "", 1, "days({0})"}, {"dateadd", "", 2, "{0} + {1}"}, {"date_add", "", 2, "{0} + {1}"},
};

/// A model, metric or parameter as others call it.
struct ForeignName {
  Named what;
  std::string_view theirs, ours;
};
constexpr ForeignName kNames[] = {
    {Named::model, "xgboost", "gbdt"}, {Named::model, "xgb", "gbdt"}, {Named::model, "XGBClassifier", "gbdt"}, {Named::model, "XGBRegressor", "gbdt"}, {Named::model, "lightgbm", "gbdt"},
    {Named::model, "lgbm", "gbdt"}, {Named::model, "LGBMClassifier", "gbdt"}, {Named::model, "LGBMRegressor", "gbdt"}, {Named::model, "catboost", "gbdt"}, {Named::model, "gbm", "gbdt"},
    {Named::model, "GradientBoostingClassifier", "gbdt"}, {Named::model, "GradientBoostingRegressor", "gbdt"}, {Named::model, "HistGradientBoostingClassifier", "gbdt"},
    {Named::model, "boosted_trees", "gbdt"}, {Named::model, "gradient_boosting", "gbdt"}, {Named::model, "rf", "random_forest"}, {Named::model, "RandomForestClassifier", "random_forest"},
    {Named::model, "RandomForestRegressor", "random_forest"}, {Named::model, "randomforest", "random_forest"}, {Named::model, "LogisticRegression", "logistic"}, {Named::model, "logistic_regression", "logistic"},
    {Named::model, "logit", "logistic"}, {Named::model, "glm", "logistic"}, {Named::model, "LinearRegression", "linear"}, {Named::model, "linear_regression", "linear"}, {Named::model, "ols", "linear"},
    {Named::model, "lm", "linear"}, {Named::model, "Ridge", "ridge"}, {Named::model, "Lasso", "lasso"},
    {Named::metric, "roc_auc", "auc"}, {Named::metric, "roc_auc_score", "auc"}, {Named::metric, "auroc", "auc"}, {Named::metric, "average_precision", "pr_auc"}, {Named::metric, "auprc", "pr_auc"},
    {Named::metric, "logloss", "log_loss"}, {Named::metric, "cross_entropy", "log_loss"}, {Named::metric, "binary_crossentropy", "log_loss"}, {Named::metric, "brier_score", "brier"},
    {Named::metric, "ece", "calibration_error"}, {Named::metric, "accuracy_score", "accuracy"}, {Named::metric, "acc", "accuracy"}, {Named::metric, "f1_score", "f1"}, {Named::metric, "sensitivity", "recall"},
    {Named::metric, "mse", "rmse"}, {Named::metric, "mean_squared_error", "rmse"}, {Named::metric, "root_mean_squared_error", "rmse"}, {Named::metric, "mean_absolute_error", "mae"}, {Named::metric, "r2_score", "r2"},
    {Named::metric, "rsquared", "r2"}, {Named::metric, "smape", "mape"},
    {Named::parameter, "n_estimators", "trees"}, {Named::parameter, "num_boost_round", "trees"}, {Named::parameter, "num_trees", "trees"}, {Named::parameter, "n_trees", "trees"}, {Named::parameter, "iterations", "trees"},
    {Named::parameter, "max_depth", "depth"}, {Named::parameter, "eta", "learning_rate"}, {Named::parameter, "lr", "learning_rate"}, {Named::parameter, "alpha", "l2"}, {Named::parameter, "penalty", "l2"},
    {Named::parameter, "reg_lambda", "l2"}, {Named::parameter, "lambda", "l2"}, {Named::parameter, "lambda", "l1"}, {Named::parameter, "alpha", "l1"}, {Named::parameter, "colsample_bytree", "columns"},
    {Named::parameter, "sep", "delimiter"}, {Named::parameter, "separator", "delimiter"}, {Named::parameter, "na_values", "null"}, {Named::parameter, "na", "null"}, {Named::parameter, "null_value", "null"},
    {Named::parameter, "file", "path"}, {Named::parameter, "filename", "path"}, {Named::parameter, "filepath_or_buffer", "path"}, {Named::parameter, "tz", "zone"}, {Named::parameter, "timezone", "zone"},
    {Named::parameter, "strip", "trim"}, {Named::parameter, "n", "rows"}, {Named::parameter, "random_state", "seed"}, {Named::parameter, "strategy", "how"}, {Named::parameter, "bins", "n"},
    {Named::parameter, "m", "smoothing"},
};

/// Names before a point that stand for a library or a table elsewhere.
constexpr std::string_view kModules[] = {"np", "numpy", "math", "pd", "pandas", "pl", "polars", "scipy", "sp", "stats", "sklearn", "torch", "tf", "F", "functions", "re", "random", "datetime", "dt", "str", "statistics", "cmath"};
constexpr std::string_view kTables[] = {"df", "data", "self", "this", "row", "X", "table", "input"};
constexpr std::string_view kClocks[] = {"now", "today", "current_date", "current_timestamp", "getdate", "sysdate", "utcnow", "localtime", "time"};
constexpr std::string_view kNulls[] = {"null", "NULL", "Null", "None", "none", "nil", "nan", "NaN", "NAN", "na", "NA", "NaT", "N/A", "undefined"};

bool is_one(const auto& words, std::string_view word) { return std::find(std::begin(words), std::end(words), word) != std::end(words); }

bool is_function(std::string_view name) { return !find_entries(EntryKind::fn, name).empty() || !find_entries(EntryKind::transform, name).empty(); }
bool is_aggregate(std::string_view name) { return !find_entries(EntryKind::aggregate, name).empty(); }

bool is_column(const Scope& scope, std::string_view name) {
  if (scope.locals.find(name) != scope.locals.end()) return true;
  if (!scope.rows || !scope.rows->names) return false;
  const auto names = scope.rows->names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

diag::Diagnostic offer(Code code, Span span, std::string message, const std::string& meant, bool safe = false) {
  diag::Diagnostic d = diag::make(code, span, std::move(message)).with_help(fmt::format("{} `{}`{}", safe ? "write" : "did you mean", meant, safe ? "" : "?"));
  d.fixes.push_back({span, meant, fmt::format("write `{}`", meant), safe});
  return d;
}

diag::Diagnostic no_clock(Span span, std::string_view name) {
  return diag::make(Code::E0201, span, fmt::format("there is no `{}`: no value depends on when a program runs", name)).with_label("would differ from run to run")
      .with_help("write the date, `date(\"2024-01-31\")`, or set it from outside: `param today: date = date(\"2024-01-31\")`");
}

std::string argument_text(const Scope& scope, const ast::Argument& argument) {
  std::string text = scope.context.text(scope.file->expr(argument.value).span);
  // A quoted name of a type or a list, as it is meant here.
  if (const auto* list = std::get_if<ast::List>(&scope.file->expr(argument.value).kind); list && text.size() > 2) return fmt::format("({})", text.substr(1, text.size() - 2));
  return text;
}

/// The form with the arguments in it; those that hold operators are put in parentheses.
std::string filled_in(std::string_view form, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '{') {
      out += form[i];
      continue;
    }
    const std::string& argument = arguments[static_cast<std::size_t>(form[i + 1] - '0')];
    const bool alone = argument.find(' ') == std::string::npos || form.starts_with("if ") || argument.front() == '(' || (i > 0 && form[i - 1] == '(');
    out += alone ? argument : fmt::format("({})", argument);
    i += 2;
  }
  return out;
}

}  // namespace

bool is_null_word(const Scope& scope, ast::ExprId id) {
  const auto* ref = std::get_if<ast::Ref>(&scope.file->expr(id).kind);
  if (!ref) return false;
  const std::string name = ref->path.text();
  const bool nan = ref->path.parts.size() == 2 && is_one(kModules, ref->path.parts[0].text) && is_one(kNulls, ref->path.parts[1].text);
  return nan || (ref->path.parts.size() == 1 && is_one(kNulls, name) && !is_column(scope, name) && !scope.context.names.contains(name));
}

std::optional<diag::Diagnostic> foreign_value(const Scope& scope, const ast::Path& path, Span span) {
  const std::string name = path.text();
  const std::string& last = path.parts.back().text;
  if (path.parts.size() == 1) {
    if (is_one(kNulls, name)) return offer(Code::E0201, span, fmt::format("there is no `{}`: a value that is not there is `missing`", name), "missing", true);
    if (name == "True" || name == "TRUE") return offer(Code::E0201, span, fmt::format("there is no `{}`", name), "true", true);
    if (name == "False" || name == "FALSE") return offer(Code::E0201, span, fmt::format("there is no `{}`", name), "false", true);
    if (name == "\u03C0") return offer(Code::E0201, span, fmt::format("there is no `{}`", name), "pi", true);
    if (name == "inf" || name == "Infinity" || name == "infinity")
      return diag::make(Code::E0201, span, fmt::format("there is no `{}`: numbers are finite", name)).with_label("not known here").with_help("where a computation has no finite result, its value is missing");
    if (is_one(kClocks, name) && name != "time") return no_clock(span, name);
    return std::nullopt;
  }
  const std::string& first = path.parts.front().text;
  const bool module = is_one(kModules, first) && !is_column(scope, first);
  if (module && is_one(kNulls, last)) return offer(Code::E0201, span, fmt::format("there is no `{}`: a value that is not there is `missing`", name), "missing", true);
  if (module && (last == "pi" || last == "e")) return offer(Code::E0201, span, fmt::format("there is no `{}`: names stand without a library", name), last == "pi" ? "pi" : "exp(1)");
  if (is_column(scope, first) && is_function(last)) return offer(Code::E0204, span, fmt::format("a value has no parts: `{}` is a function, which is called with it", last), fmt::format("{}({})", last, first));
  if ((is_one(kTables, first) || module) && is_column(scope, last)) return offer(Code::E0203, span, "a column stands by its name alone", last);
  return std::nullopt;
}

std::optional<diag::Diagnostic> foreign_call(const Scope& scope, const ast::Call& call, Span span) {
  const ast::Path& callee = call.callee;
  const std::string name = callee.text();
  const std::string& last = callee.parts.back().text;
  const Span at = scope.place(callee.span);
  std::vector<std::string> arguments;
  for (const ast::Argument& argument : call.arguments)
    if (argument.value) arguments.push_back(argument_text(scope, argument));
  const std::string& first = callee.parts.front().text;
  const bool method = callee.parts.size() > 1 && is_column(scope, first);
  const bool module = callee.parts.size() > 1 && !method && is_one(kModules, first);
  if (callee.parts.size() > 1 && !method && !module) return std::nullopt;
  if (method) arguments.insert(arguments.begin(), first);
  if (is_one(kClocks, last) && !method && arguments.empty()) return no_clock(span, name);
  std::string message = fmt::format("there is no function `{}`", name);
  if (module) message += ": functions stand without a library";
  if (method) message = fmt::format("a value has no functions of its own, such as `{}`", name);
  std::string joined;
  for (const std::string& argument : arguments) joined += (joined.empty() ? "" : ", ") + argument;
  const auto found = std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const ForeignFunction& f) {
    return f.theirs == last && (!f.ours.empty() || f.arguments == arguments.size());
  });
  const bool ours = is_function(last) || is_aggregate(last);
  if (found == std::end(kFunctions) || ours) {
    if (callee.parts.size() == 1) return std::nullopt;
    if (ours) return method ? offer(Code::E0204, span, std::move(message), fmt::format("{}({})", last, joined)) : offer(Code::E0204, at, std::move(message), last);
    return diag::make(Code::E0204, at, std::move(message)).with_label("not in the standard library").with_help("`mlpc explain NAME` shows what the library has; your own is declared with `fn NAME(x: TYPE) -> TYPE = …`");
  }
  if (found->ours.empty()) return offer(Code::E0204, span, std::move(message), filled_in(found->form, arguments));
  if (method) return offer(Code::E0204, span, std::move(message), fmt::format("{}({})", found->ours, joined));
  return offer(Code::E0204, at, std::move(message), std::string(found->ours));
}

ForeignType foreign_type(std::string_view name) {
  struct Names {
    std::string_view theirs;
    ForeignType type;
  };
  static constexpr ForeignType kText{"string", {}}, kWhole{"int", {}}, kNumber{"float", {}}, kMoment{"timestamp", {}}, kTruth{"bool", {}}, kLength{"duration", {}}, kList{"list", "a list says of what: `list(int)`"};
  static constexpr ForeignType kChoice{"category", "a category may list its values: `category(\"a\", \"b\")`"};
  static constexpr Names kNames[] = {
      {"str", kText}, {"text", kText}, {"varchar", kText}, {"nvarchar", kText}, {"char", kText}, {"character", kText}, {"clob", kText}, {"object", kText}, {"utf8", kText},
      {"integer", kWhole}, {"bigint", kWhole}, {"smallint", kWhole}, {"tinyint", kWhole}, {"long", kWhole}, {"short", kWhole}, {"int8", kWhole}, {"int16", kWhole}, {"int32", kWhole}, {"int64", kWhole},
      {"uint8", kWhole}, {"uint16", kWhole}, {"uint32", kWhole}, {"uint64", kWhole}, {"serial", kWhole},
      {"double", kNumber}, {"real", kNumber}, {"number", kNumber}, {"numeric", kNumber}, {"decimal", kNumber}, {"float32", kNumber}, {"float64", kNumber}, {"money", kNumber},
      {"datetime", kMoment}, {"datetime64", kMoment}, {"timestamptz", kMoment}, {"time", kMoment}, {"boolean", kTruth}, {"bit", kTruth}, {"logical", kTruth},
      {"interval", kLength}, {"timedelta", kLength}, {"enum", kChoice}, {"factor", kChoice}, {"categorical", kChoice}, {"literal", kChoice}, {"array", kList}, {"tuple", kList}, {"set", kList},
      {"dict", {"map", {}}}, {"json", {"map", {}}}, {"struct", {"map", {}}}, {"embedding", {"vector", "a vector says how wide it is: `vector(64)`"}}, {"tensor", {"vector", "a vector says how wide it is: `vector(64)`"}},
  };
  std::string small(name);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  const auto at = std::find_if(std::begin(kNames), std::end(kNames), [&](const Names& n) { return n.theirs == small; });
  return at == std::end(kNames) ? ForeignType{} : at->type;
}

std::string date_text(const Context& context, Span span) {
  std::string text = context.text(span);
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  if (text.size() < 8 || text.size() > 30 || !digit(0) || !digit(1) || !digit(2) || !digit(3) || text[4] != '-' || !digit(5)) return {};
  return std::count(text.begin(), text.end(), '-') >= 2 ? text : std::string();
}

diag::Diagnostic with_meaning(diag::Diagnostic diagnostic, Named what, std::string_view name, Span span, const std::vector<std::string_view>& candidates, std::string otherwise) {
  for (const ForeignName& each : kNames) {
    if (each.what != what || each.theirs != name || std::find(candidates.begin(), candidates.end(), each.ours) == candidates.end()) continue;
    diagnostic.help = fmt::format("did you mean `{}`?", each.ours);
    diagnostic.fixes.push_back({span, std::string(each.ours), fmt::format("write `{}`", each.ours), false});
    return diagnostic;
  }
  return with_suggestion(std::move(diagnostic), name, span, candidates, std::move(otherwise));
}

std::vector<std::string_view> offered_names() {
  std::vector<std::string_view> names;
  for (const ForeignName& each : kNames)
    if (each.what != Named::parameter) names.push_back(each.ours);
  for (const ForeignFunction& f : kFunctions)
    if (!f.ours.empty()) names.push_back(f.ours);
  return names;
}

}  // namespace mlp::sema
