#include <algorithm>
#include <map>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/session.h"
#include "runtime/learn/native.h"

namespace mlp::exec {

namespace {

std::vector<relation::SortKeys> sort_keys_of(std::span<const Column> columns) {
  std::vector<relation::SortKeys> keys;
  for (const Column& column : columns) keys.push_back(relation::sort_keys(column));
  return keys;
}

/// Calls body(i) for every i in [0, count) at the same time; the failure of the lowest i is that of all.
Result<void> try_each(std::size_t count, const std::function<Result<void>(std::size_t)>& body) {
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  parallel_for(count, [&](std::size_t i) {
    if (auto done = body(i); !done) failures[i] = std::move(done.error());
  });
  for (auto& f : failures)
    if (f) return failure(std::move(*f));
  return {};
}

}  // namespace

Result<std::shared_ptr<const Grouped>> grouped(Session& session, plan::StepId id) {
  const plan::Step& step = session.plan[id];
  const auto& code = std::get<plan::Arrange>(step.code);
  return session.groups.get(session.output(id, 0), [&]() -> Result<Grouped> {
    // The different keys of each fragment, then those of all.
    const auto& fragments = session.tables[code.of[0]]->fragments;
    std::vector<std::vector<Column>> different(fragments.size());
    std::vector<std::vector<std::int64_t>> first(fragments.size());
    MLP_TRY_VOID(try_each(fragments.size(), [&](std::size_t f) -> Result<void> {
      MLP_TRY(const std::vector<Column> keys, session.columns(step, 0, code.keys, f));
      first[f] = relation::group_rows(sort_keys_of(keys), fragments[f].rows).representative;
      for (const Column& key : keys) different[f].push_back(take(key, first[f], std::monostate{}, key.type));
      for (std::int64_t& row : first[f]) row += static_cast<std::int64_t>(fragments[f].first_row);
      return {};
    }));
    std::vector<Column> keys;
    for (std::size_t k = 0; k < code.keys; ++k) {
      std::vector<Column> parts;
      for (const auto& columns : different) parts.push_back(columns[k]);
      if (parts.empty()) parts.push_back(constant(*plan::column_type(session.plan[step.inputs[k]].code), std::monostate{}, 0));
      keys.push_back(concatenate(parts));
    }
    std::vector<std::int64_t> rows;
    for (const auto& part : first) rows.insert(rows.end(), part.begin(), part.end());
    const std::vector<std::int64_t> sorted = relation::group_sorted(sort_keys_of(keys), rows.size()).representative;
    for (Column& key : keys) key = take(key, sorted, std::monostate{}, key.type);
    Grouped out{relation::KeyIndex(keys, sorted.size()), std::move(keys), {}};
    for (const std::int64_t row : sorted) out.first_row.push_back(rows[static_cast<std::size_t>(row)]);
    return out;
  });
}

Result<std::shared_ptr<const Column>> group_numbers(Session& session, plan::StepId id, std::size_t fragment) {
  const Digest digest = Hasher("group numbers/1").add(session.output(id, 0)).add(fragment).finish();
  Columns numbers = session.cache.find(digest);
  if (!numbers) {
    const plan::Step& step = session.plan[id];
    const auto& code = std::get<plan::Arrange>(step.code);
    MLP_TRY(const auto groups, grouped(session, id));
    MLP_TRY(const std::vector<Column> keys, session.columns(step, 0, code.keys, fragment));
    const std::vector<std::int64_t> found = groups->index.find(keys, keys[0].rows, true);
    numbers = session.cache.keep(digest, number_columns({&found}));
  }
  return std::shared_ptr<const Column>(numbers, numbers->data());
}

Result<std::shared_ptr<const relation::Partition>> rows_by_group(Session& session, plan::StepId id) {
  return session.partitions.get(session.output(id, 0), [&]() -> Result<relation::Partition> {
    const auto& table = *session.tables[std::get<plan::Arrange>(session.plan[id].code).of[0]];
    MLP_TRY(const auto groups, grouped(session, id));
    std::vector<std::int64_t> group_of(table.rows);
    MLP_TRY_VOID(try_each(table.fragments.size(), [&](std::size_t f) -> Result<void> {
      MLP_TRY(const auto numbers, group_numbers(session, id, f));
      const auto values = numbers->values<std::int64_t>();
      std::copy(values.begin(), values.end(), group_of.begin() + static_cast<std::ptrdiff_t>(table.fragments[f].first_row));
      return {};
    }));
    return relation::partition(group_of, groups->first_row.size());
  });
}

namespace {

/// An aggregate, and the columns that it reads in the rows that are grouped.
struct Asked {
  const plan::Aggregate& code;
  const learn::NativeAggregate& native;
  std::optional<plan::StepId> argument, where;
  std::size_t result;  ///< its place among those asked for
};

/// What an aggregate reads of a fragment.
struct Piece {
  std::shared_ptr<const Column> values, where;
  std::vector<std::uint8_t> counts;  ///< empty: all do
};
Result<Piece> piece_of(Session& session, const Asked& asked, std::size_t fragment) {
  Piece out;
  if (asked.argument) {
    MLP_TRY(out.values, session.column(*asked.argument, fragment));
  }
  if (asked.where) {
    MLP_TRY(out.where, session.column(*asked.where, fragment));
    const auto values = out.where->values<std::uint8_t>();
    for (std::size_t i = 0; i < out.where->rows; ++i) out.counts.push_back(values[i] != 0 && out.where->is_known(i));
  }
  return out;
}

/// How far the numbers of each argument lie apart that some aggregate adds.
using Spreads = std::map<std::pair<plan::StepId, std::optional<plan::StepId>>, learn::BitSpread>;
Result<Spreads> spreads_of(Session& session, std::span<const Asked> asked, std::size_t fragments) {
  Spreads all;
  std::vector<const Asked*> of;
  for (const Asked& one : asked)
    if (one.native.adds && one.argument && plan::column_type(session.plan[*one.argument].code)->base == Base::float_ && all.try_emplace({*one.argument, one.where}).second) of.push_back(&one);
  std::vector<std::vector<learn::BitSpread>> found(of.size(), std::vector<learn::BitSpread>(fragments));
  MLP_TRY_VOID(try_each(of.empty() ? 0 : fragments, [&](std::size_t f) -> Result<void> {
    for (std::size_t i = 0; i < of.size(); ++i) {
      MLP_TRY(Piece piece, piece_of(session, *of[i], f));
      if (piece.values->known) {
        if (piece.counts.empty()) piece.counts.assign(piece.values->rows, 1);
        for (std::size_t r = 0; r < piece.counts.size(); ++r) piece.counts[r] = piece.counts[r] && piece.values->is_known(r);
      }
      found[i][f].add(piece.values->values<double>(), piece.counts);
    }
    return {};
  }));
  for (std::size_t i = 0; i < of.size(); ++i)
    for (const learn::BitSpread& spread : found[i]) all[{*of[i]->argument, of[i]->where}].add(spread);
  return all;
}

}  // namespace

Result<std::vector<std::optional<Column>>> aggregate_groups(Session& session, std::span<const plan::StepId> ids) {
  const plan::StepId arrange = session.plan[ids[0]].inputs[0];
  std::vector<std::optional<Column>> out(ids.size());
  std::vector<Asked> asked;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const plan::Step& step = session.plan[ids[i]];
    const auto& code = std::get<plan::Aggregate>(step.code);
    const learn::NativeAggregate* native = learn::find_aggregate(code.native);
    MLP_CHECK(native != nullptr && step.inputs[0] == arrange);
    if (!native->by_group) continue;
    asked.push_back({code, *native, code.columns > 0 ? std::optional(step.inputs[1]) : std::nullopt, code.where ? std::optional(step.inputs[1 + code.columns]) : std::nullopt, i});
  }
  if (asked.empty()) return out;
  MLP_TRY(const auto groups, grouped(session, arrange));
  const std::size_t count = groups->first_row.size();
  const std::size_t fragments = session.tables[std::get<plan::Arrange>(session.plan[arrange].code).of[0]]->fragments.size();
  MLP_TRY(const Spreads spreads, spreads_of(session, asked, fragments));
  using States = std::vector<std::unique_ptr<learn::GroupState>>;
  const auto new_states = [&] {
    States states;
    for (const Asked& one : asked) {
      const auto spread = one.argument ? spreads.find({*one.argument, one.where}) : spreads.end();
      states.push_back(one.native.by_group(count, one.argument ? plan::column_type(session.plan[*one.argument].code) : nullptr, spread == spreads.end() ? learn::BitSpread{} : spread->second));
    }
    return states;
  };
  // Stretches of fragments have states of their own; many groups take much memory.
  constexpr std::size_t kMostGroups = std::size_t{1} << 22;
  const std::size_t stretches = std::clamp<std::size_t>(kMostGroups / std::max<std::size_t>(count, 1), 1, static_cast<std::size_t>(session.threads));
  std::vector<States> states(stretches);
  MLP_TRY_VOID(try_each(stretches, [&](std::size_t s) -> Result<void> {
    states[s] = new_states();
    for (std::size_t f = fragments * s / stretches; f < fragments * (s + 1) / stretches; ++f) {
      if (session.stopped()) return failure(diag::Code::E0906, "stopped on request", "what was finished is kept; the next run goes on from here");
      MLP_TRY(const auto numbers, group_numbers(session, arrange, f));
      for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!states[s][i]) continue;
        MLP_TRY(const Piece piece, piece_of(session, asked[i], f));
        states[s][i]->add({piece.values.get(), piece.counts, numbers->values<std::int64_t>()});
      }
    }
    return {};
  }));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!states[0][i]) continue;
    for (std::size_t s = 1; s < stretches; ++s) states[0][i]->merge(*states[s][i]);
    out[asked[i].result] = states[0][i]->values(asked[i].code.type);
  }
  return out;
}

}  // namespace mlp::exec
