#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Messages in a stream of bytes: `Content-Length: N`, an empty line, N bytes.
namespace mlp::lsp {

class Framing {
 public:
  /// A head that is larger, or a message that is, ends the conversation: where the next one begins cannot be trusted.
  static constexpr std::size_t kMostHead = 8 << 10;
  static constexpr std::size_t kMostBytes = std::size_t{128} << 20;

  void feed(std::string_view bytes);
  /// The next whole message; nothing while more bytes are needed, and after a fault.
  std::optional<std::string> next();
  /// Why the stream cannot be read on, in words; empty while it can.
  const std::string& fault() const { return fault_; }
  /// Bytes of a message that has not come to its end.
  bool has_part() const { return !buffer_.empty(); }

 private:
  bool read_head();
  std::string buffer_;
  std::size_t searched_ = 0;            ///< no end of the head before this
  std::optional<std::size_t> expected_;  ///< bytes of the message whose head was read
  std::string fault_;
};

std::string framed(std::string_view message);

}  // namespace mlp::lsp
