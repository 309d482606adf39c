#include "runtime/learn/tree_model.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/encoding.h"
#include "runtime/learn/tree_table.h"

namespace mlp::learn {
namespace {

constexpr std::uint32_t kFormat = 0x3001, kVersion = 1;
constexpr std::size_t kBlock = 256;  // rows whose margins stay in the first cache while a tree's nodes do

struct AddedTrees final : Model {
  explicit AddedTrees(TreeModel trees) : trees_(std::move(trees)), table_(TreeTable::make(trees_)) {}
  std::size_t columns() const override { return trees_.columns; }
  std::vector<double> margins(const MatrixView& matrix) const override {
    const std::vector<float> m = table_ ? table_->margins(matrix) : tree_margins(trees_, matrix);
    return {m.begin(), m.end()};
  }
  std::vector<double> predict(const MatrixView& matrix) const override {
    std::vector<double> out = margins(matrix);
    if (trees_.link == Link::sigmoid) sigmoid(out, out);
    if (trees_.link == Link::exp)
      for (double& v : out) v = exact_bits_exp(v);
    if (trees_.link == Link::share)
      for (double& v : out) v = std::clamp(v, 0.0, 1.0);
    return out;
  }
  std::vector<double> importance() const override { return trees_.importance; }
  std::vector<std::pair<std::string, std::string>> describe() const override {
    std::size_t nodes = 0;
    for (const auto& tree : trees_.trees) nodes += tree.size();
    return {{"trees", fmt::format("{}", trees_.trees.size())}, {"nodes", fmt::format("{}", nodes)}};
  }

 private:
  TreeModel trees_;
  std::optional<TreeTable> table_;  ///< nothing: the trees are walked
};

}  // namespace

bool TreeModel::sound() const {
  if (link != Link::identity && link != Link::sigmoid && link != Link::exp && link != Link::share) return false;
  if (!std::isfinite(base) || importance.size() != columns) return false;
  for (const auto& tree : trees) {
    if (tree.empty()) return false;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const TreeNode& node = tree[i];
      if (node.left == 0) {
        if (!std::isfinite(node.value)) return false;
        continue;
      }
      if (node.column >= columns || node.left <= i || node.right <= i || node.left >= tree.size() || node.right >= tree.size()) return false;
    }
  }
  return true;
}

std::vector<float> tree_margins(const TreeModel& model, const MatrixView& matrix) {
  MLP_CHECK(matrix.columns.size() == model.columns);
  std::vector<float> margins(matrix.rows, model.base);
  for (std::size_t begin = 0; begin < matrix.rows; begin += kBlock) {
    const std::size_t end = std::min(matrix.rows, begin + kBlock);
    for (const auto& tree : model.trees) {
      for (std::size_t row = begin; row < end; ++row) {
        const TreeNode* node = tree.data();
        while (node->left != 0) {
          const std::uint8_t bin = matrix.columns[node->column].bins[row];
          const bool left = bin == kMissingBin ? node->missing_left : bin < node->threshold;
          node = tree.data() + (left ? node->left : node->right);
        }
        margins[row] += node->value;
      }
    }
  }
  return margins;
}

std::string encode(const TreeModel& model) { return encode_state(kFormat, kVersion, model); }

Result<std::shared_ptr<const Model>> load_tree_model(std::string_view bytes) {
  MLP_TRY(TreeModel trees, decode_state<TreeModel>(bytes, kFormat, kVersion, "a model"));
  if (!trees.sound()) return damaged("a model");
  return std::make_shared<const AddedTrees>(std::move(trees));
}

}  // namespace mlp::learn
