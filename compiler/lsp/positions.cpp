#include "compiler/lsp/positions.h"

#include <algorithm>

namespace mlp::lsp {

namespace {

/// Bytes of the character that begins with this byte; a byte that begins none counts for itself.
std::uint32_t length_of(unsigned char first) {
  return first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 ? (first < 0xF0 ? 3 : 1) : first >= 0xC2 ? 2 : 1;
}

std::uint32_t units(std::uint32_t bytes, Encoding encoding) {
  return encoding == Encoding::utf8 ? bytes : encoding == Encoding::utf16 && bytes == 4 ? 2 : 1;
}

bool is_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

Lines::Lines(std::string_view text) : starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (is_end(text[i])) starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

std::uint32_t Lines::offset(std::string_view text, Position position, Encoding encoding) const {
  const auto size = static_cast<std::uint32_t>(text.size());
  if (position.line >= starts_.size()) return size;
  std::uint32_t at = starts_[position.line], left = position.character;
  while (at < size && !is_end(text[at])) {
    const std::uint32_t bytes = std::min(length_of(static_cast<unsigned char>(text[at])), size - at), wide = units(bytes, encoding);
    if (wide > left) break;
    left -= wide;
    at += bytes;
  }
  return at;
}

Position Lines::position(std::string_view text, std::uint32_t offset, Encoding encoding) const {
  const auto size = static_cast<std::uint32_t>(text.size());
  offset = std::min(offset, size);
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  Position out{static_cast<std::uint32_t>(after - starts_.begin() - 1), 0};
  for (std::uint32_t at = starts_[out.line]; at < offset && !is_end(text[at]);) {
    const std::uint32_t bytes = std::min(length_of(static_cast<unsigned char>(text[at])), size - at);
    if (at + bytes > offset) break;
    out.character += units(bytes, encoding);
    at += bytes;
  }
  return out;
}

Edit smallest_edit(std::string_view from, std::string_view to) {
  const std::size_t most = std::min(from.size(), to.size());
  std::size_t head = 0, line = 0;  // equal bytes, and the beginning of the line that they end in
  for (; head < most && from[head] == to[head]; ++head)
    if (from[head] == '\n') line = head + 1;
  if (head == from.size() && head == to.size()) line = head;
  std::size_t tail = 0, kept = 0;
  while (tail < most - line && from[from.size() - 1 - tail] == to[to.size() - 1 - tail]) {
    ++tail;
    // Whole lines only: what follows the common tail has to begin a line in both.
    const std::size_t a = from.size() - tail, b = to.size() - tail;
    if ((a == line || from[a - 1] == '\n') && (b == line || to[b - 1] == '\n')) kept = tail;
  }
  return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(from.size() - kept), std::string(to.substr(line, to.size() - kept - line))};
}

}  // namespace mlp::lsp
