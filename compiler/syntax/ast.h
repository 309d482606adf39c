#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/support/span.h"
#include "compiler/syntax/ast_expr.h"

/// What a .mlp file says, before names and types are looked at. Order and repetitions are kept as written.
/// Every name and value has its own span. Values that may be constants, parameters or durations are expressions throughout.
namespace mlp::ast {

// ---------------------------------------------------------------------------------------------------------------- functions and the library

enum class CallableKind : std::uint8_t { fn, transform, model, metric, drift, source, sink, aggregate };

/// `= native`, `= native("symbol")`, `= python("m.py:f")`, or an expression (fn only).
struct Binding {
  enum class Kind : std::uint8_t {
    implied,
    native,
    python,
    expression
  } kind = Kind::implied;      ///< implied: nothing written
  std::optional<Text> symbol;  ///< of native(…) and python(…)
  ExprId body;                 ///< of an expression
  Span span;
};

/// `float as standardize(it) ?? 0.0, float(it is missing)` of a model's `prepares`.
struct Preparation {
  TypeRef type;
  std::vector<ExprId> outputs;
  Span span;
};

/// `fits { mean: float, std: float }`.
struct FitField {
  Name name;
  TypeRef type;
};

/// fn, transform, model, metric, drift, source, sink, aggregate: in the standard library and in workflows alike.
struct Callable {
  CallableKind kind{};
  std::vector<Parameter> parameters;  ///< for a model: the entries of its braces
  std::optional<TypeRef> result;      ///< none for model, source and sink
  ExprId result_range;                ///< `-> float in 0..1`
  ExprId known_when;
  std::optional<Text> op;  ///< `operator "+"`
  bool row = false;
  bool random = false;
  std::optional<Text> interpreted_because;
  std::vector<FitField> fits;
  std::optional<std::int64_t> cross_fit;
  TypeRefs predicts;
  TypeRefs takes;
  bool binned = false;
  std::vector<Preparation> prepares;
  std::optional<Name> better;  ///< higher, lower
  bool of_decision = false;
  bool of_window = false;
  bool declassifies = false;
  Binding binding;
};

// ---------------------------------------------------------------------------------------------------------------- data

/// `@available(after 30d)` and the like.
struct Availability {
  enum class Kind : std::uint8_t { always, never, at, after, before } kind = Kind::always;
  std::optional<Path> column;  ///< of `at`
  ExprId offset;               ///< of `after` and `before`: a Duration or a Ref
};

enum class TagKind : std::uint8_t { key, time, label, pii, protected_, weight, ignore, available };

/// `@key`, `@time(zone: "Europe/Berlin")`, `@available(…)`.
struct Tag {
  TagKind kind{};
  std::optional<Availability> availability;  ///< of @available
  std::vector<Argument> arguments;           ///< named, of the others
  Span span;
};

/// One line of a data block: `longitude, latitude : float in -180..180 as "Lon" @pii`.
struct Column {
  std::vector<Name> names;
  TypeRef type;
  std::optional<Text> as;       ///< name in the source
  ExprId value;                 ///< `= EXPR`: computed
  ExprId in;                    ///< Binary range or Set
  std::optional<Text> matches;  ///< a regular expression
  std::optional<Span> unique;
  std::vector<Text> values;  ///< values ("Yes", "No"): TRUE_ONE, FALSE_ONE
  std::optional<Text> format;
  std::vector<Tag> tags;
};

/// `expect rows >= 30_000`, `expect a + b == c for all rows else warn`.
struct Expect {
  ExprId condition;
  bool for_all_rows = false;
  bool only_warns = false;
};

/// `reject up to 1% into "rejected.parquet"`.
struct Reject {
  ExprId share;
  Text into;
};

/// `rest from lock`.
struct RestFromLock {};

struct DataEntry {
  Span span;
  std::string doc;
  std::optional<Text> because;
  std::variant<Column, Expect, Reject, RestFromLock> kind;
};

/// `csv("adult.csv", null: "?") version by updated_at`.
struct SourceRef {
  ExprId call;  ///< a Call without by, where and over
  std::optional<Path> version_by;
};

/// `name = EXPR @tag`, in derive, group, window.
struct Definition {
  Name name;
  ExprId value;
  std::vector<Tag> tags;
  Span span;
};

/// `pickup desc`.
struct OrderItem {
  Path column;
  bool descending = false;
};

/// `* except (a, b)`.
struct AllColumns {
  std::vector<Name> except;
  Span span;
};

/// `a`, `EXPR as b @tag`.
struct SelectItem {
  ExprId value;
  std::optional<Name> as;
  std::vector<Tag> tags;
  Span span;
};

struct WhereStage {
  ExprId condition;
};
/// `join one left zones on pickup_zone == zones.name`. Without `left`: rows without a match go.
struct JoinStage {
  bool one = false;
  bool left = false;
  Path table;
  ExprId on;
};
struct AsofJoinStage {
  Path table;
  std::vector<Path> by;
  Path at;
};
/// `dedupe by trip_id keep latest pickup`; keep is `latest` or `earliest` of `of`.
struct DedupeStage {
  std::vector<Path> by;
  std::optional<Name> keep;
  std::optional<Path> of;
};
struct DeriveStage {
  std::vector<Definition> definitions;
};
struct GroupStage {
  std::vector<Path> by;
  std::vector<Definition> definitions;
};
struct WindowStage {
  std::vector<Path> by;
  std::vector<OrderItem> order;
  std::vector<Definition> definitions;
};
struct SelectStage {
  std::optional<AllColumns> all;  ///< stands first
  std::vector<SelectItem> items;
};
struct UnionStage {
  std::vector<Path> tables;
};
struct SortStage {
  std::vector<OrderItem> by;
};
struct LimitStage {
  ExprId rows;
};
struct SampleStage {
  ExprId share;
  ExprId seed;
};
/// `unpivot a, b as name, value`.
struct UnpivotStage {
  std::vector<Path> columns;
  Name name, value;
};
/// `fill by store, item every 1d until 14d ahead with units: 0`.
struct FillStage {
  std::vector<Path> by;
  ExprId every;
  ExprId until_ahead;
  std::vector<Argument> with;
};
/// `cross range(1..28) as h`.
struct CrossStage {
  ExprId range;
  Name as;
};
struct SqlStage {
  Text query;
};
/// `python("prep.py:clean") -> { columns }`.
struct PythonStage {
  Text function;
  std::vector<DataEntry> columns;
};

struct Stage {
  Span span;
  Span word;  ///< of `where`, `join` …
  std::string doc;
  std::optional<Text> because;
  std::variant<WhereStage, JoinStage, AsofJoinStage, DedupeStage, DeriveStage, GroupStage, WindowStage, SelectStage,
               UnionStage, SortStage, LimitStage, SampleStage, UnpivotStage, FillStage, CrossStage, SqlStage,
               PythonStage>
      kind;
};

/// `data NAME from SOURCE { … }` or `data NAME = TABLE | stage | stage`.
struct Data {
  std::optional<SourceRef> source;  ///< exactly one of source and input is there
  std::optional<Path> input;
  std::vector<DataEntry> entries;  ///< of a source
  std::vector<Stage> stages;       ///< of a pipeline
};

// ---------------------------------------------------------------------------------------------------------------- feature, split

/// `age, education_num`, each taken as it is; `all` when the line starts with `*`.
struct TakenColumns {
  std::optional<AllColumns> all;
  std::vector<Name> columns;
};
/// `each float as "{name}_z" = standardize(it)`.
struct EachColumn {
  TypeRef type;
  Text as;
  ExprId value;
};
/// `publish online refresh 15min expire 1d`, `publish online live`.
struct Publish {
  Name where;
  bool live = false;
  ExprId refresh, expire;
};

struct FeatureEntry {
  Span span;
  std::string doc;
  std::optional<Text> because;
  std::variant<TakenColumns, Definition, EachColumn, Publish> kind;
};

struct Feature {
  Path of;
  std::optional<Path> at;
  std::vector<FeatureEntry> entries;
};

/// `random 70/15/15 stratified y seed 1`, `time 70/10/20 gap 30d`, `group by user 70/15/15`, `fold 5 time`, `rolling 8 every 7d horizon 28d`.
struct SplitForm {
  enum class Kind : std::uint8_t { random, time, group, fold, rolling } kind{};
  std::vector<ExprId> parts;     ///< of random, time, group: Int or Float, in order train/validation/test
  ExprId count;                  ///< of fold and rolling
  std::optional<Path> group_by;  ///< of group, and of `fold 5 group by c`
  bool by_time = false;          ///< `fold 5 time`
  std::optional<Path> stratified;
  std::vector<Path> by;  ///< the key that membership hashes
  ExprId seed, gap, every, horizon;
  Span span;
};

struct Split {
  Path of;
  SplitForm form;
};

// ---------------------------------------------------------------------------------------------------------------- train

/// `predict y`, `predict log(value) back exp`, `predict fraud = any(…) over next 90d`, `predict units quantiles (0.1, 0.9)`.
struct Predict {
  std::optional<Name> name;  ///< of a label that is computed here
  ExprId value;
  std::optional<Name> back;
  std::vector<ExprId> quantiles;
  std::optional<Path> rank_by;
};
struct RankBy {
  Path column;
};
/// `split holdout`, or written here; exactly one is there.
struct UseSplit {
  std::optional<Path> name;
  std::optional<SplitForm> form;
};
/// `depth: tune 3..8 log`, `trees: 400`, `by logistic`.
struct ModelParameter {
  Name name;
  ExprId value;  ///< the range when tuned
  bool tuned = false;
  bool log_scale = false;
  Span span;
};
/// `gbdt { … }`, `python("net.py:Net") { … }`, `stack(a, b) { by logistic }`.
struct Model {
  Path name;
  std::vector<Argument> arguments;
  std::vector<ModelParameter> parameters;
  Span span;
};
struct Objective {
  bool maximize = false;
  ExprId metric;
  Span span;
};
/// `tune maximize auc trials 12 strategy asha early_stop 20`.
struct Tune {
  Objective objective;
  ExprId trials;
  std::optional<Name> strategy;
  std::optional<Span> early_stop;
  ExprId early_stop_rounds;
};
struct EarlyStop {
  ExprId rounds;
};
struct Calibrate {
  Name method;
};
/// `decide when p >= 0.3`, `decide when p >= tune maximize f1`; exactly one of threshold and objective is there.
struct Decide {
  Name subject;
  BinaryOp op{};
  ExprId threshold;
  std::optional<Objective> objective;
};
/// `refit train+validation`.
struct Refit {
  std::vector<Name> parts;
};
/// `per region at_least 200 rows else global`.
struct Per {
  Path column;
  ExprId at_least;
  bool else_global = false;
};
struct Seed {
  ExprId value;
};
struct TrainWhere {
  ExprId condition;
};
/// `weights column` or `weights balanced`.
struct Weights {
  Path column;
};
/// `sample false 10% corrected`.
struct SampleClass {
  ExprId value, share;
  bool corrected = false;
};

struct TrainEntry {
  Span span;
  Span word;  ///< of `predict`, `split` …
  std::string doc;
  std::optional<Text> because;
  std::variant<Predict, RankBy, UseSplit, Model, Tune, EarlyStop, Calibrate, Decide, Refit, Per, Seed, TrainWhere,
               Weights, SampleClass>
      kind;
};

struct Train {
  std::vector<Path> of;  ///< `card_view + merchant_view`
  std::vector<TrainEntry> entries;
};

// ---------------------------------------------------------------------------------------------------------------- evaluate

/// Each a Ref, Call, MetricAt or MetricBy.
struct Metrics {
  std::vector<ExprId> metrics;
};
struct SliceItem {
  std::vector<Path> columns;
  Span span;
};  ///< `a * b`
/// `slice by a, b, a * b at_least 100 rows`.
struct Slice {
  std::vector<SliceItem> items;
  ExprId at_least;
  std::optional<Name> unit;  ///< rows, positives
};
struct Explain {
  ExprId top;
};
struct Resample {
  Path by;
};
/// `require auc >= 0.9 with 95%`, `require auc beats production by -0.005 with 95%`.
struct Gate {
  ExprId condition;  ///< a comparison; for `beats` the metric alone
  bool beats_production = false;
  ExprId margin;      ///< of `beats production by`
  ExprId confidence;  ///< of `with`
  Span text;          ///< from the metric to the end, as reports show it
};

struct EvaluateEntry {
  Span span;
  Span word;
  std::string doc;
  std::optional<Text> because;
  std::variant<Metrics, Slice, Explain, Resample, Gate> kind;
};

struct Evaluate {
  Path model;
  std::vector<EvaluateEntry> entries;
};

// ---------------------------------------------------------------------------------------------------------------- deploy, monitor, schedule

/// `stage production requires approval from "risk" per code valid 180d, final`.
struct StageOf {
  Name stage;
  std::optional<Span> approval;
  std::optional<Text> approval_from;
  std::optional<Name> approval_per;
  ExprId approval_valid;
  std::optional<Span> final;
};
/// `port 8080`.
struct Option {
  Name name;
  ExprId value;
};
struct Serve {
  std::vector<Option> options;
};
/// `canary 10% for 1h at_least 1_000 requests require errors < 1%`.
struct Canary {
  ExprId share, duration, at_least, require;
};
/// `batch customers into parquet("scores.parquet") key customer_id`.
struct BatchInto {
  Path table;
  ExprId sink;
  std::vector<Path> key;
};

struct DeployEntry {
  Span span;
  Span word;
  std::string doc;
  std::optional<Text> because;
  std::variant<StageOf, Serve, Canary, BatchInto> kind;
};

struct Deploy {
  Path of;
  std::vector<DeployEntry> entries;
};

enum class ActionKind : std::uint8_t { alert, retrain, rollback, stop };
struct Action {
  ActionKind kind{};
  ExprId cooldown;
  Span span;
};

/// `every 1h over last 7d at_least 500 rows`; parts that are not written are none.
struct Rhythm {
  ExprId every, over_last, at_least;
};
/// `drift psi < 0.2 on features against same 30d 1y ago -> alert`.
struct DriftCheck {
  ExprId condition;
  std::vector<Path> on;  ///< `features`, `prediction`, or columns
  ExprId same, ago;      ///< of `against same 30d 1y ago`
  std::vector<Action> actions;
};
struct QualityCheck {
  ExprId condition;
  std::vector<Action> actions;
};
/// `performance auc >= 0.88 labels csv("labels.csv") key request_id within 30d absent means false -> retrain cooldown 7d`.
struct PerformanceCheck {
  ExprId condition;
  ExprId labels;  ///< a Call (source) or a Ref (table, table.column)
  std::vector<Path> key;
  ExprId within;
  ExprId absent_means;
  std::vector<Action> actions;
};
/// `alert webhook(hook_url), file("alerts.jsonl")`: where alerts go.
struct AlertTo {
  std::vector<ExprId> targets;
};

struct MonitorEntry {
  Span span;
  Span word;
  Span text;  ///< of a check, from after its word to before `->`
  std::string doc;
  std::optional<Text> because;
  std::variant<Rhythm, DriftCheck, QualityCheck, PerformanceCheck, AlertTo> kind;
};

struct Monitor {
  Path deployment;
  std::vector<MonitorEntry> entries;
};

/// `retrain planner`, `batch plan`, `materialize view`.
struct Job {
  Name verb;
  Path target;
  Span span;
};

/// `schedule monday 04:00 "Europe/Berlin" after sales fresh 6h { … }`.
struct Schedule {
  std::vector<Name> days;  ///< monday …, daily; empty with `every`
  ExprId every;
  std::optional<std::int32_t> minute_of_day;  ///< 04:00 is 240
  std::optional<Text> zone;
  std::optional<Path> after;
  ExprId fresh;
  std::vector<Job> jobs;
};

// ---------------------------------------------------------------------------------------------------------------- the rest

/// `explore people { by earns_over_50k }`.
struct Explore {
  Path of;
  std::vector<Path> by;
};

/// `given { hours_per_week: 46 }`; `of` names another table where there are several.
struct Given {
  std::optional<Path> of;
  std::vector<Argument> values;
  Span span;
};

/// `test "overtime starts above 45 hours" of profile { given { … }; expect … }`. The title is Declaration::name.
struct Test {
  Path of;
  std::vector<Given> given;
  std::vector<ExprId> expect;
};

struct Param {
  std::optional<TypeRef> type;  ///< none only inside `env`
  ExprId range;
  ExprId fallback;
};

/// `secret hook_url = env("ALERT_WEBHOOK")`.
struct Secret {
  ExprId value;
};

struct EnvEntry {
  Name name;
  Span span;
  std::string doc;
  std::variant<Data, Param> kind;
};
/// `env prod { data txns from …; param seed = 3 }`.
struct Env {
  std::vector<EnvEntry> entries;
};

/// `import "shared/customers.mlp" as shared`. The alias is Declaration::name.
struct Import {
  Text path;
};

/// A declaration whose syntax was reported; `word` says what it would have been ("train").
struct BrokenDeclaration {
  std::string word;
};

struct Declaration {
  Name
      name;  ///< of `test` its title; of `evaluate`, `monitor`, `explore` the subject; of `schedule` its word; a broken one may have none
  Span span;
  Span word;  ///< of `data`, `train` …
  std::string doc;
  std::optional<Text> because;
  bool incomplete = false;  ///< an entry was reported and left out: what is absent may have been written
  std::variant<BrokenDeclaration, Import, Param, Secret, Env, Callable, Data, Feature, Split, Train, Evaluate, Deploy,
               Monitor, Schedule, Explore, Test>
      kind;
};

struct File {
  std::uint32_t file = 0;  ///< of the SourceMap
  std::optional<Name> workflow;
  std::string doc;
  std::vector<Expr> exprs;  ///< operands stand before what uses them
  std::vector<Declaration> declarations;

  const Expr& expr(ExprId id) const { return exprs[id.index()]; }
};

/// The declarations of one kind, in order.
template <class Kind>
std::vector<const Declaration*> all_of(const File& file) {
  std::vector<const Declaration*> found;
  for (const Declaration& declaration : file.declarations)
    if (std::holds_alternative<Kind>(declaration.kind)) found.push_back(&declaration);
  return found;
}

}  // namespace mlp::ast
