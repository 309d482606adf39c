#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/learn/native.h"

/// Trees over binned columns that are added up: our own form, whoever grew them.
namespace mlp::learn {

/// A node of a tree; leaves have `left` == 0. Children stand behind their parent.
struct TreeNode {
  float value = 0;           ///< leaf: what it adds to the margin
  std::uint32_t column = 0;
  std::uint32_t left = 0, right = 0;
  std::uint8_t threshold = 0;    ///< bins below it go left
  bool missing_left = false;     ///< where bin 255 goes
  template <class A>
  void fields(A& a) { a(value, column, left, right, threshold, missing_left); }
};

/// `share`: a mean of shares, which rounding may lead past 0 or 1.
enum class Link : std::uint8_t { identity, sigmoid, exp, share };

struct TreeModel {
  std::uint32_t columns = 0;
  Link link = Link::identity;
  float base = 0;                          ///< margin before the first tree
  std::vector<std::vector<TreeNode>> trees;
  std::vector<double> importance;          ///< share of the total gain of each column
  template <class A>
  void fields(A& a) { a(columns, link, base, trees, importance); }

  bool sound() const;
};

/// base plus the leaves in tree order, in float: the bits that XGBoost's own predictor gives.
std::vector<float> tree_margins(const TreeModel& model, const MatrixView& matrix);

std::string encode(const TreeModel& model);
Result<std::shared_ptr<const Model>> load_tree_model(std::string_view bytes);

}  // namespace mlp::learn
