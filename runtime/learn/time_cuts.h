#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Where a table is cut by time.
namespace mlp::learn {

/// A row that takes part: its time, and from when its label is known. Microseconds.
struct TimedRow {
  std::int64_t time = 0;
  std::int64_t known = 0;
};

/// The first times of the validation and of the test rows.
struct TimeCuts {
  std::int64_t validation = INT64_MAX, test = INT64_MAX;
};
/// Cuts at times of rows, so that the parts have these percents of the rows that are not left out: those whose label is known when
/// the next part begins, and the last part. nullopt where a part that should have rows would have none; `empty` then names it.
std::optional<TimeCuts> time_cuts(std::span<const TimedRow> rows, std::span<const int> percent, std::string& empty);
/// 0 train, 1 validation, 2 test, 3 and 4: left out before validation and before the test.
int part_at(const TimedRow& row, const TimeCuts& cuts);

/// The first times of the second and later of `folds` stretches with equally many rows, as far as equal times allow.
std::vector<std::int64_t> fold_cuts(std::span<const TimedRow> rows, int folds);

/// Begins and ends of the windows of a rolling origin, in order (plan::window_bounds); the last ends with the last row.
std::vector<std::int64_t> window_cuts(std::span<const TimedRow> rows, int windows, std::int64_t every, std::int64_t horizon);

}  // namespace mlp::learn
