#pragma once

#include <cstdint>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/source.h"
#include "runtime/io/file_system.h"
#include "runtime/scorer/scorer.h"

namespace mlp::batch {

struct ScoreReport {
  std::uint64_t rows = 0;       ///< of the input
  std::uint64_t scored = 0;     ///< with a line in the output
  std::uint64_t outside = 0;    ///< rows that the model was not made for: scorer::out_of_population
  std::uint64_t undefined = 0;  ///< rows for which the model has no value: NaN of scorer::predict
  io::BadValues bad;            ///< what broke the contract; its rows are not scored
  std::uint64_t bad_rows = 0;
};

/// Predicts every row of a file and writes the key of the row (the table's key columns where the file has them, else `row`, its
/// number from 1) and `prediction`, the shortest text that reads back as the same double, in the order of the file.
///
/// `input` as in read_rows; `output` ends in .csv, .jsonl, .ndjson or .parquet. Rows that break the contract of a column are left out and
/// counted. The output is there as a whole or not at all. The failures of read_rows, E0904 of the output, E0601 for another form.
Result<ScoreReport> score_file(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                               const std::string& output, std::uint64_t fragment_rows);

}  // namespace mlp::batch
