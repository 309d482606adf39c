#include "runtime/exec/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "compiler/support/check.h"
#include "runtime/column/byte_list.h"
#include "runtime/column/codec.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/memory.h"
#include "runtime/exec/reason.h"
#include "runtime/exec/rejected_rows.h"
#include "runtime/exec/session.h"
#include "runtime/fetch/fetch.h"

namespace mlp::exec {

namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point from) { return std::chrono::duration<double>(SteadyClock::now() - from).count(); }

Digest recipe_record(const plan::Step& step) { return Hasher("recipe/1").add(step.recipe_key).finish(); }

/// What is scheduled as one: a step, or all columns read of one table, or a grouping with all aggregates of it.
struct Task {
  std::vector<plan::StepId> steps;
};

struct Tasks {
  std::vector<Task> tasks;
  Graph graph;
};

/// What the function that makes the table is given; nothing where none makes it. The inputs are done.
std::optional<fetch::Given> given_to(Session& session, const plan::Step& step) {
  const auto& code = std::get<plan::HashSource>(step.code);
  if (code.takes.empty()) return std::nullopt;
  Hasher content("given/1");
  for (const plan::StepId input : step.inputs) content.add(output_digest(session.steps[input.index()]));
  return fetch::Given{code.takes, step.recipe_key, content.finish(), [&session, &step]() -> Result<std::vector<Column>> {
                        std::vector<Column> columns;
                        for (const plan::StepId input : step.inputs) {
                          MLP_TRY(columns.emplace_back(), session.whole_column(input));
                        }
                        return columns;
                      }};
}

/// An Arrange of groups, and the aggregates of them.
bool is_of_groups(const plan::Physical& plan, const plan::Step& step) {
  const plan::Step& made = std::holds_alternative<plan::Aggregate>(step.code) ? plan[step.inputs[0]] : step;
  const auto* arrange = std::get_if<plan::Arrange>(&made.code);
  return arrange && arrange->how == plan::Arrange::How::group;
}

Tasks group_steps(const plan::Physical& plan) {
  Tasks out;
  std::vector<std::size_t> task_of(plan.steps.size());
  std::vector<std::optional<std::size_t>> scan_of(plan.tables.size()), source_of(plan.tables.size()), groups_of(plan.tables.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    auto* together = std::holds_alternative<plan::ReadColumn>(step.code) ? &scan_of[step.table] : is_of_groups(plan, step) ? &groups_of[step.table] : nullptr;
    if (together && *together) {
      task_of[i] = **together;
      out.tasks[task_of[i]].steps.push_back(plan::StepId(i));
      continue;
    }
    task_of[i] = out.tasks.size();
    out.tasks.push_back({{plan::StepId(i)}});
    if (together) *together = task_of[i];
    if (std::holds_alternative<plan::HashSource>(step.code) || makes_rows(step)) source_of[step.table] = task_of[i];
  }
  out.graph.followers.resize(out.tasks.size());
  out.graph.waits_for.resize(out.tasks.size());
  const auto edge = [&](std::size_t from, std::size_t to) {
    auto& followers = out.graph.followers[from];
    if (from == to || std::find(followers.begin(), followers.end(), to) != followers.end()) return;
    followers.push_back(to);
    ++out.graph.waits_for[to];
  };
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (plan::StepId input : plan.steps[i].inputs) edge(task_of[input.index()], task_of[i]);
    const auto source = plan.steps[i].table < plan.tables.size() ? source_of[plan.steps[i].table] : std::nullopt;
    if (source) edge(*source, task_of[i]);  // the fragments are known from there on
  }
  return out;
}

/// One run from its start to its end.
class Runner {
 public:
  Runner(Session& session, RunReport& report, const Listener& listener) : session_(session), report_(report), listener_(listener) {
    keys_.resize(session.plan.steps.size());
    report_.steps.assign(session.plan.steps.size(), {});
  }

  void go() {
    const Tasks tasks = group_steps(session_.plan);
    run_graph(tasks.graph, session_.threads, [&](std::size_t task) {
      if (failed_.load() || session_.stopped()) return false;
      session_.budget.enter();
      const auto done = run_task(tasks.tasks[task]);
      session_.budget.leave();
      if (!done) {
        fail(tasks.tasks[task].steps, std::move(done.error()));
        return false;
      }
      return true;
    });
    if (session_.stopped() && !report_.failure)
      report_.failure = failure(diag::Code::E0906, "stopped on request", "what was finished is kept; the next run goes on from here").error();
    if (auto committed = session_.store.commit(); !committed && !commit_failure_) commit_failure_ = committed.error();
    if (commit_failure_ && !report_.failure) report_.failure = std::move(commit_failure_);
  }

  std::vector<store::RunStep> records() const {
    std::vector<store::RunStep> out;
    for (std::size_t i = 0; i < report_.steps.size(); ++i) {
      if (report_.steps[i].action == Action::skipped) continue;
      const bool inputs_done = std::all_of(session_.plan.steps[i].inputs.begin(), session_.plan.steps[i].inputs.end(),
                                           [&](plan::StepId input) { return session_.steps[input.index()].done; });
      if (inputs_done) out.push_back(record_of(session_, plan::StepId(i), report_.steps[i], keys_[i]));
    }
    return out;
  }

 private:
  Result<void> run_task(const Task& task) {
    if (std::holds_alternative<plan::ReadColumn>(session_.plan[task.steps[0]].code)) return run_scan(task);
    if (is_of_groups(session_.plan, session_.plan[task.steps[0]])) return run_groups(task);
    return run_step(task.steps[0]);
  }

  void started(const plan::Step& step) {
    if (!listener_.started) return;
    const std::lock_guard lock(mutex_);
    listener_.started(step);
  }

  /// Keeps what is finished: soon after it is, but not with a sync of the disk for every small step.
  void finished(plan::StepId id, SteadyClock::time_point began, std::size_t ran, const std::vector<Digest>& keys) {
    const plan::Step& step = session_.plan[id];
    StepReport& report = report_.steps[id.index()];
    report.action = ran ? Action::ran : Action::reused;
    report.seconds = seconds_since(began);
    report.cells_ran = ran;
    report.cells = keys.size();
    report.outputs = session_.steps[id.index()].outputs;
    session_.steps[id.index()].done = true;
    Hasher hasher("step/1");
    for (const Digest& key : keys) hasher.add(key);
    keys_[id.index()] = hasher.finish();
    if (ran) session_.store.stage(recipe_record(step), {});
    const std::lock_guard lock(mutex_);
    if (ran && seconds_since(last_commit_) > 0.2) {
      if (auto committed = session_.store.commit(); !committed && !commit_failure_) commit_failure_ = committed.error();
      last_commit_ = SteadyClock::now();
    }
    if (listener_.finished) listener_.finished(step, report);
  }

  void fail(const std::vector<plan::StepId>& steps, diag::Diagnostic diagnostic) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    const plan::Step& step = session_.plan[steps[0]];
    if (!diagnostic.span) diagnostic.span = step.span;
    for (plan::StepId id : steps) report_.steps[id.index()].action = Action::failed;
    // Of several failures the one of the earliest step is told, so that equal runs end alike.
    if (!report_.failure || steps[0].index() < failed_step_) report_.failure = std::move(diagnostic), failed_step_ = steps[0].index();
    if (listener_.finished) listener_.finished(step, report_.steps[steps[0].index()]);
  }

  Result<void> run_source(plan::StepId id) {
    const plan::Step& step = session_.plan[id];
    const auto began = SteadyClock::now();
    started(step);
    bool hashed = false;
    const auto given = given_to(session_, step);
    if (given) {
      MLP_TRY_VOID(check_memory(session_, step));
    }
    MLP_TRY(auto table, look_at_source(session_.plan.tables[step.table], session_.plan.folder, session_.options.fragment_rows, session_.files,
                                       session_.store, true, hashed, {true, session_.run_id, session_.options.stop, given ? &*given : nullptr, session_.memory}));
    MLP_CHECK(table.has_value());
    if (!std::get<plan::HashSource>(step.code).contract.empty()) {
      MLP_TRY_VOID(leave_bad_rows_out(*table, session_.plan, step, session_.files, session_.store, true));
      MLP_TRY(auto warning, write_rejected_rows(*table, session_.plan, step, session_.files, session_.store));
      const std::lock_guard lock(mutex_);
      if (warning) report_.warnings.push_back(std::move(*warning));
    }
    session_.tables[step.table] = std::move(*table);
    StepState& state = session_.steps[id.index()];
    state.outputs = {session_.tables[step.table]->content};
    const Digest key = Hasher("source/1").add(step.recipe_key).add(state.outputs[0]).finish();
    // A file that was looked at again and holds what it held is no step that ran: nothing follows from it.
    const bool known = session_.store.find(key).has_value();
    if (!known) {
      report_.steps[id.index()].reason = given ? reason_to_call(session_, id) : reason_to_run_source(id);
      session_.store.stage(key, {});
    }
    finished(id, began, known ? 0 : 1, {key});
    return {};
  }

  std::string reason_to_run_source(plan::StepId id) {
    const auto last = session_.catalog.last_step(session_.plan[id].name, session_.plan.workflow);
    return last && *last ? "the contents of " + session_.plan.tables[session_.plan[id].table].path + " changed" : "not computed before";
  }

  Result<void> run_scan(const Task& task) {
    const auto began = SteadyClock::now();
    std::vector<ScanColumn> columns;
    std::vector<plan::ReadColumn> read;
    bool any = false;
    for (plan::StepId id : task.steps) {
      read.push_back(std::get<plan::ReadColumn>(session_.plan[id].code));
      StepState& state = session_.steps[id.index()];
      ScanColumn column{id, action_keys(session_, id), {}};
      state.outputs.assign(column.keys.size(), {});
      column.missing.assign(column.keys.size(), 1);
      for (std::size_t f = 0; f < column.keys.size(); ++f)
        if (const auto entry = session_.store.find(column.keys[f])) state.outputs[f] = entry->outputs.at(0), column.missing[f] = 0;
      const bool misses = std::count(column.missing.begin(), column.missing.end(), 1) > 0;
      if (misses) report_.steps[id.index()].reason = reason_to_run(session_, id);
      any = any || misses;
      columns.push_back(std::move(column));
    }
    // Of all files, also those without rows: of these nothing is missing and nothing will be read.
    const io::Table& table = *session_.tables[session_.plan[task.steps[0]].table];
    if (auto named = io::check_names(table, read); !named) {
      diag::Diagnostic lacking = std::move(named.error());
      for (std::size_t i = read.size(); i-- > 0;)
        if (!io::check_names(table, std::span(&read[i], 1))) lacking.span = session_.plan[task.steps[i]].span;
      return failure(std::move(lacking));
    }
    if (any) {
      started(session_.plan[task.steps[0]]);
      MLP_TRY_VOID(scan(session_, session_.plan[task.steps[0]].table, columns));
    }
    for (const ScanColumn& column : columns)
      finished(column.step, began, static_cast<std::size_t>(std::count(column.missing.begin(), column.missing.end(), 1)), column.keys);
    return {};
  }

  /// The groups, then their aggregates: in one pass over the rows where the groups are not known yet.
  Result<void> run_groups(const Task& task) {
    const auto began = SteadyClock::now();
    const plan::StepId arrange = task.steps[0];
    const std::span aggregates = std::span(task.steps).subspan(1);
    const std::vector<Digest> group_key = action_keys(session_, arrange);
    const bool known = find_outputs(arrange, group_key).empty();
    std::vector<std::optional<Column>> columns(aggregates.size());
    if (!known) {
      report_.steps[arrange.index()].reason = reason_to_run(session_, arrange);
      started(session_.plan[arrange]);
      StepState& state = session_.steps[arrange.index()];
      state.outputs[0] = virtual_output(group_key[0]);
      state.done = true;
      MLP_TRY(columns, aggregate_groups(session_, arrange, aggregates));
      MLP_TRY(state.rows[0], made_rows(session_, arrange, 0));
      session_.store.stage(group_key[0], {{}, std::to_string(state.rows[0])});
    }
    session_.tables[session_.plan[arrange].table] = made_fragments(session_, arrange);
    finished(arrange, began, known ? 0 : 1, group_key);
    std::vector<std::vector<Digest>> keys;
    std::vector<std::vector<std::size_t>> missing;
    std::vector<plan::StepId> asked;
    for (const plan::StepId id : aggregates) {
      keys.push_back(action_keys(session_, id));
      missing.push_back(find_outputs(id, keys.back()));
      if (missing.back().empty()) continue;
      report_.steps[id.index()].reason = reason_to_run(session_, id);
      asked.push_back(id);
    }
    if (known && !asked.empty()) {
      started(session_.plan[asked[0]]);
      MLP_TRY(auto found, aggregate_groups(session_, arrange, asked));
      for (std::size_t i = 0, a = 0; i < aggregates.size(); ++i)
        if (!missing[i].empty()) columns[i] = std::move(found[a++]);
    }
    for (std::size_t i = 0; i < aggregates.size(); ++i) {
      if (!missing[i].empty()) {
        if (!columns[i]) {
          MLP_TRY(columns[i], compute_whole(session_, session_.plan[aggregates[i]]));
        }
        MLP_TRY_VOID(keep_column(aggregates[i], keys[i], missing[i], *columns[i]));
      }
      finished(aggregates[i], began, missing[i].size(), keys[i]);
    }
    return {};
  }

  /// Takes what is in the store; gives the fragments that are not.
  std::vector<std::size_t> find_outputs(plan::StepId id, const std::vector<Digest>& keys) {
    StepState& state = session_.steps[id.index()];
    state.outputs.assign(keys.size(), {}), state.rows.assign(keys.size(), 0);
    std::vector<std::size_t> missing;
    for (std::size_t f = 0; f < keys.size(); ++f)
      if (!reuse_output(session_, id, f, keys[f])) missing.push_back(f);
    return missing;
  }

  Result<void> run_step(plan::StepId id) {
    const plan::Step& step = session_.plan[id];
    if (std::holds_alternative<plan::HashSource>(step.code)) return run_source(id);
    const auto began = SteadyClock::now();
    const std::vector<Digest> keys = action_keys(session_, id);
    const std::vector<std::size_t> missing = find_outputs(id, keys);
    if (!missing.empty()) {
      MLP_TRY_VOID(check_memory(session_, step));
    }
    if (is_virtual(step)) return run_virtual(id, keys, missing, began);
    if (missing.empty()) {
      if (makes_rows(step)) session_.tables[step.table] = made_fragments(session_, id);
      finished(id, began, 0, keys);
      return {};
    }
    report_.steps[id.index()].reason = reason_to_run(session_, id);
    started(step);
    if (std::holds_alternative<plan::AssignSplit>(step.code) || std::holds_alternative<plan::AssignFolds>(step.code)) {
      std::vector<std::uint8_t> ran(keys.size(), 0);
      MLP_TRY_VOID(assign(session_, id, keys, ran));
    } else if (is_computed_whole(session_.plan, step)) {
      MLP_TRY(const Column column, compute_whole(session_, step));
      MLP_TRY_VOID(keep_column(id, keys, missing, column));
    } else {
      MLP_TRY_VOID(compute_cells(id, keys, missing));
    }
    if (makes_rows(step)) session_.tables[step.table] = made_fragments(session_, id);
    finished(id, began, missing.size(), keys);
    return {};
  }

  /// Nothing is stored but that the step ran, unless its column is to be kept.
  Result<void> run_virtual(plan::StepId id, const std::vector<Digest>& keys, const std::vector<std::size_t>& missing, SteadyClock::time_point began) {
    const plan::Step& step = session_.plan[id];
    StepState& state = session_.steps[id.index()];
    if (!missing.empty()) {
      report_.steps[id.index()].reason = reason_to_run(session_, id);
      started(step);
    }
    for (const std::size_t f : missing) state.outputs[f] = virtual_output(keys[f]);
    state.done = true;  // to itself; whoever waits for it is told below
    const bool rows = makes_rows(step);
    if (rows) {
      MLP_TRY_VOID(try_each(missing.size(), [&](std::size_t m) -> Result<void> {
        MLP_TRY(state.rows[missing[m]], made_rows(session_, id, missing[m]));
        return {};
      }));
      session_.tables[step.table] = made_fragments(session_, id);
    } else if (!missing.empty() && is_computed_whole(session_.plan, step)) {
      MLP_TRY_VOID(session_.whole_column(id));
    }
    for (const std::size_t f : missing) session_.store.stage(keys[f], {{}, rows ? std::to_string(state.rows[f]) : std::string()});
    const bool kept = std::find(session_.options.kept.begin(), session_.options.kept.end(), id) != session_.options.kept.end();
    std::vector<Digest> objects(kept ? keys.size() : 0);
    MLP_TRY_VOID(try_each(objects.size(), [&](std::size_t f) -> Result<void> {
      const Digest key = Hasher("kept/1").add(state.outputs[f]).finish();
      if (const auto entry = session_.store.find(key)) {
        objects[f] = entry->outputs.at(0);
        return {};
      }
      MLP_TRY(const auto column, session_.column(id, f));
      MLP_TRY(objects[f], session_.store.put(encode(*column)));
      session_.store.stage(key, {{objects[f]}, {}});
      return {};
    }));
    finished(id, began, missing.size(), keys);
    if (kept) report_.steps[id.index()].outputs = std::move(objects);
    return {};
  }

  Result<void> compute_cells(plan::StepId id, const std::vector<Digest>& keys, const std::vector<std::size_t>& missing) {
    StepState& state = session_.steps[id.index()];
    MLP_TRY_VOID(try_each(missing.size(), [&](std::size_t m) -> Result<void> {
      if (session_.stopped()) return {};
      const std::size_t f = missing[m];
      MLP_TRY(Made made, compute(id, f));
      MLP_TRY(const Digest digest, session_.store.put(std::move(made.bytes)));
      state.outputs[f] = digest;
      std::string metadata;
      if (makes_rows(session_.plan[id])) {
        state.rows[f] = kept_rows(made.columns.front()).front().rows;
        metadata = std::to_string(state.rows[f]);
      }
      if (session_.store.stage(keys[f], {{digest}, std::move(metadata)}).status == store::StageStatus::differs) warn_of_two_results(id);
      if (!made.columns.empty()) session_.cache.keep(digest, std::move(made.columns));
      return {};
    }));
    if (session_.stopped()) return failure(diag::Code::E0906, "stopped on request", "what was finished is kept; the next run goes on from here");
    return {};
  }

  /// A column that was computed as a whole, cut into the fragments that are missing.
  Result<void> keep_column(plan::StepId id, const std::vector<Digest>& keys, const std::vector<std::size_t>& missing, const Column& column) {
    const auto& places = session_.fragments(session_.plan[id]).fragments;
    MLP_TRY_VOID(try_each(missing.size(), [&](std::size_t m) -> Result<void> {
      const std::size_t f = missing[m];
      MLP_TRY(const Digest digest, session_.store.put(encode(slice(column, places[f].first_row, places[f].rows))));
      session_.steps[id.index()].outputs[f] = digest;
      if (session_.store.stage(keys[f], {{digest}, {}}).status == store::StageStatus::differs) warn_of_two_results(id);
      return {};
    }));
    return {};
  }

  void warn_of_two_results(plan::StepId id) {
    const std::lock_guard lock(mutex_);
    const plan::Step& step = session_.plan[id];
    diag::Diagnostic d = diag::make(diag::Code::W0901, step.span, fmt::format("`{}` gave two results for the same inputs", step.name));
    d.help = "the earlier result stands; if the step calls code of your own, make it depend on its inputs and seed alone";
    report_.warnings.push_back(std::move(d));
  }

  /// The bytes of an output, and what they hold, for the steps that read it soon.
  struct Made {
    std::string bytes;
    std::vector<Column> columns;
  };
  static Result<Made> made(Result<std::string> bytes) {
    if (!bytes) return failure(std::move(bytes.error()));
    return Made{std::move(*bytes), {}};
  }
  static Result<Made> made(Result<Column> column) {
    if (!column) return failure(std::move(column.error()));
    return Made{encode(*column), {std::move(*column)}};
  }

  Result<Made> compute(plan::StepId id, std::size_t f) {
    const plan::Step& step = session_.plan[id];
    struct Visitor {
      Runner& r;
      const plan::Step& step;
      plan::StepId id;
      std::size_t f;
      Result<Made> operator()(const plan::HashSource&) { return unreachable(); }
      Result<Made> operator()(const plan::ReadColumn&) { return unreachable(); }
      Result<Made> operator()(const plan::AssignSplit&) { return unreachable(); }
      Result<Made> operator()(const plan::AssignFolds&) { return unreachable(); }
      Result<Made> operator()(const plan::Kernel& c) { return made(kernel(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::Expect& c) {
        std::vector<diag::Diagnostic> warnings;
        auto bytes = expect(r.session_, step, c, warnings);
        const std::lock_guard lock(r.mutex_);
        for (auto& w : warnings) r.report_.warnings.push_back(std::move(w));
        return made(std::move(bytes));
      }
      Result<Made> operator()(const plan::PartialFit& c) { return made(partial_fit(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::MergeFit& c) { return made(merge_fit(r.session_, step, c)); }
      Result<Made> operator()(const plan::ApplyFit& c) { return made(apply_fit(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::PartialBins& c) { return made(partial_bins(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::MergeBins&) { return made(merge_bins(r.session_, step)); }
      Result<Made> operator()(const plan::Bin&) { return made(bin(r.session_, step, f)); }
      Result<Made> operator()(const plan::Train& c) { return made(train(r.session_, step, c)); }
      Result<Made> operator()(const plan::Predict& c) { return made(predict(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::Metrics& c) { return made(metrics(r.session_, step, c)); }
      Result<Made> operator()(const plan::Gates& c) { return made(gates(r.session_, step, c)); }
      Result<Made> operator()(const plan::BuildScorer& c) { return made(build_scorer(r.session_, step, c)); }
      Result<Made> operator()(const plan::Champion& c) { return made(champion(r.session_, step, c, id)); }
      Result<Made> operator()(const plan::PredictChampion& c) { return made(predict_champion(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::Register& c) { return made(register_candidate(r.session_, step, c)); }
      Result<Made> operator()(const plan::Filter& c) { return made(filter(r.session_, step, c, f)); }
      Result<Made> operator()(const plan::Arrange&) { return unreachable(); }
      Result<Made> operator()(const plan::Take&) { return unreachable(); }
      Result<Made> operator()(const plan::OrderRows&) { return unreachable(); }
      Result<Made> operator()(const plan::Aggregate&) { return unreachable(); }
      Result<Made> operator()(const plan::MatchHistory&) { return unreachable(); }
      Result<Made> operator()(const plan::History&) { return unreachable(); }
      Result<Made> operator()(const plan::KeepHistory& c) { return made(keep_history(r.session_, step, c)); }
      Result<Made> operator()(const plan::AsOf&) { return made(as_of(r.session_, step)); }
      Result<Made> operator()(const plan::CutByTime&) { return unreachable(); }
      static Result<Made> unreachable() {
        MLP_CHECK(false && "a step that is run as a whole");
        return Made{};
      }
    };
    return std::visit(Visitor{*this, step, id, f}, step.code);
  }

  Session& session_;
  RunReport& report_;
  const Listener& listener_;
  std::vector<Digest> keys_;
  std::mutex mutex_;
  std::atomic<bool> failed_ = false;
  std::size_t failed_step_ = 0;
  SteadyClock::time_point last_commit_ = SteadyClock::now();
  std::optional<diag::Diagnostic> commit_failure_;
};

/// Which rows the model had.
Result<RowsReport> count_rows(Session& session, const plan::Model& model) {
  const plan::Step& train = session.plan[model.train];
  const bool cut = std::holds_alternative<plan::CutByTime>(session.plan[train.inputs[0]].code);
  RowsReport out;
  out.model = model.name;
  for (std::size_t f = 0; f < session.fragments(train).fragments.size(); ++f) {
    MLP_TRY(const auto split, session.column(train.inputs[0], f));
    MLP_TRY(const auto label, session.column(train.inputs[1], f));
    const auto parts = split->values<std::int64_t>();
    for (std::size_t i = 0; i < split->rows; ++i) {
      ++out.rows;
      const bool between = cut && std::get<plan::CutByTime>(session.plan[train.inputs[0]].code).percent.size() == 3 && parts[i] > 2;
      if (!label->is_known(i)) ++out.without_label;
      else if (!split->is_known(i) || between) ++out.left_out;
      else ++out.used;
    }
  }
  return out;
}

/// Figures, gates and candidates of the models whose steps are done.
Result<void> collect(Session& session, RunReport& report) {
  const auto done = [&](plan::StepId id) { return session.steps[id.index()].done; };
  for (std::size_t i = 0; i < session.plan.steps.size(); ++i) {
    const auto* code = std::get_if<plan::Arrange>(&session.plan.steps[i].code);
    if (!code || code->how != plan::Arrange::How::sample || !done(plan::StepId(i))) continue;
    const std::string& name = session.plan.tables[session.plan.steps[i].table].name;  // "people.sample"
    report.samples.push_back({name.substr(0, name.rfind('.')), session.steps[i].rows.at(0), session.tables[code->of[0]]->rows});
  }
  for (const plan::Model& model : session.plan.models) {
    if (model.metrics && done(*model.metrics)) {
      MLP_TRY(const std::string bytes, session.object(*model.metrics));
      MLP_TRY(std::vector<FigureRecord> figures, decode_figures(bytes));
      const auto& code = std::get<plan::Metrics>(session.plan[*model.metrics].code);
      MLP_CHECK(figures.size() == code.measures.size());
      for (std::size_t i = 0; i < figures.size() && i < model.measure_names.size(); ++i) {
        if (model.measure_names[i].empty()) continue;  // only a gate asks for it
        // Nothing in production has no figure; the gate says so.
        const auto of_champion = [&](std::size_t m) { return code.champion && code.measures[m].model + 1 == code.models; };
        if (!figures[i].value && (of_champion(i) || (code.measures[i].minus && of_champion(*code.measures[i].minus)))) continue;
        FigureReport figure{model.name, model.measure_names[i], code.on, {}, std::move(figures[i])};
        for (std::uint32_t column : code.measures[i].by) figure.group_columns.push_back(model.group_names.at(column));
        report.figures.push_back(std::move(figure));
      }
    }
    if (model.gates && done(*model.gates)) {
      MLP_TRY(const std::string bytes, session.object(*model.gates));
      MLP_TRY(const std::vector<GateStatus> statuses, decode_gates(bytes));
      const auto& code = std::get<plan::Gates>(session.plan[*model.gates].code);
      MLP_CHECK(statuses.size() == code.items.size());
      for (std::size_t i = 0; i < statuses.size(); ++i) report.gates.push_back({model.name, code.items[i].text, code.items[i].span, statuses[i]});
    }
    if (done(model.train) && report.steps[model.train.index()].action == Action::ran) {
      MLP_TRY(RowsReport rows, count_rows(session, model));
      report.rows.push_back(std::move(rows));
    }
    if (done(model.registration)) {
      MLP_TRY(const std::string bytes, session.object(model.registration));
      MLP_TRY(CandidateReport receipt, decode_receipt(bytes));
      receipt.model = model.name;
      report.candidates.push_back(std::move(receipt));
    }
  }
  return {};
}

Result<void> record(Session& session, const RunReport& report, std::vector<store::RunStep> steps) {
  store::Catalog& catalog = session.catalog;
  MLP_TRY_VOID(catalog.record_steps(report.id, steps));
  std::vector<store::RunMetric> metrics;
  for (const FigureReport& f : report.figures) {
    const std::string columns = fmt::format("{}", fmt::join(f.group_columns, " * "));
    const auto add = [&](const FigureRecord& r) {
      metrics.push_back({f.model, f.metric, columns, fmt::format("{}", fmt::join(r.group, " * ")), f.on, r.value, r.low, r.high, r.rows});
    };
    if (f.figure.value || f.figure.groups.empty()) add(f.figure);
    for (const FigureRecord& group : f.figure.groups) add(group);
  }
  MLP_TRY_VOID(catalog.record_metrics(report.id, metrics));
  std::vector<store::RunGate> gates;
  for (const GateReport& g : report.gates)
    gates.push_back({g.model, g.text, std::string(name(g.status.kind)), g.status.value, g.status.low, g.status.high, {}});
  MLP_TRY_VOID(catalog.record_gates(report.id, gates));
  if (session.plan.final_rows) {
    for (const plan::Model& model : session.plan.models) {
      if (!model.metrics || report.steps[model.metrics->index()].action != Action::ran) continue;
      const plan::StepId split = session.plan[*model.metrics].inputs.at(0);
      MLP_TRY_VOID(catalog.record_opening({report.id, model.name, session.plan[split].recipe_key, {}}));
    }
  }
  return catalog.finish_run(report.id, report.failure ? "failed" : "ok");
}

int thread_count(const RunOptions& options) {
  return options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

std::size_t RunReport::count(Action action) const {
  return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [&](const StepReport& s) { return s.action == action; }));
}

Result<RunReport> run(const plan::Physical& plan, store::Store& store, store::Catalog& catalog, const RunOptions& options, const Listener& listener) {
  const auto began = SteadyClock::now();
  const auto files = io::real_file_system();
  RunReport report;
  MLP_TRY(const Digest plan_object, store.put(plan::encode(plan)));
  store::Run run_row;
  run_row.workflow = plan.workflow;
  run_row.file = options.file;
  run_row.command = options.command;
  run_row.plan = plan_object;
  MLP_TRY(report.id, catalog.begin_run(run_row));
  // A damaged object is set aside when it is read; then the step that made it runs again. Every attempt sets at least one
  // aside, so the attempts end.
  for (;;) {
    Session session{plan, store, catalog, options, *files, thread_count(options), report.id};
    MLP_TRY_VOID(prepare(session));
    std::vector<StepReport> earlier = std::exchange(report.steps, {});
    report.failure.reset(), report.figures.clear(), report.gates.clear(), report.candidates.clear(), report.rows.clear(), report.samples.clear();
    Runner runner(session, report, listener);
    runner.go();
    for (std::size_t i = 0; i < earlier.size(); ++i)
      if (earlier[i].action == Action::ran && report.steps[i].action == Action::reused) report.steps[i] = std::move(earlier[i]);
    if (auto collected = collect(session, report); !collected && !report.failure) report.failure = collected.error();
    auto set_aside = store.take_warnings();
    const bool again = report.failure && report.failure->code == diag::Code::E0903 && !set_aside.empty();
    report.warnings.insert(report.warnings.end(), std::move_iterator(set_aside.begin()), std::move_iterator(set_aside.end()));
    if (again) continue;
    report.seconds = seconds_since(began);
    if (auto recorded = record(session, report, runner.records()); !recorded && !report.failure) report.failure = recorded.error();
    break;
  }
  return report;
}

Result<std::vector<StepForecast>> preview(const plan::Physical& plan, store::Store& store, store::Catalog& catalog, const RunOptions& options) {
  const auto files = io::real_file_system();
  Session session{plan, store, catalog, options, *files, thread_count(options), {}};
  MLP_TRY_VOID(prepare(session));
  std::vector<StepForecast> forecasts;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    const plan::StepId id(i);
    StepForecast forecast;
    forecast.key = step.recipe_key;
    StepState& state = session.steps[i];
    if (std::holds_alternative<plan::HashSource>(step.code)) {
      bool hashed = false;
      std::optional<io::Table> table;
      const auto unknown = std::find_if(step.inputs.begin(), step.inputs.end(), [&](plan::StepId input) { return !session.steps[input.index()].done; });
      if (unknown == step.inputs.end()) {
        const auto given = given_to(session, step);
        MLP_TRY(table, look_at_source(plan.tables[step.table], plan.folder, options.fragment_rows, *files, store, options.hash_sources, hashed, {false, {}, nullptr, given ? &*given : nullptr}));
        if (table && !std::get<plan::HashSource>(step.code).contract.empty()) {
          MLP_TRY(const bool known, leave_bad_rows_out(*table, plan, step, *files, store, options.hash_sources));
          if (!known) table.reset();
        }
      }
      if (table) {
        session.tables[step.table] = std::move(*table);
        state.outputs = {session.tables[step.table]->content};
        state.done = true;
        forecast.action = Forecast::reuse;
        forecast.key = Hasher("source/1").add(step.recipe_key).add(state.outputs[0]).finish();
      } else {
        forecast.action = Forecast::run;
        const bool before = store.find(recipe_record(step)).has_value();
        forecast.reason = before ? plan.tables[step.table].path + " was written since it was last read" : "not computed before";
        if (before && fetch::is_remote(plan.tables[step.table].source)) {
          forecast.action = Forecast::may_run;
          forecast.reason = "its server is asked when it runs";
        } else if (before && unknown != step.inputs.end()) {
          forecast.action = Forecast::may_run;
          forecast.reason = "if " + plan[*unknown].name + " comes out differently";
        } else if (!step.inputs.empty()) {
          forecast.reason = reason_to_call(session, id);
        }
      }
      forecasts.push_back(std::move(forecast));
      continue;
    }
    const bool fragments_known = session.cut_like(step).has_value();
    // Of the inputs that are not known yet, one that will certainly be another says more than one that may be.
    const auto is_unknown = [&](plan::StepId input) { return !session.steps[input.index()].done; };
    auto unknown = std::find_if(step.inputs.begin(), step.inputs.end(),
                                [&](plan::StepId input) { return is_unknown(input) && forecasts[input.index()].action == Forecast::run; });
    if (unknown == step.inputs.end()) unknown = std::find_if(step.inputs.begin(), step.inputs.end(), is_unknown);
    if (fragments_known && unknown == step.inputs.end()) {
      const std::vector<Digest> keys = action_keys(session, id);
      state.outputs.assign(keys.size(), {}), state.rows.assign(keys.size(), 0);
      bool all = true;
      for (std::size_t f = 0; f < keys.size(); ++f) {
        if (!reuse_output(session, id, f, keys[f])) all = false;
      }
      state.done = all;
      if (all && makes_rows(step)) session.tables[step.table] = made_fragments(session, id);
      forecast.action = all ? Forecast::reuse : Forecast::run;
      if (!keys.empty()) forecast.key = keys[0];
      if (!all) forecast.reason = reason_to_run(session, id);
    } else if (store.find(recipe_record(step))) {
      // The same code over inputs that may come out as they were.
      forecast.action = Forecast::may_run;
      forecast.reason = unknown != step.inputs.end() ? "if " + plan[*unknown].name + " comes out differently" : "if the source holds something new";
    } else {
      forecast.action = Forecast::run;
      forecast.reason = reason_to_run(session, id);
      if (forecast.reason == "its result is not in the store" && unknown != step.inputs.end()) forecast.reason = plan[*unknown].name + " will be another";
    }
    forecasts.push_back(std::move(forecast));
  }
  return forecasts;
}

}  // namespace mlp::exec
