#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/support/digest.h"
#include "runtime/io/source.h"

/// What forms of text have in common: compression, encodings, lines, digests of their fragments.
namespace mlp::io {

/// The text of a file as UTF-8. A file that is compressed (.gz, .zst) or written otherwise is unpacked once for the source, into a file
/// without a name in its scratch folder; `stamp` is that of the file itself. E0901, E0804, E0904.
Result<std::shared_ptr<File>> open_text(const Source& source, const std::string& path);
/// The path without the ending of a compression.
std::string_view without_compression(std::string_view path);

/// The physical lines of a file, read in chunks: no more than a line and a chunk are in memory.
class LineSource {
 public:
  explicit LineSource(File& file) : file_(file) {}
  /// With its line feed; nullopt at the end. Valid until the next call.
  Result<std::optional<std::string_view>> next();

 private:
  std::optional<std::string_view> take(std::size_t end);

  File& file_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

/// Some bytes of a file, read piece by piece into one place.
class Window {
 public:
  /// Zeros after the text.
  static constexpr std::size_t kPadding = 64;

  Window(File& file, std::uint64_t begin, std::uint64_t end) : file_(file), next_(begin), end_(end) {}
  std::string_view text() const { return {bytes_.get(), size_}; }
  /// The text ends where the bytes asked for do.
  bool at_end() const { return next_ == end_; }
  /// The text from `used` on, and more after it. False where the file ends before it should.
  Result<bool> refill(std::size_t used);

 private:
  File& file_;
  std::uint64_t next_, end_;
  std::unique_ptr<char[]> bytes_;
  std::size_t room_ = 0, size_ = 0;
};

/// Fills the digest of each fragment: of `domain` and its bytes. `look` sees them in pieces of whole lines, in any thread. E0901, E0805.
Result<void> hash_fragments(File& file, FileScan& scan, const Digest& domain, const std::function<void(std::size_t fragment, std::string_view lines)>& look);
/// The bytes of a fragment. E0901, E0805 where the file is no longer the one that was looked at.
Result<std::string> read_bytes(const Source& source, const FileScan& scan, const Fragment& fragment);

/// E0804.
std::unexpected<diag::Diagnostic> no_table(const std::string& path, std::uint64_t line, std::string what, std::string help);

}  // namespace mlp::io
