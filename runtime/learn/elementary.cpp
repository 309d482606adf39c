#include "runtime/learn/elementary.h"

#include <sleef.h>

namespace mlp::learn {

double exact_bits_exp(double x) { return Sleef_cinz_expd1_u10purec(x); }
double exact_bits_log(double x) { return Sleef_cinz_logd1_u10purec(x); }
double exact_bits_log1p(double x) { return Sleef_cinz_log1pd1_u10purec(x); }

double sigmoid(double x) {
  // exp of a number that is not positive cannot overflow, and small probabilities keep all their bits.
  const double e = exact_bits_exp(x < 0 ? x : -x);
  return (x < 0 ? e : 1.0) / (1.0 + e);
}

void sigmoid(std::span<const double> x, std::span<double> out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = sigmoid(x[i]);
}

double log_odds(double p) { return exact_bits_log(p) - exact_bits_log(1.0 - p); }

}  // namespace mlp::learn
