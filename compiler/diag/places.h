#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/support/span.h"

namespace mlp::diag {

/// Lines and columns of many places: SourceMap::locate counts from the beginning of the line, which is too long for a hundred thousand
/// places in one line of megabytes. Here each file is counted once.
class Places {
 public:
  explicit Places(const SourceMap& sources) : sources_(sources) {}
  /// As SourceMap::locate.
  LineColumn locate(std::uint32_t file, std::uint32_t offset);
  /// The column in UTF-16 code units, a byte order mark not counted.
  LineColumn locate_utf16(std::uint32_t file, std::uint32_t offset);

 private:
  /// Before each block of kBlock bytes: code points that begin, and those beyond U+FFFF, which UTF-16 writes as pairs.
  struct Counts {
    std::vector<std::uint32_t> characters, pairs;
  };
  static constexpr std::uint32_t kBlock = 1024;
  struct Before {
    std::uint32_t characters = 0, pairs = 0;
  };
  const Counts& counts(std::uint32_t file);
  Before before(std::uint32_t file, std::uint32_t offset);

  const SourceMap& sources_;
  std::map<std::uint32_t, Counts> counted_;
};

}  // namespace mlp::diag
