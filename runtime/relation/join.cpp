#include "runtime/relation/join.h"

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::relation {

JoinSide join_side(std::vector<Column> keys, const Column* time) {
  const std::size_t rows = keys.at(0).rows;
  JoinSide out{KeyIndex(std::move(keys), rows), {}, {}};
  out.rows = partition(out.index.groups_with_keys(), out.index.groups().representative.size());
  if (time) {
    out.time = sort_keys(*time);
    sort_partitions(out.rows, {&*out.time, 1});
  }
  return out;
}

Matched match(std::span<const Column> left, std::vector<Column> right) {
  const std::size_t rows = right.at(0).rows;
  const KeyIndex index(std::move(right), rows);
  return {index.find(left, left[0].rows, false), index.groups_with_keys(), index.groups().representative.size()};
}

Joined join(const JoinSide& side, std::span<const Column> left, bool keep, bool one) {
  std::vector<std::int64_t> groups = side.index.find(left, left[0].rows, false);
  Joined out;
  // Where no two rows of the right are equal, a group has the number of its row.
  if (side.index.groups().representative.size() == side.index.groups().group_of.size()) {
    out.left.resize(groups.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (groups[i] < 0 && !keep) continue;
      out.left[count] = static_cast<std::int64_t>(i);
      groups[count++] = groups[i];
    }
    out.left.resize(count), groups.resize(count);
    out.right = std::move(groups);
    return out;
  }
  out.left.reserve(groups.size()), out.right.reserve(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::int64_t group = groups[i];
    const std::int64_t begin = group <= 0 ? 0 : side.rows.ends[static_cast<std::size_t>(group - 1)];
    const std::int64_t end = group < 0 ? 0 : side.rows.ends[static_cast<std::size_t>(group)];
    if (one && end - begin > 1) {
      out.second = static_cast<std::int64_t>(i);
      return out;
    }
    for (std::int64_t r = begin; r < end; ++r) {
      out.left.push_back(static_cast<std::int64_t>(i));
      out.right.push_back(side.rows.rows[static_cast<std::size_t>(r)]);
    }
    if (begin == end && keep) {
      out.left.push_back(static_cast<std::int64_t>(i));
      out.right.push_back(-1);
    }
  }
  return out;
}

Joined asof_join(const JoinSide& side, std::span<const Column> left, const Column& left_time) {
  const std::vector<std::int64_t> groups = side.index.find(left, left[0].rows, false);
  const SortKeys ours = sort_keys(left_time);
  const auto theirs = side.time->keys;
  Joined out;
  out.left.resize(groups.size());
  out.right.assign(groups.size(), -1);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    out.left[i] = static_cast<std::int64_t>(i);
    const std::int64_t group = groups[i];
    if (group < 0 || !left_time.is_known(i)) continue;
    const auto begin = side.rows.rows.begin() + (group == 0 ? 0 : side.rows.ends[static_cast<std::size_t>(group - 1)]);
    const auto end = side.rows.rows.begin() + side.rows.ends[static_cast<std::size_t>(group)];
    // Missing times stand last and are never reached: no time is as late.
    const auto behind = std::upper_bound(begin, end, ours.keys[i], [&](std::int64_t time, std::int64_t row) { return time < theirs[static_cast<std::size_t>(row)]; });
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
