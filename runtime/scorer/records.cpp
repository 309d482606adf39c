#include "runtime/scorer/records.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/source.h"
#include "runtime/io/value_text.h"
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

namespace {

/// The values of a column by the contract of a field; rows that break it go into `bad`.
Column judged(const io::FieldReader& field, const Column& given, std::vector<std::uint32_t>& bad) {
  const Type& type = field.column().type;
  ColumnBuilder out(type, given.rows);
  const auto put = [&](auto value, auto push) {
    if (field.keeps_rules(value)) return push(value);
    bad.push_back(static_cast<std::uint32_t>(out.rows()));
    out.push_missing();
  };
  for (std::size_t row = 0; row < given.rows; ++row) {
    if (!given.is_known(row)) {
      if (!type.missing) bad.push_back(static_cast<std::uint32_t>(row));
      out.push_missing();
    } else if (type.is_text()) {
      put(given.text(row), [&](std::string_view v) { out.push_text(v); });
    } else if (type.base == Base::bool_) {
      put(given.values<std::uint8_t>()[row] != 0, [&](bool v) { out.push_bool(v); });
    } else if (type.base == Base::float_) {
      put(number_at(given, row), [&](double v) { out.push_float(v); });
    } else {
      put(given.values<std::int64_t>()[row], [&](std::int64_t v) { out.push_int(v); });
    }
  }
  return out.finish();
}

/// What is wrong with a bad value, in words.
std::string reason_of(const io::FieldReader& field, const Column& given, std::size_t row, const std::string& text) {
  if (!given.is_known(row)) return "missing; a value is required";
  switch (field.column().type.base) {
    case Base::bool_: return field.broken_rule(given.values<std::uint8_t>()[row] != 0, text);
    case Base::float_: return field.broken_rule(number_at(given, row), text);
    case Base::string:
    case Base::category: return field.broken_rule(given.text(row), text);
    default: return field.broken_rule(given.values<std::int64_t>()[row], text);
  }
}

}  // namespace

TableRequest to_request(const LoadedScorer& scorer, std::span<const Column> given, const std::string& table, std::uint64_t first_row) {
  MLP_CHECK(given.size() == scorer.fields.size());
  TableRequest out;
  std::vector<std::pair<std::uint32_t, std::size_t>> bad;  // row, field
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::vector<std::uint32_t> rows;
    out.columns.push_back(judged(scorer.fields[i], given[i], rows));
    for (const std::uint32_t row : rows) bad.emplace_back(row, i);
  }
  std::ranges::sort(bad);
  for (const auto& [row, i] : bad) {
    const std::string text = io::value_text(given[i], row);
    out.bad.add({table, first_row + row + 1, scorer.schema.request[i].name, text.substr(0, 80), reason_of(scorer.fields[i], given[i], row, text)});
    if (out.bad_rows.empty() || out.bad_rows.back() != row) out.bad_rows.push_back(row);
  }
  return out;
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
