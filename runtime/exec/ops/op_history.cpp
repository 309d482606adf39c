#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/column/byte_list.h"
#include "runtime/column/codec.h"
#include "runtime/exec/session.h"
#include "runtime/learn/native.h"
#include "runtime/relation/history.h"

namespace mlp::exec {

namespace {

using Numbers = std::span<const std::int64_t>;

std::int64_t later(std::int64_t time, std::int64_t by) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time, by, &sum) ? (by > 0 ? INT64_MAX - 1 : INT64_MIN) : sum;
}

/// From when each row is known: the latest of its times, each with what is added to it; missing where one is.
Column known_column(std::span<const Column> times, const std::vector<std::int64_t>& after) {
  if (times.size() == 1 && after[0] == 0) return times[0];
  ColumnBuilder builder(Type::of(Base::timestamp, true), times[0].rows);
  for (std::size_t i = 0; i < times[0].rows; ++i) {
    std::int64_t latest = INT64_MIN;
    bool is_known = true;
    for (std::size_t t = 0; t < times.size(); ++t) {
      is_known = is_known && times[t].is_known(i);
      latest = std::max(latest, later(times[t].values<std::int64_t>()[i], after[t]));
    }
    is_known ? builder.push_int(latest) : builder.push_missing();
  }
  return builder.finish();
}

/// What an aggregate reads of the ordered rows `list`, of which `order` tells which they are: several aggregates read the same.
struct Arguments {
  Columns values;
  std::vector<std::uint8_t> use;
};
Result<Arguments> arguments(Session& session, const plan::Step& step, const plan::Aggregate& code, std::size_t from, const Digest& order, Numbers list) {
  Arguments out;
  if (code.columns > 0) {
    const Digest digest = Hasher("ordered/1").add(order).add(session.whole_digest(step.inputs[from])).finish();
    out.values = session.cache.find(digest);
    if (!out.values) {
      MLP_TRY(const Column whole, session.whole_column(step.inputs[from]));
      out.values = session.cache.keep(digest, {take(whole, list, std::monostate{}, whole.type)});
    }
  }
  if (code.where) {
    MLP_TRY(const Column condition, session.whole_column(step.inputs[from + code.columns]));
    const auto values = condition.values<std::uint8_t>();
    out.use.reserve(list.size());
    for (const std::int64_t row : list) out.use.push_back(values[static_cast<std::size_t>(row)] != 0 && condition.is_known(static_cast<std::size_t>(row)));
  }
  return out;
}

/// values[i] is of row rows[i].
Column in_row_order(const Column& values, Numbers rows, const Type& type) {
  std::vector<std::int64_t> place(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) place[static_cast<std::size_t>(rows[i])] = static_cast<std::int64_t>(i);
  return take(values, place, std::monostate{}, type);
}

}  // namespace

/// An aggregate over groups, or over the partitions of a window.
Result<Column> aggregate(Session& session, const plan::Step& step, const plan::Aggregate& code) {
  const learn::NativeAggregate* native = learn::find_aggregate(code.native);
  MLP_CHECK(native != nullptr);
  const bool grouped = std::holds_alternative<plan::Arrange>(session.plan[step.inputs[0]].code);
  std::shared_ptr<const relation::Partition> groups;
  Columns order;
  if (grouped) {
    MLP_TRY(groups, rows_by_group(session, step.inputs[0]));
  } else {
    MLP_TRY(order, session.parts(step.inputs[0]));
  }
  const Numbers rows = grouped ? Numbers(groups->rows) : (*order)[0].values<std::int64_t>(), ends = grouped ? Numbers(groups->ends) : (*order)[1].values<std::int64_t>();
  MLP_TRY(const Arguments given, arguments(session, step, code, 1, session.output(step.inputs[0], 0), rows));
  learn::AggregateInput input;
  input.values = given.values ? &given.values->front() : nullptr;
  input.rows = rows.size();
  input.use = given.use;
  input.options = code.options;
  input.type = code.type;
  std::vector<std::int64_t> begin, end, at;
  for (std::size_t g = 0; g < ends.size(); ++g) {
    const std::int64_t from = g == 0 ? 0 : ends[g - 1];
    const std::int64_t count = grouped ? 1 : ends[g] - from;
    for (std::int64_t i = 0; i < count; ++i) begin.push_back(from), end.push_back(ends[g]), at.push_back(from + i);
  }
  input.begin = begin, input.end = end;
  if (grouped) return native->value(input);
  std::vector<std::uint8_t> ties;
  for (const std::int64_t tie : (*order)[2].values<std::int64_t>()) ties.push_back(tie != 0);
  input.at = at, input.ties = ties;
  return in_row_order(native->value(input), rows, code.type);
}

namespace {

/// What a MatchHistory compares.
struct Sides {
  std::vector<Column> asking, theirs;  ///< keys
  std::optional<Column> asked, known;  ///< times
};
Result<Sides> sides_of(Session& session, const plan::Step& step, const plan::MatchHistory& code) {
  const bool timed = !code.known_after.empty();
  Sides out;
  for (std::size_t k = 0; k < code.keys; ++k) {
    MLP_TRY(out.asking.emplace_back(), session.whole_column(step.inputs[k]));
    MLP_TRY(out.theirs.emplace_back(), session.whole_column(step.inputs[code.keys + (timed ? 1 : 0) + k]));
  }
  if (!timed) return out;
  MLP_TRY(out.asked, session.whole_column(step.inputs[code.keys]));
  const std::size_t first = 2 * code.keys + 1;
  std::vector<Column> times;
  for (std::size_t t = 0; t < code.known_after.size(); ++t) {
    MLP_TRY(times.emplace_back(), session.whole_column(step.inputs[first + t]));
  }
  out.known = known_column(times, code.known_after);
  return out;
}

/// `latest` needs no lists of rows: one pass in the order of time.
Result<Column> latest_of_history(Session& session, const plan::Step& step, const plan::History& code, const relation::Window& window) {
  const plan::Step& match = session.plan[step.inputs[0]];
  MLP_TRY(const Sides sides, sides_of(session, match, std::get<plan::MatchHistory>(match.code)));
  Hasher keys("keys/1");
  for (std::size_t k = 0; k < sides.theirs.size(); ++k) keys.add(session.whole_digest(match.inputs[sides.asking.size() + 1 + k]));
  keys.add(sides.known->rows);
  MLP_TRY(const auto index, session.key_indices.get(keys.finish(), [&]() -> Result<relation::KeyIndex> { return relation::KeyIndex(sides.theirs, sides.known->rows); }));
  MLP_TRY(const Column values, session.whole_column(step.inputs[2]));
  std::vector<std::uint8_t> counts;
  if (code.aggregate.where || values.known) {
    counts.assign(values.rows, 1);
    if (code.aggregate.where) {
      MLP_TRY(const Column condition, session.whole_column(step.inputs[3]));
      counts = true_rows(condition);
    }
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = counts[i] && values.is_known(i);
  }
  const relation::Rows rows = relation::latest_before(*index, sides.asking, *sides.asked, *sides.known, window, counts);
  return take(values, rows, std::monostate{}, code.aggregate.type);
}

}  // namespace

Result<std::vector<Column>> match_history(Session& session, const plan::Step& step, const plan::MatchHistory& code) {
  MLP_TRY(Sides sides, sides_of(session, step, code));
  const relation::History history = relation::match_history(std::move(sides.theirs), sides.asking, sides.asked ? &*sides.asked : nullptr, sides.known ? &*sides.known : nullptr);
  return number_columns({&history.rows, &history.known, &history.asking, &history.begin, &history.end});
}

Result<Column> history(Session& session, const plan::Step& step, const plan::History& code) {
  const learn::NativeAggregate* native = learn::find_aggregate(code.aggregate.native);
  MLP_CHECK(native != nullptr);
  const bool timed = !std::get<plan::MatchHistory>(session.plan[step.inputs[0]].code).known_after.empty();
  const relation::Window window{code.over_us, code.next ? 0 : code.ending_us, code.next};
  if (timed && !code.next && native->is_latest) return latest_of_history(session, step, code, window);
  MLP_TRY(const Columns parts, session.parts(step.inputs[0]));
  const auto part = [&](std::size_t i) { return (*parts)[i].values<std::int64_t>(); };
  const relation::HistoryView found{part(0), part(1), part(2), part(3), part(4)};
  const Digest& order = session.output(step.inputs[0], 0);
  std::optional<Column> asked;
  if (timed) {
    MLP_TRY(asked, session.whole_column(step.inputs[1]));
  }
  // Many aggregates have the same window.
  const Digest window_digest = Hasher("stretches/1").add(order).add(timed ? session.whole_digest(step.inputs[1]) : Digest{}).add(window.over).add(window.ending).add(window.next).finish();
  Columns bounds = session.cache.find(window_digest);
  if (!bounds) {
    const relation::Stretches stretches = relation::stretches(found, asked ? &*asked : nullptr, window);
    bounds = session.cache.keep(window_digest, number_columns({&stretches.begin, &stretches.end}));
  }
  MLP_TRY(const Arguments given, arguments(session, step, code.aggregate, timed ? 2 : 1, order, found.rows));
  learn::AggregateInput input;
  input.values = given.values ? &given.values->front() : nullptr;
  input.rows = found.rows.size();
  input.use = given.use;
  input.begin = bounds->front().values<std::int64_t>(), input.end = bounds->back().values<std::int64_t>();
  input.options = code.aggregate.options;
  input.type = code.aggregate.type;
  Column values = in_row_order(native->value(input), found.asking, code.aggregate.type);
  if (!code.next) return values;
  // What lies ahead is known where the whole window has passed.
  std::int64_t now = code.as_of_us.value_or(INT64_MIN);
  if (code.asks_as_of) {
    MLP_TRY(const auto newest, newest_time(session, step.inputs.back()));
    if (newest) now = *newest;
  }
  std::vector<std::int64_t> rows(values.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool mature = asked->is_known(i) && later(later(asked->values<std::int64_t>()[i], code.over_us), code.ending_us) <= now;
    rows[i] = mature ? static_cast<std::int64_t>(i) : -1;
  }
  return take(values, rows, std::monostate{}, code.aggregate.type.maybe());
}

Result<std::string> keep_history(Session& session, const plan::Step& step, const plan::KeepHistory& code) {
  std::vector<Column> columns;
  for (const plan::StepId input : step.inputs) {
    MLP_TRY(columns.emplace_back(), session.whole_column(input));
  }
  const std::size_t rows = columns[0].rows, times = code.known_after.size();
  const std::vector<relation::SortKeys> keys = relation::sort_keys_of(std::span(columns).first(code.keys));
  std::optional<Column> known;
  if (times > 0) known = known_column(std::span(columns).subspan(code.keys, times), code.known_after);
  relation::Partition partition = relation::partition(relation::group_rows(keys, rows));
  if (known) {
    const relation::SortKeys time = relation::sort_keys(*known);
    relation::sort_partitions(partition, {&time, 1});
  }
  // Rows that nothing may find are left out: without a key, never known, or not chosen.
  std::vector<std::int64_t> kept;
  for (const std::int64_t row : partition.rows) {
    const auto i = static_cast<std::size_t>(row);
    bool good = !known || known->is_known(i);
    for (std::size_t k = 0; k < code.keys; ++k) good = good && columns[k].is_known(i);
    if (code.where) good = good && columns.back().is_known(i) && columns.back().values<std::uint8_t>()[i] != 0;
    if (good) kept.push_back(row);
  }
  std::vector<std::string> parts = {{static_cast<char>(code.keys), static_cast<char>(times > 0), static_cast<char>(code.values)}};
  const auto add = [&](const Column& column) { parts.push_back(encode(take(column, kept, std::monostate{}, column.type))); };
  for (std::size_t k = 0; k < code.keys; ++k) add(columns[k]);
  if (known) add(*known);
  if (code.values) add(columns[code.keys + times]);
  return pack(parts);
}

Result<std::optional<std::int64_t>> newest_time(Session& session, plan::StepId as_of) {
  MLP_TRY(const std::string bytes, session.object(as_of));
  MLP_TRY(const Column newest, decode_column(bytes));
  if (newest.rows != 1 || newest.type.base != Base::timestamp) return failure(diag::Code::E0903, "the newest time is damaged", "run again: it is made anew");
  return newest.is_known(0) ? std::optional(newest.values<std::int64_t>()[0]) : std::nullopt;
}

Result<std::string> as_of(Session& session, const plan::Step& step) {
  std::optional<std::int64_t> newest;
  for (const plan::StepId input : step.inputs) {
    const std::size_t count = session.fragments(session.plan[input]).fragments.size();
    for (std::size_t f = 0; f < count; ++f) {
      MLP_TRY(const auto times, session.column(input, f));
      const auto values = times->values<std::int64_t>();
      for (std::size_t i = 0; i < times->rows; ++i)
        if (times->is_known(i)) newest = std::max(newest.value_or(values[i]), values[i]);
    }
  }
  return encode(constant(Type::of(Base::timestamp, true), newest ? Value(*newest) : Value(), 1));
}

}  // namespace mlp::exec
