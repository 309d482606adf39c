#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/session.h"
#include "runtime/learn/splits.h"
#include "runtime/relation/join.h"
#include "runtime/relation/order.h"

namespace mlp::exec {

using How = plan::Arrange::How;

namespace {

/// A list that counts 0, 1, 2 … needs no data.
Column counting(std::size_t rows) {
  Column out;
  out.type = Type::of(Base::int_, true);
  out.rows = rows;
  return out;
}

bool is_counting(const relation::Rows& rows, std::size_t of) {
  if (rows.size() != of) return false;
  for (std::size_t i = 0; i < of; ++i)
    if (rows[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

/// The numbers of a side, below 0 where there is no row.
relation::Rows listed(const Column& side) {
  relation::Rows rows(side.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = !side.data ? static_cast<std::int64_t>(i) : side.is_known(i) ? side.values<std::int64_t>()[i] : -1;
  return rows;
}

/// Row numbers, missing where there is no row.
Column row_numbers(const relation::Rows& rows) {
  if (std::none_of(rows.begin(), rows.end(), [](std::int64_t row) { return row < 0; })) {
    Column out = number_columns({&rows}).front();
    out.type = Type::of(Base::int_, true);
    return out;
  }
  ColumnBuilder builder(Type::of(Base::int_, true), rows.size());
  for (const std::int64_t row : rows) row < 0 ? builder.push_missing() : builder.push_int(row);
  return builder.finish();
}

/// SplitMix64's finaliser over both words, as for random draws (kernels/abi.h): whether the row is in a sample.
bool is_sampled(std::uint64_t row, std::int64_t seed, double share) {
  std::uint64_t h = row * 0x9E3779B97F4A7C15ull ^ static_cast<std::uint64_t>(seed) * 0xD1B54A32D192ED03ull;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  h ^= h >> 31;
  return static_cast<double>(h >> 11) * 0x1p-53 < share;
}

/// The inputs [from, from + count) of a step, whole.
Result<std::vector<Column>> whole_inputs(Session& session, const plan::Step& step, std::size_t from, std::size_t count) {
  std::vector<Column> out;
  for (std::size_t i = from; i < from + count; ++i) {
    MLP_TRY(out.emplace_back(), session.whole_column(step.inputs[i]));
  }
  return out;
}

/// What a join on more than equal values may take: pairs are kept as two numbers each, and compared at some hundred millions a second.
constexpr relation::Limits kMostOfAJoin = {50'000'000, 10'000'000'000};

/// Where no value has to be equal, all rows are in one group.
relation::Matched all_match(const Session& session, const plan::Arrange& code) {
  return {std::vector<std::int64_t>(session.tables[code.of[0]]->rows, 0), std::vector<std::int64_t>(session.tables[code.of[1]]->rows, 0), 1};
}

/// `join one` found a second row for this one.
std::unexpected<diag::Diagnostic> second_match(const Session& session, const plan::Arrange& code, std::span<const Column> values, std::size_t row) {
  std::string key;
  for (const Column& column : values) key += (key.empty() ? "" : ", ") + to_string(value_at(column, row));
  const std::string of_row = key.empty() ? fmt::format("row {}", row + 1) : key;
  return failure(diag::Code::E0801, fmt::format("`{}` has more than one row for {}", session.plan.tables[code.of[1]].name, of_row),
                 "`join one` allows one match: make the key of that table unique, for example with `dedupe by`, or leave `one` out");
}

/// The table that rows are joined to, once for all fragments.
Result<std::shared_ptr<const relation::JoinSide>> other_side(Session& session, const plan::Step& step, const plan::Arrange& code) {
  const bool asof = code.how == How::asof_join;
  Hasher digest("side/1");
  for (std::size_t i = code.keys; i < 2 * code.keys; ++i) digest.add(session.whole_digest(step.inputs[i]));
  if (asof) digest.add(session.whole_digest(step.inputs[2 * code.keys + 1]));
  return session.join_sides.get(digest.finish(), [&]() -> Result<relation::JoinSide> {
    MLP_TRY(std::vector<Column> keys, whole_inputs(session, step, code.keys, code.keys));
    if (!asof) return relation::join_side(std::move(keys), nullptr);
    MLP_TRY(const Column time, session.whole_column(step.inputs[2 * code.keys + 1]));
    return relation::join_side(std::move(keys), &time);
  });
}

Result<std::vector<Column>> arrange_join(Session& session, const plan::Step& step, const plan::Arrange& code, std::size_t fragment) {
  MLP_TRY(const auto side, other_side(session, step, code));
  MLP_TRY(const std::vector<Column> left, session.columns(step, 0, code.keys, fragment));
  relation::Joined joined;
  if (code.how == How::asof_join) {
    MLP_TRY(const auto time, session.column(step.inputs[2 * code.keys], fragment));
    joined = relation::asof_join(*side, left, *time);
  } else {
    joined = relation::join(*side, left, code.left, code.one);
  }
  if (joined.second) return second_match(session, code, left, static_cast<std::size_t>(*joined.second));
  return std::vector{is_counting(joined.left, left[0].rows) ? counting(left[0].rows) : row_numbers(joined.left), row_numbers(joined.right)};
}

/// A join on more than equal values, or on none, looks at all rows of both tables.
Result<std::vector<Column>> arrange_range_join(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const std::vector<Column> left, whole_inputs(session, step, 0, code.keys));
  MLP_TRY(std::vector<Column> right, whole_inputs(session, step, code.keys, code.keys));
  const relation::Matched matched = code.keys > 0 ? relation::match(left, std::move(right)) : all_match(session, code);
  std::vector<Column> values = left;  // of the row, as a person looks for it
  std::vector<relation::Compared> compared;
  for (std::size_t i = 0; i < code.compared.size(); ++i) {
    MLP_TRY(const std::vector<Column> ours, whole_inputs(session, step, 2 * code.keys + i, 1));
    MLP_TRY(const std::vector<Column> theirs, whole_inputs(session, step, 2 * code.keys + code.compared.size() + i, 1));
    auto [our_keys, their_keys] = relation::sort_keys(ours[0], theirs[0]);
    compared.push_back({static_cast<relation::Compared::Is>(code.compared[i]), std::move(our_keys), std::move(their_keys)});
    const auto input = step.inputs.begin() + static_cast<std::ptrdiff_t>(2 * code.keys + i);
    if (std::find(step.inputs.begin(), input, *input) == input) values.push_back(ours[0]);  // the two ends of an interval ask for one value
  }
  const relation::RangeJoined found = relation::range_join(matched, compared, code.left, code.one, kMostOfAJoin);
  if (found.too_many)
    return failure(diag::Code::E0801, fmt::format("too many rows of `{}` match rows of `{}`, or would have to be compared with them", session.plan.tables[code.of[1]].name, session.plan.tables[code.of[0]].name),
                   "more than 50 million matches, or ten thousand million comparisons, are not made: let the condition set a value equal in both tables, or compare with `<`, `<=`, `>`, `>=` alone");
  if (found.joined.second) return second_match(session, code, values, static_cast<std::size_t>(*found.joined.second));
  return std::vector{row_numbers(found.joined.left), row_numbers(found.joined.right)};
}

/// Of the pairs of a join those for which the whole condition is true; of a fragment, where the join is made per fragment.
Result<std::vector<Column>> arrange_join_if(Session& session, const plan::Step& step, const plan::Arrange& code, std::size_t fragment) {
  MLP_TRY(const Columns pairs, session.parts(step.inputs[0], fragment));
  Column condition;
  if (step.per_fragment) {
    MLP_TRY(const auto cell, session.column(step.inputs[1], fragment));
    condition = *cell;
  } else {
    MLP_TRY(condition, session.whole_column(step.inputs[1]));
  }
  const std::vector<std::uint8_t> holds = true_rows(condition);
  const std::uint64_t rows = step.per_fragment ? session.tables[code.of[0]]->fragments[fragment].rows : session.tables[code.of[0]]->rows;
  const relation::Rows left = listed((*pairs)[0]), right = listed((*pairs)[1]);
  const relation::Joined joined = relation::join_if(left, right, holds, rows, code.left, code.one);
  if (joined.second) {
    const plan::Step& pair_step = session.plan[step.inputs[0]];
    const auto& pair_code = std::get<plan::Arrange>(pair_step.code);
    std::vector<Column> values;
    if (step.per_fragment) {
      MLP_TRY(values, session.columns(pair_step, 0, pair_code.keys, fragment));
    } else {
      MLP_TRY(values, whole_inputs(session, pair_step, 0, pair_code.keys));
    }
    return second_match(session, code, values, static_cast<std::size_t>(*joined.second));
  }
  return std::vector{step.per_fragment && is_counting(joined.left, rows) ? counting(rows) : row_numbers(joined.left), row_numbers(joined.right)};
}

/// The rows that a sample holds: each is chosen by a number that its values, and which of the rows with these values it is, give.
Result<std::vector<Column>> arrange_sample(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const std::vector<Column> columns, whole_inputs(session, step, 0, code.keys));
  std::vector<std::int64_t> kept;
  const std::vector<std::uint8_t> chosen = learn::sample_rows(columns, code.share, code.one);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) kept.push_back(static_cast<std::int64_t>(i));
  return std::vector{row_numbers(kept)};
}

/// The rows that each window holds out, window by window.
Result<std::vector<Column>> arrange_windows(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const Column split, session.whole_column(step.inputs[0]));
  const auto numbers = split.values<std::int64_t>();
  std::vector<std::int64_t> row, window;
  for (int w = 0; w < static_cast<int>(code.first); ++w) {
    const plan::WindowSegments held = plan::window_segments(w, static_cast<int>(code.first), code.every, code.ahead);
    for (std::size_t i = 0; i < split.rows; ++i) {
      if (!split.is_known(i)) continue;
      const std::int64_t segment = numbers[i] / plan::Rows::kSegments;
      if (segment < held.first || segment > held.last) continue;
      row.push_back(static_cast<std::int64_t>(i));
      window.push_back(w);
    }
  }
  return number_columns({&row, &window});
}

Result<std::vector<Column>> arrange_fill(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
  MLP_TRY(const Column time, session.whole_column(step.inputs[code.keys]));
  const relation::Groups groups = relation::group_sorted(relation::sort_keys_of(keys), time.rows);
  const relation::Filled filled = relation::fill(groups, time, code.every, code.ahead);
  if (filled.too_many)
    return failure(diag::Code::E0801, fmt::format("`{}` would have more than two thousand million rows", session.plan.tables[step.table].name),
                   "fill in longer steps, or leave out the rows whose time lies far off");
  return std::vector{row_numbers(filled.row), row_numbers(filled.of_key), number_columns({&filled.time}).front()};
}

/// Rows 0, 1 … of a fragment, each `times` times, with what the second side holds.
std::vector<Column> repeated(std::uint64_t rows, std::int64_t times, std::int64_t first) {
  std::vector<std::int64_t> row, number;
  row.reserve(rows * static_cast<std::uint64_t>(times)), number.reserve(row.capacity());
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < times; ++k) row.push_back(static_cast<std::int64_t>(i)), number.push_back(first + k);
  return number_columns({&row, &number});
}

}  // namespace

Result<Column> filter(Session& session, const plan::Step& step, const plan::Filter& code, std::size_t fragment) {
  const io::Fragment& place = session.tables[code.of]->fragments[fragment];
  Column stays;
  stays.type = Type::of(Base::bool_);
  stays.rows = place.rows;
  stays.data = Buffer(place.rows);
  const auto out = stays.data.as_mutable<std::uint8_t>();
  if (code.share) {
    for (std::uint64_t i = 0; i < place.rows; ++i) out[i] = is_sampled(place.first_row + i, code.seed, *code.share);
    return stays;
  }
  MLP_TRY(const auto condition, session.column(step.inputs[0], fragment));
  const auto values = condition->values<std::uint8_t>();
  for (std::size_t i = 0; i < condition->rows; ++i) out[i] = values[i] != 0 && condition->is_known(i);
  return stays;
}

std::vector<Column> kept_rows(const Column& stays) {
  const auto values = stays.values<std::uint8_t>();
  std::vector<std::int64_t> kept;
  kept.reserve(stays.rows);
  for (std::size_t i = 0; i < stays.rows; ++i)
    if (values[i] != 0) kept.push_back(static_cast<std::int64_t>(i));
  if (kept.size() == stays.rows) return {counting(stays.rows)};
  return number_columns({&kept});
}

Result<std::vector<Column>> arrange(Session& session, plan::StepId id, const plan::Arrange& code, std::size_t fragment) {
  const plan::Step& step = session.plan[id];
  const io::Table& of = *session.tables[code.of[0]];
  const auto rows_here = [&] { return of.fragments[fragment].rows; };
  switch (code.how) {
    case How::sort: {
      MLP_TRY(const std::vector<Column> order, whole_inputs(session, step, 0, step.inputs.size()));
      return std::vector{row_numbers(relation::sorted(relation::sort_keys_of(order, code.descending), of.rows))};
    }
    case How::dedupe: {
      MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
      MLP_TRY(const std::vector<Column> order, whole_inputs(session, step, code.keys, code.descending.size()));
      const bool last = !code.descending.empty() && code.descending[0] != 0;
      return std::vector{row_numbers(relation::deduped(relation::group_rows(relation::sort_keys_of(keys), of.rows), relation::sort_keys_of(order, code.descending), last))};
    }
    case How::group: {
      MLP_TRY(const auto groups, grouped(session, id));
      return number_columns({&groups->first_row});
    }
    case How::join:
    case How::asof_join: return code.is_whole() ? arrange_range_join(session, step, code) : arrange_join(session, step, code, fragment);
    case How::join_if: return arrange_join_if(session, step, code, fragment);
    case How::fill: return arrange_fill(session, step, code);
    case How::sample: return arrange_sample(session, step, code);
    case How::windows: return arrange_windows(session, step, code);
    case How::limit: {
      const std::uint64_t before = of.fragments[fragment].first_row, most = static_cast<std::uint64_t>(code.first);
      return std::vector{counting(before >= most ? 0 : std::min(rows_here(), most - before))};
    }
    case How::unpivot: return repeated(rows_here(), code.first, 0);
    case How::cross: return repeated(rows_here(), code.last - code.first + 1, code.first);
    case How::union_: return std::vector<Column>();
  }
  MLP_CHECK(false && "a way to arrange rows");
  return std::vector<Column>();
}

std::pair<std::size_t, std::size_t> part_of_union(const Session& session, const plan::Arrange& code, std::size_t fragment) {
  std::size_t table = 0;
  while (fragment >= session.tables[code.of[table]]->fragments.size()) fragment -= session.tables[code.of[table++]]->fragments.size();
  return {table, fragment};
}

Result<std::uint64_t> made_rows(Session& session, plan::StepId id, std::size_t fragment) {
  const auto& code = std::get<plan::Arrange>(session.plan[id].code);
  if (code.how == How::union_) {
    const auto [table, part] = part_of_union(session, code, fragment);
    return session.tables[code.of[table]]->fragments[part].rows;
  }
  MLP_TRY(const Columns sides, session.parts(id, fragment));
  return sides->front().rows;
}

io::Table made_fragments(const Session& session, plan::StepId id) {
  const StepState& state = session.steps[id.index()];
  io::Table table;
  const auto add = [&](std::uint64_t rows, const Digest& content) {
    io::Fragment fragment;
    fragment.rows = rows;
    fragment.first_row = table.rows;
    fragment.content = content;
    table.rows += rows;
    table.fragments.push_back(fragment);
  };
  if (session.plan[id].per_fragment) {
    for (std::size_t f = 0; f < state.outputs.size(); ++f) add(state.rows[f], state.outputs[f]);
    return table;
  }
  const std::uint64_t rows = state.rows.at(0), most = session.options.fragment_rows;
  for (std::uint64_t from = 0; from < rows; from += most) add(std::min(most, rows - from), Hasher("made/1").add(state.outputs[0]).add(from).finish());
  return table;
}

Result<std::vector<Column>> order_rows(Session& session, const plan::Step& step, const plan::OrderRows& code) {
  MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
  MLP_TRY(const std::vector<Column> order, whole_inputs(session, step, code.keys, code.descending.size()));
  const std::vector<relation::SortKeys> by = relation::sort_keys_of(order, code.descending);
  relation::Partition partition = relation::partition(relation::group_sorted(relation::sort_keys_of(keys), session.fragments(step).rows));
  relation::sort_partitions(partition, by);
  std::vector<std::int64_t> tied;
  for (const std::uint8_t tie : relation::ties(partition, by)) tied.push_back(tie);
  return number_columns({&partition.rows, &partition.ends, &tied});
}

}  // namespace mlp::exec
