#include <algorithm>
#include <vector>

#include "gen/native_learn_names.h"
#include "kernels/abi.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/gradient_grid.h"
#include "runtime/learn/tree_grower.h"

/// Random forests (L. Breiman, Random Forests, 2001): the mean of trees that are each grown on rows of their own, every split on columns of its own.
/// A leaf is the mean label of its rows, so a tree of a bool label says the share of true ones (E. Bauer and R. Kohavi, 1999: averaging shares is
/// no worse than counting votes).
namespace mlp::learn {
namespace {

/// How often a row is drawn, with replacement: a Poisson number with this mean, which is what drawing a share of many rows comes to (N. Oza and
/// S. Russell, Online bagging, 2001). Of one row alone, so it depends on no other.
int times_drawn(double unit, double none, double mean) {
  constexpr int kMost = 20;  // beyond it lies less than 1e-18
  double probability = none, below = none;
  int times = 0;
  for (; unit >= below && times < kMost; below += probability) probability *= mean / ++times;
  return times;
}

Result<std::string> train_random_forest(const TrainInput& input) {
  const std::size_t rows = input.label.size();
  if (rows == 0) return failure(diag::Code::E0806, "there are no training rows", "check the split and `where`");
  const auto weight = [&](std::size_t row) { return input.weight.empty() ? 1.0 : input.weight[row]; };
  ExactSum labels, weights;
  for (std::size_t i = 0; i < rows; ++i) {
    labels.add_product(weight(i), input.label[i]);
    weights.add(weight(i));
  }
  if (!(weights.value() > 0)) return failure(diag::Code::E0806, "there are no training rows with a weight above 0", "check the split and the weights");
  TreeModel model;
  model.columns = static_cast<std::uint32_t>(input.matrix.columns.size());
  if (model.columns == 0) return failure(diag::Code::E0306, "the model has no columns to learn from", "add a feature");
  model.link = input.task == Task::boolean ? Link::share : Link::identity;
  model.base = static_cast<float>(labels.value() / weights.value());

  const auto trees = static_cast<int>(number_option(input.options, "trees"));
  const double drawn = number_option(input.options, "rows"), none = exact_bits_exp(-drawn);
  GrowerSettings settings;
  settings.depth = static_cast<int>(number_option(input.options, "depth"));
  settings.learning_rate = 1.0 / trees;  // the sum of the trees is their mean
  settings.min_child_weight = number_option(input.options, "min_rows");
  settings.l2 = 0;
  settings.columns_by_node = number_option(input.options, "columns");
  settings.seed = static_cast<std::uint32_t>(draw_bits(input.seed, 0) >> 33);
  settings.base = model.base;
  settings.threads = std::max(1, input.threads);
  MLP_TRY(const auto grower, make_tree_grower(input.matrix, settings));
  std::vector<double> gradient(rows), hessian(rows);
  std::vector<float> gradient_grid(rows), hessian_grid(rows);
  for (int tree = 0; tree < trees; ++tree) {
    if (input.stopped && input.stopped()) return failure(diag::Code::E0906, "training was stopped on request", "the next run goes on from here");
    const std::uint64_t stream = draw_bits(input.seed, static_cast<std::uint64_t>(tree) + 1);
    for (std::size_t i = 0; i < rows; ++i) {
      hessian[i] = weight(i) * times_drawn(unit_double(draw_bits(stream, i)), none, drawn);
      gradient[i] = hessian[i] * (static_cast<double>(model.base) - input.label[i]);
    }
    if (!snap_to_grid(gradient, gradient_grid) || !snap_to_grid(hessian, hessian_grid))
      return failure(diag::Code::E0303, "a label times its weight is beyond the range of floats", "scale the label or the weights");
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
constinit const learn::NativeModel random_forest = {.train = learn::train_random_forest, .load = learn::load_tree_model};
}  // namespace mlp::native_model
