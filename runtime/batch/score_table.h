#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/schema.h"
#include "runtime/batch/score.h"
#include "runtime/column/column.h"
#include "runtime/scorer/scorer.h"

/// Predictions for the rows of a table that is computed already.
namespace mlp::batch {

/// The rows of a table, in fragments. The columns of the key come after those that a request may be made of.
struct TableRows {
  std::string name;
  std::vector<SchemaColumn> columns;
  std::vector<SchemaColumn> key;
  std::size_t fragments = 0;
  std::function<Result<Column>(std::size_t column, std::size_t fragment)> read;  ///< from any thread
};

/// Of the rows that have a prediction, in the order of the table.
struct TableScores {
  std::vector<Column> key;
  std::vector<double> predictions;
  ScoreReport report;
};

/// Which of TableRows::columns each field of the request is. E0803 where the table lacks one, E0801 where one is of another type.
Result<std::vector<std::size_t>> bind_request(const scorer::LoadedScorer& scorer, const TableRows& table);
/// E0809 where the key of a row is missing or is that of another row, whether they have predictions or not.
Result<TableScores> score_table(const scorer::LoadedScorer& scorer, const TableRows& table, const std::vector<std::size_t>& request);

}  // namespace mlp::batch
