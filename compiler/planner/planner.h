#pragma once

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
  std::string folder;               ///< of the workflow file
  std::string file;                 ///< the workflow file, for steps without a place
};

/// The operators over whole tables, in the order in which each needs only earlier ones.
plan::Logical build_logical(const hir::Workflow& workflow);

/// The steps with their keys, places and lineage. The workflow was checked without errors.
plan::Physical lower(const hir::Workflow& workflow, const plan::Logical& logical, const SourceMap& sources, const PlanOptions& options);

/// The entries of `options.select` that name nothing of the workflow.
std::vector<std::string> unknown_selections(const hir::Workflow& workflow, const PlanOptions& options);

}  // namespace mlp::planner
