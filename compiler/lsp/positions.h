#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Places of a document as editors count them, and as spans do.
namespace mlp::lsp {

/// What `character` counts inside of a line: the protocol's default is UTF-16 code units.
enum class Encoding : std::uint8_t { utf8, utf16, utf32 };

/// Zero-based.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t character = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Range {
  Position start, end;
  friend bool operator==(const Range&, const Range&) = default;
};

/// Where the lines of a text begin. A line ends at `\n`, `\r\n` or a lone `\r`, as the protocol says.
class Lines {
 public:
  explicit Lines(std::string_view text);
  std::size_t count() const { return starts_.size(); }
  std::uint32_t begin(std::size_t line) const { return starts_[line]; }
  /// Byte of the position. A character beyond the end of its line means that end, a line beyond the last one the end of the text;
  /// the middle of a character means its beginning.
  std::uint32_t offset(std::string_view text, Position position, Encoding encoding) const;
  /// Position of a byte; beyond the text: its end.
  Position position(std::string_view text, std::uint32_t offset, Encoding encoding) const;

 private:
  std::vector<std::uint32_t> starts_;
};

/// The text of an edit from one text to the other, lines that are equal at both ends left out.
struct Edit {
  std::uint32_t begin = 0, end = 0;  ///< bytes of the old text
  std::string text;
};
Edit smallest_edit(std::string_view from, std::string_view to);

}  // namespace mlp::lsp
