#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/store/disk.h"
#include "runtime/store/manifest.h"

namespace mlp::store {

/// Magic, version, length, digest, checksum of the bytes, checksum of this header; the bytes follow, padded to 8.
inline constexpr std::size_t kPackRecordHeader = 64;

std::string pack_path(const std::string& directory, std::uint64_t pack);

/// Whether the header before an object's bytes says what the manifest says; `header` has kPackRecordHeader bytes.
bool pack_header_fits(std::string_view header, const Digest& digest, std::uint64_t length);

/// Open packs of one store, for reading; any number of threads.
class PackReader {
 public:
  PackReader(Disk& disk, std::string directory);
  PackReader(const PackReader&) = delete;
  PackReader& operator=(const PackReader&) = delete;
  ~PackReader();

  /// The pack is there and long enough.
  bool covers(const ObjectPlace& place);
  Result<std::string> read(std::uint64_t pack, std::uint64_t offset, std::uint64_t length);

 private:
  struct OpenPack {
    int file = -1;
    std::uint64_t size = 0;
  };
  /// Nothing when the pack cannot be opened.
  std::optional<OpenPack> open(std::uint64_t pack, std::uint64_t needed);

  Disk& disk_;
  std::string directory_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, OpenPack> packs_;
};

/// The one pack that this process appends to. It stays locked, so that no other process appends there.
/// One thread at a time, save that `sync` may run beside the rest.
class PackWriter {
 public:
  PackWriter(Disk& disk, std::string directory);
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;
  ~PackWriter();

  bool is_open() const { return file_ >= 0; }
  /// Takes a pack that nobody appends to and that is not full, or makes one. What follows the last object that the manifest names
  /// was left by a writer that died: it is cut off. The manifest is refreshed once the pack is locked.
  Result<void> open(Manifest& manifest);
  /// Appends to the buffer; on a failure to empty it before, nothing is appended.
  Result<ObjectPlace> append(const Digest& digest, std::string_view bytes);
  /// The buffer reaches the system. After a failure it is kept, and tried again by the next call.
  Result<void> flush();
  /// What was flushed reaches the disk, the file's name too.
  Result<void> sync();
  /// Bytes that are still in the buffer.
  std::optional<std::string> read_buffered(const ObjectPlace& place) const;
  /// Large enough: the next append goes to another pack. This one stays locked until what it took is committed.
  bool full() const;

 private:
  void close();
  Result<bool> try_pack(const std::string& name, Manifest& manifest);
  Result<void> create();

  Disk& disk_;
  std::string directory_;
  int file_ = -1;
  std::uint64_t pack_ = 0;
  std::string path_;
  std::uint64_t flushed_ = 0;
  bool name_synced_ = false;
  std::string buffer_;
};

}  // namespace mlp::store
