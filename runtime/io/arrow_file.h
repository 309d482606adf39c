#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/io/arrow_metadata.h"
#include "runtime/io/file_system.h"

/// Where the schema, the dictionaries and the batches of an Arrow file or stream are.
namespace mlp::io::arrow {

/// A message with a body: where both are in the file.
struct Place {
  std::uint64_t metadata = 0, metadata_size = 0;  ///< of the flatbuffer alone
  std::uint64_t body = 0, body_size = 0;
};

/// The messages that make a dictionary: all from `first` on, `count` of them, of those with its id; the later ones are deltas.
struct Version {
  std::uint32_t first = 0, count = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

struct PlacedBatch {
  Place place;
  std::uint64_t first_row = 0, rows = 0;
  bool compressed = false;
  std::map<std::int64_t, Version> dictionaries;  ///< as they are when it comes
};

struct Values;

struct Index {
  FileStamp stamp;
  Schema schema;
  std::map<std::int64_t, std::vector<Place>> dictionaries;  ///< by id, in the order of the file
  std::vector<PlacedBatch> batches;
  std::uint64_t rows = 0;

  std::mutex mutex;  ///< of what follows
  std::map<std::pair<std::int64_t, Version>, std::shared_ptr<const std::vector<Values>>> unpacked;  ///< dictionaries
};

/// E0804 with what is wrong with the file.
std::unexpected<diag::Diagnostic> no_arrow(const std::string& path, const std::string& what, const std::string& help = "write it anew");
/// Bytes of the file; E0804 where it ends before. `path` is for the message.
Result<std::string> bytes_at(File& file, const std::string& path, std::uint64_t offset, std::uint64_t size);
/// Reads what describes the file, not its values.
Result<std::shared_ptr<Index>> read_index(File& file, const std::string& path);
/// The batch of a message whose fields are these.
Result<Batch> batch_at(File& file, const std::string& path, const Place& place, const std::vector<Field>& fields);
/// Names and types, and nothing else that a writer may say.
Digest digest_of(const Schema& schema);

}  // namespace mlp::io::arrow
