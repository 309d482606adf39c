#include "runtime/scorer/records.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/source.h"
#include "runtime/scorer/loaded.h"

namespace mlp::scorer {

Result<void> prepare_contract(LoadedScorer& scorer) {
  MLP_TRY(const io::ReadOptions options, io::read_options(scorer.code.source, scorer.code.workflow, 1));
  std::vector<plan::ReadColumn> columns;
  for (const plan::RawField& field : scorer.code.request) columns.push_back(field.read);
  MLP_TRY(scorer.fields, io::make_field_readers(columns, options));
  return {};
}

RecordBatch to_columns(const LoadedScorer& scorer, std::span<const Record> records) {
  RecordBatch batch;
  batch.rows = records.size();
  batch.columns.reserve(scorer.fields.size());
  for (std::uint32_t i = 0; i < scorer.fields.size(); ++i) {
    io::ContractColumn column(scorer.fields[i], records.size(), records.size());
    column.say_missing("missing; a value is required");
    for (const Record& record : records) {
      MLP_CHECK(record.size() == scorer.fields.size());
      if (const auto& value = record[i]) std::visit([&](const auto& known) { column.add(known); }, *value);
      else column.add_missing();
    }
    for (const io::BadCells::Cell& bad : column.bad().first) batch.faults.push_back({bad.row, i, bad.value, bad.reason});
    batch.columns.push_back(column.finish());
  }
  std::ranges::stable_sort(batch.faults, [](const Fault& a, const Fault& b) { return std::pair(a.record, a.field) < std::pair(b.record, b.field); });
  for (const Fault& fault : batch.faults)
    if (batch.bad.empty() || batch.bad.back() != fault.record) batch.bad.push_back(fault.record);
  return batch;
}

diag::Diagnostic fault_diagnostic(const Schema& schema, std::span<const Fault> faults) {
  MLP_CHECK(!faults.empty());
  constexpr std::size_t kShown = 20;
  diag::Diagnostic d = diag::make(diag::Code::E0801, {},
                                  faults.size() == 1 ? fmt::format("`{}` is {}", schema.request[faults[0].field].name, faults[0].reason)
                                                     : fmt::format("{} values break the contract of the request", faults.size()));
  for (const Fault& fault : faults.first(std::min(kShown, faults.size())))
    d.places.push_back({"", 0, schema.request[fault.field].name, fault.value, fault.reason});
  d.more_places = faults.size() - d.places.size();
  d.help = "send the columns as the table of the workflow has them";
  return d;
}

Result<std::vector<double>> predict_records(const LoadedScorer& scorer, std::span<const Record> records) {
  const RecordBatch batch = to_columns(scorer, records);
  if (!batch.faults.empty()) return failure(fault_diagnostic(scorer.schema, batch.faults));
  return predict(scorer, batch.columns, batch.rows);
}

std::optional<std::uint32_t> field_position(const Schema& schema, std::string_view name) {
  const auto find = [&](auto name_of) -> std::optional<std::uint32_t> {
    for (std::uint32_t i = 0; i < schema.request.size(); ++i)
      if (name_of(schema.request[i]) == name) return i;
    return std::nullopt;
  };
  if (const auto by_name = find([](const plan::RawField& f) -> std::string_view { return f.name; })) return by_name;
  return find([](const plan::RawField& f) -> std::string_view { return f.read.source_name; });
}

}  // namespace mlp::scorer
