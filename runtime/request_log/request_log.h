#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "compiler/types/type.h"
#include "runtime/io/clock.h"
#include "runtime/io/file_system.h"

/// What a deployment was asked and what it answered, in append-only segments under STORE/requests/DEPLOYMENT/. Monitoring reads
/// it. Only the fields that the model asks for are kept: a personal column (`@pii`) can be no feature, so it is none of them, and
/// what else a client sends is not written.
namespace mlp::request_log {

/// Who answered, and what was asked for. The same for many requests.
struct Source {
  std::string deployment;  ///< "income.income_api"
  std::string model;       ///< "income.earner"
  std::uint32_t version = 0;
  Digest scorer;
  std::vector<std::string> fields;  ///< names, in the order of scorer::Schema::request

  friend bool operator==(const Source&, const Source&) = default;
};

/// One record of a request. `fields` are the values as they came, ready for scorer::to_columns: nullopt is a field that was not
/// sent, monostate a null, a date is its text.
struct Row {
  std::int64_t at_us = 0;  ///< Unix time at which it was answered; never goes back within one server
  std::string request_id;
  std::uint32_t record = 0;  ///< its position in the request
  std::shared_ptr<const Source> source;
  std::vector<std::optional<Value>> fields;
  std::optional<double> prediction;  ///< none: a record of the request broke the contract, or the model has no number for it
  std::vector<std::uint32_t> faults;  ///< positions of its fields that broke the contract, ascending
  std::int64_t latency_us = 0;        ///< of the whole request
};

/// Where the segments of a deployment are. `deployment` is its whole name.
std::string directory(const std::string& store_directory, const std::string& deployment);

struct ReadReport {
  std::uint64_t rows = 0;              ///< given to the callback
  std::uint64_t segments = 0;          ///< that were read
  std::uint64_t unreadable_bytes = 0;  ///< a tail that a killed server left, or damage: passed over
};

/// Gives every row with from_us <= at_us < to_us, in the order of time; rows of one time in the order of their segments' names.
/// A directory that is not there is an empty one. Servers may write meanwhile. The callback stops the reading by giving false.
/// E0901 where a segment cannot be read, E0909 where it is of another version.
Result<ReadReport> read(io::FileSystem& files, const std::string& directory, std::int64_t from_us, std::int64_t to_us,
                        const std::function<bool(const Row&)>& row);

/// All records of one request.
struct Answered {
  std::shared_ptr<const Source> source;
  std::string request_id;
  std::vector<std::vector<std::optional<Value>>> records;
  std::vector<double> predictions;                                 ///< of each record, NaN where it has none; empty: none has
  std::vector<std::pair<std::uint32_t, std::uint32_t>> faults = {};  ///< record and field, ascending
  std::int64_t latency_us = 0;
};

struct Limits {
  std::uint64_t queued_rows = 100'000;         ///< more are dropped
  std::uint64_t queued_bytes = 64ull << 20;    ///< the same of their values
  std::uint64_t segment_bytes = 64ull << 20;   ///< then a new segment begins
  std::int64_t sync_every_us = 1'000'000;
};

struct Counts {
  std::uint64_t written = 0;  ///< rows in a segment
  std::uint64_t dropped = 0;  ///< rows that the queue had no room for, or that could not be written
};

/// Writes what is added to it, in a thread of its own.
class Writer {
 public:
  /// `files` and `clock` outlive the writer. `complain` hears, in that thread, when writing begins to fail and when it works again.
  Writer(io::FileSystem& files, io::Clock& clock, std::string directory, Limits limits, std::function<void(const std::string&)> complain);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  /// Writes and syncs what is left.
  ~Writer();

  /// Takes microseconds and never waits for the disk. What the queue has no room for is dropped and counted.
  void add(Answered answered);
  /// Returns when all that was added is written (or counted as dropped) and synced.
  void flush();
  Counts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp::request_log
