#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/plan/physical.h"
#include "runtime/column/column.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/run.h"
#include "runtime/exec/scheduler.h"
#include "runtime/exec/source.h"
#include "runtime/jit/evaluate.h"
#include "runtime/relation/join.h"
#include "runtime/registry/registry.h"
#include "runtime/scorer/scorer.h"
#include "runtime/store/catalog.h"
#include "runtime/store/store.h"

/// The state of one run, shared by the operators.
namespace mlp::exec {

using Columns = std::shared_ptr<const std::vector<Column>>;

/// Columns of this run, by a digest that tells what they hold: cells, columns as a whole, what is packed together. When they take too much
/// memory, those are forgotten that were not asked for longest.
class ColumnCache {
 public:
  explicit ColumnCache(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}
  Columns find(const Digest& digest);
  Columns keep(const Digest& digest, std::vector<Column> columns);

 private:
  struct Kept {
    Columns columns;
    std::size_t bytes = 0;
    std::uint64_t asked = 0;  ///< when, counted
  };
  void forget(std::size_t bytes);  ///< so that these fit
  std::mutex mutex_;
  std::unordered_map<Digest, Kept> columns_;
  std::uint64_t most_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

/// `--memory`, or what the machine has, or the group of processes that this one runs in.
std::uint64_t memory_of(const RunOptions& options);

/// Values of this run by what they are made of. The first that asks makes one, others wait for it.
template <class T>
class MadeOnce {
 public:
  template <class Make>
  Result<std::shared_ptr<const T>> get(const Digest& digest, Make make) {
    std::shared_ptr<Entry> entry;
    {
      const std::lock_guard lock(mutex_);
      auto& kept = entries_[digest];
      if (!kept) kept = std::make_shared<Entry>();
      entry = kept;
    }
    const std::lock_guard lock(entry->mutex);
    std::optional<diag::Diagnostic> failed;
    if (!entry->value)
      isolated([&] {
        Result<T> made = make();
        if (made) entry->value = std::make_shared<const T>(std::move(*made));
        else failed = std::move(made.error());
      });
    if (failed) return failure(std::move(*failed));
    return entry->value;
  }

 private:
  struct Entry {
    std::mutex mutex;
    std::shared_ptr<const T> value;
  };
  std::mutex mutex_;
  std::unordered_map<Digest, std::shared_ptr<Entry>> entries_;
};

/// The groups of an Arrange: group g has the keys of row g of the index.
struct Grouped {
  relation::KeyIndex index;
  std::vector<std::int64_t> first_row;  ///< of each group, in the whole table
};

/// Where compiled kernels are kept, and for which machine they are made.
jit::CompilerOptions kernel_options(const RunOptions& options, const store::Store& store);

/// Scorers of this run, by digest, loaded once.
class ScorerCache {
 public:
  Result<std::shared_ptr<const scorer::LoadedScorer>> load(store::Store& store, const Digest& digest);

 private:
  std::mutex mutex_;
  std::unordered_map<Digest, std::shared_ptr<const scorer::LoadedScorer>> scorers_;
};

struct StepState {
  bool done = false;
  std::vector<Digest> outputs;  ///< one a fragment, or one: objects; of a virtual step what stands for them in keys
  std::vector<std::uint64_t> rows;  ///< of a step that makes rows: how many, for each output
};

struct Session {
  const plan::Physical& plan;
  store::Store& store;
  store::Catalog& catalog;
  const RunOptions& options;
  io::FileSystem& files;
  int threads = 1;
  std::string run_id;
  std::vector<std::optional<io::Table>> tables{};
  std::vector<StepState> steps{};
  std::vector<std::vector<registry::Deployed>> standing{};  ///< of each Champion step: what stood in its stage when the run began
  std::uint64_t memory{memory_of(options)};  ///< bytes that the run may use
  ColumnCache cache{std::min<std::uint64_t>(memory / 4, std::uint64_t{1} << 31)};
  /// Cells that are computed where they are read: new pages of memory cost more than to compute such a cell again (docs/benchmarks-relational.md), so
  /// these are the few of the fragments at hand.
  ColumnCache passing{kPassingBytes};
  static constexpr std::uint64_t kPassingBytes = 20 << 20;
  ScorerCache scorers{};
  MadeOnce<relation::JoinSide> join_sides{};
  MadeOnce<Grouped> groups{};
  MadeOnce<relation::Partition> partitions{};
  MadeOnce<relation::KeyIndex> key_indices{};
  MadeOnce<std::monostate> parts_made{};
  ThreadBudget budget{threads};
  jit::Kernels kernels{kernel_options(options, store)};

  const io::Table& fragments(const plan::Step& step) const { return *tables[step.table]; }
  /// The fragments that the outputs of a step are cut like: of its own table, or of those whose rows it filters or arranges; null while they are
  /// not known.
  std::optional<std::vector<io::Fragment>> cut_like(const plan::Step& step) const;
  bool stopped() const { return options.stop && options.stop->load(); }

  /// Output of a step for a fragment (0 for a whole one).
  const Digest& output(plan::StepId step, std::size_t fragment) const;
  Result<std::string> object(plan::StepId step, std::size_t fragment = 0);
  Result<std::shared_ptr<const Column>> column(plan::StepId step, std::size_t fragment);
  /// The same; what is read from the store for it is not kept for others.
  Result<Column> read_cell(plan::StepId step, std::size_t fragment);
  /// All fragments of a step's column, one below the other.
  Result<Column> whole_column(plan::StepId step);
  /// The same of a type with rows of fixed width, without its cells beside it.
  Result<Column> assembled(plan::StepId step, const Type& type);
  /// Tells what the column of a step holds as a whole.
  Digest whole_digest(plan::StepId step) const;
  /// Of a Filter the positions of the rows that stay, of an Arrange its sides, the parts of an OrderRows or MatchHistory. A list without data
  /// counts 0, 1, 2 ….
  Result<Columns> parts(plan::StepId step, std::size_t fragment = 0);
  /// The inputs [from, from + count) of a step at a fragment, as columns.
  Result<std::vector<Column>> columns(const plan::Step& step, std::size_t from, std::size_t count, std::size_t fragment);
};

/// Looks at what the run starts from: synthetic fragments, what stands in production. E0910.
Result<void> prepare(Session& session);

/// The action keys of a step whose inputs are all done: one a fragment, or one. Equal keys give equal outputs.
std::vector<Digest> action_keys(const Session& session, plan::StepId step);

/// Whether the cells of a step are computed where they are read and not stored, since to hash and store them takes longer than that: Take, OrderRows,
/// MatchHistory, Arrange, a Kernel of a pipeline.
bool is_virtual(const plan::Step& step);
/// Whether a step makes the rows of its table: Filter, Arrange.
bool makes_rows(const plan::Step& step);
/// What stands in keys for the output of a virtual step.
Digest virtual_output(const Digest& key);
/// Takes the output of a step at a fragment from the store, by its action key; false where it is not there.
bool reuse_output(Session& session, plan::StepId step, std::size_t fragment, const Digest& key);

/// Which of 0/1 for every row: is its part among those meant? A row without a part is in none.
std::vector<std::uint8_t> rows_in(const Column& split, const plan::Rows& rows);

/// 1 for every row for which a condition is known and true.
std::vector<std::uint8_t> true_rows(const Column& condition);

// ---- operators: ops/op_<name>.cpp. Each gives the bytes of the output, or the columns that it holds. ---------------------------------------------------
Result<Column> kernel(Session&, const plan::Step&, const plan::Kernel&, std::size_t fragment);
Result<std::string> expect(Session&, const plan::Step&, const plan::Expect&, std::vector<diag::Diagnostic>& warnings);
Result<std::string> partial_fit(Session&, const plan::Step&, const plan::PartialFit&, std::size_t fragment);
Result<std::string> merge_fit(Session&, const plan::Step&, const plan::MergeFit&);
Result<std::string> apply_fit(Session&, const plan::Step&, const plan::ApplyFit&, std::size_t fragment);
Result<std::string> partial_bins(Session&, const plan::Step&, const plan::PartialBins&, std::size_t fragment);
Result<std::string> merge_bins(Session&, const plan::Step&);
Result<std::string> bin(Session&, const plan::Step&, std::size_t fragment);
Result<std::string> train(Session&, const plan::Step&, const plan::Train&);
Result<std::string> predict(Session&, const plan::Step&, const plan::Predict&, std::size_t fragment);
Result<std::string> metrics(Session&, const plan::Step&, const plan::Metrics&);
Result<std::string> gates(Session&, const plan::Step&, const plan::Gates&);
Result<std::string> champion(Session&, const plan::Step&, const plan::Champion&, plan::StepId);
Result<std::string> predict_champion(Session&, const plan::Step&, const plan::PredictChampion&, std::size_t fragment);
Result<std::string> build_scorer(Session&, const plan::Step&, const plan::BuildScorer&);
/// Writes the candidate into the catalog; gives its receipt.
Result<std::string> register_candidate(Session&, const plan::Step&, const plan::Register&);
Result<CandidateReport> decode_receipt(std::string_view bytes);

/// Fills the outputs of an AssignSplit or AssignFolds step for every fragment whose key is not in the store, in the order of the rows.
Result<void> assign(Session&, plan::StepId, const std::vector<Digest>& keys, std::vector<std::uint8_t>& ran);
/// The fragments of the table whose rows a step has made; its outputs are known.
io::Table made_fragments(const Session& session, plan::StepId id);
Result<Column> filter(Session&, const plan::Step&, const plan::Filter&, std::size_t fragment);
/// The positions of the rows that a Filter leaves.
std::vector<Column> kept_rows(const Column& stays);
Result<std::vector<Column>> arrange(Session&, plan::StepId, const plan::Arrange&, std::size_t fragment);
/// How many rows a step makes that is virtual, at a fragment.
Result<std::uint64_t> made_rows(Session&, plan::StepId, std::size_t fragment);
Result<std::shared_ptr<const Grouped>> grouped(Session&, plan::StepId arrange);
/// The rows of the table that is grouped, by group.
Result<std::shared_ptr<const relation::Partition>> rows_by_group(Session&, plan::StepId arrange);
Result<std::vector<Column>> order_rows(Session&, const plan::Step&, const plan::OrderRows&);
Result<std::vector<Column>> match_history(Session&, const plan::Step&, const plan::MatchHistory&);
Result<std::string> keep_history(Session&, const plan::Step&, const plan::KeepHistory&);
Result<std::string> as_of(Session&, const plan::Step&);
/// What an AsOf step found; nothing where no row has a time.
Result<std::optional<std::int64_t>> newest_time(Session&, plan::StepId as_of);
/// Calls body(i) for every i in [0, count) at the same time; the failure of the lowest i is that of all.
Result<void> try_each(std::size_t count, const std::function<Result<void>(std::size_t)>& body);
/// Int columns of these numbers.
std::vector<Column> number_columns(std::initializer_list<const std::vector<std::int64_t>*> lists);
/// Steps whose column is computed as a whole: Take of an Arrange that is whole, Aggregate, History, CutByTime.
bool is_computed_whole(const plan::Physical& plan, const plan::Step& step);
Result<Column> compute_whole(Session&, const plan::Step&);
Result<Column> take_arranged(Session&, const plan::Step&, const plan::Take&);
/// The groups of an Arrange (see `grouped`) and aggregates of them, in one pass; nothing for those that have to see all rows at once.
Result<std::vector<std::optional<Column>>> aggregate_groups(Session&, plan::StepId arrange, std::span<const plan::StepId> aggregates);
Result<Column> aggregate(Session&, const plan::Step&, const plan::Aggregate&);
Result<Column> history(Session&, const plan::Step&, const plan::History&);
Result<Column> cut_by_time(Session&, const plan::Step&, const plan::CutByTime&);
Result<Column> take_cell(Session&, const plan::Step&, const plan::Take&, std::size_t fragment);
/// Which table of a union, and which fragment of it, is this fragment of the whole.
std::pair<std::size_t, std::size_t> part_of_union(const Session&, const plan::Arrange&, std::size_t fragment);
/// Reads what is missing of the columns of one table, each fragment in one scan.
struct ScanColumn {
  plan::StepId step;
  std::vector<Digest> keys;
  std::vector<std::uint8_t> missing;  ///< by fragment
};
Result<void> scan(Session&, plan::TableIndex table, std::span<const ScanColumn> columns);

}  // namespace mlp::exec
