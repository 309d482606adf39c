#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/exec/memory.h"
#include "runtime/exec/session.h"
#include "runtime/learn/native.h"

namespace mlp::exec {

namespace {

/// An aggregate, and the columns that it reads in the rows that are grouped.
struct Asked {
  const plan::Aggregate& code;
  const learn::NativeAggregate& native;
  std::optional<plan::StepId> argument, where;
  const Type* type = nullptr;  ///< of the argument
};

/// The groups of some rows, in the order of their keys, and what the aggregates know of each; a null state: they have to see all rows at once.
struct Partial {
  std::vector<Column> keys;
  std::vector<std::int64_t> first_row;
  std::vector<std::unique_ptr<learn::GroupState>> states;
  std::vector<learn::BitSpread> spreads;  ///< of each aggregate that adds floats
};

bool adds_floats(const Asked& asked) { return asked.native.adds && asked.type && asked.type->base == Base::float_; }

/// The rows of a fragment.
Result<Partial> partial_of(Session& session, const plan::Step& arrange, std::span<const Asked> asked, const io::Fragment& place, std::size_t fragment) {
  const auto& code = std::get<plan::Arrange>(arrange.code);
  MLP_TRY(const std::vector<Column> keys, session.columns(arrange, 0, code.keys, fragment));
  const relation::Groups groups = relation::group_rows(relation::sort_keys_of(keys), place.rows);
  Partial out;
  for (const Column& key : keys) out.keys.push_back(take(key, groups.representative, std::monostate{}, key.type));
  for (const std::int64_t row : groups.representative) out.first_row.push_back(row + static_cast<std::int64_t>(place.first_row));
  for (const Asked& one : asked) {
    std::shared_ptr<const Column> values;
    if (one.argument) {
      MLP_TRY(values, session.column(*one.argument, fragment));
    }
    std::vector<std::uint8_t> use;
    if (one.where) {
      MLP_TRY(const auto condition, session.column(*one.where, fragment));
      use = true_rows(*condition);
    }
    learn::BitSpread& spread = out.spreads.emplace_back();
    if (adds_floats(one)) spread.add(values->values<double>(), use);  // under a missing value stands 0
    auto& state = out.states.emplace_back(one.native.by_group(out.first_row.size(), one.type, spread));
    if (state) state->add({values.get(), use, groups.group_of});
  }
  return out;
}

/// One for all, in the order of their rows.
Partial merged(std::span<const Asked> asked, std::vector<Partial> parts) {
  Partial out;
  std::vector<std::int64_t> rows;
  for (const Partial& part : parts) rows.insert(rows.end(), part.first_row.begin(), part.first_row.end());
  for (std::size_t k = 0; k < parts[0].keys.size(); ++k) {
    std::vector<Column> columns;
    for (Partial& part : parts) columns.push_back(std::move(part.keys[k]));
    out.keys.push_back(concatenate(columns));
  }
  const relation::Groups groups = relation::group_sorted(relation::sort_keys_of(out.keys), rows.size());
  for (Column& key : out.keys) key = take(key, groups.representative, std::monostate{}, key.type);
  for (const std::int64_t row : groups.representative) out.first_row.push_back(rows[static_cast<std::size_t>(row)]);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    learn::BitSpread& spread = out.spreads.emplace_back();
    for (const Partial& part : parts) spread.add(part.spreads[i]);
    const bool all = std::all_of(parts.begin(), parts.end(), [i](const Partial& part) { return part.states[i] != nullptr; });
    auto& state = out.states.emplace_back(all ? asked[i].native.by_group(out.first_row.size(), asked[i].type, spread) : nullptr);
    std::size_t begin = 0;
    for (Partial& part : parts) {
      const std::size_t count = part.first_row.size();
      if (state) state->merge(*part.states[i], std::span(groups.group_of).subspan(begin, count));
      part.states[i].reset();
      begin += count;
    }
  }
  return out;
}

/// All rows of the table, piece by piece.
Result<Partial> group_all(Session& session, const plan::Step& arrange, std::span<const Asked> asked) {
  const auto& code = std::get<plan::Arrange>(arrange.code);
  const auto& fragments = session.tables[code.of[0]]->fragments;
  // What is merged together: few parts at a time, or those of many rows would take as much memory as the rows.
  constexpr std::size_t kTogether = 256;
  std::vector<Partial> parts;
  for (std::size_t begin = 0; begin < fragments.size(); begin += kTogether) {
    const std::size_t count = std::min(kTogether, fragments.size() - begin), before = parts.size();
    parts.resize(before + count);
    MLP_TRY_VOID(try_each(count, [&](std::size_t i) -> Result<void> {
      if (session.stopped()) return failure(diag::Code::E0906, "stopped on request", "what was finished is kept; the next run goes on from here");
      MLP_TRY(parts[before + i], partial_of(session, arrange, asked, fragments[begin + i], begin + i));
      return {};
    }));
    std::uint64_t groups = 0;
    for (const Partial& part : parts) groups += part.first_row.size();
    MLP_TRY_VOID(check_memory(session, arrange, groups, 8 * code.keys + 32 * asked.size()));
    Partial all = merged(asked, std::move(parts));
    parts.clear();
    parts.push_back(std::move(all));
  }
  if (!parts.empty()) return std::move(parts[0]);
  Partial none;
  for (std::size_t k = 0; k < code.keys; ++k) none.keys.push_back(constant(*plan::column_type(session.plan[arrange.inputs[k]].code), std::monostate{}, 0));
  for (const Asked& one : asked) none.states.push_back(one.native.by_group(0, one.type, {}));
  return none;
}

Grouped to_grouped(Partial partial) {
  const std::size_t groups = partial.first_row.size();
  return {relation::KeyIndex(std::move(partial.keys), groups), std::move(partial.first_row)};
}

}  // namespace

Result<std::shared_ptr<const Grouped>> grouped(Session& session, plan::StepId id) {
  return session.groups.get(session.output(id, 0), [&]() -> Result<Grouped> {
    MLP_TRY(Partial all, group_all(session, session.plan[id], {}));
    return to_grouped(std::move(all));
  });
}

Result<std::vector<std::optional<Column>>> aggregate_groups(Session& session, plan::StepId arrange, std::span<const plan::StepId> ids) {
  std::vector<std::optional<Column>> out(ids.size());
  std::vector<Asked> asked;
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const plan::Step& step = session.plan[ids[i]];
    const auto& code = std::get<plan::Aggregate>(step.code);
    const learn::NativeAggregate* native = learn::find_aggregate(code.native);
    MLP_CHECK(native != nullptr && step.inputs[0] == arrange);
    if (!native->by_group) continue;
    const auto argument = code.columns > 0 ? std::optional(step.inputs[1]) : std::nullopt;
    asked.push_back({code, *native, argument, code.where ? std::optional(step.inputs[1 + code.columns]) : std::nullopt, argument ? plan::column_type(session.plan[*argument].code) : nullptr});
    place.push_back(i);
  }
  MLP_TRY(Partial all, group_all(session, session.plan[arrange], asked));
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (all.states[i]) out[place[i]] = all.states[i]->values(asked[i].code.type);
  MLP_TRY_VOID(session.groups.get(session.output(arrange, 0), [&]() -> Result<Grouped> { return to_grouped(std::move(all)); }));
  return out;
}

Result<std::shared_ptr<const relation::Partition>> rows_by_group(Session& session, plan::StepId id) {
  return session.partitions.get(session.output(id, 0), [&]() -> Result<relation::Partition> {
    const plan::Step& step = session.plan[id];
    const auto& code = std::get<plan::Arrange>(step.code);
    const auto& table = *session.tables[code.of[0]];
    MLP_TRY(const auto groups, grouped(session, id));
    std::vector<std::int64_t> group_of(table.rows);
    MLP_TRY_VOID(try_each(table.fragments.size(), [&](std::size_t f) -> Result<void> {
      MLP_TRY(const std::vector<Column> keys, session.columns(step, 0, code.keys, f));
      const std::vector<std::int64_t> found = groups->index.find(keys, table.fragments[f].rows, true);
      std::copy(found.begin(), found.end(), group_of.begin() + static_cast<std::ptrdiff_t>(table.fragments[f].first_row));
      return {};
    }));
    return relation::partition(group_of, groups->first_row.size());
  });
}

}  // namespace mlp::exec
