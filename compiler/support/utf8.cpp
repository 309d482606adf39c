#include "compiler/support/utf8.h"

#include <cstdint>
#include <cstring>

namespace mlp {

std::size_t utf8_prefix(std::string_view bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = p + bytes.size();
  const auto tail = [&](std::ptrdiff_t i) { return (p[i] & 0xC0) == 0x80; };
  const auto before = [&] { return static_cast<std::size_t>(p - reinterpret_cast<const unsigned char*>(bytes.data())); };
  while (p != end) {
    if (end - p >= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      if ((word & 0x8080808080808080ull) == 0) {
        p += 8;
        continue;
      }
    }
    const unsigned char c = *p;
    if (c < 0x80) {
      ++p;
    } else if (c >= 0xC2 && c <= 0xDF) {
      if (end - p < 2 || !tail(1)) return before();
      p += 2;
    } else if (c >= 0xE0 && c <= 0xEF) {
      if (end - p < 3 || !tail(1) || !tail(2)) return before();
      if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F)) return before();
      p += 3;
    } else if (c >= 0xF0 && c <= 0xF4) {
      if (end - p < 4 || !tail(1) || !tail(2) || !tail(3)) return before();
      if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F)) return before();
      p += 4;
    } else {
      return before();
    }
  }
  return before();
}

}  // namespace mlp
