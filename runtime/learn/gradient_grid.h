#pragma once

#include <span>

namespace mlp::learn {

/// Rounds to floats that are whole multiples of one power of two, chosen so that any sum of any of them is exact in double:
/// step = 2^(E + L - 53) with |x| < 2^E and at most 2^L rows, so every partial sum is below 2^53 steps. Values that a float
/// cannot hold that finely are multiples of their own, larger, unit in the last place. False when a value is beyond floats.
/// Sums in any order, on any number of threads, are then equal.
bool snap_to_grid(std::span<const double> x, std::span<float> out);

}  // namespace mlp::learn
