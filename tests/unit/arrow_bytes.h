#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Arrow streams and files made by hand: flatbuffers with every table's fields at eight bytes from each other.
namespace mlp::testing {

struct FlatTable;
using FlatSlot = std::variant<std::monostate, std::int64_t, std::string, FlatTable, std::vector<FlatTable>, std::vector<std::int64_t>>;
/// A number stands in eight bytes, of which a reader takes as many as it needs; a vector of numbers is one of structs that are made of them.
struct FlatTable {
  std::vector<FlatSlot> slots;
  std::size_t struct_numbers = 2;  ///< of each struct in its vectors
};

class FlatWriter {
 public:
  static std::string write(const FlatTable& root) {
    FlatWriter writer;
    writer.put<std::uint32_t>(0);
    writer.patch(0, writer.table(root));
    writer.align();
    return std::move(writer.bytes_);
  }

 private:
  template <class T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void align() { bytes_.resize((bytes_.size() + 7) / 8 * 8); }
  void patch(std::size_t place, std::size_t target) {
    const auto offset = static_cast<std::uint32_t>(target - place);
    std::memcpy(bytes_.data() + place, &offset, sizeof offset);
  }
  std::size_t table(const FlatTable& t) {
    align();
    const std::size_t vtable = bytes_.size(), count = t.slots.size();
    put(static_cast<std::uint16_t>(4 + 2 * count));
    put(static_cast<std::uint16_t>(8 + 8 * count));
    for (std::size_t i = 0; i < count; ++i) put(static_cast<std::uint16_t>(std::holds_alternative<std::monostate>(t.slots[i]) ? 0 : 8 + 8 * i));
    align();
    const std::size_t place = bytes_.size();
    put(static_cast<std::int32_t>(place - vtable));
    put<std::int32_t>(0);
    for (const FlatSlot& slot : t.slots) put(std::holds_alternative<std::int64_t>(slot) ? std::get<std::int64_t>(slot) : std::int64_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = place + 8 + 8 * i;
      if (const auto* text = std::get_if<std::string>(&t.slots[i])) {
        align();
        patch(at, bytes_.size());
        put(static_cast<std::uint32_t>(text->size()));
        bytes_ += *text;
      } else if (const auto* one = std::get_if<FlatTable>(&t.slots[i])) {
        patch(at, table(*one));
      } else if (const auto* many = std::get_if<std::vector<FlatTable>>(&t.slots[i])) {
        align();
        const std::size_t vector = bytes_.size();
        patch(at, vector);
        put(static_cast<std::uint32_t>(many->size()));
        for (std::size_t k = 0; k < many->size(); ++k) put<std::uint32_t>(0);
        for (std::size_t k = 0; k < many->size(); ++k) patch(vector + 4 + 4 * k, table((*many)[k]));
      } else if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&t.slots[i])) {
        align();
        patch(at, bytes_.size());
        put(static_cast<std::uint32_t>(numbers->size() / t.struct_numbers));
        for (const std::int64_t number : *numbers) put(number);
      }
    }
    return place;
  }
  std::string bytes_;
};

inline FlatTable arrow_field(const std::string& name, std::int64_t type_number, FlatTable type) { return {{name, std::int64_t{1}, type_number, std::move(type)}}; }
inline FlatTable arrow_schema(std::vector<FlatTable> fields) { return {{std::int64_t{0}, std::move(fields)}}; }

/// A message of a stream: its flatbuffer with the mark and the length before it, then its body.
inline std::string arrow_message(std::int64_t kind, FlatTable header, const std::string& body, std::int64_t version = 4) {
  const std::string metadata = FlatWriter::write({{version, kind, std::move(header), static_cast<std::int64_t>(body.size())}});
  std::string out("\xff\xff\xff\xff", 4);
  const auto size = static_cast<std::uint32_t>(metadata.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + metadata + body;
}

/// Columns `n` (int64, its second value missing) and `s` (utf8): three rows.
inline std::vector<FlatTable> arrow_fields() {
  return {arrow_field("n", 2, {{std::int64_t{64}, std::int64_t{1}}}), arrow_field("s", 5, {{}})};
}
inline std::string arrow_batch(std::int64_t rows = 3, std::int64_t text_end = 6) {
  std::string body("\5\0\0\0\0\0\0\0", 8);  // the bits: 1, 0, 1
  for (const std::int64_t value : {std::int64_t{7}, std::int64_t{0}, std::int64_t{-9}}) body.append(reinterpret_cast<const char*>(&value), sizeof value);
  for (const std::int32_t offset : {0, 2, 2, static_cast<std::int32_t>(text_end)}) body.append(reinterpret_cast<const char*>(&offset), sizeof offset);
  body += std::string("abcdef\0\0", 8);
  return arrow_message(3, {{rows, std::vector<std::int64_t>{rows, 1, rows, 0}, std::vector<std::int64_t>{0, 1, 8, 24, 0, 0, 32, 16, 48, 6}}}, body);
}
inline std::string arrow_stream() { return arrow_message(1, arrow_schema(arrow_fields()), "") + arrow_batch() + std::string("\xff\xff\xff\xff\0\0\0\0", 8); }

inline std::string arrow_file() {
  std::string out("ARROW1\0\0", 8);
  out += arrow_message(1, arrow_schema(arrow_fields()), "");
  const auto offset = static_cast<std::int64_t>(out.size());
  const std::string batch = arrow_batch();
  out += batch;
  // A block: where it is, how long its metadata (four bytes, then four of nothing) and its body are.
  FlatTable footer{{std::int64_t{4}, arrow_schema(arrow_fields()), {}, std::vector<std::int64_t>{offset, static_cast<std::int64_t>(batch.size()) - 56, 56}}};
  footer.struct_numbers = 3;
  const std::string bytes = FlatWriter::write(footer);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  out += bytes;
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + "ARROW1";
}

}  // namespace mlp::testing
