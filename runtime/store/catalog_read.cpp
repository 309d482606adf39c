#include <fmt/format.h>

#include "runtime/store/catalog_json.h"
#include "runtime/store/catalog_session.h"

namespace mlp::store {

namespace {

Digest parse_digest(const std::string& text) { return Digest::parse(text).value_or(Digest{}); }

struct ReadNumber {
  double value = 0;
  soci::indicator indicator = soci::i_null;
  std::optional<double> get() const { return indicator == soci::i_ok ? std::optional(value) : std::nullopt; }
};

constexpr const char* kRunColumns = "id, workflow, file, command, started, ended, status, as_of, params, plan";

/// A catalog of the first version that is only read has no authors.
std::string run_columns(soci::session& sql) {
  int version = 0;
  sql << "PRAGMA user_version", soci::into(version);
  return std::string(kRunColumns) + (version >= 2 ? ", author" : ", '' AS author");
}

/// Runs that `condition` selects, with at most one parameter `:value` in it.
std::vector<Run> select_runs(soci::session& sql, const std::string& condition, const std::string* value) {
  Run run;
  std::string plan;
  soci::statement select(sql);
  select.alloc();
  select.prepare(fmt::format("SELECT {} FROM runs {}", run_columns(sql), condition));
  for (std::string* into : {&run.id, &run.workflow, &run.file, &run.command, &run.started, &run.ended, &run.status, &run.as_of,
                            &run.params, &plan, &run.author})
    select.exchange(soci::into(*into));
  if (value != nullptr) select.exchange(soci::use(*value));
  select.define_and_bind();
  select.execute();
  std::vector<Run> runs;
  while (select.fetch()) {
    run.plan = parse_digest(plan);
    runs.push_back(run);
  }
  return runs;
}

/// Steps that `condition` selects, with the parameters `:first` and, where there is one, `:second`.
Result<std::vector<RunStep>> select_steps(soci::session& sql, const std::string& condition, const std::string& first,
                                          const std::string* second) {
  RunStep step;
  long long ordinal = 0;
  std::string action, key, code, inputs, outputs;
  soci::statement select(sql);
  select.alloc();
  select.prepare("SELECT ordinal, name, kind, action, key, code, code_text, inputs, outputs, reason, seconds, span FROM run_steps " +
                 condition);
  select.exchange(soci::into(ordinal));
  for (std::string* into : {&step.name, &step.kind, &action, &key, &code, &step.code_text, &inputs, &outputs, &step.reason})
    select.exchange(soci::into(*into));
  select.exchange(soci::into(step.seconds));
  select.exchange(soci::into(step.span));
  select.exchange(soci::use(first));
  if (second != nullptr) select.exchange(soci::use(*second));
  select.define_and_bind();
  select.execute();
  std::vector<RunStep> steps;
  while (select.fetch()) {
    step.ordinal = static_cast<std::uint32_t>(ordinal);
    step.action = action == "ran" ? StepAction::ran : action == "reused" ? StepAction::reused : StepAction::failed;
    step.key = parse_digest(key);
    step.code = parse_digest(code);
    MLP_TRY(step.inputs, decode_named_digests(inputs));
    MLP_TRY(step.outputs, decode_digests(outputs));
    steps.push_back(step);
  }
  return steps;
}

std::vector<Candidate> select_candidates(soci::session& sql, const std::string& condition, const std::string* value) {
  Candidate candidate;
  long long version = 0;
  int proven = 0;
  std::string scorer;
  soci::statement select(sql);
  select.alloc();
  select.prepare("SELECT model, version, run, scorer, proven, why FROM candidates c " + condition);
  select.exchange(soci::into(candidate.model));
  select.exchange(soci::into(version));
  select.exchange(soci::into(candidate.run));
  select.exchange(soci::into(scorer));
  select.exchange(soci::into(proven));
  select.exchange(soci::into(candidate.why));
  if (value != nullptr) select.exchange(soci::use(*value));
  select.define_and_bind();
  select.execute();
  std::vector<Candidate> candidates;
  while (select.fetch()) {
    candidate.version = static_cast<std::uint32_t>(version);
    candidate.scorer = parse_digest(scorer);
    candidate.proven = proven != 0;
    candidates.push_back(candidate);
  }
  return candidates;
}

std::vector<Opening> select_openings(soci::session& sql, const std::string& condition, const std::string& first,
                                     const std::string* second) {
  Opening opening;
  std::string split;
  soci::statement select(sql);
  select.alloc();
  select.prepare("SELECT run, model, split, at FROM openings " + condition);
  for (std::string* into : {&opening.run, &opening.model, &split, &opening.at}) select.exchange(soci::into(*into));
  select.exchange(soci::use(first));
  if (second != nullptr) select.exchange(soci::use(*second));
  select.define_and_bind();
  select.execute();
  std::vector<Opening> openings;
  while (select.fetch()) {
    opening.split = parse_digest(split);
    openings.push_back(opening);
  }
  return openings;
}

std::vector<RunMetric> select_metrics(soci::session& sql, const std::string& run) {
  RunMetric metric;
  ReadNumber value, low, high;
  long long rows = 0;
  soci::statement select =
      (sql.prepare << "SELECT model, metric, slice_column, slice_value, measured_on, value, low, high, row_count FROM metrics "
                      "WHERE run = :run ORDER BY seq",
       soci::into(metric.model), soci::into(metric.metric), soci::into(metric.slice_column), soci::into(metric.slice_value),
       soci::into(metric.on), soci::into(value.value, value.indicator), soci::into(low.value, low.indicator),
       soci::into(high.value, high.indicator), soci::into(rows), soci::use(run));
  select.execute();
  std::vector<RunMetric> metrics;
  while (select.fetch()) {
    metric.value = value.get();
    metric.low = low.get();
    metric.high = high.get();
    metric.rows = static_cast<std::uint64_t>(rows);
    metrics.push_back(metric);
  }
  return metrics;
}

std::vector<RunGate> select_gates(soci::session& sql, const std::string& run) {
  RunGate gate;
  ReadNumber value, low, high;
  soci::statement select =
      (sql.prepare << "SELECT model, text, status, value, low, high, span FROM gates WHERE run = :run ORDER BY seq",
       soci::into(gate.model), soci::into(gate.text), soci::into(gate.status), soci::into(value.value, value.indicator),
       soci::into(low.value, low.indicator), soci::into(high.value, high.indicator), soci::into(gate.span), soci::use(run));
  select.execute();
  std::vector<RunGate> gates;
  while (select.fetch()) {
    gate.value = value.get();
    gate.low = low.get();
    gate.high = high.get();
    gates.push_back(gate);
  }
  return gates;
}

}  // namespace

Result<std::vector<Run>> Catalog::list_runs(std::size_t most) {
  return state_->read([&](soci::session& sql) -> Result<std::vector<Run>> {
    return select_runs(sql, most == 0 ? "ORDER BY seq DESC" : fmt::format("ORDER BY seq DESC LIMIT {}", most), nullptr);
  });
}

Result<RunRecord> Catalog::load_run(std::string_view id) {
  auto record = state_->read([&](soci::session& sql) -> Result<RunRecord> {
    RunRecord found;
    const std::string wanted(id);
    std::vector<Run> runs = select_runs(sql, "WHERE id = :value", &wanted);
    if (runs.empty() && !wanted.empty()) runs = select_runs(sql, "WHERE substr(id, 1, length(:value)) = :value", &wanted);
    if (runs.size() > 1)
      return failure(diag::Code::E0908, fmt::format("`{}` may be any of {} runs, `{}` and `{}` among them", wanted, runs.size(),
                                                    runs[0].id, runs[1].id),
                     "give more of the run's id");
    if (runs.empty()) return found;
    found.run = std::move(runs[0]);
    const std::string& run = found.run.id;
    MLP_TRY(found.steps, select_steps(sql, "WHERE run = :run ORDER BY ordinal", run, nullptr));
    found.metrics = select_metrics(sql, run);
    found.gates = select_gates(sql, run);
    found.candidates = select_candidates(sql, "WHERE run = :run ORDER BY seq", &run);
    found.openings = select_openings(sql, "WHERE run = :run ORDER BY seq", run, nullptr);
    return found;
  });
  if (record && record->run.id.empty())
    return failure(diag::Code::E0908, fmt::format("there is no run `{}` in the store `{}`", id, state_->directory),
                   "`mlpc runs` lists them");
  return record;
}

Result<std::optional<Run>> Catalog::last_run_of(std::string_view workflow) {
  return state_->read([&](soci::session& sql) -> Result<std::optional<Run>> {
    const std::string name(workflow);
    std::vector<Run> runs = select_runs(sql, "WHERE workflow = :value ORDER BY seq DESC LIMIT 1", &name);
    if (runs.empty()) return std::optional<Run>();
    return std::optional(std::move(runs[0]));
  });
}

Result<std::optional<RunStep>> Catalog::last_step(std::string_view name, std::string_view workflow) {
  return state_->read([&](soci::session& sql) -> Result<std::optional<RunStep>> {
    const std::string step(name), of(workflow);
    MLP_TRY(std::vector<RunStep> steps,
            select_steps(sql, "JOIN (SELECT id, seq, workflow FROM runs) r ON r.id = run_steps.run WHERE name = :name AND r.workflow = "
                              ":workflow AND action <> 'failed' ORDER BY r.seq DESC, ordinal DESC LIMIT 1", step, &of));
    if (steps.empty()) return std::optional<RunStep>();
    return std::optional(std::move(steps[0]));
  });
}

Result<std::vector<Candidate>> Catalog::models() {
  return state_->read([&](soci::session& sql) -> Result<std::vector<Candidate>> {
    return select_candidates(sql, "WHERE seq = (SELECT max(d.seq) FROM candidates d WHERE d.model = c.model AND d.version = c.version) "
                                  "ORDER BY model, version", nullptr);
  });
}

Result<std::vector<Opening>> Catalog::openings_of(std::string_view model, const Digest& split) {
  return state_->read([&](soci::session& sql) -> Result<std::vector<Opening>> {
    const std::string digest = split ? split.hex() : std::string(), name(model);
    if (name.empty()) return select_openings(sql, "WHERE split = :split ORDER BY seq", digest, nullptr);
    return select_openings(sql, "WHERE split = :split AND model = :model ORDER BY seq", digest, &name);
  });
}

Result<std::vector<Root>> Catalog::roots() {
  return state_->read([&](soci::session& sql) -> Result<std::vector<Root>> {
    std::string digest, why;
    soci::statement select =
        (sql.prepare << "SELECT digest, why FROM roots ORDER BY digest, why", soci::into(digest), soci::into(why));
    select.execute();
    std::vector<Root> roots;
    while (select.fetch()) roots.push_back({parse_digest(digest), why});
    return roots;
  });
}

Result<std::vector<std::string>> Catalog::check_integrity() {
  return state_->read([&](soci::session& sql) -> Result<std::vector<std::string>> {
    std::string line;
    soci::statement check = (sql.prepare << "PRAGMA integrity_check", soci::into(line));
    check.execute();
    std::vector<std::string> lines;
    while (check.fetch())
      if (line != "ok") lines.push_back(line);
    return lines;
  });
}

}  // namespace mlp::store
