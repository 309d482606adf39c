#include "runtime/relation/order.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::relation {

namespace {

/// Of the same order as the numbers; -0 is 0.
std::int64_t float_key(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x == 0 ? 0.0 : x);
  return bits >= 0 ? bits : INT64_MIN - bits - 1;
}

/// The sorted values of a string column, and each row's place among them.
std::vector<std::int64_t> text_keys(const Column& column) {
  std::unordered_map<std::string_view, std::int64_t> places;
  std::vector<std::string_view> values;
  std::vector<std::int64_t> keys(column.rows, 0);
  for (std::size_t i = 0; i < column.rows; ++i) {
    if (!column.is_known(i)) continue;
    const std::string_view text = column.text(i);
    const auto [at, fresh] = places.try_emplace(text, static_cast<std::int64_t>(values.size()));
    if (fresh) values.push_back(text);
    keys[i] = at->second;
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<std::int64_t> rank(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<std::int64_t>(i);
  for (std::int64_t& key : keys)
    if (!rank.empty()) key = rank[static_cast<std::size_t>(key)];
  return keys;
}

/// Of each value of a category's dictionary: a declared order of a category is the order of its values.
std::vector<std::int64_t> category_ranks(const Column& column) {
  std::vector<std::int64_t> rank(column.dictionary ? column.dictionary->values.size() : 0);
  std::iota(rank.begin(), rank.end(), std::int64_t{0});
  if (column.type.detail && column.type.detail->ordered) {
    const std::vector<std::string>& domain = column.type.domain();
    for (std::size_t i = 0; i < rank.size(); ++i)
      rank[i] = std::find(domain.begin(), domain.end(), column.dictionary->values[i]) - domain.begin();
  }
  return rank;
}

std::vector<std::int64_t> category_keys(const Column& column) {
  const std::vector<std::int64_t> rank = category_ranks(column);
  std::vector<std::int64_t> keys(column.rows, 0);
  const auto codes = column.values<std::int32_t>();
  for (std::size_t i = 0; i < column.rows; ++i)
    if (column.is_known(i)) keys[i] = rank[static_cast<std::size_t>(codes[i])];
  return keys;
}

std::vector<std::int64_t> raw_keys(const Column& column) {
  std::vector<std::int64_t> keys(column.rows, 0);
  switch (column.type.base) {
    case Base::bool_:
      for (std::size_t i = 0; i < column.rows; ++i) keys[i] = column.values<std::uint8_t>()[i];
      return keys;
    case Base::float_:
      for (std::size_t i = 0; i < column.rows; ++i) keys[i] = float_key(column.values<double>()[i]);
      return keys;
    case Base::string: return text_keys(column);
    case Base::category: return category_keys(column);
    default: {
      const auto values = column.values<std::int64_t>();
      // The last number is the mark of missing values; nothing can lie behind the one before it.
      for (std::size_t i = 0; i < column.rows; ++i) keys[i] = std::min(values[i], SortKeys::kMissing - 1);
      return keys;
    }
  }
}

bool is_any_missing(std::span<const SortKeys> keys, std::size_t row) {
  return std::any_of(keys.begin(), keys.end(), [row](const SortKeys& key) { return key.keys[row] == SortKeys::kMissing; });
}

std::size_t mix(std::size_t h, std::int64_t key) {
  h ^= static_cast<std::size_t>(key) + 0x9E3779B97F4A7C15ull + (h << 6) + (h >> 2);
  h ^= h >> 30, h *= 0xBF58476D1CE4E5B9ull, h ^= h >> 27;
  return h;
}

}  // namespace

SortKeys SortKeys::of(const std::vector<std::int64_t>& keys) {
  SortKeys out;
  out.bytes = Buffer::copy(keys.data(), keys.size() * sizeof(std::int64_t));
  out.keys = out.bytes.as<std::int64_t>();
  return out;
}

SortKeys sort_keys(const Column& column, bool descending) {
  const bool whole = column.type.base == Base::int_ || column.type.base == Base::date || column.type.base == Base::timestamp || column.type.base == Base::duration;
  if (whole && !column.known && !descending) {
    SortKeys out{column.values<std::int64_t>(), column.data};
    if (std::none_of(out.keys.begin(), out.keys.end(), [](std::int64_t key) { return key == SortKeys::kMissing; })) return out;
  }
  std::vector<std::int64_t> keys = raw_keys(column);
  if (descending)
    for (std::int64_t& key : keys) key = -1 - key;
  if (column.known)
    for (std::size_t i = 0; i < column.rows; ++i)
      if (!column.is_known(i)) keys[i] = SortKeys::kMissing;
  return SortKeys::of(keys);
}

std::vector<SortKeys> sort_keys_of(std::span<const Column> columns, const std::vector<std::uint8_t>& descending) {
  std::vector<SortKeys> out;
  for (std::size_t i = 0; i < columns.size(); ++i) out.push_back(sort_keys(columns[i], i < descending.size() && descending[i] != 0));
  return out;
}

std::pair<SortKeys, SortKeys> sort_keys(const Column& left, const Column& right) {
  if (!left.type.is_text()) return {sort_keys(left), sort_keys(right)};
  // Texts of two columns are compared by one list of them.
  const auto plain = [](const Column& column) {
    if (column.type.base == Base::string) {
      Column out = column;
      out.type = Type::of(Base::string, true);
      return out;
    }
    ColumnBuilder builder(Type::of(Base::string, true), column.rows);
    for (std::size_t i = 0; i < column.rows; ++i) column.is_known(i) ? builder.push_text(column.text(i)) : builder.push_missing();
    return builder.finish();
  };
  const Column parts[] = {plain(left), plain(right)};
  const SortKeys both = sort_keys(concatenate(parts));
  return {SortKeys{both.keys.first(left.rows), both.bytes}, SortKeys{both.keys.subspan(left.rows), both.bytes}};
}

KeyTable::KeyTable(std::span<const SortKeys> keys, std::size_t rows) : keys_(keys.begin(), keys.end()), rows_(rows) {
  groups.group_of.resize(rows);
  const std::uint64_t most = 4 * static_cast<std::uint64_t>(rows) + 1024;
  std::uint64_t places = 1;
  for (const SortKeys& key : keys) {
    std::int64_t low = INT64_MAX, high = INT64_MIN;
    for (const std::int64_t k : key.keys)
      if (k != SortKeys::kMissing) low = std::min(low, k), high = std::max(high, k);
    const std::uint64_t between = low > high ? 0 : static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    if (between >= most || (between + 2) * places > most) {
      spans_.clear();
      break;
    }
    spans_.push_back({low > high ? 0 : low, between + 2, places});
    places *= between + 2;
  }
  if (spans_.size() == keys.size()) {
    slots_.assign(places, -1);
    fill_places();
  } else {
    fill_slots();
  }
}

void KeyTable::fill_places() {
  for (std::size_t i = 0; i < rows_; ++i) {
    std::uint64_t place = 0;
    for (std::size_t k = 0; k < spans_.size(); ++k) {
      const std::int64_t key = keys_[k].keys[i];
      place += spans_[k].stride * (key == SortKeys::kMissing ? spans_[k].count - 1 : static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(spans_[k].low));
    }
    std::int64_t& group = slots_[place];
    if (group < 0) group = static_cast<std::int64_t>(groups.representative.size()), groups.representative.push_back(static_cast<std::int64_t>(i));
    groups.group_of[i] = group;
  }
}

void KeyTable::fill_slots() {
  const auto hash = [&](std::size_t row) {
    std::size_t h = 0;
    for (const SortKeys& key : keys_) h = mix(h, key.keys[row]);
    return h;
  };
  // As large as the groups need, which may be few.
  slots_.assign(1024, -1);
  for (std::size_t i = 0; i < rows_; ++i) {
    for (std::size_t slot = hash(i) & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] < 0) {
        slots_[slot] = groups.group_of[i] = static_cast<std::int64_t>(groups.representative.size());
        groups.representative.push_back(static_cast<std::int64_t>(i));
        break;
      }
      const auto other = static_cast<std::size_t>(groups.representative[static_cast<std::size_t>(slots_[slot])]);
      if (std::all_of(keys_.begin(), keys_.end(), [&](const SortKeys& key) { return key.keys[i] == key.keys[other]; })) {
        groups.group_of[i] = slots_[slot];
        break;
      }
    }
    if (2 * groups.representative.size() <= slots_.size()) continue;
    slots_.assign(4 * slots_.size(), -1);
    for (std::size_t g = 0; g < groups.representative.size(); ++g) {
      std::size_t slot = hash(static_cast<std::size_t>(groups.representative[g])) & (slots_.size() - 1);
      while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<std::int64_t>(g);
    }
  }
}

std::int64_t KeyTable::find(std::span<const SortKeys> other, std::size_t row) const {
  if (!spans_.empty()) {
    std::uint64_t place = 0;
    for (std::size_t k = 0; k < spans_.size(); ++k) {
      const std::int64_t key = other[k].keys[row];
      const std::uint64_t at = key == SortKeys::kMissing ? spans_[k].count - 1 : static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(spans_[k].low);
      if (at >= spans_[k].count || (at == spans_[k].count - 1 && key != SortKeys::kMissing)) return -1;
      place += spans_[k].stride * at;
    }
    return slots_[place];
  }
  std::size_t h = 0;
  for (const SortKeys& key : other) h = mix(h, key.keys[row]);
  for (std::size_t slot = h & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
    const std::int64_t group = slots_[slot];
    if (group < 0) return -1;
    const auto first = static_cast<std::size_t>(groups.representative[static_cast<std::size_t>(group)]);
    bool equal = true;
    for (std::size_t k = 0; equal && k < other.size(); ++k) equal = other[k].keys[row] == keys_[k].keys[first];
    if (equal) return group;
  }
}

namespace {

/// The keys of the values of a text column, as sort_keys gives them.
std::unordered_map<std::string_view, std::int64_t> text_table(const Column& column, const SortKeys& keys) {
  std::unordered_map<std::string_view, std::int64_t> out;
  if (column.type.base == Base::category) {
    const std::vector<std::int64_t> rank = category_ranks(column);
    for (std::size_t i = 0; i < rank.size(); ++i) out.emplace(column.dictionary->values[i], rank[i]);
    return out;
  }
  for (std::size_t i = 0; i < column.rows; ++i)
    if (column.is_known(i)) out.emplace(column.text(i), keys.keys[i]);
  return out;
}

/// The keys of texts by such a table.
SortKeys keys_by(const std::unordered_map<std::string_view, std::int64_t>& table, const Column& column) {
  constexpr std::int64_t kNoKey = INT64_MIN;  // no text has it
  const auto find = [&](std::string_view text) {
    const auto at = table.find(text);
    return at == table.end() ? kNoKey : at->second;
  };
  std::vector<std::int64_t> keys(column.rows, SortKeys::kMissing);
  if (column.type.base == Base::category) {
    std::vector<std::int64_t> of_code;
    if (column.dictionary)
      for (const std::string& value : column.dictionary->values) of_code.push_back(find(value));
    const auto codes = column.values<std::int32_t>();
    for (std::size_t i = 0; i < column.rows; ++i)
      if (column.is_known(i)) keys[i] = of_code[static_cast<std::size_t>(codes[i])];
  } else {
    for (std::size_t i = 0; i < column.rows; ++i)
      if (column.is_known(i)) keys[i] = find(column.text(i));
  }
  return SortKeys::of(keys);
}

}  // namespace

KeyIndex::KeyIndex(std::vector<Column> columns, std::size_t rows) : columns_(std::move(columns)), table_(sort_keys_of(columns_), rows) {
  texts_.resize(columns_.size());
  for (std::size_t k = 0; k < columns_.size(); ++k)
    if (columns_[k].type.is_text()) texts_[k] = text_table(columns_[k], table_.keys()[k]);
}

std::vector<std::int64_t> KeyIndex::find(std::span<const Column> other, std::size_t rows, bool missing_is_equal) const {
  MLP_CHECK(other.size() == columns_.size());
  std::vector<SortKeys> keys;
  for (std::size_t k = 0; k < other.size(); ++k) keys.push_back(columns_[k].type.is_text() ? keys_by(texts_[k], other[k]) : sort_keys(other[k]));
  std::vector<std::int64_t> groups(rows);
  parallel_stretches(groups.size(), [&](std::size_t begin, std::size_t end) {
    table_.find(keys, begin, end, missing_is_equal, groups);
  });
  return groups;
}

std::vector<std::int64_t> KeyIndex::groups_with_keys() const {
  std::vector<std::int64_t> out = groups().group_of;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (is_any_missing(table_.keys(), i)) out[i] = -1;
  return out;
}

void KeyTable::find(std::span<const SortKeys> other, std::size_t begin, std::size_t end, bool missing_is_equal, std::span<std::int64_t> out) const {
  if (spans_.size() == 1) {
    const Span span = spans_[0];
    const auto keys = other[0].keys;
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t at = static_cast<std::uint64_t>(keys[i]) - static_cast<std::uint64_t>(span.low);
      const bool missing = keys[i] == SortKeys::kMissing;
      if (at < span.count - 1 && !missing) out[i] = slots_[at];
      else out[i] = missing && missing_is_equal ? slots_[span.count - 1] : -1;
    }
    return;
  }
  for (std::size_t i = begin; i < end; ++i) out[i] = !missing_is_equal && is_any_missing(other, i) ? -1 : find(other, i);
}

Groups group_rows(std::span<const SortKeys> keys, std::size_t rows) { return std::move(KeyTable(keys, rows).groups); }

Groups group_sorted(std::span<const SortKeys> keys, std::size_t rows) {
  Groups groups = group_rows(keys, rows);
  std::vector<std::int64_t> order(groups.representative.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto before = [&](std::int64_t a, std::int64_t b) {
    const auto x = static_cast<std::size_t>(groups.representative[static_cast<std::size_t>(a)]);
    const auto y = static_cast<std::size_t>(groups.representative[static_cast<std::size_t>(b)]);
    for (const SortKeys& key : keys)
      if (key.keys[x] != key.keys[y]) return key.keys[x] < key.keys[y];
    return false;
  };
  std::sort(order.begin(), order.end(), before);
  std::vector<std::int64_t> place(order.size()), representative(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    representative[i] = groups.representative[static_cast<std::size_t>(order[i])];
  }
  for (std::int64_t& group : groups.group_of) group = place[static_cast<std::size_t>(group)];
  groups.representative = std::move(representative);
  return groups;
}

Partition partition(const Groups& groups) { return partition(groups.group_of, groups.representative.size()); }

Partition partition(std::span<const std::int64_t> group_of, std::size_t groups) {
  // Pieces of the rows count for themselves, then each writes to the places that are left to it.
  constexpr std::size_t kMostPieces = 8;
  const std::size_t rows = group_of.size();
  const std::size_t pieces = std::clamp<std::size_t>(groups == 0 ? 1 : rows / (4 * groups), 1, kMostPieces);
  const auto each_row = [&](std::size_t piece, auto body) {
    for (std::size_t i = rows * piece / pieces; i < rows * (piece + 1) / pieces; ++i)
      if (group_of[i] >= 0) body(i, static_cast<std::size_t>(group_of[i]));
  };
  std::vector<std::vector<std::int64_t>> next(pieces);
  parallel_for(pieces, [&](std::size_t piece) {
    next[piece].assign(groups, 0);
    each_row(piece, [&](std::size_t, std::size_t group) { ++next[piece][group]; });
  });
  Partition out;
  out.ends.resize(groups);
  std::int64_t begin = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t piece = 0; piece < pieces; ++piece) begin += std::exchange(next[piece][g], begin);
    out.ends[g] = begin;
  }
  out.rows.resize(static_cast<std::size_t>(begin));
  parallel_for(pieces, [&](std::size_t piece) {
    each_row(piece, [&](std::size_t i, std::size_t group) { out.rows[static_cast<std::size_t>(next[piece][group]++)] = static_cast<std::int64_t>(i); });
  });
  return out;
}

void sort_partitions(Partition& partition, std::span<const SortKeys> keys) {
  if (keys.empty()) return;
  const auto before = [&](std::int64_t a, std::int64_t b) {
    for (const SortKeys& key : keys) {
      const std::int64_t x = key.keys[static_cast<std::size_t>(a)], y = key.keys[static_cast<std::size_t>(b)];
      if (x != y) return x < y;
    }
    return a < b;
  };
  const auto sort = [&](std::size_t first, std::size_t last) {
    for (std::size_t p = first; p < last; ++p) {
      const auto from = partition.rows.begin() + (p == 0 ? 0 : partition.ends[p - 1]), to = partition.rows.begin() + partition.ends[p];
      // Most tables are in the order of time already.
      if (!std::is_sorted(from, to, before)) std::sort(from, to, before);
    }
  };
  constexpr std::size_t kPieces = 16;
  const std::size_t partitions = partition.ends.size();
  parallel_for(std::min(partitions, kPieces), [&](std::size_t i) {
    const std::size_t pieces = std::min(partitions, kPieces);
    sort(partitions * i / pieces, partitions * (i + 1) / pieces);
  });
}

std::vector<std::uint8_t> ties(const Partition& partition, std::span<const SortKeys> keys) {
  std::vector<std::uint8_t> out(partition.rows.size(), 0);
  std::int64_t begin = 0;
  for (const std::int64_t end : partition.ends) {
    for (std::int64_t i = begin + 1; i < end; ++i) {
      const auto a = static_cast<std::size_t>(partition.rows[static_cast<std::size_t>(i)]), b = static_cast<std::size_t>(partition.rows[static_cast<std::size_t>(i - 1)]);
      out[static_cast<std::size_t>(i)] = std::all_of(keys.begin(), keys.end(), [&](const SortKeys& key) { return key.keys[a] == key.keys[b]; });
    }
    begin = end;
  }
  return out;
}

Rows sorted(std::span<const SortKeys> keys, std::size_t rows) {
  Partition all;
  all.rows.resize(rows);
  std::iota(all.rows.begin(), all.rows.end(), std::int64_t{0});
  all.ends = {static_cast<std::int64_t>(rows)};
  sort_partitions(all, keys);
  return std::move(all.rows);
}

Rows deduped(const Groups& groups, std::span<const SortKeys> order, bool last) {
  Rows best(groups.representative.size(), -1);
  for (std::size_t i = 0; i < groups.group_of.size(); ++i) {
    std::int64_t& kept = best[static_cast<std::size_t>(groups.group_of[i])];
    if (kept < 0) {
      kept = static_cast<std::int64_t>(i);
      continue;
    }
    int difference = 0;
    for (const SortKeys& key : order) {
      const std::int64_t x = key.keys[i], y = key.keys[static_cast<std::size_t>(kept)];
      if (x != y) {
        difference = x < y ? -1 : 1;
        break;
      }
    }
    if (difference < 0 || (difference == 0 && last)) kept = static_cast<std::int64_t>(i);
  }
  std::sort(best.begin(), best.end());
  return best;
}

}  // namespace mlp::relation
