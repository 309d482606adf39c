#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "compiler/support/check.h"
#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/field_reader.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

/// Records parsed together: the fields of so many stay in the cache while column after column is read.
constexpr std::size_t kBlockRows = 512;

/// Records of one block: the fields asked for, row by row.
struct Block {
  std::vector<std::string_view> fields;  ///< rows × width
  std::vector<std::uint64_t> lines;
  std::vector<bool> usable;  ///< the record as a whole is well formed
  std::size_t width = 0;

  std::string_view field(std::size_t row, std::size_t slot) const { return fields[row * width + slot]; }
};

struct BadValue {
  std::size_t row;     ///< in the block
  std::size_t column;  ///< order in which columns were asked for; their number: the record as a whole
  std::string text;    ///< shortened
  std::string reason;
};

/// Reads one column out of blocks, with its contract.
class ColumnReader {
 public:
  ColumnReader(FieldReader field, std::size_t expected_rows) : field_(std::move(field)), builder_(field_.column().type, expected_rows) {}

  void read(const Block& block, std::size_t slot, std::size_t column, std::vector<BadValue>& bad) {
    const auto read_with = [&](auto parse) { read_as(block, slot, column, bad, parse); };
    switch (field_.column().type.base) {
      case Base::bool_: return read_with([this](std::string_view text) { return field_.read_bool(text); });
      case Base::int_: return read_with([this](std::string_view text) { return field_.read_int(text); });
      case Base::float_: return read_with([this](std::string_view text) { return field_.read_float(text); });
      case Base::date: return read_with([this](std::string_view text) { return field_.read_date(text); });
      case Base::timestamp: return read_with([this](std::string_view text) { return field_.read_timestamp(text); });
      case Base::duration: return read_with([this](std::string_view text) { return field_.read_duration(text); });
      default: return read_with([this](std::string_view text) { return field_.read_text(text); });
    }
  }

  Column finish() { return builder_.finish(); }

 private:
  template <class Parse>
  void read_as(const Block& block, std::size_t slot, std::size_t column, std::vector<BadValue>& bad, Parse parse) {
    for (std::size_t row = 0; row < block.lines.size(); ++row) {
      if (!block.usable[row]) {
        builder_.push_missing();
        continue;
      }
      const std::string_view text = block.field(row, slot);
      if (field_.is_missing(text)) {
        builder_.push_missing();
        if (!field_.column().type.missing) bad.push_back({row, column, shortened(text), field_.why_not_missing()});
        continue;
      }
      const auto value = parse(text);
      if (!value) {
        builder_.push_missing();
        bad.push_back({row, column, shortened(text), field_.why_unreadable(text)});
        continue;
      }
      if (std::string wrong = field_.broken_rule(*value, text); !wrong.empty()) {
        builder_.push_missing();
        bad.push_back({row, column, shortened(text), std::move(wrong)});
        continue;
      }
      push(*value);
    }
  }

  void push(bool value) { builder_.push_bool(value); }
  void push(std::int64_t value) { builder_.push_int(value); }
  void push(double value) { builder_.push_float(value); }
  void push(std::string_view value) { builder_.push_text(value); }

  FieldReader field_;
  ColumnBuilder builder_;
};

Result<std::vector<ColumnReader>> make_readers(std::span<const plan::ReadColumn> columns, const ReadOptions& options,
                                               std::size_t rows) {
  std::vector<ColumnReader> readers;
  readers.reserve(columns.size());
  for (const plan::ReadColumn& column : columns) {
    MLP_TRY(FieldReader field, FieldReader::make(column, options));
    readers.emplace_back(std::move(field), rows);
  }
  return readers;
}

/// The part of the physical line at `line` that a message shows.
std::string record_text(std::span<const std::string_view> fields, char delimiter) {
  std::string out;
  for (std::size_t i = 0; i < fields.size() && out.size() < 400; ++i) {
    if (i) out += delimiter;
    out += fields[i].substr(0, 400);
  }
  return out;
}

}  // namespace

Result<ReadOutcome> read_csv(const Source& source, const FileScan& scan, const Fragment& fragment,
                             std::span<const plan::ReadColumn> columns) {
  const ReadOptions& options = source.options;
  MLP_TRY(std::vector<ColumnReader> readers, make_readers(columns, options, fragment.rows));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(scan, columns));
  MLP_TRY(const std::unique_ptr<File> file, source.files->open(scan.path));
  const auto bytes_size = static_cast<std::size_t>(fragment.end - fragment.begin);
  const auto bytes = std::make_unique_for_overwrite<char[]>(bytes_size);
  MLP_TRY(const std::size_t got, file->read_at(fragment.begin, {bytes.get(), bytes_size}));
  MLP_TRY(const FileStamp stamp, file->stamp());
  if (got != bytes_size || stamp != scan.stamp) return source_changed(scan.path);

  ReadOutcome outcome;
  outcome.batch.first_row = fragment.first_row;
  outcome.batch.rows = fragment.rows;
  RecordReader records({bytes.get(), bytes_size}, fragment.first_line, options.delimiter, options.trim,
                       scan.header.size() > 1);
  Block block;
  block.width = columns.size();
  block.fields.reserve(kBlockRows * block.width);
  std::vector<std::string_view> fields;
  std::vector<BadValue> bad;
  std::uint64_t rows = 0;
  for (bool more = true; more;) {
    records.forget();
    block.fields.clear();
    block.lines.clear();
    block.usable.clear();
    bad.clear();
    while (block.lines.size() < kBlockRows && (more = records.next(fields))) {
      const std::size_t row = block.lines.size();
      block.lines.push_back(records.line());
      std::string reason;
      if (records.fault() == RecordReader::Fault::unclosed_quote) {
        reason = "has a quote that is never closed";
      } else if (records.fault() == RecordReader::Fault::text_after_quote) {
        reason = "has text after a closing quote; a quote inside a quoted field is written twice";
      } else if (fields.size() != scan.header.size()) {
        reason = fmt::format("has {} field{}; the header names {} columns", fields.size(),
                             fields.size() == 1 ? "" : "s", scan.header.size());
      }
      block.usable.push_back(reason.empty());
      if (reason.empty()) {
        for (const std::uint32_t position : positions)
          block.fields.push_back(fields[position]);
      } else {
        block.fields.resize(block.fields.size() + block.width);
        bad.push_back({row, columns.size(), shortened(record_text(fields, options.delimiter)), std::move(reason)});
      }
    }
    rows += block.lines.size();
    for (std::size_t i = 0; i < readers.size(); ++i)
      readers[i].read(block, i, i, bad);
    std::ranges::stable_sort(bad, [](const BadValue& a, const BadValue& b) {
      return std::pair(a.row, a.column) < std::pair(b.row, b.column);
    });
    for (BadValue& value : bad) {
      std::string column = value.column < columns.size() ? columns[value.column].source_name : "";
      const auto bad_row = static_cast<std::uint32_t>(rows - block.lines.size() + value.row);
      if (outcome.bad_rows.empty() || outcome.bad_rows.back() != bad_row) outcome.bad_rows.push_back(bad_row);
      outcome.bad.add({scan.path, block.lines[value.row], std::move(column), std::move(value.text), std::move(value.reason)});
    }
  }
  if (rows != fragment.rows) return source_changed(scan.path);
  for (ColumnReader& reader : readers) {
    outcome.batch.columns.push_back(reader.finish());
    outcome.profiles.push_back(profile_of(outcome.batch.columns.back()));
  }
  return outcome;
}

}  // namespace mlp::io
