#include "runtime/learn/profile_counts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace mlp::learn {

std::vector<KeyCount> KeyTable::unordered() const {
  std::vector<KeyCount> out(size_ + 1);
  std::size_t at = 0;
  for (const KeyCount& slot : slots_) {  // no branch: which slots are full cannot be guessed
    out[at] = slot;
    at += slot.count != 0;
  }
  out.resize(size_);
  return out;
}

std::vector<KeyCount> KeyTable::entries() const {
  std::vector<KeyCount> out = unordered();
  std::ranges::sort(out, {}, &KeyCount::key);
  return out;
}

void KeyTable::assign(const std::vector<KeyCount>& entries) {
  std::ranges::fill(slots_, KeyCount{});
  size_ = 0;
  for (const KeyCount& entry : entries) add(entry.key, entry.count, entry.row);
}

void coarsen_by(std::vector<KeyCount>& entries, int bits) {
  if (bits == 0 || entries.empty()) return;
  std::size_t last = 0;
  entries[0].key >>= bits;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const std::uint64_t key = entries[i].key >> bits;
    if (key == entries[last].key) {
      entries[last].count += entries[i].count;
    } else {
      entries[++last] = entries[i];
      entries[last].key = key;
    }
  }
  entries.resize(last + 1);
}

int bits_too_many(const std::vector<std::uint64_t>& keys, std::size_t most) {
  if (keys.size() <= most) return 0;
  // Neighbours stay apart as long as the highest bit in which they differ is there.
  std::array<std::size_t, 65> apart{};
  for (std::size_t i = 1; i < keys.size(); ++i) ++apart[static_cast<std::size_t>(64 - std::countl_zero(keys[i] ^ keys[i - 1]))];
  int bits = 0;
  for (std::size_t left = keys.size(); left > most; left -= apart[static_cast<std::size_t>(bits)]) ++bits;
  return bits;
}

int coarsen(std::vector<KeyCount>& entries, std::size_t most) {
  std::vector<std::uint64_t> keys;
  keys.reserve(entries.size());
  for (const KeyCount& entry : entries) keys.push_back(entry.key);
  const int bits = bits_too_many(keys, most);
  coarsen_by(entries, bits);
  return bits;
}

std::vector<KeyCount> merged(const std::vector<KeyCount>& a, const std::vector<KeyCount>& b) {
  std::vector<KeyCount> out;
  out.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(out), {}, &KeyCount::key, &KeyCount::key);
  std::size_t last = 0;
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i].key == out[last].key) out[last].count += out[i].count;
    else out[++last] = out[i];
  }
  if (!out.empty()) out.resize(last + 1);
  return out;
}

std::uint64_t keep_frequent(std::vector<KeyCount>& entries, std::size_t most) {
  if (entries.size() <= most) return 0;
  std::uint64_t taken = 1;
  std::size_t repeated = 0;
  for (const KeyCount& entry : entries) repeated += entry.count > 1;
  if (repeated > most) {
    std::vector<std::uint64_t> counts;
    counts.reserve(entries.size());
    for (const KeyCount& entry : entries) counts.push_back(entry.count);
    std::ranges::nth_element(counts, counts.begin() + static_cast<std::ptrdiff_t>(most), std::greater<>());
    taken = counts[most];
  }
  std::erase_if(entries, [&](const KeyCount& entry) { return entry.count <= taken; });
  for (KeyCount& entry : entries) entry.count -= taken;
  return taken;
}

double estimate_distinct(const std::vector<std::uint8_t>& registers) {
  const auto m = static_cast<double>(registers.size());
  std::array<double, kHighestRegister + 1> having{};
  for (const std::uint8_t r : registers) having[r] += 1;
  const auto sigma = [](double x) {
    if (x == 1) return std::numeric_limits<double>::infinity();
    double y = 1, z = x;
    for (double before = -1; z != before; y += y) {
      x *= x;
      before = z;
      z += x * y;
    }
    return z;
  };
  const auto tau = [](double x) {
    if (x == 0 || x == 1) return 0.0;
    double y = 1, z = 1 - x;
    for (double before = -1; z != before;) {
      x = std::sqrt(x);
      before = z;
      y *= 0.5;
      z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
  };
  double z = m * tau(1 - having[kHighestRegister] / m);
  for (int k = kHighestRegister - 1; k >= 1; --k) z = 0.5 * (z + having[static_cast<std::size_t>(k)]);
  z += m * sigma(having[0] / m);
  return 0.7213475204444817 * m * m / z;  // 1 / (2 ln 2)
}

}  // namespace mlp::learn
