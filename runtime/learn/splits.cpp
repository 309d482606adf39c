#include "runtime/learn/splits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "compiler/support/check.h"
#include "kernels/abi.h"
#include "runtime/column/parallel.h"

namespace mlp::learn {
namespace {

/// Feeds 64-bit words through SplitMix64's finaliser, one after the other.
struct Mixer {
  std::uint64_t state;
  explicit Mixer(std::uint64_t seed) : state(draw_bits(seed, 0)) {}
  void word(std::uint64_t w) { state = draw_bits(state, w); }
  void text(std::string_view t) {
    word(t.size());
    for (std::size_t i = 0; i < t.size(); i += 8) {
      std::uint64_t w = 0;  // by arithmetic, so that the byte order of the machine does not matter
      for (std::size_t b = 0; b < 8 && i + b < t.size(); ++b) w |= static_cast<std::uint64_t>(static_cast<unsigned char>(t[i + b])) << (8 * b);
      word(w);
    }
  }
  /// The value by its meaning: what the same key is elsewhere hashes equally, whatever its fragment's dictionary.
  void cell(const Column& column, std::size_t row) {
    if (!column.is_known(row)) return word(~0ull);
    switch (column.type.base) {
      case Base::bool_: return word(column.values<std::uint8_t>()[row]);
      case Base::int_:
      case Base::date:
      case Base::timestamp:
      case Base::duration: return word(static_cast<std::uint64_t>(column.values<std::int64_t>()[row]));
      case Base::float_: return word(std::bit_cast<std::uint64_t>(column.values<double>()[row] + 0.0));
      case Base::string:
      case Base::category: return text(column.text(row));
      case Base::error:
      case Base::list:
      case Base::vector:
      case Base::map: break;
    }
    MLP_CHECK(!"a column that can be a key");
  }
};

/// The text that names a stratum in a DeckPosition: sortable, equal for equal values of one column.
std::string stratum_text(const Column& column, std::size_t row) {
  if (column.type.is_text()) return std::string(column.text(row));
  return to_string(value_at(column, row));
}

/// Part of the slot: percents laid end to end, or the fold.
std::int32_t part_of_slot(const SplitShape& shape, std::uint64_t slot) {
  if (shape.folds > 0) return static_cast<std::int32_t>(slot);
  std::int32_t part = 0;
  std::uint64_t end = 0;
  for (const int percent : shape.percent) {
    end += static_cast<std::uint64_t>(percent);
    if (slot < end) return part;
    ++part;
  }
  MLP_CHECK(!"percents that sum to 100");
  return -1;
}

std::uint64_t slots(const SplitShape& shape) {
  MLP_CHECK(shape.folds > 0 || std::accumulate(shape.percent.begin(), shape.percent.end(), 0) == 100);
  return shape.folds > 0 ? static_cast<std::uint64_t>(shape.folds) : 100;
}

/// Deck number `deck` of a stratum: a seeded shuffle of all slots (Fisher and Yates).
std::vector<std::uint32_t> shuffle_deck(std::uint64_t stream, std::uint64_t deck, std::uint64_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  const std::uint64_t of_deck = draw_bits(stream, deck);
  for (std::uint64_t i = count; i > 1; --i) {
    const auto pick = static_cast<std::uint64_t>((static_cast<unsigned __int128>(draw_bits(of_deck, i)) * i) >> 64);
    std::swap(order[i - 1], order[pick]);
  }
  return order;
}

std::uint64_t& dealt_of(DeckPosition& position, const std::string& stratum) {
  const auto at = std::ranges::lower_bound(position.dealt, stratum, {}, &std::pair<std::string, std::uint64_t>::first);
  if (at != position.dealt.end() && at->first == stratum) return at->second;
  return position.dealt.insert(at, {stratum, 0})->second;
}

}  // namespace

std::vector<std::int32_t> assign_by_key(const SplitShape& shape, std::span<const Column> keys, const Column* stratum) {
  MLP_CHECK(!keys.empty());
  const std::uint64_t count = slots(shape);
  std::vector<std::int32_t> parts(keys[0].rows, -1);
  for (std::size_t row = 0; row < parts.size(); ++row) {
    if (stratum != nullptr && !stratum->is_known(row)) continue;
    Mixer mixer(static_cast<std::uint64_t>(shape.seed));
    if (stratum != nullptr) mixer.cell(*stratum, row);
    for (const Column& key : keys) mixer.cell(key, row);
    const auto slot = static_cast<std::uint64_t>((static_cast<unsigned __int128>(mixer.state) * count) >> 64);
    parts[row] = part_of_slot(shape, slot);
  }
  return parts;
}

std::vector<std::uint8_t> sample_rows(std::span<const Column> columns, double share, bool one_by_one) {
  MLP_CHECK(!columns.empty());
  constexpr std::uint64_t kSeed = 0x73616D706C65;  // another than a split has, so that a sample has rows of every part
  std::vector<std::uint64_t> drawn(columns[0].rows);
  parallel_stretches(drawn.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      Mixer mixer(kSeed);
      for (const Column& column : columns) mixer.cell(column, row);
      drawn[row] = mixer.state;
    }
  });
  if (one_by_one) {
    std::unordered_map<std::uint64_t, std::uint64_t> before;
    for (std::uint64_t& draw : drawn) draw = draw_bits(draw, before[draw]++);
  }
  std::vector<std::uint8_t> chosen(drawn.size());
  for (std::size_t row = 0; row < chosen.size(); ++row) chosen[row] = unit_double(drawn[row]) < share;
  return chosen;
}

std::vector<std::int32_t> assign_by_decks(const SplitShape& shape, std::size_t rows, const Column* stratum, DeckPosition& position) {
  const std::uint64_t count = slots(shape);
  struct Dealer {
    std::uint64_t stream = 0;
    std::uint64_t* dealt = nullptr;
    std::uint64_t deck = ~0ull;
    std::vector<std::uint32_t> order;
  };
  DeckPosition here = count_strata(rows, stratum);
  DeckPosition now = position;
  std::map<std::string, Dealer> dealers;
  for (const auto& [name, ignored] : here.dealt) dealt_of(now, name);  // all of them first: the places of the counters stay
  for (const auto& [name, ignored] : here.dealt) {
    Mixer mixer(static_cast<std::uint64_t>(shape.seed));
    mixer.text(name);
    dealers[name] = {mixer.state, &dealt_of(now, name), ~0ull, {}};
  }
  const auto deal = [&](Dealer& d) {
    const std::uint64_t deck = *d.dealt / count;
    if (deck != d.deck) {
      d.order = shuffle_deck(d.stream, deck, count);
      d.deck = deck;
    }
    return part_of_slot(shape, d.order[(*d.dealt)++ % count]);
  };

  std::vector<std::int32_t> parts(rows, -1);
  if (stratum == nullptr) {
    if (rows > 0)
      for (std::int32_t& part : parts) part = deal(dealers.begin()->second);
  } else {
    std::vector<Dealer*> of_code;  // categories: one look-up a code
    if (stratum->type.base == Base::category && stratum->dictionary) of_code.resize(stratum->dictionary->values.size(), nullptr);
    std::array<Dealer*, 2> of_bool{};
    for (std::size_t row = 0; row < rows; ++row) {
      if (!stratum->is_known(row)) continue;
      Dealer** cached = nullptr;
      if (!of_code.empty()) cached = &of_code[static_cast<std::size_t>(stratum->values<std::int32_t>()[row])];
      else if (stratum->type.base == Base::bool_) cached = &of_bool[stratum->values<std::uint8_t>()[row]];
      Dealer* dealer = cached != nullptr ? *cached : nullptr;
      if (dealer == nullptr) dealer = &dealers.at(stratum_text(*stratum, row));
      if (cached != nullptr) *cached = dealer;
      parts[row] = deal(*dealer);
    }
  }
  position = std::move(now);
  return parts;
}

DeckPosition count_strata(std::size_t rows, const Column* stratum) {
  DeckPosition out;
  if (stratum == nullptr) {
    if (rows > 0) out.dealt = {{"", rows}};
    return out;
  }
  if (stratum->type.base == Base::category || stratum->type.base == Base::bool_) {
    const bool category = stratum->type.base == Base::category;
    std::vector<std::uint64_t> counts(category ? (stratum->dictionary ? stratum->dictionary->values.size() : 0) : 2, 0);
    std::vector<std::size_t> first(counts.size(), 0);
    for (std::size_t row = 0; row < rows; ++row) {
      if (!stratum->is_known(row)) continue;
      const auto code = category ? static_cast<std::size_t>(stratum->values<std::int32_t>()[row]) : stratum->values<std::uint8_t>()[row];
      if (counts[code]++ == 0) first[code] = row;
    }
    for (std::size_t code = 0; code < counts.size(); ++code)
      if (counts[code] > 0) dealt_of(out, stratum_text(*stratum, first[code])) += counts[code];
    return out;
  }
  for (std::size_t row = 0; row < rows; ++row)
    if (stratum->is_known(row)) ++dealt_of(out, stratum_text(*stratum, row));
  return out;
}

DeckPosition advance(DeckPosition position, const DeckPosition& by) {
  for (const auto& [name, rows] : by.dealt) dealt_of(position, name) += rows;
  return position;
}

}  // namespace mlp::learn
