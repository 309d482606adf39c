#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace mlp {

static_assert(std::endian::native == std::endian::little, "stored bytes are little-endian and copied as they are");

/// Writes the parts of a stored object.
struct ByteWriter {
  std::string bytes;

  void raw(const void* data, std::size_t size) {
    if (size) bytes.append(static_cast<const char*>(data), size);
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  void put(T value) {
    raw(&value, sizeof value);
  }
  /// The bytes, and zeros up to the next multiple of 8.
  void padded(const void* data, std::size_t size) {
    raw(data, size);
    bytes.append((8 - bytes.size() % 8) % 8, '\0');
  }
  /// The bytes with their checksum (XXH3, 64 bits) at the end; the writer is empty then.
  std::string finish();
};

/// Reads untrusted bytes: whatever is asked for beyond the end gives zeros and makes `good` false.
struct ByteReader {
  std::string_view bytes;
  std::size_t at = 0;
  bool good = true;

  std::size_t left() const { return bytes.size() - at; }
  std::string_view raw(std::uint64_t size) {
    if (!good || size > left()) {
      good = false;
      return {};
    }
    const std::string_view part = bytes.substr(at, size);
    at += size;
    return part;
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  T take() {
    T value{};
    if (const std::string_view part = raw(sizeof value); good) std::memcpy(&value, part.data(), sizeof value);
    return value;
  }
  /// Bytes followed by zeros up to a multiple of 8; other padding is not good.
  std::string_view padded(std::uint64_t size) {
    const std::string_view part = raw(size);
    for (const char c : raw((8 - at % 8) % 8))
      good = good && c == '\0';
    return part;
  }
  /// Whether the last 8 bytes are the checksum of all before; takes them off.
  bool check_sum();
};

}  // namespace mlp
