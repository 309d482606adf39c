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

diag::Diagnostic lacks(const FileScan& file, const std::vector<std::string>& missing, std::size_t asked) {
  std::vector<std::string> quoted, suggestions;
  for (const std::string& name : missing) {
    quoted.push_back(fmt::format("`{}`", name));
    if (const std::string_view near = nearest(name, file.header); !near.empty())
      suggestions.push_back(asked == 1 ? fmt::format("`{}`", near) : fmt::format("`{}` for `{}`", near, name));
  }
  auto d = diag::make(diag::Code::E0803, {}, fmt::format("`{}` has no column{} {}", file.path, missing.size() == 1 ? "" : "s", fmt::join(quoted, ", ")));
  if (!suggestions.empty())
    d.help = fmt::format("did you mean {}? A column takes its name in the file with `as \"…\"`", fmt::join(suggestions, ", "));
  constexpr std::size_t kListed = 40;
  std::string names;
  for (std::size_t i = 0; i < std::min(kListed, file.header.size()); ++i)
    names += fmt::format("{}`{}`", i ? ", " : "", shortened(file.header[i]));
  if (file.header.size() > kListed) names += fmt::format(" and {} more", file.header.size() - kListed);
  d.notes.push_back(file.header.empty() ? "the file has no columns" : fmt::format("the file has {}", names));
  if (file.delimiter && file.header.size() == 1 && file.header[0].find_first_of(",;\t|") != std::string::npos) {
    d.notes.push_back(fmt::format("its columns do not seem to be separated by `{}`",
                                  file.delimiter == '\t' ? "\\t" : std::string(1, file.delimiter)));
  }
  return d;
}

}  // namespace

Result<std::vector<std::uint32_t>> bind_columns(const Source& source, const FileScan& file, std::span<const plan::ReadColumn> columns) {
  std::vector<std::uint32_t> positions;
  std::vector<std::string> missing;
  for (const plan::ReadColumn& column : columns) {
    if (const auto position = position_of(source, file.header, column.source_name)) positions.push_back(*position);
    else missing.push_back(column.source_name);
  }
  if (!missing.empty()) return failure(lacks(file, missing, columns.size()));
  return positions;
}

Result<void> check_names(const Table& table, std::span<const plan::ReadColumn> columns) {
  const auto check = [&](const FileScan& file) -> Result<void> {
    std::vector<plan::ReadColumn> own;
    for (const plan::ReadColumn& column : columns)
      if (std::ranges::find(file.partition, column.source_name, &std::pair<std::string, std::string>::first) == file.partition.end()) own.push_back(column);
    MLP_TRY_VOID(bind_columns(*table.source, file, own));
    return {};
  };
  if (!table.source->form->names_in_rows) {
    for (const FileScan& file : table.files) MLP_TRY_VOID(check(file));
    return {};
  }
  FileScan all;
  for (const FileScan& file : table.files) {
    for (const std::string& name : file.header)
      if (std::ranges::find(all.header, name) == all.header.end()) all.header.push_back(name);
    all.partition.insert(all.partition.end(), file.partition.begin(), file.partition.end());
  }
  if (table.files.empty()) return {};
  all.path = table.files.front().path;
  if (table.files.size() > 1) all.path = fmt::format("{} … {}", all.path, table.files.back().path);
  return check(all);
}

}  // namespace mlp::io
