#include "runtime/store/store.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/store/disk.h"
#include "runtime/store/format.h"
#include "runtime/store/state.h"

namespace mlp::store {

namespace {

constexpr std::int64_t kRacyNs = 2'000'000'000;

}  // namespace

bool is_racy(const FileStamp& stamp, std::int64_t recorded_at_ns) {
  return stamp.mtime_ns > recorded_at_ns - kRacyNs || stamp.ctime_ns > recorded_at_ns - kRacyNs;
}

bool is_unchanged(const SourceStamp& recorded, const FileStamp& now) {
  return recorded.stamp == now && !is_racy(recorded.stamp, recorded.recorded_at_ns);
}

std::string large_object_path(const std::string& directory, const Digest& digest) {
  const std::string hex = digest.hex();
  return directory + "/objects/" + hex.substr(0, 2) + "/" + hex;
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const std::string& Store::directory() const { return state_->directory; }
Mode Store::mode() const { return state_->mode; }

Result<Store> Store::open(std::string directory, Mode mode, Disk* disk) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  Disk& used = disk != nullptr ? *disk : system_disk();
  const auto found = used.stat(directory);
  if (found && !found->is_directory)
    return failure(diag::Code::E0902, fmt::format("`{}` is a file, not a store", directory),
                   "give a directory with --store");
  if (!found && found.error() != ENOENT)
    return disk_failure(diag::Code::E0902, "open the store", directory, found.error());
  auto state = std::make_unique<State>(std::move(directory), mode, used);
  MLP_TRY_VOID(state->manifest.refresh());
  return Store(std::move(state));
}

std::optional<ObjectPlace> Store::State::place_of(const Digest& digest) const {
  if (const auto found = new_objects.find(digest); found != new_objects.end()) return found->second;
  if (gone.contains(digest)) return std::nullopt;
  const auto place = manifest.find_object(digest);
  if (!place || !is_there(digest, *place)) return std::nullopt;
  return place;
}

bool Store::State::is_there(const Digest& digest, const ObjectPlace& place) const {
  if (place.pack != ObjectPlace::kOwnFile) return reader.covers(place);
  const auto found = disk.stat(large_object_path(directory, digest));
  return found && found->size == place.length;
}

bool Store::State::is_complete(const Entry& entry) const {
  for (const Digest& output : entry.outputs)
    if (!has(output)) return false;
  return true;
}

Result<void> Store::State::make_directories() {
  if (directories_made) return {};
  std::vector<std::string> wanted;
  for (std::size_t slash = directory.find('/', 1); slash != std::string::npos; slash = directory.find('/', slash + 1))
    wanted.push_back(directory.substr(0, slash));
  wanted.push_back(directory);
  wanted.push_back(directory + "/packs");
  wanted.push_back(directory + "/objects");
  for (const std::string& path : wanted) {
    if (const auto found = disk.stat(path); found && found->is_directory) continue;
    if (const auto made = disk.make_directory(path); !made)
      return disk_failure(diag::Code::E0902, "create", path, made.error());
    const std::size_t slash = path.rfind('/');
    unsynced_directories.push_back(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
  }
  directories_made = true;
  return {};
}

Result<void> Store::State::open_writer() {
  MLP_TRY_VOID(make_directories());
  if (writer && writer->full()) {
    MLP_TRY_VOID(writer->flush());
    full_packs.push_back(std::move(writer));
  }
  if (writer) return {};
  auto fresh = std::make_unique<PackWriter>(disk, directory);
  MLP_TRY_VOID(fresh->open(manifest));
  writer = std::move(fresh);
  return {};
}

Result<Digest> Store::put(std::string bytes) {
  State& s = *state_;
  MLP_CHECK(s.mode == Mode::read_write);
  const Digest digest = sha256(bytes);
  {
    const std::shared_lock lock(s.mutex);
    if (s.has(digest)) return digest;
  }
  if (bytes.size() > kLargeObject) {
    MLP_TRY_VOID(s.put_large(digest, bytes));
    return digest;
  }
  std::unique_lock lock(s.mutex);
  if (!s.writer || s.writer->full()) {
    lock.unlock();
    const std::lock_guard committing(s.commit_mutex);
    lock.lock();
    MLP_TRY_VOID(s.open_writer());
  }
  if (s.has(digest)) return digest;
  MLP_TRY(const ObjectPlace place, s.writer->append(digest, bytes));
  s.new_objects.emplace(digest, place);
  s.uncommitted.objects.push_back(digest);
  return digest;
}

Result<void> Store::State::put_large(const Digest& digest, const std::string& bytes) {
  {
    const std::unique_lock lock(mutex);
    MLP_TRY_VOID(make_directories());
  }
  const std::string path = large_object_path(directory, digest);
  const std::string folder = path.substr(0, path.rfind('/'));
  if (const auto made = disk.make_directory(folder); !made)
    return disk_failure(diag::Code::E0904, "create", folder, made.error());
  // The name appears with all of the bytes behind it; that they are on the disk is for the commit to see to.
  const std::string fresh = fmt::format("{}/objects/{}.new", directory, identity_text(fresh_identity()));
  const auto file = disk.open(fresh, Disk::Open::create_new);
  if (!file) return disk_failure(diag::Code::E0904, "create", fresh, file.error());
  const auto written = disk.write_at(*file, bytes, 0);
  disk.close(*file);
  const auto renamed = written ? disk.rename(fresh, path) : DiskResult<void>{};
  if (!written || !renamed) {
    (void)disk.remove(fresh);
    return disk_failure(diag::Code::E0904, written ? "rename" : "write", fresh, written ? renamed.error() : written.error());
  }
  const std::unique_lock lock(mutex);
  if (new_objects.emplace(digest, ObjectPlace{ObjectPlace::kOwnFile, 0, bytes.size()}).second)
    uncommitted.objects.push_back(digest);
  return {};
}

Result<std::string> Store::State::read_object(const Digest& digest, const ObjectPlace& place) {
  if (place.pack != ObjectPlace::kOwnFile) return reader.read(place.pack, place.offset, place.length);
  const std::string path = large_object_path(directory, digest);
  const auto file = disk.open(path, Disk::Open::read);
  if (!file) return disk_failure(read_failure_code(file.error()), "open", path, file.error());
  std::string bytes;
  DiskResult<std::size_t> read = 0;
  bytes.resize_and_overwrite(place.length, [&](char* into, std::size_t) {
    read = disk.read_at(*file, into, place.length, 0);
    return read.value_or(0);
  });
  disk.close(*file);
  if (!read) return disk_failure(read_failure_code(read.error()), "read", path, read.error());
  return bytes;
}

Result<std::string> Store::get(const Digest& digest) {
  State& s = *state_;
  std::optional<ObjectPlace> place;
  {
    const std::shared_lock lock(s.mutex);
    place = s.place_of(digest);
    // Two steps may read the same object at once: the one that comes second is told what the first found.
    if (!place && (s.gone.contains(digest) || s.manifest.is_set_aside(digest)))
      return failure(diag::Code::E0903, fmt::format("object {} of the store `{}` is damaged", digest.brief(), s.directory),
                     "run the workflow again; what is damaged is computed anew");
    if (!place)
      return failure(diag::Code::E0908, fmt::format("the store has no object {}", digest.brief()),
                     "run the workflow again; what is missing is computed anew");
    if (place->pack != ObjectPlace::kOwnFile) {
      const auto buffered = [&](const PackWriter& writer) { return writer.read_buffered(*place); };
      if (s.writer)
        if (auto bytes = buffered(*s.writer)) return *std::move(bytes);
    }
  }
  auto bytes = s.read_object(digest, *place);
  // Too many open files, say: that is nothing against the object.
  if (!bytes && bytes.error().code != diag::Code::E0903) return bytes;
  std::string what;
  if (!bytes) what = bytes.error().message;
  else if (bytes->size() != place->length) what = fmt::format("it has {} of {} bytes", bytes->size(), place->length);
  else if (sha256(*bytes) != digest) what = "its bytes are not those that were written";
  else return bytes;
  s.set_aside(digest, *place, bytes ? *bytes : std::string(), what);
  return failure(diag::Code::E0903, fmt::format("object {} of the store `{}` is damaged: {}", digest.brief(), s.directory, what),
                 "run the workflow again; what is damaged is computed anew");
}

void Store::State::set_aside(const Digest& digest, const ObjectPlace& place, const std::string& bytes, const std::string& what) {
  const std::unique_lock lock(mutex);
  // Another thread may have been faster, and the step may have run again since.
  if (place_of(digest) != place) return;
  gone.insert(digest);
  new_objects.erase(digest);
  auto warning = diag::make(diag::Code::W0902, {},
                            fmt::format("object {} of the store `{}` is damaged: {}", digest.brief(), directory, what));
  if (mode == Mode::read_only) {
    warning.help = "the next run makes it anew";
  } else {
    uncommitted.gone.emplace_back(digest, place);
    // Kept for whoever wants to know how it came about; nothing depends on it.
    const std::string folder = directory + "/set_aside";
    const std::string path = folder + "/" + digest.hex();
    (void)disk.make_directory(folder);
    if (place.pack == ObjectPlace::kOwnFile) {
      (void)disk.rename(large_object_path(directory, digest), path);
    } else if (const auto file = disk.open(path, Disk::Open::write)) {
      (void)disk.write_at(*file, bytes, 0);
      disk.close(*file);
    }
    warning.help = fmt::format("it is made anew; its bytes are kept as `{}`", path);
  }
  warnings.push_back(std::move(warning));
}

bool Store::has(const Digest& digest) const {
  const std::shared_lock lock(state_->mutex);
  return state_->has(digest);
}

std::optional<std::uint64_t> Store::size_of(const Digest& digest) const {
  const std::shared_lock lock(state_->mutex);
  const auto place = state_->place_of(digest);
  return place ? std::optional(place->length) : std::nullopt;
}

std::optional<Entry> Store::find(const Digest& key) const {
  const State& s = *state_;
  const std::shared_lock lock(s.mutex);
  std::optional<Entry> entry;
  if (const auto found = s.new_entries.find(key); found != s.new_entries.end()) entry = found->second;
  else entry = s.manifest.find_entry(key);
  if (entry && !s.is_complete(*entry)) entry.reset();
  return entry;
}

StageOutcome Store::stage(const Digest& key, Entry entry) {
  State& s = *state_;
  MLP_CHECK(s.mode == Mode::read_write);
  const std::unique_lock lock(s.mutex);
  std::optional<Entry> known;
  const auto staged = s.new_entries.find(key);
  if (staged != s.new_entries.end()) known = staged->second;
  else known = s.manifest.find_entry(key);
  const bool stands = known && s.is_complete(*known);
  StageOutcome outcome;
  if (known && known->outputs != entry.outputs) {
    outcome.status = StageStatus::differs;
    outcome.earlier = known->outputs;
  } else if (stands) {
    outcome.status = StageStatus::same;
  }
  if (stands) return outcome;
  s.new_entries.insert_or_assign(key, std::move(entry));
  if (staged == s.new_entries.end()) s.uncommitted.entries.push_back(key);
  return outcome;
}

std::optional<SourceStamp> Store::find_stamp(std::string_view path) const {
  const State& s = *state_;
  const std::shared_lock lock(s.mutex);
  if (const auto found = s.new_stamps.find(path); found != s.new_stamps.end()) return found->second;
  return s.manifest.find_stamp(path);
}

void Store::put_stamp(std::string_view path, SourceStamp stamp) {
  State& s = *state_;
  MLP_CHECK(s.mode == Mode::read_write);
  const std::unique_lock lock(s.mutex);
  if (const auto found = s.new_stamps.find(path); found != s.new_stamps.end()) {
    found->second = std::move(stamp);
    return;
  }
  // A proof that holds is not written again for a later moment.
  if (const auto known = s.manifest.find_stamp(path))
    if (known->bytes == stamp.bytes && is_unchanged(*known, stamp.stamp)) return;
  s.new_stamps.emplace(path, std::move(stamp));
  s.uncommitted.stamps.emplace_back(path);
}

Result<CommitReport> Store::commit() {
  MLP_CHECK(state_->mode == Mode::read_write);
  return state_->commit();
}

Result<void> Store::refresh() {
  const std::lock_guard committing(state_->commit_mutex);
  const std::unique_lock lock(state_->mutex);
  return state_->manifest.refresh();
}

std::vector<diag::Diagnostic> Store::take_warnings() {
  const std::unique_lock lock(state_->mutex);
  return std::exchange(state_->warnings, {});
}

}  // namespace mlp::store
