#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/store/disk.h"

/// `audit.jsonl` in the store: one line of JSON for each transition, and the only place where the state of a deployment is kept.
/// A line ends in `,"hash":"…"}`; the hash is the SHA-256 of the bytes before that, which hold the hash of the line before. So a
/// line that is altered, left out or put in shows. `audit.head` names the last line, so that lines cut off the end show too.
namespace mlp::registry {

enum class Event : std::uint8_t { requested, approved, deployed, rolled_back, token_created };
std::string_view name(Event event);  ///< "rolled_back"

/// A gate of the run that proved a candidate.
struct GateProof {
  std::string text;
  std::string status;  ///< "passed", "not_applicable" …
  std::optional<double> value;

  friend bool operator==(const GateProof&, const GateProof&) = default;
};

/// One transition. What does not belong to an event is empty and not written.
struct Entry {
  std::uint64_t number = 0;  ///< from 1; given by `append`
  std::string at;            ///< UTC, "2026-11-23T22:02:33Z"; given by `append`
  std::string who;
  Event event{};
  std::string deployment;    ///< "income.income_api"
  std::string stage;
  std::string model;         ///< "income.earner"
  std::uint32_t version = 0;
  Digest scorer;
  Digest code;               ///< recipe of the candidate: what it is made by, whatever the data
  std::string run;           ///< whose gates are the proof
  std::vector<GateProof> gates;
  std::string role;          ///< requested: who has to approve; empty: anybody who may
  std::string approved_by;   ///< deployed: whose approval was counted
  std::string holder;        ///< token_created: whose it is
  std::vector<std::string> scopes;
  Digest token;              ///< token_created: SHA-256 of it
  Digest previous, hash;     ///< given by `append`

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// The first line that is not as it was written.
struct Altered {
  std::uint64_t line = 0;  ///< from 1
  std::string what;
};

/// What the log says.
struct AuditLog {
  std::vector<Entry> entries;        ///< up to the first altered line
  std::optional<Altered> altered;
  std::uint64_t whole_bytes = 0;     ///< of lines that are whole
  std::uint64_t torn_bytes = 0;      ///< after them, left by a writer that was killed, or still at work: not an entry
};

/// Reads and verifies the log of a store; one that does not exist is empty. Writes nothing.
/// Failures: E0902, E0904 where it cannot be read. An altered line is no failure here.
Result<AuditLog> read_audit_log(const std::string& store_directory, store::Disk& disk = store::system_disk());
/// E0910 when a line was altered: nothing may be derived from such a log.
Result<void> require_unaltered(const AuditLog& log, const std::string& store_directory);

/// The log with the lock of its only writer. What was decided from `entries()` holds until it is let go.
class LockedAuditLog {
 public:
  /// Waits for other writers, cuts off what a killed one left. E0910 when a line was altered; E0902, E0904.
  static Result<LockedAuditLog> open(const std::string& store_directory, store::Disk& disk = store::system_disk());
  LockedAuditLog(LockedAuditLog&& other) noexcept;
  LockedAuditLog& operator=(LockedAuditLog&&) = delete;
  ~LockedAuditLog();

  const std::vector<Entry>& entries() const { return log_.entries; }
  /// Numbers, dates, chains and writes the entry; it is on the disk when this returns. After a failure it is not in the log.
  Result<Entry> append(Entry entry);

 private:
  LockedAuditLog(std::string directory, store::Disk& disk, int file) : directory_(std::move(directory)), disk_(disk), file_(file) {}

  std::string directory_;
  store::Disk& disk_;
  int file_ = -1;
  std::uint64_t counted_ = 0;  ///< entries that the head counts
  AuditLog log_;
};

/// The line of an entry, with its hash and without the newline; sets `entry.hash`.
std::string encode_line(Entry& entry);
/// Nothing when the line is not as `encode_line` wrote it: `why` says how.
std::optional<Entry> decode_line(std::string_view line, std::string& why);
/// What `audit.head` holds.
struct Head {
  std::uint64_t entries = 0;
  Digest hash;
};
std::string encode_head(const Head& head);
std::optional<Head> decode_head(std::string_view text);

}  // namespace mlp::registry
