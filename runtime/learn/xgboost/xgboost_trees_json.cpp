#include "runtime/learn/xgboost/xgboost_trees_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace mlp::learn {

Result<std::vector<std::vector<TreeNode>>> read_xgboost_trees(std::string_view ubj, std::vector<double>& gains) {
  const auto unreadable = [] { return failure(diag::Code::E0907, "the trees that XGBoost made cannot be read", "use XGBoost 1.7"); };
  try {
    const auto model = nlohmann::json::from_ubjson(ubj.begin(), ubj.end());
    std::vector<std::vector<TreeNode>> trees;
    for (const auto& tree : model.at("learner").at("gradient_booster").at("model").at("trees")) {
      const auto left = tree.at("left_children").get<std::vector<std::int64_t>>();
      const auto right = tree.at("right_children").get<std::vector<std::int64_t>>();
      const auto column = tree.at("split_indices").get<std::vector<std::int64_t>>();
      const auto condition = tree.at("split_conditions").get<std::vector<float>>();
      const auto default_left = tree.at("default_left").get<std::vector<int>>();
      const auto gain = tree.at("loss_changes").get<std::vector<float>>();
      const std::size_t nodes = left.size();
      if (nodes == 0 || right.size() != nodes || column.size() != nodes || condition.size() != nodes || default_left.size() != nodes ||
          gain.size() != nodes)
        return unreadable();
      std::vector<TreeNode>& to = trees.emplace_back(nodes);
      for (std::size_t i = 0; i < nodes; ++i) {
        if (left[i] < 0) {
          to[i].value = condition[i];  // a leaf's value shares its place with the condition
          continue;
        }
        // Bins are whole: bin < condition. A condition beyond all bins parts the known from the missing.
        const float threshold = std::clamp(std::ceil(condition[i]), 0.0f, 255.0f);
        const auto in_tree = [&](std::int64_t child) { return child > static_cast<std::int64_t>(i) && child < static_cast<std::int64_t>(nodes); };
        if (!std::isfinite(condition[i]) || !in_tree(left[i]) || !in_tree(right[i]) || column[i] < 0 ||
            static_cast<std::size_t>(column[i]) >= gains.size())
          return unreadable();
        to[i].column = static_cast<std::uint32_t>(column[i]);
        to[i].left = static_cast<std::uint32_t>(left[i]);
        to[i].right = static_cast<std::uint32_t>(right[i]);
        to[i].threshold = static_cast<std::uint8_t>(threshold);
        to[i].missing_left = default_left[i] != 0;
        gains[to[i].column] += gain[i];
      }
    }
    return trees;
  } catch (const nlohmann::json::exception&) {
    return unreadable();
  }
}

}  // namespace mlp::learn
