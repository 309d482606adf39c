#include "runtime/scorer/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "compiler/support/check.h"
#include "runtime/io/field_text.h"
#include "runtime/io/source.h"
#include "runtime/scorer/loaded.h"

namespace mlp::scorer {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Fills one column with a field of record after record.
struct FieldColumn {
  const io::FieldReader& field;
  bool trim;
  std::uint32_t position;
  ColumnBuilder builder;
  std::vector<Fault>& faults;
  std::uint32_t record = 0;
  std::string text = {};  ///< how the value was written

  Base base() const { return field.column().type.base; }

  void add_fault(std::string_view value, std::string reason) {
    builder.push_missing();
    faults.push_back({record, position, io::shortened(value), std::move(reason)});
  }
  void add_missing() {
    if (!field.column().type.missing) return add_fault("", "missing; a value is required");
    builder.push_missing();
  }
  void wrong_kind(std::string_view value, std::string_view is) { add_fault(value, fmt::format("{} {}", is, expected())); }
  /// "where a whole number is expected"
  std::string_view expected() const {
    switch (base()) {
      case Base::bool_: return "where true or false is expected";
      case Base::int_: return "where a whole number is expected";
      case Base::float_: return "where a number is expected";
      case Base::date: return "where a date in a text is expected";
      case Base::timestamp: return "where a time in a text is expected";
      case Base::duration: return "where a duration in a text, like \"90min\", is expected";
      default: return "where a text is expected";
    }
  }

  void push(bool value) { builder.push_bool(value); }
  void push(std::int64_t value) { builder.push_int(value); }
  void push(double value) { builder.push_float(value); }
  void push(std::string_view value) { builder.push_text(value); }
  template <class T>
  void check(T value, std::string_view written) {
    if (std::string wrong = field.broken_rule(value, written); !wrong.empty()) return add_fault(written, std::move(wrong));
    push(value);
  }
  template <class T>
  void check_read(std::optional<T> value, std::string_view written) {
    if (!value) return add_fault(written, field.why_unreadable(written));
    check(*value, written);
  }

  void add(std::monostate) { add_missing(); }
  void add(bool value) {
    const std::string_view written = value ? "true" : "false";
    if (base() != Base::bool_) return wrong_kind(written, "a truth value");
    check(value, written);
  }
  void add(std::int64_t value) {
    // Only a fault reads how it was written, so that is made when there is one.
    if (base() == Base::int_ && field.broken_rule(value, "").empty()) return builder.push_int(value);
    text = fmt::format("{}", value);
    if (base() == Base::int_) return check(value, text);
    if (base() == Base::float_) return add_float(static_cast<double>(value));
    wrong_kind(text, "a number");
  }
  void add(double value) {
    if (base() == Base::float_) return add_float(value);
    constexpr double kExact = 9007199254740992;  // 2^53: every whole number up to it is a double of its own
    if (base() == Base::int_ && std::trunc(value) == value && std::fabs(value) <= kExact) return add(static_cast<std::int64_t>(value));
    text = fmt::format("{}", value);
    wrong_kind(text, base() == Base::int_ ? "a fraction, or a number that is too large," : "a number");
  }
  void add_float(double value) {
    if (std::isfinite(value) && field.broken_rule(value, "").empty()) return builder.push_float(value);
    text = fmt::format("{}", value);
    if (!std::isfinite(value)) return add_fault(text, "not a finite number");
    check(value, text);
  }
  void add(const std::string& value) {
    const std::string_view written = trim ? trimmed(value) : std::string_view(value);
    if (field.is_missing(written)) return add_missing();
    switch (base()) {
      case Base::bool_:
        if (field.column().bool_values.empty()) return wrong_kind(written, "a text");
        return check_read(field.read_bool(written), written);
      case Base::int_:
      case Base::float_: return wrong_kind(written, "a text");
      case Base::date: return check_read(field.read_date(written), written);
      case Base::timestamp: return check_read(field.read_timestamp(written), written);
      case Base::duration: return check_read(field.read_duration(written), written);
      default: return check_read(field.read_text(written), written);
    }
  }
};

}  // namespace

Result<void> prepare_contract(LoadedScorer& scorer) {
  MLP_TRY(const io::ReadOptions options, io::read_options(scorer.code.source, scorer.code.workflow, 1));
  for (const plan::RawField& field : scorer.code.request) {
    MLP_TRY(io::FieldReader reader, io::FieldReader::make(field.read, options));
    scorer.fields.push_back(std::move(reader));
  }
  scorer.trim = options.trim;
  return {};
}

RecordBatch to_columns(const LoadedScorer& scorer, std::span<const Record> records) {
  RecordBatch batch;
  batch.rows = records.size();
  batch.columns.reserve(scorer.fields.size());
  for (std::uint32_t i = 0; i < scorer.fields.size(); ++i) {
    const io::FieldReader& field = scorer.fields[i];
    FieldColumn column{field, scorer.trim, i, ColumnBuilder(field.column().type, records.size()), batch.faults};
    for (std::uint32_t r = 0; r < records.size(); ++r) {
      MLP_CHECK(records[r].size() == scorer.fields.size());
      column.record = r;
      if (const auto& value = records[r][i]) std::visit([&](const auto& known) { column.add(known); }, *value);
      else column.add_missing();
    }
    batch.columns.push_back(column.builder.finish());
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
