#include <cstring>
#include <memory>
#include <new>

#include "runtime/column/column.h"

namespace mlp {

namespace {

constexpr std::size_t kAlignment = 64;

/// Uninitialised; nullptr for no bytes. The columns of a request of one row are small and many: an aligned allocation takes the
/// slow way through the allocator, an ordinary one that is aligned here does not.
std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* const whole = ::operator new(bytes + kAlignment);
  void* data = whole;
  std::size_t room = bytes + kAlignment;
  std::align(kAlignment, bytes, data, room);
  return {static_cast<std::byte*>(data), [whole](std::byte*) { ::operator delete(whole); }};
}

}  // namespace

Buffer::Buffer(std::size_t bytes) : data_(allocate(bytes)), size_(bytes) {
  if (bytes) std::memset(data_.get(), 0, bytes);
}

Buffer Buffer::unwritten(std::size_t bytes) {
  Buffer buffer;
  buffer.data_ = allocate(bytes);
  buffer.size_ = bytes;
  return buffer;
}

Buffer Buffer::copy(const void* data, std::size_t bytes) {
  Buffer buffer = unwritten(bytes);
  if (bytes) std::memcpy(buffer.data_.get(), data, bytes);
  return buffer;
}

}  // namespace mlp
