#pragma once

// Integer arithmetic that says `kNoInt` where the result does not fit, and constants that several kernels share.

#include "kernels/abi.h"

namespace mlp {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// An operand that is kNoInt counts as having no value too.
inline std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  return a == kNoInt || b == kNoInt || __builtin_add_overflow(a, b, &result) ? kNoInt : result;
}
inline std::int64_t checked_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  return a == kNoInt || b == kNoInt || __builtin_sub_overflow(a, b, &result) ? kNoInt : result;
}
inline std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  return a == kNoInt || b == kNoInt || __builtin_mul_overflow(a, b, &result) ? kNoInt : result;
}
/// A whole double as int.
inline std::int64_t to_int(double whole) {
  return whole > -0x1.0p63 && whole < 0x1.0p63 ? static_cast<std::int64_t>(whole) : kNoInt;
}
/// Rounded towards minus infinity; the divisor is above 0.
inline std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
/// What floor_div leaves, 0 or above.
inline std::int64_t floor_rest(std::int64_t a, std::int64_t b) { return a % b < 0 ? a % b + b : a % b; }

/// Compares by bytes, then by length: -1, 0, 1.
inline int compare_text(Text a, Text b) {
  const std::int64_t shorter = a.size < b.size ? a.size : b.size;
  const int order = shorter == 0 ? 0 : __builtin_memcmp(a.data, b.data, static_cast<std::size_t>(shorter));
  if (order != 0) return order < 0 ? -1 : 1;
  return (a.size > b.size) - (a.size < b.size);
}

}  // namespace mlp
