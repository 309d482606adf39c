#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/abi.h"

namespace mlp {

/// Memory of texts that functions make: given out piece by piece, taken back all at once.
struct Arena {
  /// What was given out is invalid afterwards; the first block is kept for the next batch.
  void clear();

  std::vector<std::unique_ptr<char[]>> blocks;
  std::size_t block_size = 0;  ///< of the last block
  std::size_t used = 0;        ///< of the last block
};

}  // namespace mlp
