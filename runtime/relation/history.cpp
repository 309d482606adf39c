#include "runtime/relation/history.h"

#include <algorithm>
#include <compare>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::relation {

namespace {

/// Sums stay within the range of times.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

/// Rows by group and time, groups below 0 and rows without a time left out.
Partition by_group(std::vector<std::int64_t> group_of, std::size_t groups, const SortKeys* times) {
  if (times)
    for (std::size_t i = 0; i < group_of.size(); ++i)
      if (times->keys[i] == SortKeys::kMissing) group_of[i] = -1;
  Partition out = partition(group_of, groups);
  if (times) sort_partitions(out, {times, 1});
  return out;
}

}  // namespace

History match_history(std::vector<Column> theirs, std::span<const Column> ours, const Column* asked, const Column* known) {
  History out;
  std::optional<SortKeys> known_keys, asked_keys;
  if (known) known_keys = sort_keys(*known);
  if (asked) asked_keys = sort_keys(*asked);
  const std::size_t rows = asked ? asked->rows : ours[0].rows;
  const std::size_t their_rows = known ? known->rows : theirs[0].rows;
  const KeyIndex index(std::move(theirs), their_rows);
  const std::size_t groups = index.groups().representative.size();
  Partition history = by_group(index.groups_with_keys(), groups, known_keys ? &*known_keys : nullptr);
  out.rows = std::move(history.rows);
  if (known) {
    out.known.resize(out.rows.size());
    parallel_stretches(out.rows.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) out.known[i] = known_keys->keys[static_cast<std::size_t>(out.rows[i])];
    });
  }
  const Partition asking = by_group(index.find(ours, rows, false), groups, asked_keys ? &*asked_keys : nullptr);
  std::vector<std::uint8_t> placed(rows, 0);
  std::int64_t from = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::int64_t begin = g == 0 ? 0 : history.ends[g - 1];
    for (; from < asking.ends[g]; ++from) {
      const std::int64_t row = asking.rows[static_cast<std::size_t>(from)];
      placed[static_cast<std::size_t>(row)] = 1;
      out.asking.push_back(row);
      out.begin.push_back(begin);
      out.end.push_back(history.ends[g]);
    }
  }
  for (std::size_t i = 0; i < placed.size(); ++i)
    if (!placed[i]) {
      out.asking.push_back(static_cast<std::int64_t>(i));
      out.begin.push_back(0);
      out.end.push_back(0);
    }
  return out;
}

Stretches stretches(const HistoryView& history, const Column* asked, const Window& window) {
  Stretches out{{history.begin.begin(), history.begin.end()}, {history.end.begin(), history.end.end()}};
  if (!asked || history.known.empty()) return out;
  const auto times = asked->values<std::int64_t>();
  parallel_stretches(history.asking.size(), [&](std::size_t first, std::size_t last) {
    std::int64_t low = 0, high = 0;  // rows before these lie before the window's begin and end
    for (std::size_t i = first; i < last; ++i) {
      const std::int64_t begin = history.begin[i], end = history.end[i];
      if (begin == end) {
        out.begin[i] = out.end[i] = begin;
        continue;
      }
      // Rows of one key ask in the order of time, so both bounds only move on; a new key starts anew.
      if (i == first || history.begin[i - 1] != begin || history.end[i - 1] != end) low = high = begin;
      const std::int64_t t = times[static_cast<std::size_t>(history.asking[i])];
      const std::int64_t until = plus(t, -window.ending);
      const auto at = [&](std::int64_t p) { return history.known[static_cast<std::size_t>(p)]; };
      if (window.next) {
        const std::int64_t last = plus(t, window.over);
        while (low < end && at(low) <= t) ++low;
        while (high < end && at(high) <= last) ++high;
      } else {
        while (high < end && at(high) < until) ++high;
        if (window.over > 0) {
          const std::int64_t since = plus(until, -window.over);
          while (low < end && at(low) < since) ++low;
        }
      }
      out.begin[i] = std::min(low, high);
      out.end[i] = high;
    }
  });
  return out;
}

namespace {

struct Timed {
  std::int64_t time, row;
  friend auto operator<=>(const Timed&, const Timed&) = default;
};

/// The rows of a table that have a time, in its order, equal ones as they stand.
class InOrder {
 public:
  explicit InOrder(const Column& times) : times_(times), values_(times.values<std::int64_t>()) {
    if (!stands_so()) sort();
  }
  std::size_t size() const { return sorted_.empty() ? times_.rows : sorted_.size(); }
  /// A row, or one below 0 that has no time.
  Timed operator[](std::size_t i) const {
    if (!sorted_.empty()) return sorted_[i];
    return {values_[i], times_.is_known(i) ? static_cast<std::int64_t>(i) : -1};
  }

 private:
  bool stands_so() const {
    std::int64_t before = INT64_MIN;
    for (std::size_t i = 0; i < times_.rows; ++i) {
      if (!times_.is_known(i)) continue;
      if (values_[i] < before) return false;
      before = values_[i];
    }
    return true;
  }

  /// First into stretches of time, so that each is sorted in the cache.
  void sort() {
    constexpr std::size_t kPieces = 8, kRowsOfStretch = 128, kMostStretches = 1 << 16;
    const std::size_t rows = times_.rows;
    std::int64_t low = INT64_MAX, high = INT64_MIN;
    for (std::size_t i = 0; i < rows; ++i)
      if (times_.is_known(i)) low = std::min(low, values_[i]), high = std::max(high, values_[i]);
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::size_t wanted = std::clamp<std::size_t>(rows / kRowsOfStretch, 1, kMostStretches);
    int shift = 0;
    while ((range >> shift) >= wanted) ++shift;
    const std::size_t stretches = (range >> shift) + 1;
    const auto each = [&](std::size_t piece, auto body) {
      for (std::size_t i = rows * piece / kPieces; i < rows * (piece + 1) / kPieces; ++i)
        if (times_.is_known(i)) body((static_cast<std::uint64_t>(values_[i]) - static_cast<std::uint64_t>(low)) >> shift, i);
    };
    std::vector<std::vector<std::size_t>> next(kPieces);
    parallel_for(kPieces, [&](std::size_t piece) {
      next[piece].assign(stretches, 0);
      each(piece, [&](std::size_t stretch, std::size_t) { ++next[piece][stretch]; });
    });
    std::vector<std::size_t> begins(stretches + 1, 0);
    std::size_t begin = 0;
    for (std::size_t s = 0; s < stretches; ++s) {
      begins[s] = begin;
      for (auto& piece : next) begin += std::exchange(piece[s], begin);
    }
    begins[stretches] = begin;
    sorted_.resize(begin);
    parallel_for(kPieces, [&](std::size_t piece) {
      each(piece, [&](std::size_t stretch, std::size_t i) { sorted_[next[piece][stretch]++] = {values_[i], static_cast<std::int64_t>(i)}; });
    });
    parallel_for(kPieces, [&](std::size_t piece) {
      for (std::size_t s = stretches * piece / kPieces; s < stretches * (piece + 1) / kPieces; ++s)
        std::sort(sorted_.begin() + static_cast<std::ptrdiff_t>(begins[s]), sorted_.begin() + static_cast<std::ptrdiff_t>(begins[s + 1]));
    });
  }

  const Column& times_;
  std::span<const std::int64_t> values_;
  std::vector<Timed> sorted_;  ///< empty: the rows stand so
};

}  // namespace

Rows latest_before(const KeyIndex& index, std::span<const Column> asking, const Column& asked, const Column& known, const Window& window, std::span<const std::uint8_t> counts) {
  MLP_CHECK(!window.next);
  const InOrder askers(asked), history(known);
  const auto since = known.values<std::int64_t>();
  const std::vector<std::int64_t>& group_of = index.groups().group_of;
  const std::vector<std::int64_t> groups = index.find(asking, asked.rows, false);
  std::vector<std::int64_t> last(index.groups().representative.size(), -1);
  Rows out(asked.rows, -1);
  std::size_t next = 0;
  for (std::size_t a = 0; a < askers.size(); ++a) {
    const auto [time, row] = askers[a];
    if (row < 0) continue;
    const std::int64_t until = plus(time, -window.ending);
    for (; next < history.size(); ++next) {
      const auto [from, there] = history[next];
      if (there < 0) continue;
      if (from >= until) break;
      if (counts.empty() || counts[static_cast<std::size_t>(there)]) last[static_cast<std::size_t>(group_of[static_cast<std::size_t>(there)])] = there;
    }
    const std::int64_t group = groups[static_cast<std::size_t>(row)];
    const std::int64_t found = group < 0 ? -1 : last[static_cast<std::size_t>(group)];
    if (found >= 0 && (window.over == 0 || since[static_cast<std::size_t>(found)] >= plus(until, -window.over))) out[static_cast<std::size_t>(row)] = found;
  }
  return out;
}

}  // namespace mlp::relation
