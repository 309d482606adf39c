#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "compiler/planner/planner.h"
#include "runtime/column/column.h"
#include "runtime/exec/run.h"

namespace mlp::cli {

/// Rows of tables and views, made by the steps of a run: what is there already is reused, the rest is kept.
struct ComputedRows {
  driver::Compiled compiled;
  planner::RowsPlan asked;  ///< `asked.rows` beside compiled.workflow->rows
  store::Store store;
  exec::RunReport report;

  std::size_t fragments(plan::StepId step) const { return report.steps[step.index()].outputs.size(); }
  Result<Column> column(plan::StepId step, std::size_t fragment);
};

/// `behind`: of a view also the table's columns that it computes from. Diagnostics have been said when there are no rows; `exit` is their code.
std::optional<ComputedRows> compute_rows(const Common& common, const std::string& file, std::vector<driver::AskedRows> questions, bool behind, int& exit);

/// What is to be said below rows of a table or view: on whose rows fitted columns are fitted, and which are not there.
std::string fitted_text(const planner::ShownRows& rows);

/// 6,433
std::string grouped(std::uint64_t n);

}  // namespace mlp::cli
