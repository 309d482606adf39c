#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"

/// Everything that outlives a run: content-addressed objects, and the manifest that maps an action key to its outputs.
/// Runs and models are in catalog.h. docs/architecture.md section 5 says why it is built this way.
namespace mlp::store {

class Disk;

enum class Mode : std::uint8_t {
  read_only,   ///< writes nothing; a store that does not exist is an empty one
  read_write,  ///< creates the store when the first thing is put
};

/// What a step left behind.
struct Entry {
  std::vector<Digest> outputs;
  std::string metadata;  ///< small: the summary of the step, as the caller encodes it

  friend bool operator==(const Entry&, const Entry&) = default;
};

enum class StageStatus : std::uint8_t {
  added,    ///< the key is new, or its former outputs are no longer there
  same,     ///< the key is known with these outputs; nothing is written
  differs,  ///< the key is known with other outputs: the step is not deterministic (W0901)
};

struct StageOutcome {
  StageStatus status = StageStatus::added;
  /// The outputs known before, when they differ. They stay the key's outputs as long as all of them are there.
  std::vector<Digest> earlier;
};

/// Identity of a source file at one moment, as stat(2) gives it.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// What was known of a source when its bytes were last looked at.
struct SourceStamp {
  FileStamp stamp;
  std::int64_t recorded_at_ns = 0;  ///< Unix time at which reading began
  std::string bytes;                ///< what the caller derived from the file: digests, fragments

  friend bool operator==(const SourceStamp&, const SourceStamp&) = default;
};

/// git's rule for racy times: the file may have been written again within the granularity of its clock after it was recorded, so
/// a stamp less than 2 s older than its recording proves nothing.
bool is_racy(const FileStamp& stamp, std::int64_t recorded_at_ns);
/// True when `now` proves that the bytes are those recorded; otherwise they have to be hashed again.
bool is_unchanged(const SourceStamp& recorded, const FileStamp& now);

struct CommitReport {
  std::uint64_t objects = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t entries = 0;
  /// Keys for which another process committed other outputs meanwhile; its outputs stand (W0901).
  std::vector<Digest> conflicting_keys;
};

struct Damage {
  Digest digest;       ///< object, or the key of the entry that names it
  std::string what;    ///< one line for people
};

struct VerifyReport {
  std::uint64_t objects = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t entries = 0;
  std::vector<Damage> damaged_objects;  ///< bytes that are not those of the digest, or not there
  std::vector<Damage> broken_entries;   ///< entries that name an object that is not there; `find` does not give them
  std::uint64_t damaged_manifest_bytes = 0;
  /// Left by a writer that was killed or is at work: no fault, the next writer uses the room again.
  std::uint64_t uncommitted_bytes = 0;

  bool clean() const { return damaged_objects.empty() && broken_entries.empty() && damaged_manifest_bytes == 0; }
};

struct Stats {
  std::uint64_t packed_objects = 0;
  std::uint64_t packed_object_bytes = 0;
  std::uint64_t large_objects = 0;
  std::uint64_t large_object_bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t source_stamps = 0;
  std::uint64_t packs = 0;
  std::uint64_t pack_file_bytes = 0;
  std::uint64_t manifest_bytes = 0;
  std::uint64_t catalog_bytes = 0;
  std::uint64_t set_aside = 0;  ///< damaged objects kept for inspection
};

/// One store, used by any number of threads; a directory may be used by any number of processes.
///
/// Objects and entries are visible in this process at once, and durable and visible to others after `commit`. An object is whole
/// or absent: whatever a crash leaves behind is told by checksums and overwritten.
/// Failures: E0902 the directory cannot be used, E0903 damaged, E0904 writing, E0908 not there, E0909 format of another version.
class Store {
 public:
  /// `directory` is the store itself (".mlp"). `disk` stands in for the system in tests and outlives the store.
  static Result<Store> open(std::string directory, Mode mode, Disk* disk = nullptr);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  /// What was not committed is dropped.
  ~Store();

  const std::string& directory() const;
  Mode mode() const;

  /// Keeps the bytes; the digest is their SHA-256. Bytes that are there already are not written again.
  Result<Digest> put(std::string bytes);
  /// The bytes, with size and hash verified. E0908 when absent. A damaged object (E0903) is set aside, leaves a W0902 in
  /// `take_warnings`, and is absent from then on, so that its step runs again.
  Result<std::string> get(const Digest& digest);
  bool has(const Digest& digest) const;
  /// Bytes of the object, nothing when absent.
  std::optional<std::uint64_t> size_of(const Digest& digest) const;

  /// The entry of an action key (or of a plan's source text, or of anything keyed by a digest) if all of its outputs are there.
  std::optional<Entry> find(const Digest& key) const;
  /// Records what a key gives. Outputs have been put. Durable at the next `commit`.
  StageOutcome stage(const Digest& key, Entry entry);

  /// What was recorded for a source path, as the caller spells it.
  std::optional<SourceStamp> find_stamp(std::string_view path) const;
  void put_stamp(std::string_view path, SourceStamp stamp);

  /// One durable batch: the packs are synced, then the manifest names what is new, then it is synced. With nothing new it writes
  /// nothing. After a failure of a sync the store refuses further commits, because what is on the disk is unknown.
  Result<CommitReport> commit();
  /// Sees what other processes have committed since; called at the start of a command. Opening does it too.
  Result<void> refresh();

  /// Hashes every object and checks that every entry has its outputs. Writes nothing.
  Result<VerifyReport> verify();
  Result<Stats> stats() const;
  /// W0902 of objects set aside since the last call.
  std::vector<diag::Diagnostic> take_warnings();

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mlp::store
