#include <fmt/format.h>

#include <set>

#include "compiler/support/check.h"
#include "runtime/store/format.h"
#include "runtime/store/state.h"

namespace mlp::store {

void Uncommitted::give_back(Uncommitted&& earlier) {
  const auto before = [](auto& later, auto& first) {
    first.insert(first.end(), later.begin(), later.end());
    later = std::move(first);
  };
  before(objects, earlier.objects);
  before(entries, earlier.entries);
  before(stamps, earlier.stamps);
  before(gone, earlier.gone);
}

Result<void> Store::State::sync_objects(const std::vector<PackWriter*>& packs, const std::vector<Digest>& objects,
                                        const std::vector<std::string>& unsynced) {
  const auto sync_directory = [&](const std::string& path) -> Result<void> {
    if (const auto synced = disk.sync_directory(path); !synced)
      return disk_failure(diag::Code::E0904, "sync", path, synced.error());
    return {};
  };
  for (PackWriter* pack : packs) MLP_TRY_VOID(pack->sync());
  std::set<std::string> folders;
  for (const Digest& object : objects) {
    const std::string path = large_object_path(directory, object);
    const auto file = disk.open(path, Disk::Open::read);
    if (!file) return disk_failure(diag::Code::E0904, "open", path, file.error());
    const auto synced = disk.sync(*file);
    disk.close(*file);
    if (!synced) return disk_failure(diag::Code::E0904, "sync", path, synced.error());
    folders.insert(path.substr(0, path.rfind('/')));
  }
  for (const std::string& folder : folders) MLP_TRY_VOID(sync_directory(folder));
  if (!folders.empty()) MLP_TRY_VOID(sync_directory(directory + "/objects"));
  for (const std::string& path : unsynced) MLP_TRY_VOID(sync_directory(path));
  return {};
}

ManifestBatch Store::State::build_batch(const Uncommitted& names, Written& written, CommitReport& report) const {
  ManifestBatch batch;
  for (const auto& [digest, place] : names.gone) batch.add_gone(digest, place);
  // Objects come before the entries that name them: whatever part of the batch a crash leaves is consistent.
  for (const Digest& digest : names.objects) {
    const auto found = new_objects.find(digest);
    if (found == new_objects.end()) continue;  // damaged since
    written.objects.emplace(digest, found->second);
    const auto known = gone.contains(digest) ? std::nullopt : manifest.find_object(digest);
    if (known && is_there(digest, *known)) continue;  // another process put it too
    batch.add_object(digest, found->second);
    ++report.objects;
    report.object_bytes += found->second.length;
  }
  for (const Digest& key : names.entries) {
    const Entry& entry = new_entries.at(key);
    written.entries.emplace(key, entry);
    const auto known = manifest.find_entry(key);
    if (known && is_complete(*known)) {
      if (known->outputs != entry.outputs) report.conflicting_keys.push_back(key);
      continue;
    }
    batch.add_entry(key, entry);
    ++report.entries;
  }
  for (const std::string& path : names.stamps) {
    const SourceStamp& stamp = new_stamps.find(path)->second;
    written.stamps.emplace(path, stamp);
    batch.add_stamp(path, stamp);
  }
  return batch;
}

void Store::State::forget_written(const Uncommitted& names, const Written& written) {
  // What is different now was found damaged, or given anew, while the batch was written: it waits for the next one.
  for (const auto& [digest, place] : names.gone)
    if (const auto known = manifest.find_object(digest); !known || *known != place) gone.erase(digest);
  for (const auto& [digest, place] : written.objects) {
    const auto found = new_objects.find(digest);
    if (found == new_objects.end() || found->second != place) continue;
    new_objects.erase(found);
    gone.erase(digest);
  }
  for (const auto& [key, entry] : written.entries) {
    const auto found = new_entries.find(key);
    if (found->second == entry) new_entries.erase(found);
    else uncommitted.entries.push_back(key);
  }
  for (const auto& [path, stamp] : written.stamps) {
    const auto found = new_stamps.find(path);
    if (found->second == stamp) new_stamps.erase(found);
    else uncommitted.stamps.push_back(path);
  }
}

Result<CommitReport> Store::State::commit() {
  const std::lock_guard committing(commit_mutex);
  Uncommitted names;
  std::vector<PackWriter*> packs;
  std::vector<Digest> large;
  std::vector<std::string> unsynced;
  std::size_t full_pack_count = 0;
  {
    const std::unique_lock lock(mutex);
    if (broken) return failure(*broken);
    if (uncommitted.empty()) return CommitReport{};
    MLP_TRY_VOID(make_directories());
    if (writer) MLP_TRY_VOID(writer->flush());
    names = std::exchange(uncommitted, {});
    bool packed = false;
    for (const Digest& object : names.objects)
      if (const auto found = new_objects.find(object); found != new_objects.end()) {
        if (found->second.pack == ObjectPlace::kOwnFile) large.push_back(object);
        else packed = true;
      }
    full_pack_count = full_packs.size();
    for (const auto& pack : full_packs) packs.push_back(pack.get());
    if (writer && packed) packs.push_back(writer.get());
    unsynced = unsynced_directories;
  }
  const auto give_up = [&](diag::Diagnostic why, bool for_good) {
    const std::unique_lock lock(mutex);
    uncommitted.give_back(std::move(names));
    if (for_good) broken = why;
    return failure(std::move(why));
  };

  // After a failed sync the system may call pages clean that never reached the disk, so a second try would prove nothing.
  if (auto synced = sync_objects(packs, large, unsynced); !synced) return give_up(std::move(synced.error()), true);

  const std::string lock_path = directory + "/lock";
  const auto lock_file = disk.open(lock_path, Disk::Open::write);
  if (!lock_file) {
    auto why = disk_failure(diag::Code::E0904, "open", lock_path, lock_file.error());
    return give_up(std::move(why.error()), false);
  }
  struct Unlock {
    Disk& disk;
    int file;
    ~Unlock() { disk.close(file); }
  } const unlock{disk, *lock_file};
  if (const auto locked = disk.lock(*lock_file, true); !locked) {
    auto why = disk_failure(diag::Code::E0902, "lock", lock_path, locked.error());
    return give_up(std::move(why.error()), false);
  }

  CommitReport report;
  Written written;
  ManifestBatch batch;
  {
    std::unique_lock lock(mutex);
    if (auto refreshed = manifest.refresh(true); !refreshed) {
      lock.unlock();
      return give_up(std::move(refreshed.error()), false);
    }
    batch = build_batch(names, written, report);
  }
  if (!batch.empty()) {
    bool sync_failed = false;
    if (auto done = manifest.write(batch, sync_failed); !done) return give_up(std::move(done.error()), sync_failed);
  }

  const std::unique_lock lock(mutex);
  MLP_TRY_VOID(manifest.refresh());
  forget_written(names, written);
  full_packs.erase(full_packs.begin(), full_packs.begin() + static_cast<std::ptrdiff_t>(full_pack_count));
  unsynced_directories.erase(unsynced_directories.begin(),
                             unsynced_directories.begin() + static_cast<std::ptrdiff_t>(unsynced.size()));
  return report;
}

}  // namespace mlp::store
