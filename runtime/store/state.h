#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/store/disk.h"
#include "runtime/store/manifest.h"
#include "runtime/store/pack.h"
#include "runtime/store/store.h"

namespace mlp::store {

/// Objects above this many bytes are files of their own.
inline constexpr std::uint64_t kLargeObject = std::uint64_t{4} << 20;

std::string large_object_path(const std::string& directory, const Digest& digest);

/// Names that are not yet in the manifest, in the order in which they came.
struct Uncommitted {
  std::vector<Digest> objects;
  std::vector<Digest> entries;
  std::vector<std::string> stamps;
  std::vector<std::pair<Digest, ObjectPlace>> gone;

  bool empty() const { return objects.empty() && entries.empty() && stamps.empty() && gone.empty(); }
  /// Puts what could not be committed before what came since.
  void give_back(Uncommitted&& earlier);
};

/// What a batch says; work went on while it was written, so it is compared before it is forgotten.
struct Written {
  std::unordered_map<Digest, ObjectPlace> objects;
  std::unordered_map<Digest, Entry> entries;
  std::map<std::string, SourceStamp> stamps;
};

/// `mutex` guards all but `directory`, `mode`, `disk` and `reader`; a commit holds `commit_mutex` from its beginning to its end
/// and `mutex` only where it does not touch the disk, so that work goes on.
struct Store::State {
  State(std::string the_directory, Mode the_mode, Disk& the_disk)
      : directory(std::move(the_directory)), mode(the_mode), disk(the_disk), manifest(disk, directory), reader(disk, directory) {}

  std::string directory;
  Mode mode;
  Disk& disk;
  std::mutex commit_mutex;
  mutable std::shared_mutex mutex;
  Manifest manifest;
  mutable PackReader reader;
  bool directories_made = false;
  std::vector<std::string> unsynced_directories;  ///< in which others were made
  std::unique_ptr<PackWriter> writer;
  std::vector<std::unique_ptr<PackWriter>> full_packs;  ///< with objects that are not committed yet
  Uncommitted uncommitted;
  std::unordered_map<Digest, ObjectPlace> new_objects;
  std::unordered_map<Digest, Entry> new_entries;
  std::map<std::string, SourceStamp, std::less<>> new_stamps;
  std::unordered_set<Digest> gone;  ///< damaged in this process's sight
  std::optional<diag::Diagnostic> broken;  ///< a sync failed
  std::vector<diag::Diagnostic> warnings;

  // The caller holds `mutex`.
  std::optional<ObjectPlace> place_of(const Digest& digest) const;
  bool has(const Digest& digest) const { return place_of(digest).has_value(); }
  bool is_complete(const Entry& entry) const;
  Result<void> make_directories();
  /// Also of `commit_mutex`: a new pack has the manifest refreshed.
  Result<void> open_writer();
  bool is_there(const Digest& digest, const ObjectPlace& place) const;

  // The caller does not hold `mutex`.
  Result<void> put_large(const Digest& digest, const std::string& bytes);
  void set_aside(const Digest& digest, const ObjectPlace& place, const std::string& bytes, const std::string& what);
  Result<std::string> read_object(const Digest& digest, const ObjectPlace& place);
  /// Syncs whatever objects were written to.
  Result<void> sync_objects(const std::vector<PackWriter*>& packs, const std::vector<Digest>& objects,
                            const std::vector<std::string>& unsynced);
  ManifestBatch build_batch(const Uncommitted& names, Written& written, CommitReport& report) const;
  void forget_written(const Uncommitted& names, const Written& written);
  Result<CommitReport> commit();
};

}  // namespace mlp::store
