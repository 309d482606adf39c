#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/expr/expr.h"
#include "compiler/support/id.h"
#include "compiler/support/span.h"
#include "compiler/types/signature.h"
#include "compiler/types/tags.h"
#include "compiler/types/type.h"

/// The workflow after resolve and check: every name an id, every expression typed, params replaced by their values, user
/// functions inlined, declarations in an order in which each needs only earlier ones.
namespace mlp::hir {

using ColumnId = Id<struct ColumnTag>;
using TableId = Id<struct TableTag>;
using ViewId = Id<struct ViewTag>;
using SplitId = Id<struct SplitTag>;
using TrainId = Id<struct TrainTag>;
using Options = std::vector<std::pair<std::string, Value>>;  ///< complete: defaults filled in, in the signature's order

/// Read from the source as it stands, with its part of the contract.
struct SourceColumn {
  std::string source_name;               ///< header name in the file
  std::string format;                    ///< `format "%d-%m-%Y"`
  std::vector<std::string> bool_values;  ///< `values ("Yes", "No")`: true, false
  std::vector<std::string> allowed;      ///< `in ("a", "b")` and closed domains
  std::string matches;
  bool ranged = false;                   ///< Column::range is a declared constraint, to be checked in the scan
  bool unique = false;
  std::vector<ColumnId> of;              ///< of an `sql` stage: the columns of the table before it that the values may come from
  bool locked = false;                   ///< taken by `rest from lock`, with the type that mlp.lock says
};

/// Many rows of a table as one value. Inputs of `arguments` and `where` are columns of `of`.
struct Aggregate {
  enum class Over : std::uint8_t { history, group, window } over = Over::history;
  std::string name;                  ///< in the library
  std::string native;                ///< symbol
  TableId of;                        ///< whose rows; in a `group` or `window` stage the table itself
  std::vector<expr::Expr> arguments;
  std::vector<std::string> parameters;  ///< of each argument that is a constant its name; of the column ""
  std::optional<expr::Expr> where;
  std::vector<std::pair<ColumnId, ColumnId>> by;  ///< equal columns: of `of`, of the row that asks; `window`: the partition
  std::vector<std::pair<ColumnId, bool>> order;   ///< `window`: the order in a partition; true: descending
  std::int64_t over_us = 0;          ///< length of the window; 0: none
  std::int64_t ending_us = 0;        ///< how long before the row's time the window ends
  bool next = false;                 ///< the window begins at the row's time
};

/// The stage that makes the rows of the table gives the value: the time of a filled row, the number of a `cross`, the name of an
/// unpivoted column (a value of the type's domain).
struct FromStage {};

/// A column of a table or a view. Inputs of `code` are ColumnIds of the same table, or (in a view) of its table or the view. In a table
/// that a stage makes of others, a code whose inputs are columns of those has their value in the rows that the stage takes: one Input;
/// of a `union` and an `unpivot` one input each in the order of the tables or columns, and the nodes only say the type.
struct Column {
  std::string name;
  Type type;
  Interval range;
  Tags tags;
  Phase phase = Phase::row;
  Span span;
  std::string doc;
  std::variant<SourceColumn, expr::Expr, Aggregate, FromStage> made_by;
  std::optional<TableId> table;  ///< the owner is a table …
  std::optional<ViewId> view;    ///< … or a view
  const expr::Expr* code() const { return std::get_if<expr::Expr>(&made_by); }
  const Aggregate* aggregate() const { return std::get_if<Aggregate>(&made_by); }
};

/// A number about a whole table: the inputs of an expectation.
struct Statistic {
  enum class Kind : std::uint8_t { rows, missing_share, distinct, is_unique } kind = Kind::rows;
  std::optional<ColumnId> column;
};

struct Expectation {
  std::string text;  ///< as written, for messages
  Span span;
  bool warn = false;          ///< `else warn`
  bool for_all_rows = false;  ///< then the inputs of `condition` are ColumnIds, else indices into `statistics`
  expr::Expr condition;
  std::vector<Statistic> statistics;
};

/// The entry that `rest from lock` takes its columns from.
struct LockPlace {
  std::string path;         ///< of the mlp.lock
  std::string file, table;  ///< which entry: the name of the file that declares the table, and the table's there
};

/// The stage of a pipeline that makes the rows of a table of those of others.
struct Stage {
  enum class Kind : std::uint8_t { same, filter, sample, sort, limit, dedupe, group, join, asof_join, union_, unpivot, fill, cross, python, sql };
  Kind kind = Kind::same;              ///< `same`: the rows of `from` as they are, with further columns
  Span span;
  TableId from;
  std::vector<TableId> others;         ///< join, asof join: the one that is joined; union: those that follow
  std::optional<ColumnId> condition;   ///< filter: of `from`, named by nobody; rows are kept where it is true. join: of a table of pairs, which belong together where it is true
  std::vector<std::pair<expr::Expr, expr::Expr>> equal;  ///< join, asof join: over columns of `from`, of the other
  /// join: the value of a row and that of the other, and the operator that stands between them: "<", "<=", ">", ">=".
  struct Compared { expr::Expr ours, theirs; std::string is; };
  std::vector<Compared> compared;
  std::vector<ColumnId> keys;          ///< dedupe, group, fill, python and sql (all that are given to them): of `from`
  std::vector<std::pair<ColumnId, bool>> order;  ///< sort, and dedupe (the row kept is the first in it): of `from`; true: descending
  bool left = false, one = false;      ///< join
  std::optional<ColumnId> at, other_time;  ///< asof join: the times compared. fill: `at` is the time that is filled
  std::int64_t count = 0;              ///< limit: rows. cross: the first number. unpivot: columns
  std::int64_t last = 0;               ///< cross: the last number
  std::int64_t every_us = 0, ahead_us = 0;  ///< fill; ahead_us below 0: until the last row of all
  double share = 0;                    ///< sample
  bool by_identity = false;            ///< sample: rows are chosen by their key, or by what they hold where they have none; else by their place
  std::int64_t seed = 0;               ///< sample
  /// What it makes is read like a source: nothing is taken from the rows of `from` one by one.
  bool is_read() const { return kind == Kind::python || kind == Kind::sql; }
  std::vector<std::pair<ColumnId, Value>> filled;  ///< fill: columns of `from` and what they hold in a row that was missing
};

/// `reject up to SHARE into "FILE"`: rows that break the contract of a column are no rows of the table.
struct Reject {
  double share = 0;  ///< of all rows; more end the run
  std::string into;  ///< relative to the workflow's folder
  Span span;
};

struct Table {
  std::string name;
  Span span;
  std::string doc;
  std::optional<Stage> stage;  ///< its rows are made of other tables'; the source's fields are empty, but of `python` and `sql`, which are read like sources
  bool intermediate = false;   ///< of a pipeline, before its last stage: nobody wrote its name
  std::string source;      ///< native symbol of the source's signature
  bool synthetic = false;  ///< rows come from the columns' own expressions
  Options options;         ///< of the source
  std::string path;        ///< as written, relative to the workflow's folder; may be a glob; where nothing is a path: what else names the source; empty when synthetic
  Span path_span;
  std::string version_by;  ///< column of the source that rises with every change, by its name there; empty: not written
  std::uint64_t rows = 0;  ///< of a synthetic table
  std::int64_t seed = 0;   ///< of a synthetic table; already part of the streams of its random calls
  std::optional<LockPlace> lock;  ///< of a table with `rest from lock`
  std::optional<Reject> reject;
  std::vector<ColumnId> columns;
  std::vector<ColumnId> key;
  std::optional<ColumnId> time, label, weight;
  std::vector<Expectation> expectations;
};

struct View {
  std::string name;
  Span span;
  std::string doc;
  TableId table;
  std::optional<ColumnId> at;
  std::vector<ColumnId> columns;  ///< owned by the view, in the order of declaration; one taken as it is has a code of one Input
};

enum class SplitKind : std::uint8_t { random, fold, time, group, rolling };

struct Split {
  std::string name;  ///< empty: inline in a train
  Span span;
  TableId table;
  SplitKind kind = SplitKind::random;
  std::vector<int> percent;                  ///< random: train, validation, test; sums to 100
  int folds = 0;
  std::optional<ColumnId> stratified;
  std::int64_t gap_us = -1;                  ///< time and rolling: between the parts; below 0: not written
  std::int64_t every_us = 0, horizon_us = 0; ///< rolling
  bool by_time = false;                      ///< fold: stretches of time
  std::vector<ColumnId> by;                  ///< hashed; the table's key when none is written; empty: dealt from decks
  std::int64_t seed = 0;
};

enum class Task : std::uint8_t { binary, regression, classes };
enum class Refit : std::uint8_t { none, train_and_validation, all };

/// One column of what the model reads: a view column as it is, or prepared by the model's signature.
struct MatrixColumn {
  ColumnId from;
  expr::Expr code;  ///< over ColumnIds; may hold Fitted; an Input alone where nothing is prepared
};

struct Train {
  std::string name;
  Span span;
  std::string doc;
  ViewId view;
  ColumnId label;          ///< of the table
  std::optional<ColumnId> measured;  ///< `predict log(value) back exp`: `value`, which predictions are led back to; else the label itself
  Task task = Task::binary;
  SplitId split;
  std::string model;       ///< native symbol
  Options options;
  bool binned = false;     ///< the model reads bins of the matrix columns
  std::vector<MatrixColumn> matrix;
  std::optional<ColumnId> weight;
  std::int64_t label_window_us = 0;  ///< how far the label looks ahead; 0: it does not
  std::optional<expr::Expr> where;   ///< over columns of the view's table: the rows that are trained on and measured
  std::int64_t seed = 0;
  Refit refit = Refit::none;
};

struct Metric {
  std::string native;  ///< symbol
  std::string text;    ///< as written: "f1 at 0.5"
  Options options;
  bool higher_is_better = true;
};

/// A figure that a gate or a report asks for.
struct Measure {
  enum class Over : std::uint8_t { all, min, max, gap } over = Over::all;
  Metric metric;
  std::optional<TrainId> model;      ///< none and not constant: the evaluated model
  bool constant = false;             ///< of the best constant prediction
  std::optional<ColumnId> by;        ///< for min, max, gap
};

/// scale * measure + offset; without measure the offset alone.
struct GateSide {
  std::optional<Measure> measure;
  double scale = 1;
  double offset = 0;
};

struct Gate {
  std::string text;
  Span span;
  GateSide left, right;
  std::string comparison;      ///< ">=", ">", "<=", "<"; for `beats production`: ">="
  double confidence = 0;       ///< 0.95 for `with 95%`; 0: the value itself decides
  bool beats_production = false;  ///< then right.offset is the margin D
};

struct Slice {
  std::vector<ColumnId> columns;  ///< `a * b`: both at once
  std::uint64_t at_least_rows = 0;
  std::uint64_t at_least_positives = 0;
};

struct Evaluate {
  TrainId train;
  Span span;
  std::vector<Metric> metrics;
  std::vector<Slice> slices;
  std::vector<Gate> gates;
  std::vector<ColumnId> resample_by;
};

/// A declared form that this version checks but does not run: a command that would need it stops with E0601 before anything starts.
struct NotYet { std::string what; Span span; };

/// `requires approval from "risk" per code valid 180d`.
struct Approval {
  std::string from;             ///< the role that has to approve; empty: anybody who may approve
  bool per_code = false;        ///< approves the code, whatever data it is trained on; otherwise one version
  std::int64_t valid_us = 0;    ///< how long it stands; 0: for ever
};

/// `batch customers into parquet("scores.parquet") key customer_id`.
struct Batch {
  TableId table;
  std::string sink;             ///< native symbol
  Options options;              ///< of the sink; its path is relative to the workflow's folder
  std::vector<ColumnId> key;    ///< of the table: what tells the rows of the sink apart
  Span span;
};

/// A deploy block. What it has in `not_yet` stops `mlpc deploy` alone: a run makes candidates without it.
struct Deploy {
  std::string name;
  Span span;
  TrainId train;
  std::string stage;
  std::optional<Approval> approval;
  bool needs_final = false;     ///< `requires final`: proven on the test rows
  bool serves = false;
  std::int64_t port = 0;        ///< 0: not written
  std::int64_t max_latency_us = 0;
  std::vector<Batch> batches;
  std::vector<NotYet> not_yet;
};
/// `drift psi < 0.2 on features -> alert`.
struct DriftCheck {
  std::string text;
  Span span;
  std::string native;                ///< symbol of the distance
  std::string comparison;            ///< "<", "<=", ">", ">="
  double bound = 0;
  bool features = false, prediction = false;
  std::vector<std::string> columns;  ///< of the view, by name: the version that is watched may have been made of another file
  bool alerts = false;
};
/// `quality missing(occupation) < 15% -> alert`.
struct QualityCheck {
  std::string text;
  Span span;
  expr::Expr condition;              ///< inputs: indices into `statistics`
  std::vector<Statistic> statistics;
  bool alerts = false;
};
/// `alert file("alerts.jsonl")`.
struct AlertTarget {
  enum class Kind : std::uint8_t { file, command, webhook } kind = Kind::file;
  enum class Secret : std::uint8_t { none, env, file } secret = Secret::none;
  std::string value;                 ///< the target, or the variable or file that has it
  Span span;
};
/// A monitor block. What it has in `not_yet` stops `mlpc monitor` alone.
struct Monitor {
  std::string deployment;            ///< which is its name too
  std::optional<TableId> table;      ///< whose rows the deployment is asked about
  std::int64_t every_us = 0;         ///< 0: not written
  std::int64_t window_us = 0;        ///< 0: not written
  std::uint64_t at_least_rows = 0;
  std::vector<DriftCheck> drift;
  std::vector<QualityCheck> quality;
  std::vector<AlertTarget> alerts;
  std::vector<NotYet> not_yet;
};

struct Test {
  std::string name;
  Span span;
  ViewId view;
  std::vector<std::pair<ColumnId, Value>> given;  ///< columns of the view's table
  struct Expect { std::string text; Span span; expr::Expr condition; };  ///< inputs: ColumnIds of the view or its table
  std::vector<Expect> expect;
};

/// Rows that a command asks for.
struct Rows {
  std::string asked;                    ///< the name by which
  TableId table;
  std::optional<ViewId> view;           ///< of the table: its columns are asked for
  std::optional<expr::Expr> where;      ///< a known bool; inputs: columns of the view or the table
};

struct Param {
  std::string name;
  Type type;
  Value value;
  std::string from;  ///< "default", "--param", "MLP_PARAM_…", "env NAME"
  Span span;
};

struct Workflow {
  std::string name;
  std::vector<Param> params;
  std::vector<Column> columns;
  std::vector<Table> tables;
  std::vector<View> views;
  std::vector<Split> splits;  ///< equal table, form and seed are one split
  std::vector<Train> trains;
  std::vector<Evaluate> evaluates;
  std::vector<Deploy> deploys;
  std::vector<Monitor> monitors;
  std::vector<Test> tests;
  std::vector<NotYet> not_yet;
  std::vector<Rows> rows;

  const Column& operator[](ColumnId id) const { return columns[id.index()]; }
  const Table& operator[](TableId id) const { return tables[id.index()]; }
  const View& operator[](ViewId id) const { return views[id.index()]; }
  const Split& operator[](SplitId id) const { return splits[id.index()]; }
  const Train& operator[](TrainId id) const { return trains[id.index()]; }
  /// The column whose values predictions are compared with.
  ColumnId measured_of(const Train& train) const { return train.measured.value_or(train.label); }
};

/// "people.age": owner and column, for messages and step names.
std::string qualified_name(const Workflow& workflow, ColumnId column);
/// Text for `--emit hir`.
std::string dump(const Workflow& workflow);

}  // namespace mlp::hir
