#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/exec/session.h"
#include "runtime/learn/time_cuts.h"

namespace mlp::exec {

namespace {

std::unexpected<diag::Diagnostic> no_rows(const std::string& part, std::size_t rows) {
  return failure(diag::Code::E0806, fmt::format("the {} part of the split has no rows", part),
                 fmt::format("{} rows have a time and a label that is known by now; give the part more, or shorten the gap", rows));
}

}  // namespace

Result<Column> cut_by_time(Session& session, const plan::Step& step, const plan::CutByTime& code) {
  const std::size_t times = code.known_after.size();
  std::vector<Column> columns;
  const std::size_t inputs = times + (code.label ? 1 : 0) + (code.chosen ? 1 : 0);
  for (std::size_t i = 0; i < inputs; ++i) {
    MLP_TRY(columns.emplace_back(), session.whole_column(step.inputs[i]));
  }
  // A label that will be known later than now is none yet.
  std::optional<std::int64_t> now = code.until_us;
  if (step.inputs.size() > inputs) {
    MLP_TRY(now, newest_time(session, step.inputs.back()));
  }
  const std::size_t count = columns[0].rows;
  std::vector<learn::TimedRow> rows;
  std::vector<std::size_t> row_of;
  for (std::size_t i = 0; i < count; ++i) {
    if (!columns[0].is_known(i) || (code.label && !columns[times].is_known(i))) continue;
    if (code.chosen && !(columns.back().is_known(i) && columns.back().values<std::uint8_t>()[i] != 0)) continue;
    learn::TimedRow row{columns[0].values<std::int64_t>()[i], INT64_MIN};
    if (code.until_us && row.time > *code.until_us) continue;
    for (std::size_t t = 0; t < times; ++t) {
      // A time that is missing never comes.
      std::int64_t known = INT64_MAX;
      if (columns[t].is_known(i) && __builtin_add_overflow(columns[t].values<std::int64_t>()[i], code.known_after[t], &known)) known = INT64_MAX;
      row.known = std::max(row.known, known);
    }
    if (now && row.known > *now) continue;
    rows.push_back(row);
    row_of.push_back(i);
  }
  std::vector<std::int64_t> parts(rows.size());
  if (code.windows > 0) {
    if (rows.empty()) return no_rows("training", 0);
    const std::vector<std::int64_t> cuts = learn::window_cuts(rows, code.windows, code.every_us, code.horizon_us);
    std::vector<std::size_t> in_segment(cuts.size() + 1, 0);
    std::size_t first_window = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto segment = std::upper_bound(cuts.begin(), cuts.end(), rows[r].time) - cuts.begin();
      const auto known = std::lower_bound(cuts.begin(), cuts.end(), rows[r].known) - cuts.begin();
      parts[r] = plan::Rows::kSegments * segment + known;
      ++in_segment[static_cast<std::size_t>(segment)];
      first_window += segment == 0 && known == 0;
    }
    if (first_window == 0)
      return failure(diag::Code::E0806, "the first window of the rolling split has no rows to train on",
                     fmt::format("{} windows reach back behind the first rows: take fewer, or a shorter `every`", code.windows));
    for (int window = 0; window < code.windows; ++window) {
      const plan::WindowSegments held = plan::window_segments(window, code.windows, code.every_us, code.horizon_us);
      const auto begin = in_segment.begin();
      if (std::all_of(begin + held.first, begin + held.last + 1, [](std::size_t count) { return count == 0; })) return no_rows(fmt::format("{}th window's", window + 1), rows.size());
    }
  } else if (code.folds > 0) {
    const std::vector<std::int64_t> cuts = learn::fold_cuts(rows, code.folds);
    std::vector<std::size_t> in_fold(static_cast<std::size_t>(code.folds), 0);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      parts[r] = std::upper_bound(cuts.begin(), cuts.end(), rows[r].time) - cuts.begin();
      ++in_fold[static_cast<std::size_t>(parts[r])];
    }
    for (std::size_t fold = 0; fold < in_fold.size(); ++fold)
      if (in_fold[fold] == 0) return no_rows(fmt::format("{}th fold's", fold + 1), rows.size());
  } else {
    std::string empty;
    const auto cuts = learn::time_cuts(rows, code.percent, empty);
    if (!cuts) return no_rows(empty, rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) parts[r] = learn::part_at(rows[r], *cuts);
  }
  ColumnBuilder out(Type::of(Base::int_, true), count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (next < row_of.size() && row_of[next] == i) out.push_int(parts[next++]);
    else out.push_missing();
  }
  return out.finish();
}

}  // namespace mlp::exec
