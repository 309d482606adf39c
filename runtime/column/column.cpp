#include "runtime/column/column.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "compiler/support/check.h"
#include "runtime/column/layout.h"

namespace mlp {

std::int32_t Dictionary::find(std::string_view value) const {
  const auto at = std::lower_bound(values.begin(), values.end(), value);
  return at != values.end() && *at == value ? static_cast<std::int32_t>(at - values.begin()) : -1;
}

std::string_view Column::text(std::size_t row) const {
  if (type.base == Base::category) return dictionary->values[static_cast<std::size_t>(values<std::int32_t>()[row])];
  const auto at = offsets.as<std::int64_t>();
  return {reinterpret_cast<const char*>(data.data()) + at[row], static_cast<std::size_t>(at[row + 1] - at[row])};
}

std::size_t Column::count_missing() const {
  if (!known) return 0;
  const auto mask = known.as<std::uint8_t>();
  return static_cast<std::size_t>(std::count(mask.begin(), mask.begin() + static_cast<std::ptrdiff_t>(rows), 0));
}

std::size_t Column::width() const {
  if (type.base != Base::vector) return 1;
  if (rows > 0) return data.size() / sizeof(double) / rows;
  return type.detail ? type.detail->width : 0;
}

namespace {

constexpr std::uint8_t kOne = 1;

std::shared_ptr<const Dictionary> dictionary_of(std::vector<std::string> values) {
  return std::make_shared<const Dictionary>(Dictionary{std::move(values)});
}

/// Drops the mask when nothing is missing.
void tidy_mask(Column& column) {
  if (column.known && column.count_missing() == 0) column.known = {};
}

/// Zero under missing values, for data of `width` bytes a row; the buffer is copied only when something has to change.
void zero_missing(Column& column, std::size_t width, std::size_t runs = 1) {
  if (!column.known) return;
  const auto mask = column.known.as<std::uint8_t>();
  const auto is_zero = [&](std::size_t cell) {
    const std::byte* at = column.data.data() + cell * width;
    return std::all_of(at, at + width, [](std::byte b) { return b == std::byte{0}; });
  };
  bool copied = false;
  for (std::size_t run = 0; run < runs; ++run) {
    for (std::size_t row = 0; row < column.rows; ++row) {
      const std::size_t cell = run * column.rows + row;
      if (mask[row] || is_zero(cell)) continue;
      if (!copied) column.data = Buffer::copy(column.data.data(), column.data.size());
      copied = true;
      std::memset(column.data.mutable_data() + cell * width, 0, width);
    }
  }
}

/// Sorted dictionary of used values only, code 0 under missing values.
void tidy_dictionary(Column& column) {
  static const std::vector<std::string> none;
  const auto& values = column.dictionary ? column.dictionary->values : none;
  const auto codes = column.values<std::int32_t>();
  std::vector<std::uint8_t> used(values.size(), 0);
  bool tidy = column.dictionary != nullptr;
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (column.is_known(row)) {
      MLP_CHECK(codes[row] >= 0 && static_cast<std::size_t>(codes[row]) < values.size());
      used[static_cast<std::size_t>(codes[row])] = 1;
    } else {
      tidy = tidy && codes[row] == 0;
    }
  }
  tidy = tidy && std::all_of(used.begin(), used.end(), [](auto u) { return u; });
  for (std::size_t i = 1; tidy && i < values.size(); ++i)
    tidy = values[i - 1] < values[i];
  if (tidy) return;

  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (used[i]) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<std::string> sorted;
  std::vector<std::int32_t> code_of(values.size(), 0);
  for (const std::size_t i : order) {
    if (sorted.empty() || sorted.back() != values[i]) sorted.push_back(values[i]);
    code_of[i] = static_cast<std::int32_t>(sorted.size()) - 1;
  }
  Buffer recoded(column.rows * sizeof(std::int32_t));
  const auto out = recoded.as_mutable<std::int32_t>();
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (column.is_known(row)) out[row] = code_of[static_cast<std::size_t>(codes[row])];
  }
  column.data = std::move(recoded);
  column.dictionary = dictionary_of(std::move(sorted));
}

/// Texts one after the other from byte 0, none under missing values.
void tidy_texts(Column& column) {
  const auto at = column.offsets.as<std::int64_t>();
  bool tidy =
      at.size() == column.rows + 1 && at[0] == 0 && static_cast<std::size_t>(at[column.rows]) == column.data.size();
  for (std::size_t row = 0; tidy && column.known && row < column.rows; ++row) {
    tidy = column.is_known(row) || at[row] == at[row + 1];
  }
  if (tidy) return;
  std::size_t bytes = 0;
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (column.is_known(row)) bytes += static_cast<std::size_t>(at[row + 1] - at[row]);
  }
  Buffer data(bytes), offsets((column.rows + 1) * sizeof(std::int64_t));
  const auto out = offsets.as_mutable<std::int64_t>();
  std::int64_t end = 0;
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (column.is_known(row)) {
      const auto size = at[row + 1] - at[row];
      if (size) std::memcpy(data.mutable_data() + end, column.data.data() + at[row], static_cast<std::size_t>(size));
      end += size;
    }
    out[row + 1] = end;
  }
  column.data = std::move(data);
  column.offsets = std::move(offsets);
}

/// The rows `row_of(0..count)` of a column of fixed width; the runs of a vector keep their order.
template <class RowOf>
Buffer gather(const Buffer& from, std::size_t from_rows, std::size_t count, std::size_t width, std::size_t runs,
              RowOf row_of) {
  Buffer out = Buffer::unwritten(count * width * runs);
  const auto copy = [&]<class T>(T) {
    const T* in = reinterpret_cast<const T*>(from.data());
    T* to = reinterpret_cast<T*>(out.mutable_data());
    for (std::size_t run = 0; run < runs; ++run) {
      for (std::size_t i = 0; i < count; ++i)
        to[run * count + i] = in[run * from_rows + row_of(i)];
    }
  };
  if (count == 0) return out;
  switch (width) {
    case 1:
      copy(std::uint8_t{});
      break;
    case 4:
      copy(std::int32_t{});
      break;
    default:
      copy(std::uint64_t{});
      break;
  }
  return out;
}

template <class RowOf>
Column gather_rows(const Column& column, std::size_t count, RowOf row_of) {
  Column out;
  out.type = column.type;
  out.rows = count;
  out.dictionary = column.dictionary;
  if (column.known) out.known = gather(column.known, column.rows, count, 1, 1, row_of);
  if (column.type.base == Base::string) {
    const auto at = column.offsets.as<std::int64_t>();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i)
      bytes += static_cast<std::size_t>(at[row_of(i) + 1] - at[row_of(i)]);
    out.data = Buffer(bytes);
    out.offsets = Buffer((count + 1) * sizeof(std::int64_t));
    const auto ends = out.offsets.as_mutable<std::int64_t>();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = row_of(i);
      const auto size = at[row + 1] - at[row];
      if (size)
        std::memcpy(out.data.mutable_data() + ends[i], column.data.data() + at[row], static_cast<std::size_t>(size));
      ends[i + 1] = ends[i] + size;
    }
  } else {
    out.data = gather(column.data, column.rows, count, row_bytes(column.type.base), column.width(), row_of);
  }
  return canonical(std::move(out));
}

}  // namespace

std::size_t row_bytes(Base base) {
  switch (base) {
    case Base::bool_:
      return 1;
    case Base::category:
      return 4;
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration:
    case Base::float_:
    case Base::vector:
      return 8;
    case Base::string:
    case Base::list:
    case Base::map:
    case Base::error:
      return 0;
  }
  return 0;
}

Column canonical(Column column) {
  tidy_mask(column);
  switch (column.type.base) {
    case Base::category:
      tidy_dictionary(column);
      break;
    case Base::string:
      tidy_texts(column);
      break;
    case Base::vector:
      zero_missing(column, sizeof(double), column.width());
      break;
    default:
      zero_missing(column, row_bytes(column.type.base));
      break;
  }
  return column;
}

Column slice(const Column& column, std::size_t from, std::size_t count) {
  MLP_CHECK(from <= column.rows && count <= column.rows - from);
  if (from == 0 && count == column.rows) return canonical(column);
  return gather_rows(column, count, [from](std::size_t i) { return from + i; });
}

Column take(const Column& column, std::span<const std::uint32_t> rows) {
  for (const std::uint32_t row : rows)
    MLP_CHECK(row < column.rows);
  return gather_rows(column, rows.size(), [rows](std::size_t i) { return static_cast<std::size_t>(rows[i]); });
}

Column take(const Column& column, std::span<const std::int64_t> rows, const Value& absent, const Type& type) {
  // One further row holds what stands for those that are not there.
  bool any_absent = false, inside = true;
  for (const std::int64_t row : rows) any_absent |= row < 0, inside &= row < static_cast<std::int64_t>(column.rows);
  MLP_CHECK(inside);
  Column from = column;
  from.type = type;
  if (!any_absent) return gather_rows(from, rows.size(), [rows](std::size_t i) { return static_cast<std::size_t>(rows[i]); });
  std::vector<std::size_t> there, place(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i] >= 0) place[i] = there.size(), there.push_back(static_cast<std::size_t>(rows[i]));
  const std::size_t last = there.size();
  const Column parts[] = {gather_rows(from, last, [&](std::size_t i) { return there[i]; }), constant(type, absent, 1)};
  return gather_rows(concatenate(parts), rows.size(), [&](std::size_t i) { return rows[i] < 0 ? last : place[i]; });
}

Column concatenate(std::span<const Column> columns) {
  MLP_CHECK(!columns.empty());
  if (columns.size() == 1) return canonical(columns[0]);
  Column out;
  out.type = columns[0].type;
  bool any_missing = false;
  std::size_t width = 0, bytes = 0;
  for (const Column& column : columns) {
    MLP_CHECK(column.type == out.type);
    out.rows += column.rows;
    any_missing = any_missing || column.known;
    if (column.rows > 0) width = std::max(width, column.width());
    bytes += column.data.size();
  }
  for (const Column& column : columns)
    MLP_CHECK(column.rows == 0 || column.width() == width);
  if (any_missing) out.known = Buffer(out.rows);

  std::vector<std::vector<std::int32_t>> code_of(columns.size());
  if (out.type.base == Base::category) {
    std::vector<std::string> values;
    for (const Column& column : columns) {
      if (column.dictionary)
        values.insert(values.end(), column.dictionary->values.begin(), column.dictionary->values.end());
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    out.dictionary = dictionary_of(std::move(values));
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (!columns[c].dictionary) continue;
      for (const std::string& value : columns[c].dictionary->values)
        code_of[c].push_back(out.dictionary->find(value));
    }
  }

  const bool is_string = out.type.base == Base::string;
  const std::size_t cell = row_bytes(out.type.base);
  out.data = Buffer(is_string ? bytes : out.rows * cell * width);
  if (is_string) out.offsets = Buffer((out.rows + 1) * sizeof(std::int64_t));
  std::size_t row = 0;
  std::int64_t end = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column& column = columns[c];
    if (column.rows == 0) continue;
    if (any_missing) {
      std::uint8_t* mask = out.known.as_mutable<std::uint8_t>().data() + row;
      if (column.known)
        std::memcpy(mask, column.known.data(), column.rows);
      else
        std::memset(mask, kOne, column.rows);
    }
    if (is_string) {
      const auto at = column.offsets.as<std::int64_t>();
      const auto to = out.offsets.as_mutable<std::int64_t>();
      const auto size = at[column.rows] - at[0];
      if (size) std::memcpy(out.data.mutable_data() + end, column.data.data() + at[0], static_cast<std::size_t>(size));
      for (std::size_t i = 0; i < column.rows; ++i)
        to[row + i + 1] = end + at[i + 1] - at[0];
      end += size;
    } else if (out.type.base == Base::category) {
      const auto from = column.values<std::int32_t>();
      const auto to = out.data.as_mutable<std::int32_t>();
      for (std::size_t i = 0; i < column.rows; ++i) {
        if (column.is_known(i)) to[row + i] = code_of[c][static_cast<std::size_t>(from[i])];
      }
    } else {
      for (std::size_t run = 0; run < width; ++run) {
        std::memcpy(out.data.mutable_data() + (run * out.rows + row) * cell,
                    column.data.data() + run * column.rows * cell, column.rows * cell);
      }
    }
    row += column.rows;
  }
  return canonical(std::move(out));
}

Value value_at(const Column& column, std::size_t row) {
  MLP_CHECK(row < column.rows);
  if (!column.is_known(row)) return std::monostate{};
  switch (column.type.base) {
    case Base::bool_:
      return column.values<std::uint8_t>()[row] != 0;
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration:
      return column.values<std::int64_t>()[row];
    case Base::float_:
      return column.values<double>()[row];
    case Base::string:
    case Base::category:
      return std::string(column.text(row));
    case Base::list:
    case Base::vector:
    case Base::map:
    case Base::error:
      break;
  }
  MLP_CHECK(!"a column whose rows are single values");
  return std::monostate{};
}

double number_at(const Column& column, std::size_t row) {
  switch (column.type.base) {
    case Base::bool_: return column.values<std::uint8_t>()[row];
    case Base::float_: return column.values<double>()[row];
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration: return static_cast<double>(column.values<std::int64_t>()[row]);
    case Base::error:
    case Base::string:
    case Base::category:
    case Base::list:
    case Base::vector:
    case Base::map: break;
  }
  MLP_CHECK(false && "a number");
  return 0;
}

Column constant(const Type& type, const Value& value, std::size_t rows) {
  Column out;
  out.type = type;
  out.rows = rows;
  const bool missing = std::holds_alternative<std::monostate>(value);
  if (missing) out.known = Buffer(rows);
  if (type.base == Base::string) {
    const std::string text = missing ? std::string() : std::get<std::string>(value);
    out.data = Buffer(text.size() * rows);
    out.offsets = Buffer((rows + 1) * sizeof(std::int64_t));
    const auto ends = out.offsets.as_mutable<std::int64_t>();
    for (std::size_t i = 0; i < rows; ++i) {
      if (!text.empty()) std::memcpy(out.data.mutable_data() + i * text.size(), text.data(), text.size());
      ends[i + 1] = static_cast<std::int64_t>((i + 1) * text.size());
    }
    return out;
  }
  const std::size_t runs = type.base == Base::vector && type.detail ? type.detail->width : 1;
  out.data = Buffer(rows * row_bytes(type.base) * runs);
  if (type.base == Base::category) {
    const bool used = !missing && rows > 0;
    out.dictionary = dictionary_of(used ? std::vector{std::get<std::string>(value)} : std::vector<std::string>{});
    return out;
  }
  if (missing) return out;
  if (type.base == Base::bool_) {
    if (rows) std::memset(out.data.mutable_data(), std::get<bool>(value) ? 1 : 0, rows);
  } else if (type.base == Base::float_) {
    const auto* whole = std::get_if<std::int64_t>(&value);
    std::ranges::fill(out.data.as_mutable<double>(), whole ? static_cast<double>(*whole) : std::get<double>(value));
  } else {
    MLP_CHECK(type.base != Base::vector && row_bytes(type.base) == sizeof(std::int64_t));
    std::ranges::fill(out.data.as_mutable<std::int64_t>(), std::get<std::int64_t>(value));
  }
  return out;
}

bool equal_bits(const Column& left, const Column& right) {
  if (!(left.type == right.type) || left.rows != right.rows || left.width() != right.width()) return false;
  const Column a = canonical(left), b = canonical(right);
  const auto same = [](const Buffer& x, const Buffer& y, std::size_t bytes) {
    return bytes == 0 || std::memcmp(x.data(), y.data(), bytes) == 0;
  };
  if (static_cast<bool>(a.known) != static_cast<bool>(b.known)) return false;
  if (a.known && !same(a.known, b.known, a.rows)) return false;
  if (a.type.base == Base::string) {
    return a.data.size() == b.data.size() && same(a.data, b.data, a.data.size()) &&
           same(a.offsets, b.offsets, (a.rows + 1) * sizeof(std::int64_t));
  }
  if (a.type.base == Base::category && a.dictionary->values != b.dictionary->values) return false;
  return same(a.data, b.data, a.rows * row_bytes(a.type.base) * a.width());
}

}  // namespace mlp
