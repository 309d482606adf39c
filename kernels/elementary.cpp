// Elementary functions. SLEEF's `cinz` family in plain C: bits that no CPU changes, with or without fused multiply-add, and
// equal to its vector forms. (Its `finz` family is faster, but needs a CPU that fuses.)

#include <sleef.h>

#include "gen/native_names.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

double sqrt(double x) { return x >= 0 ? __builtin_sqrt(x) : kNoFloat; }
double exp(double x) { return Sleef_cinz_expd1_u10purec(x); }
double expm1(double x) { return Sleef_cinz_expm1d1_u10purec(x); }
double log(double x) { return x > 0 ? Sleef_cinz_logd1_u10purec(x) : kNoFloat; }
double log1p(double x) { return x > -1 ? Sleef_cinz_log1pd1_u10purec(x) : kNoFloat; }
double log2(double x) { return x > 0 ? Sleef_cinz_log2d1_u10purec(x) : kNoFloat; }
double log10(double x) { return x > 0 ? Sleef_cinz_log10d1_u10purec(x) : kNoFloat; }
double sin(double x) { return Sleef_cinz_sind1_u10purec(x); }
double cos(double x) { return Sleef_cinz_cosd1_u10purec(x); }
double tan(double x) { return Sleef_cinz_tand1_u10purec(x); }
double asin(double x) { return x >= -1 && x <= 1 ? Sleef_cinz_asind1_u10purec(x) : kNoFloat; }
double acos(double x) { return x >= -1 && x <= 1 ? Sleef_cinz_acosd1_u10purec(x) : kNoFloat; }
double atan(double x) { return Sleef_cinz_atand1_u10purec(x); }
double atan2(double y, double x) { return Sleef_cinz_atan2d1_u10purec(y, x); }
double tanh(double x) { return Sleef_cinz_tanhd1_u10purec(x); }

double sigmoid(double x) {
  const double e = Sleef_cinz_expd1_u10purec(-__builtin_fabs(x));  // at most 1: nothing overflows
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
double logit(double p) {
  return p > 0 && p < 1 ? Sleef_cinz_logd1_u10purec(p) - Sleef_cinz_log1pd1_u10purec(-p) : kNoFloat;
}

double power_float_int(double a, std::int64_t b) {
  // Small powers by multiplication: exact where the product is, and what x * x gives.
  if (b == 2) return a * a;
  if (b == 1) return a;
  if (b == 0) return 1;
  if (a == 0) return b > 0 ? a * static_cast<double>(b & 1) : kNoFloat;
  const double size = Sleef_cinz_powd1_u10purec(__builtin_fabs(a), static_cast<double>(b));
  return a < 0 && (b & 1) ? -size : size;
}
double power_float(double a, double b) {
  if (b == 2) return a * a;
  if (b == 1) return a;
  if (b == 0) return 1;
  if (a == 0) return b > 0 ? 0.0 : kNoFloat;
  if (a > 0) return Sleef_cinz_powd1_u10purec(a, b);
  if (b != __builtin_trunc(b)) return kNoFloat;
  const double size = Sleef_cinz_powd1_u10purec(-a, b);
  const bool odd = __builtin_fabs(b) < 0x1.0p53 && (static_cast<std::int64_t>(b) & 1);
  return odd ? -size : size;
}
double pow(double a, double b) { return power_float(a, b); }

}  // namespace mlp::native_fn
