#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mlp::io {

/// Numbers different texts in the order in which they come.
class TextIndex {
 public:
  /// The number of the text; size() where it is none of them.
  std::int32_t find(std::string_view text) const;
  /// Adds a text that is none of them.
  void add(std::string_view text);
  std::size_t size() const { return texts_.size(); }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  /// Texts of up to 16 bytes are their slot: two words and a length say all of them.
  struct Slot {
    std::uint64_t first = 0, last = 0;
    std::uint32_t size = 0;
    std::int32_t number = -1;
  };
  template <class Word>
  static std::uint64_t word(const char* at) {
    Word value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  static std::uint64_t hash_of_long(std::string_view text);
  static Slot slot_of(std::string_view text);
  std::size_t place_of(const Slot& slot) const;
  bool holds(const Slot& slot, const Slot& key, std::string_view text) const;
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(32);
  std::vector<std::string> texts_;
};

inline TextIndex::Slot TextIndex::slot_of(std::string_view text) {
  const char* const p = text.data();
  const std::size_t n = text.size();
  Slot slot;
  slot.size = static_cast<std::uint32_t>(n);
  if (n > 16) {
    slot.first = hash_of_long(text);
  } else if (n >= 8) {
    slot.first = word<std::uint64_t>(p);
    slot.last = word<std::uint64_t>(p + n - 8);
  } else if (n >= 4) {
    slot.first = word<std::uint32_t>(p) | word<std::uint32_t>(p + n - 4) << 32;
  } else if (n > 0) {
    slot.first = word<std::uint8_t>(p) | word<std::uint8_t>(p + n / 2) << 8 | word<std::uint8_t>(p + n - 1) << 16;
  }
  return slot;
}

inline std::size_t TextIndex::place_of(const Slot& slot) const {
  // The multiplier is of the golden ratio (Knuth, The Art of Computer Programming 3, 6.4); the upper half depends on all bits.
  const unsigned __int128 product = static_cast<unsigned __int128>(slot.first ^ (slot.last << 32 | slot.last >> 32) ^ slot.size) * 0x9E3779B97F4A7C15ull;
  return static_cast<std::size_t>(static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product)) & (slots_.size() - 1);
}

inline bool TextIndex::holds(const Slot& slot, const Slot& key, std::string_view text) const {
  return slot.first == key.first && slot.last == key.last && slot.size == key.size && (key.size <= 16 || texts_[static_cast<std::size_t>(slot.number)] == text);
}

inline std::int32_t TextIndex::find(std::string_view text) const {
  const Slot key = slot_of(text);
  std::size_t at = place_of(key);
  for (; slots_[at].number >= 0; at = (at + 1) & (slots_.size() - 1))
    if (holds(slots_[at], key, text)) return slots_[at].number;
  return static_cast<std::int32_t>(texts_.size());
}

}  // namespace mlp::io
