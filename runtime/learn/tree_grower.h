#pragma once

#include <memory>
#include <span>

#include "runtime/learn/tree_model.h"

/// What grows trees from gradients. Lives in a module that is loaded on first use; training alone needs it.
namespace mlp::learn {

struct GrowerSettings {
  int depth = 6;
  double learning_rate = 0.1;
  double min_child_weight = 1;
  double l2 = 1;
  float base = 0;
  int threads = 1;
};

struct TreeGrower {
  virtual ~TreeGrower() = default;
  /// Grows one tree from the gradient and hessian of each row. They must lie on grids on which every sum of them is exact in
  /// double; then the tree does not depend on the number of threads.
  virtual Result<void> grow(std::span<const float> gradient, std::span<const float> hessian) = 0;
  /// The margin of each training row after the trees grown so far.
  virtual Result<std::span<const float>> margins() = 0;
  /// All trees, and each column's total gain in `gains`.
  virtual Result<std::vector<std::vector<TreeNode>>> trees(std::vector<double>& gains) = 0;
  /// The margins that the growing library itself predicts for other rows; the oracle of tests.
  virtual Result<std::vector<float>> oracle(const MatrixView& matrix) = 0;
};

/// A grower over binned columns, which are copied. E0905: the module is missing; E0907: the library failed.
Result<std::unique_ptr<TreeGrower>> make_tree_grower(const MatrixView& matrix, const GrowerSettings& settings);

/// What the module exports as `mlp_tree_grower_factory`.
struct TreeGrowerFactory {
  std::uint32_t version;
  Result<std::unique_ptr<TreeGrower>> (*make)(const MatrixView& matrix, const GrowerSettings& settings);
};
inline constexpr std::uint32_t kTreeGrowerVersion = 1;

}  // namespace mlp::learn
