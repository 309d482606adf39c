#include "runtime/learn/column_profile.h"

#include <algorithm>
#include <cmath>

#include "compiler/support/check.h"
#include "runtime/learn/encoding.h"
#include "runtime/learn/profile_counts.h"

namespace mlp::learn {

namespace {

constexpr std::uint32_t kFormat = 0x2101, kVersion = 1;

bool is_text(Base base) { return base == Base::string || base == Base::category; }
bool is_number(Base base) { return base == Base::int_ || base == Base::float_; }
bool is_ordered(Base base) { return is_number(base) || base == Base::date || base == Base::timestamp || base == Base::duration; }

Value value_of(Base base, std::uint64_t key) {
  if (base == Base::float_) return float_of(key);
  if (base == Base::bool_) return key != 0;
  return int_of(key);
}

std::vector<KeyCount> entries_of(const std::vector<std::uint64_t>& keys, const std::vector<std::uint64_t>& counts) {
  std::vector<KeyCount> out(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) out[i] = {keys[i], counts[i], 0};
  return out;
}

void put(const std::vector<KeyCount>& entries, std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& counts) {
  keys.clear(), counts.clear();
  for (const KeyCount& entry : entries) {
    keys.push_back(entry.key);
    counts.push_back(entry.count);
  }
}

/// Steps between ascending keys and their counts, seven bits a byte.
std::string packed(const std::vector<std::uint64_t>& keys, const std::vector<std::uint64_t>& counts) {
  std::string out;
  const auto number = [&](std::uint64_t n) {
    for (; n >= 128; n >>= 7) out.push_back(static_cast<char>(n | 128));
    out.push_back(static_cast<char>(n));
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    number(i == 0 ? keys[i] : keys[i] - keys[i - 1]);
    number(counts[i]);
  }
  return out;
}

bool unpack_counts(const std::string& bytes, std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& counts) {
  std::size_t at = 0;
  const auto number = [&](std::uint64_t& n) {
    n = 0;
    for (int shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      n |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) return true;
    }
    return false;
  };
  keys.clear(), counts.clear();
  while (at < bytes.size()) {
    std::uint64_t step = 0, count = 0;
    if (!number(step) || !number(count) || count == 0) return false;
    if (!keys.empty() && (step == 0 || keys.back() + step < keys.back())) return false;
    keys.push_back(keys.empty() ? step : keys.back() + step);
    counts.push_back(count);
  }
  return true;
}

/// The stored form of a profile.
struct Stored {
  ColumnProfile profile;

  template <class A>
  void fields(A& a) {
    ColumnProfile& p = profile;
    std::string ranges = packed(p.keys, p.counts), frequent = packed(p.frequent_keys, p.frequent_counts);
    a(p.base, p.rows, p.missing, p.least, p.greatest, p.least_text, p.greatest_text, p.sum, p.squares, p.shift, ranges, p.registers, frequent, p.short_by, p.texts);
    if constexpr (requires { a.fail(); })
      if (!unpack_counts(ranges, p.keys, p.counts) || !unpack_counts(frequent, p.frequent_keys, p.frequent_counts) || !sound()) a.fail();
  }
  bool sound() const {
    const ColumnProfile& p = profile;
    if (p.missing > p.rows || p.shift > 63 || p.keys.size() > ColumnProfile::kMost || (p.is_exact() && p.shift != 0)) return false;
    if (!p.is_exact() && (p.registers.size() != std::size_t{1} << kRegisterBits || std::ranges::max(p.registers) > kHighestRegister)) return false;
    std::uint64_t counted = 0;
    for (const std::uint64_t count : p.counts) counted += count;
    const bool is_whole = p.base == Base::vector || (is_text(p.base) && !p.is_exact());
    if (counted != (is_whole ? 0 : p.known())) return false;
    if (!is_text(p.base)) return true;
    return std::ranges::all_of(p.is_exact() ? p.keys : p.frequent_keys, [&](std::uint64_t key) { return p.texts.contains(key); });
  }
};

}  // namespace

void ColumnProfile::merge(const ColumnProfile& other) {
  if (other.base == Base::error) return;
  if (base == Base::error) {
    *this = other;
    return;
  }
  MLP_CHECK(base == other.base);
  if (other.known() > 0 && base != Base::vector) {
    const bool first = known() == 0;
    if (first || other.least < least) least = other.least;
    if (first || other.greatest > greatest) greatest = other.greatest;
    if (first || other.least_text < least_text) least_text = other.least_text;
    if (first || other.greatest_text > greatest_text) greatest_text = other.greatest_text;
  }
  rows += other.rows;
  missing += other.missing;
  sum.add(other.sum);
  squares.add(other.squares);
  texts.insert(other.texts.begin(), other.texts.end());

  std::vector<KeyCount> mine = entries_of(keys, counts), others = entries_of(other.keys, other.counts);
  std::vector<KeyCount> all;
  if (is_exact() && other.is_exact()) {
    all = merged(mine, others);
    if (all.size() <= kMost) return put(all, keys, counts);
  }
  // More than kMost distinct values: from exact counts to what is kept of many values.
  const auto frequent_of = [](const ColumnProfile& profile, const std::vector<KeyCount>& exact) { return profile.is_exact() ? exact : entries_of(profile.frequent_keys, profile.frequent_counts); };
  std::vector<KeyCount> frequent = merged(frequent_of(*this, mine), frequent_of(other, others));
  short_by += other.short_by;
  short_by += keep_frequent(frequent, kFrequent);
  const bool was_exact = is_exact();
  registers.resize(std::size_t{1} << kRegisterBits);
  if (was_exact)
    for (const KeyCount& entry : mine) count_distinct(registers, entry.key);
  if (other.is_exact())
    for (const KeyCount& entry : others) count_distinct(registers, entry.key);
  for (std::size_t i = 0; i < other.registers.size(); ++i) registers[i] = std::max(registers[i], other.registers[i]);
  put(frequent, frequent_keys, frequent_counts);
  if (is_text(base)) {
    keys.clear(), counts.clear();
    std::erase_if(texts, [&](const auto& text) { return !std::ranges::binary_search(frequent_keys, text.first); });
    return;
  }
  const int common = std::max(shift, other.shift);
  coarsen_by(mine, common - shift);
  coarsen_by(others, common - other.shift);
  all = merged(mine, others);
  shift = static_cast<std::uint8_t>(common + coarsen(all, kMost));
  put(all, keys, counts);
}

Value ColumnProfile::low() const {
  if (known() == 0 || base == Base::vector) return {};
  return is_text(base) ? Value(least_text) : value_of(base, least);
}

Value ColumnProfile::high() const {
  if (known() == 0 || base == Base::vector) return {};
  return is_text(base) ? Value(greatest_text) : value_of(base, greatest);
}

std::uint64_t ColumnProfile::distinct() const {
  if (is_exact()) return keys.size();
  return static_cast<std::uint64_t>(std::clamp(std::round(estimate_distinct(registers)), static_cast<double>(kMost + 1), static_cast<double>(known())));
}

std::optional<double> ColumnProfile::mean() const {
  if (!is_number(base) || known() == 0) return {};
  return moments(known(), sum, squares).mean;
}

std::optional<double> ColumnProfile::deviation() const {
  if (!is_number(base) || known() < 2) return {};
  const Moments m = moments(known(), sum, squares);
  const double deviation = deviation_of_sample(known(), m.variance, m.exponent);
  return std::isfinite(deviation) ? std::optional(deviation) : std::nullopt;
}

std::optional<ColumnProfile::Quantile> ColumnProfile::quantile(double q) const {
  if (!is_ordered(base) || known() == 0) return {};
  /// Where the value at a rank lies, and the guess of it.
  struct Place {
    double value, width;
    std::uint64_t from;
  };
  const auto number = [this](std::uint64_t key) { return base == Base::float_ ? float_of(key) : static_cast<double>(int_of(key)); };
  const auto at = [&](std::uint64_t rank) {
    if (rank == 0) return Place{number(least), 0, least};
    if (rank == known() - 1) return Place{number(greatest), 0, greatest};
    std::size_t i = 0;
    while (rank >= counts[i]) rank -= counts[i++];
    const std::uint64_t from = std::max(keys[i] << shift, least), to = std::min((keys[i] << shift) | ((std::uint64_t{1} << shift) - 1), greatest);
    const double low = number(from), high = number(to);
    if (from == to) return Place{low, 0, from};
    const double share = (static_cast<double>(rank) + 0.5) / static_cast<double>(counts[i]);  // as if evenly spread
    return Place{low * (1 - share) + high * share, high - low, from};
  };
  const double position = static_cast<double>(known() - 1) * q, below = std::floor(position), share = position - below;
  const auto rank = static_cast<std::uint64_t>(below);
  const Place low = at(rank);
  if (!is_number(base)) return Quantile{low.width == 0 ? int_of(low.from) : static_cast<std::int64_t>(std::floor(low.value)), low.width};
  if (share == 0 || rank + 1 >= known()) return Quantile{low.value, low.width};
  const Place high = at(rank + 1);
  return Quantile{low.value == high.value ? low.value : low.value * (1 - share) + high.value * share, std::max(low.width, high.width)};
}

std::vector<ColumnProfile::Frequent> ColumnProfile::top(std::size_t most) const {
  const auto& from = is_exact() ? keys : frequent_keys;
  const auto& count = is_exact() ? counts : frequent_counts;
  std::vector<Frequent> all;
  all.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) all.push_back({is_text(base) ? Value(texts.at(from[i])) : value_of(base, from[i]), count[i]});
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), last, all.end(), [](const Frequent& a, const Frequent& b) { return a.count != b.count ? a.count > b.count : a.value < b.value; });
  all.erase(last, all.end());
  return all;
}

std::string encode_profile(const ColumnProfile& profile) { return encode_state(kFormat, kVersion, Stored{profile}); }

Result<ColumnProfile> decode_profile(std::string_view bytes) {
  MLP_TRY(Stored stored, decode_state<Stored>(bytes, kFormat, kVersion, "a profile"));
  return std::move(stored.profile);
}

}  // namespace mlp::learn
