#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "gen/native_learn_names.h"
#include "runtime/learn/transform_adaptor.h"
#include "runtime/learn/value_counts.h"

/// Transforms that turn categories into numbers without looking at the label.
namespace mlp::learn {
namespace {

/// Counts, and the domain where the type declares one.
struct CategoryPartial {
  TextCounts texts;
  std::vector<std::string> declared;
  template <class A>
  void fields(A& a) { a(texts, declared); }

  void add(const Rows& rows) {
    texts = count_texts(rows.args[0], rows.use);
    if (rows.args[0].type.base == Base::category) declared = rows.args[0].type.domain();
  }
  void merge(CategoryPartial&& from) {
    texts.merge(from.texts);
    if (declared.empty()) declared = std::move(from.declared);
  }
  /// The declared domain in its order, else the values of the training rows by bytes.
  std::vector<std::string> domain() const {
    if (!declared.empty()) return declared;
    std::vector<std::string> values;
    for (const auto& [text, count] : texts.counts) values.push_back(text);
    return values;
  }
};

/// Values sorted by bytes, and what each of them stands for.
struct Lookup {
  std::vector<std::string> values;
  std::vector<std::int32_t> targets;
  template <class A>
  void fields(A& a) { a(values, targets); }

  static Lookup of(const std::vector<std::string>& domain) {
    std::vector<std::pair<std::string, std::int32_t>> pairs;
    for (std::size_t i = 0; i < domain.size(); ++i) pairs.emplace_back(domain[i], static_cast<std::int32_t>(i));
    std::ranges::sort(pairs);
    Lookup out;
    for (auto& [value, target] : pairs) {
      out.values.push_back(std::move(value));
      out.targets.push_back(target);
    }
    return out;
  }
  bool sound(std::size_t target_count) const {
    return values.size() == targets.size() && std::ranges::is_sorted(values) &&
           std::ranges::all_of(targets, [&](std::int32_t t) { return t >= 0 && static_cast<std::size_t>(t) < target_count; });
  }
  /// What each of the texts stands for; -1: not in the domain.
  std::vector<std::int32_t> find(const std::vector<std::string_view>& texts) const {
    std::vector<std::int32_t> at = match(texts, values);
    for (std::int32_t& t : at) t = t < 0 ? -1 : targets[static_cast<std::size_t>(t)];
    return at;
  }
};

struct OneHot {
  static constexpr std::uint32_t kFormat = 0x1301;
  using Partial = CategoryPartial;
  struct Fitted {
    std::vector<std::string> names;  ///< of the slots
    Lookup slots;
    std::int32_t missing_slot = -1;
    std::int32_t unseen_slot = -1;
    template <class A>
    void fields(A& a) { a(names, slots, missing_slot, unseen_slot); }
  };
  static void add(const Options&, Partial& p, const Rows& rows) { p.add(rows); }
  static void merge(Partial& into, Partial&& from) { into.merge(std::move(from)); }
  static Result<Fitted> finish(const Options& options, Partial&& p) {
    const auto at_most = static_cast<std::size_t>(number_option(options, "at_most"));
    const std::string unseen(text_option(options, "unseen"));
    std::vector<std::string> domain = p.domain();
    if (domain.size() > at_most) {  // the most frequent ones; of equals those first by bytes
      const auto count = [&](const std::string& v) {
        const auto at = p.texts.counts.find(v);
        return at == p.texts.counts.end() ? 0 : at->second;
      };
      std::vector<std::string> by_count = domain;
      std::ranges::stable_sort(by_count, [&](const auto& a, const auto& b) { return count(a) != count(b) ? count(a) > count(b) : a < b; });
      by_count.resize(at_most);
      std::ranges::sort(by_count);
      std::erase_if(domain, [&](const std::string& v) { return !std::ranges::binary_search(by_count, v); });
    }
    Fitted f;
    f.names = domain;
    f.slots = Lookup::of(domain);
    if (!unseen.empty()) {
      const auto at = std::ranges::find(domain, unseen);
      f.unseen_slot = static_cast<std::int32_t>(at - domain.begin());
      if (at == domain.end()) f.names.push_back(unseen);
    }
    if (p.texts.missing > 0) {
      f.missing_slot = static_cast<std::int32_t>(f.names.size());
      f.names.push_back("missing");
    }
    return f;
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t& unseen) {
    const Coded x(args[0]);
    const std::vector<std::int32_t> slot_of = f.slots.find(x.texts());
    const std::size_t rows = x.rows();
    Column out;
    out.type = result(f);
    out.rows = rows;
    out.data = Buffer(rows * f.names.size() * sizeof(double));
    const auto values = out.data.as_mutable<double>();
    for (std::size_t i = 0; i < rows; ++i) {
      const std::int32_t code = x.code(i);
      std::int32_t slot = code < 0 ? f.missing_slot : slot_of[static_cast<std::size_t>(code)];
      if (slot < 0) {
        ++unseen;
        if (code >= 0) slot = f.unseen_slot;
      }
      if (slot >= 0) values[static_cast<std::size_t>(slot) * rows + i] = 1.0;
    }
    return out;
  }
  static Type result(const Fitted& f) { return Type::vector(static_cast<std::uint32_t>(f.names.size())); }
  static std::vector<std::string> slots(const Fitted& f) { return f.names; }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"slots", fmt::format("{}", fmt::join(f.names, ", "))}};
  }
  static bool sound(const Fitted& f) {
    const auto count = static_cast<std::int32_t>(f.names.size());
    const auto in = [&](std::int32_t slot) { return slot >= -1 && slot < count; };
    return f.slots.sound(f.names.size()) && in(f.missing_slot) && in(f.unseen_slot);
  }
};

struct OrdinalEncode {
  static constexpr std::uint32_t kFormat = 0x1302;
  using Partial = CategoryPartial;
  struct Fitted {
    Lookup positions;
    template <class A>
    void fields(A& a) { a(positions); }
  };
  static void add(const Options&, Partial& p, const Rows& rows) { p.add(rows); }
  static void merge(Partial& into, Partial&& from) { into.merge(std::move(from)); }
  static Result<Fitted> finish(const Options&, Partial&& p) { return Fitted{Lookup::of(p.domain())}; }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t& unseen) {
    const Coded x(args[0]);
    const std::vector<std::int32_t> position_of = f.positions.find(x.texts());
    std::vector<std::int64_t> values(x.rows(), 0);
    std::vector<std::uint8_t> known(x.rows(), 0);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      const std::int32_t code = x.code(i);
      if (code < 0) continue;
      const std::int32_t position = position_of[static_cast<std::size_t>(code)];
      if (position < 0) {
        ++unseen;
        continue;
      }
      values[i] = position;
      known[i] = 1;
    }
    return int_column(std::move(values), std::move(known));
  }
  static Type result(const Fitted&) { return Type::of(Base::int_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"values", fmt::format("{}", f.positions.values.size())}};
  }
  static bool sound(const Fitted& f) { return f.positions.sound(f.positions.values.size()); }
};

struct FrequencyEncode {
  static constexpr std::uint32_t kFormat = 0x1303;
  using Partial = CategoryPartial;
  struct Fitted {
    std::vector<std::string> values;  ///< sorted by bytes
    std::vector<double> shares;
    double missing = 0;
    template <class A>
    void fields(A& a) { a(values, shares, missing); }
  };
  static void add(const Options&, Partial& p, const Rows& rows) { p.add(rows); }
  static void merge(Partial& into, Partial&& from) { into.merge(std::move(from)); }
  static Result<Fitted> finish(const Options&, Partial&& p) {
    Fitted f;
    const auto rows = static_cast<double>(p.texts.rows());
    for (const auto& [text, count] : p.texts.counts) {
      f.values.push_back(text);
      f.shares.push_back(static_cast<double>(count) / rows);
    }
    if (p.texts.missing > 0) f.missing = static_cast<double>(p.texts.missing) / rows;
    return f;
  }
  static Column apply(const Fitted& f, std::span<const Column> args, std::uint64_t& unseen) {
    const Coded x(args[0]);
    const std::vector<std::int32_t> at = match(x.texts(), f.values);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
      const std::int32_t code = x.code(i);
      const std::int32_t found = code < 0 ? -1 : at[static_cast<std::size_t>(code)];
      if (found < 0 && (code >= 0 || f.missing == 0)) ++unseen;
      out.set(i, code < 0 ? f.missing : found < 0 ? 0.0 : f.shares[static_cast<std::size_t>(found)]);
    }
    return std::move(out).finish(false);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"values", fmt::format("{}", f.values.size())}};
  }
  static bool sound(const Fitted& f) {
    return f.values.size() == f.shares.size() && std::ranges::is_sorted(f.values) && std::isfinite(f.missing) &&
           std::ranges::all_of(f.shares, [](double s) { return std::isfinite(s); });
  }
};

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_transform {
constinit const learn::NativeTransform one_hot = learn::adapt<learn::OneHot>();
constinit const learn::NativeTransform ordinal_encode = learn::adapt<learn::OrdinalEncode>();
constinit const learn::NativeTransform frequency_encode = learn::adapt<learn::FrequencyEncode>();
}  // namespace mlp::native_transform
