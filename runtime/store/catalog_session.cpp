#include "runtime/store/catalog_session.h"

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace mlp::store {

namespace {

/// How long a call waits for another process that writes.
constexpr int kPatienceSeconds = 30;

constexpr int kSchemaVersion = 2;

/// Kept to what SQLite and PostgreSQL both understand, save the types.
constexpr const char* kSchema[] = {
    "CREATE TABLE runs (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, file TEXT NOT NULL, "
    "command TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL, status TEXT NOT NULL, as_of TEXT NOT NULL, "
    "params TEXT NOT NULL, plan TEXT NOT NULL)",
    "CREATE INDEX runs_of_workflow ON runs (workflow, seq)",
    "CREATE TABLE run_steps (run TEXT NOT NULL REFERENCES runs (id), ordinal INTEGER NOT NULL, name TEXT NOT NULL, "
    "kind TEXT NOT NULL, action TEXT NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL, code_text TEXT NOT NULL, "
    "inputs TEXT NOT NULL, outputs TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL NOT NULL, span TEXT NOT NULL, "
    "PRIMARY KEY (run, ordinal))",
    "CREATE INDEX run_steps_of_name ON run_steps (name)",
    "CREATE TABLE metrics (seq INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), model TEXT NOT NULL, "
    "metric TEXT NOT NULL, slice_column TEXT NOT NULL, slice_value TEXT NOT NULL, measured_on TEXT NOT NULL, value REAL, "
    "low REAL, high REAL, row_count INTEGER NOT NULL)",
    "CREATE INDEX metrics_of_run ON metrics (run)",
    "CREATE TABLE gates (seq INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), model TEXT NOT NULL, "
    "text TEXT NOT NULL, status TEXT NOT NULL, value REAL, low REAL, high REAL, span TEXT NOT NULL)",
    "CREATE INDEX gates_of_run ON gates (run)",
    "CREATE TABLE candidates (seq INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL, "
    "run TEXT NOT NULL REFERENCES runs (id), scorer TEXT NOT NULL, proven INTEGER NOT NULL, why TEXT NOT NULL, "
    "UNIQUE (model, version, run))",
    "CREATE INDEX candidates_of_run ON candidates (run)",
    "CREATE TABLE openings (seq INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), model TEXT NOT NULL, "
    "split TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX openings_of_split ON openings (split)",
    "CREATE TABLE roots (digest TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (digest, why))",
};

/// What came after the first version, in order; each is done once, when a catalog is first opened for writing.
struct Migration {
  int to;
  const char* statement;
};
constexpr Migration kMigrations[] = {
    {2, "ALTER TABLE runs ADD COLUMN author TEXT NOT NULL DEFAULT ''"},
};

/// A URI, so that no character of a path means anything to SOCI's parser of connection strings.
std::string uri(const std::string& path, const std::string& query) {
  std::string text = "file:";
  std::error_code ignored;
  for (const char c : std::filesystem::absolute(path, ignored).string()) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || c == '/' || c == '.' || c == '-' || c == '_') text += c;
    else text += fmt::format("%{:02X}", u);
  }
  return query.empty() ? text : text + "?" + query;
}

std::optional<DatabaseStamp> stamp_of(const std::string& path) {
  struct stat s;
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  DatabaseStamp stamp;
  stamp.size = static_cast<std::uint64_t>(s.st_size);
  stamp.mtime_ns = s.st_mtim.tv_sec * std::int64_t{1'000'000'000} + s.st_mtim.tv_nsec;
  stamp.inode = s.st_ino;
  struct stat log;
  stamp.has_log = ::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0;
  return stamp;
}

bool on_network(const std::string& directory) {
  std::filesystem::path path(directory);
  struct statfs s;
  while (::statfs(path.empty() ? "." : path.c_str(), &s) != 0) {
    if (errno != ENOENT || path.empty()) return false;
    path = path.parent_path();
  }
  return is_network_file_system(static_cast<std::int64_t>(s.f_type));
}

}  // namespace

bool is_network_file_system(std::int64_t magic) {
  switch (static_cast<std::uint32_t>(magic)) {
    case 0x6969:      // NFS
    case 0x517B:      // SMB
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB2
    case 0x01021997:  // 9P
    case 0x00C36400:  // Ceph
    case 0x0BD00BD0:  // Lustre
    case 0x47504653:  // GPFS
    case 0x5346414F:  // AFS
    case 0x73757245:  // Coda
      return true;
    default: return false;
  }
}

void Catalog::State::close() {
  session.reset();
  writable = false;
  immutable.reset();
  if (!copied_to.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(copied_to, ignored);
    copied_to.clear();
  }
}

void Catalog::State::roll_back() {
  try {
    if (session) *session << "ROLLBACK";
  } catch (const soci::soci_error&) {
    // SQLite has ended the transaction itself, or the connection is of no more use.
    close();
  }
}

bool Catalog::State::is_unchanged() const { return stamp_of(path()) == immutable; }

diag::Diagnostic Catalog::State::explain_error(bool writing) const {
  int code = 0;
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    code = error.result() & 0xFF;
  } catch (const soci::soci_error&) {
  }
  const auto say = [&](diag::Code as, std::string what, std::string help) {
    auto d = diag::make(as, {}, fmt::format("the catalog `{}` {}", path(), what));
    d.help = std::move(help);
    return d;
  };
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return say(diag::Code::E0902, "is held by another process for too long", "wait until the other run has ended, then try again");
    case SQLITE_FULL:
      return say(diag::Code::E0904, "cannot be written: no room on the disk", "free some room and run again; what was finished is kept");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return say(diag::Code::E0904, "must not be written", "make the directory writable, or choose another one with --store");
    case SQLITE_CANTOPEN:
      return say(diag::Code::E0902, "cannot be opened", "look at the permissions of the directory, or choose another one with --store");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return say(diag::Code::E0903, "is damaged", "move the file away; runs recorded in it are no longer listed, results are kept");
    case SQLITE_IOERR:
      return say(writing ? diag::Code::E0904 : diag::Code::E0902, writing ? "cannot be written" : "cannot be read",
                 "the disk reports an error; look at the system's log before going on");
    case SQLITE_CONSTRAINT:
      return say(diag::Code::E0908, "does not have the run that this belongs to", "run the workflow again");
    default:
      return say(diag::Code::E0907, fmt::format("failed with SQLite's code {}", code), "run `mlpc cache verify`");
  }
}

Result<void> Catalog::State::connect(const std::string& file, const std::string& query, bool only_read) {
  try {
    session = std::make_unique<soci::session>(
        soci::sqlite3, fmt::format("db=\"{}\" timeout={}{}", uri(file, query), kPatienceSeconds, only_read ? " readonly=true" : ""));
    // Opening reads nothing yet.
    int version = 0;
    *session << "PRAGMA user_version", soci::into(version);
    return {};
  } catch (const soci::soci_error&) {
    auto why = explain_error(!only_read);
    session.reset();
    return failure(std::move(why));
  }
}

void Catalog::State::create_schema() {
  *session << "BEGIN IMMEDIATE";
  int version = 0;
  *session << "PRAGMA user_version", soci::into(version);
  if (version == 0)
    for (const char* statement : kSchema) *session << statement;
  for (const Migration& migration : kMigrations)
    if (migration.to > version) *session << migration.statement;
  if (version < kSchemaVersion) *session << fmt::format("PRAGMA user_version = {}", kSchemaVersion);
  *session << "COMMIT";
}

Result<void> Catalog::State::check_schema() {
  int version = 0;
  *session << "PRAGMA user_version", soci::into(version);
  // An older one that is only read stays as it is.
  if (version == kSchemaVersion || (!writable && version >= 1 && version < kSchemaVersion)) return {};
  return failure(diag::Code::E0909, fmt::format("the catalog `{}` has format {}; this mlpc knows format {}", path(), version,
                                                kSchemaVersion),
                 "use the version of mlpc that wrote the store, or another directory with --store");
}

void Catalog::State::enter_wal() {
  // Two that switch to the log at once would wait for each other, so SQLite refuses one of them without its usual patience.
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(kPatienceSeconds);
  for (;;) {
    try {
      std::string journal;
      *session << "PRAGMA journal_mode = WAL", soci::into(journal);
      return;
    } catch (const soci::sqlite3_soci_error& error) {
      if ((error.result() & 0xFF) != SQLITE_BUSY || Clock::now() >= end) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Result<void> Catalog::State::open_for_writing() {
  if (session && writable) return {};
  close();
  if (on_network(directory))
    return failure(diag::Code::E0902, fmt::format("the store `{}` is on a network file system, where the catalog's locks cannot be "
                                                  "trusted", directory),
                   "choose a directory on a disk of this machine with --store");
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return failure(diag::Code::E0902, fmt::format("cannot create `{}`: {}", directory, error.message()),
                            "make the directory writable, or choose another one with --store");
  MLP_TRY_VOID(connect(path(), "", false));
  try {
    enter_wal();
    *session << "PRAGMA synchronous = FULL";
    *session << "PRAGMA foreign_keys = ON";
    int version = 0;
    *session << "PRAGMA user_version", soci::into(version);
    if (version < kSchemaVersion) create_schema();
    if (auto checked = check_schema(); !checked) {
      close();
      return checked;
    }
  } catch (const soci::soci_error&) {
    auto why = explain_error(true);
    close();
    return failure(std::move(why));
  }
  writable = true;
  return {};
}

Result<void> Catalog::State::open_for_reading() {
  if (session && (!immutable || is_unchanged())) return {};
  close();
  const auto stamp = stamp_of(path());
  if (!stamp || (stamp->size == 0 && !stamp->has_log)) return {};
  if (!stamp->has_log) {
    // No write-ahead log: nobody is writing. As a file that does not change it is read without leaving a trace.
    MLP_TRY_VOID(connect(path(), "immutable=1", true));
    immutable = stamp;
  } else if (::access(directory.c_str(), W_OK) == 0) {
    if (on_network(directory))
      return failure(diag::Code::E0902, fmt::format("the store `{}` is on a network file system and its catalog was not closed",
                                                    directory),
                     "open it once on the machine that wrote it");
    MLP_TRY_VOID(connect(path(), "", true));
  } else {
    // The log of a writer that died must be counted, and SQLite cannot do that in a folder that it must not write.
    std::error_code error;
    std::string folder = (std::filesystem::temp_directory_path(error) / "mlpc-catalog-XXXXXX").string();
    if (error || ::mkdtemp(folder.data()) == nullptr)
      return failure(diag::Code::E0902, "cannot make a folder for temporary files", "set TMPDIR to a directory that can be written");
    copied_to = folder;
    for (const char* suffix : {"", "-wal"})
      if (!error) std::filesystem::copy_file(path() + suffix, folder + "/catalog.sqlite" + suffix, error);
    if (error) {
      close();
      return failure(diag::Code::E0902, fmt::format("cannot read `{}`: {}", path(), error.message()),
                     "look at the permissions of the directory");
    }
    MLP_TRY_VOID(connect(folder + "/catalog.sqlite", "", false));
  }
  try {
    if (auto checked = check_schema(); !checked) {
      close();
      return checked;
    }
  } catch (const soci::soci_error&) {
    auto why = explain_error(false);
    close();
    return failure(std::move(why));
  }
  return {};
}

}  // namespace mlp::store
