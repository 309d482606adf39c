#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/store/catalog.h"

/// Included by the catalog's own .cpp files only: it names SOCI's types.
namespace mlp::store {

/// True for the magic numbers of statfs(2) that stand for a disk of another machine, where SQLite's locks cannot be trusted.
bool is_network_file_system(std::int64_t magic);

/// Identity of the database file: tells whether it was written while it was read.
struct DatabaseStamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  bool has_log = false;

  friend bool operator==(const DatabaseStamp&, const DatabaseStamp&) = default;
};

/// One connection, opened when first needed, and the failures of SOCI as Results.
struct Catalog::State {
  State(std::string the_directory, bool only_read) : directory(std::move(the_directory)), read_only(only_read) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { close(); }

  std::string directory;
  bool read_only;
  std::string author;  ///< of the runs that are begun
  std::mutex mutex;
  std::unique_ptr<soci::session> session;
  bool writable = false;
  /// Read as a file that nobody changes: no lock, nothing is written; whether that was true is checked after each reading.
  std::optional<DatabaseStamp> immutable;
  std::string copied_to;  ///< folder of a private copy

  std::string path() const { return directory + "/catalog.sqlite"; }
  void close();
  Result<void> open_for_writing();
  /// Leaves no session when there is no catalog.
  Result<void> open_for_reading();
  void create_schema();
  void enter_wal();
  Result<void> check_schema();
  Result<void> connect(const std::string& file, const std::string& query, bool only_read);
  /// "Another process ...": what the error in flight means; called inside a catch block.
  diag::Diagnostic explain_error(bool writing) const;

  /// `work(session)` in one transaction that writes, or none of it.
  template <class Work>
  auto write(const Work& work) -> decltype(work(std::declval<soci::session&>())) {
    const std::lock_guard lock(mutex);
    MLP_TRY_VOID(open_for_writing());
    bool begun = false;
    try {
      *session << "BEGIN IMMEDIATE";
      begun = true;
      auto result = work(*session);
      *session << (result ? "COMMIT" : "ROLLBACK");
      return result;
    } catch (const soci::soci_error&) {
      auto why = explain_error(true);
      if (begun) roll_back();
      return failure(std::move(why));
    }
  }

  /// `work(session)` sees one state of the catalog; a default value where there is no catalog.
  template <class Work>
  auto read(const Work& work) -> decltype(work(std::declval<soci::session&>())) {
    const std::lock_guard lock(mutex);
    for (int attempt = 0;; ++attempt) {
      MLP_TRY_VOID(open_for_reading());
      if (!session) return {};
      try {
        *session << "BEGIN";
        auto result = work(*session);
        *session << "COMMIT";
        if (!immutable || is_unchanged() || attempt == 20) return result;
      } catch (const soci::soci_error&) {
        auto why = explain_error(false);
        roll_back();
        // What was read while another process wrote may look like anything.
        if (!immutable || is_unchanged() || attempt == 20) return failure(std::move(why));
      }
      close();
    }
  }

  bool is_unchanged() const;
  void roll_back();
};

}  // namespace mlp::store
