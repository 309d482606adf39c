#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "runtime/learn/encoding.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/prefix_sums.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

std::vector<double> wild(std::size_t n, int spread, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double m = static_cast<double>(static_cast<std::int64_t>(random()) >> 11);
    out.push_back(std::ldexp(m, static_cast<int>(random() % static_cast<unsigned>(2 * spread)) - spread));
  }
  return out;
}

struct Held {
  ExactSum sum;
  template <class A>
  void fields(A& a) { a(sum); }
};

}  // namespace

TEST_CASE("an exact sum does not depend on the order or the cut of its terms") {
  std::vector<double> x = wild(5000, 900, 1);
  ExactSum forward, backward, halves;
  for (const double v : x) forward.add(v);
  std::ranges::reverse(x);
  for (const double v : x) backward.add(v);
  for (std::size_t part = 0; part < 7; ++part) {
    ExactSum one;
    for (std::size_t i = part; i < x.size(); i += 7) one.add(x[i]);
    halves.add(one);
  }
  CHECK(forward == backward);
  CHECK(forward == halves);
  CHECK(forward.value() == halves.value());
  CHECK(encode_state(1, 1, Held{forward}) == encode_state(1, 1, Held{halves}));
}

TEST_CASE("an exact sum loses nothing to cancellation") {
  ExactSum sum;
  sum.add(1e300);
  sum.add(1.0);
  sum.add(-1e300);
  CHECK(sum.value() == 1.0);
  sum.add(-1.0);
  CHECK(sum.is_zero());
  CHECK(sum.value() == 0.0);
  sum.add(5e-324);
  CHECK(sum.value() == 5e-324);
  sum.add(-1e-320);
  CHECK(sum.value() == 5e-324 - 1e-320);
}

TEST_CASE("an exact sum of two terms rounds as the machine's addition does") {
  for (const int spread : {20, 60, 960}) {
    const std::vector<double> x = wild(20'000, spread, static_cast<std::uint32_t>(spread));
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      ExactSum sum;
      sum.add(x[i]);
      sum.add(x[i + 1]);
      REQUIRE(sum.value() == x[i] + x[i + 1]);
    }
  }
}

TEST_CASE("exact products round as the machine's multiplication does, also among subnormal numbers") {
  const std::vector<double> x = wild(20'000, 540, 3);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    if (!std::isfinite(x[i] * x[i + 1])) continue;
    ExactSum sum;
    sum.add_product(x[i], x[i + 1]);
    REQUIRE(sum.value() == x[i] * x[i + 1]);
  }
}

TEST_CASE("an exact sum comes back from its bytes, and damaged bytes are refused") {
  ExactSum sum;
  for (const double v : wild(100, 300, 4)) sum.add(v);
  const std::string bytes = encode_state(7, 1, Held{sum});
  const auto back = decode_state<Held>(bytes, 7, 1, "a sum");
  REQUIRE(back);
  CHECK(back->sum == sum);
  CHECK(decode_state<Held>(bytes, 7, 2, "a sum").error().code == diag::Code::E0909);
  CHECK(decode_state<Held>(bytes, 8, 1, "a sum").error().code == diag::Code::E0903);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] ^= 4;
    CHECK_FALSE(decode_state<Held>(bad, 7, 1, "a sum"));
    CHECK_FALSE(decode_state<Held>(std::string_view(bytes).substr(0, i), 7, 1, "a sum"));
  }
}

TEST_CASE("a variance keeps its digits however far the mean is from zero") {
  ExactSum sum, squares;
  const double far = 1.6e15;
  for (const double d : {-1.0, 0.0, 1.0, 4.0}) {
    sum.add(far + d);
    squares.add_product(far + d, far + d);
  }
  const Moments m = moments(4, sum, squares);
  CHECK(m.mean == far + 1.0);
  CHECK(m.variance == 3.5);
}

TEST_CASE("whole multiples give the bits of exact sums, and say where they cannot hold the numbers") {
  for (const int spread : {1, 5, 20, 28, 40}) {
    std::vector<double> values = wild(400, spread, 11);
    for (std::size_t i = 0; i < values.size(); i += 3) values[i] = std::round(values[i]) / 100;
    values[7] = 0, values[8] = -0.0;
    const auto moving = RunningMoments::of(values, {});
    const auto fixed = FixedPoint::sums_of(values, {});
    CHECK(moving.has_value() == (spread <= 28));
    CHECK(fixed.has_value() == (spread <= 28));
    for (const auto& [begin, end] : {std::pair<std::size_t, std::size_t>{0, 400}, {0, 1}, {17, 23}, {100, 399}, {7, 9}}) {
      ExactSum sum, squares;
      RunningMoments running = moving.value_or(RunningMoments());
      __int128 whole = 0;
      for (std::size_t i = 0; i < end; ++i) {
        if (moving) running.add(values[i]);
        if (i < begin) continue;
        sum.add(values[i]), squares.add_product(values[i], values[i]);
        if (fixed) whole += fixed->multiple(values[i]);
      }
      if (fixed) CHECK(fixed->value(whole) == sum.value());
      if (!moving) continue;
      for (std::size_t i = 0; i < begin; ++i) running.remove(values[i]);
      CHECK(running.rows() == end - begin);
      CHECK(running.variance() == moments(end - begin, sum, squares).variance);
    }
  }
}
