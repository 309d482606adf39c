#include "runtime/io/arrow_metadata.h"

#include <bit>
#include <concepts>
#include <cstring>
#include <limits>

#include "compiler/support/utf8.h"

namespace mlp::io::arrow {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMostDepth = 32;         // of nested types
constexpr std::size_t kMostFields = 1 << 16;   // of a schema, nested ones counted
constexpr std::uint64_t kMostRows = std::numeric_limits<std::int32_t>::max();  // of a batch
constexpr std::uint64_t kMostRowsOfNothing = 1 << 24;  // of one in which no byte stands for a row

/// Bytes of a flatbuffer. What lies outside reads as zero, and `good` is false from then on.
struct Bytes {
  std::string_view all;
  bool good = true;

  template <class T>
  T at(std::uint64_t offset) {
    T value{};
    if (offset > all.size() || all.size() - offset < sizeof(T)) good = false;
    else std::memcpy(&value, all.data() + offset, sizeof(T));
    return value;
  }
  /// Where the offset that stands at a place leads to.
  std::uint64_t follow(std::uint64_t place) {
    const std::uint64_t to = place + at<std::uint32_t>(place);
    if (to >= all.size()) good = false;
    return good ? to : 0;
  }
};

/// A table: its fields are found by its vtable.
struct Table {
  Bytes* bytes = nullptr;
  std::uint64_t place = 0;

  static Table root(Bytes& bytes) { return {&bytes, bytes.follow(0)}; }
  /// Place of a field; 0 where the table does not have it.
  std::uint64_t field(unsigned number) const {
    if (!bytes->good) return 0;
    const std::int64_t vtable = static_cast<std::int64_t>(place) - bytes->at<std::int32_t>(place);
    if (vtable < 0) {
      bytes->good = false;
      return 0;
    }
    const auto entry = 4 + 2 * std::uint64_t{number};
    if (entry + 2 > bytes->at<std::uint16_t>(static_cast<std::uint64_t>(vtable))) return 0;
    const auto offset = bytes->at<std::uint16_t>(static_cast<std::uint64_t>(vtable) + entry);
    return offset ? place + offset : 0;
  }
  template <class T>
  T value(unsigned number, T fallback) const {
    const std::uint64_t at = field(number);
    return at ? bytes->at<T>(at) : fallback;
  }
  std::optional<Table> table(unsigned number) const {
    const std::uint64_t at = field(number);
    if (!at) return std::nullopt;
    return Table{bytes, bytes->follow(at)};
  }
  /// A vector: where its elements begin, and how many there are, `size` bytes each.
  std::pair<std::uint64_t, std::uint64_t> vector(unsigned number, std::uint64_t size) const {
    const std::uint64_t at = field(number);
    if (!at) return {0, 0};
    const std::uint64_t place = bytes->follow(at);
    const std::uint64_t count = bytes->at<std::uint32_t>(place);
    if (!bytes->good || count > (bytes->all.size() - place - 4) / size) {
      bytes->good = false;
      return {0, 0};
    }
    return {place + 4, count};
  }
  std::string text(unsigned number) const {
    const auto [place, size] = vector(number, 1);
    return std::string(bytes->all.substr(place, size));
  }
};

/// Reads fields; nullopt where one is not what it should be.
struct FieldReader {
  Bytes& bytes;
  std::string& why;
  std::size_t count = 0;

  std::optional<std::vector<Field>> read(const Table& owner, unsigned number, std::size_t depth) {
    std::vector<Field> out;
    const auto [place, fields] = owner.vector(number, 4);
    if (depth > kMostDepth || (count += fields) > kMostFields) {
      why = "has more columns, or types nested deeper, than can be read";
      return std::nullopt;
    }
    for (std::uint64_t i = 0; i < fields; ++i) {
      auto field = read_one({&bytes, bytes.follow(place + 4 * i)}, depth);
      if (!field) return std::nullopt;
      out.push_back(std::move(*field));
    }
    return out;
  }

  std::optional<Field> read_one(const Table& table, std::size_t depth) {
    Field field;
    field.name = table.text(0);
    if (!bytes.good) return std::nullopt;
    if (!is_utf8(field.name)) {
      why = "has a column whose name is no UTF-8";
      return std::nullopt;
    }
    const auto type = table.table(3);
    field.type = read_type(table.value<std::uint8_t>(2, 0), type);
    auto children = read(table, 5, depth + 1);
    if (!children) return std::nullopt;
    field.children = std::move(*children);
    if (const auto dictionary = table.table(4)) {
      field.dictionary = dictionary->value<std::int64_t>(0, 0);
      const auto index = dictionary->table(1);
      field.index = index ? read_type(2, index) : DataType{Kind::integer, 32, true, 0, Unit::second, 2, false};
      if (dictionary->value<std::int16_t>(3, 0) != 0 || field.index.kind != Kind::integer) {
        why = "has a dictionary of a kind that is not known";
        return std::nullopt;
      }
    }
    return bytes.good ? std::optional(std::move(field)) : std::nullopt;
  }

  /// `number`: of the type in the union `Type`. One that is not known has no buffers that could be counted: the schema is refused.
  DataType read_type(std::uint8_t number, const std::optional<Table>& type) {
    const auto value = [&]<class T>(unsigned field, T fallback) { return type ? type->value<T>(field, fallback) : fallback; };
    DataType out;
    const auto buffers = [&](std::uint8_t n) {
      out.buffers = n;
      return out;
    };
    switch (number) {
      case 1: out.kind = Kind::nothing; return buffers(0);
      case 2: {
        const auto bits = value(0, std::int32_t{0});
        out.kind = bits == 8 || bits == 16 || bits == 32 || bits == 64 ? Kind::integer : Kind::none;
        out.bits = static_cast<std::uint8_t>(bits), out.is_signed = value(1, std::uint8_t{0}) != 0;
        return buffers(2);
      }
      case 3: {
        const auto precision = value(0, std::int16_t{0});
        out.kind = precision >= 0 && precision <= 2 ? Kind::real : Kind::none;
        out.bits = static_cast<std::uint8_t>(16 << (precision & 3));
        return buffers(2);
      }
      case 5: out.kind = Kind::text; return buffers(3);
      case 6: out.kind = Kind::truth; out.bits = 1; return buffers(2);
      case 7: {
        const auto bits = value(2, std::int32_t{128});
        out.scale = value(1, std::int32_t{0});
        out.kind = (bits == 32 || bits == 64 || bits == 128) && out.scale >= 0 && out.scale <= 38 ? Kind::decimal : Kind::none;
        out.bits = static_cast<std::uint8_t>(bits);
        return buffers(2);
      }
      case 8: {
        const bool days = value(0, std::int16_t{1}) == 0;
        out.kind = days ? Kind::day : Kind::milliday, out.bits = days ? 32 : 64;
        return buffers(2);
      }
      case 10:
      case 18: {
        const auto unit = value(0, std::int16_t{number == 18});
        out.kind = unit < 0 || unit > 3 ? Kind::none : number == 10 ? Kind::moment : Kind::duration;
        out.unit = static_cast<Unit>(unit & 3), out.bits = 64;
        return buffers(2);
      }
      case 20: out.kind = Kind::large_text; return buffers(3);
      // What no column of a table can hold, and how many buffers are passed over.
      case 4: case 19: return buffers(3);                        // Binary, LargeBinary
      case 9: case 11: case 12: case 15: case 17: case 21: return buffers(2);  // Time, Interval, List, FixedSizeBinary, Map, LargeList
      case 13: case 16: return buffers(1);                       // Struct_, FixedSizeList
      case 14: return buffers(value(0, std::int16_t{0}) == 0 ? 1 : 2);  // Union: sparse, dense
      case 22: return buffers(0);                                // RunEndEncoded
      case 23: out.more_buffers = true; return buffers(2);       // BinaryView
      case 24: out.kind = Kind::text_view; out.bits = 128; out.more_buffers = true; return buffers(2);
      case 25: case 26: return buffers(3);                       // ListView, LargeListView
      default:
        if (why.empty()) why = "has a column of a type that this version does not know";
        return out;
    }
  }
};

std::nullopt_t damaged(std::string& why) {
  if (why.empty()) why = "is damaged: what describes its columns and rows leads nowhere";
  return std::nullopt;
}

std::optional<Schema> schema_of(Bytes& bytes, const std::optional<Table>& table, std::string& why) {
  if (!table || !bytes.good) return damaged(why);
  if (table->value<std::int16_t>(0, 0) != 0) {
    why = "has numbers with the highest byte first";
    return std::nullopt;
  }
  FieldReader reader{bytes, why};
  auto fields = reader.read(*table, 1, 0);
  if (!fields || !bytes.good || !why.empty()) return damaged(why);
  return Schema{std::move(*fields)};
}

/// The version of the metadata, and the message's header of the kind.
bool version_is_known(std::int16_t version, std::string& why) {
  if (version == 3 || version == 4) return true;  // V4, V5
  why = "is of a version of Arrow IPC that cannot be read";
  return false;
}

std::uint64_t bytes_needed(const DataType& type, std::uint64_t rows, std::size_t buffer) {
  if (buffer == 0) return (rows + 7) / 8;
  if (type.kind == Kind::text) return buffer == 1 && rows > 0 ? (rows + 1) * 4 : 0;
  if (type.kind == Kind::large_text) return buffer == 1 && rows > 0 ? (rows + 1) * 8 : 0;
  return buffer == 1 ? (rows * type.bits + 7) / 8 : 0;
}

/// Goes through the nodes and buffers of a batch as its fields say.
struct BatchReader {
  Bytes& bytes;
  std::string& why;
  std::uint64_t nodes, node_count, buffers, buffer_count, variadic, variadic_count;
  std::uint64_t body;
  Batch& out;
  std::uint64_t node = 0, buffer = 0, view = 0;
  bool any_bytes = false;

  bool fail() {
    damaged(why);
    return false;
  }

  bool read(const Field& field, Batch::Place* place) {
    const DataType& type = field.stored();
    if (node >= node_count) return fail();
    const auto length = bytes.at<std::int64_t>(nodes + 16 * node), missing = bytes.at<std::int64_t>(nodes + 16 * node + 8);
    ++node;
    if (length < 0 || missing < 0 || missing > length || (place && static_cast<std::uint64_t>(length) != out.rows)) return fail();
    std::uint64_t count = type.buffers;
    if (type.more_buffers) {
      if (view >= variadic_count) return fail();
      const auto more = bytes.at<std::int64_t>(variadic + 8 * view++);
      if (more < 0 || static_cast<std::uint64_t>(more) > buffer_count) return fail();
      count += static_cast<std::uint64_t>(more);
    }
    if (count > buffer_count - buffer) return fail();
    for (std::uint64_t i = 0; i < count; ++i, ++buffer) {
      const auto offset = bytes.at<std::int64_t>(buffers + 16 * buffer), size = bytes.at<std::int64_t>(buffers + 16 * buffer + 8);
      if (offset < 0 || size < 0 || static_cast<std::uint64_t>(offset) > body || static_cast<std::uint64_t>(size) > body - static_cast<std::uint64_t>(offset)) return fail();
      if (!place) continue;
      const Range range{static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size)};
      place->buffers.push_back(range);
      const bool may_lack = i == 0 && missing == 0;  // nothing is missing: there need be no bits
      if (out.codec == Codec::none && type.kind != Kind::none && !may_lack && range.length < bytes_needed(type, out.rows, i)) return fail();
      any_bytes = any_bytes || (i > 0 && range.length > 0 && type.kind != Kind::none);
    }
    if (place) place->missing = static_cast<std::uint64_t>(missing);
    // The children of a dictionary's values are in the dictionary.
    if (!field.dictionary)
      for (const Field& child : field.children)
        if (!read(child, nullptr)) return false;
    return true;
  }
};

}  // namespace

std::optional<Message> read_message(std::string_view metadata, std::string& why) {
  Bytes bytes{metadata};
  const Table message = Table::root(bytes);
  Message out;
  const auto version = message.value<std::int16_t>(0, 0);
  if (bytes.good && !version_is_known(version, why)) return std::nullopt;
  const auto body = message.value<std::int64_t>(3, 0);
  const auto header = message.table(2);
  const auto kind = message.value<std::uint8_t>(1, 0);
  if (!bytes.good || body < 0 || !header) return damaged(why);
  out.body = static_cast<std::uint64_t>(body);
  out.kind = kind == 1 ? Message::Kind::schema : kind == 2 ? Message::Kind::dictionary : kind == 3 ? Message::Kind::batch : Message::Kind::other;
  if (out.kind == Message::Kind::dictionary) {
    out.dictionary = header->value<std::int64_t>(0, 0);
    out.is_delta = header->value<std::uint8_t>(2, 0) != 0;
  }
  return bytes.good ? std::optional(out) : damaged(why);
}

std::optional<Schema> read_schema(std::string_view metadata, std::string& why) {
  Bytes bytes{metadata};
  return schema_of(bytes, Table::root(bytes).table(2), why);
}

std::optional<Schema> read_footer_schema(std::string_view footer, std::string& why) {
  Bytes bytes{footer};
  const Table table = Table::root(bytes);
  const auto version = table.value<std::int16_t>(0, 0);
  if (bytes.good && !version_is_known(version, why)) return std::nullopt;
  return schema_of(bytes, table.table(1), why);
}

std::optional<Footer> read_footer(std::string_view footer, std::string& why) {
  Bytes bytes{footer};
  const Table table = Table::root(bytes);
  Footer out;
  for (auto* blocks : {&out.dictionaries, &out.batches}) {
    const auto [place, count] = table.vector(blocks == &out.batches ? 3 : 2, 24);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto offset = bytes.at<std::int64_t>(place + 24 * i), body = bytes.at<std::int64_t>(place + 24 * i + 16);
      const auto metadata = bytes.at<std::int32_t>(place + 24 * i + 8);
      if (offset < 0 || body < 0 || metadata < 0) return damaged(why);
      blocks->push_back({static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(metadata), static_cast<std::uint64_t>(body)});
    }
  }
  return bytes.good ? std::optional(std::move(out)) : damaged(why);
}

std::optional<Batch> read_batch(std::string_view metadata, const std::vector<Field>& fields, std::uint64_t body, std::string& why) {
  Bytes bytes{metadata};
  const Table message = Table::root(bytes);
  auto table = message.table(2);
  if (table && message.value<std::uint8_t>(1, 0) == 2) table = table->table(1);
  if (!table || !bytes.good) return damaged(why);
  Batch out;
  const auto rows = table->value<std::int64_t>(0, 0);
  if (rows < 0 || static_cast<std::uint64_t>(rows) > kMostRows) return damaged(why);
  out.rows = static_cast<std::uint64_t>(rows);
  if (const auto compression = table->table(3)) {
    const auto codec = compression->value<std::int8_t>(0, 0);
    if (!bytes.good || codec < 0 || codec > 1 || compression->value<std::int8_t>(1, 0) != 0) {
      why = "is compressed in a way that is not known";
      return std::nullopt;
    }
    out.codec = codec == 0 ? Codec::lz4 : Codec::zstd;
  }
  const auto [nodes, node_count] = table->vector(1, 16);
  const auto [buffers, buffer_count] = table->vector(2, 16);
  const auto [variadic, variadic_count] = table->vector(4, 8);
  BatchReader reader{bytes, why, nodes, node_count, buffers, buffer_count, variadic, variadic_count, body, out};
  for (const Field& field : fields)
    if (!reader.read(field, &out.places.emplace_back())) return std::nullopt;
  // Nothing says yet how much is packed into a batch that is compressed; no codec packs more than this.
  const bool too_many = out.rows > kMostRowsOfNothing && (!reader.any_bytes || (out.codec != Codec::none && out.rows / (body + 1) > 65'536));
  if (!bytes.good || too_many) return damaged(why);
  return out;
}

}  // namespace mlp::io::arrow
