#include "runtime/io/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/io/arrow.h"
#include "runtime/io/csv.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/field_reader.h"
#include "runtime/io/json_lines.h"
#include "runtime/io/parquet.h"
#include "runtime/io/source_state.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

constexpr Form kCsv{"CSV", false, look_at_csv, read_csv, nullptr};
constexpr Form kJson{"JSON Lines", true, look_at_json, read_json, types_of_json};
constexpr Form kParquet{"Parquet", false, look_at_parquet, read_parquet, types_of_parquet};
constexpr Form kArrow{"Arrow", false, look_at_arrow, read_arrow, types_of_arrow};

/// By the symbol of the source in stdlib/sources.mlp.
constexpr std::pair<std::string_view, const Form*> kForms[] = {{"csv", &kCsv}, {"tsv", &kCsv}, {"json", &kJson}, {"parquet", &kParquet}, {"arrow", &kArrow}, {"rows", &kCsv}};
/// By the ending of a path.
constexpr std::pair<std::string_view, const Form*> kEndings[] = {{".csv", &kCsv}, {".tsv", &kCsv}, {".txt", &kCsv}, {".data", &kCsv},
                                                                 {".json", &kJson}, {".jsonl", &kJson}, {".ndjson", &kJson}, {".parquet", &kParquet},
                                                                 {".arrow", &kArrow}, {".arrows", &kArrow}, {".feather", &kArrow}, {".ipc", &kArrow}};
constexpr std::pair<std::string_view, Encoding> kEncodings[] = {{"utf-8", Encoding::utf8}, {"latin1", Encoding::latin1}, {"utf-16", Encoding::utf16}};

/// The named value of a source's options. The signature's names are those of ReadOptions.
template <class T>
T option(const plan::Options& options, std::string_view name, T fallback) {
  for (const auto& [key, value] : options)
    if (key == name)
      if (const T* found = std::get_if<T>(&value)) return *found;
  return fallback;
}

Result<void> check_marks(const ReadOptions& options) {
  const auto wrong = [](std::string what) { return failure(diag::Code::E0308, std::move(what), "give `delimiter:` and `decimal:` each a sign of its own, such as `delimiter: \";\", decimal: \",\"`"); };
  if (std::string_view("\"\n\r\0", 4).find(options.delimiter) != std::string_view::npos)
    return wrong("columns cannot be separated by a quote, a line end or a NUL byte");
  if (options.decimal == options.delimiter) return wrong(fmt::format("`{}` cannot both separate columns and be the decimal mark", options.decimal));
  if (std::string_view("\"\n\r\0+-eE0123456789 \t", 20).find(options.decimal) != std::string_view::npos)
    return wrong("the decimal mark is a point, a comma or another sign that no number is written with");
  return {};
}

Digest digest_of(const Source& source) {
  const ReadOptions& options = source.options;
  return Hasher("source/1").add(source.form->name).add(options.delimiter).add(options.trim).add(options.encoding).add(options.fragment_rows).add(options.of_rows).finish();
}

const std::string* partition_value(const FileScan& file, const plan::ReadColumn& column) {
  for (const auto& [name, value] : file.partition)
    if (name == column.source_name) return &value;
  return nullptr;
}

/// The value that stands in the path, for each row. E0801 where it breaks the contract of the column.
Result<Column> partition_column(const Source& source, const FileScan& file, const plan::ReadColumn& column, const std::string& value, std::size_t rows) {
  ReadOptions options;  // neither decimal marks nor texts for missing values are those of the files
  options.zone = source.options.zone;
  MLP_TRY(const FieldReader field, FieldReader::make(column, options));
  ContractColumn one(field, 1);
  one.add_field(value);
  if (!one.bad().first.empty()) {
    auto d = diag::make(diag::Code::E0801, {}, fmt::format("the path of `{}` breaks the contract of the column `{}`", file.path, column.source_name));
    d.places.push_back({file.path, 0, column.source_name, one.bad().first[0].value, one.bad().first[0].reason});
    d.help = "name the folder otherwise, or declare the column as it is";
    return failure(std::move(d));
  }
  const Column single = one.finish();
  return constant(single.type, value_at(single, 0), rows);
}

/// A failure about a file that was fetched, in the words of who has its rows.
diag::Diagnostic told(const Source& source, const std::string& path, diag::Diagnostic d) {
  const std::string name = name_of_file(source, path);
  if (name == path) return d;
  const auto rename = [&](std::string& text) {
    for (std::size_t at = 0; (at = text.find(path, at)) != std::string::npos; at += name.size()) text.replace(at, path.size(), name);
  };
  rename(d.message);
  rename(d.help);
  for (std::string& note : d.notes) rename(note);
  for (diag::DataPlace& place : d.places) rename(place.file);
  return d;
}

}  // namespace

std::shared_ptr<SourceState> make_source_state() { return std::make_shared<SourceState>(); }

std::string name_of_file(const Source& source, const std::string& path) {
  for (const auto& [file, name] : source.told_as)
    if (file == path) return name;
  return path;
}

const Form* find_form(std::string_view symbol) {
  for (const auto& [name, form] : kForms)
    if (name == symbol) return form;
  return nullptr;
}

const Form* form_of_path(std::string_view path) {
  for (const auto& [ending, form] : kEndings)
    if (without_compression(path).ends_with(ending)) return form;
  return nullptr;
}

std::string path_below(const std::string& folder, const std::string& path) {
  return path.starts_with('/') || folder.empty() ? path : folder + "/" + path;
}

Result<ReadOptions> read_options(const plan::Options& options, const std::string& table, std::uint64_t fragment_rows) {
  const std::string delimiter = option<std::string>(options, "delimiter", ","), decimal = option<std::string>(options, "decimal", ".");
  for (const std::string* mark : {&delimiter, &decimal})
    if (mark->size() != 1)
      return failure(diag::Code::E0303, fmt::format("`{}` of table `{}` has to be one character, not \"{}\"", mark == &delimiter ? "delimiter" : "decimal", table, *mark),
                     "write one character, such as \",\" or \";\"; for tabs use the source `tsv`");
  ReadOptions read;
  read.delimiter = delimiter[0];
  read.decimal = decimal[0];
  read.null = option<std::string>(options, "null", "");
  read.zone = option<std::string>(options, "zone", "");
  read.trim = option(options, "trim", false);
  const auto encoding = option<std::string>(options, "encoding", "utf-8");
  const auto known = std::ranges::find(kEncodings, encoding, &std::pair<std::string_view, Encoding>::first);
  if (known == std::end(kEncodings))
    return failure(diag::Code::E0303, fmt::format("`encoding` of table `{}` is \"{}\", which is none that can be read", table, encoding),
                   "it is \"utf-8\", \"latin1\" or \"utf-16\"");
  read.encoding = known->second;
  read.fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  return read;
}

Result<std::shared_ptr<const Source>> open_source(FileSystem& files, const plan::Table& table, const std::string& folder, std::string scratch,
                                                  std::uint64_t fragment_rows, std::vector<std::pair<std::string, std::string>> told_as) {
  auto source = std::make_shared<Source>();
  source->files = &files;
  source->form = find_form(table.source);
  if (!source->form)
    return failure(diag::Code::E0601, fmt::format("table `{}` comes from `{}`, which cannot be read yet", table.name, table.source), "give the rows as a CSV file");
  // Rows of our own are written in one way, whatever the source from which they were fetched says of texts.
  MLP_TRY(source->options, read_options(table.source == "rows" ? plan::Options() : table.options, table.name, fragment_rows));
  if (table.source == "rows") source->options.of_rows = true, source->options.null = std::string(1, '\0');
  source->folder = path_below(folder, "");
  if (table.path.starts_with('/')) source->folder.clear();
  source->scratch = std::move(scratch);
  source->told_as = std::move(told_as);
  MLP_TRY_VOID(check_columns(*source, {}));
  return source;
}

Result<void> check_columns(const Source& source, std::span<const plan::ReadColumn> columns) {
  MLP_TRY_VOID(check_marks(source.options));
  MLP_TRY_VOID(make_field_readers(columns, source.options));
  return {};
}

Result<FileScan> look(const Source& source, const std::string& path) {
  auto found = source.form->look(source, path);
  if (!found) return failure(told(source, path, std::move(found.error())));
  FileScan scan = std::move(*found);
  scan.path = path;
  scan.made_with = digest_of(source);
  return scan;
}

bool was_made_with(const FileScan& file, const Source& source) { return file.made_with == digest_of(source); }

namespace {

Result<ReadOutcome> read_all_rows(const Table& table, const Fragment& place, std::span<const plan::ReadColumn> columns) {
  const Source& source = *table.source;
  const FileScan& file = table.files[place.file];
  if (file.partition.empty()) {
    auto read = source.form->read(source, file, place, columns);
    if (!read) return failure(told(source, file.path, std::move(read.error())));
    if (!source.told_as.empty())
      for (diag::DataPlace& bad : read->bad.first) bad.file = name_of_file(source, bad.file);
    return read;
  }

  std::vector<plan::ReadColumn> own;
  for (const plan::ReadColumn& column : columns)
    if (!partition_value(file, column)) own.push_back(column);
  ReadOutcome outcome;
  outcome.batch.first_row = place.first_row;
  outcome.batch.rows = place.rows;
  if (!own.empty()) {
    MLP_TRY(outcome, source.form->read(source, file, place, own));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string* const value = partition_value(file, columns[i]);
    if (!value) continue;
    MLP_TRY(Column column, partition_column(source, file, columns[i], *value, place.rows));
    const auto at = static_cast<std::ptrdiff_t>(i);
    outcome.batch.columns.insert(outcome.batch.columns.begin() + at, std::move(column));
  }
  return outcome;
}

/// The outcome without some of its rows, ascending.
void drop(ReadOutcome& outcome, std::span<const std::uint32_t> rows) {
  std::vector<std::uint32_t> kept, bad;
  auto out = rows.begin();
  auto next_bad = outcome.bad_rows.begin();
  for (std::uint32_t row = 0; row < outcome.batch.rows; ++row) {
    const bool is_bad = next_bad != outcome.bad_rows.end() && *next_bad == row;
    next_bad += is_bad;
    if (out != rows.end() && *out == row) {
      ++out;
      continue;
    }
    if (is_bad) bad.push_back(static_cast<std::uint32_t>(kept.size()));
    kept.push_back(row);
  }
  for (Column& column : outcome.batch.columns) column = take(column, kept);
  outcome.batch.rows = kept.size();
  outcome.bad_rows = std::move(bad);
  if (outcome.bad_rows.empty()) outcome.bad = {};
}

}  // namespace

Result<ReadOutcome> read_fragment(const Table& table, std::size_t fragment, std::span<const plan::ReadColumn> columns) {
  MLP_CHECK(table.source != nullptr);
  if (table.left_out.empty()) return read_all_rows(table, table.fragments[fragment], columns);
  Fragment place = table.fragments[fragment];
  place.rows += table.left_out[fragment].size();
  MLP_TRY(ReadOutcome outcome, read_all_rows(table, place, columns));
  drop(outcome, table.left_out[fragment]);
  return outcome;
}

std::unexpected<diag::Diagnostic> source_changed(const std::string& path) {
  return failure(diag::Code::E0805, fmt::format("`{}` changed while it was read", path), "run again when nothing writes to it");
}

}  // namespace mlp::io
