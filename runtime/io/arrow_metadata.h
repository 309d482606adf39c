#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The metadata of Arrow IPC: flatbuffers, read with every offset checked, for the bytes are anybody's. Tables and their fields are those of
/// Message.fbs, Schema.fbs and File.fbs (https://arrow.apache.org/docs/format/Columnar.html, format version 1.x, metadata versions 4 and 5).
namespace mlp::io::arrow {

/// What the values of a column are. `none`: what no column of a table can hold (lists, structures, bytes, times of day …);
/// `text_view`: short ones in place, long ones somewhere in further buffers.
enum class Kind : std::uint8_t { none, nothing, truth, integer, real, decimal, text, large_text, text_view, day, milliday, moment, duration };
enum class Unit : std::uint8_t { second, millisecond, microsecond, nanosecond };

struct DataType {
  Kind kind = Kind::none;
  std::uint8_t bits = 0;     ///< integer, real, decimal: width of a value
  bool is_signed = true;     ///< integer
  std::int32_t scale = 0;    ///< decimal: digits after the point
  Unit unit = Unit::second;  ///< moment, duration
  std::uint8_t buffers = 0;  ///< that a batch has for it
  bool more_buffers = false; ///< and as many as the batch says: text_view
};

struct Field {
  std::string name;
  DataType type;                           ///< of the values; with a dictionary those in it
  std::optional<std::int64_t> dictionary;  ///< its id
  DataType index;                          ///< with a dictionary: of what a batch has in the place of values
  std::vector<Field> children;

  const DataType& stored() const { return dictionary ? index : type; }
};

struct Schema {
  std::vector<Field> fields;
};

enum class Codec : std::uint8_t { none, lz4, zstd };

struct Range {
  std::uint64_t offset = 0, length = 0;  ///< in the body of the message
};

struct Batch {
  std::uint64_t rows = 0;
  Codec codec = Codec::none;
  /// Of each field of the schema: how many of its values are missing, and where its buffers are.
  struct Place {
    std::uint64_t missing = 0;
    std::vector<Range> buffers;
  };
  std::vector<Place> places;
};

/// One message of a stream. What it is about is in one of the last three.
struct Message {
  std::uint64_t body = 0;  ///< bytes that follow the metadata
  enum class Kind : std::uint8_t { schema, dictionary, batch, other } kind = Kind::other;
  std::int64_t dictionary = 0;  ///< id
  bool is_delta = false;        ///< its values come after those that the dictionary has
};

/// Where the messages of a file are, by its footer.
struct Block {
  std::uint64_t offset = 0, metadata = 0, body = 0;
};
struct Footer {
  std::vector<Block> dictionaries, batches;
};

/// Each gives nothing where the bytes are not what they should be; `why` then says it in words that follow "it ".
std::optional<Message> read_message(std::string_view metadata, std::string& why);
std::optional<Schema> read_schema(std::string_view metadata, std::string& why);
std::optional<Schema> read_footer_schema(std::string_view footer, std::string& why);
std::optional<Footer> read_footer(std::string_view footer, std::string& why);
/// Of a message with a batch, or with a dictionary, whose only field has the type of its values. Every buffer lies in a body of `body` bytes and, unless
/// it is compressed, holds as many values as it has to.
std::optional<Batch> read_batch(std::string_view metadata, const std::vector<Field>& fields, std::uint64_t body, std::string& why);

}  // namespace mlp::io::arrow
