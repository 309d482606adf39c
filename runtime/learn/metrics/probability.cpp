#include <algorithm>
#include <cmath>

#include "gen/native_learn_names.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/metric_parts.h"

/// Metrics of probabilities as such.
namespace mlp::learn {
namespace {

std::optional<double> log_loss_value(const Options&, const MetricInput& in) {
  constexpr double kEdge = 1e-15;
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    const double w = weight_at(in, i);
    if (w == 0) continue;
    const double p = std::clamp(in.p[i], kEdge, 1 - kEdge);
    sum -= w * exact_bits_log(in.y[i] != 0 ? p : 1 - p);
    total += w;
  }
  return ratio(sum, total);
}

std::optional<double> brier_value(const Options&, const MetricInput& in) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    const double w = weight_at(in, i), d = in.p[i] - in.y[i];
    sum += w * (d * d);
    total += w;
  }
  return ratio(sum, total);
}

/// Naeini, Cooper, Hauskrecht 2015, with equally wide bins; 1 belongs to the last one.
std::optional<double> calibration_error_value(const Options& options, const MetricInput& in) {
  const auto count = static_cast<std::size_t>(number_option(options, "bins"));
  std::vector<double> difference(count, 0.0);
  double total = 0;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    const double w = weight_at(in, i);
    const auto bin = std::min(count - 1, static_cast<std::size_t>(std::max(0.0, in.p[i]) * static_cast<double>(count)));
    difference[bin] += w * (in.p[i] - in.y[i]);
    total += w;
  }
  double sum = 0;
  for (const double d : difference) sum += std::fabs(d);
  return ratio(sum, total);
}

std::optional<double> mean_constant(const Options&, std::span<const double> y, std::span<const double> weight) { return mean_label(y, weight); }

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_metric {
constinit const learn::NativeMetric log_loss = {learn::log_loss_value, learn::mean_constant, false};
constinit const learn::NativeMetric brier = {learn::brier_value, learn::mean_constant, false};
constinit const learn::NativeMetric calibration_error = {learn::calibration_error_value, learn::mean_constant, false};
}  // namespace mlp::native_metric
