#pragma once

#include <optional>

#include "runtime/relation/order.h"

/// Rows of two tables side by side.
namespace mlp::relation {

/// A table that rows of others are joined to.
struct JoinSide {
  KeyIndex index;
  Partition rows;                ///< by key, rows with a missing one left out; by time where there is one
  std::optional<SortKeys> time;  ///< of an asof join
};
/// `keys`: at least one column.
JoinSide join_side(std::vector<Column> keys, const Column* time);

struct Joined {
  Rows left, right;                       ///< right: below 0 where there is no match
  std::optional<std::int64_t> second;     ///< `one`: the first row of the left that has a second match
};
/// In the order of the left, the matches of one row in the order of the right. A missing key is equal to nothing. `keep`: rows without a match stay.
Joined join(const JoinSide& side, std::span<const Column> left, bool keep, bool one);

/// Groups of both tables' rows: a row of the left has the number of the right rows with the same keys; below 0 where none has them.
/// A missing value is equal to nothing.
struct Matched {
  std::vector<std::int64_t> left, right;  ///< group of each row
  std::size_t groups = 0;
};
Matched match(std::span<const Column> left, std::vector<Column> right);

/// A comparison of a value of the left row with one of the right, by their keys; it does not hold where one is missing.
struct Compared {
  enum class Is : std::uint8_t { less, at_most, more, at_least } is = Is::less;
  SortKeys ours, theirs;
};
struct Limits {
  std::uint64_t pairs = 0, looked_at = 0;  ///< pairs that match, and pairs that are compared
};
struct RangeJoined {
  Joined joined;
  bool too_many = false;  ///< a limit was reached: nothing is joined
};
/// As join, of rows of one group for which the comparisons hold too. The right is sorted by the first comparison, and left as soon as the
/// second holds no longer, so that rows which fall into intervals are found in a few steps.
RangeJoined range_join(const Matched& matched, std::span<const Compared> compared, bool keep, bool one, const Limits& limits);
/// As join, of the pairs where `holds` is 1; `left` ascends.
Joined join_if(std::span<const std::int64_t> left, std::span<const std::int64_t> right, std::span<const std::uint8_t> holds, std::size_t left_rows, bool keep, bool one);
/// For each row of the left the latest row of the right that is not later, of equally late ones the last; below 0: none.
Joined asof_join(const JoinSide& side, std::span<const Column> left, const Column& left_time);

/// A calendar without holes: for every key the times from its first to the table's last and `ahead` further, in steps of `every`
/// from the first, and the rows that there are, by key and time.
struct Filled {
  Rows row;             ///< below 0: it was missing
  Rows of_key;          ///< a row of the same key
  std::vector<std::int64_t> time;
  bool too_many = false;  ///< more rows than a table may have: nothing was filled
};
Filled fill(const Groups& groups, const Column& time, std::int64_t every, std::int64_t ahead);

}  // namespace mlp::relation
