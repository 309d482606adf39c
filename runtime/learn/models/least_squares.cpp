#include <cmath>

#include "gen/native_learn_names.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/linear_model.h"
#include "runtime/learn/normal_equations.h"

/// Least squares by normal equations of centred columns, improved once by the residuals (Björck 1996, section 2.9).
namespace mlp::learn {
namespace {

// A column with less than this share of its square sum left beside the others is taken to be determined by them.
constexpr double kDetermined = 1e-11;
// A column whose spread is this small against its size is constant but for rounding.
constexpr double kConstant = 1e-24;

Result<std::string> fit(const TrainInput& input, double l2) {
  MLP_TRY(const std::vector<double> weight, training_weights(input));
  const std::size_t rows = input.label.size(), columns = input.matrix.columns.size();
  const Design design{&input.matrix, column_means(input, weight), false, input.threads};
  double total = 0;
  for (const double w : weight) total += w;
  const double label_mean = dot(weight, input.label) / total;

  std::vector<double> sums = gram(design, weight);
  std::vector<double> floor(columns);
  for (std::size_t c = 0; c < columns; ++c) {
    floor[c] = kConstant * design.shift[c] * design.shift[c] * total;
    sums[c * columns + c] += l2;
  }
  const Cholesky factor(std::move(sums), columns, kDetermined, floor);

  std::vector<double> coefficients(columns, 0.0), residual(rows);
  for (int round = 0; round < 2; ++round) {
    if (input.stopped && input.stopped()) return failure(diag::Code::E0906, "training was stopped on request", "the next run goes on from here");
    const std::vector<double> fitted = times(design, coefficients);
    for (std::size_t r = 0; r < rows; ++r) residual[r] = weight[r] * ((input.label[r] - label_mean) - fitted[r]);
    std::vector<double> right = transposed_times(design, residual);
    for (std::size_t c = 0; c < columns; ++c) right[c] -= l2 * coefficients[c];
    const std::vector<double> step = factor.solve(std::move(right));
    for (std::size_t c = 0; c < columns; ++c) coefficients[c] += step[c];
  }

  LinearModel model;
  model.intercept = label_mean;
  for (std::size_t c = 0; c < columns; ++c) model.intercept -= coefficients[c] * design.shift[c];
  model.importance = linear_importance(input, weight, coefficients);
  model.coefficients = std::move(coefficients);
  if (!model.sound())
    return failure(diag::Code::E0303, "the least squares have no finite solution: a column or the label is too large", "scale the columns, or the label");
  return encode(model);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_model {
constinit const learn::NativeModel linear = {
    .train = [](const learn::TrainInput& input) { return learn::fit(input, 0.0); }, .load = learn::load_linear_model};
constinit const learn::NativeModel ridge = {
    .train = [](const learn::TrainInput& input) { return learn::fit(input, learn::number_option(input.options, "l2")); },
    .load = learn::load_linear_model};
}  // namespace mlp::native_model
