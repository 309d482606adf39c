#include "runtime/registry/audit_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "runtime/store/catalog.h"
#include "runtime/store/format.h"

namespace mlp::registry {

namespace {

using store::Disk;

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

std::string log_path(const std::string& directory) { return directory + "/audit.jsonl"; }
std::string head_path(const std::string& directory) { return directory + "/audit.head"; }

/// Closes a file when its scope ends.
struct OpenFile {
  Disk& disk;
  int file;
  OpenFile(Disk& the_disk, int the_file) : disk(the_disk), file(the_file) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (file >= 0) disk.close(file);
  }
};

std::unexpected<diag::Diagnostic> cannot_read(const std::string& path, int error) {
  return store::disk_failure(store::read_failure_code(error), "read", path, error);
}
std::unexpected<diag::Diagnostic> cannot_write(const std::string& path, int error) {
  return store::disk_failure(diag::Code::E0904, "write", path, error);
}

Result<std::string> read_open_file(Disk& disk, int file, const std::string& path) {
  const auto stat = disk.stat(file);
  if (!stat) return cannot_read(path, stat.error());
  if (stat->size > kMostBytes) return failure(diag::Code::E0902, fmt::format("`{}` is larger than 1 GB", path), "it is not a log that mlpc wrote; choose another store with --store");
  std::string bytes(stat->size, '\0');
  const auto read = disk.read_at(file, bytes.data(), bytes.size(), 0);
  if (!read) return cannot_read(path, read.error());
  bytes.resize(*read);
  return bytes;
}

/// The bytes of a file, empty where there is none.
Result<std::string> read_whole(Disk& disk, const std::string& path) {
  const auto file = disk.open(path, Disk::Open::read);
  if (!file) {
    if (file.error() == ENOENT || file.error() == ENOTDIR) return std::string();
    return cannot_read(path, file.error());
  }
  const OpenFile close(disk, *file);
  return read_open_file(disk, *file, path);
}

void interpret(std::string_view bytes, const std::optional<Head>& head, AuditLog& log) {
  std::size_t begin = 0;
  for (std::size_t end; (end = bytes.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const std::uint64_t line = log.entries.size() + 1;
    std::string why;
    auto entry = decode_line(bytes.substr(begin, end - begin), why);
    if (entry && entry->number != line) why = fmt::format("it is entry {}", entry->number);
    else if (entry && entry->previous != (log.entries.empty() ? Digest{} : log.entries.back().hash)) why = "it does not follow the line before";
    if (!why.empty()) {
      // A power cut may keep the end of a write and lose its beginning. The head is written after a line is on the disk, so one that
      // it does not count was told to nobody.
      if (end + 1 == bytes.size() && line == (head ? head->entries : 0) + 1) break;
      log.altered = Altered{line, why};
      return;
    }
    log.entries.push_back(std::move(*entry));
  }
  log.whole_bytes = begin;
  log.torn_bytes = bytes.size() - begin;
  if (!head) return;
  if (head->entries > log.entries.size())
    log.altered = Altered{log.entries.size() + 1, fmt::format("it is missing: the log had {} entries", head->entries)};
  else if (head->entries > 0 && log.entries[head->entries - 1].hash != head->hash)
    log.altered = Altered{head->entries, "it is not the entry that was written: the log was made anew"};
}

/// The head names the log's last line at some time before now, so it is read first.
Result<std::optional<Head>> read_head(Disk& disk, const std::string& directory) {
  MLP_TRY(const std::string text, read_whole(disk, head_path(directory)));
  return decode_head(text);
}

Result<void> write_head(Disk& disk, const std::string& directory, const Head& head) {
  const std::string path = head_path(directory), fresh = path + ".new";
  {
    const auto file = disk.open(fresh, Disk::Open::write);
    if (!file) return cannot_write(fresh, file.error());
    const OpenFile close(disk, *file);
    const std::string text = encode_head(head);
    if (auto done = disk.write_at(*file, text, 0); !done) return cannot_write(fresh, done.error());
    if (auto done = disk.truncate(*file, text.size()); !done) return cannot_write(fresh, done.error());
    if (auto done = disk.sync(*file); !done) return cannot_write(fresh, done.error());
  }
  if (auto done = disk.rename(fresh, path); !done) return cannot_write(path, done.error());
  if (auto done = disk.sync_directory(directory); !done) return cannot_write(path, done.error());
  return {};
}

}  // namespace

Result<AuditLog> read_audit_log(const std::string& directory, Disk& disk) {
  MLP_TRY(const std::optional<Head> head, read_head(disk, directory));
  MLP_TRY(const std::string bytes, read_whole(disk, log_path(directory)));
  AuditLog log;
  interpret(bytes, head, log);
  return log;
}

Result<void> require_unaltered(const AuditLog& log, const std::string& directory) {
  if (!log.altered) return {};
  return failure(diag::Code::E0910, fmt::format("line {} of `{}` was altered: {}", log.altered->line, log_path(directory), log.altered->what),
                 "put the log back as it was, from a backup; `mlpc audit` shows the entries before that line");
}

Result<LockedAuditLog> LockedAuditLog::open(const std::string& directory, Disk& disk) {
  const std::string path = log_path(directory);
  if (auto made = disk.make_directory(directory); !made) return store::disk_failure(diag::Code::E0902, "create", directory, made.error());
  const auto file = disk.open(path, Disk::Open::write);
  if (!file) return cannot_write(path, file.error());
  LockedAuditLog locked(directory, disk, *file);
  if (auto done = disk.lock(*file, true); !done) return store::disk_failure(diag::Code::E0902, "lock", path, done.error());
  MLP_TRY(const std::optional<Head> head, read_head(disk, directory));
  MLP_TRY(const std::string bytes, read_open_file(disk, *file, path));
  interpret(bytes, head, locked.log_);
  MLP_TRY_VOID(require_unaltered(locked.log_, directory));
  locked.counted_ = head ? head->entries : 0;
  if (locked.log_.torn_bytes) {
    if (auto cut = disk.truncate(*file, locked.log_.whole_bytes); !cut) return cannot_write(path, cut.error());
    locked.log_.torn_bytes = 0;
  }
  // The name of a new log has to be on the disk before an entry is.
  if (locked.log_.entries.empty()) {
    const std::size_t slash = directory.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : directory.substr(0, slash);
    for (const std::string& folder : {directory, parent})
      if (auto synced = disk.sync_directory(folder); !synced) return cannot_write(folder, synced.error());
  }
  return locked;
}

LockedAuditLog::LockedAuditLog(LockedAuditLog&& other) noexcept
    : directory_(std::move(other.directory_)), disk_(other.disk_), file_(std::exchange(other.file_, -1)), counted_(other.counted_), log_(std::move(other.log_)) {}

LockedAuditLog::~LockedAuditLog() {
  if (file_ >= 0) disk_.close(file_);
}

Result<Entry> LockedAuditLog::append(Entry entry) {
  const std::string path = log_path(directory_);
  // The head counts all lines before a new one, so that what is left of that one can be told from a line that was altered.
  if (counted_ != log_.entries.size()) {
    MLP_TRY_VOID(write_head(disk_, directory_, {log_.entries.size(), log_.entries.back().hash}));
    counted_ = log_.entries.size();
  }
  entry.number = log_.entries.size() + 1;
  entry.at = store::utc_now();
  entry.previous = log_.entries.empty() ? Digest{} : log_.entries.back().hash;
  const std::string line = encode_line(entry) + "\n";
  auto done = disk_.write_at(file_, line, log_.whole_bytes);
  if (done) done = disk_.sync(file_);
  if (!done) {
    // What may or may not be on the disk is taken back; if that fails too, it has no newline or is whole and chained.
    (void)disk_.truncate(file_, log_.whole_bytes);
    (void)disk_.sync(file_);
    return cannot_write(path, done.error());
  }
  log_.whole_bytes += line.size();
  log_.entries.push_back(entry);
  // The entry stands. A head that could not be written is that of an earlier line, which is still true; the next writer mends it.
  if (write_head(disk_, directory_, {entry.number, entry.hash})) counted_ = entry.number;
  return entry;
}

}  // namespace mlp::registry
