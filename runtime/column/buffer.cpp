#include <cstring>
#include <new>

#include "runtime/column/column.h"

namespace mlp {

namespace {

constexpr std::align_val_t kAlignment{64};

/// Uninitialised; nullptr for no bytes.
std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  auto* data = static_cast<std::byte*>(::operator new(bytes, kAlignment));
  return {data, [](std::byte* p) { ::operator delete(p, kAlignment); }};
}

}  // namespace

Buffer::Buffer(std::size_t bytes) : data_(allocate(bytes)), size_(bytes) {
  if (bytes) std::memset(data_.get(), 0, bytes);
}

Buffer Buffer::copy(const void* data, std::size_t bytes) {
  Buffer buffer;
  buffer.data_ = allocate(bytes);
  buffer.size_ = bytes;
  if (bytes) std::memcpy(buffer.data_.get(), data, bytes);
  return buffer;
}

}  // namespace mlp
