#pragma once

#include <array>
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
  std::int32_t find(std::string_view text) const { return find(slot_of(text), text); }
  /// The same, sooner: 16 bytes from the beginning of the text on may be read.
  std::int32_t find_in_text(std::string_view text) const { return find(slot_in_text(text), text); }
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
  static std::uint64_t word(const char* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  static std::uint64_t hash_of_long(std::string_view text);
  static Slot slot_of(std::string_view text);
  static Slot slot_in_text(std::string_view text);
  std::int32_t find(const Slot& key, std::string_view text) const;
  std::size_t place_of(const Slot& slot) const;
  bool holds(const Slot& slot, const Slot& key, std::string_view text) const;
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(32);
  std::vector<std::string> texts_;
};

inline TextIndex::Slot TextIndex::slot_in_text(std::string_view text) {
  const std::size_t n = text.size();
  if (n > 16) return {hash_of_long(text), 0, static_cast<std::uint32_t>(n), -1};
  // Without branches: lengths cannot be guessed.
  static constexpr auto kKept = [] {
    std::array<std::uint64_t, 17> kept{};
    for (std::size_t bytes = 0; bytes < kept.size(); ++bytes) kept[bytes] = bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * bytes) - 1;
    return kept;
  }();
  return {word(text.data()) & kKept[n], word(text.data() + 8) & kKept[n > 8 ? n - 8 : 0], static_cast<std::uint32_t>(n), -1};
}

inline TextIndex::Slot TextIndex::slot_of(std::string_view text) {
  if (text.size() > 16) return slot_in_text(text);
  char copy[16] = {};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return slot_in_text({copy, text.size()});
}

inline std::size_t TextIndex::place_of(const Slot& slot) const {
  // The multiplier is of the golden ratio (Knuth, The Art of Computer Programming 3, 6.4); the upper half depends on all bits.
  const unsigned __int128 product = static_cast<unsigned __int128>(slot.first ^ (slot.last << 32 | slot.last >> 32) ^ slot.size) * 0x9E3779B97F4A7C15ull;
  return static_cast<std::size_t>(static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product)) & (slots_.size() - 1);
}

inline bool TextIndex::holds(const Slot& slot, const Slot& key, std::string_view text) const {
  return slot.first == key.first && slot.last == key.last && slot.size == key.size && (key.size <= 16 || texts_[static_cast<std::size_t>(slot.number)] == text);
}

inline std::int32_t TextIndex::find(const Slot& key, std::string_view text) const {
  std::size_t at = place_of(key);
  for (; slots_[at].number >= 0; at = (at + 1) & (slots_.size() - 1))
    if (holds(slots_[at], key, text)) return slots_[at].number;
  return static_cast<std::int32_t>(texts_.size());
}

}  // namespace mlp::io
