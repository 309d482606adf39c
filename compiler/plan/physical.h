#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/expr/expr.h"
#include "compiler/support/digest.h"
#include "compiler/support/id.h"
#include "compiler/types/schema.h"
#include "compiler/types/tags.h"
#include "compiler/types/type.h"

/// The instruction set between compiler and runtime: steps over fragments, with their keys. Versioned and serialisable; a
/// program that links the runtime alone can load and run it.
///
/// A step has one output: for every fragment of its table one object (`per_fragment`), or one object for all. Fragments stay
/// symbolic here; the runtime finds them by the HashSource step of the table.
namespace mlp::plan {

using StepId = Id<struct StepTag>;
using TableIndex = std::uint32_t;  ///< into Physical::tables
using Options = std::vector<std::pair<std::string, Value>>;

// ---- what a step does; the doc of each tells its inputs in order --------------------------------------------------------

/// Reads one column of a source file with its part of the contract. Inputs: HashSource. Per fragment: a Column. The ReadColumn
/// steps of one table are done in one scan.
struct ReadColumn {
  std::string source_name;
  Type type;
  std::string format;
  std::vector<std::string> bool_values;
  std::vector<std::string> allowed;
  std::string matches;
  std::optional<Interval> range;
};

/// Finds the files of the table, hashes what changed, cuts fragments. No inputs, but of a table that a function makes of another: columns
/// of that. One output: the fragment list.
struct HashSource {
  std::vector<std::string> takes;    ///< what the function calls its columns
  std::vector<ReadColumn> contract;  ///< not empty (Table::reject): rows that break it are left out
};

/// Evaluates a row-wise expression. Inputs: those of the expression, in order (Columns of one table). Per fragment: a Column.
/// `generate`: the table is synthetic and the expression may have no inputs.
struct Kernel {
  expr::Expr code;  ///< InputColumn::column is the position among the step's inputs
  bool generate = false;
  bool carried = false;  ///< a column of a pipeline: computed where it is read
};

/// Checks expectations of a table. Inputs: the columns used; where none is, one column, for its number of rows. One output: a JSON report; failing ones end the run (E0802).
struct Expect {
  enum class Statistic : std::uint8_t { rows, missing_share, distinct, is_unique };
  struct Item {
    std::string text;
    Span span;
    bool warn = false;
    bool for_all_rows = false;
    expr::Expr condition;  ///< inputs: positions among the step's inputs (for all rows), or indices into `statistics`
    std::vector<std::pair<Statistic, std::uint32_t>> statistics;  ///< and the position of the column among the step's inputs
  };
  std::vector<Item> items;
};

/// Which rows of a table a table has that is made of it by `where` or `sample`. Inputs: the condition; with `share` what makes the rows of
/// `of`, if it is a step. Per fragment (both tables are cut alike): a bool Column, whether a row stays.
struct Filter {
  std::optional<double> share;  ///< of a sample: rows are chosen by ordinal and seed
  std::int64_t seed = 0;
  TableIndex of = 0;
};

/// Which rows of others a table has: int Columns, the sides; missing where no row belongs there. What looks at all rows (is_whole) has one
/// output; a row number counts through the fragments of the other table. What does not is made per fragment of `of[0]` (of a union: of all
/// tables, one after the other) and cut alike; there `row` is the position in that fragment.
///   sort       inputs: columns by `descending`                       sides: row
///   limit      inputs: what makes the rows of `of`, if it is a step  sides: row
///   dedupe     inputs: `keys` keys, then at most one column          sides: row (the first of `descending`, else the first in the table)
///   group      inputs: `keys` keys                                   sides: a row of each group
///   join       inputs: `keys` values, then as many of the other; the values that `compared` compares, then those of the other; where
///              nothing is compared: as limit, of both tables           sides: row, row of the other
///   join_if    inputs: the join of the third table, whose rows are pairs, and a condition in its rows   sides: as join, of the pairs where it is true
///   asof_join  as join, then the two times                           sides: row, row of the other (the latest that is not later)
///   union_     inputs: as limit, of each of the tables               no sides
///   unpivot    inputs: as limit                                      sides: row, number of the column
///   cross      inputs: as limit                                      sides: row, the number
///   fill       inputs: `keys` keys, then the time                    sides: row or missing, a row of the same key, the time
///   sample     inputs: `keys` columns that tell the rows apart       sides: row (a `share` of them, chosen by these values)
///   windows    inputs: a CutByTime of `first` windows                sides: row, number of a window that holds it out; window by window
struct Arrange {
  enum class How : std::uint8_t { sort, limit, dedupe, group, join, asof_join, union_, unpivot, cross, fill, join_if, sample, windows };
  How how = How::sort;
  std::uint32_t keys = 0;
  std::vector<std::uint8_t> descending;  ///< of each column that orders
  enum class Is : std::uint8_t { less, at_most, more, at_least };
  std::vector<Is> compared;              ///< join: what has to hold of the row's value and the other's
  bool left = false, one = false;        ///< join; sample: `one`: of rows with equal values each is chosen for itself
  std::int64_t first = 0, last = 0;      ///< limit: rows; unpivot: columns; cross: both numbers; windows: how many
  std::int64_t every = 0, ahead = 0;     ///< fill, in the unit of the time (microseconds or days); windows: between two, and the length of one
  double share = 0;                      ///< sample
  bool in_pieces = false;                ///< join_if: the pairs are made per fragment
  std::vector<TableIndex> of;            ///< whose rows: one, or those of a join or union in order

  bool is_whole() const {
    switch (how) {
      case How::sort:
      case How::dedupe:
      case How::group:
      case How::fill:
      case How::sample:
      case How::windows: return true;
      case How::join: return keys == 0 || !compared.empty();
      case How::join_if: return !in_pieces;
      case How::limit:
      case How::asof_join:
      case How::union_:
      case How::unpivot:
      case How::cross: return false;
    }
    return true;
  }
};

/// The value of a column of another table in the rows of this one. Inputs: Filter or Arrange, then the column (of a union and an
/// unpivot: one for each table or column). Per fragment: a Column.
struct Take {
  std::uint32_t side = 0;       ///< of the Arrange that holds the row
  std::optional<std::uint32_t> which;  ///< of an unpivot or windows: the side that holds which column
  bool itself = false;          ///< the side's number is the value: of the words of `type` where that is a category
  std::optional<Value> absent;  ///< where there is no row; else missing
  Type type;
};

/// The rows of a table by the columns of a partition and the order in it. Inputs: `keys` columns, then those of the order. One output:
/// packed int Columns: the rows, where each partition ends among them, and 1 for a row that is equal in the order to the one before.
struct OrderRows {
  std::uint32_t keys = 0;
  std::vector<std::uint8_t> descending;
};

/// An aggregate of the library. Inputs: Arrange of a `group`, or OrderRows; then the columns of the arguments, then the condition if
/// `where`. Per fragment: a Column: of the grouped table, or with OrderRows of the rows of the partition.
struct Aggregate {
  std::string native;
  Options options;        ///< constant arguments, by name
  std::uint32_t columns = 0;
  bool where = false;
  Type type;
};

/// Which rows of a history may belong to the windows of each row. Inputs: `keys` columns, the row's time; of the history: as many keys, the
/// time of a row, then further times before which it is not known. Without times (`known_after` is empty) all rows are known always. One output: packed int Columns: the rows of the history by key
/// and the time from which they are known, that time; the rows by key and time, and where the history of each one's key begins and ends.
struct MatchHistory {
  std::uint32_t keys = 0;
  std::vector<std::int64_t> known_after;  ///< microseconds after each of the history's times
};

/// An aggregate over the rows of a history in a window: known in [t - ending - over, t - ending), or with `next` of times in (t, t + over].
/// Inputs: MatchHistory, the time t where the history has times, then the columns of the arguments, then the condition if `where`. Per
/// fragment: a Column.
struct History {
  Aggregate aggregate;
  std::int64_t over_us = 0;    ///< 0: all that is known at t - ending
  std::int64_t ending_us = 0;  ///< `next`: how long after the window all of it is known
  bool next = false;
  std::optional<std::int64_t> as_of_us;  ///< `next`: `--as-of`; a later end of the window leaves the value missing
  bool asks_as_of = false;     ///< `next`: else the last input tells it, an AsOf
};

/// Rows that a scorer looks up, by key and the time from which they are known: a history, or the other table of a join. Inputs: `keys` columns, as
/// MatchHistory the times, the values if `values`, the condition if `where` (other rows are left out). One output: packed Columns, keys first.
struct KeepHistory {
  std::uint32_t keys = 0;
  std::vector<std::int64_t> known_after;
  bool values = false, where = false;
};

/// The newest time of some columns. Inputs: columns of times, of any tables. One output: an int Column of one row, microseconds.
struct AsOf {};

/// Deals every row a part (0 train, 1 validation, 2 test) or a fold. Inputs: the stratification column if any, then the columns
/// that are hashed; there may be none: then only the number of rows matters. Per fragment: an int Column. Missing: the row takes no part (its label is missing).
struct AssignSplit {
  std::vector<int> percent;
  int folds = 0;
  bool stratified = false;
  std::uint32_t keys = 0;  ///< number of hashed columns; 0: dealt from decks in the order of the rows
  std::int64_t seed = 0;
  bool chosen = false;     ///< the last input is a condition: rows where it is not true take no part
};

/// Gives every row a part by its time. Inputs: the time, further times before which the label is not known, then the label if `label`,
/// the condition if `chosen`, and perhaps an AsOf: rows whose label is not known by then take no part. Per fragment: an int Column. A row is trained on where its label was known at the cut; what is
/// then neither before nor behind a cut is left out: part 3 before validation, 4 before the test. Rows without time or label, or where the condition is not true, take no part (missing).
struct CutByTime {
  std::vector<int> percent;     ///< 0 train, 1 validation, 2 test: shares of the rows that are not left out
  int folds = 0;                ///< else stretches of time with equally many rows
  int windows = 0;              ///< else a rolling origin: numbers as Rows::known says
  std::int64_t every_us = 0, horizon_us = 0;
  std::vector<std::int64_t> known_after;  ///< microseconds after each of the times
  bool label = false, chosen = false;
  std::optional<std::int64_t> until_us;   ///< `--as-of`: later rows take no part
};

/// Which rows something is fitted on or asked about, by the value of the split's column.
struct Rows {
  std::vector<int> parts;  ///< the parts (or folds) meant
  /// Of a rolling split: a row's number is kSegments * (segment of its time) + segment in which its label comes to be known. The origins and the ends
  /// of their horizons bound the segments (see window_segments). `parts` are segments of the time, and the label is known in this segment or before.
  std::optional<int> known = {};
  static constexpr int kSegments = 1024;
};

/// Where the windows of a rolling split lie, in microseconds after the first origin: all begins and ends, in order.
std::vector<std::int64_t> window_bounds(int windows, std::int64_t every_us, std::int64_t horizon_us);
/// The segments of the time, from `first` to `last`, that a window (from 0) holds out. Where windows overlap, they share some.
struct WindowSegments {
  int first = 0, last = 0;
};
WindowSegments window_segments(int window, int windows, std::int64_t every_us, std::int64_t horizon_us);

/// State of a fitted transform over one fragment. Inputs: split, the arguments, then the label if `label`, then the fold column
/// of the cross-fit if `folds` > 0. Per fragment: the partial states (one a fold, or one).
struct PartialFit {
  std::string native;
  Options options;
  bool label = false;
  int folds = 0;
  Rows rows;
};

/// Merges and finishes. Inputs: PartialFit. One output: the fitted state on all rows, then those without each fold.
struct MergeFit {
  std::string native;
  Options options;
  int folds = 0;
};

/// Applies a fitted transform. Inputs: MergeFit, the arguments, and with `folds` > 0: split, fold column. Training rows get the
/// state fitted without their fold, all others the state of all training rows. Per fragment: a Column.
struct ApplyFit {
  std::string native;
  Options options;
  int folds = 0;
  Rows rows;
  Type type;
};

/// Folds of the cross-fit inside the training rows, by hashed key or decks like AssignSplit. Inputs: split, then hashed columns.
struct AssignFolds {
  int folds = 5;
  std::uint32_t keys = 0;
  Rows rows;
};

/// Distinct values and counts of one matrix column. Inputs: split, column. Per fragment: a partial sketch.
struct PartialBins { Rows rows; };
/// Inputs: PartialBins. One output: the cuts (or the domain of a category).
struct MergeBins {};
/// Inputs: MergeBins, column. Per fragment: uint8 bins.
struct Bin {};

/// Trains a model. Inputs: split, label, weight if `weighted`, then the matrix columns in the order of their value keys (bins
/// if `binned`). One output: the model.
struct Train {
  std::string native;
  Options options;
  bool binned = false;
  bool weighted = false;
  bool binary = true;
  std::int64_t seed = 0;
  Rows rows;
};

/// Inputs: split, then for each of `models` (Rows it answers for): the model and its matrix columns (`columns` of them, the same
/// order as in training). Per fragment: a float Column: probability or value, missing for rows of no listed part.
struct Predict {
  std::string native;
  bool binned = false;
  bool binary = true;
  std::uint32_t columns = 0;
  std::vector<Rows> models;
};

/// Figures with intervals. Inputs: split, label, weight if `weighted`, predictions of each model compared (the evaluated one first), then the
/// columns sliced or grouped by, then the columns whose equal values are resampled as one. One output: JSON figures, in the order of
/// `measures`, no names in it.
struct Metrics {
  struct Measure {
    std::string native;
    Options options;
    enum class Over : std::uint8_t { all, min, max, gap, slice } over = Over::all;
    std::uint32_t model = 0;                 ///< position among the predictions
    bool constant = false;
    std::vector<std::uint32_t> by;           ///< positions among the grouping columns
    std::uint64_t at_least_rows = 0;         ///< a slice below: reported as too small; a gate on it inconclusive
    std::uint64_t at_least_positives = 0;
    std::optional<std::uint32_t> minus;      ///< index of another measure: the paired difference to it is what is asked
    double minus_scale = 1;                  ///< this - minus_scale * other
    bool higher_is_better = true;
    bool operator==(const Measure&) const = default;
  };
  std::vector<Measure> measures;
  bool binary = true;
  bool weighted = false;
  std::uint32_t models = 1;
  std::uint32_t groups = 0;       ///< number of grouping columns
  std::uint32_t resample = 0;     ///< number of columns of `resample by`; 0: single rows are resampled
  bool champion = false;          ///< the last of the predictions is of PredictChampion; it may have none
  Rows rows;                      ///< whose figures
  std::string on;                 ///< "validation", "test", "folds"
};

/// Decides the gates. Inputs: Metrics, then Champion where an item beats production. One output: JSON statuses in order.
struct Gates {
  struct Item {
    std::string text;
    Span span;
    std::uint32_t measure = 0;                    ///< the left side
    double left_scale = 1, left_offset = 0;
    std::optional<std::uint32_t> right_measure;
    double right_scale = 1, right_offset = 0;
    /// Measure with the paired difference d = left - (right_scale / left_scale) * right; decides `with 95%` of two measures:
    /// left_scale * d `comparison` right_offset - left_offset.
    std::optional<std::uint32_t> difference;
    std::string comparison;
    double confidence = 0;
    bool beats_production = false;  ///< the right side is measured on the predictions of the champion
  };
  std::vector<Item> items;
};

/// Which version the candidate has to beat: the newest that stands in the stage and is not the candidate itself. Inputs: BuildScorer
/// of the candidate. One output: JSON, the version found, or why there is none that can be compared. What stands in the stage is
/// part of its action key; the candidate is not, once that is known.
struct Champion {
  std::string model;   ///< of the workflow
  std::string stage;
  Digest split;        ///< recipe of the split of the rows that are compared
  Rows rows;           ///< those rows: the champion must not have been fitted on them
};

/// What the champion predicts. Inputs: split, Champion, then columns of the table that its request may ask for (others are read
/// from the table's files). Per fragment: a float Column, missing for other rows and where it has no prediction.
struct PredictChampion {
  Rows rows;
};

/// Puts the scorer together. Inputs: the model, then the fitted states (MergeFit, MergeBins) that `scorer_template` names by
/// position. One output: plan::Scorer as JSON. Shows names, therefore a rename makes it run, and computes no value.
struct BuildScorer {
  std::string scorer_template;  ///< JSON of plan::Scorer with input positions in the place of digests
};

/// Effect: registers the candidate with its proof in the catalog. Inputs: BuildScorer, then Gates and Metrics where there is an
/// evaluation. No output; done once for equal inputs.
struct Register {
  std::string model;
  bool evaluated = false;
  double share = 1;  ///< of the rows that it was made from (`--sample`); with less than all it is never proven
};

using StepCode = std::variant<HashSource, ReadColumn, Kernel, Expect, AssignSplit, PartialFit, MergeFit, ApplyFit, AssignFolds, PartialBins,
                              MergeBins, Bin, Train, Predict, Metrics, Gates, BuildScorer, Register, Champion, PredictChampion, Filter, Arrange, Take, OrderRows,
                              Aggregate, MatchHistory, History, KeepHistory, AsOf, CutByTime>;

/// The type of the column that a step makes; nullptr where it makes none, or one whose type the step does not say.
const Type* column_type(const StepCode& code);
/// "read", "kernel", "train" …: the stable word of docs/json.md.
std::string_view kind_name(const StepCode& code);

struct Step {
  std::string name;  ///< "profile.log_gain", unique in the plan; for people, in no key
  StepCode code;
  TableIndex table = 0;
  bool per_fragment = false;
  std::vector<StepId> inputs;
  Span span;
  std::string file;        ///< of the span, for messages of a plan loaded without its source
  std::uint32_t line = 0;
  std::string text;        ///< the code as a person reads it, for `why`: "log1p(capital_gain)"
  Digest code_key;         ///< what this step does, without its inputs and without names
  Digest recipe_key;       ///< code_key with the recipe keys of the inputs, down to the declared sources (not their contents)
  bool shows_names = false;  ///< no value: runs after a rename, and `plan` says so
};

/// Where rows are written that the HashSource step of a table leaves out. In no key.
struct Reject {
  double share = 0;  ///< of all rows; more are a failure
  std::string into;  ///< absolute or relative to the folder of the workflow; .csv or .parquet
};

struct Table {
  std::string name;
  bool synthetic = false;
  bool made = false;        ///< its rows come from a Filter or Arrange step
  std::string source;       ///< native symbol
  Options options;
  std::string path;         ///< absolute or relative to the folder of the workflow; glob; of a source that has none: what a person calls it
  std::uint64_t rows = 0;   ///< synthetic
  Span span;
  std::string lock;         ///< path of the mlp.lock that says which columns the files have beside those declared; empty: any may be there
  Schema locked;            ///< the columns that it has
  std::vector<std::string> declared;  ///< with a lock: the names in the source of the columns that the workflow declares
  std::string version_by;   ///< column of the source that rises with every change of it; empty: none is known
  std::vector<std::string> columns, key;  ///< that are read, and those of them that are the key, by their names in the source
  std::optional<Reject> reject;
};

struct Param { std::string name, value, from; };

/// Where a model, a column or an endpoint comes from, for lineage: edges between qualified names ("people.age", "earner").
struct Edge {
  std::string from, to;
  std::string from_kind, to_kind;  ///< "column", "table", "view", "model", "evaluation", "deployment", "monitor", "source", "sink"
  std::string how = {};            ///< "key", "declassified key" of the columns that go into a sink as they are; else empty
};

/// A trained model of the plan, for reports.
struct Model {
  std::string name;
  StepId train;                    ///< of what is registered
  std::optional<StepId> metrics, gates;
  StepId scorer, registration;
  std::vector<std::string> measure_names;  ///< for each measure of the metrics step: "auc", "auc[sex=Male]" is made by the runtime
  std::vector<std::string> group_names;    ///< of the grouping columns, in order
  std::vector<std::string> feature_names;  ///< in the order of the train step's matrix inputs
};

/// A form of a block that is checked and cannot be carried out yet.
struct NotYet { std::string what; Span span; };

/// A deploy block: what `mlpc deploy` needs to know. In no key: what a deployment says changes no result.
struct Deployment {
  std::string name, model, stage;
  bool needs_approval = false;
  std::string approval_from;           ///< the role; empty: anybody who may approve
  bool approval_per_code = false;      ///< of the code, whatever data it is trained on; otherwise of one version
  std::int64_t approval_valid_us = 0;  ///< 0: for ever
  bool needs_final = false;            ///< proven on the test rows
  bool serves = false;
  std::int64_t port = 0;               ///< 0: not written
  std::int64_t max_latency_us = 0;     ///< 0: not written
  std::vector<NotYet> not_yet;         ///< `mlpc deploy` stops with E0601
  Span span;
};

/// A monitor block: what `mlpc monitor` needs to know. In no key.
struct DriftCheck {
  std::string text;                  ///< as written: "psi < 0.2 on features"
  Span span;
  std::string native, comparison;
  double bound = 0;
  bool features = false, prediction = false;
  std::vector<std::string> columns;  ///< features, by name
  bool alerts = false;
};
struct QualityCheck {
  std::string text;
  Span span;
  expr::Expr condition;              ///< inputs: indices into `statistics`
  std::vector<std::pair<Expect::Statistic, std::string>> statistics;  ///< and the column of the table; none for the rows
  bool alerts = false;
};
struct AlertTarget {
  enum class Kind : std::uint8_t { file, command, webhook } kind = Kind::file;
  enum class Secret : std::uint8_t { none, env, file } secret = Secret::none;
  std::string value;                 ///< the target, or the variable or file that has it: never the secret
  Span span;
};
struct Monitor {
  std::string deployment;
  std::string table;                 ///< whose rows the deployment is asked about
  std::int64_t every_us = 0;         ///< 0: not written
  std::int64_t window_us = 0;        ///< 0: all requests that the version answered
  std::uint64_t at_least_rows = 0;   ///< fewer are inconclusive
  std::vector<DriftCheck> drift;
  std::vector<QualityCheck> quality;
  std::vector<AlertTarget> alerts;
  std::vector<NotYet> not_yet;       ///< `mlpc monitor` stops with E0601
};

struct Physical {
  static constexpr int kFormatVersion = 8;
  std::string workflow;
  std::string folder;                  ///< of the workflow file; paths are relative to it
  std::vector<Table> tables;
  std::vector<Step> steps;             ///< topologically ordered
  std::vector<Model> models;
  std::vector<Deployment> deployments;
  std::vector<Monitor> monitors;
  std::vector<Param> params;
  std::vector<Edge> lineage;
  bool final_rows = false;             ///< `--final`: the test rows are opened
  double share = 1;                    ///< `--sample`: of the rows that are trained on and shown

  const Step& operator[](StepId id) const { return steps[id.index()]; }
};

/// Whether a step of this kind has an output for every fragment, or one.
bool made_per_fragment(const StepCode& code);
/// What does not hold of a plan that has to: order, arity of inputs, tables. Empty when all does.
std::vector<std::string> verify(const Physical& plan);
std::string dump(const Physical& plan);
/// Versioned JSON, and back; a wrong byte is a failure (E0909), never a crash.
std::string encode(const Physical& plan);
Result<Physical> decode_physical(std::string_view json);

/// Fills code_key and recipe_key of every step.
void fill_keys(Physical& plan);

}  // namespace mlp::plan
