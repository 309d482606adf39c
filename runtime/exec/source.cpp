#include "runtime/exec/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::exec {

namespace {

/// The named value of a source's options. The signature's names are those of the reader's options.
const Value* option(const plan::Table& table, std::string_view name) {
  for (const auto& [key, value] : table.options)
    if (key == name) return &value;
  return nullptr;
}

std::string text_option(const plan::Table& table, std::string_view name, std::string fallback) {
  const Value* value = option(table, name);
  const std::string* text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? *text : fallback;
}

store::FileStamp store_stamp(const io::FileStamp& stamp) { return {stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.device}; }

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string full_path(const std::string& folder, const std::string& path) {
  return path.starts_with('/') || folder.empty() ? path : folder + "/" + path;
}

/// The scan kept beside a stamp, if it is of these bytes and these options.
std::optional<io::FileScan> remembered(const std::string& path, const io::FileStamp& now, const io::CsvOptions& options, store::Store& store) {
  const auto recorded = store.find_stamp(path);
  if (!recorded || !store::is_unchanged(*recorded, store_stamp(now))) return std::nullopt;
  auto scan = io::decode_file_scan(recorded->bytes);
  if (!scan || !scan->was_made_with(options)) return std::nullopt;
  scan->path = path;
  return std::move(*scan);
}

}  // namespace

Result<io::CsvOptions> csv_options(const plan::Table& table, std::uint64_t fragment_rows) {
  io::CsvOptions options;
  const std::string delimiter = text_option(table, "delimiter", ","), decimal = text_option(table, "decimal", ".");
  for (const std::string* mark : {&delimiter, &decimal})
    if (mark->size() != 1)
      return failure(diag::Code::E0303, fmt::format("`{}` of table `{}` has to be one character, not \"{}\"", mark == &delimiter ? "delimiter" : "decimal", table.name, *mark),
                     "write one character, such as \",\" or \";\"; for tabs use the source `tsv`");
  options.delimiter = delimiter[0];
  options.decimal = decimal[0];
  options.null = text_option(table, "null", "");
  options.zone = text_option(table, "zone", "");
  if (const Value* trim = option(table, "trim"))
    if (const bool* on = std::get_if<bool>(trim)) options.trim = *on;
  options.fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  return options;
}

io::CsvColumn csv_column(const plan::ReadColumn& column) {
  return {column.source_name, column.type, column.format, column.bool_values, column.range, column.allowed, column.matches};
}

Result<std::optional<io::Table>> look_at_source(const plan::Table& table, const std::string& folder, std::uint64_t fragment_rows,
                                                io::FileSystem& files, store::Store& store, bool may_read, bool& hashed) {
  MLP_TRY(const io::CsvOptions options, csv_options(table, fragment_rows));
  MLP_TRY(const std::vector<std::string> paths, files.list(full_path(folder, table.path)));
  std::vector<std::optional<io::FileScan>> scans(paths.size());
  std::vector<std::optional<diag::Diagnostic>> failures(paths.size());
  std::vector<std::uint8_t> read(paths.size(), 0);
  parallel_for(paths.size(), [&](std::size_t i) {
    const auto stamp = files.stat(paths[i]);
    if (!stamp) {
      failures[i] = stamp.error();
      return;
    }
    scans[i] = remembered(paths[i], *stamp, options, store);
    if (scans[i] || !may_read) return;
    const std::int64_t began = now_ns();
    auto scan = io::scan_csv(files, paths[i], options);
    if (!scan) {
      failures[i] = std::move(scan.error());
      return;
    }
    store.put_stamp(paths[i], {store_stamp(scan->stamp), began, io::encode(*scan)});
    read[i] = 1;
    scans[i] = std::move(*scan);
  });
  for (auto& f : failures)
    if (f) return failure(std::move(*f));
  std::vector<io::FileScan> found;
  for (auto& scan : scans) {
    if (!scan) return std::optional<io::Table>();
    found.push_back(std::move(*scan));
  }
  hashed = std::any_of(read.begin(), read.end(), [](std::uint8_t r) { return r != 0; });
  return std::optional(io::join_files(std::move(found)));
}

io::Table synthetic_fragments(std::uint64_t rows, std::uint64_t fragment_rows) {
  io::Table table;
  table.rows = rows;
  fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  for (std::uint64_t from = 0; from < rows; from += fragment_rows) {
    io::Fragment fragment;
    fragment.rows = std::min(fragment_rows, rows - from);
    fragment.first_row = from;
    fragment.content = Hasher("rows/1").add(from).add(fragment.rows).finish();
    table.fragments.push_back(fragment);
  }
  return table;
}

}  // namespace mlp::exec
