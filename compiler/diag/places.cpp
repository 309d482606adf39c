#include "compiler/diag/places.h"

#include <algorithm>

namespace mlp::diag {

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }
bool begins_pair(char c) { return (static_cast<unsigned char>(c) & 0xF8) == 0xF0; }

}  // namespace

const Places::Counts& Places::counts(std::uint32_t file) {
  const auto [at, fresh] = counted_.try_emplace(file);
  if (!fresh) return at->second;
  Before so_far;
  const std::string& text = sources_.file(file).text;
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    if (i % kBlock == 0) at->second.characters.push_back(so_far.characters), at->second.pairs.push_back(so_far.pairs);
    so_far.characters += begins_character(text[i]);
    so_far.pairs += begins_pair(text[i]);
  }
  return at->second;
}

Places::Before Places::before(std::uint32_t file, std::uint32_t offset) {
  const Counts& all = counts(file);
  if (offset == 0) return {};
  const std::uint32_t block = (offset - 1) / kBlock;
  Before out{all.characters[block], all.pairs[block]};
  const std::string& text = sources_.file(file).text;
  for (std::uint32_t i = block * kBlock; i < offset; ++i) {
    out.characters += begins_character(text[i]);
    out.pairs += begins_pair(text[i]);
  }
  return out;
}

LineColumn Places::locate(std::uint32_t file, std::uint32_t offset) {
  const SourceFile& source = sources_.file(file);
  offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(source.text.size()));
  const auto after = std::upper_bound(source.line_starts.begin(), source.line_starts.end(), offset);
  const auto line = static_cast<std::uint32_t>(after - source.line_starts.begin());
  return {line, 1 + before(file, offset).characters - before(file, source.line_starts[line - 1]).characters};
}

LineColumn Places::locate_utf16(std::uint32_t file, std::uint32_t offset) {
  const SourceFile& source = sources_.file(file);
  offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(source.text.size()));
  LineColumn at = locate(file, offset);
  at.column += before(file, offset).pairs - before(file, source.line_starts[at.line - 1]).pairs;
  if (at.line == 1 && at.column > 1 && source.text.starts_with("\xEF\xBB\xBF")) --at.column;
  return at;
}

}  // namespace mlp::diag
