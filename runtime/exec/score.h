#pragma once

#include <cstdint>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/csv.h"
#include "runtime/io/file_system.h"
#include "runtime/scorer/scorer.h"

namespace mlp::exec {

struct ScoreReport {
  std::uint64_t rows = 0;       ///< of the input
  std::uint64_t scored = 0;     ///< with a line in the output
  std::uint64_t undefined = 0;  ///< rows for which the model has no value (NaN of scorer::predict)
  io::BadValues bad;            ///< what broke the contract; its rows are not scored
  std::uint64_t bad_rows = 0;
};

/// Predicts every row of a delimited file whose header names the columns of the scorer's request, and writes `row,prediction`:
/// the number of the row from 1, and the shortest text that reads back as the same double. Rows that break the contract of a
/// column are left out and counted. The output is there as a whole or not at all. `output` ends in .csv or .jsonl.
/// E0901, E0803, E0804, E0805 of the input, E0904 of the output, E0601 for a form that is neither.
Result<ScoreReport> score_file(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                               const std::string& output, std::uint64_t fragment_rows);

}  // namespace mlp::exec
