#include <algorithm>
#include <atomic>
#include <mutex>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/relation/join.h"

namespace mlp::relation {

namespace {

using Is = Compared::Is;

/// One comparison, turned so that it holds where the other's number is below the row's, or equal to it where `or_equal`.
struct Turned {
  std::vector<std::int64_t> ours, theirs;
  bool or_equal = false, flipped = false;
  bool holds(std::int64_t our, std::int64_t their) const { return their < our || (or_equal && their == our); }
};

Turned turn(const Compared& compared) {
  Turned out;
  out.ours.assign(compared.ours.keys.begin(), compared.ours.keys.end());
  out.theirs.assign(compared.theirs.keys.begin(), compared.theirs.keys.end());
  out.or_equal = compared.is == Is::at_most || compared.is == Is::at_least;
  out.flipped = compared.is == Is::less || compared.is == Is::at_most;
  if (out.flipped) {  // the complement turns the order and loses nothing
    for (std::int64_t& key : out.ours) key = ~key;
    for (std::int64_t& key : out.theirs) key = ~key;
  }
  return out;
}

/// Rows of the right that can match, by group, in the order of the first comparison.
struct Sorted {
  std::vector<std::int64_t> rows, ends;  ///< of each group
  /// The least number of the second comparison from the begin of the group on: before a place where it does not hold, nothing matches.
  std::vector<std::int64_t> least;
};

Sorted sort_right(const Matched& matched, std::span<const Compared> compared, std::span<const Turned> turned) {
  Sorted out;
  out.ends.assign(matched.groups, 0);
  const auto can_match = [&](std::size_t row) {
    return matched.right[row] >= 0 && std::none_of(compared.begin(), compared.end(), [row](const Compared& c) { return c.theirs.keys[row] == SortKeys::kMissing; });
  };
  for (std::size_t row = 0; row < matched.right.size(); ++row)
    if (can_match(row)) out.rows.push_back(static_cast<std::int64_t>(row));
  const auto group = [&](std::int64_t row) { return matched.right[static_cast<std::size_t>(row)]; };
  std::stable_sort(out.rows.begin(), out.rows.end(), [&](std::int64_t a, std::int64_t b) {
    if (group(a) != group(b)) return group(a) < group(b);
    return !turned.empty() && turned[0].theirs[static_cast<std::size_t>(a)] < turned[0].theirs[static_cast<std::size_t>(b)];
  });
  for (const std::int64_t row : out.rows) ++out.ends[static_cast<std::size_t>(group(row))];
  for (std::size_t g = 1; g < out.ends.size(); ++g) out.ends[g] += out.ends[g - 1];
  if (turned.size() < 2) return out;
  out.least.resize(out.rows.size());
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    const std::int64_t key = turned[1].theirs[static_cast<std::size_t>(out.rows[i])];
    const bool goes_on = i > 0 && group(out.rows[i]) == group(out.rows[i - 1]);
    out.least[i] = goes_on ? std::min(out.least[i - 1], key) : key;
  }
  return out;
}

/// What a stretch of the left found.
struct Found {
  std::size_t begin = 0;
  std::vector<std::int64_t> left, right;
  std::optional<std::int64_t> second;
};

}  // namespace

RangeJoined range_join(const Matched& matched, std::span<const Compared> compared, bool keep, bool one, const Limits& limits) {
  std::vector<Turned> turned;
  for (const Compared& each : compared) turned.push_back(turn(each));
  // The second bounds the walk best where it looks the other way, as the end of an interval after its begin.
  for (std::size_t i = 2; i < turned.size() && turned[1].flipped == turned[0].flipped; ++i)
    if (turned[i].flipped != turned[0].flipped) std::swap(turned[1], turned[i]);
  const Sorted right = sort_right(matched, compared, turned);
  std::atomic<std::uint64_t> pairs = 0, looked_at = 0;
  std::vector<Found> parts;
  std::mutex mutex;
  parallel_stretches(matched.left.size(), [&](std::size_t begin, std::size_t end) {
    Found found{begin, {}, {}, {}};
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t before = found.right.size();
      const std::int64_t group = matched.left[i];
      const bool known = group >= 0 && std::none_of(compared.begin(), compared.end(), [i](const Compared& c) { return c.ours.keys[i] == SortKeys::kMissing; });
      if (known) {
        const auto low = right.rows.begin() + (group == 0 ? 0 : right.ends[static_cast<std::size_t>(group - 1)]);
        auto at = right.rows.begin() + right.ends[static_cast<std::size_t>(group)];
        if (!turned.empty()) at = std::partition_point(low, at, [&](std::int64_t row) { return turned[0].holds(turned[0].ours[i], turned[0].theirs[static_cast<std::size_t>(row)]); });
        std::uint64_t walked = 0;
        while (at != low) {
          --at, ++walked;
          if (turned.size() > 1 && !turned[1].holds(turned[1].ours[i], right.least[static_cast<std::size_t>(at - right.rows.begin())])) break;
          const auto row = static_cast<std::size_t>(*at);
          bool holds = true;
          for (std::size_t c = 1; c < turned.size() && holds; ++c) holds = turned[c].holds(turned[c].ours[i], turned[c].theirs[row]);
          if (!holds) continue;
          found.left.push_back(static_cast<std::int64_t>(i));
          found.right.push_back(*at);
          if (found.right.size() - before > limits.pairs) break;
        }
        std::sort(found.right.begin() + static_cast<std::ptrdiff_t>(before), found.right.end());
        const std::uint64_t matches = found.right.size() - before;
        if (one && matches > 1 && !found.second) found.second = static_cast<std::int64_t>(i);
        const bool enough = pairs.fetch_add(matches) + matches > limits.pairs || looked_at.fetch_add(walked) + walked > limits.looked_at;
        if (enough || found.second) break;
      }
      if (keep && found.right.size() == before) {
        found.left.push_back(static_cast<std::int64_t>(i));
        found.right.push_back(-1);
      }
    }
    const std::lock_guard lock(mutex);
    parts.push_back(std::move(found));
  });
  RangeJoined out;
  out.too_many = pairs > limits.pairs || looked_at > limits.looked_at;
  std::sort(parts.begin(), parts.end(), [](const Found& a, const Found& b) { return a.begin < b.begin; });
  for (const Found& part : parts)
    if (part.second && !out.joined.second) out.joined.second = part.second;
  if (out.too_many || out.joined.second) return out;
  for (const Found& part : parts) {
    out.joined.left.insert(out.joined.left.end(), part.left.begin(), part.left.end());
    out.joined.right.insert(out.joined.right.end(), part.right.begin(), part.right.end());
  }
  return out;
}

Joined join_if(std::span<const std::int64_t> left, std::span<const std::int64_t> right, std::span<const std::uint8_t> holds, std::size_t left_rows, bool keep, bool one) {
  MLP_CHECK(left.size() == right.size() && left.size() == holds.size());
  Joined out;
  std::size_t pair = 0;
  for (std::size_t i = 0; i < left_rows; ++i) {
    const std::size_t before = out.left.size();
    for (; pair < left.size() && left[pair] == static_cast<std::int64_t>(i); ++pair) {
      if (!holds[pair]) continue;
      out.left.push_back(left[pair]);
      out.right.push_back(right[pair]);
    }
    if (one && out.left.size() - before > 1) {
      out.second = static_cast<std::int64_t>(i);
      return out;
    }
    if (keep && out.left.size() == before) {
      out.left.push_back(static_cast<std::int64_t>(i));
      out.right.push_back(-1);
    }
  }
  return out;
}

}  // namespace mlp::relation
