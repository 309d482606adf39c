#include "compiler/sema/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlp::sema {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Rounding is monotone, so the rounded ends of a correctly rounded operation hold every rounded result. Whole numbers beyond
/// 2^53 are not kept by a double: there the ends are moved outwards.
bool exact(double x) { return std::nearbyint(x) == x && std::fabs(x) < 0x1p53; }
Interval outwards(double low, double high) {
  if (std::isnan(low)) low = -kInfinity;
  if (std::isnan(high)) high = kInfinity;
  if (std::fabs(low) >= 0x1p53 && !std::isinf(low)) low = std::nextafter(low, -kInfinity);
  if (std::fabs(high) >= 0x1p53 && !std::isinf(high)) high = std::nextafter(high, kInfinity);
  return {low, high};
}

/// 0 times an infinite end is 0: the end stands for arbitrarily large values, none of them infinite.
double times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }
double quotient(double a, double b) { return a == 0 || std::isinf(b) ? 0 : a / b; }

Interval over_ends(Interval a, Interval b, double (*op)(double, double)) {
  const double ends[] = {op(a.low, b.low), op(a.low, b.high), op(a.high, b.low), op(a.high, b.high)};
  return outwards(*std::min_element(ends, ends + 4), *std::max_element(ends, ends + 4));
}

std::string end_text(double x) {
  if (exact(x)) return fmt::format("{}", static_cast<long long>(x));
  return fmt::format("{}", x);
}

}  // namespace

Interval exactly(double value) { return {value, value}; }
Interval unite(Interval a, Interval b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }
Interval intersect(Interval a, Interval b) { return {std::max(a.low, b.low), std::min(a.high, b.high)}; }
bool is_empty(Interval a) { return a.low > a.high; }
bool inside(Interval inner, Interval outer) { return outer.low <= inner.low && inner.high <= outer.high; }

Interval range_of_operator(std::string_view op, const std::vector<Interval>& operands) {
  if (operands.size() == 1 && op == "neg") return {-operands[0].high, -operands[0].low};
  if (operands.size() != 2) return {};
  const Interval a = operands[0], b = operands[1];
  if (op == "+") return outwards(a.low + b.low, a.high + b.high);
  if (op == "-") return outwards(a.low - b.high, a.high - b.low);
  if (op == "*") return over_ends(a, b, times);
  if (op == "/") return b.contains(0) ? Interval{} : over_ends(a, b, quotient);
  return {};
}

std::optional<bool> decide_comparison(std::string_view op, Interval a, Interval b) {
  if (is_empty(a) || is_empty(b)) return std::nullopt;
  const auto by = [](bool always, bool never) { return always ? std::optional(true) : never ? std::optional(false) : std::nullopt; };
  if (op == "<") return by(a.high < b.low, a.low >= b.high);
  if (op == "<=") return by(a.high <= b.low, a.low > b.high);
  if (op == ">") return by(a.low > b.high, a.high <= b.low);
  if (op == ">=") return by(a.low >= b.high, a.high < b.low);
  const bool apart = a.high < b.low || b.high < a.low;
  const bool same = a.low == a.high && a == b;
  if (op == "==") return by(same, apart);
  if (op == "!=") return by(apart, same);
  return std::nullopt;
}

std::string range_text(Interval range) {
  if (range.low == -kInfinity && range.high == kInfinity) return "any number";
  if (range.low == -kInfinity) return fmt::format("at most {}", end_text(range.high));
  if (range.high == kInfinity) return fmt::format("at least {}", end_text(range.low));
  return fmt::format("{}..{}", end_text(range.low), end_text(range.high));
}

}  // namespace mlp::sema
