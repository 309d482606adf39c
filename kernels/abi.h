#pragma once

// The calling convention of native row functions, shared by the interpreter (object code) and the JIT (bitcode of the same
// source). A function takes known values only and is total; it may depend on nothing but its arguments: no libm, no locale,
// no allocation (except through Arena), no global.
//
//   language              C++
//   bool                  bool
//   int, date, timestamp, duration   std::int64_t
//   float                 double
//   string, category      mlp::Text (by value)
//   map                   const mlp::Weights*  (constant pairs, such as those of choice("a": 50%, …))
//   result string         mlp::Text, made in the mlp::Arena* that is then the first parameter (never compiled)
//   `row` functions       std::int64_t row ordinal first
//   `random` functions    std::uint64_t of random bits first
//   `-> T?` without `known when`: a last parameter bool* known
//
// A float that is NaN or infinite, and an int, date, timestamp or duration that is kNoInt, is no value: the caller makes it
// missing. So arithmetic that leaves its type needs no flag, and a function is total also where `known when` does not hold.

#include <cstddef>
#include <cstdint>
#include <limits>

namespace mlp {

inline constexpr std::int64_t kNoInt = std::numeric_limits<std::int64_t>::min();
inline constexpr double kNoFloat = std::numeric_limits<double>::quiet_NaN();

struct Text {
  const char* data;
  std::int64_t size;
};

/// Constant weights of named options; cumulative and ending in 1.
struct Weights {
  std::int64_t count;
  const double* cumulative;
  const Text* names;
};

/// Where functions that make text put it; lives as long as the batch that is being computed.
struct Arena;
char* arena_allocate(Arena* arena, std::int64_t size);

/// SplitMix64's finaliser (Steele, Lea, Flood 2014) over both words: the random bits of row `row` in stream `stream`.
inline std::uint64_t draw_bits(std::uint64_t stream, std::uint64_t row) {
  auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  };
  return mix(mix(stream + 0x9E3779B97F4A7C15ull) + (row + 1) * 0x9E3779B97F4A7C15ull);
}

/// Uniform in [0, 1) from the upper 53 bits.
inline double unit_double(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

}  // namespace mlp
