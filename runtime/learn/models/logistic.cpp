#include <cmath>

#include "gen/native_learn_names.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/linear_model.h"
#include "runtime/learn/normal_equations.h"

/// Logistic regression by Newton's method with halved steps (Hastie, Tibshirani, Friedman 2009, section 4.4.1), penalised by
/// l2/2 times the sum of squared coefficients, the intercept free.
namespace mlp::learn {
namespace {

constexpr double kDetermined = 1e-11;
constexpr int kMostHalvings = 30;

/// log(1 + exp(-x)) without overflow.
double softplus_of_minus(double x) { return x > 0 ? exact_bits_log1p(exact_bits_exp(-x)) : -x + exact_bits_log1p(exact_bits_exp(x)); }

Result<std::string> train_logistic(const TrainInput& input) {
  MLP_TRY(const std::vector<double> weight, training_weights(input));
  const std::size_t rows = input.label.size(), own = input.matrix.columns.size(), columns = own + 1;
  double total = 0;
  for (const double w : weight) total += w;
  const double share = dot(weight, input.label) / total;
  if (!(share > 0 && share < 1)) return failure(diag::Code::E0807, "the label is the same in all training rows", "check the label, the split and `where`");

  const double l2 = number_option(input.options, "l2");
  const double tolerance = number_option(input.options, "tolerance");
  const auto most = static_cast<std::uint32_t>(number_option(input.options, "max_iterations"));
  // Centred columns tell the intercept apart from the others; it is put back at the end.
  const Design design{&input.matrix, column_means(input, weight), true, input.threads};
  const std::vector<double> floor(columns, 0.0);

  std::vector<double> b(columns, 0.0);
  b[own] = log_odds(share);
  std::vector<double> margin = times(design, b);
  const auto loss = [&](std::span<const double> at, std::span<const double> m) {
    double sum = 0;
    for (std::size_t r = 0; r < rows; ++r) sum += weight[r] * softplus_of_minus(input.label[r] != 0 ? m[r] : -m[r]);
    double squares = 0;
    for (std::size_t c = 0; c < own; ++c) squares += at[c] * at[c];
    return sum + l2 / 2 * squares;
  };
  double now = loss(b, margin);

  LinearModel model;
  model.link = Link::sigmoid;
  model.converged = false;
  std::vector<double> pull(rows), curvature(rows);
  while (!model.converged && model.iterations < most) {
    if (input.stopped && input.stopped()) return failure(diag::Code::E0906, "training was stopped on request", "the next run goes on from here");
    ++model.iterations;
    for (std::size_t r = 0; r < rows; ++r) {
      const double p = sigmoid(margin[r]);
      pull[r] = weight[r] * (input.label[r] - p);
      curvature[r] = weight[r] * (p * (1 - p));
    }
    std::vector<double> gradient = transposed_times(design, pull);
    std::vector<double> hessian = gram(design, curvature);
    for (std::size_t c = 0; c < own; ++c) {
      gradient[c] -= l2 * b[c];
      hessian[c * columns + c] += l2;
    }
    const std::vector<double> step = Cholesky(std::move(hessian), columns, kDetermined, floor).solve(gradient);
    // Newton's decrement: twice what the quadratic model still expects to gain.
    const double decrement = dot(gradient, step);
    if (!(decrement > tolerance * (1 + std::fabs(now)))) model.converged = true;

    double size = 1;
    for (int halving = 0; halving < kMostHalvings; ++halving, size /= 2) {
      std::vector<double> next = b;
      for (std::size_t c = 0; c < columns; ++c) next[c] += size * step[c];
      std::vector<double> next_margin = times(design, next);
      const double then = loss(next, next_margin);
      if (!(then <= now)) continue;
      b = std::move(next);
      margin = std::move(next_margin);
      now = then;
      break;
    }
    if (size < 0x1p-29) model.converged = true;  // no step lowers the loss: rounding is all that is left
  }

  model.intercept = b[own];
  for (std::size_t c = 0; c < own; ++c) model.intercept -= b[c] * design.shift[c];
  b.pop_back();
  model.importance = linear_importance(input, weight, b);
  model.coefficients = std::move(b);
  if (!model.sound())
    return failure(diag::Code::E0303, "the logistic regression has no finite solution: a column is too large", "scale the columns");
  return encode(model);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_model {
constinit const learn::NativeModel logistic = {.train = learn::train_logistic, .load = learn::load_linear_model};
}  // namespace mlp::native_model
