#include "runtime/io/contract_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/support/check.h"
#include "runtime/column/layout.h"
#include "runtime/io/field_parse.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view expected(Base base) {
  switch (base) {
    case Base::bool_: return "where true or false is expected";
    case Base::int_: return "where a whole number is expected";
    case Base::float_: return "where a number is expected";
    case Base::date: return "where a date is expected";
    case Base::timestamp: return "where a time is expected";
    case Base::duration: return "where a duration, like \"90min\", is expected";
    default: return "where a text is expected";
  }
}

}  // namespace

void BadCells::add(Cell cell, std::size_t most) {
  if (rows.empty() || rows.back() != cell.row) rows.push_back(cell.row);
  ++by_reason[cell.column.empty() ? cell.reason : fmt::format("`{}`: {}", cell.column, cell.reason)];
  if (first.size() < most) first.push_back(std::move(cell));
}

ContractColumn::ContractColumn(const FieldReader& field, std::size_t rows, std::size_t most_shown)
    : field_(&field), base_(field.column().type.base), may_be_missing_(field.column().type.missing), rows_(rows), most_shown_(most_shown) {
  if (base_ == Base::string) {
    offsets_ = Buffer::unwritten((rows + 1) * sizeof(std::int64_t));
    offsets_.as_mutable<std::int64_t>()[0] = 0;
  } else {
    data_ = Buffer::unwritten(rows * row_bytes(base_));
  }
}

void ContractColumn::add_nothing() {
  if (!known_) {
    known_ = Buffer::unwritten(rows_);
    std::memset(known_.mutable_data(), 1, rows_);
  }
  known_.as_mutable<std::uint8_t>()[row_] = 0;
  if (base_ == Base::string) offsets_.as_mutable<std::int64_t>()[row_ + 1] = static_cast<std::int64_t>(texts_.size());
  else std::memset(data_.mutable_data() + row_ * row_bytes(base_), 0, row_bytes(base_));
  ++row_;
}

void ContractColumn::add_bad(std::string_view value, std::string reason) {
  bad_.add({static_cast<std::uint32_t>(row_), field_->column().source_name, shortened(value), std::move(reason)}, most_shown_);
  add_nothing();
}

void ContractColumn::add_other_kind(std::string_view value, std::string_view is) { add_bad(value, fmt::format("{} {}", is, expected(base_))); }

void ContractColumn::add_missing() {
  if (may_be_missing_) add_nothing();
  else add_bad("", why_missing_.empty() ? field_->why_not_missing() : why_missing_);
}

void ContractColumn::put(bool value) { data_.as_mutable<std::uint8_t>()[row_++] = value; }
void ContractColumn::put(std::int64_t value) { data_.as_mutable<std::int64_t>()[row_++] = value; }
void ContractColumn::put(double value) { data_.as_mutable<double>()[row_++] = value; }

// ---- texts ---------------------------------------------------------------------------------------------------------------

std::int32_t ContractColumn::code_of(std::string_view value) {
  const std::int32_t code = distinct_.find(value);
  if (static_cast<std::size_t>(code) == distinct_.size()) {
    distinct_.add(value);
    is_good_.push_back(field_->read_text(value) && field_->keeps_rules(value));
  }
  return is_good_[static_cast<std::size_t>(code)] ? code : -1;
}

void ContractColumn::append_text(std::string_view value) {
  texts_.append(value);
  offsets_.as_mutable<std::int64_t>()[++row_] = static_cast<std::int64_t>(texts_.size());
}

void ContractColumn::put_text(std::string_view value) {
  if (base_ == Base::category) {
    // Whether a value keeps the contract is asked once for each distinct one.
    if (const std::int32_t code = code_of(value); code >= 0) {
      data_.as_mutable<std::int32_t>()[row_++] = code;
      return;
    }
  } else if (field_->read_text(value) && field_->keeps_rules(value)) {
    return append_text(value);
  }
  add_bad(value, field_->read_text(value) ? field_->broken_rule(value, value) : field_->why_unreadable(value));
}

template <class T>
void ContractColumn::check_read(const std::optional<T>& value, std::string_view written) {
  if (!value) add_bad(written, field_->why_unreadable(written));
  else if (!field_->keeps_rules(*value)) add_bad(written, field_->broken_rule(*value, written));
  else put(*value);
}

void ContractColumn::add_field(std::string_view text) {
  MLP_CHECK(row_ < rows_);
  if (field_->is_missing(text)) {
    if (may_be_missing_) return add_nothing();
    return add_bad(text, field_->why_not_missing());
  }
  switch (base_) {
    case Base::bool_: return check_read(field_->read_bool(text), text);
    case Base::int_: return check_read(field_->read_int(text), text);
    case Base::float_: return check_read(field_->read_float(text), text);
    case Base::date: return check_read(field_->read_date(text), text);
    case Base::timestamp: return check_read(field_->read_timestamp(text), text);
    case Base::duration: return check_read(field_->read_duration(text), text);
    default: return put_text(text);
  }
}

template <class T, class Quick>
void ContractColumn::add_quick(const FieldRun& fields, Quick quick) {
  T* const out = data_.as_mutable<T>().data() + row_;
  const std::size_t before = row_;
  const bool trims = field_->trims();
  for (std::size_t row = 0; row < fields.rows; ++row) {
    const std::string_view text = trims ? trimmed(fields[row]) : fields[row];
    T value;
    if (!text.empty() && quick(text.data(), text.size(), value) && field_->keeps_rules(value)) [[likely]] {
      out[row] = value;
      continue;
    }
    row_ = before + row;
    add_field(text);
  }
  row_ = before + fields.rows;
}

template <class T, class Read>
void ContractColumn::add_read(const FieldRun& fields, Read read) {
  T* const out = data_.as_mutable<T>().data() + row_;
  const std::size_t before = row_;
  is_read_.resize(fields.rows);
  read(fields, out, is_read_.data());
  for (std::size_t row = 0; row < fields.rows; ++row) {
    if (is_read_[row] && field_->keeps_rules(out[row])) [[likely]] continue;
    row_ = before + row;
    add_field(fields[row]);
  }
  row_ = before + fields.rows;
}

/// Those that were there before, and keep the contract; all others go the usual way.
void ContractColumn::add_categories(const FieldRun& fields) {
  std::int32_t* const out = data_.as_mutable<std::int32_t>().data() + row_;
  const std::size_t before = row_;
  const bool trims = field_->trims();
  for (std::size_t row = 0; row < fields.rows; ++row) {
    const std::string_view text = trims ? trimmed(fields[row]) : fields[row];
    if (!field_->is_missing(text)) {
      const std::int32_t code = distinct_.find_in_text(text);
      if (static_cast<std::size_t>(code) < is_good_.size() && is_good_[static_cast<std::size_t>(code)]) [[likely]] {
        out[row] = code;
        continue;
      }
    }
    row_ = before + row;
    add_field(text);
  }
  row_ = before + fields.rows;
}

void ContractColumn::add_texts(const FieldRun& fields) {
  // As much room as all rows will take, if they are like those before.
  if (row_ > 0 && texts_.capacity() < texts_.size() + texts_.size() / row_ * fields.rows) texts_.reserve(texts_.size() / row_ * (rows_ + rows_ / 16));
  const bool trims = field_->trims();
  for (std::size_t row = 0; row < fields.rows; ++row) {
    const std::string_view text = trims ? trimmed(fields[row]) : fields[row];
    if (field_->is_missing(text)) add_field(text);
    else put_text(text);
  }
}

void ContractColumn::add_fields(const FieldRun& fields) {
  MLP_CHECK(row_ + fields.rows <= rows_);
  if (base_ == Base::category) return add_categories(fields);
  if (base_ == Base::string) return add_texts(fields);
  if (field_->is_plain()) {
    // By lambdas, so that each is compiled into its own loop.
    if (base_ == Base::bool_) return add_quick<bool>(fields, [](const char* text, std::size_t size, auto& value) { return quick_bool(text, size, value); });
    if (!field_->trims()) {
      if (base_ == Base::int_) return add_read<std::int64_t>(fields, read_ints);
      if (base_ == Base::float_) return add_read<double>(fields, read_floats);
      if (base_ == Base::date) return add_read<std::int64_t>(fields, read_dates);
      if (base_ == Base::timestamp) return add_read<std::int64_t>(fields, read_timestamps);
    }
    if (base_ == Base::int_) return add_quick<std::int64_t>(fields, [](const char* text, std::size_t size, auto& value) { return quick_int(text, size, value); });
    if (base_ == Base::float_) return add_quick<double>(fields, [](const char* text, std::size_t size, auto& value) { return quick_float(text, size, value); });
    if (base_ == Base::date) return add_quick<std::int64_t>(fields, [](const char* text, std::size_t size, auto& value) { return quick_date(text, size, value); });
    if (base_ == Base::timestamp) return add_quick<std::int64_t>(fields, [](const char* text, std::size_t size, auto& value) { return quick_timestamp(text, size, value); });
  }
  for (std::size_t row = 0; row < fields.rows; ++row) add_field(field_->trims() ? trimmed(fields[row]) : fields[row]);
}

// ---- values that have a type ---------------------------------------------------------------------------------------------

void ContractColumn::add(bool value) {
  const std::string_view written = value ? "true" : "false";
  if (base_ != Base::bool_) return add_other_kind(written, "a truth value");
  check_read(std::optional(value), written);
}

void ContractColumn::add(std::int64_t value) {
  if (base_ == Base::float_) return add(static_cast<double>(value));
  // Only a fault reads how it was written, so that is made when there is one.
  if (base_ == Base::int_ && field_->keeps_rules(value)) return put(value);
  const std::string written = fmt::format("{}", value);
  if (base_ == Base::int_) return add_bad(written, field_->broken_rule(value, written));
  add_other_kind(written, "a number");
}

void ContractColumn::add(double value) {
  if (base_ == Base::float_ && std::isfinite(value) && field_->keeps_rules(value)) return put(value);
  constexpr double kExact = 9007199254740992;  // 2^53: every whole number up to it is a double of its own
  if (base_ == Base::int_ && std::trunc(value) == value && std::fabs(value) <= kExact) return add(static_cast<std::int64_t>(value));
  const std::string written = fmt::format("{}", value);
  if (base_ == Base::float_) return add_bad(written, std::isfinite(value) ? field_->broken_rule(value, written) : "not a finite number");
  add_other_kind(written, base_ == Base::int_ ? "a fraction, or a number that is too large," : "a number");
}

void ContractColumn::add(std::string_view value) {
  const std::string_view text = field_->trims() ? trimmed(value) : value;
  if (field_->is_missing(text)) return add_missing();
  switch (base_) {
    case Base::bool_:
      if (field_->column().bool_values.empty()) return add_other_kind(text, "a text");
      return check_read(field_->read_bool(text), text);
    case Base::int_:
    case Base::float_: return add_other_kind(text, "a text");
    case Base::date: return check_read(field_->read_date(text), text);
    case Base::timestamp: return check_read(field_->read_timestamp(text), text);
    case Base::duration: return check_read(field_->read_duration(text), text);
    default: return put_text(text);
  }
}

void ContractColumn::add_date(std::int64_t days) {
  if (days < kFirstDay || days > kLastDay) return add_bad("", "outside of the years 1 to 9999");
  if (base_ == Base::date && field_->keeps_rules(days)) return put(days);
  const std::string written = text_of_date(days);
  if (base_ == Base::string) return put_text(written);
  if (base_ == Base::date) return add_bad(written, field_->broken_rule(days, written));
  add_other_kind(written, "a date");
}

void ContractColumn::add_timestamp(std::int64_t microseconds) {
  if (microseconds < kFirstDay * kMicrosecondsADay || microseconds >= (kLastDay + 1) * kMicrosecondsADay) return add_bad("", "outside of the years 1 to 9999");
  if (base_ == Base::timestamp && field_->keeps_rules(microseconds)) return put(microseconds);
  const std::string written = text_of_timestamp(microseconds);
  if (base_ == Base::string) return put_text(written);
  if (base_ == Base::timestamp) return add_bad(written, field_->broken_rule(microseconds, written));
  add_other_kind(written, "a time");
}

void ContractColumn::add_duration(std::int64_t microseconds) {
  if (base_ == Base::duration && field_->keeps_rules(microseconds)) return put(microseconds);
  const std::string written = fmt::format("{}us", microseconds);
  if (base_ == Base::duration) return add_bad(written, field_->broken_rule(microseconds, written));
  add_other_kind(written, "a duration");
}

Column ContractColumn::finish() {
  MLP_CHECK(row_ == rows_);
  Column out;
  out.type = field_->column().type;
  out.rows = rows_;
  out.known = std::move(known_);
  out.offsets = std::move(offsets_);
  out.data = base_ == Base::string ? Buffer::copy(texts_.data(), texts_.size()) : std::move(data_);
  if (base_ == Base::category) out.dictionary = std::make_shared<const Dictionary>(Dictionary{distinct_.take()});
  return canonical(std::move(out));
}

ReadOutcome collect(std::span<ContractColumn> columns, const BadCells& whole_rows, const std::string& path, const Fragment& fragment,
                    std::size_t most_shown, const std::function<std::uint64_t(std::uint32_t row)>& line) {
  ReadOutcome outcome;
  outcome.batch.first_row = fragment.first_row;
  outcome.batch.rows = fragment.rows;
  std::vector<const BadCells::Cell*> cells;
  const auto take = [&](const BadCells& bad) {
    for (const BadCells::Cell& cell : bad.first) cells.push_back(&cell);
    for (const auto& [reason, times] : bad.by_reason) {
      outcome.bad.count += times;
      outcome.bad.by_reason[reason] += times;
    }
    std::vector<std::uint32_t> both;
    std::ranges::set_union(outcome.bad_rows, bad.rows, std::back_inserter(both));
    outcome.bad_rows = std::move(both);
  };
  take(whole_rows);
  for (const ContractColumn& column : columns) take(column.bad());
  // By row, and within it in the order of the columns.
  std::ranges::stable_sort(cells, {}, &BadCells::Cell::row);
  for (const BadCells::Cell* cell : std::span(cells).first(std::min(cells.size(), most_shown)))
    outcome.bad.first.push_back({path, line(cell->row), cell->column, cell->value, cell->reason});
  for (ContractColumn& column : columns) outcome.batch.columns.push_back(column.finish());
  return outcome;
}

}  // namespace mlp::io
