#include "runtime/learn/bins.h"

#include <algorithm>
#include <cmath>

#include "compiler/support/check.h"
#include "runtime/learn/encoding.h"
#include "runtime/learn/native.h"
#include "runtime/learn/value_counts.h"

namespace mlp::learn {
namespace {

constexpr std::uint32_t kPartialFormat = 0x2001, kFittedFormat = 0x2002, kVersion = 1;
constexpr std::size_t kMostBins = kMissingBin;  // 0 to 254

struct PartialBins {
  bool empty = true;
  bool category = false;
  TextCounts texts;
  std::vector<NumberCounts> runs;
  template <class A>
  void fields(A& a) { a(empty, category, texts, runs); }
};

struct StoredBins {
  Bins bins;
  template <class A>
  void fields(A& a) { a(bins.kind, bins.cuts, bins.domain, bins.bin_of, bins.counts); }
};

/// Run `run` of a vector column as a float column of its own.
Column run_of(const Column& column, std::size_t run) {
  Column out;
  out.type = Type::of(Base::float_, column.type.missing);
  out.rows = column.rows;
  out.data = Buffer::copy(column.values<double>().data() + run * column.rows, column.rows * sizeof(double));
  out.known = column.known;
  return out;
}

template <class Each>
void for_each_run(const Column& column, Each each) {
  if (column.type.base != Base::vector) return each(Numbers(column), 0);
  for (std::size_t run = 0; run < column.width(); ++run) {
    const Column part = run_of(column, run);
    each(Numbers(part), run);
  }
}

/// Between two neighbouring values, so that the lower one stays below the cut.
double cut_between(double low, double high) {
  const double middle = low / 2 + high / 2;
  return middle > low ? middle : high;
}

std::vector<double> cut(const NumberCounts& c) {
  std::vector<double> cuts;
  if (c.values.size() <= kMostBins) {
    for (std::size_t i = 1; i < c.values.size(); ++i) cuts.push_back(cut_between(c.values[i - 1], c.values[i]));
    return cuts;
  }
  // Fill bins from below; what a heavy value takes beyond its share is taken off the shares of the bins still to come.
  std::uint64_t rest = c.known(), in_bin = 0;
  std::size_t bins_left = kMostBins;
  for (std::size_t i = 0; i + 1 < c.values.size() && bins_left > 1; ++i) {
    in_bin += c.counts[i];
    // A heavy next value gets a bin of its own rather than filling this one far beyond its share.
    const bool full = in_bin * bins_left >= rest;
    const bool heavy_next = c.counts[i + 1] * bins_left >= rest;
    if (!full && !heavy_next) continue;
    cuts.push_back(cut_between(c.values[i], c.values[i + 1]));
    rest -= in_bin;
    in_bin = 0;
    --bins_left;
  }
  return cuts;
}

std::uint8_t bin_of(const std::vector<double>& cuts, double x) {
  return static_cast<std::uint8_t>(std::upper_bound(cuts.begin(), cuts.end(), x) - cuts.begin());
}

Bins finish_numbers(const std::vector<NumberCounts>& runs) {
  Bins bins;
  for (const NumberCounts& run : runs) {
    bins.cuts.push_back(cut(run));
    auto& counts = bins.counts.emplace_back();
    for (std::size_t i = 0; i < run.values.size(); ++i) counts[bin_of(bins.cuts.back(), run.values[i])] += run.counts[i];
    counts[kMissingBin] += run.missing;
  }
  return bins;
}

Bins finish_texts(const TextCounts& texts) {
  Bins bins;
  bins.kind = Bins::Kind::category;
  std::vector<std::pair<std::uint64_t, std::string>> by_count;
  for (const auto& [text, count] : texts.counts) by_count.emplace_back(count, text);
  std::ranges::stable_sort(by_count, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::string> rare;
  if (by_count.size() > kMostBins)
    for (std::size_t i = kMostBins - 1; i < by_count.size(); ++i) rare.push_back(by_count[i].second);
  std::ranges::sort(rare);
  auto& counts = bins.counts.emplace_back();
  std::uint8_t next = 0;
  for (const auto& [text, count] : texts.counts) {
    const bool shared = std::ranges::binary_search(rare, text);
    bins.domain.push_back(text);
    bins.bin_of.push_back(shared ? static_cast<std::uint8_t>(kMostBins - 1) : next++);
    counts[bins.bin_of.back()] += count;
  }
  counts[kMissingBin] += texts.missing;
  return bins;
}

bool sound(const Bins& bins) {
  for (const auto& cuts : bins.cuts)
    if (cuts.size() >= kMostBins || !std::ranges::is_sorted(cuts) || !std::ranges::all_of(cuts, [](double c) { return std::isfinite(c); }))
      return false;
  if (bins.kind == Bins::Kind::number) return bins.domain.empty() && bins.bin_of.empty() && bins.counts.size() == bins.cuts.size();
  return bins.kind == Bins::Kind::category && bins.cuts.empty() && bins.counts.size() == 1 && bins.domain.size() == bins.bin_of.size() &&
         std::ranges::is_sorted(bins.domain) && std::ranges::all_of(bins.bin_of, [](std::uint8_t b) { return b < kMostBins; });
}

constexpr std::string_view kWhat = "a set of bins";

}  // namespace

std::string partial_bins(const Column& column, std::span<const std::uint8_t> use) {
  PartialBins partial;
  partial.empty = false;
  partial.category = column.type.base == Base::category || column.type.base == Base::string;
  if (partial.category) partial.texts = count_texts(column, use);
  else for_each_run(column, [&](const Numbers& numbers, std::size_t) { partial.runs.push_back(count_numbers(numbers, use)); });
  return encode_state(kPartialFormat, kVersion, partial);
}

Result<std::string> merge_bins(std::span<const std::string_view> partials) {
  PartialBins all;
  for (const std::string_view bytes : partials) {
    MLP_TRY(PartialBins one, decode_state<PartialBins>(bytes, kPartialFormat, kVersion, kWhat));
    if (one.empty) continue;
    if (all.empty) {
      all = std::move(one);
      continue;
    }
    if (one.category != all.category || one.runs.size() != all.runs.size()) return damaged(kWhat);
    all.texts.merge(one.texts);
    for (std::size_t r = 0; r < all.runs.size(); ++r) all.runs[r].merge(one.runs[r]);
  }
  return encode_state(kPartialFormat, kVersion, all);
}

Result<std::string> finish_bins(std::string_view bytes) {
  MLP_TRY(const PartialBins partial, decode_state<PartialBins>(bytes, kPartialFormat, kVersion, kWhat));
  const StoredBins stored{partial.category ? finish_texts(partial.texts) : finish_numbers(partial.runs)};
  return encode_state(kFittedFormat, kVersion, stored);
}

Result<std::shared_ptr<const Bins>> load_bins(std::string_view fitted) {
  MLP_TRY(StoredBins stored, decode_state<StoredBins>(fitted, kFittedFormat, kVersion, kWhat));
  if (!sound(stored.bins)) return damaged(kWhat);
  return std::make_shared<const Bins>(std::move(stored.bins));
}

Buffer Bins::apply(const Column& column, std::uint64_t* unseen) const {
  Buffer out(column.rows * runs());
  const auto bins = out.as_mutable<std::uint8_t>();
  if (kind == Kind::category) {
    const Coded coded(column);
    std::vector<std::int32_t> at = match(coded.texts(), domain);
    for (std::size_t i = 0; i < column.rows; ++i) {
      const std::int32_t code = coded.code(i);
      const std::int32_t found = code < 0 ? -1 : at[static_cast<std::size_t>(code)];
      bins[i] = found < 0 ? kMissingBin : bin_of[static_cast<std::size_t>(found)];
      if (code >= 0 && found < 0 && unseen != nullptr) ++*unseen;
    }
    return out;
  }
  MLP_CHECK(column.type.base != Base::vector || column.width() == runs());
  for_each_run(column, [&](const Numbers& numbers, std::size_t run) {
    const auto to = bins.subspan(run * column.rows, column.rows);
    for (std::size_t i = 0; i < column.rows; ++i)
      to[i] = numbers.known(i) ? learn::bin_of(cuts[run], numbers[i]) : kMissingBin;
  });
  return out;
}

}  // namespace mlp::learn
