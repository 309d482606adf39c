#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/column/column.h"

/// Which part of a split a row belongs to: independent of fragments, threads and paths.
namespace mlp::learn {

/// The parts of a split in whole percents that sum to 100, or `folds` equal folds.
struct SplitShape {
  std::vector<int> percent;  ///< 70, 15, 15; empty with folds
  int folds = 0;
  std::int64_t seed = 0;
};

/// By key: a row's part is a function of its own key values, the seed and (stratified) nothing else, so a row inserted anywhere
/// moves no other. Strata are dealt independently by the hash of stratum and key, which keeps their shares in expectation.
/// `keys` must not be empty; columns of equal length. A missing key value hashes as itself. Rows whose `stratum` value is missing
/// get -1: they take no part. `stratum` may be null.
std::vector<std::int32_t> assign_by_key(const SplitShape& shape, std::span<const Column> keys, const Column* stratum);

/// A share of the rows: 1 for those that belong to it. A row is chosen by its values alone, with `one_by_one` also by how many rows before it
/// have the same; so an appended row moves no other, and a smaller share is a part of a larger one. `columns` must not be empty.
std::vector<std::uint8_t> sample_rows(std::span<const Column> columns, double share, bool one_by_one);

/// Where dealing has got to: rows dealt so far in each stratum. Sorted by stratum; empty before the first fragment.
struct DeckPosition {
  std::vector<std::pair<std::string, std::uint64_t>> dealt;
};

/// Without a key: each stratum has its own seeded decks. A deck is a shuffle of 100 slots that holds every part as often as its
/// percents say (folds: `folds` slots, one each), so any 100 rows in a row of a stratum have exactly the shares asked for. Rows are
/// dealt in table order; `position` comes from the fragment before and is moved on. Appended rows move nobody.
std::vector<std::int32_t> assign_by_decks(const SplitShape& shape, std::size_t rows, const Column* stratum, DeckPosition& position);

/// Rows of each stratum in a fragment: what moves a DeckPosition past it without dealing.
DeckPosition count_strata(std::size_t rows, const Column* stratum);
/// The position behind two consecutive stretches of rows.
DeckPosition advance(DeckPosition position, const DeckPosition& by);

}  // namespace mlp::learn
