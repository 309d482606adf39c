#include "runtime/io/arrow_file.h"

#include <fmt/format.h>

#include <cstring>

#include "runtime/io/source.h"

namespace mlp::io::arrow {

namespace {

constexpr std::string_view kMagic = "ARROW1";
constexpr std::uint64_t kHead = 8;               // the magic, padded
constexpr std::uint32_t kContinuation = 0xffffffff;
constexpr std::uint64_t kMostMetadata = 1 << 26;  // of one message

std::unexpected<diag::Diagnostic> cut_off(const std::string& path) { return no_arrow(path, "is cut off", "fetch or write it anew"); }

std::uint32_t number_in(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The message at a place, and what stands there for its end.
struct Placed {
  Place place;
  Message message;
  bool end = false;
};

Result<Placed> message_at(File& file, const std::string& path, std::uint64_t at, std::uint64_t size) {
  Placed out;
  if (size - at < 4) return cut_off(path);
  MLP_TRY(const std::string head, bytes_at(file, path, at, std::min<std::uint64_t>(8, size - at)));
  // Before format version 0.15 no mark stood before the length.
  const bool marked = number_in(head, 0) == kContinuation;
  if (marked && head.size() < 8) return cut_off(path);
  const std::uint64_t length = number_in(head, marked ? 4 : 0), prefix = marked ? 8 : 4;
  if (length == 0) {
    out.end = true;
    return out;
  }
  if (length > kMostMetadata) return no_arrow(path, "is no Arrow file or stream, or is damaged");
  out.place.metadata = at + prefix, out.place.metadata_size = length;
  if (length > size - at - prefix) return cut_off(path);
  MLP_TRY(const std::string metadata, bytes_at(file, path, out.place.metadata, length));
  std::string why;
  const auto message = read_message(metadata, why);
  if (!message) return no_arrow(path, why);
  out.message = *message;
  out.place.body = out.place.metadata + length, out.place.body_size = message->body;
  if (message->body > size - out.place.body) return cut_off(path);
  return out;
}

/// Takes messages in their order.
struct Collector {
  File& file;
  const std::string& path;
  Index& index;
  std::map<std::int64_t, Version> now = {};

  Result<void> take(const Placed& placed) {
    if (placed.message.kind == Message::Kind::dictionary) {
      auto& places = index.dictionaries[placed.message.dictionary];
      Version& version = now[placed.message.dictionary];
      if (!placed.message.is_delta) version = {static_cast<std::uint32_t>(places.size()), 0};
      ++version.count;
      places.push_back(placed.place);
    } else if (placed.message.kind == Message::Kind::batch) {
      MLP_TRY(const Batch batch, batch_at(file, path, placed.place, index.schema.fields));
      index.batches.push_back({placed.place, index.rows, batch.rows, batch.codec != Codec::none, now});
      index.rows += batch.rows;
    }
    return {};
  }
};

Result<void> read_stream(File& file, const std::string& path, std::uint64_t size, Index& index) {
  Collector collector{file, path, index};
  bool has_schema = false;
  for (std::uint64_t at = 0; at < size;) {
    MLP_TRY(const Placed placed, message_at(file, path, at, size));
    if (placed.end) break;
    if (!has_schema) {
      if (placed.message.kind != Message::Kind::schema) return no_arrow(path, "is no Arrow file, and a stream that does not begin with its columns");
      MLP_TRY(const std::string metadata, bytes_at(file, path, placed.place.metadata, placed.place.metadata_size));
      std::string why;
      auto schema = read_schema(metadata, why);
      if (!schema) return no_arrow(path, why);
      index.schema = std::move(*schema);
      has_schema = true;
    }
    MLP_TRY_VOID(collector.take(placed));
    at = placed.place.body + placed.place.body_size;
  }
  if (!has_schema) return no_arrow(path, "has no columns");
  return {};
}

Result<void> read_file(File& file, const std::string& path, std::uint64_t size, Index& index) {
  const std::uint64_t tail = 4 + kMagic.size();
  if (size < kHead + tail) return cut_off(path);
  MLP_TRY(const std::string end, bytes_at(file, path, size - tail, tail));
  if (std::string_view(end).substr(4) != kMagic) return cut_off(path);
  const std::uint64_t length = number_in(end, 0);
  if (length == 0 || length > kMostMetadata || length > size - kHead - tail) return no_arrow(path, "is damaged: its end does not say where its columns are");
  MLP_TRY(const std::string bytes, bytes_at(file, path, size - tail - length, length));
  std::string why;
  auto schema = read_footer_schema(bytes, why);
  if (!schema) return no_arrow(path, why);
  index.schema = std::move(*schema);
  const auto footer = read_footer(bytes, why);
  if (!footer) return no_arrow(path, why);
  // Dictionaries may stand behind the batches that use them.
  Collector collector{file, path, index};
  for (const auto* blocks : {&footer->dictionaries, &footer->batches})
    for (const Block& block : *blocks) {
      if (block.offset >= size) return no_arrow(path, "is damaged: its end names parts that it does not have");
      MLP_TRY(const Placed placed, message_at(file, path, block.offset, size));
      if (placed.end || placed.message.kind != (blocks == &footer->batches ? Message::Kind::batch : Message::Kind::dictionary))
        return no_arrow(path, "is damaged: its end names parts that it does not have");
      MLP_TRY_VOID(collector.take(placed));
    }
  return {};
}

void add(Hasher& hasher, const DataType& type) {
  hasher.add(static_cast<int>(type.kind)).add(static_cast<int>(type.bits)).add(type.is_signed).add(type.scale).add(static_cast<int>(type.unit));
}

}  // namespace

std::unexpected<diag::Diagnostic> no_arrow(const std::string& path, const std::string& what, const std::string& help) {
  return failure(diag::Code::E0804, fmt::format("`{}` cannot be read as an Arrow file: it {}", path, what), help);
}

Result<std::string> bytes_at(File& file, const std::string& path, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(size, '\0');
  MLP_TRY(const std::size_t got, file.read_at(offset, bytes));
  if (got != size) return source_changed(path);
  return bytes;
}

Result<std::shared_ptr<Index>> read_index(File& file, const std::string& path) {
  auto index = std::make_shared<Index>();
  MLP_TRY(index->stamp, file.stamp());
  const std::uint64_t size = index->stamp.size;
  if (size == 0) return no_arrow(path, "is empty", "write it anew, or leave the file out");
  MLP_TRY(const std::string head, bytes_at(file, path, 0, std::min<std::uint64_t>(size, kMagic.size())));
  if (head.starts_with("FEA1")) return no_arrow(path, "is Feather version 1, which is older than Arrow's own form", "write it as Feather version 2, or as Parquet");
  if (head == kMagic) {
    MLP_TRY_VOID(read_file(file, path, size, *index));
  } else {
    MLP_TRY_VOID(read_stream(file, path, size, *index));
  }
  return index;
}

Result<Batch> batch_at(File& file, const std::string& path, const Place& place, const std::vector<Field>& fields) {
  MLP_TRY(const std::string metadata, bytes_at(file, path, place.metadata, place.metadata_size));
  std::string why;
  auto batch = read_batch(metadata, fields, place.body_size, why);
  if (!batch) return no_arrow(path, why);
  return std::move(*batch);
}

Digest digest_of(const Schema& schema) {
  Hasher hasher("arrow schema/1");
  const auto each = [&](const auto& self, const std::vector<Field>& fields) -> void {
    hasher.add(fields.size());
    for (const Field& field : fields) {
      hasher.add(field.name).add(field.dictionary.has_value());
      add(hasher, field.type);
      add(hasher, field.index);
      self(self, field.children);
    }
  };
  each(each, schema.fields);
  return hasher.finish();
}

}  // namespace mlp::io::arrow
