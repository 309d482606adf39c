#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "runtime/store/format.h"
#include "runtime/store/state.h"

namespace mlp::store {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

struct NamedObject {
  Digest digest;
  ObjectPlace place;
};

/// One line about what is wrong with the bytes of [offset, offset + length) of the open file; empty when they are whole.
std::string examine(Disk& disk, int file, const NamedObject& object) {
  if (object.place.pack != ObjectPlace::kOwnFile) {
    std::string header(kPackRecordHeader, '\0');
    if (object.place.offset < kPackRecordHeader) return "its place in the pack cannot be";
    const auto read = disk.read_at(file, header.data(), header.size(), object.place.offset - kPackRecordHeader);
    if (!read || *read != header.size() || !pack_header_fits(header, object.digest, object.place.length))
      return "the header before it is not the one that was written";
  }
  Hasher hasher;
  std::string chunk(std::min<std::uint64_t>(kChunk, std::max<std::uint64_t>(object.place.length, 1)), '\0');
  for (std::uint64_t at = 0; at < object.place.length;) {
    const std::size_t wanted = std::min<std::uint64_t>(chunk.size(), object.place.length - at);
    const auto read = disk.read_at(file, chunk.data(), wanted, object.place.offset + at);
    if (!read) return "it cannot be read";
    if (*read != wanted) return fmt::format("it has {} of {} bytes", at + *read, object.place.length);
    hasher.raw(chunk.data(), wanted);
    at += wanted;
  }
  return hasher.finish() == object.digest ? "" : "its bytes are not those that were written";
}

/// Bytes of files in `objects/` that no named object owns.
std::uint64_t unnamed_object_bytes(Disk& disk, const std::string& directory, const std::unordered_set<std::string>& named) {
  std::uint64_t bytes = 0;
  const std::string folder = directory + "/objects";
  for (const std::string& name : disk.list(folder).value_or(std::vector<std::string>{})) {
    const std::string path = folder + "/" + name;
    const auto found = disk.stat(path);
    if (!found) continue;
    if (!found->is_directory) {
      bytes += found->size;
      continue;
    }
    for (const std::string& file : disk.list(path).value_or(std::vector<std::string>{})) {
      if (named.contains(path + "/" + file)) continue;
      if (const auto size = disk.stat(path + "/" + file)) bytes += size->size;
    }
  }
  return bytes;
}

}  // namespace

Result<VerifyReport> Store::verify() {
  State& s = *state_;
  VerifyReport report;
  std::vector<NamedObject> objects;
  std::unordered_set<Digest> absent;
  std::unordered_set<std::string> own_files;
  {
    const std::lock_guard committing(s.commit_mutex);
    const std::unique_lock lock(s.mutex);
    MLP_TRY_VOID(s.manifest.refresh());
    report.damaged_manifest_bytes = s.manifest.damaged_bytes();
    report.uncommitted_bytes = s.manifest.torn_bytes();
    s.manifest.for_each_object([&](const Digest& digest, const ObjectPlace& place) { objects.push_back({digest, place}); });
  }
  // Each file from its beginning to its end.
  std::sort(objects.begin(), objects.end(), [](const NamedObject& a, const NamedObject& b) {
    return std::tie(a.place.pack, a.place.offset, a.digest) < std::tie(b.place.pack, b.place.offset, b.digest);
  });
  std::uint64_t open_pack = 0;
  int file = -1;
  const auto close = [&] {
    if (file >= 0) s.disk.close(file);
    file = -1;
  };
  for (const NamedObject& object : objects) {
    ++report.objects;
    report.object_bytes += object.place.length;
    const bool own = object.place.pack == ObjectPlace::kOwnFile;
    const std::string path = own ? large_object_path(s.directory, object.digest) : pack_path(s.directory, object.place.pack);
    if (own) own_files.insert(path);
    if (own || object.place.pack != open_pack || file < 0) {
      close();
      file = s.disk.open(path, Disk::Open::read).value_or(-1);
      open_pack = object.place.pack;
    }
    const std::string what = file < 0 ? fmt::format("`{}` cannot be opened", path) : examine(s.disk, file, object);
    if (what.empty()) continue;
    report.damaged_objects.push_back({object.digest, what});
    absent.insert(object.digest);
  }
  close();

  const std::shared_lock lock(s.mutex);
  s.manifest.for_each_entry([&](const Digest& key, const Entry& entry) {
    ++report.entries;
    for (const Digest& output : entry.outputs) {
      // What was set aside was said then, and a hole in the manifest is counted by itself; the step runs again.
      if (s.manifest.is_set_aside(output) || s.manifest.lost_object_record(output)) return;
      if (absent.contains(output) || !s.manifest.find_object(output)) {
        report.broken_entries.push_back({key, fmt::format("it names object {}, which is not there", output.brief())});
        return;
      }
    }
  });
  for (const std::string& name : s.disk.list(s.directory + "/packs").value_or(std::vector<std::string>{})) {
    const auto found = s.disk.stat(s.directory + "/packs/" + name);
    const auto pack = name.ends_with(".pack") ? parse_identity(name.substr(0, name.size() - 5)) : std::nullopt;
    const std::uint64_t named = pack ? s.manifest.end_of_pack(*pack).value_or(0) : 0;
    if (found && found->size > named) report.uncommitted_bytes += found->size - named;
  }
  report.uncommitted_bytes += unnamed_object_bytes(s.disk, s.directory, own_files);
  return report;
}

Result<Stats> Store::stats() const {
  const State& s = *state_;
  const std::shared_lock lock(s.mutex);
  Stats stats;
  s.manifest.for_each_object([&](const Digest&, const ObjectPlace& place) {
    const bool own = place.pack == ObjectPlace::kOwnFile;
    ++(own ? stats.large_objects : stats.packed_objects);
    (own ? stats.large_object_bytes : stats.packed_object_bytes) += place.length;
  });
  stats.entries = s.manifest.entry_count();
  stats.source_stamps = s.manifest.stamp_count();
  stats.manifest_bytes = s.manifest.file_bytes();
  for (const std::string& name : s.disk.list(s.directory + "/packs").value_or(std::vector<std::string>{})) {
    ++stats.packs;
    if (const auto found = s.disk.stat(s.directory + "/packs/" + name)) stats.pack_file_bytes += found->size;
  }
  for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal"})
    if (const auto found = s.disk.stat(s.directory + "/" + name)) stats.catalog_bytes += found->size;
  stats.set_aside = s.disk.list(s.directory + "/set_aside").value_or(std::vector<std::string>{}).size();
  return stats;
}

}  // namespace mlp::store
