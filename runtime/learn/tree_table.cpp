#include "runtime/learn/tree_table.h"

#include <algorithm>
#include <array>

#include "compiler/support/check.h"

namespace mlp::learn {

namespace {

constexpr std::size_t kDeepest = 8;               // 255 nodes a tree
constexpr std::size_t kTogether = 8;              // chains of loads that do not wait for each other
constexpr std::size_t kBlockBytes = 16 * 1024;    // rows beside one tree's nodes in the first cache

std::size_t depth_of(const std::vector<TreeNode>& tree) {
  std::vector<std::size_t> depth(tree.size(), 0);
  std::size_t deepest = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    deepest = std::max(deepest, depth[i]);
    if (tree[i].left != 0) depth[tree[i].left] = depth[tree[i].right] = depth[i] + 1;
  }
  return deepest;
}

}  // namespace

std::optional<TreeTable> TreeTable::make(const TreeModel& model) {
  TreeTable table;
  for (const auto& tree : model.trees) table.depth_ = std::max(table.depth_, depth_of(tree));
  if (table.depth_ > kDeepest || model.columns >= 1u << 15) return std::nullopt;
  table.columns_ = model.columns;
  table.base_ = model.base;
  table.trees_ = model.trees.size();
  const std::size_t nodes = (std::size_t{1} << table.depth_) - 1, leaves = nodes + 1;
  table.nodes_.resize(nodes * table.trees_);
  table.leaves_.resize(leaves * table.trees_);
  for (std::size_t t = 0; t < table.trees_; ++t)
    table.fill(model.trees[t], 0, 0, 0, table.nodes_.data() + t * nodes, table.leaves_.data() + t * leaves);
  return table;
}

/// The node at position `to` of `level`, counted from 0 within its tree. Below a leaf all leaves are the same, whichever way leads there.
void TreeTable::fill(const std::vector<TreeNode>& tree, std::uint32_t from, std::size_t to, std::size_t level, Node* nodes, float* leaves) const {
  const TreeNode& node = tree[from];
  if (level == depth_) {
    leaves[to - ((std::size_t{1} << depth_) - 1)] = node.value;
    return;
  }
  if (node.left != 0) {
    nodes[to].byte = static_cast<std::uint16_t>(2 * node.column + (node.missing_left ? 1 : 0));
    nodes[to].threshold = static_cast<std::uint16_t>(node.threshold + (node.missing_left ? 1 : 0));
  }
  fill(tree, node.left != 0 ? node.left : from, 2 * to + 1, level + 1, nodes, leaves);
  fill(tree, node.left != 0 ? node.right : from, 2 * to + 2, level + 1, nodes, leaves);
}

void TreeTable::one_row(const std::uint8_t* row, float& margin) const {
  const std::size_t nodes = (std::size_t{1} << depth_) - 1, leaves = nodes + 1;
  const Node* first = nodes_.data();
  const float* leaf = leaves_.data();
  std::size_t tree = 0;
  for (; tree + kTogether <= trees_; tree += kTogether, first += kTogether * nodes, leaf += kTogether * leaves) {
    std::array<std::size_t, kTogether> at{};
    for (std::size_t level = 0; level < depth_; ++level)
#pragma GCC unroll 8
      for (std::size_t k = 0; k < kTogether; ++k) {
        const Node node = first[k * nodes + at[k]];
        at[k] = 2 * at[k] + 1 + (row[node.byte] >= node.threshold);
      }
    // In the order of the trees: a float sum depends on it.
#pragma GCC unroll 8
    for (std::size_t k = 0; k < kTogether; ++k) margin += leaf[k * leaves + at[k] - nodes];
  }
  for (; tree < trees_; ++tree, first += nodes, leaf += leaves) {
    std::size_t at = 0;
    for (std::size_t level = 0; level < depth_; ++level) at = 2 * at + 1 + (row[first[at].byte] >= first[at].threshold);
    margin += leaf[at - nodes];
  }
}

void TreeTable::block(const std::uint8_t* rows, std::size_t count, float* margins) const {
  const std::size_t nodes = (std::size_t{1} << depth_) - 1, leaves = nodes + 1, width = 2 * columns_;
  const std::size_t together = count - count % kTogether;
  const Node* tree = nodes_.data();
  const float* leaf = leaves_.data();
  for (std::size_t t = 0; t < trees_; ++t, tree += nodes, leaf += leaves)
    for (std::size_t r = 0; r < together; r += kTogether) {
      const std::uint8_t* row = rows + r * width;
      std::array<std::size_t, kTogether> at{};
      for (std::size_t level = 0; level < depth_; ++level)
#pragma GCC unroll 8
        for (std::size_t k = 0; k < kTogether; ++k) {
          const Node node = tree[at[k]];
          at[k] = 2 * at[k] + 1 + (row[k * width + node.byte] >= node.threshold);
        }
#pragma GCC unroll 8
      for (std::size_t k = 0; k < kTogether; ++k) margins[r + k] += leaf[at[k] - nodes];
    }
  for (std::size_t r = together; r < count; ++r) one_row(rows + r * width, margins[r]);
}

std::vector<float> TreeTable::margins(const MatrixView& matrix) const {
  MLP_CHECK(matrix.columns.size() == columns_);
  std::vector<float> margins(matrix.rows, base_);
  const std::size_t width = 2 * columns_;
  const std::size_t most = std::max(kTogether, kBlockBytes / std::max<std::size_t>(width, 1) / kTogether * kTogether);
  // One byte more than a row has: where no tree splits, the first byte is looked at all the same.
  std::vector<std::uint8_t> rows(std::min(most, matrix.rows) * width + 1);
  for (std::size_t begin = 0; begin < matrix.rows; begin += most) {
    const std::size_t count = std::min(most, matrix.rows - begin);
    for (std::size_t c = 0; c < columns_; ++c) {
      const std::uint8_t* from = matrix.columns[c].bins + begin;
      std::uint8_t* to = rows.data() + 2 * c;
      for (std::size_t r = 0; r < count; ++r, to += width) to[0] = from[r], to[1] = static_cast<std::uint8_t>(from[r] + 1);
    }
    block(rows.data(), count, margins.data() + begin);
  }
  return margins;
}

}  // namespace mlp::learn
