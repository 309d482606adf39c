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

// Of many keys at once: the same bits on every CPU, sooner where it multiplies eight together.

namespace {

constexpr std::size_t kBlock = 64;

/// What the finalizer of count_distinct leaves of a block of keys: a register each, and its rank.
[[gnu::always_inline]] inline void rank_block(const std::uint64_t* keys, std::uint64_t* __restrict places, std::uint64_t* __restrict ranks) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    std::uint64_t key = keys[i];
    key = (key ^ (key >> 33)) * 0xFF51AFD7ED558CCDull;
    key = (key ^ (key >> 33)) * 0xC4CEB9FE1A85EC53ull;
    key ^= key >> 33;
    places[i] = key >> (64 - kRegisterBits);
    ranks[i] = static_cast<std::uint64_t>(__builtin_clzll(key << kRegisterBits | std::uint64_t{1} << (kRegisterBits - 1))) + 1;
  }
}

void rank_plainly(const std::uint64_t* keys, std::uint64_t* places, std::uint64_t* ranks) { rank_block(keys, places, ranks); }

#if defined(__x86_64__)
#define MLP_AVX512 __attribute__((target("avx512f,avx512dq,avx512cd,avx512vl,lzcnt")))
MLP_AVX512 void rank_512(const std::uint64_t* keys, std::uint64_t* places, std::uint64_t* ranks) { rank_block(keys, places, ranks); }
bool has_512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("lzcnt"); }
#endif

}  // namespace

void count_distinct(std::span<std::uint8_t> registers, std::span<const std::uint64_t> keys) {
  auto rank = &rank_plainly;
#if defined(__x86_64__)
  if (has_512()) rank = &rank_512;
#endif
  std::uint64_t places[kBlock], ranks[kBlock];
  for (; keys.size() >= kBlock; keys = keys.subspan(kBlock)) {
    rank(keys.data(), places, ranks);
    for (std::size_t i = 0; i < kBlock; ++i) {
      std::uint8_t& at = registers[places[i]];
      at = std::max(at, static_cast<std::uint8_t>(ranks[i]));
    }
  }
  for (const std::uint64_t key : keys) count_distinct(registers, key);
}

std::pair<std::uint64_t, std::uint64_t> least_and_greatest(std::span<const std::uint64_t> keys) {
  // Four of each, so that no comparison waits for the one before.
  std::array<std::uint64_t, 4> least, greatest;
  least.fill(keys[0]), greatest.fill(keys[0]);
  const auto look = [&](std::size_t lane, std::uint64_t key) {
    least[lane] = std::min(least[lane], key);
    greatest[lane] = std::max(greatest[lane], key);
  };
  std::size_t at = 0;
  for (; at + 4 <= keys.size(); at += 4)
    look(0, keys[at]), look(1, keys[at + 1]), look(2, keys[at + 2]), look(3, keys[at + 3]);
  for (; at < keys.size(); ++at) look(0, keys[at]);
  return {std::ranges::min(least), std::ranges::max(greatest)};
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
