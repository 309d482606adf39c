#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "runtime/learn/gradient_grid.h"
#include "runtime/learn/native.h"
#include "runtime/learn/tree_grower.h"
#include "runtime/learn/tree_model.h"
#include "runtime/learn/tree_table.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

/// Binned columns with missing values, and labels that hang on them: bool, and a number with heavy tails.
struct Table {
  std::vector<std::vector<std::uint8_t>> bins;
  std::vector<double> boolean, heavy;
  MatrixView view() const {
    MatrixView v;
    v.rows = boolean.size();
    for (const auto& column : bins) v.columns.push_back({column.data(), nullptr});
    return v;
  }
};

Table make_table(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Table t;
  t.bins.assign(columns, std::vector<std::uint8_t>(rows));
  for (std::size_t r = 0; r < rows; ++r) {
    double score = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      const auto bin = static_cast<std::uint8_t>(unit() * 255);
      t.bins[c][r] = unit() < 0.07 ? kMissingBin : bin;
      score += (t.bins[c][r] == kMissingBin ? 0.3 : bin / 255.0 - 0.5) * (c % 3 == 0 ? 2 : -1);
    }
    t.boolean.push_back(unit() < 1 / (1 + std::exp(-2 * score)) ? 1 : 0);
    t.heavy.push_back(score * 10 + std::tan(3.14159 * (unit() - 0.5)) * 50);  // Cauchy noise
  }
  return t;
}

Options options(std::int64_t trees, std::int64_t depth = 6, double subsample = 1, const char* objective = "auto") {
  return {{"objective", std::string(objective)}, {"trees", trees}, {"depth", depth}, {"learning_rate", 0.1},
          {"min_child_weight", 1.0}, {"l2", 1.0}, {"subsample", subsample}};
}

const NativeModel& gbdt() {
  const NativeModel* model = find_model("gbdt");
  REQUIRE(model != nullptr);
  return *model;
}

std::string train(const Table& t, Task task, int threads, Options opts, std::span<const double> weight = {}) {
  TrainInput input;
  input.matrix = t.view();
  input.label = task == Task::boolean ? std::span<const double>(t.boolean) : std::span<const double>(t.heavy);
  input.weight = weight;
  input.options = std::move(opts);
  input.seed = 11;
  input.task = task;
  input.threads = threads;
  const auto bytes = gbdt().train(input);
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("values on the gradient grid sum exactly in any order") {
  std::mt19937_64 random(5);
  std::vector<double> x;
  for (int i = 0; i < 4000; ++i) x.push_back(std::tan(3.14159 * (static_cast<double>(random() >> 11) * 0x1p-53 - 0.5)));
  std::vector<float> grid(x.size());
  REQUIRE(snap_to_grid(x, grid));
  double forward = 0, backward = 0;
  long double wide = 0;
  double largest = 0;
  for (const double v : x) largest = std::max(largest, std::fabs(v));
  for (std::size_t i = 0; i < grid.size(); ++i) {
    forward += grid[i];
    backward += grid[grid.size() - 1 - i];
    wide += grid[i];
    CHECK(std::fabs(grid[i] - x[i]) <= std::fabs(x[i]) * 0x1p-23 + largest * 0x1p-38);
  }
  CHECK(forward == backward);
  CHECK(static_cast<long double>(forward) == wide);
  x[3] = 1e200;
  CHECK_FALSE(snap_to_grid(x, grid));
}

TEST_CASE("boosted trees are the same bits at 1, 2, 3 and 8 threads") {
  const Table t = make_table(6'000, 6, 1);
  for (const Task task : {Task::boolean, Task::real}) {
    for (const double subsample : {1.0, 0.6}) {
      const std::string one = train(t, task, 1, options(8, 5, subsample));
      for (const int threads : {2, 3, 8}) CHECK(train(t, task, threads, options(8, 5, subsample)) == one);
    }
  }
}

TEST_CASE("the table of trees gives the margins of walking them, one row or many, whatever the trees look like") {
  std::mt19937_64 random(11);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int turn = 0; turn < 60; ++turn) {
    TreeModel model;
    model.columns = 1 + static_cast<std::uint32_t>(below(9));
    model.base = static_cast<float>(below(100)) / 7;
    model.importance.assign(model.columns, 0.0);
    const std::size_t deepest = below(9);
    for (std::uint64_t t = below(40); t > 0; --t) {
      std::vector<TreeNode> tree(1);
      std::vector<std::size_t> depth(1, 0);
      for (std::size_t i = 0; i < tree.size(); ++i) {
        tree[i].value = static_cast<float>(below(2001)) / 1000 - 1;
        if (depth[i] == deepest || below(5) == 0) continue;
        tree[i].column = static_cast<std::uint32_t>(below(model.columns));
        const std::uint8_t edges[] = {0, 1, 127, 254, 255};
        tree[i].threshold = below(2) ? edges[below(5)] : static_cast<std::uint8_t>(below(256));
        tree[i].missing_left = below(2) == 0;
        tree[i].left = static_cast<std::uint32_t>(tree.size());
        tree[i].right = tree[i].left + 1;
        tree.resize(tree.size() + 2);
        depth.resize(tree.size(), depth[i] + 1);
      }
      model.trees.push_back(std::move(tree));
    }
    REQUIRE(model.sound());
    const auto table = TreeTable::make(model);
    REQUIRE(table);
    for (const std::size_t rows : {0, 1, 7, 8, 9, 500}) {
      std::vector<std::vector<std::uint8_t>> bins(model.columns, std::vector<std::uint8_t>(rows));
      MatrixView view;
      view.rows = rows;
      for (auto& column : bins) {
        for (auto& bin : column) bin = below(3) ? static_cast<std::uint8_t>(below(256)) : static_cast<std::uint8_t>(254 + below(2));
        view.columns.push_back({column.data(), nullptr});
      }
      CHECK(table->margins(view) == tree_margins(model, view));
    }
  }
}

TEST_CASE("our traversal of the trees gives the margins of XGBoost's own predictor, bit for bit") {
  const Table t = make_table(6'000, 7, 2);
  const Table other = make_table(3'000, 7, 3);
  GrowerSettings settings;
  settings.depth = 8;
  settings.base = 0.37f;
  settings.threads = 1;
  auto grower = make_tree_grower(t.view(), settings);
  REQUIRE(grower);
  std::vector<double> g(t.boolean.size()), h(t.boolean.size(), 1.0);
  std::vector<float> gf(g.size()), hf(g.size());
  for (int round = 0; round < 40; ++round) {
    const auto margins = (*grower)->margins();
    REQUIRE(margins);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = (*margins)[i] - t.heavy[i];
    REQUIRE(snap_to_grid(g, gf));
    REQUIRE(snap_to_grid(h, hf));
    REQUIRE((*grower)->grow(gf, hf));
  }
  TreeModel model;
  model.columns = 7;
  model.base = settings.base;
  auto trees = (*grower)->trees(model.importance);
  REQUIRE(trees);
  model.trees = *trees;
  REQUIRE(model.trees.size() == 40);
  REQUIRE(model.sound());
  const auto oracle = (*grower)->oracle(other.view());
  REQUIRE(oracle);
  CHECK(tree_margins(model, other.view()) == *oracle);
  const auto table = TreeTable::make(model);
  REQUIRE(table);
  CHECK(table->margins(other.view()) == *oracle);
  const auto trained = (*grower)->margins();
  REQUIRE(trained);
  CHECK(tree_margins(model, t.view()) == std::vector<float>(trained->begin(), trained->end()));
}

TEST_CASE("every one of the 255 bins can be split from its neighbours") {
  // The label is a different level in each bin: one deep tree with a step of 1 has to find all of them.
  Table t;
  t.bins.resize(1);
  for (int copy = 0; copy < 40; ++copy)
    for (int bin = 0; bin < 255; ++bin) {
      t.bins[0].push_back(static_cast<std::uint8_t>(bin));
      t.boolean.push_back(0);
      t.heavy.push_back((bin * 7919) % 255);
    }
  Options opts = options(1, 32, 1, "squared");
  for (auto& [name, value] : opts) {
    if (name == "learning_rate") value = 1.0;
    if (name == "l2" || name == "min_child_weight") value = 0.0;
  }
  const auto model = gbdt().load(train(t, Task::real, 1, opts));
  REQUIRE(model);
  const std::vector<double> p = (*model)->predict(t.view());
  for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(p[i] == Approx(t.heavy[i]).margin(1e-4));
}

TEST_CASE("boosting finds what the label hangs on, and the base of no trees is the mean") {
  const Table t = make_table(8'000, 6, 4);
  const auto model = gbdt().load(train(t, Task::boolean, 1, options(60)));
  REQUIRE(model);
  const std::vector<double> p = (*model)->predict(t.view());
  double right = 0, sum = 0, mean = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    right += (p[i] >= 0.5) == (t.boolean[i] != 0);
    sum += p[i];
    mean += t.boolean[i];
    REQUIRE((p[i] > 0 && p[i] < 1));
  }
  CHECK(right / static_cast<double>(p.size()) > 0.75);
  CHECK(sum == Approx(mean).epsilon(0.01));
  double share = 0;
  for (const double s : (*model)->importance()) share += s;
  CHECK(share == Approx(1));
  CHECK((*model)->columns() == 6);
}

TEST_CASE("a tree of depth one is the split that the formula gives") {
  // Squared error, l2 = 1: leaf = sum of residuals / (rows + 1), base the mean.
  Table t;
  t.bins = {{0, 0, 0, 1, 1, 1, kMissingBin}};
  t.heavy = {1, 2, 3, 11, 12, 13, 12};
  t.boolean.assign(7, 0);
  const auto model = gbdt().load(train(t, Task::real, 1, options(1, 1)));
  REQUIRE(model);
  const float base = static_cast<float>(54.0 / 7);
  double low = 0, high = 0;
  for (const int i : {0, 1, 2}) low += t.heavy[static_cast<std::size_t>(i)] - base;
  for (const int i : {3, 4, 5, 6}) high += t.heavy[static_cast<std::size_t>(i)] - base;
  const std::vector<double> p = (*model)->predict(t.view());
  CHECK(p[0] == Approx(base + 0.1 * low / 4).epsilon(1e-6));
  CHECK(p[3] == Approx(base + 0.1 * high / 5).epsilon(1e-6));
  CHECK(p[6] == p[3]);  // missing goes where it gains more
}

TEST_CASE("a row of weight 0 changes no tree, and a row of weight 2 counts twice") {
  const Table t = make_table(3'000, 4, 6);
  Table twice = t, fewer = t;
  std::vector<double> zero(t.boolean.size(), 1.0), two(t.boolean.size(), 1.0);
  for (std::size_t i = 0; i < 500; ++i) {
    zero[i] = 0;
    two[i] = 2;
    for (std::size_t c = 0; c < 4; ++c) twice.bins[c].push_back(t.bins[c][i]);
    twice.boolean.push_back(t.boolean[i]);
    twice.heavy.push_back(t.heavy[i]);
  }
  for (auto& column : fewer.bins) column.erase(column.begin(), column.begin() + 500);
  fewer.boolean.erase(fewer.boolean.begin(), fewer.boolean.begin() + 500);
  const auto masked = gbdt().load(train(t, Task::boolean, 1, options(20), zero));
  const auto without = gbdt().load(train(fewer, Task::boolean, 1, options(20)));
  const auto weighted = gbdt().load(train(t, Task::boolean, 1, options(20), two));
  const auto repeated = gbdt().load(train(twice, Task::boolean, 1, options(20)));
  CHECK((*masked)->margins(t.view()) == (*without)->margins(t.view()));
  const auto a = (*weighted)->margins(t.view()), b = (*repeated)->margins(t.view());
  for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(a[i] == Approx(b[i]).margin(1e-4));
}

TEST_CASE("an objective that does not fit the label, and a label of one class, are said") {
  Table t = make_table(100, 2, 7);
  TrainInput input;
  input.matrix = t.view();
  input.label = t.boolean;
  input.task = Task::boolean;
  input.options = options(2, 2, 1, "squared");
  CHECK(gbdt().train(input).error().code == diag::Code::E0303);
  input.options = options(2);
  const std::vector<double> ones(100, 1.0);
  input.label = ones;
  CHECK(gbdt().train(input).error().code == diag::Code::E0807);
  input.label = t.boolean;
  input.stopped = [] { return true; };
  CHECK(gbdt().train(input).error().code == diag::Code::E0906);
}

TEST_CASE("damaged trees are refused") {
  const Table t = make_table(300, 2, 8);
  const std::string bytes = train(t, Task::boolean, 1, options(3, 2));
  REQUIRE(gbdt().load(bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] ^= 1;
    CHECK_FALSE(gbdt().load(bad));
  }
  TreeModel circle;
  circle.columns = 1;
  circle.importance = {1};
  TreeNode node;
  node.left = node.right = 1;
  circle.trees = {{node, node}};
  CHECK_FALSE(load_tree_model(encode(circle)));
}
