#include <cmath>
#include <fmt/format.h>

#include "gen/native_learn_names.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/transform_adaptor.h"

/// Transforms that shift and scale numbers.
namespace mlp::learn {
namespace {

struct Standardize {
  static constexpr std::uint32_t kFormat = 0x1101;
  struct Partial {
    std::uint64_t rows = 0;
    ExactSum sum, squares;
    template <class A>
    void fields(A& a) { a(rows, sum, squares); }
  };
  struct Fitted {
    double mean = 0, std = 0;
    template <class A>
    void fields(A& a) { a(mean, std); }
  };
  static void add(const Options&, Partial& partial, const Rows& rows) {
    const Numbers x(rows.args[0]);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (rows.use[i] == 0 || !x.known(i)) continue;
      ++partial.rows;
      partial.sum.add(x[i]);
      partial.squares.add_product(x[i], x[i]);
    }
  }
  static void merge(Partial& into, Partial&& from) {
    into.rows += from.rows;
    into.sum.add(from.sum);
    into.squares.add(from.squares);
  }
  static Result<Fitted> finish(const Options&, Partial&& partial) {
    if (partial.rows == 0) return Fitted{};
    const Moments m = moments(partial.rows, partial.sum, partial.squares);
    return Fitted{m.mean, m.deviation()};
  }
  static Column apply(const Fitted& fitted, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i)
      if (x.known(i)) out.set(i, fitted.std > 0 ? (x[i] - fitted.mean) / fitted.std : 0.0);
    return std::move(out).finish(true);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"mean", fmt::format("{:.6g}", f.mean)}, {"std", fmt::format("{:.6g}", f.std)}};
  }
  static bool sound(const Fitted& f) { return std::isfinite(f.mean) && std::isfinite(f.std) && f.std >= 0; }
};

struct MinMax {
  static constexpr std::uint32_t kFormat = 0x1102;
  struct Partial {
    std::uint64_t rows = 0;
    double low = 0, high = 0;
    template <class A>
    void fields(A& a) { a(rows, low, high); }
  };
  using Fitted = Partial;
  static void take(Partial& into, std::uint64_t rows, double low, double high) {
    if (rows == 0) return;
    into.low = into.rows == 0 || low < into.low ? low : into.low;
    into.high = into.rows == 0 || high > into.high ? high : into.high;
    into.rows += rows;
  }
  static void add(const Options&, Partial& partial, const Rows& rows) {
    const Numbers x(rows.args[0]);
    for (std::size_t i = 0; i < x.rows(); ++i)
      if (rows.use[i] != 0 && x.known(i)) take(partial, 1, x[i] + 0.0, x[i] + 0.0);  // -0 + 0 is 0
  }
  static void merge(Partial& into, Partial&& from) { take(into, from.rows, from.low, from.high); }
  static Result<Fitted> finish(const Options&, Partial&& partial) { return partial; }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (!x.known(i)) continue;
      const double v = x[i];
      if (!(f.low < f.high) || v <= f.low) out.set(i, 0.0);
      else if (v >= f.high) out.set(i, 1.0);
      else out.set(i, (v / 2 - f.low / 2) / (f.high / 2 - f.low / 2));  // halves: the range of the extremes may overflow
    }
    return std::move(out).finish(true);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"min", fmt::format("{:.6g}", f.low)}, {"max", fmt::format("{:.6g}", f.high)}};
  }
  static bool sound(const Fitted& f) { return std::isfinite(f.low) && std::isfinite(f.high) && f.low <= f.high; }
};

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_transform {
constinit const learn::NativeTransform standardize = learn::adapt<learn::Standardize>();
constinit const learn::NativeTransform min_max = learn::adapt<learn::MinMax>();
}  // namespace mlp::native_transform
