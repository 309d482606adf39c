#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/learn/tree_model.h"

/// Trees as one table: every tree is filled up to a full one of the same depth, so that a node's children follow from its
/// position and a step down is a load and a comparison, without a branch. Eight rows, or eight trees of one row, go down together.
namespace mlp::learn {

class TreeTable {
 public:
  /// Nothing where filling up would take too much: trees deeper than 8, or 32,768 columns.
  static std::optional<TreeTable> make(const TreeModel& model);
  /// As tree_margins, bit for bit.
  std::vector<float> margins(const MatrixView& matrix) const;

 private:
  /// A row has two bytes a column: its bin, for nodes where a missing value (255) goes right, and the bin after it, where missing
  /// is 0, for those where it goes left. Below `threshold` goes left.
  struct Node {
    std::uint16_t byte = 0;
    std::uint16_t threshold = 0;  ///< up to 256: all go left
  };
  void fill(const std::vector<TreeNode>& tree, std::uint32_t from, std::size_t to, std::size_t level, Node* nodes, float* leaves) const;
  void one_row(const std::uint8_t* row, float& margin) const;
  void block(const std::uint8_t* rows, std::size_t count, float* margins) const;

  std::size_t columns_ = 0, trees_ = 0, depth_ = 0;
  float base_ = 0;
  std::vector<Node> nodes_;    ///< 2^depth - 1 of each tree, by level
  std::vector<float> leaves_;  ///< 2^depth of each tree
};

}  // namespace mlp::learn
