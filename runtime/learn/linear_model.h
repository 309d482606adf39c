#pragma once

#include <string>
#include <vector>

#include "runtime/learn/native.h"
#include "runtime/learn/tree_model.h"

namespace mlp::learn {

/// Intercept and one coefficient a column, with a link.
struct LinearModel {
  Link link = Link::identity;
  double intercept = 0;
  std::vector<double> coefficients;
  std::vector<double> importance;  ///< |coefficient| times the column's deviation, as shares
  std::uint32_t iterations = 0;    ///< 0: solved at once
  bool converged = true;
  template <class A>
  void fields(A& a) { a(link, intercept, coefficients, importance, iterations, converged); }

  bool sound() const;
};

std::string encode(const LinearModel& model);
Result<std::shared_ptr<const Model>> load_linear_model(std::string_view bytes);

/// |coefficient| times the weighted deviation of each column, divided by their sum.
std::vector<double> linear_importance(const TrainInput& input, std::span<const double> weight, std::span<const double> coefficients);
/// The weights of the rows, 1 each where there are none; E0806 where they sum to nothing.
Result<std::vector<double>> training_weights(const TrainInput& input);
/// The weighted mean of each column.
std::vector<double> column_means(const TrainInput& input, std::span<const double> weight);

}  // namespace mlp::learn
