#include <fmt/format.h>

#include <memory>

#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/field_text.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

/// Records parsed together: the fields of so many stay in the cache while column after column is read.
constexpr std::size_t kBlockRows = 512;

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
  MLP_TRY(const std::vector<FieldReader> fields, make_field_readers(columns, options));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(source, scan, columns));
  MLP_TRY(const std::string bytes, read_bytes(source, scan, fragment));
  std::vector<ContractColumn> readers;
  for (const FieldReader& field : fields) readers.emplace_back(field, fragment.rows);
  RecordReader records(bytes, fragment.first_line, options.delimiter, options.trim, scan.header.size() > 1);
  std::vector<std::string_view> record, block(kBlockRows * columns.size());  // the block: column after column
  std::vector<std::uint64_t> lines;
  lines.reserve(fragment.rows);
  BadCells bad;
  for (bool more = true; more;) {
    records.forget();
    std::size_t rows = 0;
    for (; rows < kBlockRows && (more = records.next(record)); ++rows) {
      if (lines.size() == fragment.rows) return source_changed(scan.path);
      std::string reason;
      if (records.fault() == RecordReader::Fault::unclosed_quote) {
        reason = "has a quote that is never closed";
      } else if (records.fault() == RecordReader::Fault::text_after_quote) {
        reason = "has text after a closing quote; a quote inside a quoted field is written twice";
      } else if (record.size() != scan.header.size()) {
        reason = fmt::format("has {} field{}; the header names {} columns", record.size(),
                             record.size() == 1 ? "" : "s", scan.header.size());
      }
      const bool usable = reason.empty();
      for (std::size_t c = 0; c < positions.size(); ++c)
        block[c * kBlockRows + rows] = usable ? record[positions[c]] : std::string_view();
      if (!usable)
        bad.add({static_cast<std::uint32_t>(lines.size()), "", shortened(record_text(record, options.delimiter)), std::move(reason)}, BadValues::kShown);
      lines.push_back(records.line());
    }
    for (std::size_t c = 0; c < readers.size(); ++c) readers[c].add_fields(std::span(block).subspan(c * kBlockRows, rows));
  }
  if (lines.size() != fragment.rows) return source_changed(scan.path);
  return collect(readers, bad, scan.path, fragment, [&](std::uint32_t row) { return lines[row]; });
}

}  // namespace mlp::io
