#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "gen/native_learn_names.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/transform_adaptor.h"
#include "runtime/learn/value_counts.h"

/// Mean of the label per category, shrunk towards the overall mean (Micci-Barreca 2001, with additive smoothing).
namespace mlp::learn {
namespace {

struct LabelSum {
  std::uint64_t rows = 0;
  ExactSum sum;
  template <class A>
  void fields(A& a) { a(rows, sum); }

  void add(double label) {
    ++rows;
    sum.add(label);
  }
  void add(const LabelSum& other) {
    rows += other.rows;
    sum.add(other.sum);
  }
};

struct TargetEncode {
  static constexpr std::uint32_t kFormat = 0x1401;
  struct Partial {
    std::map<std::string, LabelSum> categories;
    LabelSum missing;  ///< a missing category is a category of its own
    template <class A>
    void fields(A& a) { a(categories, missing); }
  };
  struct Fitted {
    std::vector<std::string> values;  ///< sorted by bytes
    std::vector<double> means;        ///< shrunk
    double missing = 0;
    double overall = 0;  ///< what unseen values get
    template <class A>
    void fields(A& a) { a(values, means, missing, overall); }
  };
  static void add(const Options&, Partial& partial, const Rows& rows) {
    const Coded x(rows.args[0]);
    const Numbers label(*rows.label);
    std::vector<LabelSum> by_code(x.texts().size());
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (rows.use[i] == 0 || !label.known(i)) continue;
      const std::int32_t code = x.code(i);
      (code < 0 ? partial.missing : by_code[static_cast<std::size_t>(code)]).add(label[i]);
    }
    for (std::size_t c = 0; c < by_code.size(); ++c)
      if (by_code[c].rows > 0) partial.categories[std::string(x.texts()[c])].add(by_code[c]);
  }
  static void merge(Partial& into, Partial&& from) {
    for (const auto& [text, sums] : from.categories) into.categories[text].add(sums);
    into.missing.add(from.missing);
  }
  static Result<Fitted> finish(const Options& options, Partial&& partial) {
    const double smoothing = number_option(options, "smoothing");
    LabelSum all = partial.missing;
    for (const auto& [text, sums] : partial.categories) all.add(sums);
    Fitted f;
    if (all.rows == 0) return f;
    f.overall = all.sum.value() / static_cast<double>(all.rows);
    const auto shrunk = [&](const LabelSum& s) {
      const double weight = static_cast<double>(s.rows) + smoothing;
      return weight > 0 ? (s.sum.value() + smoothing * f.overall) / weight : f.overall;
    };
    for (const auto& [text, sums] : partial.categories) {
      f.values.push_back(text);
      f.means.push_back(shrunk(sums));
    }
    f.missing = shrunk(partial.missing);
    return f;
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t& unseen) {
    const Coded x(args[0]);
    const std::vector<std::int32_t> at = match(x.texts(), f.values);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
      const std::int32_t code = x.code(i);
      const std::int32_t found = code < 0 ? -1 : at[static_cast<std::size_t>(code)];
      if (code >= 0 && found < 0) ++unseen;
      out.set(i, code < 0 ? f.missing : found < 0 ? f.overall : f.means[static_cast<std::size_t>(found)]);
    }
    return std::move(out).finish(false);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"categories", fmt::format("{}", f.values.size())}, {"overall", fmt::format("{:.6g}", f.overall)}};
  }
  static bool sound(const Fitted& f) {
    return f.values.size() == f.means.size() && std::ranges::is_sorted(f.values) && std::isfinite(f.missing) && std::isfinite(f.overall) &&
           std::ranges::all_of(f.means, [](double m) { return std::isfinite(m); });
  }
};

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_transform {
constinit const learn::NativeTransform target_encode = learn::adapt<learn::TargetEncode>();
}  // namespace mlp::native_transform
