#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "compiler/planner/planner.h"
#include "runtime/column/column.h"
#include "runtime/exec/run.h"

namespace mlp::cli {

/// The workflow up to its logical plan. Diagnostics have been said when there is none; `exit` is their code.
std::optional<driver::Compiled> compile_rows(const Common& common, const std::string& file, std::vector<driver::AskedRows> questions, int& exit);
planner::PlanOptions rows_plan_options(const Common& common, const std::string& file);

/// The store with what steps have made.
struct RunRows {
  store::Store store;
  exec::RunReport report;
};
/// Runs the steps; `kept` are those whose outputs are asked for. Diagnostics have been said when there are none; `exit` is their code.
std::optional<RunRows> run_rows(const Common& common, const std::string& file, const SourceMap& sources, const plan::Physical& plan, std::vector<plan::StepId> kept, int& exit);

/// What a step has made of a fragment.
Result<Column> read_column(RunRows& ran, plan::StepId step, std::size_t fragment);

/// Rows of tables and views, made by the steps of a run: what is there already is reused, the rest is kept.
struct ComputedRows {
  driver::Compiled compiled;
  planner::RowsPlan asked;  ///< `asked.rows` beside compiled.workflow->rows
  RunRows ran;

  std::size_t fragments(plan::StepId step) const { return ran.report.steps[step.index()].outputs.size(); }
  Result<Column> column(plan::StepId step, std::size_t fragment) { return read_column(ran, step, fragment); }
};

/// `behind`: of a view also the table's columns that it computes from. Diagnostics have been said when there are no rows; `exit` is their code.
std::optional<ComputedRows> compute_rows(const Common& common, const std::string& file, std::vector<driver::AskedRows> questions, bool behind, int& exit);

/// What is to be said below rows of a table or view: on whose rows fitted columns are fitted, and which are not there.
std::string fitted_text(const planner::ShownRows& rows);


}  // namespace mlp::cli
