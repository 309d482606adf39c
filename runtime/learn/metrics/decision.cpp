#include "gen/native_learn_names.h"
#include "runtime/learn/metric_parts.h"

/// Metrics of decisions: p is 0 or 1.
namespace mlp::learn {
namespace {

std::optional<double> accuracy_value(const Options&, const MetricInput& in) {
  const Decisions d = count_decisions(in);
  return ratio(d.true_positive + d.true_negative, d.true_positive + d.true_negative + d.false_positive + d.false_negative);
}
std::optional<double> f1_value(const Options&, const MetricInput& in) {
  const Decisions d = count_decisions(in);
  return ratio(2 * d.true_positive, 2 * d.true_positive + d.false_positive + d.false_negative);
}
std::optional<double> precision_value(const Options&, const MetricInput& in) {
  const Decisions d = count_decisions(in);
  return ratio(d.true_positive, d.true_positive + d.false_positive);
}
std::optional<double> recall_value(const Options&, const MetricInput& in) {
  const Decisions d = count_decisions(in);
  return ratio(d.true_positive, d.true_positive + d.false_negative);
}

/// What most rows are.
std::optional<double> majority(const Options&, std::span<const double> y, std::span<const double> weight) {
  const auto mean = mean_label(y, weight);
  if (!mean) return std::nullopt;
  return *mean >= 0.5 ? 1.0 : 0.0;
}
/// Never deciding for true scores 0 or nothing, always doing so cannot be worse.
std::optional<double> always(const Options&, std::span<const double> y, std::span<const double> weight) {
  if (!mean_label(y, weight)) return std::nullopt;
  return 1.0;
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_metric {
constinit const learn::NativeMetric accuracy = {learn::accuracy_value, learn::majority, false};
constinit const learn::NativeMetric f1 = {learn::f1_value, learn::always, false};
constinit const learn::NativeMetric precision = {learn::precision_value, learn::always, false};
constinit const learn::NativeMetric recall = {learn::recall_value, learn::always, false};
}  // namespace mlp::native_metric
