#include "runtime/exec/rejected_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/column/codec.h"
#include "runtime/column/parallel.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/parquet.h"
#include "runtime/io/value_text.h"

namespace mlp::exec {

namespace {

const std::vector<plan::ReadColumn>& contract_of(const plan::Step& step) { return std::get<plan::HashSource>(step.code).contract; }

Column numbers(const std::vector<std::uint32_t>& rows) {
  Column column;
  column.type = Type::of(Base::int_);
  column.rows = rows.size();
  column.data = Buffer(rows.size() * sizeof(std::int64_t));
  std::ranges::copy(rows, column.data.as_mutable<std::int64_t>().begin());
  return column;
}

/// The bad rows of a table, as they are written.
struct RejectedRows {
  std::vector<io::ParquetOutput> columns;
  io::BadValues bad;
};

/// Reads the fragments again that have any.
Result<RejectedRows> read_rejected_rows(const io::Table& table, const std::vector<plan::ReadColumn>& contract) {
  io::Table all = table;
  auto source = *table.source;
  source.most_shown = std::numeric_limits<std::size_t>::max();
  all.source = std::make_shared<const io::Source>(std::move(source));
  all.left_out.clear();
  std::uint64_t before = 0;
  for (std::size_t f = 0; f < table.left_out.size(); ++f) {
    all.fragments[f].first_row += before;
    all.fragments[f].rows += table.left_out[f].size();
    before += table.left_out[f].size();
  }

  RejectedRows out;
  std::vector<std::string> names;
  for (const plan::ReadColumn& column : contract) {
    const Base base = column.type.base;
    out.columns.push_back({column.source_name, base == Base::int_ || base == Base::float_ ? base : Base::string, {}});
    names.push_back(column.source_name);
  }
  const std::size_t width = contract.size();
  for (const char* name : {"reject_file", "reject_line", "reject_column", "reject_value", "reject_reason"}) {
    std::string free = name;
    while (std::ranges::find(names, free) != names.end()) free += '_';
    out.columns.push_back({free, std::string_view(name) == "reject_line" ? Base::int_ : Base::string, {}});
  }
  for (std::size_t f = 0; f < table.left_out.size(); ++f) {
    const std::vector<std::uint32_t>& rows = table.left_out[f];
    if (rows.empty()) continue;
    MLP_TRY(const io::ReadOutcome read, io::read_fragment(all, f, contract));
    if (read.bad_rows != rows) return io::source_changed(table.files[table.fragments[f].file].path);
    for (std::size_t c = 0; c < width; ++c)
      for (const std::uint32_t row : rows) out.columns[c].values.push_back(io::without_type(read.batch.columns[c], row));
    // The bad values are told row by row; those of one row have one line.
    std::optional<std::uint64_t> line;
    for (const diag::DataPlace& place : read.bad.first) {
      if (line == place.line) continue;
      line = place.line;
      const Value values[] = {place.file, static_cast<std::int64_t>(place.line), place.column, place.value, place.reason};
      for (std::size_t i = 0; i < std::size(values); ++i) out.columns[width + i].values.push_back(values[i]);
    }
    out.bad.append(read.bad);
  }
  return out;
}

std::string csv_of(const std::vector<io::ParquetOutput>& columns) {
  std::string text;
  for (std::size_t c = 0; c < columns.size(); ++c) text += (c ? "," : "") + io::csv_field(columns[c].name);
  text += '\n';
  for (std::size_t row = 0; row < columns[0].values.size(); ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Value& value = columns[c].values[row];
      const bool missing = std::holds_alternative<std::monostate>(value);
      const std::string* const written = std::get_if<std::string>(&value);
      text += (c ? "," : "") + (missing ? std::string() : io::csv_field(written ? *written : to_string(value)));
    }
    text += '\n';
  }
  return text;
}

/// Whether the file holds these bytes.
bool holds(io::FileSystem& files, const std::string& path, std::string_view bytes) {
  const auto stamp = files.stat(path);
  if (!stamp || stamp->size != bytes.size()) return false;
  const auto file = files.open(path);
  if (!file) return false;
  std::string there(bytes.size(), '\0');
  const auto got = (*file)->read_at(0, there);
  return got && *got == bytes.size() && there == bytes;
}

}  // namespace

Result<bool> leave_bad_rows_out(io::Table& table, const plan::Physical& plan, const plan::Step& step, io::FileSystem& files, store::Store& store, bool may_read) {
  MLP_TRY_VOID(io::check_names(table, contract_of(step)));
  const std::size_t count = table.fragments.size();
  std::vector<std::vector<std::uint32_t>> rows(count);
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  std::vector<std::optional<Digest>> found(count);
  std::vector<Digest> keys(count);
  std::vector<std::uint8_t> unknown(count, 0);
  parallel_for(count, [&](std::size_t f) {
    Hasher hasher("bad rows/1");
    hasher.add(step.code_key).add(table.fragments[f].content);
    for (const auto& [name, value] : plan.tables[step.table].options) hasher.add(name).add(to_string(value));
    keys[f] = hasher.finish();
    if (const auto entry = store.find(keys[f])) {
      const auto bytes = store.get(entry->outputs.at(0));
      const auto column = bytes ? decode_column(*bytes) : Result<Column>(failure(bytes.error()));
      if (!column) failures[f] = column.error();
      else for (const std::int64_t row : column->values<std::int64_t>()) rows[f].push_back(static_cast<std::uint32_t>(row));
      return;
    }
    unknown[f] = 1;
    if (!may_read) return;
    auto read = io::read_fragment(table, f, contract_of(step));
    if (!read) {
      failures[f] = std::move(read.error());
      return;
    }
    rows[f] = std::move(read->bad_rows);
    if (store.mode() == store::Mode::read_only) return;
    auto put = store.put(encode(numbers(rows[f])));
    if (put) found[f] = *put;
    else failures[f] = std::move(put.error());
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  const bool any = std::ranges::find(unknown, 1) != unknown.end();
  if (any && !may_read) return false;
  if (any) {
    for (const io::FileScan& file : table.files) {
      MLP_TRY(const io::FileStamp now, files.stat(file.path));
      if (now != file.stamp) return io::source_changed(file.path);
    }
  }
  for (std::size_t f = 0; f < count; ++f)
    if (found[f]) store.stage(keys[f], {{*found[f]}, {}});
  io::leave_out(table, std::move(rows));
  return true;
}

Result<std::optional<diag::Diagnostic>> write_rejected_rows(const io::Table& table, const plan::Physical& plan, const plan::Step& step, io::FileSystem& files, store::Store& store) {
  const plan::Table& declared = plan.tables[step.table];
  const std::string path = io::path_below(plan.folder, declared.reject->into);
  const bool to_csv = path.ends_with(".csv");
  const auto there = files.stat(path);
  for (const io::FileScan& file : table.files)
    if (there && there->inode == file.stamp.inode && there->device == file.stamp.device)
      return failure(diag::Code::E0904, fmt::format("`{}` is read by `{}`; the rows that it rejects would be written over it", path, declared.name), "give them a file that is no part of the table");
  std::uint64_t count = 0;
  for (const auto& rows : table.left_out) count += rows.size();
  const std::uint64_t all = table.rows + count;
  if (static_cast<double>(count) > declared.reject->share * static_cast<double>(all)) {
    MLP_TRY(const RejectedRows rejected, read_rejected_rows(table, contract_of(step)));
    diag::Diagnostic broken = io::contract_failure(declared.name, std::span(&rejected.bad, 1));
    broken.notes.push_back(fmt::format("{} of {} rows break it, {:.3g}%; `reject` sets up to {:.3g}% aside", count, all, 100.0 * static_cast<double>(count) / static_cast<double>(all), 100 * declared.reject->share));
    return failure(std::move(broken));
  }
  Hasher hasher("rejected rows/1");
  hasher.add(step.code_key).add(table.content).add(to_csv);
  for (const io::FileScan& file : table.files) hasher.add(file.path);
  const Digest key = hasher.finish();
  std::optional<diag::Diagnostic> warning;
  std::string bytes;
  if (const auto entry = store.find(key)) {
    MLP_TRY(bytes, store.get(entry->outputs.at(0)));
  } else {
    MLP_TRY(const RejectedRows rejected, read_rejected_rows(table, contract_of(step)));
    if (to_csv) {
      bytes = csv_of(rejected.columns);
    } else {
      MLP_TRY(bytes, io::write_parquet(rejected.columns));
    }
    MLP_TRY(const Digest digest, store.put(bytes));
    store.stage(key, {{digest}, {}});
    if (count) warning = io::rows_set_aside(count, rejected.bad, declared.name, fmt::format("they are in `{}`, each with its place and reason", path));
  }
  if (!holds(files, path, bytes)) MLP_TRY_VOID(files.write_atomically(path, bytes));
  return warning;
}

}  // namespace mlp::exec
