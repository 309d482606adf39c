#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <set>

#include "runtime/learn/native.h"
#include "runtime/learn/tree_model.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

struct Table {
  std::vector<std::vector<std::uint8_t>> bins;
  std::vector<double> label;
  MatrixView view() const {
    MatrixView v;
    v.rows = label.size();
    for (const auto& column : bins) v.columns.push_back({column.data(), nullptr});
    return v;
  }
};

/// A label with heavy tails that hangs on the first two columns.
Table make_table(std::size_t rows, std::size_t columns) {
  std::mt19937_64 random(3);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Table t;
  t.bins.assign(columns, std::vector<std::uint8_t>(rows));
  for (std::size_t r = 0; r < rows; ++r) {
    for (auto& column : t.bins) column[r] = unit() < 0.05 ? kMissingBin : static_cast<std::uint8_t>(unit() * 255);
    t.label.push_back((t.bins[0][r] > 100 ? 30 : 0) + t.bins[1][r] + std::tan(3.14159 * (unit() - 0.5)) * 5);
  }
  return t;
}

Options options(std::int64_t trees, double columns = 0.5, double rows = 1, std::int64_t depth = 12, double min_rows = 1) {
  return {{"trees", trees}, {"depth", depth}, {"min_rows", min_rows}, {"columns", columns}, {"rows", rows}};
}

const NativeModel& forest() {
  const NativeModel* model = find_model("random_forest");
  REQUIRE(model != nullptr);
  return *model;
}

std::string train(const Table& t, Options with, int threads = 1, std::uint64_t seed = 11, Task task = Task::real) {
  TrainInput input;
  input.matrix = t.view();
  input.label = t.label;
  input.options = std::move(with);
  input.seed = seed;
  input.task = task;
  input.threads = threads;
  const auto bytes = forest().train(input);
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("a forest is the same bytes for any number of threads, and another for another seed") {
  const Table t = make_table(3'000, 6);
  const std::string once = train(t, options(30));
  for (const int threads : {1, 2, 3, 8}) CHECK(train(t, options(30), threads) == once);
  CHECK(train(t, options(30), 1, 12) != once);
}

TEST_CASE("a tree of a forest depends on its number alone") {
  const Table t = make_table(2'000, 4);
  const auto nodes = [&](std::int64_t trees) {
    const auto model = forest().load(train(t, options(trees)));
    REQUIRE(model);
    return std::stol((*model)->describe()[1].second);
  };
  // Each further tree adds its nodes to those of the trees before, which stay what they were.
  long before = 0;
  std::set<long> sizes;
  for (std::int64_t trees = 1; trees <= 6; ++trees) {
    sizes.insert(nodes(trees) - before);
    before = nodes(trees);
  }
  CHECK(sizes.size() > 3);
  CHECK(*sizes.begin() > 100);
}

TEST_CASE("rows are drawn with replacement, as many as are asked for") {
  // Every row its own bin and label; one tree that is grown to the end knows exactly the rows that were drawn.
  Table t;
  t.bins.resize(1);
  for (int i = 0; i < 250; ++i) t.bins[0].push_back(static_cast<std::uint8_t>(i)), t.label.push_back(i * i);
  double exact = 0, exact_of_few = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    for (const double share : {1.0, 0.2}) {
      const auto model = forest().load(train(t, options(1, 1, share, 32, 0), 1, seed));
      REQUIRE(model);
      const std::vector<double> p = (*model)->predict(t.view());
      for (std::size_t i = 0; i < p.size(); ++i) (share == 1 ? exact : exact_of_few) += std::fabs(p[i] - t.label[i]) < 0.5;
    }
  CHECK(exact / (40 * 250) == Approx(1 - std::exp(-1.0)).margin(0.02));
  CHECK(exact_of_few / (40 * 250) == Approx(1 - std::exp(-0.2)).margin(0.02));
}

TEST_CASE("many trees come to what their rows say on average") {
  Table t;
  t.bins.resize(1);
  for (int i = 0; i < 2'000; ++i) t.bins[0].push_back(static_cast<std::uint8_t>(i % 2)), t.label.push_back(i % 2 ? (i % 20 == 1 ? 1 : 0) : (i % 4 == 0 ? 1 : 0));
  const auto model = forest().load(train(t, options(500, 1), 1, 1, Task::boolean));
  REQUIRE(model);
  const std::vector<double> p = (*model)->predict(t.view());
  CHECK(p[0] == Approx(0.5).margin(0.01));
  CHECK(p[1] == Approx(0.1).margin(0.01));
}

TEST_CASE("a share stays within 0 and 1, however the leaves are rounded") {
  Table t = make_table(800, 3);
  for (std::size_t i = 0; i < t.label.size(); ++i) t.label[i] = t.bins[0][i] > 100 && t.bins[0][i] != kMissingBin;
  const auto model = forest().load(train(t, options(99, 1, 1, 32, 0), 1, 5, Task::boolean));
  REQUIRE(model);
  for (const double p : (*model)->predict(t.view())) CHECK((p >= 0 && p <= 1));
  double share = 0;
  for (const double s : (*model)->importance()) share += s;
  CHECK(share == Approx(1));
  CHECK((*model)->importance()[0] > 0.9);
}

TEST_CASE("a forest that is stopped or has nothing to learn from says so") {
  const Table t = make_table(200, 2);
  TrainInput input;
  input.matrix = t.view();
  input.label = t.label;
  input.options = options(5);
  input.stopped = [] { return true; };
  CHECK(forest().train(input).error().code == diag::Code::E0906);
  input.stopped = nullptr;
  const std::vector<double> none(200, 0.0);
  input.weight = none;
  CHECK(forest().train(input).error().code == diag::Code::E0806);
  const std::string bytes = train(t, options(2, 1, 1, 3));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] ^= 1;
    CHECK_FALSE(forest().load(bad));
  }
}
