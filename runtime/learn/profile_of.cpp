#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>

#include "runtime/learn/column_profile.h"
#include "runtime/learn/profile_counts.h"

namespace mlp::learn {

namespace {

/// Sums of numbers and their squares, one accumulator an exponent: an addition each, where ExactSum takes several.
class Sums {
 public:
  void add(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t exponent = (bits >> 52) & 0x7FF;
    const std::uint64_t mantissa = (bits & 0xFFFFFFFFFFFFFull) | (exponent != 0 ? std::uint64_t{1} << 52 : 0);
    numbers_[bits >> 52] += mantissa;
    squares_[exponent] += static_cast<unsigned __int128>(mantissa) * mantissa;
    if (++added_ == kRoom) flush();
  }
  void add(std::int64_t x) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (-kExact <= x && x <= kExact) return add(static_cast<double>(x));
    // x = high + low, both doubles.
    const double high = static_cast<double>(x >> 32) * 0x1p32, low = static_cast<double>(x & 0xFFFFFFFF);
    sum.add(high);
    sum.add(low);
    squares.add_product(high, high);
    squares.add_product(2 * high, low);
    squares.add_product(low, low);
  }
  void flush() {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (numbers_[i] == 0) continue;
      const auto exponent = static_cast<int>(i & 0x7FF);
      sum.add_scaled(numbers_[i], (exponent == 0 ? 1 : exponent) - 1075, i >> 11 != 0);
      numbers_[i] = 0;
    }
    for (std::size_t i = 0; i < squares_.size(); ++i) {
      if (squares_[i] == 0) continue;
      squares.add_scaled(squares_[i], 2 * ((i == 0 ? 1 : static_cast<int>(i)) - 1075), false);
      squares_[i] = 0;
    }
    added_ = 0;
  }

  ExactSum sum, squares;

 private:
  static constexpr std::uint32_t kRoom = 1u << 22;  ///< squares of 106 bits in 128
  std::array<unsigned __int128, 4096> numbers_{};
  std::array<unsigned __int128, 2048> squares_{};
  std::uint32_t added_ = 0;
};

/// How often the keys of a column occur: exactly while there are few; of many how many there are, and of those with an order the ranges they lie in.
template <bool is_ordered>
class Counting {
 public:
  /// Whether all keys are still counted, so that their counts are those of add().
  bool is_exact() const { return registers_.empty(); }
  [[gnu::always_inline]] void add(std::uint64_t key, std::uint64_t count, std::uint32_t row) {
    if (is_exact()) {
      if (kept_.add(key, count, row) && kept_.size() > ColumnProfile::kMost) leave_exact();
      return;
    }
    count_distinct(registers_, key);
    // Ranges are made wider when there are twice as many as may stay: seldom.
    if (is_ordered && kept_.add(key >> shift_, count, row) && kept_.size() > 2 * ColumnProfile::kMost) widen();
  }
  /// The keys with their rows; of more than kMost with an order the ranges, without one those found until then.
  std::vector<KeyCount> finish(ColumnProfile& out) {
    if (!is_exact() && is_ordered) widen();
    std::vector<KeyCount> entries = kept_.entries();
    if (is_exact() || is_ordered)
      for (const KeyCount& entry : entries) out.keys.push_back(entry.key), out.counts.push_back(entry.count);
    out.shift = static_cast<std::uint8_t>(shift_);
    out.registers = std::move(registers_);
    return entries;
  }

 private:
  [[gnu::noinline]] void leave_exact() {
    registers_.resize(std::size_t{1} << kRegisterBits);
    for (const KeyCount& entry : kept_.unordered()) count_distinct(registers_, entry.key);
    if (is_ordered) widen();
  }
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
  std::vector<std::uint8_t> registers_;
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
  KeyTable kept_{11};
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

/// A frequent value makes its range frequent: of all other ranges nothing is counted.
template <class T>
void find_frequent(const Column& column, ColumnProfile& out) {
  KeyTable wanted(11);
  for (std::size_t i = 0; i < out.keys.size(); ++i) {
    if (out.counts[i] > out.known() / (ColumnProfile::kFrequent + 1)) wanted.add(out.keys[i], 1, 0);
    else out.short_by = std::max(out.short_by, out.counts[i]);
  }
  if (wanted.size() == 0) return;
  Frequent frequent;
  const auto values = column.values<T>();
  each_known(column, [&](std::size_t row) {
    if (const std::uint64_t key = key_of(values[row]); wanted.has(key >> out.shift)) frequent.add(key, 1, 0);
  });
  frequent.finish(out);
}

/// Numbers and times: their keys have their order.
template <class T>
void profile_ordered(const Column& column, ColumnProfile& out) {
  const auto values = column.values<T>();
  Counting<true> counting;
  std::uint64_t least = ~std::uint64_t{0}, greatest = 0;
  each_known(column, [&](std::size_t row) {
    const std::uint64_t key = key_of(values[row]);
    least = std::min(least, key);
    greatest = std::max(greatest, key);
    counting.add(key, 1, 0);
  });
  if (out.known() > 0) out.least = least, out.greatest = greatest;
  if (out.base == Base::int_ || out.base == Base::float_) {
    const auto sums = std::make_unique<Sums>();
    each_known(column, [&](std::size_t row) { sums->add(values[row]); });
    sums->flush();
    out.sum = sums->sum;
    out.squares = sums->squares;
  }
  counting.finish(out);
  if (!out.is_exact()) find_frequent<T>(column, out);
}

std::uint64_t key_of_text(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

/// Texts, given by each(add): add(key, count, row) for all of them, as often as it is called.
template <class Each, class TextAt>
void profile_texts(const Each& each, const TextAt& text_at, ColumnProfile& out) {
  Counting<false> counting;
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
