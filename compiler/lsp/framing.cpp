#include "compiler/lsp/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mlp::lsp {

namespace {

bool is_length(std::string_view name) {
  constexpr std::string_view wanted = "content-length";
  return std::ranges::equal(name, wanted, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

void Framing::feed(std::string_view bytes) {
  if (fault_.empty()) buffer_ += bytes;
}

/// Takes the head off the buffer once it is whole.
bool Framing::read_head() {
  const std::size_t end = buffer_.find("\r\n\r\n", searched_ < 3 ? 0 : searched_ - 3);
  if (end == std::string::npos ? buffer_.size() > kMostHead : end > kMostHead) {
    fault_ = fmt::format("the head of a message has more than {} bytes", kMostHead);
    return false;
  }
  searched_ = buffer_.size();
  if (end == std::string::npos) return false;
  std::string_view head = std::string_view(buffer_).substr(0, end);
  while (!head.empty()) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(std::min(line_end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      fault_ = "a line of a message's head has no colon";
      return false;
    }
    if (!is_length(trimmed(line.substr(0, colon)))) continue;
    const std::string_view digits = trimmed(line.substr(colon + 1));
    std::size_t length = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || last != digits.data() + digits.size() || length > kMostBytes) {
      fault_ = fmt::format("Content-Length is no number up to {}", kMostBytes);
      return false;
    }
    expected_ = length;
  }
  if (!expected_) {
    fault_ = "the head of a message has no Content-Length";
    return false;
  }
  buffer_.erase(0, end + 4);
  searched_ = 0;
  return true;
}

std::optional<std::string> Framing::next() {
  if (!fault_.empty()) return std::nullopt;
  if (!expected_ && !read_head()) {
    if (!fault_.empty()) buffer_.clear();
    return std::nullopt;
  }
  if (buffer_.size() < *expected_) return std::nullopt;
  std::string message = buffer_.substr(0, *expected_);
  buffer_.erase(0, *expected_);
  expected_.reset();
  return message;
}

std::string framed(std::string_view message) { return fmt::format("Content-Length: {}\r\n\r\n{}", message.size(), message); }

}  // namespace mlp::lsp
