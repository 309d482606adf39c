#include "kernels/arena.h"

#include <algorithm>

namespace mlp {

namespace {
constexpr std::size_t kBlock = std::size_t{1} << 16;
}

void Arena::clear() {
  if (blocks.size() > 1 || block_size > kBlock) {
    blocks.clear();
    block_size = 0;
  }
  used = 0;
}

char* arena_allocate(Arena* arena, std::int64_t size) {
  const auto bytes = static_cast<std::size_t>(size);
  if (arena->blocks.empty() || arena->block_size - arena->used < bytes) {
    arena->block_size = std::max(kBlock, bytes);
    arena->blocks.push_back(std::make_unique_for_overwrite<char[]>(arena->block_size));
    arena->used = 0;
  }
  char* const at = arena->blocks.back().get() + arena->used;
  arena->used += bytes;
  return at;
}

}  // namespace mlp
