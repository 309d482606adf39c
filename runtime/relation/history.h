#pragma once

#include <optional>
#include <span>

#include "runtime/relation/order.h"

/// Which rows of a history lie in the window of each row that asks.
namespace mlp::relation {

/// As History, of lists that stand elsewhere.
struct HistoryView {
  std::span<const std::int64_t> rows, known, asking, begin, end;
};
/// The history by key and the time from which a row is known; the rows that ask by key and time, with the stretch of the history
/// that has their key. Times are microseconds; without times every row of the key is known always.
struct History {
  Rows rows;                         ///< of the history
  std::vector<std::int64_t> known;   ///< of each of `rows`; empty without times
  Rows asking;                       ///< rows that ask, all of them
  std::vector<std::int64_t> begin, end;  ///< of each of `asking`: its key's stretch of `rows`; empty where its key or time is missing
  HistoryView view() const { return {rows, known, asking, begin, end}; }
};
/// `history`, `asking`: as many keys. `asked`: the times of the rows that ask; null without times. `known`: from when each row of the history is known; missing: never.
History match_history(std::vector<Column> history, std::span<const Column> asking, const Column* asked, const Column* known);

/// The window of a row that asks at t: rows known in [t - ending - over, t - ending), all before t - ending where `over` is 0; or
/// with `next` in (t, t + over].
struct Window {
  std::int64_t over = 0, ending = 0;
  bool next = false;
};
/// The stretches of `history.rows` for each of `history.asking`; `asked` are the times of the rows that ask, of all rows.
struct Stretches {
  std::vector<std::int64_t> begin, end;
};
Stretches stretches(const HistoryView& history, const Column* asked, const Window& window);

/// For each row that asks the latest row of the history that is known in a window which is not `next`, among those that count (empty: all); below 0:
/// none. One pass over both in the order of their times. `index`: of the keys of the history.
Rows latest_before(const KeyIndex& index, std::span<const Column> asking, const Column& asked, const Column& known, const Window& window, std::span<const std::uint8_t> counts);

}  // namespace mlp::relation
