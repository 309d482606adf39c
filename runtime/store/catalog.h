#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"

/// The catalog: runs, their steps and figures, candidates, openings of test rows, roots of garbage collection. Times are ISO text
/// in UTC ("2026-11-23T22:02:33Z"). A digest that is zero is not known.
namespace mlp::store {

enum class StepAction : std::uint8_t { ran, reused, failed };
std::string_view name(StepAction action);  ///< "ran"

struct Run {
  std::string id;        ///< "r-20261123-8f3a", given by begin_run
  std::string workflow;  ///< name in the source
  std::string file;
  std::string command;
  std::string started;  ///< empty in begin_run: now
  std::string ended;    ///< empty while it runs, or when it was killed
  std::string status;   ///< "running", then what finish_run says
  std::string as_of;
  std::string params;  ///< JSON
  Digest plan;         ///< object with the plan that was run
  std::string author;  ///< who ran it; empty in begin_run: as set_author said; empty for runs of an older mlpc
};

struct NamedDigest {
  std::string name;
  Digest digest;

  friend bool operator==(const NamedDigest&, const NamedDigest&) = default;
};

struct RunStep {
  std::uint32_t ordinal = 0;
  std::string name;
  std::string kind;
  StepAction action = StepAction::ran;
  Digest key;
  Digest code;
  std::string code_text;
  std::vector<NamedDigest> inputs;
  std::vector<Digest> outputs;
  std::string reason;
  double seconds = 0;
  std::string span;  ///< "income.mlp:12:3"

  friend bool operator==(const RunStep&, const RunStep&) = default;
};

struct RunMetric {
  std::string model;
  std::string metric;
  std::string slice_column;  ///< empty: all rows
  std::string slice_value;
  std::string on;  ///< "validation" or "test"
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
  std::uint64_t rows = 0;

  friend bool operator==(const RunMetric&, const RunMetric&) = default;
};

struct RunGate {
  std::string model;
  std::string text;
  std::string status;  ///< "passed", "failed", "inconclusive"
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
  std::string span;

  friend bool operator==(const RunGate&, const RunGate&) = default;
};

struct Candidate {
  std::string model;
  std::uint32_t version = 0;  ///< given by record_candidate, from 1
  std::string run;            ///< the run that recorded it last
  Digest scorer;
  bool proven = false;
  std::string why;

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// One look at test rows.
struct Opening {
  std::string run;
  std::string model;
  Digest split;
  std::string at;  ///< empty when recorded: now

  friend bool operator==(const Opening&, const Opening&) = default;
};

/// A run with everything that was recorded for it, each list in the order of recording.
struct RunRecord {
  Run run;
  std::vector<RunStep> steps;
  std::vector<RunMetric> metrics;
  std::vector<RunGate> gates;
  std::vector<Candidate> candidates;
  std::vector<Opening> openings;
};

struct Root {
  Digest digest;
  std::string why;

  friend bool operator==(const Root&, const Root&) = default;
};

/// Opened on first use: making one costs nothing. One thread at a time inside; callers need no lock.
/// Failures: E0902 (not usable; a network file system), E0904 (writing), E0908 (no such run), E0909 (made by a newer mlpc).
class Catalog {
 public:
  /// `directory` is the store's. With `read_only` nothing is written, and a catalog that does not exist is an empty one.
  Catalog(std::string directory, bool read_only);
  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;
  ~Catalog();

  /// Who begins runs from now on.
  void set_author(std::string author);
  /// The new id. `id` is ignored, `status` becomes "running".
  Result<std::string> begin_run(const Run& run);
  /// In one transaction. A step recorded again under its ordinal replaces the former one.
  Result<void> record_steps(std::string_view run, const std::vector<RunStep>& steps);
  Result<void> record_metrics(std::string_view run, const std::vector<RunMetric>& metrics);
  Result<void> record_gates(std::string_view run, const std::vector<RunGate>& gates);
  /// The version: that of an earlier candidate of the model with the same scorer (its proof and run are replaced), else the next.
  Result<std::uint32_t> record_candidate(const Candidate& candidate);
  Result<void> record_opening(const Opening& opening);
  Result<void> set_plan(std::string_view run, const Digest& plan);
  Result<void> finish_run(std::string_view run, std::string_view status);
  Result<void> add_root(const Root& root);

  /// The newest first; `most` 0 is all.
  Result<std::vector<Run>> list_runs(std::size_t most = 0);
  /// By its id, or by the beginning of one that fits a single run. E0908 otherwise.
  Result<RunRecord> load_run(std::string_view id);
  /// The newest run of the workflow, finished or not.
  Result<std::optional<Run>> last_run_of(std::string_view workflow);
  /// The newest record of the step in the workflow that ran or was reused; for `why`.
  Result<std::optional<RunStep>> last_step(std::string_view name, std::string_view workflow);
  /// All candidates: by model, then version.
  Result<std::vector<Candidate>> models();
  /// Looks at test rows of the split, the oldest first; with an empty model, of all models.
  Result<std::vector<Opening>> openings_of(std::string_view model, const Digest& split);
  Result<std::vector<Root>> roots();
  /// Lines of SQLite's integrity check, empty when it is sound.
  Result<std::vector<std::string>> check_integrity();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Now, as the catalog writes times.
std::string utc_now();

}  // namespace mlp::store
