// Row ordinals and random draws. A draw is a function of 64 random bits; what needs more of them goes on from there.

#include <sleef.h>

#include "gen/native_names.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

namespace {

/// In (0, 1): neither end occurs.
double open_unit(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1.0p-53; }

/// Further draws of one row.
struct Draws {
  std::uint64_t state;
  double next() {
    state = draw_bits(state, 0);
    return open_unit(state);
  }
};

double polynomial(const double* coefficients, double x) {  // eight of them, the highest power first
  double value = coefficients[0];
  for (int i = 1; i < 8; ++i) value = value * x + coefficients[i];
  return value;
}

/// Quantile of the standard normal distribution, to about 16 digits.
/// M. J. Wichura, Algorithm AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37 (1988).
double normal_quantile(double p) {
  static constexpr double kA[] = {2.50908092873012266727e+3, 3.34305755835881281050e+4, 6.72657709270087008530e+4,
                                  4.59219539315498714570e+4, 1.37316937655094611250e+4, 1.97159095030655144270e+3,
                                  1.33141667891784377450e+2, 3.38713287279636660800e+0};
  static constexpr double kB[] = {5.22649527885285456100e+3, 2.87290857357219426740e+4, 3.93078958000927106100e+4,
                                  2.12137943015865958670e+4, 5.39419602142475110770e+3, 6.87187007492057908300e+2,
                                  4.23133307016009112520e+1, 1.0};
  static constexpr double kC[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                  1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                  4.63033784615654529590e+0, 1.42343711074968357734e+0};
  static constexpr double kD[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                                  1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                  2.05319162663775882187e+0, 1.0};
  static constexpr double kE[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                  2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                  5.46378491116411436990e+0, 6.65790464350110377720e+0};
  static constexpr double kF[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                                  7.86869131145613259100e-4,  1.48753612908506148525e-2, 1.36929880922735805310e-1,
                                  5.99832206555887937690e-1,  1.0};
  const double q = p - 0.5;
  if (__builtin_fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
  }
  const double tail = q < 0 ? p : 1 - p;
  double r = __builtin_sqrt(-Sleef_cinz_logd1_u10purec(tail));
  double size;
  if (r <= 5) {
    r -= 1.6;
    size = polynomial(kC, r) / polynomial(kD, r);
  } else {
    r -= 5;
    size = polynomial(kE, r) / polynomial(kF, r);
  }
  return q < 0 ? -size : size;
}

/// Adds up probabilities until they pass the uniform draw; for small means.
std::int64_t poisson_by_inversion(double mean, double uniform) {
  double probability = Sleef_cinz_expd1_u10purec(-mean), sum = probability;
  std::int64_t k = 0;
  while (uniform > sum && k < 200) {
    ++k;
    probability *= mean / static_cast<double>(k);
    sum += probability;
  }
  return k;
}

/// Transformed rejection with squeeze, for means of 10 and more.
/// W. Hörmann, The transformed rejection method for generating Poisson random variables (1993), algorithm PTRS.
double poisson_by_rejection(double mean, Draws draws) {
  const double log_mean = Sleef_cinz_logd1_u10purec(mean);
  const double b = 0.931 + 2.53 * __builtin_sqrt(mean), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
  for (int tries = 0; tries < 1'000; ++tries) {
    const double u = draws.next() - 0.5, v = draws.next();
    const double side = 0.5 - __builtin_fabs(u);
    const double k = __builtin_floor((2 * a / side + b) * u + mean + 0.43);
    if (side >= 0.07 && v <= quick) return k;
    if (k < 0 || (side < 0.013 && v > side)) continue;
    const double left = Sleef_cinz_logd1_u10purec(v * inverse_alpha / (a / (side * side) + b));
    if (left <= k * log_mean - mean - Sleef_cinz_lgammad1_u10purec(k + 1)) return k;
  }
  return __builtin_floor(mean);
}

/// Rank of a bounded Zipf distribution over 1..count, weights k ^ -exponent, by rejection from the integral of a hat.
/// W. Hörmann and G. Derflinger, Rejection-inversion to generate variates from monotone discrete distributions (1996).
struct Zipf {
  double exponent;

  static double expm1_ratio(double x) {
    return __builtin_fabs(x) > 1e-8 ? Sleef_cinz_expm1d1_u10purec(x) / x : 1 + x * 0.5;
  }
  static double log1p_ratio(double x) {
    return __builtin_fabs(x) > 1e-8 ? Sleef_cinz_log1pd1_u10purec(x) / x : 1 - x * 0.5;
  }
  double weight(double x) const { return Sleef_cinz_expd1_u10purec(-exponent * Sleef_cinz_logd1_u10purec(x)); }
  double integral(double x) const {
    const double log_x = Sleef_cinz_logd1_u10purec(x);
    return expm1_ratio((1 - exponent) * log_x) * log_x;
  }
  double inverse_integral(double y) const {
    const double t = y * (1 - exponent);
    return Sleef_cinz_expd1_u10purec(log1p_ratio(t < -1 ? -1 : t) * y);
  }
  double draw(double count, Draws draws) const {
    const double first = integral(1.5) - 1, last = integral(count + 0.5);
    const double squeeze = 2 - inverse_integral(integral(2.5) - weight(2));
    for (int tries = 0; tries < 1'000; ++tries) {
      const double y = last + draws.next() * (first - last);
      const double x = inverse_integral(y);
      double k = __builtin_floor(x + 0.5);
      k = k >= 1 ? (k <= count ? k : count) : 1;
      if (k - x <= squeeze || y >= integral(k + 0.5) - weight(k)) return k;
    }
    return 1;
  }
};

}  // namespace

std::int64_t row_number(std::int64_t row) { return row; }

double uniform(std::uint64_t bits, double low, double high) { return low + unit_double(bits) * (high - low); }

std::int64_t uniform_int(std::uint64_t bits, std::int64_t low, std::int64_t high) {
  if (high < low) return kNoInt;
  const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;  // 0: all 2^64
  const std::uint64_t offset =
      count == 0 ? bits : static_cast<std::uint64_t>(static_cast<unsigned __int128>(bits) * count >> 64);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

double normal(std::uint64_t bits, double mean, double sd) { return mean + sd * normal_quantile(open_unit(bits)); }

double exponential(std::uint64_t bits, double mean) { return -mean * Sleef_cinz_logd1_u10purec(open_unit(bits)); }

bool bernoulli(std::uint64_t bits, double p) { return unit_double(bits) < p; }

std::int64_t poisson(std::uint64_t bits, double mean) {
  if (!(mean > 0)) return 0;
  if (mean < 10) return poisson_by_inversion(mean, unit_double(bits));
  return to_int(mean < 0x1.0p60 ? poisson_by_rejection(mean, {bits}) : mean);
}

std::int64_t zipf(std::uint64_t bits, std::int64_t low, std::int64_t high, double exponent) {
  if (high < low || !(exponent >= 0) || exponent > 1'000) return kNoInt;
  const double count = static_cast<double>(high) - static_cast<double>(low) + 1;
  if (count == 1) return low;
  const double rank = Zipf{exponent}.draw(count, {bits});
  const std::int64_t value = checked_add(low, to_int(rank - 1));
  return value > high ? high : value;
}

Text choice(std::uint64_t bits, const Weights* options) {
  const double u = unit_double(bits);
  std::int64_t i = 0;
  while (i + 1 < options->count && u >= options->cumulative[i]) ++i;
  return options->names[i];
}

}  // namespace mlp::native_fn
