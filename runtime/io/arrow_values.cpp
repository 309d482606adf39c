#include "runtime/io/arrow_values.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "compiler/support/utf8.h"
#include "runtime/io/decompress.h"

namespace mlp::io::arrow {

namespace {

template <class T>
T number_at(const std::string& bytes, std::uint64_t position) {
  T value;
  std::memcpy(&value, bytes.data() + position * sizeof(T), sizeof(T));
  return value;
}

bool bit_at(const std::string& bits, std::uint64_t position) { return static_cast<unsigned char>(bits[position / 8]) >> (position % 8) & 1; }

/// IEEE 754 binary16.
double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}

std::unexpected<diag::Diagnostic> damaged(const std::string& path) { return no_arrow(path, "is damaged: rows do not have the values that they should"); }

/// Buffers of one field of a batch; those that are compressed are unpacked as a whole.
struct Buffers {
  File& file;
  const std::string& path;
  const Place& place;
  Codec codec;

  Result<std::string> whole(const Range& range) const {
    MLP_TRY(std::string packed, bytes_at(file, path, place.body + range.offset, range.length));
    if (codec == Codec::none || packed.empty()) return packed;
    if (packed.size() < 8) return damaged(path);
    const auto size = number_at<std::int64_t>(packed, 0);
    packed.erase(0, 8);
    if (size == -1) return packed;  // it did not become smaller
    if (size < 0) return damaged(path);
    return unpack_buffer(codec == Codec::lz4 ? BufferCodec::lz4 : BufferCodec::zstd, packed, static_cast<std::uint64_t>(size), path);
  }
  /// Bytes [from, from + size) of the buffer.
  Result<std::string> bytes(const Range& range, std::uint64_t from, std::uint64_t size) const {
    if (codec == Codec::none) {
      if (from > range.length || size > range.length - from) return damaged(path);
      return bytes_at(file, path, place.body + range.offset + from, size);
    }
    if (size == 0) return std::string();
    MLP_TRY(std::string all, whole(range));
    if (from > all.size() || size > all.size() - from) return damaged(path);
    if (from == 0 && size == all.size()) return all;
    return all.substr(from, size);
  }
};

/// Texts that stand in place or in one of further buffers, as texts one after the other.
Result<void> load_views(const Buffers& buffers, const Batch::Place& of, std::uint64_t from, Values& out) {
  constexpr std::uint64_t kMost = 1 << 30;  // several may be of one place, so their lengths bound nothing
  constexpr std::size_t kView = 16, kInPlace = 12;
  MLP_TRY(const std::string views, buffers.bytes(of.buffers[1], from * kView, out.rows * kView));
  std::map<std::int32_t, std::string> others;
  std::string offsets;
  const auto end_text = [&] {
    const auto end = static_cast<std::int64_t>(out.data.size());
    offsets.append(reinterpret_cast<const char*>(&end), sizeof end);
  };
  end_text();
  for (std::uint64_t row = 0; row < out.rows; ++row) {
    const auto part = [&](std::size_t number) { return number_at<std::int32_t>(views, row * 4 + number); };
    const std::int32_t size = out.is_known(row) ? part(0) : 0;
    if (size < 0) return damaged(buffers.path);
    if (static_cast<std::size_t>(size) <= kInPlace) {
      out.data.append(views, row * kView + 4, static_cast<std::size_t>(size));
    } else {
      const std::int32_t number = part(2), offset = part(3);
      if (number < 0 || static_cast<std::size_t>(number) + 2 >= of.buffers.size() || offset < 0) return damaged(buffers.path);
      auto& other = others[number];
      if (other.empty()) {
        MLP_TRY(other, buffers.whole(of.buffers[static_cast<std::size_t>(number) + 2]));
      }
      if (static_cast<std::size_t>(offset) > other.size() || static_cast<std::size_t>(size) > other.size() - static_cast<std::size_t>(offset)) return damaged(buffers.path);
      if (out.data.size() + static_cast<std::size_t>(size) > kMost) return no_arrow(buffers.path, "has more than a gigabyte of text in one part of a column", "write it in smaller batches");
      out.data.append(other, static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    }
    end_text();
  }
  out.offsets = std::move(offsets);
  out.type.kind = Kind::large_text;
  return {};
}

template <class Offset>
Result<void> load_texts(const Buffers& buffers, const Batch::Place& of, std::uint64_t from, Values& out) {
  if (out.rows == 0) return {};
  MLP_TRY(out.offsets, buffers.bytes(of.buffers[1], from * sizeof(Offset), (out.rows + 1) * sizeof(Offset)));
  auto last = number_at<Offset>(out.offsets, 0);
  if (last < 0) return damaged(buffers.path);
  out.base = static_cast<std::uint64_t>(last);
  for (std::uint64_t i = 1; i <= out.rows; ++i) {
    const auto next = number_at<Offset>(out.offsets, i);
    if (next < last) return damaged(buffers.path);
    last = next;
  }
  MLP_TRY(out.data, buffers.bytes(of.buffers[2], out.base, static_cast<std::uint64_t>(last) - out.base));
  return {};
}

std::string_view text_at(const Values& values, std::uint64_t row) {
  const auto offset = [&](std::uint64_t at) {
    return (values.type.kind == Kind::text ? static_cast<std::uint64_t>(number_at<std::int32_t>(values.offsets, at)) : static_cast<std::uint64_t>(number_at<std::int64_t>(values.offsets, at))) - values.base;
  };
  const std::uint64_t begin = offset(row);
  return std::string_view(values.data).substr(begin, offset(row + 1) - begin);
}

std::int64_t integer_at(const Values& values, std::uint64_t row) {
  switch (values.type.bits) {
    case 8: return values.type.is_signed ? std::int64_t{number_at<std::int8_t>(values.data, row)} : std::int64_t{number_at<std::uint8_t>(values.data, row)};
    case 16: return values.type.is_signed ? std::int64_t{number_at<std::int16_t>(values.data, row)} : std::int64_t{number_at<std::uint16_t>(values.data, row)};
    case 32: return values.type.is_signed ? std::int64_t{number_at<std::int32_t>(values.data, row)} : std::int64_t{number_at<std::uint32_t>(values.data, row)};
    default: return number_at<std::int64_t>(values.data, row);
  }
}

/// A number of units as microseconds; `add` gets it.
template <class Add>
void add_time(ContractColumn& column, Unit unit, std::int64_t value, const char* what, Add add) {
  constexpr std::int64_t kFactors[] = {1'000'000, 1'000, 1};
  std::int64_t microseconds = 0;
  if (unit == Unit::nanosecond) {
    if (value % 1000 != 0) return column.add_bad(fmt::format("{} ns", value), fmt::format("has nanoseconds, and a {} is exact to the microsecond", what));
    return add(value / 1000);
  }
  if (__builtin_mul_overflow(value, kFactors[static_cast<int>(unit)], &microseconds)) return column.add_bad("", "does not fit into 64 bits of microseconds");
  add(microseconds);
}

void add_value(ContractColumn& column, Base base, const Values& values, std::uint64_t row) {
  const DataType& type = values.type;
  switch (type.kind) {
    case Kind::none:
    case Kind::nothing:
    case Kind::text_view: return column.add_missing();  // values_at makes texts of views
    case Kind::truth: return column.add(bit_at(values.data, values.first_bit + row));
    case Kind::integer: {
      const std::int64_t value = integer_at(values, row);
      if (type.bits != 64 || type.is_signed || value >= 0) return column.add(value);
      const auto large = static_cast<std::uint64_t>(value);
      if (base == Base::float_) return column.add(static_cast<double>(large));
      return column.add_bad(std::to_string(large), "does not fit into 64 bits");
    }
    case Kind::real: {
      const double value = type.bits == 16 ? half(number_at<std::uint16_t>(values.data, row)) : type.bits == 32 ? double{number_at<float>(values.data, row)} : number_at<double>(values.data, row);
      return std::isnan(value) ? column.add_missing() : column.add(value);
    }
    case Kind::decimal: {
      const __int128 value = type.bits == 32 ? __int128{number_at<std::int32_t>(values.data, row)} : type.bits == 64 ? __int128{number_at<std::int64_t>(values.data, row)} : number_at<__int128>(values.data, row);
      return add_decimal(column, base, value, static_cast<unsigned>(type.scale));
    }
    case Kind::text:
    case Kind::large_text: {
      const std::string_view text = text_at(values, row);
      return is_utf8(text) ? column.add(text) : column.add_bad("", "is no UTF-8");
    }
    case Kind::day: return column.add_date(number_at<std::int32_t>(values.data, row));
    case Kind::milliday: {
      constexpr std::int64_t kDay = 86'400'000;
      const auto value = number_at<std::int64_t>(values.data, row);
      return value % kDay == 0 ? column.add_date(value / kDay) : column.add_bad(fmt::format("{} ms", value), "is no whole day");
    }
    case Kind::moment: return add_time(column, type.unit, number_at<std::int64_t>(values.data, row), "timestamp", [&](std::int64_t value) { column.add_timestamp(value); });
    case Kind::duration: return add_time(column, type.unit, number_at<std::int64_t>(values.data, row), "duration", [&](std::int64_t value) { column.add_duration(value); });
  }
}

}  // namespace

bool Values::is_known(std::uint64_t row) const { return known.empty() || bit_at(known, first_bit + row); }

bool Values::any_known() const {
  for (std::uint64_t row = 0; row < rows; ++row)
    if (is_known(row)) return true;
  return false;
}

ValueKind kind_of(const DataType& type) {
  switch (type.kind) {
    case Kind::none: return ValueKind::none;
    case Kind::nothing: return ValueKind::nothing;
    case Kind::truth: return ValueKind::truth;
    case Kind::integer: return type.bits == 64 && !type.is_signed ? ValueKind::large : ValueKind::whole;
    case Kind::real: return ValueKind::real;
    case Kind::decimal: return ValueKind::decimal;
    case Kind::text:
    case Kind::large_text:
    case Kind::text_view: return ValueKind::text;
    case Kind::day:
    case Kind::milliday: return ValueKind::day;
    case Kind::moment: return ValueKind::moment;
    case Kind::duration: return ValueKind::duration;
  }
  return ValueKind::none;
}

Result<Values> values_at(File& file, const std::string& path, const PlacedBatch& batch, const Batch& parts, std::size_t field, const DataType& type, std::uint64_t from, std::uint64_t rows) {
  const Batch::Place& of = parts.places[field];
  const Buffers buffers{file, path, batch.place, parts.codec};
  Values out;
  out.type = type;
  out.rows = rows;
  out.first_bit = from % 8;
  if (type.kind == Kind::none || type.kind == Kind::nothing) return out;
  const auto bits = [&](const Range& range) { return buffers.bytes(range, from / 8, rows ? (from + rows + 7) / 8 - from / 8 : 0); };
  if (of.missing > 0) {
    MLP_TRY(out.known, bits(of.buffers[0]));
  }
  if (type.kind == Kind::text) {
    MLP_TRY_VOID(load_texts<std::int32_t>(buffers, of, from, out));
  } else if (type.kind == Kind::large_text) {
    MLP_TRY_VOID(load_texts<std::int64_t>(buffers, of, from, out));
  } else if (type.kind == Kind::text_view) {
    MLP_TRY_VOID(load_views(buffers, of, from, out));
  } else if (type.kind == Kind::truth) {
    MLP_TRY(out.data, bits(of.buffers[1]));
  } else {
    const std::uint64_t width = type.bits / 8;
    MLP_TRY(out.data, buffers.bytes(of.buffers[1], from * width, rows * width));
  }
  return out;
}

Result<std::shared_ptr<const std::vector<Values>>> dictionary_of(Index& index, File& file, const std::string& path, const Field& field, const PlacedBatch& batch) {
  const auto version = batch.dictionaries.find(*field.dictionary);
  if (version == batch.dictionaries.end()) return std::make_shared<const std::vector<Values>>();
  const std::lock_guard lock(index.mutex);
  auto& kept = index.unpacked[*version];
  if (kept) return kept;
  auto values = std::make_shared<std::vector<Values>>();
  std::vector<Field> fields{field};
  fields[0].dictionary.reset();
  const auto& places = index.dictionaries.at(*field.dictionary);
  for (std::uint32_t i = 0; i < version->second.count; ++i) {
    PlacedBatch part;
    part.place = places[version->second.first + i];
    MLP_TRY(const Batch parts, batch_at(file, path, part.place, fields));
    MLP_TRY(Values some, values_at(file, path, part, parts, 0, field.type, 0, parts.rows));
    values->push_back(std::move(some));
  }
  kept = std::move(values);
  return kept;
}

void add_values(ContractColumn& column, Base base, const Values& values) {
  for (std::uint64_t row = 0; row < values.rows; ++row) {
    if (values.is_known(row)) add_value(column, base, values, row);
    else column.add_missing();
  }
}

Result<void> add_values(ContractColumn& column, Base base, const Values& indices, const std::vector<Values>& dictionary, const std::string& path) {
  for (std::uint64_t row = 0; row < indices.rows; ++row) {
    if (!indices.is_known(row)) {
      column.add_missing();
      continue;
    }
    const std::int64_t index = integer_at(indices, row);
    auto at = static_cast<std::uint64_t>(index);
    auto part = dictionary.begin();
    while (part != dictionary.end() && at >= part->rows) at -= part++->rows;
    if (index < 0 || part == dictionary.end()) return damaged(path);
    if (part->is_known(at)) add_value(column, base, *part, at);
    else column.add_missing();
  }
  return {};
}

}  // namespace mlp::io::arrow
