#include "runtime/relation/join.h"

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::relation {

JoinKeys join_keys(std::span<const Column> left, std::span<const Column> right) {
  MLP_CHECK(left.size() == right.size());
  JoinKeys out;
  for (std::size_t k = 0; k < left.size(); ++k) {
    auto [ours, theirs] = sort_keys(left[k], right[k]);
    out.left.push_back(std::move(ours));
    out.right.push_back(std::move(theirs));
  }
  return out;
}

Matched match(const JoinKeys& keys, std::size_t left_rows, std::size_t right_rows) {
  KeyTable table(keys.right, right_rows);
  Matched out;
  out.groups = table.groups.representative.size();
  const auto is_missing = [](std::span<const SortKeys> of, std::size_t row) { return std::any_of(of.begin(), of.end(), [row](const SortKeys& key) { return key.keys[row] == SortKeys::kMissing; }); };
  out.left.resize(left_rows);
  parallel_stretches(left_rows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out.left[i] = is_missing(keys.left, i) ? -1 : table.find(keys.left, i);
  });
  out.right = std::move(table.groups.group_of);
  for (std::size_t i = 0; i < right_rows; ++i)
    if (is_missing(keys.right, i)) out.right[i] = -1;
  return out;
}

namespace {

/// The rows of the right by group, those of no group left out.
Partition right_by_group(const Matched& matched) {
  Partition out;
  out.ends.assign(matched.groups, 0);
  for (const std::int64_t group : matched.right)
    if (group >= 0) ++out.ends[static_cast<std::size_t>(group)];
  std::vector<std::int64_t> next(matched.groups);
  std::int64_t begin = 0;
  for (std::size_t g = 0; g < matched.groups; ++g) {
    next[g] = begin;
    begin += out.ends[g];
    out.ends[g] = begin;
  }
  out.rows.resize(static_cast<std::size_t>(begin));
  for (std::size_t i = 0; i < matched.right.size(); ++i)
    if (matched.right[i] >= 0) out.rows[static_cast<std::size_t>(next[static_cast<std::size_t>(matched.right[i])]++)] = static_cast<std::int64_t>(i);
  return out;
}

}  // namespace

Joined join(const Matched& matched, bool keep, bool one) {
  const Partition right = right_by_group(matched);
  Joined out;
  out.left.reserve(matched.left.size()), out.right.reserve(matched.left.size());
  for (std::size_t i = 0; i < matched.left.size(); ++i) {
    const std::int64_t group = matched.left[i];
    const std::int64_t begin = group <= 0 ? 0 : right.ends[static_cast<std::size_t>(group - 1)];
    const std::int64_t end = group < 0 ? 0 : right.ends[static_cast<std::size_t>(group)];
    if (one && end - begin > 1) {
      out.second = static_cast<std::int64_t>(i);
      return out;
    }
    for (std::int64_t r = begin; r < end; ++r) {
      out.left.push_back(static_cast<std::int64_t>(i));
      out.right.push_back(right.rows[static_cast<std::size_t>(r)]);
    }
    if (begin == end && keep) {
      out.left.push_back(static_cast<std::int64_t>(i));
      out.right.push_back(-1);
    }
  }
  return out;
}

Joined asof_join(const Matched& matched, const Column& left_time, const Column& right_time) {
  Partition right = right_by_group(matched);
  const SortKeys theirs = sort_keys(right_time), ours = sort_keys(left_time);
  sort_partitions(right, {&theirs, 1});
  Joined out;
  out.left.resize(matched.left.size());
  out.right.assign(matched.left.size(), -1);
  for (std::size_t i = 0; i < matched.left.size(); ++i) {
    out.left[i] = static_cast<std::int64_t>(i);
    const std::int64_t group = matched.left[i];
    if (group < 0 || !left_time.is_known(i)) continue;
    const auto begin = right.rows.begin() + (group == 0 ? 0 : right.ends[static_cast<std::size_t>(group - 1)]);
    const auto end = right.rows.begin() + right.ends[static_cast<std::size_t>(group)];
    // Missing times stand last and are never reached: no time is as late.
    const auto behind = std::upper_bound(begin, end, ours.keys[i], [&](std::int64_t time, std::int64_t row) { return time < theirs.keys[static_cast<std::size_t>(row)]; });
    if (behind != begin) out.right[i] = *(behind - 1);
  }
  return out;
}

Filled fill(const Groups& groups, const Column& time, std::int64_t every, std::int64_t ahead) {
  constexpr std::int64_t kMostRows = 2'000'000'000;
  MLP_CHECK(every > 0);
  const SortKeys times = sort_keys(time);
  Partition by_key = partition(groups);
  sort_partitions(by_key, {&times, 1});
  const auto values = time.values<std::int64_t>();
  std::int64_t last = INT64_MIN;
  for (std::size_t i = 0; i < time.rows; ++i)
    if (time.is_known(i)) last = std::max(last, values[i]);
  Filled out;
  const auto add = [&](std::int64_t row, std::int64_t of_key, std::int64_t at) {
    out.row.push_back(row);
    out.of_key.push_back(of_key);
    out.time.push_back(at);
  };
  std::int64_t begin = 0;
  for (const std::int64_t end : by_key.ends) {
    const std::int64_t first_row = by_key.rows[static_cast<std::size_t>(begin)];
    std::int64_t i = begin;
    begin = end;
    if (!time.is_known(static_cast<std::size_t>(first_row))) continue;  // no row of the key has a time
    const std::int64_t first = values[static_cast<std::size_t>(first_row)];
    const std::int64_t until = last + ahead;
    if ((until - first) / every + static_cast<std::int64_t>(out.row.size()) > kMostRows) {
      out.too_many = true;
      return out;
    }
    for (std::int64_t at = first; at <= until; at += every) {
      bool there = false;
      for (; i < end; ++i) {
        const std::int64_t row = by_key.rows[static_cast<std::size_t>(i)];
        if (!time.is_known(static_cast<std::size_t>(row)) || values[static_cast<std::size_t>(row)] > at) break;
        there = there || values[static_cast<std::size_t>(row)] == at;
        add(row, row, values[static_cast<std::size_t>(row)]);
      }
      if (!there) add(-1, first_row, at);
    }
    for (; i < end; ++i) {  // between the last step and the table's last time
      const std::int64_t row = by_key.rows[static_cast<std::size_t>(i)];
      if (time.is_known(static_cast<std::size_t>(row))) add(row, row, values[static_cast<std::size_t>(row)]);
    }
  }
  return out;
}

}  // namespace mlp::relation
