#include <cmath>

#include "gen/native_learn_names.h"
#include "runtime/learn/metric_parts.h"

/// Metrics of predicted numbers.
namespace mlp::learn {
namespace {

struct Errors {
  double weight = 0, absolute = 0, squared = 0;
};
Errors sum_errors(const MetricInput& in) {
  Errors e;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    const double w = weight_at(in, i), d = in.p[i] - in.y[i];
    e.weight += w;
    e.absolute += w * std::fabs(d);
    e.squared += w * (d * d);
  }
  return e;
}

std::optional<double> rmse_value(const Options&, const MetricInput& in) {
  const Errors e = sum_errors(in);
  const auto mean = ratio(e.squared, e.weight);
  return mean ? std::optional(std::sqrt(*mean)) : std::nullopt;
}
std::optional<double> mae_value(const Options&, const MetricInput& in) {
  const Errors e = sum_errors(in);
  return ratio(e.absolute, e.weight);
}
std::optional<double> r2_value(const Options&, const MetricInput& in) {
  const auto mean = mean_label(in.y, in.weight);
  if (!mean) return std::nullopt;
  double spread = 0;
  for (std::size_t i = 0; i < in.y.size(); ++i) spread += weight_at(in, i) * ((in.y[i] - *mean) * (in.y[i] - *mean));
  const auto left = ratio(sum_errors(in).squared, spread);
  return left ? std::optional(1 - *left) : std::nullopt;
}
std::optional<double> wape_value(const Options&, const MetricInput& in) {
  double size = 0;
  for (std::size_t i = 0; i < in.y.size(); ++i) size += weight_at(in, i) * std::fabs(in.y[i]);
  return ratio(sum_errors(in).absolute, size);
}
std::optional<double> mape_value(const Options&, const MetricInput& in) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    if (in.y[i] == 0) continue;
    const double w = weight_at(in, i);
    sum += w * std::fabs((in.p[i] - in.y[i]) / in.y[i]);
    total += w;
  }
  return ratio(sum, total);
}

std::optional<double> mean_constant(const Options&, std::span<const double> y, std::span<const double> weight) { return mean_label(y, weight); }
std::optional<double> median_constant(const Options&, std::span<const double> y, std::span<const double> weight) { return median_label(y, weight); }
/// The median under weights 1 / |y| minimises the sum of |c - y| / |y|.
std::optional<double> relative_median(const Options&, std::span<const double> y, std::span<const double> weight) {
  std::vector<double> relative(y.size(), 0.0);
  for (std::size_t i = 0; i < y.size(); ++i)
    if (y[i] != 0) relative[i] = weight_at(weight, i) / std::fabs(y[i]);
  return median_label(y, relative);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_metric {
constinit const learn::NativeMetric rmse = {learn::rmse_value, learn::mean_constant, false};
constinit const learn::NativeMetric mae = {learn::mae_value, learn::median_constant, false};
constinit const learn::NativeMetric r2 = {learn::r2_value, learn::mean_constant, false};
constinit const learn::NativeMetric wape = {learn::wape_value, learn::median_constant, false};
constinit const learn::NativeMetric mape = {learn::mape_value, learn::relative_median, false};
}  // namespace mlp::native_metric
