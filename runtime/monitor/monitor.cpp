#include "runtime/monitor/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/interp/evaluate.h"
#include "runtime/learn/native.h"
#include "runtime/monitor/false_alarms.h"
#include "runtime/monitor/observe.h"

namespace mlp::monitor {

namespace {

constexpr double kMostSetAside = 0.01;
constexpr const char* kPrediction = "prediction";

using Statistic = plan::Expect::Statistic;

std::unexpected<diag::Diagnostic> not_asked(const plan::QualityCheck& check, const std::string& column, const registry::Deployed& deployed) {
  auto d = diag::make(diag::Code::E0601, check.span, fmt::format("`{}` cannot be checked: {} version {} is not asked about `{}`", check.text, deployed.model, deployed.version, column));
  d.label = "needs a column that no request has";
  d.help = "check a column that the features are made of";
  return failure(std::move(d));
}

std::optional<std::uint32_t> field_of(const scorer::Schema& schema, const std::string& column) {
  for (std::uint32_t i = 0; i < schema.request.size(); ++i)
    if (schema.request[i].name == column) return i;
  return std::nullopt;
}

/// Position in the list; appended where it is not there.
std::size_t position_in(std::vector<std::uint32_t>& list, std::uint32_t field) {
  const auto at = std::ranges::find(list, field);
  if (at != list.end()) return static_cast<std::size_t>(at - list.begin());
  list.push_back(field);
  return list.size() - 1;
}

Result<Plan> make_plan(const plan::Monitor& monitor, const scorer::LoadedScorer& scorer, const scorer::Reference& reference, const registry::Deployed& deployed,
                       store::Store& store) {
  const auto load = [&](const Digest& digest, const Type& type) -> Result<Histogram> {
    MLP_TRY(const std::string bytes, store.get(digest));
    MLP_TRY(const auto bins, learn::load_bins(bytes));
    if (bins->runs() != 1) return failure(diag::Code::E0903, "what the model was fitted on cannot be read: a column of bins is of another kind", "run the workflow again");
    return make_histogram(type, bins);
  };
  Plan out;
  for (const scorer::Watched& feature : reference.features) {
    MLP_TRY(Histogram h, load(feature.bins, feature.type));
    out.features.push_back(std::move(h));
  }
  if (reference.prediction) {
    MLP_TRY(out.prediction, load(*reference.prediction, Type::of(Base::float_, true)));
  }
  for (const plan::QualityCheck& check : monitor.quality)
    for (const auto& [what, column] : check.statistics) {
      if (what == Statistic::rows) continue;
      const auto field = field_of(scorer::schema(scorer), column);
      if (!field) return not_asked(check, column, deployed);
      position_in(what == Statistic::missing_share ? out.missing : out.distinct, *field);
      if (what == Statistic::is_unique) position_in(out.missing, *field);
    }
  return out;
}

/// From the column down to the file.
std::vector<std::string> upstream_of(const plan::Physical& plan, const plan::Monitor& monitor, const std::vector<std::string>& raw) {
  std::vector<std::string> out;
  for (const std::string& column : raw) out.push_back(monitor.table.empty() ? column : monitor.table + "." + column);
  for (const plan::Table& table : plan.tables)
    if (table.name == monitor.table && !table.path.empty()) out.push_back(table.path);
  return out;
}

struct Judge {
  const plan::Physical& plan;
  const plan::Monitor& monitor;
  const Plan& counted;
  const Counts& counts;
  Report& report;

  bool too_few() const { return counts.rows == 0 || counts.rows < monitor.at_least_rows; }
  std::string why_too_few() const {
    return counts.rows == 0 ? std::string("no rows") : fmt::format("{} rows, fewer than {}", counts.rows, monitor.at_least_rows);
  }
  void add(Check check, bool is_held) {
    if (too_few()) check.status = Status::inconclusive, check.why = why_too_few();
    else if (check.why.empty()) check.status = is_held ? Status::ok : Status::breach;
    report.checks.push_back(std::move(check));
  }
  Result<void> drift(const plan::DriftCheck& code, const std::string& column, const Histogram& histogram, const std::vector<double>& now,
                     const std::vector<std::string>& raw) {
    const learn::NativeDrift* native = learn::find_drift(code.native);
    if (!native) return failure(diag::Code::E0909, "the monitor needs `" + code.native + "`, which this mlpc does not have", "use the version of mlpc that the workflow was written for");
    Check check;
    check.text = code.text;
    check.column = column;
    check.threshold = code.bound;
    check.alerts = code.alerts;
    check.upstream = upstream_of(plan, monitor, raw);
    check.histogram = histogram;
    check.now = now;
    if (counts.rows > counts.set_aside) {
      check.statistic = native->value(histogram.reference, now);
      if (!check.statistic) check.why = "there is nothing to compare with";
      check.false_alarm_rate = false_alarm_rate(*native, code.comparison, code.bound, histogram.reference, counts.rows - counts.set_aside);
    } else {
      check.why = "every row was set aside";
    }
    const bool is_held = check.statistic && holds(*check.statistic, code.comparison, code.bound);
    add(std::move(check), is_held);
    return {};
  }
  double value_of(Statistic what, const std::string& column, const scorer::Schema& schema) const {
    if (what == Statistic::rows) return static_cast<double>(counts.rows);
    const std::uint32_t field = *field_of(schema, column);  // make_plan saw it
    const auto at = [&](const std::vector<std::uint32_t>& list) { return static_cast<std::size_t>(std::ranges::find(list, field) - list.begin()); };
    if (what == Statistic::missing_share) return counts.rows ? static_cast<double>(counts.missing[at(counted.missing)]) / static_cast<double>(counts.rows) : 0.0;
    const std::size_t distinct = counts.distinct[at(counted.distinct)].size();
    if (what == Statistic::distinct) return static_cast<double>(distinct);
    return distinct == counts.rows - counts.missing[at(counted.missing)] ? 1.0 : 0.0;
  }
  Result<void> quality(const plan::QualityCheck& code, const scorer::Schema& schema) {
    Check check;
    check.text = code.text;
    check.alerts = code.alerts;
    Batch one;
    one.rows = 1;
    for (const expr::InputColumn& input : code.condition.inputs) {
      const auto& [what, column] = code.statistics[input.column];
      const double value = value_of(what, column, schema);
      const Value constant_value = input.type.base == Base::int_    ? Value(static_cast<std::int64_t>(value))
                                   : input.type.base == Base::bool_ ? Value(value != 0)
                                                                    : Value(value);
      one.columns.push_back(constant(input.type, constant_value, 1));
      if (code.statistics.size() == 1) check.statistic = value;
      if (check.column.empty()) check.column = column;
    }
    if (!check.column.empty()) check.upstream = upstream_of(plan, monitor, {check.column});
    MLP_TRY(const Column held, interp::evaluate(code.condition, one));
    add(std::move(check), held.is_known(0) && held.values<std::uint8_t>()[0] != 0);
    return {};
  }
  void contract() {
    Check check;
    check.text = "rows that break the contract < 1%";
    check.alerts = true;
    check.threshold = kMostSetAside;
    if (counts.rows) check.statistic = static_cast<double>(counts.set_aside) / static_cast<double>(counts.rows);
    const bool is_held = check.statistic.value_or(0) < kMostSetAside;
    add(std::move(check), is_held);
  }
};

}  // namespace

std::string_view name(Status status) { return status == Status::ok ? "ok" : status == Status::breach ? "breach" : "inconclusive"; }

Result<Report> watch(const plan::Physical& plan, const plan::Monitor& monitor, store::Store& store, io::FileSystem& files, const Request& request) {
  Report report;
  MLP_TRY(report.deployed, registry::current(store.directory(), plan.workflow + "." + monitor.deployment));
  MLP_TRY(const auto scorer, scorer::load(report.deployed.scorer, [&](const Digest& digest) { return store.get(digest); }));
  const scorer::Reference reference = scorer::reference(*scorer);
  MLP_TRY(const Plan counted, make_plan(monitor, *scorer, reference, report.deployed, store));
  Counts counts;
  if (request.data) {
    report.window.file = *request.data;
    MLP_TRY(counts, count_file(*scorer, counted, files, *request.data, request.fragment_rows));
  } else {
    report.window.to_us = request.now_us;
    report.window.from_us = monitor.window_us > 0 ? request.now_us - monitor.window_us : 0;
    MLP_TRY(counts, count_requests(*scorer, counted, files, store.directory(), report.deployed, report.window.from_us, report.window.to_us));
  }
  report.window.rows = counts.rows;
  report.window.set_aside = counts.set_aside;
  report.window.bad = counts.bad;

  Judge judge{plan, monitor, counted, counts, report};
  for (const plan::DriftCheck& check : monitor.drift) {
    for (std::size_t i = 0; i < counted.features.size(); ++i) {
      const scorer::Watched& feature = reference.features[i];
      if (!check.features && std::ranges::find(check.columns, feature.name) == check.columns.end()) continue;
      MLP_TRY_VOID(judge.drift(check, feature.name, counted.features[i], counts.features[i], feature.raw));
    }
    for (const std::string& column : check.columns)
      if (std::ranges::find(reference.features, column, &scorer::Watched::name) == reference.features.end())
        return failure(diag::make(diag::Code::E0601, check.span, fmt::format("`{}` cannot be checked: {} version {} has no feature `{}` that can be watched", check.text,
                                                                           report.deployed.model, report.deployed.version, column))
                           .with_label("of another version, or free text")
                           .with_help("deploy the version that has it, or check another feature"));
    if (!check.prediction) continue;
    if (!counted.prediction)
      return failure(diag::Code::E0909, fmt::format("{} version {} was made without its predictions for held-out rows", report.deployed.model, report.deployed.version),
                     "run the workflow and deploy the version that it makes");
    MLP_TRY_VOID(judge.drift(check, kPrediction, *counted.prediction, counts.prediction, {}));
  }
  for (const plan::QualityCheck& check : monitor.quality) MLP_TRY_VOID(judge.quality(check, scorer::schema(*scorer)));
  judge.contract();
  const auto any = [&](Status status) { return std::ranges::any_of(report.checks, [&](const Check& check) { return check.status == status; }); };
  report.status = any(Status::breach) ? Status::breach : any(Status::inconclusive) ? Status::inconclusive : Status::ok;
  return report;
}

}  // namespace mlp::monitor
