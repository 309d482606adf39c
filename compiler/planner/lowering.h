#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/planner/planner.h"

/// What the lowering of the blocks has in common; internal to the planner.
namespace mlp::planner {

/// Where a step comes from, for people.
struct Place {
  std::string name;    ///< "profile.country"
  std::string suffix;  ///< tells instances apart: " [fold 1]"
  Span span;
  plan::TableIndex table = 0;
  bool carried = false;  ///< an expression of a pipeline
};

/// A column of a view depends on the rows that fitted things are fitted on and on the label that they may use: each train makes
/// its own instances, and equal ones are shared because their keys are equal.
struct Instance {
  plan::StepId split;
  std::vector<hir::ColumnId> hashed;  ///< keys of the split, by which cross-fit folds are dealt too
  plan::Rows rows;
  hir::ColumnId label;
  std::string suffix;
  std::map<hir::ColumnId, plan::StepId> columns;  ///< made so far, those that are fitted
};

/// A model trained on some rows, and what it reads.
struct FittedModel {
  plan::StepId model;
  std::vector<plan::StepId> matrix;  ///< in the order of training; bins where the model is binned
  std::vector<std::string> names;    ///< of the features, in the same order
  std::vector<plan::StepId> features;  ///< the columns of the view, in the same order
  std::vector<std::pair<std::string, plan::StepId>> request;  ///< the raw columns by their names in requests; filled by lower_scorer
  plan::Rows held_out;               ///< folds: the rows it answers for
};

struct LoweredTrain {
  plan::StepId split;
  std::vector<FittedModel> measured;  ///< one, or one a fold
  FittedModel registered;
  std::vector<FittedModel> held_out;  ///< the models that predict validation rows or folds, also where test rows are measured
  plan::Rows rows;                    ///< on which it is measured
  std::string on;                     ///< "validation", "test", "folds"
  bool overlap = false;               ///< a row may be held out by several of the models that are measured
};

struct Lowering {
  const hir::Workflow& workflow;
  const SourceMap& sources;
  const PlanOptions& options;
  plan::Physical plan;
  /// No step of a table is there twice. The inputs are part of it: sources that are declared alike have one recipe, and are two.
  std::map<std::tuple<Digest, plan::TableIndex, std::vector<plan::StepId>>, plan::StepId> made;
  std::set<std::string> names;
  std::vector<std::set<std::string>> aliases;                        ///< of each step: the names under which it was asked for
  std::vector<std::optional<plan::StepId>> row_columns;              ///< of each HIR column that is not fitted
  std::map<plan::StepId, hir::ColumnId> column_of;                   ///< a column that is this step; of several the first by name
  std::vector<std::optional<plan::StepId>> rows;                     ///< what makes the rows of each table of the plan: HashSource, Filter, Arrange
  std::map<hir::TrainId, LoweredTrain> trains;
  std::vector<std::optional<Digest>> shapes;                         ///< see order_columns.cpp
  std::map<plan::StepId, plan::TableIndex> windows = {};             ///< of a split whose windows overlap: the table with a row for each row and window
};

/// Adds the step, or finds the equal one. Fills place, keys and per_fragment; makes the name unique.
plan::StepId add_step(Lowering& l, const Place& place, plan::StepCode code, std::vector<plan::StepId> inputs, std::string text);

// pipeline.cpp
/// Without steps.
Lowering start_lowering(const hir::Workflow& workflow, const SourceMap& sources, const PlanOptions& options);
/// What the operator needs is lowered already.
void lower_operator(Lowering& l, const plan::Operator& op);

std::string column_name(const hir::Workflow& workflow, hir::ColumnId column);  ///< "people.age"
/// Whether its value depends on a fitted state.
bool is_fitted(const hir::Workflow& workflow, hir::ColumnId column);
hir::TableId table_of(const hir::Workflow& workflow, hir::ColumnId column);
/// The table of the plan that has these rows: a stage that only adds columns has those of its input.
plan::TableIndex table_index(const hir::Workflow& workflow, hir::TableId table);
std::string native_name(const std::string& native);                            ///< as a user writes it
std::string options_text(const plan::Options& options);                        ///< "trees: 300, depth: 6"

// lower_source.cpp
void lower_source(Lowering& l, hir::TableId table);
// lower_stage.cpp
/// The columns of a table that is made of others, where nothing of the workflow asks for single ones.
void lower_stage(Lowering& l, hir::TableId table);
/// The step that makes the rows of a table; none where they are made by its own expressions.
std::optional<plan::StepId> lower_rows_of(Lowering& l, hir::TableId table);
/// The value of a column of the tables that `place.table` is made of, in its rows.
plan::StepId lower_take(Lowering& l, hir::ColumnId column, const Type& type, const Place& place);
/// A column of a stage's own: its number, time or word; or of a union or unpivot. Nothing where it is none of these.
std::optional<plan::StepId> lower_stage_column(Lowering& l, hir::ColumnId column, const Place& place);
/// Columns that tell the rows of a table apart, in its rows: the key of the table where they begin and what a `cross`, `unpivot` or `fill` since
/// then adds to it; where that table has no key all that it holds, and then `one_by_one`.
std::vector<plan::StepId> lower_identity(Lowering& l, hir::TableId table, bool& one_by_one);
// lower_aggregate.cpp
plan::StepId lower_aggregate(Lowering& l, hir::ColumnId column, const Place& place);
/// The column as microseconds: a date is its start.
plan::StepId lower_time(Lowering& l, hir::ColumnId column, const Place& place);
/// Times before which a value is not known, with what is added to each. The first is the row's own time.
struct KnownTimes {
  std::vector<plan::StepId> times;
  std::vector<std::int64_t> after;
};
KnownTimes lower_known_times(Lowering& l, hir::TableId table, const std::vector<hir::ColumnId>& values, const Place& place);
/// The newest time of the run.
plan::StepId lower_as_of(Lowering& l, plan::TableIndex table);
/// How long after the end of its window the label is known.
std::int64_t label_delay(const hir::Workflow& workflow, const hir::Aggregate& label);
// lower_project.cpp
void lower_project(Lowering& l, hir::ViewId view);
/// The step that makes the column; `instance` may be null where nothing is fitted.
plan::StepId lower_column(Lowering& l, hir::ColumnId column, Instance* instance);
/// Notes that the step is this column, for requests and `--select`.
void name_step(Lowering& l, plan::StepId step, hir::ColumnId column);
/// The step that makes the value of an expression over HIR columns.
plan::StepId lower_expression(Lowering& l, const expr::Expr& e, const Place& place, Instance* instance, bool generate = false);
// lower_fit.cpp
plan::StepId lower_fitted(Lowering& l, const expr::Fitted& fitted, const std::vector<plan::StepId>& arguments, const Type& type,
                          const Place& place, Instance& instance, const std::string& text);
/// The cuts of the column on the rows of the instance.
plan::StepId lower_cuts(Lowering& l, plan::StepId column, const Place& place, plan::StepId split, const plan::Rows& rows);
plan::StepId lower_bins(Lowering& l, plan::StepId column, const Place& place, const Instance& instance);
// lower_split.cpp
/// Parts of the rows that the train learns from and is measured on.
plan::StepId lower_split(Lowering& l, const hir::Train& train);
bool is_by_time(const hir::Split& split);
std::vector<hir::ColumnId> hashed_columns(const hir::Workflow& workflow, const hir::Split& split);
// lower_train.cpp
LoweredTrain& lower_train(Lowering& l, hir::TrainId train);
/// What its columns are fitted on where the model is measured: the training rows, or those of the first fold.
Instance measured_instance(Lowering& l, hir::TrainId train);
/// What the models predict for the rows that each answers for; `on` says which, for people.
plan::StepId lower_predict(Lowering& l, hir::TrainId train, plan::StepId split, const std::vector<FittedModel>& models, const std::string& on);
// lower_reference.cpp
/// What requests are compared with: a column as a person reads it, and its bins on the rows that the model was fitted on.
struct Reference {
  std::string name;
  plan::StepId column;  ///< as in training
  plan::StepId bins;
};
std::vector<Reference> lower_reference(Lowering& l, hir::TrainId train);
/// Bins of what the model predicts for held-out rows.
plan::StepId lower_predicted_reference(Lowering& l, hir::TrainId train);
// lower_evaluate.cpp: after lower_scorer
void lower_evaluate(Lowering& l, hir::TrainId train, plan::Model& model);
// lower_scorer.cpp
void lower_scorer(Lowering& l, hir::TrainId train, plan::Model& model);
void lower_register(Lowering& l, hir::TrainId train, plan::Model& model);
/// A column in the rows of a table that stages have made of those it stands in, row by row; nothing where none have.
std::optional<plan::StepId> in_rows_of(Lowering& l, plan::StepId column, hir::TableId table);
// order_columns.cpp
/// Positions of the steps in an order that no name decides, neither the user's nor the standard library's. Steps that only the
/// symbols of their natives tell apart are ordered by those; equal steps keep their order.
std::vector<std::size_t> order_columns(Lowering& l, const std::vector<plan::StepId>& steps);
// trace_lineage.cpp
std::vector<plan::Edge> trace_lineage(const hir::Workflow& workflow);

}  // namespace mlp::planner
