#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/store/disk.h"
#include "runtime/store/store.h"

namespace mlp::store {

/// Where the bytes of an object are. Pack 0 stands for a file of its own.
struct ObjectPlace {
  static constexpr std::uint64_t kOwnFile = 0;
  std::uint64_t pack = kOwnFile;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  friend bool operator==(const ObjectPlace&, const ObjectPlace&) = default;
};

/// Records that go into the manifest together.
class ManifestBatch {
 public:
  void add_object(const Digest& digest, const ObjectPlace& place);
  /// The object at that place is damaged; a newer place of the same object is not touched.
  void add_gone(const Digest& digest, const ObjectPlace& place);
  void add_entry(const Digest& key, const Entry& entry);
  void add_stamp(std::string_view path, const SourceStamp& stamp);
  bool empty() const { return records_.empty(); }

 private:
  friend class Manifest;
  struct Record {
    std::uint32_t kind;
    std::string payload;
  };
  std::vector<Record> records_;
};

/// The file that says which objects and entries exist: a header, then records with a checksum each, appended and never changed.
/// It is mapped and indexed by hash. A file with a torn or damaged part is replaced as a whole by the next writer, because
/// cutting it would pull the pages from under the mappings of readers.
/// Look-ups may run beside each other and beside `write`; `refresh` needs the manifest to itself.
class Manifest {
 public:
  Manifest(Disk& disk, std::string directory);
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;
  ~Manifest();

  /// Sees what was appended since, or the whole file when it was replaced. A file that does not exist is empty. The holder of the
  /// store's lock, beside whom nobody appends, has what looks torn examined once more.
  Result<void> refresh(bool locked = false);

  std::optional<ObjectPlace> find_object(const Digest& digest) const;
  std::optional<Entry> find_entry(const Digest& key) const;
  /// The object was found damaged and is not back.
  bool is_set_aside(const Digest& digest) const;
  bool has_entry(const Digest& key) const;
  std::optional<SourceStamp> find_stamp(std::string_view path) const;
  /// End of the last named object of a pack; nothing for a pack that is not named.
  std::optional<std::uint64_t> end_of_pack(std::uint64_t pack) const;

  /// In the order of the file, the newest record of each only.
  void for_each_object(const std::function<void(const Digest&, const ObjectPlace&)>& visit) const;
  void for_each_entry(const std::function<void(const Digest&, const Entry&)>& visit) const;

  std::size_t entry_count() const { return entries_.size; }
  std::size_t stamp_count() const { return stamps_.size(); }
  std::uint64_t file_bytes() const { return file_size_; }
  /// Bytes between whole records that are no records, before the last batch: they were synced, and came to harm since.
  std::uint64_t damaged_bytes() const { return damaged_; }
  /// The same within the last batch, and after it: a writer was stopped before its sync had ended.
  std::uint64_t torn_bytes() const { return torn_ + file_size_ - end_; }
  /// The entry names an object that no whole record names, and there are bytes in which such a record may have been lost.
  bool lost_object_record(const Digest& digest) const { return damaged_ + torn_ > 0 && lookup(objects_, digest) == 0; }
  bool exists() const { return file_ >= 0; }

  /// Writes the batch and syncs it. The caller holds the store's lock and has refreshed since; it refreshes afterwards.
  /// `sync_failed` tells that what is on the disk is unknown.
  Result<void> write(const ManifestBatch& batch, bool& sync_failed);

 private:
  struct Index {  ///< open addressing by the key's first bytes; an offset of 0 is free
    std::vector<std::uint64_t> slots;
    std::size_t size = 0;
  };

  bool names_known_objects(std::string_view payload, const std::unordered_set<Digest>& fresh) const;
  std::string_view payload_at(std::uint64_t record) const;
  std::uint64_t lookup(const Index& index, const Digest& key) const;
  void insert(Index& index, std::uint64_t record);
  void grow(Index& index, std::size_t expected);
  bool valid_record(std::uint64_t at, std::uint64_t& next) const;
  void take_record(std::uint64_t at);
  /// Takes whole records from `end_` on; with `resume`, also those after damage.
  void scan(bool resume);
  void forget();
  Result<void> load();
  Result<void> map(std::uint64_t size);
  std::uint64_t seed(std::uint32_t kind, std::uint64_t length, std::uint64_t identity) const;
  void append_record(std::string& to, std::uint32_t kind, std::string_view payload, std::uint64_t identity) const;
  Result<void> replace(const ManifestBatch& batch, bool& sync_failed);

  Disk& disk_;
  std::string directory_;
  std::string path_;
  int file_ = -1;
  std::uint64_t inode_ = 0;
  std::uint64_t identity_ = 0;
  const char* data_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t file_size_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t torn_ = 0;
  Index objects_;
  Index entries_;
  std::unordered_map<std::string, std::uint64_t> stamps_;
  std::map<std::uint64_t, std::uint64_t> pack_ends_;
};

}  // namespace mlp::store
