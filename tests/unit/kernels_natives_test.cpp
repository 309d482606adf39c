#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "runtime/interp/evaluate.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

/// The native's value for constants; missing where it has none.
Value call(const std::string& native, const std::vector<std::pair<Value, Type>>& args, const Type& result) {
  Tree tree;
  std::vector<NodeId> ids;
  for (const auto& [value, type] : args) ids.push_back(tree.literal(value, type));
  tree.call(native, ids, result);
  Batch batch;
  batch.rows = 1;
  return value_at(*interp::evaluate(tree.e, batch), 0);
}
Value of_ints(const std::string& native, std::vector<std::int64_t> args) {
  std::vector<std::pair<Value, Type>> pairs;
  for (const std::int64_t arg : args) pairs.emplace_back(arg, kInt);
  return call(native, pairs, kInt);
}
Value of_floats(const std::string& native, std::vector<double> args) {
  std::vector<std::pair<Value, Type>> pairs;
  for (const double arg : args) pairs.emplace_back(arg, kFloat);
  return call(native, pairs, kFloat);
}
Value day(const std::string& text) { return call("date_of_string", {{s(text), kString}}, kDate); }
Value moment(const std::string& text) { return call("timestamp_of_string", {{s(text), kString}}, kTimestamp); }
Value of_day(const std::string& native, const std::string& text) { return call(native, {{day(text), kDate}}, kInt); }
Value text(const std::string& native, std::vector<std::pair<Value, Type>> args) { return call(native, args, kString); }

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("whole-number arithmetic that leaves 64 bits is missing") {
  CHECK(of_ints("add_int", {2, 3}) == i(5));
  CHECK(of_ints("add_int", {kLargest, 1}) == kMissing);
  CHECK(of_ints("subtract_int", {-kLargest, 2}) == kMissing);
  CHECK(of_ints("multiply_int", {kLargest, 2}) == kMissing);
  CHECK(of_ints("power_int", {2, 62}) == i(std::int64_t{1} << 62));
  CHECK(of_ints("power_int", {2, 63}) == kMissing);
  CHECK(of_ints("power_int", {-1, kLargest}) == i(-1));
  CHECK(of_ints("power_int", {2, -1}) == kMissing);
}

TEST_CASE("div rounds down, mod has the sign of the divisor, and by 0 both are missing") {
  CHECK(of_ints("div_int", {-7, 2}) == i(-4));
  CHECK(of_ints("mod_int", {-7, 2}) == i(1));
  CHECK(of_ints("mod_int", {7, -2}) == i(-1));
  CHECK(of_ints("div_int", {7, 0}) == kMissing);
  CHECK(of_ints("mod_int", {7, 0}) == kMissing);
  CHECK(of_floats("mod_float", {-7.5, 2}) == Value(0.5));
  CHECK(of_floats("mod_float", {-7.5, 0}) == kMissing);
  CHECK(of_floats("divide_float", {1, 0}) == kMissing);
}

TEST_CASE("floats that are not finite are missing") {
  CHECK(of_floats("multiply_float", {1e300, 1e300}) == kMissing);
  CHECK(of_floats("log", {0}) == kMissing);
  CHECK(of_floats("log1p", {-1}) == kMissing);
  CHECK(of_floats("sqrt", {-1}) == kMissing);
  CHECK(of_floats("exp", {1000}) == kMissing);
  CHECK(of_floats("power_float", {-8, 1.0 / 3}) == kMissing);
  CHECK(of_floats("power_float", {-2, 3}) == Value(-8.0));
  CHECK(call("float_of_string", {{s("inf"), kString}}, kFloat) == kMissing);
}

TEST_CASE("elementary functions are within a few units of the C library's") {
  const auto near = [](const char* native, double (*reference)(double), double low, double high) {
    for (int step = 0; step <= 1000; ++step) {
      const double x = low + (high - low) * step / 1000;
      const double expected = reference(x);
      const Value value = of_floats(native, {x});
      INFO(native << "(" << x << ")");
      REQUIRE(std::holds_alternative<double>(value));
      REQUIRE(std::get<double>(value) == Approx(expected).epsilon(1e-14).margin(1e-300));
    }
  };
  near("exp", std::exp, -700, 700);
  near("expm1", std::expm1, -1, 1);
  near("log", std::log, 1e-9, 1e9);
  near("log1p", std::log1p, -0.99, 100);
  near("log2", std::log2, 1e-9, 1e9);
  near("log10", std::log10, 1e-9, 1e9);
  near("sin", std::sin, -100, 100);
  near("cos", std::cos, -100, 100);
  near("tan", std::tan, -1.5, 1.5);
  near("asin", std::asin, -1, 1);
  near("acos", std::acos, -1, 1);
  near("atan", std::atan, -50, 50);
  near("tanh", std::tanh, -20, 20);
  near("sqrt", std::sqrt, 0, 50);
}

TEST_CASE("rounding goes to the even neighbour") {
  CHECK(of_floats("round", {2.5}) == Value(2.0));
  CHECK(of_floats("round", {3.5}) == Value(4.0));
  CHECK(call("round_digits", {{Value(2.675), kFloat}, {i(1), kInt}}, kFloat) == Value(2.7));
  CHECK(call("round_digits", {{Value(1234.5), kFloat}, {i(-2), kInt}}, kFloat) == Value(1200.0));
  CHECK(call("int_of_float", {{Value(-2.9), kFloat}}, kInt) == i(-2));
  CHECK(call("int_of_float", {{Value(1e19), kFloat}}, kInt) == kMissing);
}

TEST_CASE("dates are those of the Gregorian calendar") {
  CHECK(day("1970-01-01") == i(0));
  CHECK(day("2000-02-29") == i(11016));
  CHECK(day("1900-02-29") == kMissing);
  CHECK(day("2024-13-01") == kMissing);
  CHECK(day("2024-1-1") == kMissing);
  CHECK(of_day("weekday_of_date", "2024-11-25") == i(1));
  CHECK(of_day("weekday_of_date", "1969-12-28") == i(7));
  CHECK(of_day("day_of_year_of_date", "2024-12-31") == i(366));
  CHECK(of_day("week_of_date", "2021-01-03") == i(53));
  CHECK(of_day("week_of_date", "2020-12-31") == i(53));
  CHECK(of_day("week_of_date", "2024-12-30") == i(1));
  CHECK(of_day("quarter_of_date", "2024-10-01") == i(4));
  for (std::int64_t days = -800'000; days < 800'000; days += 997) {
    const auto part = [&](const char* name) { return call(name, {{i(days), kDate}}, kInt); };
    CHECK(call("date_of_parts", {{part("year_of_date"), kInt}, {part("month_of_date"), kInt}, {part("day_of_date"), kInt}}, kDate) ==
          i(days));
  }
}

TEST_CASE("moments are read with and without zone, and written in UTC") {
  CHECK(moment("1970-01-01T00:00:01Z") == i(1'000'000));
  CHECK(moment("1970-01-01 00:00") == i(0));
  CHECK(moment("1970-01-02") == i(86'400'000'000));
  CHECK(moment("1970-01-01T01:00:00.25+01:00") == i(250'000));
  CHECK(moment("1970-01-01T24:00:00") == kMissing);
  CHECK(moment("1970-01-01T00:00:00X") == kMissing);
  CHECK(text("string_of_timestamp", {{i(-1), kTimestamp}}) == s("1969-12-31T23:59:59.999999Z"));
  CHECK(text("string_of_timestamp", {{moment("2024-02-29T12:30:00Z"), kTimestamp}}) == s("2024-02-29T12:30:00Z"));
  CHECK(text("string_of_date", {{day("2024-02-29"), kDate}}) == s("2024-02-29"));
  CHECK(call("hour_of_timestamp", {{i(-1), kTimestamp}}, kInt) == i(23));
}

TEST_CASE("a date moves by whole days only") {
  const std::int64_t a_day = 86'400'000'000;
  CHECK(call("add_date_duration", {{i(10), kDate}, {i(2 * a_day), kDuration}}, kDate) == i(12));
  CHECK(call("add_date_duration", {{i(10), kDate}, {i(a_day / 2), kDuration}}, kDate) == kMissing);
  CHECK(call("subtract_date", {{i(10), kDate}, {i(7), kDate}}, kDuration) == i(3 * a_day));
  CHECK(call("minutes_of_duration", {{i(90'000'000), kDuration}}, kFloat) == Value(1.5));
  CHECK(call("hours_of_float", {{Value(1.5), kFloat}}, kDuration) == i(5'400'000'000));
  CHECK(call("days_of_int", {{i(kLargest), kInt}}, kDuration) == kMissing);
}

TEST_CASE("text functions count code points and keep UTF-8 whole") {
  const auto t = [](std::string v) { return std::pair<Value, Type>(s(std::move(v)), kString); };
  const auto n = [](std::int64_t v) { return std::pair<Value, Type>(v, kInt); };
  CHECK(call("length", {t("Zürich")}, kInt) == i(6));
  CHECK(text("lower", {t("ÄÖÜ ΑΒΣ ДЖ Ÿ İ")}) == s("äöü αβσ дж ÿ İ"));
  CHECK(text("upper", {t("äöü αβς дж ÿ ß")}) == s("ÄÖÜ ΑΒΣ ДЖ Ÿ ß"));
  CHECK(text("substr", {t("Zürich"), n(2), n(2)}) == s("ür"));
  CHECK(text("substr", {t("Zürich"), n(0), n(2)}) == s("Z"));
  CHECK(text("substr", {t("Zürich"), n(5), n(kLargest)}) == s("ch"));
  CHECK(text("substr", {t("Zürich"), n(9), n(2)}) == s(""));
  CHECK(text("trim", {t(" \t a b\n")}) == s("a b"));
  CHECK(text("replace", {t("a-b-c"), t("-"), t("::")}) == s("a::b::c"));
  CHECK(text("replace", {t("aaa"), t(""), t("x")}) == s("aaa"));
  CHECK(text("split_part", {t("a,b,c"), t(","), n(2)}) == s("b"));
  CHECK(text("split_part", {t("a,b,c"), t(","), n(4)}) == kMissing);
  CHECK(text("split_part", {t("a,b,c"), t(","), n(0)}) == kMissing);
  CHECK(text("add_string", {t("a"), t("")}) == s("a"));
  CHECK(call("starts_with", {t("Married"), t("Marr")}, kBool) == Value(true));
  CHECK(call("ends_with", {t("x"), t("xx")}, kBool) == Value(false));
  CHECK(call("contains", {t("abc"), t("")}, kBool) == Value(true));
  CHECK(call("less_string", {t("a"), t("ab")}, kBool) == Value(true));
  CHECK(call("int_of_string", {t(" +42 ")}, kInt) == i(42));
  CHECK(call("int_of_string", {t("42x")}, kInt) == kMissing);
  CHECK(call("float_of_string", {t("1e-3")}, kFloat) == Value(1e-3));
  CHECK(text("string_of_float", {{Value(0.1), kFloat}}) == s("0.1"));
  CHECK(text("string_of_int", {n(-kLargest - 1)}) == s("-9223372036854775808"));
}

namespace {

/// Mean and variance of a draw over 100,000 rows.
std::pair<double, double> moments(const std::string& native, const std::vector<std::pair<Value, Type>>& args, const Type& result) {
  Tree tree;
  std::vector<NodeId> ids;
  for (const auto& [value, type] : args) ids.push_back(tree.literal(value, type));
  tree.call(native, ids, result, 17);
  Batch batch;
  batch.rows = 100'000;
  const Column column = *interp::evaluate(tree.e, batch);
  double sum = 0, squares = 0;
  for (std::size_t row = 0; row < column.rows; ++row) {
    REQUIRE(column.is_known(row));
    const Value v = value_at(column, row);
    const double x = std::holds_alternative<double>(v)         ? std::get<double>(v)
                     : std::holds_alternative<std::int64_t>(v) ? static_cast<double>(std::get<std::int64_t>(v))
                                                               : static_cast<double>(std::get<bool>(v));
    sum += x;
    squares += x * x;
  }
  const double mean = sum / 1e5;
  return {mean, squares / 1e5 - mean * mean};
}

}  // namespace

TEST_CASE("draws have the mean and variance of their distribution") {
  const auto f = [](double v) { return std::pair<Value, Type>(v, kFloat); };
  const auto n = [](std::int64_t v) { return std::pair<Value, Type>(v, kInt); };
  const auto holds = [](std::pair<double, double> got, double mean, double variance) {
    CHECK(got.first == Approx(mean).margin(5 * std::sqrt(variance / 1e5)));
    CHECK(got.second == Approx(variance).epsilon(0.05));
  };
  holds(moments("uniform", {f(2), f(4)}, kFloat), 3, 4.0 / 12);
  holds(moments("uniform_int", {n(1), n(6)}, kInt), 3.5, 35.0 / 12);
  holds(moments("normal", {f(-1), f(2)}, kFloat), -1, 4);
  holds(moments("exponential", {f(3)}, kFloat), 3, 9);
  holds(moments("bernoulli", {f(0.3)}, kBool), 0.3, 0.21);
  holds(moments("poisson", {f(0.7)}, kInt), 0.7, 0.7);
  holds(moments("poisson", {f(9.9)}, kInt), 9.9, 9.9);
  holds(moments("poisson", {f(10)}, kInt), 10, 10);
  holds(moments("poisson", {f(250)}, kInt), 250, 250);
  for (const double exponent : {0.0, 0.8, 1.0, 1.1}) {
    double total = 0, mean = 0, square = 0;
    for (int k = 1; k <= 900; ++k) {
      const double w = std::pow(k, -exponent);
      total += w;
      mean += w * (k + 4);
      square += w * (k + 4) * (k + 4);
    }
    mean /= total;
    INFO("exponent " << exponent);
    holds(moments("zipf", {n(5), n(904), f(exponent)}, kInt), mean, square / total - mean * mean);
  }
}

TEST_CASE("a draw depends on stream and row only, not on where a batch begins") {
  Tree tree;
  const NodeId zero = tree.literal(Value(0.0), kFloat), one = tree.literal(Value(1.0), kFloat);
  tree.call("normal", {zero, one}, kFloat, 5);
  Batch whole, part;
  whole.rows = 5000;
  part.rows = 1777;
  part.first_row = 1234;
  const Column all = *interp::evaluate(tree.e, whole), some = *interp::evaluate(tree.e, part);
  CHECK(equal_bits(slice(all, 1234, 1777), some));
}

TEST_CASE("choice gives each option its share") {
  Tree tree;
  std::vector<NodeId> pairs;
  for (const auto& [name, share] : std::vector<std::pair<std::string, double>>{{"pos", 0.55}, {"web", 0.35}, {"atm", 0.1}}) {
    pairs.push_back(tree.literal(s(name), kString));
    pairs.push_back(tree.literal(Value(share), kFloat));
  }
  tree.call("choice", pairs, Type::category({"pos", "web", "atm"}), 3);
  Batch batch;
  batch.rows = 100'000;
  const Column column = *interp::evaluate(tree.e, batch);
  CHECK(column.dictionary->values == std::vector<std::string>{"atm", "pos", "web"});
  std::vector<double> counts(3);
  for (const std::int32_t code : column.values<std::int32_t>()) counts[static_cast<std::size_t>(code)] += 1e-5;
  CHECK(counts[0] == Approx(0.1).margin(0.01));
  CHECK(counts[1] == Approx(0.55).margin(0.01));
  CHECK(counts[2] == Approx(0.35).margin(0.01));
}
