#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/driver/compile.h"
#include "runtime/exec/run.h"
#include "runtime/io/source.h"
#include "runtime/registry/identity.h"
#include "runtime/store/catalog.h"
#include "runtime/store/store.h"

/// What the commands share: the options that all take, and how they speak.
namespace mlp::cli {

enum class Format : std::uint8_t { text, json, dot, sarif, csv };

struct Common {
  Format format = Format::text;
  bool quiet = false;
  bool colour_out = false, colour_err = false;  ///< a terminal without NO_COLOR
  bool live = false;                            ///< stderr is a terminal: one line that changes
  std::string store;                            ///< --store or MLP_STORE; empty: .mlp beside the workflow
  std::vector<std::string> params;              ///< "k=v"
  std::string env;                              ///< --env; empty: none
  std::string as_of;                            ///< --as-of; empty: the newest time that is read
  std::string sample;                           ///< --sample; empty: all rows
  int threads = 0;
  std::uint64_t fragment_rows = 1 << 16;
  std::uint64_t memory = 0;                     ///< --memory, bytes; 0: what the machine has
  bool baseline_cpu = false;
  std::string command_line;
};

/// Exit codes of docs/language.md section 8.
enum Exit : int { kDone = 0, kWorkflowWrong = 1, kUsage = 2, kChanges = 2, kNotProven = 3, kData = 4, kEnvironment = 5, kDrift = 6, kOurBug = 70 };

/// Says a failure on stderr (and as JSON on stdout with --format json); gives its exit code.
int report(const Common& common, const diag::Diagnostic& diagnostic, const SourceMap& sources = {});
/// All diagnostics of a compilation; gives 0 or the exit code of the errors.
int report(const Common& common, const diag::Sink& sink, const SourceMap& sources);

/// E0601 for each form of the workflow that is checked and cannot run yet; gives their exit code, 0 where there is none.
int report_not_yet(const Common& common, const hir::Workflow& workflow, const SourceMap& sources);

/// "k=v" pairs; a usage failure names the one that is not.
Result<std::map<std::string, std::string>> parse_params(const std::vector<std::string>& params);

/// The bytes that a text such as 4GB, 500 MB or 2GiB means; nothing where it means none.
std::optional<std::uint64_t> bytes_of(std::string_view text);

/// The time of `--as-of`; false after a report.
bool set_as_of(const Common& common, driver::CompileOptions& options);

/// The share of `--sample`; false after a report.
bool set_sample(const Common& common, driver::CompileOptions& options);

/// How the steps of a workflow are run; they end on Ctrl-C.
exec::RunOptions run_options(const Common& common, const std::string& file);

/// Where the state of a workflow lives.
std::string store_directory(const Common& common, const std::string& workflow_file);

/// The compiled plan: from the store when this very text, these params and this mlpc made it before, else by compiling.
struct LoadedPlan {
  SourceMap sources;
  plan::Physical plan;
  bool from_store = false;
};
/// Diagnostics have been said when there is none; `exit` is their code.
std::optional<LoadedPlan> load_plan(const Common& common, const std::string& file, const driver::CompileOptions& options, store::Store& store,
                                    bool keep, int& exit);

/// The store of a workflow, opened for reading, and its plan. Diagnostics have been said when there is none; `exit` is their code.
struct OpenedPlan {
  std::string directory;
  store::Store store;
  LoadedPlan loaded;
};
std::optional<OpenedPlan> open_plan(const Common& common, const std::string& file, bool final_rows, int& exit);

/// Who calls the command: the holder of the token in MLP_TOKEN, else the user of the system. E0608.
Result<registry::Identity> acting_identity(const std::string& store_directory);

/// Set by Ctrl-C and SIGTERM while a command that can stop runs.
const std::atomic<bool>& stop_requested();
void watch_signals();

/// Progress: a line a finished step, or on a terminal one line that changes.
exec::Listener progress(const Common& common, std::size_t steps);
/// Text in a table: columns aligned, two blanks between; the first row is the head.
std::string table(const std::vector<std::vector<std::string>>& rows, bool colour);
/// "1.9 s", "120 ms".
std::string duration_text(double seconds);
/// Four significant digits, no trailing zeros that say nothing.
std::string figure_text(const std::optional<double>& value);

// ---- one function a command, in cmd_<name>.cpp ----------------------------------------------------------------------------
/// Every static error of the files. `emit`: a phase of the one file instead. `fix`: the safe mends are made first.
int check(const Common& common, const std::vector<std::string>& files, const std::string& emit, bool fix);
/// Writes files in the one style, or says with exit code 1 which are not.
int format_files(const Common& common, const std::vector<std::string>& paths, bool only_check);
/// Writes the types of the columns that `rest from lock` takes, or says with exit code 1 what would change.
int lock(const Common& common, const std::string& file, bool only_check);
int plan(const Common& common, const std::string& file, bool detailed_exitcode, bool final_rows);
int run(const Common& common, const std::string& file, bool final_rows);
/// The first rows of a table or view, where a condition holds (empty: all of them); `profile`: what all these rows are like, column by column.
int peek(const Common& common, const std::string& file, const std::string& name, const std::string& where, std::uint64_t rows, bool profile);
/// What a SELECT over the tables and views of the workflow gives; `rows`: at most so many, none: 100 as text, else all.
int query(const Common& common, const std::string& file, const std::string& sql, std::optional<std::uint64_t> rows);
int test(const Common& common, const std::string& file);
int runs(const Common& common);
int show(const Common& common, const std::string& run);
int why(const Common& common, const std::string& file, const std::string& node);
int models(const Common& common);
int deploy(const Common& common, const std::string& file, const std::string& name);
int approve(const Common& common, const std::string& what);
int rollback(const Common& common, const std::string& deployment);
int token_create(const Common& common, const std::vector<std::string>& scopes, const std::string& holder);
int audit(const Common& common, bool verify_only);
int lineage(const Common& common, const std::string& name, const std::string& file, bool up, bool down);
int score(const Common& common, const std::string& what, const std::string& input, const std::string& output);
/// Scores the tables of the file's `batch` entries into their sinks, with the versions that are deployed; empty: of all deployments.
int batch(const Common& common, const std::string& file, const std::string& deployment);
/// `port` below zero: that of the deploy block.
int serve(const Common& common, const std::string& file, const std::string& deployment, const std::string& host, int port, bool insecure);
/// `deployment` may be empty where the file has one monitor alone; `data` empty: the requests that were answered.
int monitor(const Common& common, const std::string& file, const std::string& deployment, const std::string& data);
int cache_verify(const Common& common);
int cache_stats(const Common& common);
int explain(const Common& common, const std::string& what);
int version(const Common& common);
std::string_view version_text();  ///< "0.1.0"
/// The language server, over stdin and stdout.
int language_server();

}  // namespace mlp::cli
