#include "runtime/io/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/io/csv.h"
#include "runtime/io/field_reader.h"

namespace mlp::io {

namespace {

constexpr Form kCsv{"CSV", look_at_csv, read_csv};

/// By the symbol of the source in stdlib/sources.mlp.
constexpr std::pair<std::string_view, const Form*> kForms[] = {{"csv", &kCsv}, {"tsv", &kCsv}};

/// The named value of a source's options. The signature's names are those of ReadOptions.
template <class T>
T option(const plan::Options& options, std::string_view name, T fallback) {
  for (const auto& [key, value] : options)
    if (key == name)
      if (const T* found = std::get_if<T>(&value)) return *found;
  return fallback;
}

Result<void> check_marks(const ReadOptions& options) {
  const auto wrong = [](std::string what) { return failure(diag::Code::E0308, std::move(what)); };
  if (std::string_view("\"\n\r\0", 4).find(options.delimiter) != std::string_view::npos)
    return wrong("columns cannot be separated by a quote, a line end or a NUL byte");
  if (options.decimal == options.delimiter) return wrong(fmt::format("`{}` cannot both separate columns and be the decimal mark", options.decimal));
  if (std::string_view("\"\n\r\0+-eE0123456789 \t", 20).find(options.decimal) != std::string_view::npos)
    return wrong("the decimal mark is a point, a comma or another sign that no number is written with");
  return {};
}

Digest digest_of(const Source& source) {
  const ReadOptions& options = source.options;
  return Hasher("source/1").add(source.form->name).add(options.delimiter).add(options.trim).add(options.fragment_rows).finish();
}

}  // namespace

const Form* find_form(std::string_view symbol) {
  for (const auto& [name, form] : kForms)
    if (name == symbol) return form;
  return nullptr;
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
  read.fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  return read;
}

Result<std::shared_ptr<const Source>> open_source(FileSystem& files, const plan::Table& table, std::uint64_t fragment_rows) {
  auto source = std::make_shared<Source>();
  source->files = &files;
  source->form = find_form(table.source);
  if (!source->form)
    return failure(diag::Code::E0601, fmt::format("table `{}` comes from `{}`, which cannot be read yet", table.name, table.source), "give the rows as a CSV file");
  MLP_TRY(source->options, read_options(table.options, table.name, fragment_rows));
  MLP_TRY_VOID(check_columns(*source, {}));
  return source;
}

Result<void> check_columns(const Source& source, std::span<const plan::ReadColumn> columns) {
  MLP_TRY_VOID(check_marks(source.options));
  MLP_TRY_VOID(make_field_readers(columns, source.options));
  return {};
}

Result<FileScan> look(const Source& source, const std::string& path) {
  MLP_TRY(FileScan scan, source.form->look(source, path));
  scan.path = path;
  scan.made_with = digest_of(source);
  return scan;
}

bool was_made_with(const FileScan& file, const Source& source) { return file.made_with == digest_of(source); }

Result<ReadOutcome> read_fragment(const Table& table, std::size_t fragment, std::span<const plan::ReadColumn> columns) {
  MLP_CHECK(table.source != nullptr);
  const Fragment& place = table.fragments[fragment];
  return table.source->form->read(*table.source, table.files[place.file], place, columns);
}

std::unexpected<diag::Diagnostic> source_changed(const std::string& path) {
  return failure(diag::Code::E0805, fmt::format("`{}` changed while it was read", path), "run again when nothing writes to it");
}

}  // namespace mlp::io
