#include "runtime/relation/history.h"

#include <algorithm>

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

/// Known times only.
bool ascends(const Column& times) {
  const auto values = times.values<std::int64_t>();
  if (!times.known) return std::is_sorted(values.begin(), values.end());
  std::int64_t before = INT64_MIN;
  for (std::size_t i = 0; i < times.rows; ++i) {
    if (!times.is_known(i)) continue;
    if (values[i] < before) return false;
    before = values[i];
  }
  return true;
}

}  // namespace

std::optional<Rows> latest_in_order(const KeyIndex& index, std::span<const Column> asking, const Column& asked, const Column& known, const Window& window, std::span<const std::uint8_t> counts) {
  MLP_CHECK(!window.next);
  if (!ascends(asked) || !ascends(known)) return std::nullopt;
  const auto times = asked.values<std::int64_t>(), since = known.values<std::int64_t>();
  const std::vector<std::int64_t>& group_of = index.groups().group_of;
  const std::vector<std::int64_t> groups = index.find(asking, asked.rows, false);
  std::vector<std::int64_t> last(index.groups().representative.size(), -1);
  Rows out(asked.rows, -1);
  std::size_t next = 0;
  for (std::size_t i = 0; i < asked.rows; ++i) {
    if (!asked.is_known(i)) continue;
    const std::int64_t until = plus(times[i], -window.ending);
    for (; next < known.rows && (since[next] < until || !known.is_known(next)); ++next)
      if (known.is_known(next) && (counts.empty() || counts[next])) last[static_cast<std::size_t>(group_of[next])] = static_cast<std::int64_t>(next);
    if (groups[i] < 0) continue;
    const std::int64_t row = last[static_cast<std::size_t>(groups[i])];
    if (row >= 0 && (window.over == 0 || since[static_cast<std::size_t>(row)] >= plus(until, -window.over))) out[i] = row;
  }
  return out;
}

}  // namespace mlp::relation
