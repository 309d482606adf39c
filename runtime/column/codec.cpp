#include "runtime/column/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/support/check.h"
#include "runtime/column/byte_reader.h"
#include "runtime/column/layout.h"
#include "compiler/support/utf8.h"

// Layout, little-endian, every part padded with zeros to 8 bytes:
//   "MLPCELL\n" · u32 version · u32 bytes of the type's text · u64 rows · u64 runs (1, or a vector's width)
//   · u64 bytes of known, offsets, data, dictionary · type · known · offsets · data · dictionary · u64 XXH3 of all before
// dictionary: u64 count · count × u64 end · bytes of the values, one after the other.

namespace mlp {

namespace {

constexpr std::string_view kMagic = "MLPCELL\n";
constexpr std::uint32_t kVersion = 1;

std::unexpected<diag::Diagnostic> damaged(std::string_view what) {
  return failure(diag::Code::E0903, fmt::format("a column in the store is damaged: {}", what),
                 "`mlpc cache verify` finds damaged objects; a run makes them anew");
}

std::string encode_dictionary(const Dictionary& dictionary) {
  ByteWriter out;
  out.put<std::uint64_t>(dictionary.values.size());
  std::uint64_t end = 0;
  for (const std::string& value : dictionary.values)
    out.put<std::uint64_t>(end += value.size());
  for (const std::string& value : dictionary.values)
    out.raw(value.data(), value.size());
  return std::move(out.bytes);
}

/// nullopt when the bytes are not a sorted list of distinct texts.
std::optional<Dictionary> decode_dictionary(std::string_view bytes) {
  ByteReader in{bytes};
  const auto count = in.take<std::uint64_t>();
  if (!in.good || count > in.left() / sizeof(std::uint64_t)) return std::nullopt;
  const std::string_view ends = in.raw(count * sizeof(std::uint64_t));
  const std::string_view texts = in.raw(in.left());
  Dictionary dictionary;
  dictionary.values.reserve(count);
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t end;
    std::memcpy(&end, ends.data() + i * sizeof end, sizeof end);
    if (end < begin || end > texts.size()) return std::nullopt;
    dictionary.values.emplace_back(texts.substr(begin, end - begin));
    if (i > 0 && dictionary.values[i - 1] >= dictionary.values[i]) return std::nullopt;
    if (!is_utf8(dictionary.values.back())) return std::nullopt;
    begin = end;
  }
  if (begin != texts.size()) return std::nullopt;
  return dictionary;
}

/// Says what is wrong with the values of a decoded column; empty when nothing is.
std::string_view check_values(const Column& column) {
  if (column.known) {
    bool any_missing = false;
    for (const std::uint8_t k : column.known.as<std::uint8_t>()) {
      if (k > 1) return "a mark of known values is neither 0 nor 1";
      any_missing = any_missing || k == 0;
    }
    if (!any_missing) return "marks of known values without a missing one";
  }
  const auto zero_when_missing = [&](const auto values) {
    if (!column.known) return true;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!column.is_known(i % column.rows) && (values[i] != 0 || std::signbit(static_cast<double>(values[i]))))
        return false;
    }
    return true;
  };
  constexpr std::string_view kNotZero = "a value under a missing row";
  switch (column.type.base) {
    case Base::bool_: {
      const auto values = column.values<std::uint8_t>();
      if (std::ranges::any_of(values, [](std::uint8_t b) { return b > 1; })) return "a bool that is neither 0 nor 1";
      return zero_when_missing(values) ? "" : kNotZero;
    }
    case Base::float_:
    case Base::vector: {
      const auto values = column.values<double>();
      if (!std::ranges::all_of(values, [](double x) { return std::isfinite(x); })) return "a float that is not finite";
      return zero_when_missing(values) ? "" : kNotZero;
    }
    case Base::category: {
      const auto codes = column.values<std::int32_t>();
      std::vector<bool> used(column.dictionary->values.size(), false);
      for (std::size_t row = 0; row < column.rows; ++row) {
        const auto code = static_cast<std::uint32_t>(codes[row]);
        if (!column.is_known(row)) {
          if (code != 0) return kNotZero;
        } else if (code >= used.size()) {
          return "a category outside its dictionary";
        } else {
          used[code] = true;
        }
      }
      return std::ranges::all_of(used, [](bool u) { return u; }) ? "" : "a dictionary value that no row has";
    }
    case Base::string: {
      const auto at = column.offsets.as<std::int64_t>();
      if (at[0] != 0 || at[column.rows] != static_cast<std::int64_t>(column.data.size()))
        return "texts of another length";
      for (std::size_t row = 0; row < column.rows; ++row) {
        if (at[row] > at[row + 1]) return "texts that run backwards";
        if (!column.is_known(row) && at[row] != at[row + 1]) return kNotZero;
      }
      for (std::size_t row = 0; row < column.rows; ++row) {
        if (!is_utf8(column.text(row))) return "a text that is not UTF-8";
      }
      return "";
    }
    default:
      return zero_when_missing(column.values<std::int64_t>()) ? "" : kNotZero;
  }
}

}  // namespace

std::string encode(const Column& given) {
  const Column column = canonical(given);
  const bool is_string = column.type.base == Base::string;
  MLP_CHECK(is_string || row_bytes(column.type.base) > 0);
  const std::string type = to_string(column.type);
  const std::string dictionary = column.type.base == Base::category ? encode_dictionary(*column.dictionary) : "";
  const std::size_t known = column.known ? column.rows : 0;
  const std::size_t offsets = is_string ? (column.rows + 1) * sizeof(std::int64_t) : 0;
  const std::size_t data = is_string ? column.data.size() : column.rows * row_bytes(column.type.base) * column.width();

  ByteWriter out;
  out.bytes.reserve(128 + type.size() + known + offsets + data + dictionary.size());
  out.raw(kMagic.data(), kMagic.size());
  out.put(kVersion);
  out.put(static_cast<std::uint32_t>(type.size()));
  out.put<std::uint64_t>(column.rows);
  out.put<std::uint64_t>(column.width());
  for (const std::size_t size : {known, offsets, data, dictionary.size()})
    out.put<std::uint64_t>(size);
  out.padded(type.data(), type.size());
  out.padded(column.known.data(), known);
  out.padded(column.offsets.data(), offsets);
  out.padded(column.data.data(), data);
  out.padded(dictionary.data(), dictionary.size());
  return out.finish();
}

Result<Column> decode_column(std::string_view bytes) {
  ByteReader in{bytes};
  if (in.raw(kMagic.size()) != kMagic) return damaged("it does not begin like one");
  const auto version = in.take<std::uint32_t>();
  if (!in.good) return damaged("it is cut off");
  if (version != kVersion) {
    return failure(diag::Code::E0909,
                   fmt::format("a column in the store has format {}; this mlpc reads format {}", version, kVersion),
                   "run with a store of its own (`--store DIR`), or with the mlpc that wrote it");
  }
  if (!in.check_sum()) return damaged("its checksum does not fit");
  const auto type_size = in.take<std::uint32_t>();
  const auto rows = in.take<std::uint64_t>();
  const auto runs = in.take<std::uint64_t>();
  const auto known_size = in.take<std::uint64_t>();
  const auto offsets_size = in.take<std::uint64_t>();
  const auto data_size = in.take<std::uint64_t>();
  const auto dictionary_size = in.take<std::uint64_t>();
  const std::string_view type_text = in.padded(type_size);
  const std::string_view known = in.padded(known_size);
  const std::string_view offsets = in.padded(offsets_size);
  const std::string_view data = in.padded(data_size);
  const std::string_view dictionary = in.padded(dictionary_size);
  if (!in.good || in.left() != 0) return damaged("its parts do not have the sizes it names");

  // Lists nest and have no columns: refused before the text is parsed by recursion.
  if (type_text.starts_with("list")) return damaged("its type has no columns");
  const auto type = parse_type(type_text);
  if (!type || to_string(*type) != type_text) return damaged("its type cannot be read");
  Column column;
  column.type = *type;
  column.rows = rows;
  const bool is_string = type->base == Base::string;
  const std::size_t cell = row_bytes(type->base);
  if (!is_string && cell == 0) return damaged("its type has no columns");

  const std::size_t declared = type->base != Base::vector ? 1 : type->detail ? type->detail->width : 0;
  if (declared != 0 && runs != declared) return damaged("its width is not the one of its type");
  if (rows == 0 ? runs != declared : runs == 0) return damaged("its width is not the one of its type");
  if (is_string) {
    if (rows >= bytes.size() || offsets.size() != (rows + 1) * sizeof(std::int64_t))
      return damaged("its number of rows");
  } else if (rows > 0 && (runs > data.size() / cell || rows > data.size() / cell / runs)) {
    return damaged("its number of rows");
  } else if (!offsets.empty() || data.size() != rows * runs * cell) {
    return damaged("its number of rows");
  }
  if (!known.empty() && known.size() != rows) return damaged("its number of rows");
  if ((type->base == Base::category) == dictionary.empty()) return damaged("its dictionary");

  column.data = Buffer::copy(data.data(), data.size());
  column.offsets = Buffer::copy(offsets.data(), offsets.size());
  column.known = Buffer::copy(known.data(), known.size());
  if (type->base == Base::category) {
    auto values = decode_dictionary(dictionary);
    if (!values) return damaged("its dictionary");
    column.dictionary = std::make_shared<const Dictionary>(std::move(*values));
  }
  if (const std::string_view wrong = check_values(column); !wrong.empty()) return damaged(wrong);
  return column;
}

}  // namespace mlp
