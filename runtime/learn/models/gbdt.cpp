#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

#include "compiler/support/check.h"
#include "gen/native_learn_names.h"
#include "kernels/abi.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/gradient_grid.h"
#include "runtime/learn/tree_grower.h"

/// Gradient boosting (Friedman 2001) with second-order leaves. Gradients are ours, on a grid where every sum is exact, so that
/// the trees do not depend on threads.
namespace mlp::learn {
namespace {

enum class Loss : std::uint8_t { logistic, squared, poisson };

Result<Loss> choose_loss(const TrainInput& input) {
  const std::string_view objective = text_option(input.options, "objective");
  const bool boolean = input.task == Task::boolean;
  if (objective == "auto") return boolean ? Loss::logistic : Loss::squared;
  const Loss loss = objective == "logistic" ? Loss::logistic : objective == "squared" ? Loss::squared : Loss::poisson;
  if (boolean != (loss == Loss::logistic))
    return failure(diag::Code::E0303, fmt::format("the objective `{}` does not fit a label that is {}", objective, boolean ? "bool" : "a number"),
                   boolean ? "use `logistic` or `auto`" : "use `squared`, `poisson` or `auto`");
  if (loss == Loss::poisson && std::ranges::any_of(input.label, [](double y) { return y < 0; }))
    return failure(diag::Code::E0303, "the objective `poisson` needs labels that are not negative", "use `squared`, or leave such rows out with `where`");
  return loss;
}

double weight_of(const TrainInput& input, std::size_t row) { return input.weight.empty() ? 1.0 : input.weight[row]; }

/// The margin at which a constant prediction loses least: the (link of the) weighted mean of the label.
Result<float> base_margin(const TrainInput& input, Loss loss) {
  ExactSum labels, weights;
  for (std::size_t i = 0; i < input.label.size(); ++i) {
    labels.add_product(weight_of(input, i), input.label[i]);
    weights.add(weight_of(input, i));
  }
  if (!(weights.value() > 0)) return failure(diag::Code::E0806, "there are no training rows with a weight above 0", "check the split and the weights");
  const double mean = labels.value() / weights.value();
  if (loss == Loss::squared) return static_cast<float>(mean);
  if (!(mean > 0) || (loss == Loss::logistic && !(mean < 1)))
    return failure(diag::Code::E0807, loss == Loss::logistic ? "the label is the same in all training rows" : "the label is 0 in all training rows",
                   "check the label, the split and `where`");
  return static_cast<float>(loss == Loss::logistic ? log_odds(mean) : exact_bits_log(mean));
}

void fill_gradients(const TrainInput& input, Loss loss, std::span<const float> margins, std::span<double> gradient, std::span<double> hessian) {
  // As XGBoost: the hessian is at least 1e-16, and Poisson's is eased by exp(0.7), so that steps stay small.
  static constexpr double kLeast = 1e-16, kEase = 0.7;
  for (std::size_t i = 0; i < margins.size(); ++i) {
    const double y = input.label[i], m = margins[i], w = weight_of(input, i);
    switch (loss) {
      case Loss::squared:
        gradient[i] = w * (m - y);
        hessian[i] = w;
        break;
      case Loss::logistic: {
        const double p = sigmoid(m);
        gradient[i] = w * (p - y);
        hessian[i] = w * std::max(p * (1.0 - p), kLeast);
        break;
      }
      case Loss::poisson:
        gradient[i] = w * (exact_bits_exp(m) - y);
        hessian[i] = w * exact_bits_exp(m + kEase);
        break;
    }
  }
}

Result<std::string> train_gbdt(const TrainInput& input) {
  MLP_TRY(const Loss loss, choose_loss(input));
  if (input.label.empty()) return failure(diag::Code::E0806, "there are no training rows", "check the split and `where`");
  TreeModel model;
  model.columns = static_cast<std::uint32_t>(input.matrix.columns.size());
  model.link = loss == Loss::logistic ? Link::sigmoid : loss == Loss::poisson ? Link::exp : Link::identity;
  MLP_TRY(model.base, base_margin(input, loss));

  GrowerSettings settings;
  settings.depth = static_cast<int>(number_option(input.options, "depth"));
  settings.learning_rate = number_option(input.options, "learning_rate");
  settings.min_child_weight = number_option(input.options, "min_child_weight");
  settings.l2 = number_option(input.options, "l2");
  settings.base = model.base;
  settings.threads = std::max(1, input.threads);
  const auto trees = static_cast<int>(number_option(input.options, "trees"));
  const double subsample = number_option(input.options, "subsample");
  if (model.columns == 0) return failure(diag::Code::E0306, "the model has no columns to learn from", "add a feature");

  MLP_TRY(const auto grower, make_tree_grower(input.matrix, settings));
  const std::size_t rows = input.label.size();
  std::vector<double> gradient(rows), hessian(rows);
  std::vector<float> gradient_grid(rows), hessian_grid(rows);
  for (int tree = 0; tree < trees; ++tree) {
    if (input.stopped && input.stopped()) return failure(diag::Code::E0906, "training was stopped on request", "the next run goes on from here");
    MLP_TRY(const auto margins, grower->margins());
    fill_gradients(input, loss, margins, gradient, hessian);
    if (subsample < 1) {
      const std::uint64_t stream = draw_bits(input.seed, static_cast<std::uint64_t>(tree));
      for (std::size_t i = 0; i < rows; ++i)
        if (unit_double(draw_bits(stream, i)) >= subsample) gradient[i] = hessian[i] = 0;
    }
    if (!snap_to_grid(gradient, gradient_grid) || !snap_to_grid(hessian, hessian_grid))
      return failure(diag::Code::E0303, "the training diverged: a gradient is beyond the range of floats",
                     "use a smaller `learning_rate`, or scale the label");
    MLP_TRY_VOID(grower->grow(gradient_grid, hessian_grid));
  }
  MLP_TRY(model.trees, grower->trees(model.importance));
  double total = 0;
  for (const double gain : model.importance) total += gain;
  if (total > 0)
    for (double& gain : model.importance) gain /= total;
  if (!model.sound()) return failure(diag::Code::E0907, "XGBoost made trees that cannot be used", "use XGBoost 1.7");
  return encode(model);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_model {
constinit const learn::NativeModel gbdt = {.train = learn::train_gbdt, .load = learn::load_tree_model};
}  // namespace mlp::native_model
