#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "gen/native_learn_names.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/transform_adaptor.h"
#include "runtime/learn/value_counts.h"

/// Transforms that know how the training rows' values are distributed.
namespace mlp::learn {
namespace {

struct CountedPartial {
  NumberCounts counts;
  template <class A>
  void fields(A& a) { a(counts); }
};

struct QuantileBins {
  static constexpr std::uint32_t kFormat = 0x1201;
  using Partial = CountedPartial;
  struct Fitted {
    std::vector<double> cuts;  ///< ascending, distinct; the bin is the number of cuts <= x
    template <class A>
    void fields(A& a) { a(cuts); }
  };
  static void add(const Options&, Partial& p, const Rows& rows) { p.counts = count_numbers(Numbers(rows.args[0]), rows.use); }
  static void merge(Partial& into, Partial&& from) { into.counts.merge(from.counts); }
  static Result<Fitted> finish(const Options& options, Partial&& p) {
    Fitted f;
    if (p.counts.values.empty()) return f;
    const auto n = static_cast<int>(number_option(options, "n"));
    for (int i = 1; i < n; ++i) {
      const double cut = p.counts.quantile(static_cast<double>(i) / n);
      // A cut at the smallest value would leave the first bin empty; two equal cuts the bin between them.
      if (cut > p.counts.values.front() && (f.cuts.empty() || cut > f.cuts.back())) f.cuts.push_back(cut);
    }
    return f;
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    std::vector<std::int64_t> bins(x.rows(), 0);
    std::vector<std::uint8_t> known(x.rows(), 0);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (!x.known(i)) continue;
      known[i] = 1;
      bins[i] = std::ranges::upper_bound(f.cuts, x[i]) - f.cuts.begin();
    }
    return int_column(std::move(bins), std::move(known));
  }
  static Type result(const Fitted&) { return Type::of(Base::int_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"cuts", fmt::format("{:.6g}", fmt::join(f.cuts, ", "))}};
  }
  static bool sound(const Fitted& f) { return std::ranges::is_sorted(f.cuts) && std::ranges::all_of(f.cuts, [](double c) { return std::isfinite(c); }); }
};

struct ClipQuantiles {
  static constexpr std::uint32_t kFormat = 0x1202;
  using Partial = CountedPartial;
  struct Fitted {
    bool any = false;  ///< some training row was known; else nothing is clipped
    double low = 0, high = 0;
    template <class A>
    void fields(A& a) { a(any, low, high); }
  };
  static void add(const Options&, Partial& p, const Rows& rows) { p.counts = count_numbers(Numbers(rows.args[0]), rows.use); }
  static void merge(Partial& into, Partial&& from) { into.counts.merge(from.counts); }
  static Result<Fitted> finish(const Options& options, Partial&& p) {
    const double low = number_option(options, "low"), high = number_option(options, "high");
    if (!(low < high))
      return failure(diag::Code::E0303, fmt::format("the lower share, {}, is not below the upper share, {}", low, high),
                     "give a `low` that is smaller than `high`");
    if (p.counts.values.empty()) return Fitted{};
    return Fitted{true, p.counts.quantile(low), p.counts.quantile(high)};
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i)
      if (x.known(i)) out.set(i, f.any ? std::clamp(x[i], f.low, f.high) : x[i]);
    return std::move(out).finish(true);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"low", fmt::format("{:.6g}", f.low)}, {"high", fmt::format("{:.6g}", f.high)}};
  }
  static bool sound(const Fitted& f) { return std::isfinite(f.low) && std::isfinite(f.high) && f.low <= f.high; }
};

struct Impute {
  static constexpr std::uint32_t kFormat = 0x1203;
  struct Partial {
    std::uint64_t rows = 0;
    ExactSum sum;         ///< for the mean
    NumberCounts counts;  ///< for the others
    template <class A>
    void fields(A& a) { a(rows, sum, counts); }
  };
  struct Fitted {
    double value = 0;
    template <class A>
    void fields(A& a) { a(value); }
  };
  static void add(const Options& options, Partial& p, const Rows& rows) {
    const Numbers x(rows.args[0]);
    if (text_option(options, "how") != "mean") {
      p.counts = count_numbers(x, rows.use);
      return;
    }
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (rows.use[i] == 0 || !x.known(i)) continue;
      ++p.rows;
      p.sum.add(x[i]);
    }
  }
  static void merge(Partial& into, Partial&& from) {
    into.rows += from.rows;
    into.sum.add(from.sum);
    into.counts.merge(from.counts);
  }
  static Result<Fitted> finish(const Options& options, Partial&& p) {
    const std::string_view how = text_option(options, "how");
    if (how == "mean") return Fitted{p.rows == 0 ? 0.0 : p.sum.value() / static_cast<double>(p.rows)};
    if (p.counts.values.empty()) return Fitted{};
    if (how == "median") return Fitted{p.counts.quantile(0.5)};
    // The most frequent value; of several the smallest.
    return Fitted{p.counts.values[static_cast<std::size_t>(std::ranges::max_element(p.counts.counts) - p.counts.counts.begin())]};
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) out.set(i, x.known(i) ? x[i] : f.value);
    return std::move(out).finish(false);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) { return {{"value", fmt::format("{:.6g}", f.value)}}; }
  static bool sound(const Fitted& f) { return std::isfinite(f.value); }
};

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_transform {
constinit const learn::NativeTransform quantile_bins = learn::adapt<learn::QuantileBins>();
constinit const learn::NativeTransform clip_quantiles = learn::adapt<learn::ClipQuantiles>();
constinit const learn::NativeTransform impute = learn::adapt<learn::Impute>();
}  // namespace mlp::native_transform
