#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlp {

/// Half-open range of bytes of one source file of a SourceMap; `Span{}` is nowhere.
struct Span {
  static constexpr std::uint32_t kNowhere = 0xFFFF'FFFFu;
  std::uint32_t file = kNowhere;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  explicit operator bool() const { return file != kNowhere; }
  friend auto operator<=>(const Span&, const Span&) = default;
};

/// Smallest span that covers both; they are of one file.
Span cover(Span a, Span b);

/// One-based line, and one-based column counted in Unicode code points.
struct LineColumn {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct SourceFile {
  std::string path;  ///< as the user wrote it, for messages
  std::string text;
  std::vector<std::uint32_t> line_starts;
};

/// The texts that spans point into.
class SourceMap {
 public:
  std::uint32_t add(std::string path, std::string text);
  const SourceFile& file(std::uint32_t index) const { return files_[index]; }
  std::size_t size() const { return files_.size(); }
  LineColumn locate(std::uint32_t file, std::uint32_t offset) const;
  /// Text of the one-based line without its line ending.
  std::string_view line(std::uint32_t file, std::uint32_t line) const;
  std::string_view text(Span span) const;

 private:
  std::vector<SourceFile> files_;
};

}  // namespace mlp
