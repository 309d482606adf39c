// Operators on numbers and lengths of time, and the functions that are arithmetic by nature.

#include "gen/native_names.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

std::int64_t add_int(std::int64_t a, std::int64_t b) { return checked_add(a, b); }
double add_float(double a, double b) { return a + b; }
std::int64_t add_duration(std::int64_t a, std::int64_t b) { return checked_add(a, b); }
std::int64_t add_date_duration(std::int64_t a, std::int64_t b) {
  return b % kMicrosPerDay == 0 ? checked_add(a, b / kMicrosPerDay) : kNoInt;
}
std::int64_t add_timestamp_duration(std::int64_t a, std::int64_t b) { return checked_add(a, b); }

std::int64_t subtract_int(std::int64_t a, std::int64_t b) { return checked_subtract(a, b); }
double subtract_float(double a, double b) { return a - b; }
std::int64_t subtract_duration(std::int64_t a, std::int64_t b) { return checked_subtract(a, b); }
std::int64_t subtract_date(std::int64_t a, std::int64_t b) { return checked_multiply(checked_subtract(a, b), kMicrosPerDay); }
std::int64_t subtract_timestamp(std::int64_t a, std::int64_t b) { return checked_subtract(a, b); }
std::int64_t subtract_date_duration(std::int64_t a, std::int64_t b) {
  return b % kMicrosPerDay == 0 ? checked_subtract(a, b / kMicrosPerDay) : kNoInt;
}
std::int64_t subtract_timestamp_duration(std::int64_t a, std::int64_t b) { return checked_subtract(a, b); }

std::int64_t multiply_int(std::int64_t a, std::int64_t b) { return checked_multiply(a, b); }
double multiply_float(double a, double b) { return a * b; }
std::int64_t multiply_duration(std::int64_t a, double b) { return to_int(__builtin_rint(static_cast<double>(a) * b)); }

double divide_float(double a, double b) { return b == 0 ? kNoFloat : a / b; }
double divide_duration(std::int64_t a, std::int64_t b, bool* known) {
  *known = b != 0;
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}
std::int64_t divide_duration_float(std::int64_t a, double b) {
  return b == 0 ? kNoInt : to_int(__builtin_rint(static_cast<double>(a) / b));
}

std::int64_t power_int(std::int64_t a, std::int64_t b) {
  if (b < 0) return kNoInt;
  std::int64_t result = 1;
  while (true) {
    if (b & 1) {
      result = checked_multiply(result, a);
      if (result == kNoInt) return kNoInt;
    }
    b >>= 1;
    if (b == 0) return result;
    a = checked_multiply(a, a);
    if (a == kNoInt) return kNoInt;
  }
}

std::int64_t negate_int(std::int64_t x) { return checked_subtract(0, x); }
double negate_float(double x) { return -x; }
std::int64_t negate_duration(std::int64_t x) { return checked_subtract(0, x); }

std::int64_t div_int(std::int64_t a, std::int64_t b) {
  if (b == 0 || (b == -1 && a == kNoInt)) return kNoInt;
  const std::int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t mod_int(std::int64_t a, std::int64_t b) {
  if (b == 0) return kNoInt;
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
double mod_float(double a, double b) {
  if (b == 0) return kNoFloat;
  // fmod is exact in IEEE arithmetic, so every implementation gives the same bits.
  const double rest = __builtin_fmod(a, b);
  if (rest == 0) return __builtin_copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t abs_int(std::int64_t x) { return x < 0 ? checked_subtract(0, x) : x; }
double abs_float(double x) { return __builtin_fabs(x); }
std::int64_t sign_int(std::int64_t x) { return (x > 0) - (x < 0); }
double sign_float(double x) { return static_cast<double>((x > 0) - (x < 0)); }

#define MLP_MIN_MAX(NAME, TYPE)                                  \
  TYPE min_##NAME(TYPE a, TYPE b) { return b < a ? b : a; }      \
  TYPE max_##NAME(TYPE a, TYPE b) { return b > a ? b : a; }
MLP_MIN_MAX(int, std::int64_t)
MLP_MIN_MAX(float, double)
MLP_MIN_MAX(date, std::int64_t)
MLP_MIN_MAX(timestamp, std::int64_t)
MLP_MIN_MAX(duration, std::int64_t)
#undef MLP_MIN_MAX

std::int64_t clamp_int(std::int64_t x, std::int64_t low, std::int64_t high) {
  const std::int64_t raised = x < low ? low : x;
  return raised > high ? high : raised;
}
double clamp_float(double x, double low, double high) {
  const double raised = x < low ? low : x;
  return raised > high ? high : raised;
}

double floor(double x) { return __builtin_floor(x); }
double ceil(double x) { return __builtin_ceil(x); }
double trunc(double x) { return __builtin_trunc(x); }
double round(double x) { return __builtin_rint(x); }
double round_digits(double x, std::int64_t digits) {
  static constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const std::int64_t places = clamp_int(digits, -15, 15);
  if (places < 0) return __builtin_rint(x / kPowers[-places]) * kPowers[-places];
  const double scaled = x * kPowers[places];
  // From 2^52 on every double is whole already.
  return __builtin_fabs(scaled) < 0x1.0p52 ? __builtin_rint(scaled) / kPowers[places] : x;
}

std::int64_t int_of_float(double x) { return to_int(__builtin_trunc(x)); }
std::int64_t int_of_bool(bool x) { return x ? 1 : 0; }
double float_of_float(double x) { return x; }
double float_of_bool(bool x) { return x ? 1.0 : 0.0; }

}  // namespace mlp::native_fn
