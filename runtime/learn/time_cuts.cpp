#include "runtime/learn/time_cuts.h"

#include <algorithm>

#include "compiler/plan/physical.h"

namespace mlp::learn {

namespace {

/// Known, and not at the cut itself.
std::int64_t learnable(const TimedRow& row) { return std::max(row.known, row.time + 1); }

struct Sorted {
  std::vector<std::int64_t> times, learnable, distinct;

  explicit Sorted(std::span<const TimedRow> rows) {
    for (const TimedRow& row : rows) times.push_back(row.time), learnable.push_back(learn::learnable(row));
    std::sort(times.begin(), times.end());
    std::sort(learnable.begin(), learnable.end());
    distinct = times;
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  }
  double before(std::int64_t cut) const { return static_cast<double>(std::lower_bound(times.begin(), times.end(), cut) - times.begin()); }
  double learned(std::int64_t cut) const { return static_cast<double>(std::upper_bound(learnable.begin(), learnable.end(), cut) - learnable.begin()); }
  double from(std::int64_t cut) const { return static_cast<double>(times.size()) - before(cut); }
  /// Rows of the part that begins at one cut and is learned from at the next.
  double between(std::int64_t begin, std::int64_t end) const { return std::max(0.0, learned(end) - std::min(before(begin), learned(end))); }
  /// The first of the different times from `low` on where the condition, which stays true once it is, holds; else behind the last.
  template <class Holds>
  std::size_t first_where(std::size_t low, Holds holds) const {
    std::size_t high = distinct.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (holds(distinct[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  std::int64_t time_at(std::size_t index) const { return index < distinct.size() ? distinct[index] : INT64_MAX; }
};

}  // namespace

std::optional<TimeCuts> time_cuts(std::span<const TimedRow> rows, std::span<const int> percent, std::string& empty) {
  const Sorted sorted(rows);
  const double train = percent[0], validation = percent[1], test = percent[2];
  TimeCuts cuts;
  if (validation == 0 || test == 0) {
    // One cut: more rows to train on, fewer behind it.
    const double behind = validation + test;
    if (behind > 0) {
      const std::int64_t cut = sorted.time_at(sorted.first_where(0, [&](std::int64_t at) { return sorted.learned(at) * behind >= sorted.from(at) * train; }));
      cuts.validation = cut;
      if (test > 0) cuts.test = cut;
    }
  } else {
    const auto test_cut = [&](std::int64_t begin) {
      const double wanted = sorted.learned(begin) * validation / train;
      const auto low = static_cast<std::size_t>(std::lower_bound(sorted.distinct.begin(), sorted.distinct.end(), begin) - sorted.distinct.begin());
      return sorted.time_at(sorted.first_where(low, [&](std::int64_t at) { return sorted.between(begin, at) >= wanted; }));
    };
    const std::size_t first = sorted.first_where(0, [&](std::int64_t begin) {
      const std::int64_t end = test_cut(begin);
      return (end == INT64_MAX ? 0.0 : sorted.from(end)) * train <= sorted.learned(begin) * test;
    });
    cuts.validation = sorted.time_at(first);
    cuts.test = cuts.validation == INT64_MAX ? INT64_MAX : test_cut(cuts.validation);
    // The cut before may leave the last part nearer to its share; and where the last part has none left it has to.
    if (cuts.test == INT64_MAX && first > 0 && first <= sorted.distinct.size()) {
      cuts.validation = sorted.time_at(first - 1);
      cuts.test = test_cut(cuts.validation);
    }
  }
  std::size_t counts[5] = {};
  for (const TimedRow& row : rows) ++counts[part_at(row, cuts)];
  constexpr const char* kNames[] = {"training", "validation", "test"};
  for (int part = 0; part < 3; ++part)
    if (percent[static_cast<std::size_t>(part)] > 0 && counts[part] == 0) {
      empty = kNames[part];
      return std::nullopt;
    }
  return cuts;
}

int part_at(const TimedRow& row, const TimeCuts& cuts) {
  if (row.time >= cuts.test) return 2;
  if (row.time >= cuts.validation) return cuts.test == INT64_MAX || learnable(row) <= cuts.test ? 1 : 4;
  const std::int64_t next = std::min(cuts.validation, cuts.test);
  return next == INT64_MAX || learnable(row) <= next ? 0 : 3;
}

std::vector<std::int64_t> fold_cuts(std::span<const TimedRow> rows, int folds) {
  const Sorted sorted(rows);
  std::vector<std::int64_t> cuts;
  for (int fold = 1; fold < folds; ++fold) {
    const std::size_t at = sorted.times.size() * static_cast<std::size_t>(fold) / static_cast<std::size_t>(folds);
    cuts.push_back(at < sorted.times.size() ? sorted.times[at] : INT64_MAX);
  }
  return cuts;
}

std::vector<std::int64_t> window_cuts(std::span<const TimedRow> rows, int windows, std::int64_t every, std::int64_t horizon) {
  std::int64_t last = INT64_MIN;
  for (const TimedRow& row : rows) last = std::max(last, row.time);
  std::vector<std::int64_t> cuts = plan::window_bounds(windows, every, horizon);
  for (std::int64_t& cut : cuts) cut += last + 1 - horizon - static_cast<std::int64_t>(windows - 1) * every;
  return cuts;
}

}  // namespace mlp::learn
