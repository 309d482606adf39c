#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "runtime/io/contract_column.h"
#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/field_index.h"
#include "runtime/io/field_text.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

/// Records whose fields are found before column after column is read: they stay in the cache meanwhile.
constexpr std::size_t kBlockRows = 256;
constexpr std::size_t kLongest = std::size_t{1} << 30;

/// The part of a record that a message shows.
std::string record_text(std::span<const std::string_view> fields, char delimiter) {
  std::string out;
  for (std::size_t i = 0; i < fields.size() && out.size() < 400; ++i) {
    if (i) out += delimiter;
    out += fields[i].substr(0, 400);
  }
  return out;
}

/// Why no value of a record can be used, or nothing.
std::string fault_of(const RecordReader& records, std::size_t fields, std::size_t header) {
  switch (records.fault()) {
    case RecordReader::Fault::unclosed_quote: return "has a quote that is never closed";
    case RecordReader::Fault::text_after_quote: return "has text after a closing quote; a quote inside a quoted field is written twice";
    case RecordReader::Fault::none: break;
  }
  if (fields == header) return {};
  return fmt::format("has {} field{}; the header names {} column{}", fields, fields == 1 ? "" : "s", header, header == 1 ? "" : "s");
}

/// Some records of the window, ready to be read column by column.
struct Block {
  std::size_t stride;                 ///< of `ends`: positions of a record
  std::vector<std::uint32_t> ends;    ///< of records that the index found
  std::size_t rows = 0;
  struct Other {
    std::size_t row;
    bool usable;
    std::vector<std::string_view> fields;
  };
  std::vector<Other> others;          ///< of the others, in order

  explicit Block(std::size_t width) : stride(width + 1), ends(kBlockRows * stride + FieldIndex::kSlack) {}
};

void read_block(const Block& block, const char* text, std::span<const std::uint32_t> positions, std::span<ContractColumn> columns) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::size_t row = 0;
    const auto run_to = [&](std::size_t end) {
      columns[c].add_fields({text, block.ends.data() + row * block.stride + positions[c], block.stride, end - row});
      row = end;
    };
    for (const Block::Other& other : block.others) {
      run_to(other.row);
      if (other.usable) columns[c].add_field(other.fields[positions[c]]);
      else columns[c].add_nothing();
      ++row;
    }
    run_to(block.rows);
  }
}

}  // namespace

Result<ReadOutcome> read_csv(const Source& source, const FileScan& scan, const Fragment& fragment, std::span<const plan::ReadColumn> columns) {
  const ReadOptions& options = source.options;
  const std::size_t width = scan.header.size();
  MLP_TRY(const std::vector<FieldReader> fields, make_field_readers(columns, options));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(source, scan, columns));
  MLP_TRY(const std::shared_ptr<File> file, open_text(source, scan.path));
  std::vector<ContractColumn> readers;
  for (const FieldReader& field : fields) readers.emplace_back(field, fragment.rows, source.most_shown);

  Window window(*file, fragment.begin, fragment.end);
  FieldIndex index(options.delimiter, width);
  RecordReader records({}, 0, options.delimiter, options.trim, width > 1);
  Block block(width);
  std::vector<std::string_view> record;
  std::vector<std::uint64_t> lines;
  lines.reserve(fragment.rows);
  BadCells bad;
  std::uint64_t line = fragment.first_line;
  std::size_t at = 0;  // of the window: bytes before it are read
  bool wants_more = true;
  for (bool more = true; more;) {
    if (wants_more) {
      MLP_TRY(const bool whole, window.refill(at));
      if (!whole) return source_changed(scan.path);
      if (window.text().size() > kLongest) return no_table(scan.path, line, "its record that begins here is longer than 1 GB", "it may have an opening quote that is not closed");
      at = 0;
    }
    const std::string_view text = window.text();
    index.start(text.data(), text.size(), at);
    wants_more = false;
    while (block.rows < kBlockRows && more && !wants_more) {
      if (index.next(block.ends.data() + block.rows * block.stride) == FieldIndex::Found::record) {
        if (lines.size() == fragment.rows) return source_changed(scan.path);
        at = index.at();
        lines.push_back(line++);
        ++block.rows;
        continue;
      }
      records.start(text, at, line);
      const bool found = records.next(record);
      const bool whole = found && records.fault() != RecordReader::Fault::unclosed_quote && text[records.offset() - 1] == '\n';
      if (!whole && !window.at_end()) {
        wants_more = true;
        break;
      }
      more = found;
      if (!found) break;
      if (lines.size() == fragment.rows) return source_changed(scan.path);
      std::string reason = fault_of(records, record.size(), width);
      block.others.push_back({block.rows, reason.empty(), record});
      if (!reason.empty())
        bad.add({static_cast<std::uint32_t>(lines.size()), "", shortened(record_text(record, options.delimiter)), std::move(reason)}, source.most_shown);
      lines.push_back(records.line());
      line = records.next_line();
      ++block.rows;
      at = records.offset();
      index.start(text.data(), text.size(), at);
    }
    read_block(block, text.data(), positions, readers);
    block.rows = 0;
    block.others.clear();
    records.forget();
  }
  MLP_TRY(const FileStamp stamp, file->stamp());
  if (lines.size() != fragment.rows || stamp != scan.stamp) return source_changed(scan.path);
  return collect(readers, bad, scan.path, fragment, source.most_shown, [&](std::uint32_t row) { return options.of_rows ? fragment.first_row + row + 1 : lines[row]; });
}

}  // namespace mlp::io
