#include "runtime/monitor/false_alarms.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/learn/elementary.h"

namespace mlp::monitor {

namespace {

constexpr int kDraws = 400;

/// Draws whose bits the standard fixes; its distributions' are each library's own.
struct Draw {
  std::mt19937_64 random{0x6d6c70};

  double uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }
  /// Marsaglia's polar method.
  double normal() {
    for (;;) {
      const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, s = x * x + y * y;
      if (s > 0 && s < 1) return x * std::sqrt(-2 * learn::exact_bits_log(s) / s);
    }
  }
  /// Successes among `n` trials: by inversion where few are expected, else by the normal approximation.
  double binomial(double n, double p) {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - binomial(n, 1 - p);
    const double mean = n * p;
    if (mean > 40) return std::clamp(std::round(mean + std::sqrt(mean * (1 - p)) * normal()), 0.0, n);
    // P(0) = (1 - p)^n, P(k + 1) = P(k) (n - k) / (k + 1) p / (1 - p)
    double mass = learn::exact_bits_exp(n * learn::exact_bits_log1p(-p)), left = uniform();
    for (double k = 0; k < n; ++k) {
      if (left < mass) return k;
      left -= mass;
      mass *= (n - k) / (k + 1) * p / (1 - p);
    }
    return n;
  }
  std::vector<double> multinomial(std::span<const double> weights, double n) {
    double rest = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<double> counts;
    for (const double weight : weights) {
      counts.push_back(rest > 0 ? binomial(n, std::min(1.0, weight / rest)) : 0);
      n -= counts.back();
      rest -= weight;
    }
    return counts;
  }
};

}  // namespace

bool holds(double value, const std::string& comparison, double bound) {
  return comparison == "<" ? value < bound : comparison == "<=" ? value <= bound : comparison == ">" ? value > bound : value >= bound;
}

double false_alarm_rate(const learn::NativeDrift& distance, const std::string& comparison, double bound, std::span<const double> reference,
                        std::uint64_t rows) {
  const double fitted = std::accumulate(reference.begin(), reference.end(), 0.0);
  if (!(fitted > 0) || rows == 0) return 0;
  Draw draw;
  int alarms = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::vector<double> before = draw.multinomial(reference, fitted);
    const std::vector<double> now = draw.multinomial(reference, static_cast<double>(rows));
    const auto value = distance.value(before, now);
    alarms += value && !holds(*value, comparison, bound);
  }
  return static_cast<double>(alarms) / kDraws;
}

}  // namespace mlp::monitor
