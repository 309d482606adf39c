#include "runtime/learn/gradient_grid.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mlp::learn {

bool snap_to_grid(std::span<const double> x, std::span<float> out) {
  double largest = 0;
  for (const double v : x) {
    if (!(std::fabs(v) < 0x1.0p127)) return false;
    largest = std::max(largest, std::fabs(v));
  }
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent; a value that rounds up to it still fits, see below
  // One more bit than the rows need: rounding may carry a value to exactly 2^exponent, and a sum to the edge.
  const int rows = static_cast<int>(std::bit_width(x.size())) + 1;
  const int step = std::max(exponent + rows - 53, -149);  // a float holds nothing finer than 2^-149
  const double to_grid = std::ldexp(1.0, -step), from_grid = std::ldexp(1.0, step);
  // Adding and taking away 1.5 * 2^52 rounds to whole numbers, for up to 2^51, which is what the bits left for rows allow.
  constexpr double kWhole = 0x1.8p52;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // Rounded to the grid first: what is then too long for a float is rounded to 24 bits, which are multiples of the step.
    const double on_grid = ((x[i] * to_grid + kWhole) - kWhole) * from_grid;
    out[i] = static_cast<float>(on_grid) + 0.0f;
  }
  return true;
}

}  // namespace mlp::learn
