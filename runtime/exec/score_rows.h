#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/exec/score.h"

/// Between the forms that score_file reads and those that it writes.
namespace mlp::exec {

enum class Form : std::uint8_t { delimited, json_lines };

/// Predictions of some rows, as they are written.
struct Scored {
  std::string text;
  io::BadValues bad;
  std::uint64_t rows = 0, bad_rows = 0, undefined = 0, written = 0;
};

/// Writes the lines of the output.
class ScoreWriter {
 public:
  /// `keys`: names of the columns that name a row; empty: its number does.
  ScoreWriter(Form form, std::vector<std::string> keys) : form_(form), keys_(std::move(keys)) {}
  /// What stands before the first line.
  std::string head() const;
  /// Appends the lines of rows whose first one is `first_row` (from 0), leaving out those of `bad` (ascending) and those without
  /// a prediction. `key(column, row)` is asked where there are key columns.
  void append(Scored& scored, const std::vector<double>& predictions, std::uint64_t first_row, const std::vector<std::uint32_t>& bad,
              const std::function<Value(std::size_t, std::size_t)>& key) const;

 private:
  Form form_;
  std::vector<std::string> keys_;
};

/// Adds what one block of rows gave; called in the order of the file.
using TakeScored = std::function<void(Scored&&)>;

/// The rows of a delimited file. `head` is filled before the first call of `take`.
Result<void> score_delimited(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                             Form form, std::string& head, const TakeScored& take);
/// The objects of a file with one a line.
Result<void> score_json_lines(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                              Form form, std::string& head, const TakeScored& take);

}  // namespace mlp::exec
