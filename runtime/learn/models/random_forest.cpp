#include <algorithm>
#include <optional>
#include <vector>

#include "gen/native_learn_names.h"
#include "kernels/abi.h"
#include "runtime/column/parallel.h"
#include "runtime/learn/cells.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/variance_tree.h"

/// Random forests (L. Breiman, Random Forests, 2001): the mean of trees that are each grown on rows of their own, every split on columns of its own.
/// A leaf is the mean label of its rows, so a tree of a bool label says the share of true ones (E. Bauer and R. Kohavi, 1999: averaging shares is
/// no worse than counting votes).
namespace mlp::learn {
namespace {

/// How often a row is drawn, with replacement: a Poisson number with this mean, which is what drawing a share of many rows comes to (N. Oza and
/// S. Russell, Online bagging, 2001). Of one row alone, so it depends on no other. `none`: exp(-mean).
int times_drawn(double unit, double none, double mean) {
  constexpr int kMost = 20;  // beyond it lies less than 1e-18
  double probability = none, below = none;
  int times = 0;
  for (; unit >= below && times < kMost; below += probability) probability *= mean / ++times;
  return times;
}

std::unexpected<diag::Diagnostic> stopped() { return failure(diag::Code::E0906, "training was stopped on request", "the next run goes on from here"); }

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

  const auto trees = static_cast<std::size_t>(number_option(input.options, "trees"));
  const double drawn = number_option(input.options, "rows"), none = exact_bits_exp(-drawn);
  VarianceTreeSettings settings;
  settings.depth = static_cast<int>(number_option(input.options, "depth"));
  settings.min_rows = number_option(input.options, "min_rows");
  settings.columns = std::max<std::size_t>(1, static_cast<std::size_t>(number_option(input.options, "columns") * model.columns + 1e-9));
  settings.scale = 1.0 / static_cast<double>(trees);  // the sum of the trees is their mean
  settings.stopped = &input.stopped;
  model.trees.resize(trees);
  std::vector<std::vector<double>> gains(trees, std::vector<double>(model.columns, 0.0));
  parallel_for(trees, [&](std::size_t tree) {
    if (input.stopped && input.stopped()) return;
    const std::uint64_t stream = draw_bits(input.seed, tree);
    std::vector<DrawnRow> own;
    own.reserve(static_cast<std::size_t>(static_cast<double>(rows) * (1 - none) * 1.05) + 64);
    for (std::size_t i = 0; i < rows; ++i)
      if (const double w = weight(i) * times_drawn(unit_double(draw_bits(stream, i)), none, drawn); w > 0)
        own.push_back({static_cast<std::uint32_t>(i), w, input.label[i] - static_cast<double>(model.base)});
    VarianceTreeSettings of_tree = settings;
    of_tree.stream = draw_bits(stream, rows);
    model.trees[tree] = grow_variance_tree(input.matrix, std::move(own), of_tree, gains[tree]);
  });
  if (std::ranges::any_of(model.trees, [](const auto& tree) { return tree.empty(); })) return stopped();
  model.importance.assign(model.columns, 0.0);
  double total = 0;
  for (const std::vector<double>& of_tree : gains)
    for (std::size_t c = 0; c < of_tree.size(); ++c) model.importance[c] += of_tree[c], total += of_tree[c];
  if (total > 0)
    for (double& gain : model.importance) gain /= total;
  if (!model.sound()) return failure(diag::Code::E0303, "a leaf of the forest is beyond the range of floats", "scale the label");
  return encode(model);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_model {
constinit const learn::NativeModel random_forest = {.train = learn::train_random_forest, .load = learn::load_tree_model};
}  // namespace mlp::native_model
