#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/exec/session.h"
#include "runtime/relation/join.h"
#include "runtime/relation/order.h"

namespace mlp::exec {

using How = plan::Arrange::How;

namespace {

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

std::vector<relation::SortKeys> keys_of(std::span<const Column> columns, const std::vector<std::uint8_t>& descending = {}) {
  std::vector<relation::SortKeys> keys;
  for (std::size_t i = 0; i < columns.size(); ++i) keys.push_back(relation::sort_keys(columns[i], i < descending.size() && descending[i] != 0));
  return keys;
}

Result<std::vector<Column>> arrange_join(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const std::vector<Column> left, whole_inputs(session, step, 0, code.keys));
  MLP_TRY(const std::vector<Column> right, whole_inputs(session, step, code.keys, code.keys));
  const relation::Matched matched = relation::match(relation::join_keys(left, right), left[0].rows, right[0].rows);
  if (code.how == How::asof_join) {
    MLP_TRY(const std::vector<Column> times, whole_inputs(session, step, 2 * code.keys, 2));
    const relation::Joined joined = relation::asof_join(matched, times[0], times[1]);
    return std::vector{row_numbers(joined.left), row_numbers(joined.right)};
  }
  const relation::Joined joined = relation::join(matched, code.left, code.one);
  if (joined.second) {
    std::string key;
    for (const Column& column : left) key += (key.empty() ? "" : ", ") + to_string(value_at(column, static_cast<std::size_t>(*joined.second)));
    return failure(diag::Code::E0801, fmt::format("`{}` has more than one row for {}", session.plan.tables[code.of[1]].name, key),
                   "`join one` allows one match: make the key of that table unique, for example with `dedupe by`, or leave `one` out");
  }
  return std::vector{row_numbers(joined.left), row_numbers(joined.right)};
}

Result<std::vector<Column>> arrange_fill(Session& session, const plan::Step& step, const plan::Arrange& code) {
  MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
  MLP_TRY(const Column time, session.whole_column(step.inputs[code.keys]));
  const relation::Groups groups = relation::group_sorted(keys_of(keys), time.rows);
  const relation::Filled filled = relation::fill(groups, time, code.every, code.ahead);
  if (filled.too_many)
    return failure(diag::Code::E0801, fmt::format("`{}` would have more than two thousand million rows", session.plan.tables[step.table].name),
                   "fill in longer steps, or leave out the rows whose time lies far off");
  return std::vector{row_numbers(filled.row), row_numbers(filled.of_key), number_columns({&filled.time}).front()};
}

/// Rows 0, 1 … of a table, each `times` times, with what the second side holds.
std::vector<Column> repeated(std::uint64_t rows, std::int64_t times, std::int64_t first) {
  std::vector<std::int64_t> row, number;
  row.reserve(rows * static_cast<std::uint64_t>(times)), number.reserve(row.capacity());
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < times; ++k) row.push_back(static_cast<std::int64_t>(i)), number.push_back(first + k);
  return number_columns({&row, &number});
}

}  // namespace

Result<Column> filter(Session& session, const plan::Step& step, const plan::Filter& code, std::size_t fragment) {
  std::vector<std::int64_t> kept;
  if (code.share) {
    const io::Fragment& place = session.tables[code.of]->fragments[fragment];
    for (std::uint64_t i = 0; i < place.rows; ++i)
      if (is_sampled(place.first_row + i, code.seed, *code.share)) kept.push_back(static_cast<std::int64_t>(i));
    return number_columns({&kept}).front();
  }
  MLP_TRY(const auto condition, session.column(step.inputs[0], fragment));
  const auto values = condition->values<std::uint8_t>();
  for (std::size_t i = 0; i < condition->rows; ++i)
    if (values[i] != 0 && condition->is_known(i)) kept.push_back(static_cast<std::int64_t>(i));
  return number_columns({&kept}).front();
}

Result<std::vector<Column>> arrange(Session& session, const plan::Step& step, const plan::Arrange& code) {
  const std::uint64_t rows = session.tables[code.of[0]]->rows;
  switch (code.how) {
    case How::sort: {
      MLP_TRY(const std::vector<Column> order, whole_inputs(session, step, 0, step.inputs.size()));
      return std::vector{row_numbers(relation::sorted(keys_of(order, code.descending), rows))};
    }
    case How::dedupe: {
      MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
      MLP_TRY(const std::vector<Column> order, whole_inputs(session, step, code.keys, code.descending.size()));
      const bool last = !code.descending.empty() && code.descending[0] != 0;
      return std::vector{row_numbers(relation::deduped(relation::group_rows(keys_of(keys), rows), keys_of(order, code.descending), last))};
    }
    case How::group: {
      MLP_TRY(const std::vector<Column> keys, whole_inputs(session, step, 0, code.keys));
      const relation::Groups groups = relation::group_sorted(keys_of(keys), rows);
      const relation::Partition partition = relation::partition(groups);
      return number_columns({&groups.representative, &partition.rows, &partition.ends});
    }
    case How::join:
    case How::asof_join: return arrange_join(session, step, code);
    case How::fill: return arrange_fill(session, step, code);
    case How::limit: return repeated(std::min<std::uint64_t>(rows, static_cast<std::uint64_t>(code.first)), 1, 0);
    case How::unpivot: return repeated(rows, code.first, 0);
    case How::cross: return repeated(rows, code.last - code.first + 1, code.first);
    case How::union_: {
      std::vector<std::int64_t> table, row;
      for (std::size_t t = 0; t < code.of.size(); ++t)
        for (std::uint64_t i = 0; i < session.tables[code.of[t]]->rows; ++i) table.push_back(static_cast<std::int64_t>(t)), row.push_back(static_cast<std::int64_t>(i));
      return number_columns({&table, &row});
    }
  }
  MLP_CHECK(false && "a way to arrange rows");
  return std::vector<Column>();
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
  if (std::holds_alternative<plan::Filter>(session.plan[id].code)) {
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
  const std::vector<relation::SortKeys> by = keys_of(order, code.descending);
  relation::Partition partition = relation::partition(relation::group_sorted(keys_of(keys), session.fragments(step).rows));
  relation::sort_partitions(partition, by);
  std::vector<std::int64_t> tied;
  for (const std::uint8_t tie : relation::ties(partition, by)) tied.push_back(tie);
  return number_columns({&partition.rows, &partition.ends, &tied});
}

}  // namespace mlp::exec
