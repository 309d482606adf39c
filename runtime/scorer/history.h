#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/plan/scorer.h"
#include "runtime/column/column.h"

/// Rows that a scorer looks up: a history, or the other table of a join. Of this room only.
namespace mlp::scorer {

/// Sorted by key and the time from which a row is known.
struct KeptHistory {
  std::vector<Column> keys;
  bool timed = false;               ///< else known always
  std::vector<std::int64_t> known;
  std::optional<Column> values;
  std::unordered_map<std::string, std::pair<std::int64_t, std::int64_t>> stretch_of;  ///< of each key
};

/// From the object that a KeepHistory step made. E0903.
Result<std::shared_ptr<const KeptHistory>> load_history(std::string_view bytes);
/// Whether the column may ask this history: as many keys, a time where it has times, values where the aggregate takes some.
bool fits(const KeptHistory& history, const plan::ScorerColumn& column);
/// The value of each row, from its keys and, where the history has times, its time.
Column look_up(const KeptHistory& history, const plan::ScorerColumn& column, std::span<const Column> by, std::size_t rows);

}  // namespace mlp::scorer
