#include <xxhash.h>

#include <cmath>
#include <numeric>

#include "compiler/support/check.h"
#include "runtime/column/column.h"
#include "runtime/column/layout.h"

namespace mlp {

/// Open addressing from a text to its number in `distinct_`.
struct ColumnBuilder::Index {
  std::vector<std::int32_t> slots = std::vector<std::int32_t>(8, -1);
  std::vector<std::uint64_t> hashes;

  std::int32_t find_or_add(std::string_view value, std::vector<std::string>& distinct) {
    const std::uint64_t hash = XXH3_64bits(value.data(), value.size());
    std::size_t at = hash & (slots.size() - 1);
    for (; slots[at] >= 0; at = (at + 1) & (slots.size() - 1)) {
      const auto code = static_cast<std::size_t>(slots[at]);
      if (hashes[code] == hash && distinct[code] == value) return slots[at];
    }
    const auto code = static_cast<std::int32_t>(distinct.size());
    distinct.emplace_back(value);
    hashes.push_back(hash);
    slots[at] = code;
    if (distinct.size() * 2 > slots.size()) grow();
    return code;
  }

  void grow() {
    slots.assign(slots.size() * 2, -1);
    for (std::size_t code = 0; code < hashes.size(); ++code) {
      std::size_t at = hashes[code] & (slots.size() - 1);
      while (slots[at] >= 0)
        at = (at + 1) & (slots.size() - 1);
      slots[at] = static_cast<std::int32_t>(code);
    }
  }
};

ColumnBuilder::ColumnBuilder(Type type, std::size_t expected_rows) : type_(std::move(type)) {
  switch (type_.base) {
    case Base::bool_:
      bools_.reserve(expected_rows);
      break;
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration:
      ints_.reserve(expected_rows);
      break;
    case Base::float_:
      floats_.reserve(expected_rows);
      break;
    case Base::category:
      codes_.reserve(expected_rows);
      break;
    case Base::string:
      offsets_.reserve(expected_rows + 1);
      offsets_.push_back(0);
      break;
    case Base::list:
    case Base::vector:
    case Base::map:
    case Base::error:
      MLP_CHECK(!"a type that is built value by value");
  }
}

void ColumnBuilder::push_missing() {
  if (!any_missing_) known_.assign(rows_, 1);
  any_missing_ = true;
  known_.push_back(0);
  ++rows_;
  switch (type_.base) {
    case Base::bool_:
      bools_.push_back(0);
      break;
    case Base::float_:
      floats_.push_back(0.0);
      break;
    case Base::category:
      codes_.push_back(0);
      break;
    case Base::string:
      offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
      break;
    default:
      ints_.push_back(0);
      break;
  }
}

void ColumnBuilder::push_bool(bool value) {
  MLP_CHECK(type_.base == Base::bool_);
  bools_.push_back(value ? 1 : 0);
  if (any_missing_) known_.push_back(1);
  ++rows_;
}

void ColumnBuilder::push_int(std::int64_t value) {
  MLP_CHECK(row_bytes(type_.base) == sizeof(std::int64_t) && type_.base != Base::float_);
  ints_.push_back(value);
  if (any_missing_) known_.push_back(1);
  ++rows_;
}

void ColumnBuilder::push_float(double value) {
  MLP_CHECK(type_.base == Base::float_);
  if (!std::isfinite(value)) return push_missing();
  floats_.push_back(value);
  if (any_missing_) known_.push_back(1);
  ++rows_;
}

void ColumnBuilder::push_text(std::string_view value) {
  MLP_CHECK(type_.is_text());
  if (type_.base == Base::category) {
    if (!index_) index_ = std::make_shared<Index>();
    codes_.push_back(index_->find_or_add(value, distinct_));
  } else {
    bytes_.append(value);
    offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
  }
  if (any_missing_) known_.push_back(1);
  ++rows_;
}

Column ColumnBuilder::finish() {
  const auto copy = [](const auto& values) { return Buffer::copy(values.data(), values.size() * sizeof(values[0])); };
  Column out;
  out.type = type_;
  out.rows = rows_;
  if (any_missing_) out.known = copy(known_);
  switch (type_.base) {
    case Base::bool_:
      out.data = copy(bools_);
      break;
    case Base::float_:
      out.data = copy(floats_);
      break;
    case Base::category:
      out.data = copy(codes_);
      out.dictionary = std::make_shared<const Dictionary>(Dictionary{std::move(distinct_)});
      break;
    case Base::string:
      out.data = Buffer::copy(bytes_.data(), bytes_.size());
      out.offsets = copy(offsets_);
      break;
    default:
      out.data = copy(ints_);
      break;
  }
  *this = ColumnBuilder(type_);
  return canonical(std::move(out));
}

}  // namespace mlp
