#include "runtime/exec/cell_profiles.h"

#include <mutex>
#include <optional>

#include "runtime/column/codec.h"
#include "runtime/exec/scheduler.h"

namespace mlp::exec {

namespace {

Result<Column> read_cell(store::Store& store, const Digest& digest) {
  MLP_TRY(const std::string bytes, store.get(digest));
  return decode_column(bytes);
}

Result<learn::ColumnProfile> kept_profile(store::Store& store, const Digest& cell) {
  const Digest key = Hasher("profile/3").add(cell).finish();
  if (const auto entry = store.find(key); entry && entry->outputs.size() == 1) {
    MLP_TRY(const std::string bytes, store.get(entry->outputs.front()));
    return learn::decode_profile(bytes);
  }
  MLP_TRY(const Column column, read_cell(store, cell));
  learn::ColumnProfile profile = learn::profile_of(column);
  MLP_TRY(const Digest object, store.put(learn::encode_profile(profile)));
  store.stage(key, {{object}, {}});
  return profile;
}

Result<learn::ColumnProfile> profile_where(store::Store& store, const Digest& cell, const Digest& where) {
  MLP_TRY(const Column chosen, read_cell(store, where));
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < chosen.rows; ++row)
    if (chosen.is_known(row) && chosen.values<std::uint8_t>()[row]) rows.push_back(row);
  MLP_TRY(const Column column, read_cell(store, cell));
  return learn::profile_of(take(column, rows));
}

}  // namespace

Result<std::vector<learn::ColumnProfile>> profile_cells(store::Store& store, const std::vector<std::vector<Digest>>& columns, const std::vector<Digest>& where, int threads) {
  struct Task {
    std::size_t column, fragment;
  };
  std::vector<Task> tasks;
  for (std::size_t c = 0; c < columns.size(); ++c)
    for (std::size_t f = 0; f < columns[c].size(); ++f) tasks.push_back({c, f});
  // Behind the cells a task for each column that merges and drops what they gave.
  Graph graph;
  graph.followers.resize(tasks.size() + columns.size());
  graph.waits_for.resize(tasks.size() + columns.size(), 0);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    graph.followers[t].push_back(tasks.size() + tasks[t].column);
    ++graph.waits_for[tasks.size() + tasks[t].column];
  }
  std::vector<std::vector<std::optional<learn::ColumnProfile>>> parts(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) parts[c].resize(columns[c].size());
  std::vector<learn::ColumnProfile> out(columns.size());
  std::mutex failing;
  std::optional<diag::Diagnostic> failed;
  run_graph(graph, threads, [&](std::size_t task) {
    if (task >= tasks.size()) {
      const std::size_t c = task - tasks.size();
      for (const auto& part : parts[c]) out[c].merge(*part);
      parts[c].clear();
      return true;
    }
    const auto [c, f] = tasks[task];
    auto profile = where.empty() ? kept_profile(store, columns[c][f]) : profile_where(store, columns[c][f], where[f]);
    if (profile) {
      parts[c][f] = std::move(*profile);
      return true;
    }
    const std::scoped_lock lock(failing);
    if (!failed) failed = profile.error();
    return false;
  });
  if (failed) return failure(std::move(*failed));
  if (where.empty()) {
    MLP_TRY_VOID(store.commit());
  }
  return out;
}

}  // namespace mlp::exec
