#include "compiler/support/check.h"
#include "runtime/column/codec.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/lock_fit.h"
#include "runtime/exec/session.h"
#include "runtime/io/infer_types.h"
#include "runtime/io/source.h"

namespace mlp::exec {

Result<void> scan(Session& session, plan::TableIndex index, std::span<const ScanColumn> columns) {
  const io::Table& table = *session.tables[index];
  const std::size_t count = table.fragments.size();
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  std::vector<io::BadValues> bad(count);
  struct Cell { const ScanColumn* column; Digest digest; };
  std::vector<std::vector<Cell>> cells(count);
  parallel_for(count, [&](std::size_t f) {
    if (session.stopped()) return;
    std::vector<plan::ReadColumn> wanted;
    for (const ScanColumn& column : columns) {
      if (!column.missing[f]) continue;
      wanted.push_back(std::get<plan::ReadColumn>(session.plan[column.step].code));
      cells[f].push_back({&column, {}});
    }
    if (wanted.empty()) return;
    auto outcome = io::read_fragment(table, f, wanted);
    if (!outcome) {
      failures[f] = std::move(outcome.error());
      return;
    }
    bad[f] = std::move(outcome->bad);
    if (bad[f].count) return;
    for (std::size_t c = 0; c < cells[f].size(); ++c) {
      auto put = session.store.put(encode(outcome->batch.columns[c]));
      if (!put) {
        failures[f] = std::move(put.error());
        return;
      }
      cells[f][c].digest = *put;
    }
  });
  // Values, or a whole column, of another type than mlp.lock says: what it says is shown beside what there is.
  const plan::Table& declared = session.plan.tables[index];
  const auto told = [&](diag::Diagnostic broken) {
    return declared.lock.empty() ? std::move(broken) : compared_with_lock(std::move(broken), declared, io::infer_types(table, declared.name));
  };
  for (auto& f : failures)
    if (f) return failure(f->code == diag::Code::E0801 ? told(std::move(*f)) : std::move(*f));
  std::uint64_t bad_count = 0;
  for (const io::BadValues& b : bad) bad_count += b.count;
  if (bad_count) {
    diag::Diagnostic broken = told(io::contract_failure(declared.name, bad));
    for (const ScanColumn& column : columns)
      if (!broken.places.empty() && std::get<plan::ReadColumn>(session.plan[column.step].code).source_name == broken.places.front().column) broken.span = session.plan[column.step].span;
    return failure(std::move(broken));
  }
  if (session.stopped()) return failure(diag::Code::E0906, "stopped on request", "the next run goes on from here");
  // The bytes that were read are those that were hashed only if the files are still the ones that were looked at.
  for (const io::FileScan& file : table.files) {
    MLP_TRY(const io::FileStamp now, session.files.stat(file.path));
    if (now != file.stamp)
      return failure(diag::Code::E0805, "`" + io::name_of_file(*table.source, file.path) + "` changed while it was read", "run again when nothing writes to it; nothing of this reading was kept");
  }
  for (std::size_t f = 0; f < count; ++f) {
    for (const Cell& cell : cells[f]) {
      session.steps[cell.column->step.index()].outputs[f] = cell.digest;
      session.store.stage(cell.column->keys[f], {{cell.digest}, {}});
    }
  }
  return {};
}

}  // namespace mlp::exec
