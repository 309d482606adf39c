#include "runtime/io/source_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlp::io {

namespace {

/// The named value of a source's options. The signature's names are those of the reader's options.
const Value* option(const plan::Options& source, std::string_view name) {
  for (const auto& [key, value] : source)
    if (key == name) return &value;
  return nullptr;
}

std::string text_option(const plan::Options& source, std::string_view name, std::string fallback) {
  const Value* value = option(source, name);
  const std::string* text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? *text : fallback;
}

}  // namespace

Result<CsvOptions> csv_options(const plan::Options& source, const std::string& table, std::uint64_t fragment_rows) {
  CsvOptions options;
  const std::string delimiter = text_option(source, "delimiter", ","), decimal = text_option(source, "decimal", ".");
  for (const std::string* mark : {&delimiter, &decimal})
    if (mark->size() != 1)
      return failure(diag::Code::E0303, fmt::format("`{}` of table `{}` has to be one character, not \"{}\"", mark == &delimiter ? "delimiter" : "decimal", table, *mark),
                     "write one character, such as \",\" or \";\"; for tabs use the source `tsv`");
  options.delimiter = delimiter[0];
  options.decimal = decimal[0];
  options.null = text_option(source, "null", "");
  options.zone = text_option(source, "zone", "");
  if (const Value* trim = option(source, "trim"))
    if (const bool* on = std::get_if<bool>(trim)) options.trim = *on;
  options.fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  return options;
}

CsvColumn csv_column(const plan::ReadColumn& column) {
  return {column.source_name, column.type, column.format, column.bool_values, column.range, column.allowed, column.matches};
}

}  // namespace mlp::io
