#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "compiler/diag/render.h"
#include "runtime/io/field_text.h"
#include "runtime/io/source.h"

namespace mlp::io {

namespace {

std::string simplified(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c + 32);
    else if (c != ' ' && c != '_' && c != '-' && c != '\t')
      out += c;
  }
  return out;
}

/// The name in the file that was probably meant; names that differ in case, blanks, hyphens or underscores come first.
std::string_view nearest(std::string_view name, const std::vector<std::string>& header) {
  for (const std::string& candidate : header) {
    if (!candidate.empty() && simplified(candidate) == simplified(name)) return candidate;
  }
  return diag::did_you_mean(name, std::vector<std::string_view>(header.begin(), header.end()));
}

/// The position of a column in the header, by its name or the other one that it may have.
std::optional<std::uint32_t> position_of(const Source& source, const std::vector<std::string>& header, const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (const auto found = std::ranges::find(header, name); found != header.end()) return static_cast<std::uint32_t>(found - header.begin());
  for (const auto& [of, other] : source.other_names)
    if (of == name)
      if (const auto found = std::ranges::find(header, other); found != header.end()) return static_cast<std::uint32_t>(found - header.begin());
  return std::nullopt;
}

diag::Diagnostic lacks(const NamedColumns& file, const std::vector<std::string>& missing, std::size_t asked) {
  std::vector<std::string> quoted, suggestions;
  for (const std::string& name : missing) {
    quoted.push_back(fmt::format("`{}`", name));
    if (const std::string_view near = nearest(name, file.names); !near.empty())
      suggestions.push_back(asked == 1 ? fmt::format("`{}`", near) : fmt::format("`{}` for `{}`", near, name));
  }
  auto d = diag::make(diag::Code::E0803, {}, fmt::format("`{}` has no column{} {}", file.files, missing.size() == 1 ? "" : "s", fmt::join(quoted, ", ")));
  if (!suggestions.empty())
    d.help = fmt::format("did you mean {}? A column takes its name in the file with `as \"…\"`", fmt::join(suggestions, ", "));
  constexpr std::size_t kListed = 40;
  std::string names;
  for (std::size_t i = 0; i < std::min(kListed, file.names.size()); ++i)
    names += fmt::format("{}`{}`", i ? ", " : "", shortened(file.names[i]));
  if (file.names.size() > kListed) names += fmt::format(" and {} more", file.names.size() - kListed);
  d.notes.push_back(file.names.empty() ? "the file has no columns" : fmt::format("the file has {}", names));
  if (file.delimiter && file.names.size() == 1 && file.names[0].find_first_of(",;\t|") != std::string::npos) {
    d.notes.push_back(fmt::format("its columns do not seem to be separated by `{}`",
                                  file.delimiter == '\t' ? "\\t" : std::string(1, file.delimiter)));
  }
  return d;
}

/// Positions of the columns among the names; E0803 with all that are missing.
Result<std::vector<std::uint32_t>> bind(const Source& source, const NamedColumns& file, std::span<const plan::ReadColumn> columns) {
  std::vector<std::uint32_t> positions;
  std::vector<std::string> missing;
  for (const plan::ReadColumn& column : columns) {
    if (const auto position = position_of(source, file.names, column.source_name)) positions.push_back(*position);
    else missing.push_back(column.source_name);
  }
  if (!missing.empty()) return failure(lacks(file, missing, columns.size()));
  return positions;
}

}  // namespace

Result<std::vector<std::uint32_t>> bind_columns(const Source& source, const FileScan& file, std::span<const plan::ReadColumn> columns) {
  return bind(source, {name_of_file(source, file.path), file.header, file.delimiter}, columns);
}

std::vector<NamedColumns> columns_by_file(const Table& table) {
  std::vector<NamedColumns> out;
  const auto add = [](NamedColumns& to, const std::string& name) {
    if (std::ranges::find(to.names, name) == to.names.end()) to.names.push_back(name);
  };
  for (const FileScan& file : table.files) {
    if (out.empty() || !table.source->form->names_in_rows) out.push_back({name_of_file(*table.source, file.path), file.header, file.delimiter});
    else for (const std::string& name : file.header) add(out.back(), name);
    for (const auto& [name, value] : file.partition) add(out.back(), name);
  }
  if (out.size() == 1 && table.files.size() > 1) out[0].files = fmt::format("{} … {}", name_of_file(*table.source, table.files.front().path), name_of_file(*table.source, table.files.back().path));
  return out;
}

Result<void> check_names(const Table& table, std::span<const plan::ReadColumn> columns) {
  for (const NamedColumns& file : columns_by_file(table)) MLP_TRY_VOID(bind(*table.source, file, columns));
  return {};
}

}  // namespace mlp::io
