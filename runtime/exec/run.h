#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/exec/figures.h"
#include "runtime/store/catalog.h"
#include "runtime/store/store.h"

/// Executes a physical plan against a store: what is there already is reused, the rest is computed, in parallel, and kept.
namespace mlp::exec {

struct RunOptions {
  int threads = 0;                          ///< 0: as many as the machine has
  std::uint64_t fragment_rows = 1 << 16;    ///< changes no value
  std::uint64_t memory = 0;                 ///< bytes; 0: what the machine has. A step that needs more is E0915
  bool baseline_cpu = false;                ///< kernels for any x86-64; changes no value
  const std::atomic<bool>* stop = nullptr;  ///< set on Ctrl-C: nothing new is started, what is finished is kept
  std::string file, command;                ///< for the catalog
  std::vector<plan::StepId> kept{};         ///< columns that are read from the store after the run: these are stored in any case
  bool hash_sources = false;                ///< preview: a file too young for its times to be believed is read to be sure
};

enum class Action : std::uint8_t { ran, reused, failed, skipped };

struct StepReport {
  Action action = Action::skipped;
  std::string reason;           ///< why it ran: "`age` changed", "the code changed: … -> …"
  double seconds = 0;
  std::size_t cells_ran = 0, cells = 0;
  std::vector<Digest> outputs;  ///< objects of the store, one a fragment, or one; of a step that is done
};

/// Told of what happens, from any thread, one call at a time.
struct Listener {
  std::function<void(const plan::Step&)> started;
  std::function<void(const plan::Step&, const StepReport&)> finished;
};

struct GateReport {
  std::string model, text;
  Span span;
  GateStatus status;
};

struct FigureReport {
  std::string model, metric, on;
  std::vector<std::string> group_columns;  ///< empty: all rows
  FigureRecord figure;
};

/// Rows of a model's table, told when it was trained.
struct RowsReport {
  std::string model;
  std::uint64_t rows = 0, used = 0;      ///< used: in some part of the split, with a label
  std::uint64_t without_label = 0;       ///< missing, or not known yet
  std::uint64_t left_out = 0;            ///< between two parts, without a time, by `where`
};

/// What `--sample` left of a table.
struct SampleReport {
  std::string table;
  std::uint64_t rows = 0, of = 0;
};

struct CandidateReport {
  std::string model;
  std::uint32_t version = 0;
  bool proven = false;
  Digest scorer;
};

struct RunReport {
  std::string id;
  std::vector<StepReport> steps;            ///< one for each step of the plan
  std::vector<FigureReport> figures;        ///< of the metrics that are listed
  std::vector<GateReport> gates;
  std::vector<CandidateReport> candidates;
  std::vector<RowsReport> rows;             ///< of each model that was trained in this run
  std::vector<SampleReport> samples;        ///< of the tables whose rows are known
  std::vector<diag::Diagnostic> warnings;
  std::optional<diag::Diagnostic> failure;  ///< the run ended there
  double seconds = 0;

  std::size_t count(Action action) const;
};

/// Runs the plan. A failure before anything could start is a failure of the Result; one of a step is in the report, what was
/// finished before it is kept.
Result<RunReport> run(const plan::Physical& plan, store::Store& store, store::Catalog& catalog, const RunOptions& options,
                      const Listener& listener = {});

enum class Forecast : std::uint8_t { run, may_run, reuse };

struct StepForecast {
  Forecast action = Forecast::run;
  std::string reason;
  Digest key;  ///< action key where known, else the recipe key
};

/// What `run` would do, without doing it: writes nothing, reads no rows (unless `hash_sources`: then the contents of sources are
/// hashed where that is needed, and noted in the store).
Result<std::vector<StepForecast>> preview(const plan::Physical& plan, store::Store& store, store::Catalog& catalog,
                                          const RunOptions& options);

}  // namespace mlp::exec
