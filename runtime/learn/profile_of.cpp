#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <tuple>
#include <type_traits>

#include "runtime/learn/column_profile.h"
#include "runtime/learn/profile_counts.h"
#include "runtime/learn/profile_sums.h"

namespace mlp::learn {

namespace {

/// Most ranges that are counted by their distance from the first: of all columns, and of those that have few near their ends.
constexpr std::uint64_t kNear = std::uint64_t{1} << 16, kFar = std::uint64_t{1} << 19;

/// How often the keys of a column occur while there are few, and of many how many there are.
class Counting {
 public:
  /// Whether all keys are still counted, so that their counts are those of add().
  bool is_exact() const { return registers_.empty(); }
  [[gnu::always_inline]] void add(std::uint64_t key, std::uint64_t count, std::uint32_t row) {
    if (!is_exact()) count_distinct(registers_, key);
    else if (kept_.add(key, count, row) && kept_.size() > ColumnProfile::kMost) leave_exact();
  }
  /// The keys with their rows, ascending; none of more than kMost.
  std::vector<KeyCount> finish(ColumnProfile& out) {
    out.registers = std::move(registers_);
    if (!out.is_exact()) return {};
    std::vector<KeyCount> entries = kept_.entries();
    for (const KeyCount& entry : entries) out.keys.push_back(entry.key), out.counts.push_back(entry.count);
    return entries;
  }

 private:
  [[gnu::noinline]] void leave_exact() {
    registers_.resize(std::size_t{1} << kRegisterBits);
    for (const KeyCount& entry : kept_.unordered()) count_distinct(registers_, entry.key);
  }

  KeyTable kept_{12};
  std::vector<std::uint8_t> registers_;
};

/// At most kMost ranges that keys with an order lie in, and how many in each.
class Ranges {
 public:
  [[gnu::always_inline]] void add(std::uint64_t key) {
    // Made wider when there are twice as many as may stay: seldom.
    if (kept_.add(key >> shift_, 1, 0) && kept_.size() > 2 * ColumnProfile::kMost) widen();
  }
  void finish(ColumnProfile& out) {
    widen();
    for (const KeyCount& entry : kept_.entries()) out.keys.push_back(entry.key), out.counts.push_back(entry.count);
    out.shift = static_cast<std::uint8_t>(shift_);
  }

 private:
  /// The least shift that leaves kMost ranges of what was added never falls again, so it does not matter when it is taken.
  [[gnu::noinline]] void widen() {
    std::vector<KeyCount> entries = kept_.unordered();
    std::vector<std::uint64_t> keys;
    keys.reserve(entries.size());
    for (const KeyCount& entry : entries) keys.push_back(entry.key);
    std::ranges::sort(keys);
    const int bits = bits_too_many(keys, ColumnProfile::kMost);
    for (KeyCount& entry : entries) entry.key >>= bits;
    kept_.assign(entries);
    shift_ += bits;
  }

  KeyTable kept_{13};
  int shift_ = 0;
};

/// Frequent keys of many.
class Frequent {
 public:
  void add(std::uint64_t key, std::uint64_t count, std::uint32_t row) {
    if (!kept_.add(key, count, row) || kept_.size() <= 2 * ColumnProfile::kFrequent) return;
    std::vector<KeyCount> entries = kept_.unordered();
    short_by_ += keep_frequent(entries, ColumnProfile::kFrequent);
    kept_.assign(entries);
  }
  std::vector<KeyCount> finish(ColumnProfile& out) {
    std::vector<KeyCount> entries = kept_.entries();
    out.short_by = std::max(out.short_by, short_by_ + keep_frequent(entries, ColumnProfile::kFrequent));
    for (const KeyCount& entry : entries) out.frequent_keys.push_back(entry.key), out.frequent_counts.push_back(entry.count);
    return entries;
  }

 private:
  KeyTable kept_{12};
  std::uint64_t short_by_ = 0;
};

template <class EachRow>
void each_known(const Column& column, const EachRow& each) {
  if (!column.known) {
    for (std::size_t row = 0; row < column.rows; ++row) each(row);
  } else {
    for (std::size_t row = 0; row < column.rows; ++row)
      if (column.is_known(row)) each(row);
  }
}

/// A frequent value makes its range frequent, and whatever else it is counted with: of all others nothing is kept.
void find_frequent(std::span<const std::uint64_t> keys, ColumnProfile& out) {
  const std::uint64_t most = out.known() / (ColumnProfile::kFrequent + 1);
  std::vector<std::uint64_t> ranges;
  for (std::size_t i = 0; i < out.keys.size(); ++i) {
    if (out.counts[i] > most) ranges.push_back(out.keys[i]);
    else out.short_by = std::max(out.short_by, out.counts[i]);
  }
  if (ranges.empty()) return;
  std::vector<std::uint64_t> chosen(keys.size() + 1);
  std::size_t found = 0;
  const auto choose = [&](const auto& is_wanted) {
    for (const std::uint64_t key : keys) {  // no branch: which are wanted cannot be guessed
      chosen[found] = key;
      found += is_wanted(key >> out.shift);
    }
  };
  const std::uint64_t first = out.keys.front(), last = out.keys.back();
  if (last - first < kFar) {
    std::vector<std::uint8_t> wanted(last - first + 1);
    for (const std::uint64_t range : ranges) wanted[range - first] = 1;
    choose([&, wanted = wanted.data()](std::uint64_t range) { return wanted[range - first] != 0; });
  } else {
    KeyTable wanted(11);
    for (const std::uint64_t range : ranges) wanted.add(range, 1, 0);
    choose([&](std::uint64_t range) { return wanted.has(range); });
  }
  chosen.resize(found);
  constexpr int kCellBits = 14;
  std::vector<std::uint64_t> cells(std::size_t{1} << kCellBits);
  const auto cell_of = [cells = cells.data()](std::uint64_t key) -> std::uint64_t& { return cells[(key * 0x9E3779B97F4A7C15ull) >> (64 - kCellBits)]; };
  for (const std::uint64_t key : chosen) ++cell_of(key);
  for (const std::uint64_t count : cells)
    if (count <= most) out.short_by = std::max(out.short_by, count);
  Frequent frequent;
  for (const std::uint64_t key : chosen)
    if (cell_of(key) > most) frequent.add(key, 1, 0);
  frequent.finish(out);
}

/// Keys without their last `shift` bits, counted by their distance from the first one: nothing is looked for, and nothing sorted.
struct ByDistance {
  std::uint64_t first;
  int shift;
  std::vector<std::uint32_t> counts;
  std::vector<std::uint64_t> keys;  ///< those that occur, ascending

  ByDistance(std::span<const std::uint64_t> all, const ColumnProfile& ends, int without) : first(ends.least >> without), shift(without), counts((ends.greatest >> shift) - first + 1) {
    for (const std::uint64_t key : all) ++counts[(key >> shift) - first];
    keys.resize(std::min(counts.size(), all.size()) + 1);
    std::size_t found = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {  // no branch: which occur cannot be guessed
      keys[found] = first + i;
      found += counts[i] != 0;
    }
    keys.resize(found);
  }
  std::uint64_t count(std::uint64_t key) const { return counts[key - first]; }
  /// Ranges of at most kMost neighbours.
  void finish(ColumnProfile& out) const {
    const int bits = bits_too_many(keys, ColumnProfile::kMost);
    out.shift = static_cast<std::uint8_t>(shift + bits);
    for (const std::uint64_t key : keys) {
      if (out.keys.empty() || out.keys.back() != key >> bits) out.keys.push_back(key >> bits), out.counts.push_back(0);
      out.counts.back() += count(key);
    }
  }
};

/// Keys that lie near each other, each with its count.
void count_near(std::span<const std::uint64_t> keys, ColumnProfile& out) {
  const ByDistance near(keys, out, 0);
  near.finish(out);
  if (near.keys.size() <= ColumnProfile::kMost) return;
  out.registers.resize(std::size_t{1} << kRegisterBits);
  count_distinct(out.registers, near.keys);
  std::vector<KeyCount> frequent;
  frequent.reserve(near.keys.size());
  for (const std::uint64_t key : near.keys) frequent.push_back({key, near.count(key), 0});
  out.short_by = keep_frequent(frequent, ColumnProfile::kFrequent);
  for (const KeyCount& entry : frequent) out.frequent_keys.push_back(entry.key), out.frequent_counts.push_back(entry.count);
}

/// Of more than kMost keys the ranges they lie in.
void count_ranges(std::span<const std::uint64_t> keys, ColumnProfile& out) {
  for (const std::uint64_t most : {kNear, kFar}) {
    int shift = 0;
    while ((out.greatest >> shift) - (out.least >> shift) >= most) ++shift;
    const ByDistance counted(keys, out, shift);
    if (counted.keys.size() > ColumnProfile::kMost) return counted.finish(out);
    // A smaller shift may do.
  }
  Ranges ranges;
  for (const std::uint64_t key : keys) ranges.add(key);
  ranges.finish(out);
}

/// Keys that lie anywhere: by a table while there are few.
void count_anywhere(std::span<const std::uint64_t> keys, ColumnProfile& out) {
  Counting counting;
  std::size_t seen = 0;
  while (seen < keys.size() && counting.is_exact()) counting.add(keys[seen++], 1, 0);
  counting.finish(out);
  if (out.is_exact()) return;
  count_distinct(out.registers, keys.subspan(seen));
  count_ranges(keys, out);
  find_frequent(keys, out);
}

template <class T>
void sum_up(const Column& column, ProfileSums sums, ColumnProfile& out) {
  if (out.is_exact()) {
    for (std::size_t i = 0; i < out.keys.size(); ++i) {
      if constexpr (std::is_same_v<T, double>) sums.add(float_of(out.keys[i]), out.counts[i]);
      else sums.add(int_of(out.keys[i]), out.counts[i]);
    }
  } else {
    for (const T value : column.values<T>()) sums.add(value);  // 0 where it is missing
  }
  sums.finish(out.sum, out.squares);
}

/// Numbers and times: their keys have their order.
template <class T>
void profile_ordered(const Column& column, ColumnProfile& out) {
  if (out.known() == 0) return;
  const auto values = column.values<T>();
  std::vector<std::uint64_t> keys(out.known());
  std::size_t at = 0;
  each_known(column, [&](std::size_t row) { keys[at++] = key_of(values[row]); });
  std::tie(out.least, out.greatest) = least_and_greatest(keys);
  if (out.greatest - out.least < kNear) count_near(keys, out);
  else count_anywhere(keys, out);
  if (out.base == Base::float_) sum_up<T>(column, ProfileSums(std::max(std::fabs(float_of(out.least)), std::fabs(float_of(out.greatest)))), out);
  else if (out.base == Base::int_) sum_up<T>(column, ProfileSums(), out);
}

std::uint64_t key_of_text(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

/// Texts, given by each(add): add(key, count, row) for all of them, as often as it is called.
template <class Each, class TextAt>
void profile_texts(const Each& each, const TextAt& text_at, ColumnProfile& out) {
  Counting counting;
  each([&](std::uint64_t key, std::uint64_t count, std::uint32_t row) { counting.add(key, count, row); });
  std::vector<KeyCount> kept = counting.finish(out);
  if (!out.is_exact()) {
    Frequent frequent;
    each([&](std::uint64_t key, std::uint64_t count, std::uint32_t row) { frequent.add(key, count, row); });
    kept = frequent.finish(out);
  }
  for (const KeyCount& entry : kept) out.texts.emplace(entry.key, text_at(entry.row));
}

void profile_strings(const Column& column, ColumnProfile& out) {
  std::vector<std::uint64_t> keys(column.rows);
  std::string_view least, greatest;
  bool any = false;
  each_known(column, [&](std::size_t row) {
    const std::string_view text = column.text(row);
    if (!any || text < least) least = text;
    if (!any || text > greatest) greatest = text;
    any = true;
    keys[row] = key_of_text(text);
  });
  out.least_text = least;
  out.greatest_text = greatest;
  profile_texts([&](const auto& add) { each_known(column, [&](std::size_t row) { add(keys[row], 1, static_cast<std::uint32_t>(row)); }); },
                [&](std::uint32_t row) { return column.text(row); }, out);
}

/// By code; a dictionary is sorted and holds used values only.
void profile_category(const Column& column, ColumnProfile& out) {
  const std::vector<std::string>& values = column.dictionary->values;
  if (out.known() == 0) return;
  std::vector<std::uint64_t> counts(values.size());
  const auto codes = column.values<std::int32_t>();
  each_known(column, [&](std::size_t row) { ++counts[static_cast<std::size_t>(codes[row])]; });
  out.least_text = values.front();
  out.greatest_text = values.back();
  profile_texts(
      [&](const auto& add) {
        for (std::size_t code = 0; code < values.size(); ++code)
          if (counts[code] > 0) add(key_of_text(values[code]), counts[code], static_cast<std::uint32_t>(code));
      },
      [&](std::uint32_t code) { return std::string_view(values[code]); }, out);
}

void profile_bools(const Column& column, ColumnProfile& out) {
  const auto values = column.values<std::uint8_t>();
  std::array<std::uint64_t, 2> counts{};
  for (std::size_t row = 0; row < column.rows; ++row)
    if (column.is_known(row)) ++counts[values[row] != 0];
  for (const std::uint64_t key : {0, 1})
    if (counts[key] > 0) out.keys.push_back(key), out.counts.push_back(counts[key]);
  if (!out.keys.empty()) out.least = out.keys.front(), out.greatest = out.keys.back();
}

}  // namespace

ColumnProfile profile_of(const Column& column) {
  ColumnProfile out;
  out.base = column.type.base;
  out.rows = column.rows;
  out.missing = column.count_missing();
  switch (column.type.base) {
    case Base::bool_: profile_bools(column, out); break;
    case Base::float_: profile_ordered<double>(column, out); break;
    case Base::string: profile_strings(column, out); break;
    case Base::category: profile_category(column, out); break;
    case Base::vector: break;
    default: profile_ordered<std::int64_t>(column, out); break;
  }
  return out;
}

}  // namespace mlp::learn
