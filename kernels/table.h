#pragma once

// Native row functions by their symbol, for whoever calls them a row or a run of rows at a time. The table itself is
// generated from stdlib/*.mlp: one line `entry<&mlp::native_fn::log1p>("log1p")` a function.

#include <array>
#include <bit>
#include <span>
#include <string_view>
#include <type_traits>

#include "kernels/abi.h"

namespace mlp {

/// How a value lies in memory: bool as uint8, int as int64, float as double, text as Text, bits as uint64, weights as
/// `const Weights*`.
enum class Slot : std::uint8_t { bool_, int_, float_, text, bits, weights };

/// One argument of a loop: the value of row i is `values[i * step]`; step is 1, or 0 for the same value in all rows.
struct LoopArgument {
  const void* values = nullptr;
  std::size_t step = 1;
};

struct Loop {
  std::size_t rows = 0;
  const LoopArgument* arguments = nullptr;  ///< in the order of NativeFunction::arguments
  const std::uint8_t* known = nullptr;      ///< one a row: where 0 the function is not called; null: all are known
  Arena* arena = nullptr;                   ///< for functions that make text
  void* result = nullptr;                   ///< `rows` slots; zero where the result is missing
  std::uint8_t* result_known = nullptr;     ///< `rows` bytes, written
};

struct NativeFunction {
  std::string_view symbol;
  std::span<const Slot> arguments;  ///< without arena and known flag; with the ordinal of `row`, the bits of `random` first
  Slot result = Slot::int_;
  bool makes_text = false;
  bool can_fail = false;
  void (*run)(const Loop&) = nullptr;

  bool is_random() const { return !arguments.empty() && arguments.front() == Slot::bits; }
};

/// nullptr where there is none.
const NativeFunction* find_native_function(std::string_view symbol);
/// All of them, sorted by symbol.
std::span<const NativeFunction> native_functions();

namespace native_detail {

template <class T> struct SlotOf;
template <> struct SlotOf<bool> { static constexpr Slot slot = Slot::bool_; using Memory = std::uint8_t; };
template <> struct SlotOf<std::int64_t> { static constexpr Slot slot = Slot::int_; using Memory = std::int64_t; };
template <> struct SlotOf<double> { static constexpr Slot slot = Slot::float_; using Memory = double; };
template <> struct SlotOf<Text> { static constexpr Slot slot = Slot::text; using Memory = Text; };
template <> struct SlotOf<std::uint64_t> { static constexpr Slot slot = Slot::bits; using Memory = std::uint64_t; };
template <> struct SlotOf<const Weights*> { static constexpr Slot slot = Slot::weights; using Memory = const Weights*; };

/// Whether a result is a value; see kernels/abi.h. Infinity and NaN are those whose exponent bits are all set.
inline bool is_value(double x) { return (std::bit_cast<std::uint64_t>(x) & 0x7FF0'0000'0000'0000u) != 0x7FF0'0000'0000'0000u; }
inline bool is_value(std::int64_t x) { return x != kNoInt; }
inline bool is_value(bool) { return true; }
inline bool is_value(Text) { return true; }

template <bool Makes, bool Fails, class Result, class... Arguments>
struct Shape {
  static constexpr std::array<Slot, sizeof...(Arguments)> kSlots{SlotOf<Arguments>::slot...};
  static constexpr Slot kResult = SlotOf<Result>::slot;
  static constexpr bool kMakesText = Makes, kCanFail = Fails;

  template <auto Function, std::size_t... I>
  static void run_rows(const Loop& loop, std::index_sequence<I...>) {
    using Memory = typename SlotOf<Result>::Memory;
    Memory* const results = static_cast<Memory*>(loop.result);
    for (std::size_t row = 0; row < loop.rows; ++row) {
      Result value{};
      bool known = loop.known == nullptr || loop.known[row] != 0;
      if (known) {
        const auto argument = [&]<class T>(std::size_t i, std::type_identity<T>) -> T {
          return static_cast<T>(static_cast<const typename SlotOf<T>::Memory*>(loop.arguments[i].values)[row * loop.arguments[i].step]);
        };
        if constexpr (Makes && Fails) value = Function(loop.arena, argument(I, std::type_identity<Arguments>{})..., &known);
        else if constexpr (Makes) value = Function(loop.arena, argument(I, std::type_identity<Arguments>{})...);
        else if constexpr (Fails) value = Function(argument(I, std::type_identity<Arguments>{})..., &known);
        else value = Function(argument(I, std::type_identity<Arguments>{})...);
        known = known && is_value(value);
      }
      results[row] = known ? static_cast<Memory>(value) : Memory{};
      loop.result_known[row] = known;
    }
  }
  template <auto Function>
  static void run(const Loop& loop) {
    run_rows<Function>(loop, std::index_sequence_for<Arguments...>{});
  }
};

/// Takes a trailing `bool*` off the parameters.
template <bool Makes, class Result, class Done, class... Rest> struct Trailing;
template <bool Makes, class Result, class... Done>
struct Trailing<Makes, Result, void(Done...)> { using type = Shape<Makes, false, Result, Done...>; };
template <bool Makes, class Result, class... Done>
struct Trailing<Makes, Result, void(Done...), bool*> { using type = Shape<Makes, true, Result, Done...>; };
template <bool Makes, class Result, class... Done, class Next, class... Rest>
  requires(!std::is_same_v<Next, bool*>)
struct Trailing<Makes, Result, void(Done...), Next, Rest...> : Trailing<Makes, Result, void(Done..., Next), Rest...> {};

template <class Function> struct ShapeOf;
template <class Result, class... Arguments>
struct ShapeOf<Result (*)(Arguments...)> : Trailing<false, Result, void(), Arguments...> {};
template <class Result, class... Arguments>
struct ShapeOf<Result (*)(Arena*, Arguments...)> : Trailing<true, Result, void(), Arguments...> {};

}  // namespace native_detail

/// One line of the generated table.
template <auto Function>
constexpr NativeFunction entry(std::string_view symbol) {
  using Shape = typename native_detail::ShapeOf<decltype(Function)>::type;
  return {symbol, Shape::kSlots, Shape::kResult, Shape::kMakesText, Shape::kCanFail, &Shape::template run<Function>};
}

}  // namespace mlp
