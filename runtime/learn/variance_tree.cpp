#include "runtime/learn/variance_tree.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "compiler/support/check.h"
#include "kernels/abi.h"

namespace mlp::learn {

namespace {

/// Rows on one side of a split: their weight, and the sum of their weighted values.
struct Side {
  double weight = 0, sum = 0;
  void add(const DrawnRow& row) { weight += row.weight, sum += row.weight * row.value; }
  Side plus(const Side& other) const { return {weight + other.weight, sum + other.sum}; }
  Side minus(const Side& other) const { return {weight - other.weight, sum - other.sum}; }
  /// By so much the sum of squares is less around their mean than around 0.
  double reduction() const { return sum * sum / weight; }
};

/// The rows of a node that have one bin.
struct Bin {
  std::uint8_t bin = 0;
  Side rows;
};

struct Split {
  double gain = 0;
  std::uint32_t column = 0;
  std::uint8_t threshold = 0;  ///< 0: there is none
  bool missing_left = false;
};

struct Node {
  std::size_t place = 0;  ///< among the nodes of the tree
  std::size_t begin = 0, end = 0;
  int depth = 0;
};

struct Grower {
  const MatrixView& matrix;
  const VarianceTreeSettings& settings;
  std::vector<DrawnRow> rows;
  std::vector<double>& gains;
  std::vector<TreeNode> tree = {};
  std::vector<std::uint32_t> columns = {};  ///< in the order in which they were drawn last
  std::uint64_t draws = 0;
  std::vector<DrawnRow> right = {};
  std::array<Side, 256> histogram = {};
  std::array<Bin, 256> bins = {};

  /// The bins of a column in the rows of a node, ascending, without the missing ones.
  std::span<const Bin> bins_of(std::span<const DrawnRow> of, std::uint32_t column, Side& missing) {
    const std::uint8_t* const values = matrix.columns[column].bins;
    std::size_t count = 0;
    // So few rows are sorted sooner than all bins are looked through.
    constexpr std::size_t kFew = 32;
    if (of.size() <= kFew) {
      for (const DrawnRow& row : of) {
        const std::uint8_t bin = values[row.row];
        if (bin == kMissingBin) {
          missing.add(row);
          continue;
        }
        std::size_t at = count;
        while (at > 0 && bins[at - 1].bin > bin) --at;
        if (at == 0 || bins[at - 1].bin != bin) {
          std::copy_backward(bins.begin() + static_cast<std::ptrdiff_t>(at), bins.begin() + static_cast<std::ptrdiff_t>(count), bins.begin() + static_cast<std::ptrdiff_t>(count + 1));
          bins[at] = {bin, {}};
          ++count, ++at;
        }
        bins[at - 1].rows.add(row);
      }
      return {bins.data(), count};
    }
    histogram.fill({});
    for (const DrawnRow& row : of) histogram[values[row.row]].add(row);
    missing = histogram[kMissingBin];
    for (std::size_t bin = 0; bin < kMissingBin; ++bin)
      if (histogram[bin].weight > 0) bins[count++] = {static_cast<std::uint8_t>(bin), histogram[bin]};
    return {bins.data(), count};
  }

  void consider(const Side& all, std::span<const DrawnRow> of, std::uint32_t column, Split& best) {
    Side missing, left;
    const std::span<const Bin> found = bins_of(of, column, missing);
    const auto offer = [&](const Side& a, const Side& b, int threshold, bool missing_left) {
      if (!(a.weight >= settings.min_rows && b.weight >= settings.min_rows && a.weight > 0 && b.weight > 0)) return;
      // Below this share it is what rounding leaves of nothing.
      constexpr double kLeast = 1e-13;
      const double both = a.reduction() + b.reduction(), gain = both - all.reduction();
      if (gain > best.gain && gain > kLeast * both) best = {gain, column, static_cast<std::uint8_t>(threshold), missing_left};
    };
    for (std::size_t i = 0; i + 1 < found.size(); ++i) {
      left = left.plus(found[i].rows);
      const int threshold = (found[i].bin + found[i + 1].bin + 1) / 2;
      if (missing.weight > 0) {
        offer(left, all.minus(left), threshold, false);
        const Side with_missing = left.plus(missing);
        offer(with_missing, all.minus(with_missing), threshold, true);
      } else {
        const Side others = all.minus(left);
        offer(left, others, threshold, left.weight > others.weight);
      }
    }
    if (missing.weight > 0 && !found.empty()) offer(left.plus(found.back().rows), missing, kMissingBin, false);
  }

  Split best_split(const Side& all, std::span<const DrawnRow> of) {
    Split best;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::uint64_t others = columns.size() - i;
      const auto pick = static_cast<std::size_t>((static_cast<unsigned __int128>(draw_bits(settings.stream, draws++)) * others) >> 64);
      std::swap(columns[i], columns[i + pick]);
      consider(all, of, columns[i], best);
      if (i + 1 >= settings.columns && best.threshold > 0) break;
    }
    return best;
  }

  /// The rows that go left to the front, all in their order; gives where the others begin.
  std::size_t partition(const Node& node, const Split& split) {
    const std::uint8_t* const values = matrix.columns[split.column].bins;
    right.clear();
    std::size_t to = node.begin;
    for (std::size_t i = node.begin; i < node.end; ++i) {
      const std::uint8_t bin = values[rows[i].row];
      if (bin == kMissingBin ? split.missing_left : bin < split.threshold) rows[to++] = rows[i];
      else right.push_back(rows[i]);
    }
    std::copy(right.begin(), right.end(), rows.begin() + static_cast<std::ptrdiff_t>(to));
    return to;
  }

  bool grow() {
    columns.resize(matrix.columns.size());
    std::iota(columns.begin(), columns.end(), 0u);
    tree.emplace_back();
    std::vector<Node> open = {{0, 0, rows.size(), 0}};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      constexpr std::size_t kMany = 100'000;
      if (settings.stopped && *settings.stopped && node.end - node.begin > kMany && (*settings.stopped)()) return false;
      const std::span<const DrawnRow> of(rows.data() + node.begin, node.end - node.begin);
      Side all;
      for (const DrawnRow& row : of) all.add(row);
      const bool one_value = std::all_of(of.begin(), of.end(), [&](const DrawnRow& row) { return row.value == of[0].value; });
      const Split split = one_value || node.depth == settings.depth || !(all.weight >= 2 * settings.min_rows) ? Split{} : best_split(all, of);
      if (split.threshold == 0) {
        tree[node.place].value = static_cast<float>(all.weight > 0 ? all.sum / all.weight * settings.scale : 0.0);
        continue;
      }
      gains[split.column] += split.gain;
      const std::size_t middle = partition(node, split), left = tree.size();
      TreeNode& parent = tree[node.place];
      parent.column = split.column;
      parent.threshold = split.threshold;
      parent.missing_left = split.missing_left;
      parent.left = static_cast<std::uint32_t>(left), parent.right = static_cast<std::uint32_t>(left + 1);
      tree.resize(left + 2);
      open.push_back({left + 1, middle, node.end, node.depth + 1});
      open.push_back({left, node.begin, middle, node.depth + 1});
    }
    return true;
  }
};

}  // namespace

std::vector<TreeNode> grow_variance_tree(const MatrixView& matrix, std::vector<DrawnRow> rows, const VarianceTreeSettings& settings, std::vector<double>& gains) {
  MLP_CHECK(!matrix.columns.empty() && gains.size() == matrix.columns.size());
  Grower grower{matrix, settings, std::move(rows), gains};
  return grower.grow() ? std::move(grower.tree) : std::vector<TreeNode>();
}

}  // namespace mlp::learn
