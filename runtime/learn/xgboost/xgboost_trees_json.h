#pragma once

#include <string_view>
#include <vector>

#include "runtime/learn/tree_model.h"

namespace mlp::learn {

/// The trees of an XGBoost 1.7 model in its binary JSON (UBJ): floats come through with all their bits. Adds the gain of each
/// split to its column in `gains`.
Result<std::vector<std::vector<TreeNode>>> read_xgboost_trees(std::string_view ubj, std::vector<double>& gains);

}  // namespace mlp::learn
