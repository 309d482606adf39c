#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/column.h"

namespace mlp {

/// A cell of a binned matrix: one uint8 a row and run, run after run; 255 is missing. The cuts are learn/bins.h.
struct BinnedColumn {
  static constexpr std::uint8_t kMissing = 255;
  std::size_t rows = 0;
  std::size_t runs = 1;  ///< of a vector; else 1
  Buffer bins;           ///< rows × runs

  std::span<const std::uint8_t> run(std::size_t index) const {
    return bins.as<std::uint8_t>().subspan(index * rows, rows);
  }
};

/// Magic, version, rows, runs, bins, XXH3 checksum. Equal cells give equal bytes.
std::string encode(const BinnedColumn& column);
/// Checks every size before it allocates; a wrong byte is a failure (E0903, E0909), never a crash.
Result<BinnedColumn> decode_binned_column(std::string_view bytes);

}  // namespace mlp
