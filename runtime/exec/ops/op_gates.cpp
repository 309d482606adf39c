#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/exec/figures.h"
#include "runtime/exec/session.h"

namespace mlp::exec {

namespace {

bool compare(double left, const std::string& comparison, double right) {
  if (comparison == ">=") return left >= right;
  if (comparison == ">") return left > right;
  if (comparison == "<=") return left <= right;
  if (comparison == "<") return left < right;
  MLP_CHECK(false && "a comparison of a gate");
  return false;
}

std::optional<double> linear(const std::optional<double>& value, double scale, double offset) {
  return value ? std::optional(scale * *value + offset) : std::nullopt;
}

/// By the interval: passed when all of it is on the good side of the bound, failed when all of it is on the other.
GateStatus::Kind by_interval(double low, double high, const std::string& comparison, double bound) {
  const bool up = comparison == ">=" || comparison == ">";
  if (compare(up ? low : high, comparison, bound)) return GateStatus::Kind::passed;
  if (!compare(up ? high : low, comparison, bound)) return GateStatus::Kind::failed;
  return GateStatus::Kind::inconclusive;
}

GateStatus decide(const plan::Gates::Item& gate, const std::vector<FigureRecord>& figures, bool of_gap, const ChampionRecord& champion) {
  GateStatus status;
  if (gate.beats_production && !champion.scorer) {
    status.kind = GateStatus::Kind::not_applicable;
    status.why = "nothing is in production yet";
    return status;
  }
  if (gate.beats_production && !champion.unfit.empty()) {
    status.kind = GateStatus::Kind::inconclusive;
    status.why = champion.unfit;
    return status;
  }
  MLP_CHECK(gate.measure < figures.size());
  const FigureRecord& left = figures[gate.measure];
  status.value = linear(left.value, gate.left_scale, gate.left_offset);
  status.low = linear(left.low, gate.left_scale, gate.left_offset);
  status.high = linear(left.high, gate.left_scale, gate.left_offset);
  if (gate.left_scale < 0) std::swap(status.low, status.high);
  std::string lacking = left.too_few;
  status.bound = gate.right_offset;
  if (gate.right_measure) {
    MLP_CHECK(*gate.right_measure < figures.size());
    const FigureRecord& right = figures[*gate.right_measure];
    status.bound = linear(right.value, gate.right_scale, gate.right_offset);
    if (lacking.empty()) lacking = right.too_few;
  }
  if (!lacking.empty() || !status.value || !status.bound) {
    status.kind = GateStatus::Kind::inconclusive;
    status.why = "not enough data: " + (lacking.empty() ? std::string("the figure is not defined on these rows") : lacking);
    return status;
  }
  if (gate.confidence <= 0) {
    // The gap of a finite sample is biased upwards from zero; what has to be small is judged by the upper end.
    const double value = of_gap && status.high ? *status.high : *status.value;
    status.kind = compare(value, gate.comparison, *status.bound) ? GateStatus::Kind::passed : GateStatus::Kind::failed;
    if (of_gap && status.high && status.kind == GateStatus::Kind::failed) status.why = "a gap is judged by the upper end of its interval";
    return status;
  }
  std::optional<double> low = status.low, high = status.high;
  double bound = *status.bound;
  if (gate.right_measure) {
    MLP_CHECK(gate.difference && *gate.difference < figures.size());
    const FigureRecord& paired = figures[*gate.difference];
    // The difference is left - (right_scale / left_scale) * right; brought back to the scale of the gate.
    low = linear(paired.low, gate.left_scale, gate.left_offset);
    high = linear(paired.high, gate.left_scale, gate.left_offset);
    if (gate.left_scale < 0) std::swap(low, high);
    bound = gate.right_offset;
  }
  if (!low || !high) {
    status.kind = GateStatus::Kind::inconclusive;
    status.why = "not enough data for an interval";
    return status;
  }
  status.kind = by_interval(*low, *high, gate.comparison, bound);
  if (status.kind == GateStatus::Kind::inconclusive) status.why = fmt::format("the {:.0f}% interval holds the bound: more rows are needed", gate.confidence * 100);
  return status;
}

}  // namespace

Result<std::string> gates(Session& session, const plan::Step& step, const plan::Gates& code) {
  MLP_TRY(const std::string bytes, session.object(step.inputs[0]));
  MLP_TRY(const std::vector<FigureRecord> figures, decode_figures(bytes));
  const auto* metrics = std::get_if<plan::Metrics>(&session.plan[step.inputs[0]].code);
  MLP_CHECK(metrics != nullptr);
  ChampionRecord champion;
  if (step.inputs.size() > 1) {
    MLP_TRY(const std::string record, session.object(step.inputs[1]));
    MLP_TRY(champion, decode_champion(record));
  }
  std::vector<GateStatus> statuses;
  for (const plan::Gates::Item& gate : code.items) {
    const bool of_gap = gate.measure < metrics->measures.size() && metrics->measures[gate.measure].over == plan::Metrics::Measure::Over::gap;
    statuses.push_back(decide(gate, figures, of_gap, champion));
    GateStatus& status = statuses.back();
    if (gate.beats_production && status.kind != GateStatus::Kind::not_applicable && champion.unfit.empty() && status.why.empty())
      status.why = fmt::format("compared with version {} in production", champion.version);
  }
  return encode(statuses);
}

}  // namespace mlp::exec
