#include "runtime/learn/metric_parts.h"

#include <algorithm>
#include <numeric>

namespace mlp::learn {

std::vector<std::uint32_t> sort_order(std::span<const double> p) {
  std::vector<std::uint32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) { return p[a] != p[b] ? p[a] < p[b] : a < b; });
  return order;
}

std::optional<double> mean_label(std::span<const double> y, std::span<const double> weight) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum += weight_at(weight, i) * y[i];
    total += weight_at(weight, i);
  }
  return total > 0 ? std::optional(sum / total) : std::nullopt;
}

std::optional<double> median_label(std::span<const double> y, std::span<const double> weight) {
  double total = 0;
  for (std::size_t i = 0; i < y.size(); ++i) total += weight_at(weight, i);
  if (!(total > 0)) return std::nullopt;
  double below = 0;
  for (const std::uint32_t row : sort_order(y)) {
    below += weight_at(weight, row);
    if (2 * below >= total && weight_at(weight, row) > 0) return y[row];
  }
  return std::nullopt;
}

Decisions count_decisions(const MetricInput& in) {
  Decisions d;
  for (std::size_t i = 0; i < in.p.size(); ++i) {
    const double w = weight_at(in, i);
    if (in.p[i] != 0) (in.y[i] != 0 ? d.true_positive : d.false_positive) += w;
    else (in.y[i] != 0 ? d.false_negative : d.true_negative) += w;
  }
  return d;
}

}  // namespace mlp::learn
