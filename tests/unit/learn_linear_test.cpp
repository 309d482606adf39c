#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "runtime/learn/native.h"
#include "runtime/learn/normal_equations.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

struct Data {
  std::vector<std::vector<double>> x;
  std::vector<double> y, w;
  MatrixView view() const {
    MatrixView v;
    v.rows = y.size();
    for (const auto& c : x) v.columns.push_back({nullptr, c.data()});
    return v;
  }
};

Data make(std::size_t rows, std::size_t columns, bool boolean, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Data d;
  d.x.assign(columns, std::vector<double>(rows));
  for (std::size_t r = 0; r < rows; ++r) {
    double s = 0.4;
    for (std::size_t c = 0; c < columns; ++c) {
      d.x[c][r] = unit() * 4 - 2 + static_cast<double>(c);
      s += (d.x[c][r] - static_cast<double>(c)) * (static_cast<double>(c % 5) - 2) / 3;
    }
    d.y.push_back(boolean ? unit() < 1 / (1 + std::exp(-s)) : s + unit() - 0.5);
    d.w.push_back(1 + static_cast<double>(random() % 3));
  }
  return d;
}

Result<std::string> try_train(std::string_view name, const Data& d, double l2, int threads = 1, bool weighted = false) {
  TrainInput input;
  input.matrix = d.view();
  input.label = d.y;
  if (weighted) input.weight = d.w;
  input.task = name == "logistic" ? Task::boolean : Task::real;
  input.options = {{"l2", l2}, {"max_iterations", std::int64_t{100}}, {"tolerance", 1e-12}};
  input.threads = threads;
  return find_model(name)->train(input);
}
std::shared_ptr<const Model> train(std::string_view name, const Data& d, double l2, bool weighted = false) {
  const auto bytes = try_train(name, d, l2, 1, weighted);
  REQUIRE(bytes);
  const auto model = find_model(name)->load(*bytes);
  REQUIRE(model);
  return *model;
}
/// The coefficients, read off predictions: the margin at zero, and one step along each column.
std::vector<double> coefficients(const Model& m, std::size_t columns) {
  std::vector<std::vector<double>> x(columns, std::vector<double>(columns + 1, 0.0));
  MatrixView v;
  v.rows = columns + 1;
  for (std::size_t c = 0; c < columns; ++c) {
    x[c][c + 1] = 1;
    v.columns.push_back({nullptr, x[c].data()});
  }
  std::vector<double> out = m.margins(v);
  for (std::size_t c = 1; c <= columns; ++c) out[c] -= out[0];
  return out;
}

}  // namespace

TEST_CASE("least squares on one column is covariance over variance") {
  Data d;
  d.x = {{1, 2, 4, 7}};
  d.y = {3, 4, 9, 12};
  const auto b = coefficients(*train("linear", d, 0), 1);
  const double slope = (2.5 * 4 + 1.5 * 3 + 0.5 * 2 + 3.5 * 5) / (6.25 + 2.25 + 0.25 + 12.25);
  CHECK(b[1] == Approx(slope));
  CHECK(b[0] == Approx(7 - slope * 3.5));
  const auto shrunk = coefficients(*train("ridge", d, 4), 1);
  CHECK(shrunk[1] == Approx(slope * 21 / 25));
}

TEST_CASE("residuals of least squares are orthogonal to every column, those of ridge equal l2 times the coefficient") {
  const Data d = make(2000, 7, false, 1);
  for (const double l2 : {0.0, 3.0}) {
    const auto model = train("ridge", d, l2, true);
    const auto b = coefficients(*model, 7);
    const auto p = model->predict(d.view());
    double sum = 0;
    for (std::size_t r = 0; r < p.size(); ++r) sum += d.w[r] * (d.y[r] - p[r]);
    CHECK(sum == Approx(0).margin(1e-8));
    for (std::size_t c = 0; c < 7; ++c) {
      double along = 0;
      for (std::size_t r = 0; r < p.size(); ++r) along += d.w[r] * (d.y[r] - p[r]) * d.x[c][r];
      CHECK(along == Approx(l2 * b[c + 1]).margin(1e-7));
    }
  }
}

TEST_CASE("a column that others determine gets no coefficient, and the prediction is the same") {
  Data d = make(500, 3, false, 2);
  const auto p = train("linear", d, 0)->predict(d.view());
  d.x.push_back(d.x[0]);
  for (std::size_t r = 0; r < 500; ++r) d.x[3][r] += 2 * d.x[1][r];
  d.x.push_back(std::vector<double>(500, 1.25));  // constant
  const auto model = train("linear", d, 0);
  const auto b = coefficients(*model, 5);
  CHECK(b[4] == 0);
  CHECK(b[5] == 0);
  const auto q = model->predict(d.view());
  for (std::size_t r = 0; r < 500; ++r) REQUIRE(q[r] == Approx(p[r]).epsilon(1e-9));
}

TEST_CASE("least squares keeps its digits on columns far from zero") {
  Data d = make(300, 2, false, 3);
  const auto p = train("linear", d, 0)->predict(d.view());
  for (double& v : d.x[0]) v = v * 1e-3 + 1e6;
  const auto q = train("linear", d, 0)->predict(d.view());
  for (std::size_t r = 0; r < 300; ++r) REQUIRE(q[r] == Approx(p[r]).margin(1e-5));
}

TEST_CASE("the gradient of the penalised likelihood is zero at logistic regression's solution") {
  const Data d = make(3000, 6, true, 4);
  for (const double l2 : {0.0, 1.0, 50.0}) {
    const auto model = train("logistic", d, l2, true);
    const auto b = coefficients(*model, 6);
    const auto p = model->predict(d.view());
    double sum = 0;
    for (std::size_t r = 0; r < p.size(); ++r) sum += d.w[r] * (d.y[r] - p[r]);
    CHECK(sum == Approx(0).margin(1e-4));
    for (std::size_t c = 0; c < 6; ++c) {
      double along = 0;
      for (std::size_t r = 0; r < p.size(); ++r) along += d.w[r] * (d.y[r] - p[r]) * d.x[c][r];
      CHECK(along == Approx(l2 * b[c + 1]).margin(1e-3));
    }
  }
}

TEST_CASE("logistic regression on one binary column has the log-odds of the groups") {
  Data d;
  d.x = {{0, 0, 0, 0, 1, 1, 1, 1, 1}};
  d.y = {1, 0, 0, 0, 1, 1, 1, 0, 0};
  const auto b = coefficients(*train("logistic", d, 0), 1);
  CHECK(b[0] == Approx(std::log(1.0 / 3)).epsilon(1e-6));
  CHECK(b[0] + b[1] == Approx(std::log(3.0 / 2)).epsilon(1e-6));
}

TEST_CASE("logistic regression ends on labels that a column separates, and refuses labels of one class") {
  Data d;
  d.x = {{-2, -1, 1, 2}};
  d.y = {0, 0, 1, 1};
  const auto p = train("logistic", d, 0)->predict(d.view());
  CHECK((p[1] < 0.01 && p[2] > 0.99));
  d.y = {1, 1, 1, 1};
  CHECK(try_train("logistic", d, 0).error().code == diag::Code::E0807);
}

TEST_CASE("linear models are the same bits at any number of threads") {
  const Data boolean = make(2500, 40, true, 5), real = make(2500, 40, false, 6);
  for (const int threads : {2, 3, 8}) {
    CHECK(*try_train("logistic", boolean, 1, threads) == *try_train("logistic", boolean, 1, 1));
    CHECK(*try_train("ridge", real, 1, threads) == *try_train("ridge", real, 1, 1));
  }
}

TEST_CASE("a linear model predicts a row alone as among others") {
  const Data d = make(50, 5, true, 7);
  const auto model = train("logistic", d, 1);
  const auto all = model->predict(d.view());
  for (std::size_t r = 0; r < 50; ++r) {
    MatrixView one;
    one.rows = 1;
    for (const auto& c : d.x) one.columns.push_back({nullptr, &c[r]});
    REQUIRE(model->predict(one)[0] == all[r]);
  }
}
