#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/plan/logical.h"
#include "compiler/plan/physical.h"
#include "compiler/sema/hir.h"
#include "compiler/support/span.h"

/// From a checked workflow to the steps that a run does.
namespace mlp::planner {

struct PlanOptions {
  bool final_rows = false;          ///< `--final`: the figures are of the test rows
  /// `--select`: NAME (a table, view, split, model, or a column as `view.column`) and all it needs; `NAME+`: and all that needs
  /// it. Empty: everything.
  std::vector<std::string> select;
  std::optional<std::int64_t> as_of_us;  ///< `--as-of`: the logical time of the run, microseconds; else the newest time that is read
  double share = 1;                 ///< `--sample`: as sample_rows was given it
  std::string folder;               ///< of the workflow file
  std::string file;                 ///< the workflow file, for steps without a place
};

/// The operators over whole tables, in the order in which each needs only earlier ones.
plan::Logical build_logical(const hir::Workflow& workflow);

/// The steps with their keys, places and lineage. The workflow was checked without errors.
plan::Physical lower(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options);

/// A column of rows that are shown.
struct ShownColumn {
  std::string name, owner;  ///< "log_gain", "profile"
  Type type;
  plan::StepId step;
  bool of_view = false;
  std::string code;         ///< how it is computed; empty where it is read or taken as it is
};
/// Rows that are shown: one of hir::Workflow::rows.
struct ShownRows {
  std::vector<ShownColumn> columns;      ///< of a view: the table's columns that it computes from, where they are asked for, then its own
  std::optional<plan::StepId> where;     ///< a bool a row
  std::optional<std::string> fitted_as;  ///< the train on whose rows fitted columns are fitted: "earner", "earner [fold 1]"
  std::vector<std::string> left_out;     ///< fitted columns, where no train says on which rows
};
/// The steps that make the rows of hir::Workflow::rows, and nothing else.
struct RowsPlan {
  plan::Physical plan;
  std::vector<ShownRows> rows;  ///< as they are asked for
};
/// The trains of the rows' view, if it has fitted columns.
std::vector<hir::TrainId> trains_of_rows(const hir::Workflow& workflow, const hir::Rows& rows);
/// What whole tables and splits the rows depend on, in order; `train` is the one that fits the view's fitted columns.
std::vector<plan::OperatorId> operators_of_rows(const hir::Workflow& workflow, const plan::Logical& logical, const hir::Rows& rows, std::optional<hir::TrainId> train);
/// `trains`: for each of the rows the train that fits. `behind`: of views also the table's columns that they compute from.
RowsPlan lower_rows(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options,
                    const std::vector<std::optional<hir::TrainId>>& trains, bool behind);

/// A batch whose rows are asked for: one of hir::Deploy::batches, with what the version that is deployed is asked with.
struct AskedBatch {
  const hir::Deploy* deploy;
  const hir::Batch* batch;
  std::set<std::string> request;
};
struct BatchRows {
  std::vector<ShownColumn> columns;  ///< of AskedBatch::request those that there are
  std::vector<ShownColumn> key;  ///< as in hir::Batch
};
/// The steps that make the rows of batches, and nothing else.
struct BatchPlan {
  plan::Physical plan;
  std::vector<BatchRows> batches;  ///< as they are asked for
};
BatchPlan lower_batches(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options, const std::vector<AskedBatch>& batches);

/// The entries of `options.select` that name nothing of the workflow.
std::vector<std::string> unknown_selections(const hir::Workflow& workflow, const PlanOptions& options);

}  // namespace mlp::planner
