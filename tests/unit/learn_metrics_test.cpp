#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "runtime/learn/bootstrap.h"
#include "runtime/learn/elementary.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

Options options_of(std::string_view name) {
  if (name == "calibration_error") return {{"bins", std::int64_t{10}}};
  return {};
}
std::optional<double> score(std::string_view name, const std::vector<double>& p, const std::vector<double>& y, const std::vector<double>& w = {}) {
  const NativeMetric* m = find_metric(name);
  REQUIRE(m != nullptr);
  const auto order = sort_order(p);
  return m->value(options_of(name), {p, y, w, order});
}

struct Rows {
  std::vector<double> p, y;
  std::vector<std::uint64_t> ordinals;
  Scored scored() const { return {p, y, {}, ordinals}; }
};
Rows make_rows(std::size_t n, double signal, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Rows rows;
  for (std::size_t i = 0; i < n; ++i) {
    const double y = unit() < 0.3;
    rows.y.push_back(y);
    rows.p.push_back(std::clamp(0.5 + signal * (y - 0.3) + (unit() - 0.5) * 0.6, 0.0, 1.0));
    rows.ordinals.push_back(i);
  }
  return rows;
}

}  // namespace

TEST_CASE("auc is the share of pairs in the right order, ties one half") {
  CHECK(score("auc", {0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1}) == 0.75);
  CHECK(score("auc", {0.5, 0.5, 0.5}, {0, 1, 1}) == 0.5);
  CHECK_FALSE(score("auc", {0.5, 0.6}, {1, 1}));
  std::mt19937_64 random(1);
  std::vector<double> p, y, w;
  for (int i = 0; i < 200; ++i) {
    p.push_back(static_cast<double>(random() % 40) / 40);
    y.push_back(random() % 3 == 0);
    w.push_back(static_cast<double>(1 + random() % 4));
  }
  double right = 0, all = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = 0; j < p.size(); ++j)
      if (y[i] != 0 && y[j] == 0) {
        all += w[i] * w[j];
        right += w[i] * w[j] * (p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0);
      }
  CHECK(*score("auc", p, y, w) == Approx(right / all).epsilon(1e-14));
}

TEST_CASE("metrics of probabilities equal their formulas") {
  CHECK(*score("pr_auc", {0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1}) == Approx(0.5 * 1 + 0.5 * (2.0 / 3)));
  CHECK(*score("log_loss", {0.25, 0.5}, {1, 0}) == Approx((std::log(4) + std::log(2)) / 2));
  CHECK(std::isfinite(*score("log_loss", {0.0}, {1})));
  CHECK(*score("brier", {0.25, 0.5}, {1, 0}) == (0.5625 + 0.25) / 2);
  // bins [0.2, 0.3) and [0.9, 1]
  CHECK(*score("calibration_error", {0.2, 0.24, 1.0, 0.9}, {0, 1, 1, 0}) == Approx((std::fabs(0.44 - 1) + std::fabs(1.9 - 1)) / 4));
}

TEST_CASE("metrics of decisions equal their formulas, and are undefined without a denominator") {
  const std::vector<double> d = {1, 1, 0, 0, 1}, y = {1, 0, 1, 0, 1};
  CHECK(score("accuracy", d, y) == 3.0 / 5);
  CHECK(score("precision", d, y) == 2.0 / 3);
  CHECK(score("recall", d, y) == 2.0 / 3);
  CHECK(score("f1", d, y) == 4.0 / 6);
  CHECK_FALSE(score("precision", {0, 0}, {1, 0}));
  CHECK_FALSE(score("recall", {0, 1}, {0, 0}));
}

TEST_CASE("metrics of numbers equal their formulas") {
  const std::vector<double> p = {1, 2, 5}, y = {2, 2, 1};
  CHECK(*score("mae", p, y) == Approx(5.0 / 3));
  CHECK(*score("rmse", p, y) == Approx(std::sqrt(17.0 / 3)));
  CHECK(*score("r2", p, y) == Approx(1 - 17 / (2.0 / 3)));
  CHECK(*score("wape", p, y) == Approx(1.0));
  CHECK(*score("mape", p, y) == Approx((0.5 + 0 + 4) / 3));
  CHECK(*score("mae", p, y, {0, 1, 3}) == Approx(3.0));
  CHECK_FALSE(score("r2", {1, 2}, {3, 3}));
}

TEST_CASE("the best constant is not beaten by another constant") {
  std::mt19937_64 random(2);
  std::vector<double> numbers, flags;
  for (int i = 0; i < 101; ++i) {
    numbers.push_back(std::exp(static_cast<double>(random() % 1000) / 250));
    flags.push_back(random() % 3 == 0);
  }
  for (const std::string name : {"rmse", "mae", "r2", "wape", "mape", "log_loss", "brier", "accuracy", "f1"}) {
    INFO(name);
    const bool flag = name == "log_loss" || name == "brier" || name == "accuracy" || name == "f1";
    const auto& y = flag ? flags : numbers;
    const bool higher = name == "r2" || name == "accuracy" || name == "f1";
    const auto constant = find_metric(name)->best_constant(options_of(name), y, {});
    REQUIRE(constant);
    const double best = *score(name, std::vector<double>(y.size(), *constant), y);
    for (int i = 0; i <= 60; ++i) {
      double other = flag ? i / 60.0 : i;
      if (name == "accuracy" || name == "f1") other = i % 2;
      const auto s = score(name, std::vector<double>(y.size(), other), y);
      if (s) CHECK((higher ? best >= *s - 1e-12 : best <= *s + 1e-12));
    }
  }
}

TEST_CASE("drift distances are zero for equal shares and follow their formulas") {
  const auto psi = [](std::vector<double> a, std::vector<double> b) { return find_drift("psi")->value(a, b); };
  const auto js = [](std::vector<double> a, std::vector<double> b) { return find_drift("js")->value(a, b); };
  CHECK(*psi({10, 30}, {20, 60}) == 0);
  CHECK(*psi({50, 50}, {25, 75}) == Approx(-0.25 * std::log(0.5) + 0.25 * std::log(1.5)));
  CHECK(*js({10, 30}, {20, 60}) == 0);
  CHECK(*js({10, 0}, {0, 3}) == Approx(1));
  CHECK_FALSE(psi({0, 0}, {1, 2}));
}

TEST_CASE("the copies of a row in the replicates are Poisson with mean 1") {
  std::array<double, 5> n{};
  for (std::uint32_t r = 0; r < 200; ++r)
    for (std::uint64_t row = 0; row < 1000; ++row)
      if (const auto k = copies(5, r, row); k < 5) ++n[k];
  double p = std::exp(-1);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(n[k] / 200'000 == Approx(p).margin(0.004));
    p /= static_cast<double>(k + 1);
  }
}

TEST_CASE("an interval holds the figure, has the width of the normal approximation, and shrinks with the rows") {
  const Measure accuracy{find_metric("accuracy"), {}};
  double width = 0;
  for (const std::size_t n : {400uz, 1600uz}) {
    Rows rows = make_rows(n, 0, 3);
    for (std::size_t i = 0; i < n; ++i) rows.p[i] = i % 4 == 0 ? 1 - rows.y[i] : rows.y[i];  // three in four right
    const Figure f = figure(accuracy, rows.scored(), {}, {});
    CHECK(*f.value == 0.75);
    CHECK(f.rows == n);
    width = *f.high - *f.low;
    CHECK(width == Approx(2 * 1.96 * std::sqrt(0.75 * 0.25 / static_cast<double>(n))).epsilon(0.2));
  }
}

TEST_CASE("rows of one group are resampled as one") {
  Rows rows = make_rows(2000, 0.2, 4);
  const Measure auc{find_metric("auc"), {}};
  const Figure single = figure(auc, rows.scored(), {}, {});
  for (std::size_t i = 0; i < rows.ordinals.size(); ++i) {  // every row four times
    rows.ordinals[i] = i / 4;
    rows.p[i] = rows.p[i / 4 * 4];
    rows.y[i] = rows.y[i / 4 * 4];
  }
  const Figure grouped = figure(auc, rows.scored(), {}, {});
  CHECK((*grouped.high - *grouped.low) > 1.5 * (*single.high - *single.low));
}

TEST_CASE("a paired difference is narrower than the intervals of its sides") {
  const Rows a = make_rows(1500, 0.2, 5);
  Rows b = a;
  for (double& p : b.p) p = std::clamp(p * 0.98 + (p > 0.5 ? 0.01 : 0.0), 0.0, 1.0);
  const Measure brier{find_metric("brier"), {}};
  const Figure difference = paired_difference(brier, a.scored(), brier, b.scored(), 1, {}, {});
  const Figure left = figure(brier, a.scored(), {}, {}), right = figure(brier, b.scored(), {}, {});
  CHECK(*difference.value == *left.value - *right.value);
  CHECK((*difference.high - *difference.low) < 0.3 * (*left.high - *left.low));
  const Figure itself = paired_difference(brier, a.scored(), brier, a.scored(), 1, {}, {});
  CHECK(*itself.low == 0);
  CHECK(*itself.high == 0);
}

TEST_CASE("min, max and gap over groups agree with the groups' own figures") {
  const Rows rows = make_rows(900, 0.2, 6);
  std::vector<std::int32_t> group;
  for (std::size_t i = 0; i < 900; ++i) group.push_back(i % 10 == 9 ? -1 : static_cast<std::int32_t>(i % 3));
  const Measure auc{find_metric("auc"), {}};
  std::vector<double> of;
  for (int g = 0; g < 3; ++g) {
    std::vector<std::uint8_t> use;
    for (const int x : group) use.push_back(x == g);
    of.push_back(*figure(auc, rows.scored(), use, {}).value);
  }
  const auto [low, high] = std::ranges::minmax(of);
  CHECK(*over_groups(auc, Over::min, rows.scored(), group, {}).value == low);
  CHECK(*over_groups(auc, Over::max, rows.scored(), group, {}).value == high);
  const Figure gap = over_groups(auc, Over::gap, rows.scored(), group, {});
  CHECK(*gap.value == high - low);
  CHECK(*gap.low >= 0);
  CHECK(gap.rows == 810);
}

TEST_CASE("the constant's figure is what a model without features scores") {
  const Rows rows = make_rows(600, 0.2, 7);
  const double mean = std::accumulate(rows.y.begin(), rows.y.end(), 0.0) / 600;
  CHECK(*constant_figure({find_metric("auc"), {}}, rows.scored(), {}, {}).value == 0.5);
  CHECK(*constant_figure({find_metric("pr_auc"), {}}, rows.scored(), {}, {}).value == Approx(mean));
  CHECK(*constant_figure({find_metric("brier"), {}}, rows.scored(), {}, {}).value == Approx(mean * (1 - mean)));
}

TEST_CASE("ten rows of each class, or thirty numbers, are enough to decide") {
  std::vector<double> y(40, 0.0);
  for (std::size_t i = 0; i < 9; ++i) y[i] = 1;
  CHECK(too_few(Task::boolean, y, {}));
  y[20] = 1;
  CHECK_FALSE(too_few(Task::boolean, y, {}));
  CHECK_FALSE(too_few(Task::real, y, {}));
  CHECK(too_few(Task::real, std::span(y).first(29), {}));
}

TEST_CASE("elementary functions agree with the machine's to the last few bits") {
  for (double x = -30; x < 30; x += 0.37) {
    CHECK(exact_bits_exp(x) == Approx(std::exp(x)).epsilon(1e-15));
    CHECK(sigmoid(x) == Approx(1 / (1 + std::exp(-x))).epsilon(1e-14));
    CHECK(log_odds(sigmoid(x / 3)) == Approx(x / 3).epsilon(1e-9));
  }
  CHECK(sigmoid(-800) == 0);
  CHECK(sigmoid(800) == 1);
}
