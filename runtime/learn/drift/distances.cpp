#include <algorithm>
#include <cmath>

#include "compiler/support/check.h"
#include "gen/native_learn_names.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/native.h"
#include "runtime/learn/native.h"

/// Distances of two binned distributions.
namespace mlp::learn {
namespace {

double total(std::span<const double> rows) {
  double sum = 0;
  for (const double r : rows) sum += r;
  return sum;
}

/// Jeffreys' divergence of the shares, as credit scoring has it (Siddiqi 2006); an empty bin counts as half a row.
std::optional<double> psi_value(std::span<const double> reference, std::span<const double> current) {
  MLP_CHECK(reference.size() == current.size());
  const double a = total(reference), b = total(current);
  if (!(a > 0 && b > 0)) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i] == 0 && current[i] == 0) continue;
    const double x = std::max(reference[i], 0.5) / a, y = std::max(current[i], 0.5) / b;
    sum += (y - x) * (exact_bits_log(y) - exact_bits_log(x));
  }
  return sum;
}

/// Root of the divergence of Lin 1991, logarithms to base 2 (Endres and Schindelin 2003: a metric).
std::optional<double> js_value(std::span<const double> reference, std::span<const double> current) {
  MLP_CHECK(reference.size() == current.size());
  const double a = total(reference), b = total(current);
  if (!(a > 0 && b > 0)) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double x = reference[i] / a, y = current[i] / b, m = (x + y) / 2;
    if (x > 0) sum += x * (exact_bits_log(x) - exact_bits_log(m));
    if (y > 0) sum += y * (exact_bits_log(y) - exact_bits_log(m));
  }
  return std::sqrt(std::clamp(sum / (2 * 0x1.62e42fefa39efp-1), 0.0, 1.0));
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_drift {
constinit const learn::NativeDrift psi = {learn::psi_value};
constinit const learn::NativeDrift js = {learn::js_value};
}  // namespace mlp::native_drift
