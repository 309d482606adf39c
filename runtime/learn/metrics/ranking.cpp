#include "gen/native_learn_names.h"
#include "runtime/learn/metric_parts.h"

/// Metrics of the order that probabilities put rows into.
namespace mlp::learn {
namespace {

/// Calls each(positive weight, negative weight) for every run of rows with equal p, in the direction of `step`.
template <class Each>
void for_each_tie(const MetricInput& in, bool ascending, Each each) {
  const std::size_t n = in.order.size();
  const auto row = [&](std::size_t i) { return in.order[ascending ? i : n - 1 - i]; };
  for (std::size_t i = 0; i < n;) {
    const double p = in.p[row(i)];
    double positive = 0, negative = 0;
    for (; i < n && in.p[row(i)] == p; ++i) (in.y[row(i)] != 0 ? positive : negative) += weight_at(in, row(i));
    each(positive, negative);
  }
}

/// Mann and Whitney's statistic: pairs of a positive and a negative row in the right order, ties one half.
std::optional<double> auc_value(const Options&, const MetricInput& in) {
  double negatives_below = 0, positives = 0, pairs = 0;
  for_each_tie(in, true, [&](double positive, double negative) {
    pairs += positive * (negatives_below + negative / 2);
    negatives_below += negative;
    positives += positive;
  });
  return ratio(pairs, positives * negatives_below);
}

/// The sum over thresholds, from above, of the step in recall times the precision there.
std::optional<double> pr_auc_value(const Options&, const MetricInput& in) {
  double positives = 0, rows = 0, area = 0;
  for_each_tie(in, false, [&](double positive, double negative) {
    positives += positive;
    rows += positive + negative;
    if (positive > 0) area += positive * (positives / rows);
  });
  return ratio(area, positives);
}

std::optional<double> any_constant(const Options&, std::span<const double> y, std::span<const double> weight) { return mean_label(y, weight); }

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_metric {
constinit const learn::NativeMetric auc = {learn::auc_value, learn::any_constant, true};
constinit const learn::NativeMetric pr_auc = {learn::pr_auc_value, learn::any_constant, true};
}  // namespace mlp::native_metric
