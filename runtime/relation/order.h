#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/column/column.h"

/// Rows by the values of columns: groups, partitions, sorted orders. Every result is a function of the rows alone, in one order:
/// ascending, texts by their bytes, missing values last, equal rows as they stand.
namespace mlp::relation {

using Rows = std::vector<std::int64_t>;

/// Numbers that order as the values do; equal where the values are.
struct SortKeys {
  static constexpr std::int64_t kMissing = INT64_MAX;  ///< behind all values
  std::span<const std::int64_t> keys;
  Buffer bytes;  ///< that hold them, of the column itself where its values are the keys

  static SortKeys of(const std::vector<std::int64_t>& keys);
};
/// `descending` turns the order of the values; missing ones stay last.
SortKeys sort_keys(const Column& column, bool descending = false);
/// Of each column; `descending`: of the first ones, the others ascend.
std::vector<SortKeys> sort_keys_of(std::span<const Column> columns, const std::vector<std::uint8_t>& descending = {});
/// Of two columns together, so that equal values of both have equal keys; types are of one base, or both texts.
std::pair<SortKeys, SortKeys> sort_keys(const Column& left, const Column& right);

/// Rows of equal keys.
struct Groups {
  std::vector<std::int64_t> group_of;        ///< of each row
  std::vector<std::int64_t> representative;  ///< the first row of each group
};
/// Groups in the order of their first rows, and the way from keys to a group.
class KeyTable {
 public:
  KeyTable(std::span<const SortKeys> keys, std::size_t rows);
  Groups groups;
  /// The group of these rows whose keys are those of a row elsewhere; below 0: none.
  std::int64_t find(std::span<const SortKeys> other, std::size_t row) const;
  /// The same of rows [begin, end), into their places; of a row with a missing key, if not `missing_is_equal`, below 0.
  void find(std::span<const SortKeys> other, std::size_t begin, std::size_t end, bool missing_is_equal, std::span<std::int64_t> out) const;
  std::span<const SortKeys> keys() const { return keys_; }

 private:
  void fill_places();
  void fill_slots();
  std::vector<SortKeys> keys_;
  std::size_t rows_;
  /// Keys that lie close together count their own places: of each the lowest, how many there are (the last for missing ones), and how many
  /// places one step of it is. Empty: they are hashed.
  struct Span {
    std::int64_t low = 0;
    std::uint64_t count = 0, stride = 0;
  };
  std::vector<Span> spans_;
  std::vector<std::int64_t> slots_;  ///< groups by place, or by hash; below 0: none
};
/// The rows of a table by their keys, and the way from the keys of other rows to them.
class KeyIndex {
 public:
  /// Columns of so many rows; without one all rows are equal.
  KeyIndex(std::vector<Column> columns, std::size_t rows);
  const Groups& groups() const { return table_.groups; }
  const std::vector<Column>& columns() const { return columns_; }
  /// The group of each row; below 0 for one with a missing key.
  std::vector<std::int64_t> groups_with_keys() const;
  /// For each row of the other columns the group whose keys are equal, in types of one base or texts; below 0: none. `missing_is_equal`: a missing
  /// value is equal to a missing one, else to nothing.
  std::vector<std::int64_t> find(std::span<const Column> other, std::size_t rows, bool missing_is_equal) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::unordered_map<std::string_view, std::int64_t>> texts_;  ///< of each column of texts: the keys of its values
  KeyTable table_;
};
/// Groups in the order of their first rows.
Groups group_rows(std::span<const SortKeys> keys, std::size_t rows);
/// Groups in the order of their keys.
Groups group_sorted(std::span<const SortKeys> keys, std::size_t rows);

/// All rows by group, and where each group ends among them.
struct Partition {
  Rows rows;
  std::vector<std::int64_t> ends;
};
Partition partition(const Groups& groups);
/// The same of rows of which each has one of so many groups; rows below 0 are left out.
Partition partition(std::span<const std::int64_t> group_of, std::size_t groups);
/// The rows of each partition by `keys`.
void sort_partitions(Partition& partition, std::span<const SortKeys> keys);
/// 1 for a row of a partition that has the keys of the one before it.
std::vector<std::uint8_t> ties(const Partition& partition, std::span<const SortKeys> keys);

/// All rows by the keys.
Rows sorted(std::span<const SortKeys> keys, std::size_t rows);
/// One row of each group, in the order of the table: the first by `order`, of equal ones the first, or the last where `last`.
Rows deduped(const Groups& groups, std::span<const SortKeys> order, bool last);

}  // namespace mlp::relation
