#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

}  // namespace

Result<std::vector<std::uint32_t>> bind_columns(const FileScan& file, std::span<const plan::ReadColumn> columns) {
  std::vector<std::uint32_t> positions;
  std::vector<std::string> missing, suggestions;
  for (const plan::ReadColumn& column : columns) {
    const auto found = std::ranges::find(file.header, column.source_name);
    if (found != file.header.end() && !column.source_name.empty()) {
      positions.push_back(static_cast<std::uint32_t>(found - file.header.begin()));
      continue;
    }
    missing.push_back(fmt::format("`{}`", column.source_name));
    if (const std::string_view near = nearest(column.source_name, file.header); !near.empty()) {
      suggestions.push_back(columns.size() == 1 ? fmt::format("`{}`", near)
                                                : fmt::format("`{}` for `{}`", near, column.source_name));
    }
  }
  if (missing.empty()) return positions;

  auto d = diag::make(diag::Code::E0803, {},
                      missing.size() == 1 ? fmt::format("`{}` has no column {}", file.path, missing[0])
                                          : fmt::format("`{}` has no columns {}", file.path, fmt::join(missing, ", ")));
  if (!suggestions.empty())
    d.help = fmt::format("did you mean {}? A column takes its name in the file with `as \"…\"`",
                         fmt::join(suggestions, ", "));
  constexpr std::size_t kListed = 40;
  std::string names;
  for (std::size_t i = 0; i < std::min(kListed, file.header.size()); ++i)
    names += fmt::format("{}`{}`", i ? ", " : "", shortened(file.header[i]));
  if (file.header.size() > kListed) names += fmt::format(" and {} more", file.header.size() - kListed);
  d.notes.push_back(fmt::format("the file has {}", names));
  if (file.delimiter && file.header.size() == 1 && file.header[0].find_first_of(",;\t|") != std::string::npos) {
    d.notes.push_back(fmt::format("its columns do not seem to be separated by `{}`",
                                  file.delimiter == '\t' ? "\\t" : std::string(1, file.delimiter)));
  }
  return failure(std::move(d));
}

}  // namespace mlp::io
