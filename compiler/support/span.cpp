#include "compiler/support/span.h"

#include <algorithm>

#include "compiler/support/check.h"

namespace mlp {

Span cover(Span a, Span b) {
  if (!a) return b;
  if (!b) return a;
  MLP_CHECK(a.file == b.file);
  return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

std::uint32_t SourceMap::add(std::string path, std::string text) {
  SourceFile file{std::move(path), std::move(text), {0}};
  for (std::size_t i = 0; i < file.text.size(); ++i)
    if (file.text[i] == '\n') file.line_starts.push_back(static_cast<std::uint32_t>(i + 1));
  files_.push_back(std::move(file));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

LineColumn SourceMap::locate(std::uint32_t file, std::uint32_t offset) const {
  const SourceFile& f = files_[file];
  offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(f.text.size()));
  const auto after = std::upper_bound(f.line_starts.begin(), f.line_starts.end(), offset);
  const auto line = static_cast<std::uint32_t>(after - f.line_starts.begin());
  std::uint32_t column = 1;
  for (std::uint32_t i = f.line_starts[line - 1]; i < offset; ++i)
    if ((static_cast<unsigned char>(f.text[i]) & 0xC0) != 0x80) ++column;
  return {line, column};
}

std::string_view SourceMap::line(std::uint32_t file, std::uint32_t line) const {
  const SourceFile& f = files_[file];
  if (line == 0 || line > f.line_starts.size()) return {};
  const std::size_t begin = f.line_starts[line - 1];
  std::size_t end = line < f.line_starts.size() ? f.line_starts[line] : f.text.size();
  while (end > begin && (f.text[end - 1] == '\n' || f.text[end - 1] == '\r')) --end;
  return std::string_view(f.text).substr(begin, end - begin);
}

std::string_view SourceMap::text(Span span) const {
  if (!span) return {};
  return std::string_view(files_[span.file].text).substr(span.begin, span.end - span.begin);
}

}  // namespace mlp
