#include "runtime/store/manifest.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/store/format.h"

namespace mlp::store {

namespace {

constexpr std::string_view kMagic = "MLPMANI\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kRecordMagic = 0x5243'504D;  // "MPCR"
constexpr std::uint64_t kRecordHeader = 24;          // magic, kind, length, checksum

constexpr std::uint32_t kObject = 1;
constexpr std::uint32_t kEntry = 2;
constexpr std::uint32_t kStamp = 3;
constexpr std::uint32_t kGone = 4;
/// Begins a batch: what is before it was synced when it was written.
constexpr std::uint32_t kBatch = 5;

constexpr std::size_t kObjectPayload = 32 + 3 * 8;
constexpr std::size_t kEntryFixed = 32 + 8;
constexpr std::size_t kStampFixed = 8 + 6 * 8;

std::string object_payload(const Digest& digest, const ObjectPlace& place) {
  std::string payload(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  append_number(payload, place.pack);
  append_number(payload, place.offset);
  append_number(payload, place.length);
  return payload;
}

ObjectPlace place_of(std::string_view payload) {
  return {number_at<std::uint64_t>(payload, 32), number_at<std::uint64_t>(payload, 40),
          number_at<std::uint64_t>(payload, 48)};
}

Digest digest_at(std::string_view payload, std::size_t offset) {
  Digest digest;
  std::memcpy(digest.bytes.data(), payload.data() + offset, digest.bytes.size());
  return digest;
}

/// Sizes inside the payload agree with its length; nothing of it is read before.
bool well_formed(std::uint32_t kind, std::string_view payload) {
  switch (kind) {
    case kObject:
    case kGone: return payload.size() == kObjectPayload;
    case kEntry: {
      if (payload.size() < kEntryFixed) return false;
      const std::uint64_t outputs = number_at<std::uint32_t>(payload, 32);
      const std::uint64_t metadata = number_at<std::uint32_t>(payload, 36);
      return payload.size() == kEntryFixed + outputs * 32 + metadata;
    }
    case kStamp: {
      if (payload.size() < kStampFixed) return false;
      const std::uint64_t path = number_at<std::uint32_t>(payload, 0);
      const std::uint64_t bytes = number_at<std::uint32_t>(payload, 4);
      return payload.size() == kStampFixed + path + bytes;
    }
    case kBatch: return payload.empty();
    default: return false;
  }
}

Entry decode_entry(std::string_view payload) {
  Entry entry;
  const auto outputs = number_at<std::uint32_t>(payload, 32);
  entry.outputs.reserve(outputs);
  for (std::size_t i = 0; i < outputs; ++i) entry.outputs.push_back(digest_at(payload, kEntryFixed + i * 32));
  entry.metadata = payload.substr(kEntryFixed + std::size_t{outputs} * 32);
  return entry;
}

std::string_view stamp_path(std::string_view payload) {
  return payload.substr(kStampFixed, number_at<std::uint32_t>(payload, 0));
}

}  // namespace

void ManifestBatch::add_object(const Digest& digest, const ObjectPlace& place) {
  records_.push_back({kObject, object_payload(digest, place)});
}

void ManifestBatch::add_gone(const Digest& digest, const ObjectPlace& place) {
  records_.push_back({kGone, object_payload(digest, place)});
}

void ManifestBatch::add_entry(const Digest& key, const Entry& entry) {
  std::string payload(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  append_number(payload, static_cast<std::uint32_t>(entry.outputs.size()));
  append_number(payload, static_cast<std::uint32_t>(entry.metadata.size()));
  for (const Digest& output : entry.outputs)
    payload.append(reinterpret_cast<const char*>(output.bytes.data()), output.bytes.size());
  payload += entry.metadata;
  MLP_CHECK(well_formed(kEntry, payload));
  records_.push_back({kEntry, std::move(payload)});
}

void ManifestBatch::add_stamp(std::string_view path, const SourceStamp& stamp) {
  std::string payload;
  append_number(payload, static_cast<std::uint32_t>(path.size()));
  append_number(payload, static_cast<std::uint32_t>(stamp.bytes.size()));
  append_number(payload, stamp.stamp.size);
  append_number(payload, stamp.stamp.mtime_ns);
  append_number(payload, stamp.stamp.ctime_ns);
  append_number(payload, stamp.stamp.inode);
  append_number(payload, stamp.stamp.device);
  append_number(payload, stamp.recorded_at_ns);
  payload += path;
  payload += stamp.bytes;
  MLP_CHECK(well_formed(kStamp, payload));
  records_.push_back({kStamp, std::move(payload)});
}

Manifest::Manifest(Disk& disk, std::string directory)
    : disk_(disk), directory_(std::move(directory)), path_(directory_ + "/manifest") {}

Manifest::~Manifest() { forget(); }

void Manifest::forget() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), mapped_);
  if (file_ >= 0) disk_.close(file_);
  data_ = nullptr;
  mapped_ = file_size_ = end_ = damaged_ = torn_ = inode_ = identity_ = 0;
  file_ = -1;
  objects_ = {};
  entries_ = {};
  stamps_.clear();
  pack_ends_.clear();
}

Result<void> Manifest::map(std::uint64_t size) {
  if (size <= mapped_) return {};
  void* data = data_ == nullptr ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file_, 0)
                                : ::mremap(const_cast<char*>(data_), mapped_, size, MREMAP_MAYMOVE);
  if (data == MAP_FAILED) return disk_failure(diag::Code::E0902, "map", path_, errno);
  data_ = static_cast<const char*>(data);
  mapped_ = size;
  return {};
}

Result<void> Manifest::load() {
  forget();
  const auto file = disk_.open(path_, Disk::Open::read);
  if (!file) {
    if (file.error() == ENOENT || file.error() == ENOTDIR) return {};
    return disk_failure(diag::Code::E0902, "read", path_, file.error());
  }
  file_ = *file;
  const auto found = disk_.stat(file_);
  if (!found) return disk_failure(diag::Code::E0902, "look at", path_, found.error());
  inode_ = found->inode;
  file_size_ = found->size;
  if (file_size_ > 0) MLP_TRY_VOID(map(file_size_));
  MLP_TRY(identity_, check_file_header({data_, mapped_}, kMagic, kVersion, path_));
  end_ = kFileHeaderSize;
  // An average record is larger than this; too large a guess costs less than growing the tables.
  grow(objects_, file_size_ / 256);
  grow(entries_, file_size_ / 512);
  scan(true);
  return {};
}

Result<void> Manifest::refresh(bool locked) {
  const auto found = disk_.stat(path_);
  if (!found) {
    if (found.error() != ENOENT && found.error() != ENOTDIR)
      return disk_failure(diag::Code::E0902, "look at", path_, found.error());
    forget();
    return {};
  }
  if (file_ < 0 || found->inode != inode_ || found->size < file_size_) {
    auto loaded = load();
    if (!loaded) forget();
    return loaded;
  }
  if (found->size > end_) {
    MLP_TRY_VOID(map(found->size));
    file_size_ = found->size;
    scan(false);
    if (locked && torn_bytes() > 0) return load();
  }
  return {};
}

std::uint64_t Manifest::seed(std::uint32_t kind, std::uint64_t length, std::uint64_t identity) const {
  // With the file's identity, text inside a payload can never pass for a record.
  return identity ^ (std::uint64_t{kind} << 56) ^ (length * 0x9E37'79B9'7F4A'7C15u);
}

bool Manifest::valid_record(std::uint64_t at, std::uint64_t& next) const {
  if (file_size_ - at < kRecordHeader) return false;
  const std::string_view header(data_ + at, kRecordHeader);
  if (number_at<std::uint32_t>(header, 0) != kRecordMagic) return false;
  const auto kind = number_at<std::uint32_t>(header, 4);
  const auto length = number_at<std::uint64_t>(header, 8);
  const std::uint64_t room = file_size_ - at - kRecordHeader;
  if (length > room || padded(length) > room) return false;
  const std::string_view payload(data_ + at + kRecordHeader, length);
  if (number_at<std::uint64_t>(header, 16) != checksum(payload, seed(kind, length, identity_))) return false;
  if (!well_formed(kind, payload)) return false;
  next = at + kRecordHeader + padded(length);
  return true;
}

void Manifest::scan(bool resume) {
  std::uint64_t at = end_;
  while (at < file_size_) {
    std::uint64_t next = 0;
    if (valid_record(at, next)) {
      take_record(at);
      at = end_ = next;
      continue;
    }
    if (!resume) return;
    // A torn end, unless whole records follow: then something in the middle was damaged, and they still hold.
    std::uint64_t probe = at + 8;
    while (probe < file_size_ && !valid_record(probe, next)) probe += 8;
    if (probe >= file_size_) return;
    torn_ += probe - at;
    at = probe;
  }
}

std::string_view Manifest::payload_at(std::uint64_t record) const {
  return {data_ + record + kRecordHeader, number_at<std::uint64_t>({data_ + record, kRecordHeader}, 8)};
}

void Manifest::take_record(std::uint64_t at) {
  const auto kind = number_at<std::uint32_t>({data_ + at, kRecordHeader}, 4);
  const std::string_view payload = payload_at(at);
  switch (kind) {
    case kObject: {
      insert(objects_, at);
      const ObjectPlace place = place_of(payload);
      if (place.pack != ObjectPlace::kOwnFile) {
        std::uint64_t& end = pack_ends_[place.pack];
        end = std::max(end, padded(place.offset + place.length));
      }
      break;
    }
    case kGone: {
      const Digest digest = digest_at(payload, 0);
      const std::uint64_t current = lookup(objects_, digest);
      if (current != 0 && place_of(payload_at(current)) == place_of(payload)) insert(objects_, at);
      break;
    }
    case kEntry: insert(entries_, at); break;
    case kBatch: damaged_ += std::exchange(torn_, 0); break;
    case kStamp: stamps_[std::string(stamp_path(payload))] = at; break;
    default: MLP_CHECK(false);
  }
}

void Manifest::grow(Index& index, std::size_t expected) {
  std::size_t capacity = 64;
  while (capacity < expected * 2) capacity *= 2;
  if (capacity <= index.slots.size()) return;
  const std::vector<std::uint64_t> old = std::exchange(index.slots, std::vector<std::uint64_t>(capacity));
  for (const std::uint64_t record : old) {
    if (record == 0) continue;
    std::size_t slot = digest_at(payload_at(record), 0).low64() & (capacity - 1);
    while (index.slots[slot] != 0) slot = (slot + 1) & (capacity - 1);
    index.slots[slot] = record;
  }
}

void Manifest::insert(Index& index, std::uint64_t record) {
  if ((index.size + 1) * 2 > index.slots.size()) grow(index, (index.size + 1) * 2);
  const char* key = payload_at(record).data();
  const std::size_t mask = index.slots.size() - 1;
  std::size_t slot = digest_at({key, 32}, 0).low64() & mask;
  while (index.slots[slot] != 0) {
    if (std::memcmp(payload_at(index.slots[slot]).data(), key, 32) == 0) {
      index.slots[slot] = record;
      return;
    }
    slot = (slot + 1) & mask;
  }
  index.slots[slot] = record;
  ++index.size;
}

std::uint64_t Manifest::lookup(const Index& index, const Digest& key) const {
  if (index.slots.empty()) return 0;
  const std::size_t mask = index.slots.size() - 1;
  std::size_t slot = key.low64() & mask;
  while (index.slots[slot] != 0) {
    if (std::memcmp(payload_at(index.slots[slot]).data(), key.bytes.data(), 32) == 0) return index.slots[slot];
    slot = (slot + 1) & mask;
  }
  return 0;
}

std::optional<ObjectPlace> Manifest::find_object(const Digest& digest) const {
  const std::uint64_t record = lookup(objects_, digest);
  if (record == 0 || number_at<std::uint32_t>({data_ + record, kRecordHeader}, 4) == kGone) return std::nullopt;
  return place_of(payload_at(record));
}

bool Manifest::names_known_objects(std::string_view payload, const std::unordered_set<Digest>& fresh) const {
  const auto outputs = number_at<std::uint32_t>(payload, 32);
  for (std::size_t i = 0; i < outputs; ++i) {
    const Digest output = digest_at(payload, kEntryFixed + i * 32);
    if (!fresh.contains(output) && !find_object(output)) return false;
  }
  return true;
}

bool Manifest::is_set_aside(const Digest& digest) const {
  const std::uint64_t record = lookup(objects_, digest);
  return record != 0 && number_at<std::uint32_t>({data_ + record, kRecordHeader}, 4) == kGone;
}

bool Manifest::has_entry(const Digest& key) const { return lookup(entries_, key) != 0; }

std::optional<Entry> Manifest::find_entry(const Digest& key) const {
  const std::uint64_t record = lookup(entries_, key);
  if (record == 0) return std::nullopt;
  return decode_entry(payload_at(record));
}

std::optional<SourceStamp> Manifest::find_stamp(std::string_view path) const {
  const auto found = stamps_.find(std::string(path));
  if (found == stamps_.end()) return std::nullopt;
  const std::string_view payload = payload_at(found->second);
  SourceStamp stamp;
  stamp.stamp.size = number_at<std::uint64_t>(payload, 8);
  stamp.stamp.mtime_ns = number_at<std::int64_t>(payload, 16);
  stamp.stamp.ctime_ns = number_at<std::int64_t>(payload, 24);
  stamp.stamp.inode = number_at<std::uint64_t>(payload, 32);
  stamp.stamp.device = number_at<std::uint64_t>(payload, 40);
  stamp.recorded_at_ns = number_at<std::int64_t>(payload, 48);
  stamp.bytes = payload.substr(kStampFixed + stamp_path(payload).size());
  return stamp;
}

std::optional<std::uint64_t> Manifest::end_of_pack(std::uint64_t pack) const {
  const auto found = pack_ends_.find(pack);
  if (found == pack_ends_.end()) return std::nullopt;
  return found->second;
}

void Manifest::for_each_object(const std::function<void(const Digest&, const ObjectPlace&)>& visit) const {
  std::vector<std::uint64_t> records;
  for (const std::uint64_t record : objects_.slots)
    if (record != 0 && number_at<std::uint32_t>({data_ + record, kRecordHeader}, 4) != kGone) records.push_back(record);
  std::sort(records.begin(), records.end());
  for (const std::uint64_t record : records) visit(digest_at(payload_at(record), 0), place_of(payload_at(record)));
}

void Manifest::for_each_entry(const std::function<void(const Digest&, const Entry&)>& visit) const {
  std::vector<std::uint64_t> records;
  for (const std::uint64_t record : entries_.slots)
    if (record != 0) records.push_back(record);
  std::sort(records.begin(), records.end());
  for (const std::uint64_t record : records) visit(digest_at(payload_at(record), 0), decode_entry(payload_at(record)));
}

void Manifest::append_record(std::string& to, std::uint32_t kind, std::string_view payload, std::uint64_t identity) const {
  append_number(to, kRecordMagic);
  append_number(to, kind);
  append_number(to, std::uint64_t{payload.size()});
  append_number(to, checksum(payload, seed(kind, payload.size(), identity)));
  to += payload;
  to.resize(padded(to.size()));
}

Result<void> Manifest::write(const ManifestBatch& batch, bool& sync_failed) {
  sync_failed = false;
  if (file_ < 0 || damaged_ > 0 || torn_bytes() > 0) return replace(batch, sync_failed);
  const auto file = disk_.open(path_, Disk::Open::write);
  if (!file) return disk_failure(diag::Code::E0904, "open", path_, file.error());
  std::string bytes;
  append_record(bytes, kBatch, {}, identity_);
  for (const ManifestBatch::Record& record : batch.records_) append_record(bytes, record.kind, record.payload, identity_);
  const auto written = disk_.write_at(*file, bytes, end_);
  const auto synced = written ? disk_.sync(*file) : DiskResult<void>{};
  disk_.close(*file);
  if (!written) return disk_failure(diag::Code::E0904, "write", path_, written.error());
  if (!synced) {
    sync_failed = true;
    return disk_failure(diag::Code::E0904, "sync", path_, synced.error());
  }
  return {};
}

Result<void> Manifest::replace(const ManifestBatch& batch, bool& sync_failed) {
  const std::uint64_t identity = fresh_identity();
  std::string bytes = file_header(kMagic, kVersion, identity);
  std::unordered_set<Digest> fresh_objects;
  for (const ManifestBatch::Record& record : batch.records_)
    if (record.kind == kObject) fresh_objects.insert(digest_at(record.payload, 0));
  std::vector<std::uint64_t> live;
  for (const Index* index : {&objects_, &entries_})
    for (const std::uint64_t record : index->slots)
      if (record != 0) live.push_back(record);
  for (const auto& [path, record] : stamps_) live.push_back(record);
  std::sort(live.begin(), live.end());  // an entry stays behind its objects
  for (const std::uint64_t record : live) {
    const auto kind = number_at<std::uint32_t>({data_ + record, kRecordHeader}, 4);
    // What names a damaged object was withdrawn with it.
    if (kind == kGone || (kind == kEntry && !names_known_objects(payload_at(record), fresh_objects))) continue;
    append_record(bytes, kind, payload_at(record), identity);
  }
  for (const ManifestBatch::Record& record : batch.records_) append_record(bytes, record.kind, record.payload, identity);

  const std::string fresh = path_ + ".new";
  if (const auto removed = disk_.remove(fresh); !removed && removed.error() != ENOENT)
    return disk_failure(diag::Code::E0904, "remove", fresh, removed.error());
  const auto file = disk_.open(fresh, Disk::Open::create_new);
  if (!file) return disk_failure(diag::Code::E0904, "create", fresh, file.error());
  const auto written = disk_.write_at(*file, bytes, 0);
  const auto synced = written ? disk_.sync(*file) : DiskResult<void>{};
  disk_.close(*file);
  if (!written) return disk_failure(diag::Code::E0904, "write", fresh, written.error());
  if (!synced) return disk_failure(diag::Code::E0904, "sync", fresh, synced.error());
  if (const auto renamed = disk_.rename(fresh, path_); !renamed)
    return disk_failure(diag::Code::E0904, "rename", fresh, renamed.error());
  if (const auto named = disk_.sync_directory(directory_); !named) {
    sync_failed = true;
    return disk_failure(diag::Code::E0904, "sync", directory_, named.error());
  }
  return {};
}

}  // namespace mlp::store
