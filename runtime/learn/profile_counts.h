#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

/// Counts of 64-bit keys in bounded room: what the profile of a column is made of.
namespace mlp::learn {

struct KeyCount {
  std::uint64_t key = 0;
  std::uint64_t count = 0;  ///< 0: an empty slot
  std::uint32_t row = 0;    ///< the first that has it
};

/// By open addressing; the caller keeps it at most half full.
class KeyTable {
 public:
  explicit KeyTable(int bits) : slots_(std::size_t{1} << bits), shift_(64 - bits) {}
  std::size_t size() const { return size_; }
  bool has(std::uint64_t key) const {
    std::size_t at = (key * 0x9E3779B97F4A7C15ull) >> shift_;
    while (slots_[at].count != 0 && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return slots_[at].count != 0;
  }
  /// Whether the key is new.
  bool add(std::uint64_t key, std::uint64_t count, std::uint32_t row) {
    std::size_t at = (key * 0x9E3779B97F4A7C15ull) >> shift_;
    while (slots_[at].count != 0) {
      if (slots_[at].key == key) {
        slots_[at].count += count;
        return false;
      }
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {key, count, row};
    ++size_;
    return true;
  }
  /// In no order.
  std::vector<KeyCount> unordered() const;
  /// Ascending by key.
  std::vector<KeyCount> entries() const;
  void assign(const std::vector<KeyCount>& entries);

 private:
  std::vector<KeyCount> slots_;
  int shift_;
  std::size_t size_ = 0;
};

/// The fewest of the last bits of ascending keys that have to go, so that at most `most` different ones are left.
int bits_too_many(const std::vector<std::uint64_t>& keys, std::size_t most);
/// Drops as few of the last bits of ascending keys as leave at most `most` different ones; gives their number.
int coarsen(std::vector<KeyCount>& entries, std::size_t most);
/// Drops that many of the last bits.
void coarsen_by(std::vector<KeyCount>& entries, int bits);
/// Entries of both, ascending.
std::vector<KeyCount> merged(const std::vector<KeyCount>& a, const std::vector<KeyCount>& b);
/// Leaves at most `most` entries, by taking from every count that of the first one too many (Agarwal et al., "Mergeable summaries"); gives what was
/// taken from each.
std::uint64_t keep_frequent(std::vector<KeyCount>& entries, std::size_t most);

/// Registers of HyperLogLog (Flajolet et al. 2007), merged by their maxima.
inline constexpr int kRegisterBits = 13;
inline constexpr std::uint8_t kHighestRegister = 64 - kRegisterBits + 1;
inline void count_distinct(std::span<std::uint8_t> registers, std::uint64_t key) {
  // The finalizer of MurmurHash3: neighbouring keys get unrelated bits.
  key = (key ^ (key >> 33)) * 0xFF51AFD7ED558CCDull;
  key = (key ^ (key >> 33)) * 0xC4CEB9FE1A85EC53ull;
  key ^= key >> 33;
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(key << kRegisterBits | std::uint64_t{1} << (kRegisterBits - 1)) + 1);
  std::uint8_t& at = registers[key >> (64 - kRegisterBits)];
  at = at < rank ? rank : at;  // no branch: it could not be guessed
}
void count_distinct(std::span<std::uint8_t> registers, std::span<const std::uint64_t> keys);
/// The improved estimator of Ertl (arXiv:1702.01284).
double estimate_distinct(const std::vector<std::uint8_t>& registers);

/// Of at least one key.
std::pair<std::uint64_t, std::uint64_t> least_and_greatest(std::span<const std::uint64_t> keys);

/// Order-preserving keys of values.
inline std::uint64_t key_of(std::int64_t x) { return static_cast<std::uint64_t>(x) ^ std::uint64_t{1} << 63; }
inline std::uint64_t key_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x + 0.0);  // -0 + 0 is 0
  return bits >> 63 ? ~bits : bits | std::uint64_t{1} << 63;
}
inline std::int64_t int_of(std::uint64_t key) { return static_cast<std::int64_t>(key ^ std::uint64_t{1} << 63); }
inline double float_of(std::uint64_t key) { return std::bit_cast<double>(key >> 63 ? key ^ std::uint64_t{1} << 63 : ~key); }

}  // namespace mlp::learn
