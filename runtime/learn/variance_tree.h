#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/learn/tree_model.h"

/// One tree of a forest, grown on rows of its own. By one thread, row after row, so it has the same bits on every machine.
namespace mlp::learn {

struct DrawnRow {
  std::uint32_t row = 0;  ///< of the matrix
  double weight = 0;      ///< above 0
  double value = 0;       ///< what a leaf is the mean of
};

struct VarianceTreeSettings {
  int depth = 20;
  double min_rows = 1;        ///< weight of a leaf, at least
  std::size_t columns = 1;    ///< looked at for a split; more where these have none
  double scale = 1;           ///< of the leaves
  std::uint64_t stream = 0;   ///< that columns are drawn from
  const std::function<bool()>* stopped = nullptr;
};

/// Splits of the greatest reduction of the sum of squares (L. Breiman and others, Classification and Regression Trees, 1984), over bins; missing
/// values go to the side where they reduce it more, and where a split saw none to the heavier one. Adds each column's reductions to `gains`. Empty: stopped.
std::vector<TreeNode> grow_variance_tree(const MatrixView& matrix, std::vector<DrawnRow> rows, const VarianceTreeSettings& settings, std::vector<double>& gains);

}  // namespace mlp::learn
