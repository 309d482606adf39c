#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "runtime/learn/native.h"

/// What several metrics are made of. Sums are taken in row order.
namespace mlp::learn {

inline double weight_at(const MetricInput& in, std::size_t row) { return in.weight.empty() ? 1.0 : in.weight[row]; }
inline double weight_at(std::span<const double> weight, std::size_t row) { return weight.empty() ? 1.0 : weight[row]; }

/// The weighted mean of y; nullopt without weight.
std::optional<double> mean_label(std::span<const double> y, std::span<const double> weight);
/// The smallest y with at least half of the weight at or below it; nullopt without weight.
std::optional<double> median_label(std::span<const double> y, std::span<const double> weight);

/// Weight of rows by decision and label.
struct Decisions {
  double true_positive = 0, false_positive = 0, true_negative = 0, false_negative = 0;
};
Decisions count_decisions(const MetricInput& in);

/// numerator / denominator, or nullopt for a denominator that is not positive.
inline std::optional<double> ratio(double numerator, double denominator) {
  if (!(denominator > 0)) return std::nullopt;
  return numerator / denominator;
}

}  // namespace mlp::learn
