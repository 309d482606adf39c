#include "runtime/io/text_index.h"

#include <xxhash.h>

namespace mlp::io {

std::uint64_t TextIndex::hash_of_long(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

void TextIndex::add(std::string_view text) {
  if ((texts_.size() + 1) * 2 > slots_.size()) grow();
  Slot slot = slot_of(text);
  slot.number = static_cast<std::int32_t>(texts_.size());
  texts_.emplace_back(text);
  std::size_t at = place_of(slot);
  while (slots_[at].number >= 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void TextIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.number < 0) continue;
    std::size_t at = place_of(slot);
    while (slots_[at].number >= 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

}  // namespace mlp::io
