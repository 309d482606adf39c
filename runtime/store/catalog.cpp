#include "runtime/store/catalog.h"

#include <fmt/format.h>
#include <time.h>

#include "compiler/support/check.h"
#include "runtime/store/catalog_json.h"
#include "runtime/store/catalog_session.h"
#include "runtime/store/format.h"

namespace mlp::store {

namespace {

std::string digest_text(const Digest& digest) { return digest ? digest.hex() : std::string(); }

/// A number that may be missing, as SOCI binds it.
struct BoundNumber {
  double value = 0;
  soci::indicator indicator = soci::i_null;
  void set(const std::optional<double>& from) {
    value = from.value_or(0);
    indicator = from ? soci::i_ok : soci::i_null;
  }
};

}  // namespace

std::string_view name(StepAction action) {
  switch (action) {
    case StepAction::ran: return "ran";
    case StepAction::reused: return "reused";
    case StepAction::failed: return "failed";
  }
  MLP_CHECK(false);
}

std::string utc_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

Catalog::Catalog(std::string directory, bool read_only)
    : state_(std::make_unique<State>(std::move(directory), read_only)) {}
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;
Catalog::~Catalog() = default;

void Catalog::set_author(std::string author) { state_->author = std::move(author); }

Result<std::string> Catalog::begin_run(const Run& run) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<std::string> {
    const std::string started = run.started.empty() ? utc_now() : run.started;
    std::string day;
    for (const char c : started.substr(0, 10))
      if (c != '-') day += c;
    // Four digits are easy to type; with many runs a day they grow.
    std::string id;
    for (int digits = 4;; ++digits) {
      id = fmt::format("r-{}-{}", day, identity_text(fresh_identity()).substr(0, static_cast<std::size_t>(std::min(digits, 16))));
      int known = 0;
      sql << "SELECT count(*) FROM runs WHERE id = :id", soci::use(id), soci::into(known);
      if (known == 0) break;
    }
    const std::string plan = digest_text(run.plan), nothing, status = "running";
    const std::string author = run.author.empty() ? state_->author : run.author;
    sql << "INSERT INTO runs (id, workflow, file, command, started, ended, status, as_of, params, plan, author) VALUES "
           "(:id, :workflow, :file, :command, :started, :ended, :status, :as_of, :params, :plan, :author)",
        soci::use(id), soci::use(run.workflow), soci::use(run.file), soci::use(run.command), soci::use(started), soci::use(nothing),
        soci::use(status), soci::use(run.as_of), soci::use(run.params), soci::use(plan), soci::use(author);
    return id;
  });
}

Result<void> Catalog::record_steps(std::string_view run, const std::vector<RunStep>& steps) {
  MLP_CHECK(!state_->read_only);
  if (steps.empty()) return {};
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string id(run);
    std::string name_text, kind, action, key, code, code_text, inputs, outputs, reason, span;
    long long ordinal = 0;
    double seconds = 0;
    soci::statement forget =
        (sql.prepare << "DELETE FROM run_steps WHERE run = :run AND ordinal = :ordinal", soci::use(id), soci::use(ordinal));
    soci::statement insert =
        (sql.prepare << "INSERT INTO run_steps (run, ordinal, name, kind, action, key, code, code_text, inputs, outputs, reason, "
                        "seconds, span) VALUES (:run, :ordinal, :name, :kind, :action, :key, :code, :code_text, :inputs, :outputs, "
                        ":reason, :seconds, :span)",
         soci::use(id), soci::use(ordinal), soci::use(name_text), soci::use(kind), soci::use(action), soci::use(key),
         soci::use(code), soci::use(code_text), soci::use(inputs), soci::use(outputs), soci::use(reason), soci::use(seconds),
         soci::use(span));
    for (const RunStep& step : steps) {
      ordinal = step.ordinal;
      name_text = step.name;
      kind = step.kind;
      action = name(step.action);
      key = digest_text(step.key);
      code = digest_text(step.code);
      code_text = step.code_text;
      inputs = encode_named_digests(step.inputs);
      outputs = encode_digests(step.outputs);
      reason = step.reason;
      seconds = step.seconds;
      span = step.span;
      forget.execute(true);
      insert.execute(true);
    }
    return {};
  });
}

Result<void> Catalog::record_metrics(std::string_view run, const std::vector<RunMetric>& metrics) {
  MLP_CHECK(!state_->read_only);
  if (metrics.empty()) return {};
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string id(run);
    std::string model, metric, slice_column, slice_value, on;
    BoundNumber value, low, high;
    long long rows = 0;
    soci::statement insert =
        (sql.prepare << "INSERT INTO metrics (run, model, metric, slice_column, slice_value, measured_on, value, low, high, row_count) "
                        "VALUES (:run, :model, :metric, :slice_column, :slice_value, :on, :value, :low, :high, :rows)",
         soci::use(id), soci::use(model), soci::use(metric), soci::use(slice_column), soci::use(slice_value), soci::use(on),
         soci::use(value.value, value.indicator), soci::use(low.value, low.indicator), soci::use(high.value, high.indicator),
         soci::use(rows));
    for (const RunMetric& one : metrics) {
      model = one.model;
      metric = one.metric;
      slice_column = one.slice_column;
      slice_value = one.slice_value;
      on = one.on;
      value.set(one.value);
      low.set(one.low);
      high.set(one.high);
      rows = static_cast<long long>(one.rows);
      insert.execute(true);
    }
    return {};
  });
}

Result<void> Catalog::record_gates(std::string_view run, const std::vector<RunGate>& gates) {
  MLP_CHECK(!state_->read_only);
  if (gates.empty()) return {};
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string id(run);
    std::string model, text, status, span;
    BoundNumber value, low, high;
    soci::statement insert =
        (sql.prepare << "INSERT INTO gates (run, model, text, status, value, low, high, span) "
                        "VALUES (:run, :model, :text, :status, :value, :low, :high, :span)",
         soci::use(id), soci::use(model), soci::use(text), soci::use(status), soci::use(value.value, value.indicator),
         soci::use(low.value, low.indicator), soci::use(high.value, high.indicator), soci::use(span));
    for (const RunGate& one : gates) {
      model = one.model;
      text = one.text;
      status = one.status;
      value.set(one.value);
      low.set(one.low);
      high.set(one.high);
      span = one.span;
      insert.execute(true);
    }
    return {};
  });
}

Result<std::uint32_t> Catalog::record_candidate(const Candidate& candidate) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<std::uint32_t> {
    const std::string scorer = digest_text(candidate.scorer);
    const int proven = candidate.proven ? 1 : 0;
    long long version = 0;
    // No row leaves the number as it is.
    sql << "SELECT version FROM candidates WHERE model = :model AND scorer = :scorer ORDER BY seq DESC LIMIT 1",
        soci::use(candidate.model), soci::use(scorer), soci::into(version);
    if (version == 0)
      sql << "SELECT coalesce(max(version), 0) + 1 FROM candidates WHERE model = :model", soci::use(candidate.model),
          soci::into(version);
    sql << "DELETE FROM candidates WHERE model = :model AND version = :version AND run = :run", soci::use(candidate.model),
        soci::use(version), soci::use(candidate.run);
    sql << "INSERT INTO candidates (model, version, run, scorer, proven, why) VALUES (:model, :version, :run, :scorer, :proven, :why)",
        soci::use(candidate.model), soci::use(version), soci::use(candidate.run), soci::use(scorer), soci::use(proven),
        soci::use(candidate.why);
    return static_cast<std::uint32_t>(version);
  });
}

Result<void> Catalog::record_opening(const Opening& opening) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string split = digest_text(opening.split);
    const std::string at = opening.at.empty() ? utc_now() : opening.at;
    sql << "INSERT INTO openings (run, model, split, at) VALUES (:run, :model, :split, :at)", soci::use(opening.run),
        soci::use(opening.model), soci::use(split), soci::use(at);
    return {};
  });
}

Result<void> Catalog::set_plan(std::string_view run, const Digest& plan) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string id(run), text = digest_text(plan);
    sql << "UPDATE runs SET plan = :plan WHERE id = :id", soci::use(text), soci::use(id);
    return {};
  });
}

Result<void> Catalog::finish_run(std::string_view run, std::string_view status) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string id(run), text(status), ended = utc_now();
    sql << "UPDATE runs SET status = :status, ended = :ended WHERE id = :id", soci::use(text), soci::use(ended), soci::use(id);
    return {};
  });
}

Result<void> Catalog::add_root(const Root& root) {
  MLP_CHECK(!state_->read_only);
  return state_->write([&](soci::session& sql) -> Result<void> {
    const std::string digest = digest_text(root.digest);
    sql << "DELETE FROM roots WHERE digest = :digest AND why = :why", soci::use(digest), soci::use(root.why);
    sql << "INSERT INTO roots (digest, why) VALUES (:digest, :why)", soci::use(digest), soci::use(root.why);
    return {};
  });
}

}  // namespace mlp::store
