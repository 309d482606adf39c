#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "runtime/learn/bins.h"
#include "runtime/learn/native.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

using Number = std::optional<double>;
using Word = std::optional<std::string>;

Column numbers(const std::vector<Number>& values) {
  ColumnBuilder b(Type::of(Base::float_, true));
  for (const Number& v : values) v ? b.push_float(*v) : b.push_missing();
  return b.finish();
}
Column words(const std::vector<Word>& values, std::vector<std::string> domain = {}) {
  ColumnBuilder b(Type::category(std::move(domain), false, true));
  for (const Word& v : values) v ? b.push_text(*v) : b.push_missing();
  return b.finish();
}
std::vector<std::uint8_t> all(std::size_t n) { return std::vector<std::uint8_t>(n, 1); }

/// Fits on rows cut at `cuts`, merged in the order of `order` (empty: as they come).
std::string fit(const NativeTransform& t, const Options& options, const Column& x, const Column* label, std::vector<std::uint8_t> use,
                const std::vector<std::size_t>& cuts = {}, bool backwards = false) {
  std::vector<std::string> partials;
  std::size_t begin = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(x.rows);
  for (const std::size_t end : ends) {
    const Column part = slice(x, begin, end - begin);
    const Column part_label = label != nullptr ? slice(*label, begin, end - begin) : Column{};
    partials.push_back(t.partial(options, std::span(&part, 1), label != nullptr ? &part_label : nullptr,
                                 std::span(use).subspan(begin, end - begin)));
    begin = end;
  }
  if (backwards) std::ranges::reverse(partials);
  const std::vector<std::string_view> views(partials.begin(), partials.end());
  const auto merged = t.merge(options, views);
  REQUIRE(merged);
  const auto fitted = t.finish(options, *merged);
  REQUIRE(fitted);
  return *fitted;
}

std::vector<Number> apply(const NativeTransform& t, const std::string& fitted, const Column& x, std::uint64_t* unseen = nullptr) {
  const auto loaded = t.load(fitted);
  REQUIRE(loaded);
  const Column out = (*loaded)->apply(std::span(&x, 1), unseen);
  CHECK(out.type == (*loaded)->result());
  REQUIRE(out.rows == x.rows);
  std::vector<Number> values;
  for (std::size_t i = 0; i < out.rows; ++i) {
    const Value v = value_at(out, i);
    if (const auto* d = std::get_if<double>(&v)) values.emplace_back(*d);
    else if (const auto* n = std::get_if<std::int64_t>(&v)) values.emplace_back(static_cast<double>(*n));
    else values.emplace_back();
  }
  return values;
}

std::vector<Number> fit_apply(std::string_view name, const Options& options, const Column& x) {
  const NativeTransform* t = find_transform(name);
  REQUIRE(t != nullptr);
  return apply(*t, fit(*t, options, x, nullptr, all(x.rows)), x);
}

}  // namespace

TEST_CASE("standardize uses mean and population deviation of the rows used, and keeps missing") {
  const NativeTransform& t = *find_transform("standardize");
  const Column x = numbers({2.0, 4.0, {}, 9.0, 6.0});
  const auto z = apply(t, fit(t, {}, x, nullptr, {1, 1, 1, 0, 1}), x);
  const double std = std::sqrt(8.0 / 3);
  CHECK(*z[0] == Approx(-2 / std));
  CHECK(*z[1] == 0);
  CHECK_FALSE(z[2]);
  CHECK(*z[3] == Approx(5 / std));
  CHECK(*fit_apply("standardize", {}, numbers({7.0, 7.0}))[0] == 0);
}

TEST_CASE("min_max clips to the range of the training rows") {
  const NativeTransform& t = *find_transform("min_max");
  const std::string fitted = fit(t, {}, numbers({2.0, {}, 6.0}), nullptr, all(3));
  CHECK(apply(t, fitted, numbers({2.0, 6.0, 3.0, 100.0, -1.0, {}})) == std::vector<Number>{0.0, 1.0, 0.25, 1.0, 0.0, {}});
}

TEST_CASE("impute fills with mean, median or the most frequent value") {
  const Column x = numbers({1.0, 1.0, {}, 4.0, 10.0, 10.0});
  CHECK(fit_apply("impute", {{"how", std::string("mean")}}, x)[2] == 26.0 / 5);
  CHECK(fit_apply("impute", {{"how", std::string("median")}}, x)[2] == 4.0);
  CHECK(fit_apply("impute", {{"how", std::string("most_frequent")}}, x)[2] == 1.0);
  CHECK(fit_apply("impute", {{"how", std::string("mean")}}, numbers({{}, {}}))[0] == 0.0);
}

TEST_CASE("clip_quantiles and quantile_bins follow linear quantiles") {
  std::vector<Number> v;
  for (int i = 0; i <= 100; ++i) v.emplace_back(i);
  const auto clipped = fit_apply("clip_quantiles", {{"low", 0.1}, {"high", 0.95}}, numbers(v));
  CHECK(clipped[0] == 10.0);
  CHECK(clipped[50] == 50.0);
  CHECK(clipped[100] == 95.0);
  const auto bins = fit_apply("quantile_bins", {{"n", std::int64_t{4}}}, numbers(v));
  CHECK(bins[0] == 0.0);
  CHECK(bins[24] == 0.0);
  CHECK(bins[25] == 1.0);
  CHECK(bins[100] == 3.0);
}

TEST_CASE("one_hot has a slot a value, one for missing rows, and the slot that unseen names") {
  const NativeTransform& t = *find_transform("one_hot");
  const Column x = words({"b", "a", {}, "b"});
  const Column later = words({"a", "z", {}});
  const auto slots_of = [&](const char* unseen_name, std::int64_t at_most, std::uint64_t* unseen) {
    const auto loaded = t.load(fit(t, {{"unseen", std::string(unseen_name)}, {"at_most", at_most}}, x, nullptr, all(4)));
    REQUIRE(loaded);
    const Column out = (*loaded)->apply(std::span(&later, 1), unseen);
    CHECK(out.type.detail->width == (*loaded)->slots().size());
    const auto v = out.values<double>();
    return std::pair((*loaded)->slots(), std::vector<double>(v.begin(), v.end()));
  };
  std::uint64_t unseen = 0;
  auto [names, values] = slots_of("", 1000, &unseen);
  CHECK(names == std::vector<std::string>{"a", "b", "missing"});
  CHECK(values == std::vector<double>{1, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(unseen == 1);
  std::tie(names, values) = slots_of("other", 1, &unseen);
  CHECK(names == std::vector<std::string>{"b", "other", "missing"});
  CHECK(values == std::vector<double>{0, 0, 0, 1, 1, 0, 0, 0, 1});
}

TEST_CASE("ordinal_encode keeps a declared order, and gives unseen values none") {
  CHECK(fit_apply("ordinal_encode", {}, words({"low", "high", {}}, {"low", "mid", "high"})) == std::vector<Number>{0.0, 2.0, {}});
  const NativeTransform& t = *find_transform("ordinal_encode");
  std::uint64_t unseen = 0;
  CHECK(apply(t, fit(t, {}, words({"b", "a"}), nullptr, all(2)), words({"a", "b", "c"}), &unseen) == std::vector<Number>{0.0, 1.0, {}});
  CHECK(unseen == 1);
}

TEST_CASE("frequency_encode gives shares of the training rows") {
  const NativeTransform& t = *find_transform("frequency_encode");
  CHECK(apply(t, fit(t, {}, words({"b", "a", "b", {}}), nullptr, all(4)), words({"a", "b", "c", {}})) ==
        std::vector<Number>{0.25, 0.5, 0.0, 0.25});
}

TEST_CASE("target_encode shrinks towards the overall mean, leaves rows without a label out, and treats missing as a category") {
  const NativeTransform& t = *find_transform("target_encode");
  const Column x = words({"a", "a", "b", {}, "b"});
  ColumnBuilder b(Type::of(Base::bool_, true));
  b.push_bool(true), b.push_bool(false), b.push_bool(true), b.push_bool(true), b.push_missing();
  const Column label = b.finish();
  std::uint64_t unseen = 0;
  const auto v = apply(t, fit(t, {{"smoothing", 2.0}}, x, &label, all(5)), words({"a", "b", {}, "new"}), &unseen);
  CHECK(*v[0] == Approx((1 + 2 * 0.75) / 4));
  CHECK(*v[1] == Approx((1 + 2 * 0.75) / 3));
  CHECK(*v[2] == Approx((1 + 2 * 0.75) / 3));
  CHECK(*v[3] == 0.75);
  CHECK(unseen == 1);
}

TEST_CASE("a fitted state does not depend on how rows are cut into fragments or the order of merging") {
  std::mt19937_64 random(9);
  std::vector<Number> n;
  std::vector<Word> w;
  ColumnBuilder label_builder(Type::of(Base::float_, true));
  for (int i = 0; i < 500; ++i) {
    n.push_back(random() % 11 == 0 ? Number() : Number(std::tan(static_cast<double>(random() % 1000) / 300)));
    w.push_back(random() % 13 == 0 ? Word() : Word("c" + std::to_string(random() % 40)));
    label_builder.push_float(std::exp(static_cast<double>(random() % 1000) / 50));
  }
  const Column label = label_builder.finish(), x = numbers(n), c = words(w);
  std::vector<std::uint8_t> use(500);
  for (auto& u : use) u = random() % 4 != 0;
  struct Case {
    const char* name;
    Options options;
    bool category = false, label = false;
  };
  const std::string mean = "mean", median = "median";
  const std::vector<Case> cases = {{"standardize", {}},
                                   {"min_max", {}},
                                   {"impute", {{"how", mean}}},
                                   {"impute", {{"how", median}}},
                                   {"clip_quantiles", {{"low", 0.01}, {"high", 0.99}}},
                                   {"quantile_bins", {{"n", std::int64_t{7}}}},
                                   {"one_hot", {{"unseen", std::string()}, {"at_most", std::int64_t{20}}}, true},
                                   {"ordinal_encode", {}, true},
                                   {"frequency_encode", {}, true},
                                   {"target_encode", {{"smoothing", 10.0}}, true, true}};
  for (const Case& k : cases) {
    INFO(k.name);
    const NativeTransform& t = *find_transform(k.name);
    const Column& in = k.category ? c : x;
    const Column* y = k.label ? &label : nullptr;
    const std::string whole = fit(t, k.options, in, y, use);
    CHECK(fit(t, k.options, in, y, use, {1, 2, 250, 499}) == whole);
    CHECK(fit(t, k.options, in, y, use, {100, 200, 300, 400}, true) == whole);
    // and what is applied to a part is the part of what is applied to the whole
    const auto loaded = t.load(whole);
    REQUIRE(loaded);
    const Column part = slice(in, 37, 200);
    CHECK(equal_bits((*loaded)->apply(std::span(&part, 1)), slice((*loaded)->apply(std::span(&in, 1)), 37, 200)));
    CHECK_FALSE((*loaded)->describe().empty());
    for (std::size_t i = 0; i < whole.size(); i += 3) {
      std::string bad = whole;
      bad[i] ^= 16;
      CHECK_FALSE(t.load(bad));
    }
  }
}

TEST_CASE("bins: one a value while there are few, quantiles when there are many, 255 for missing and unseen") {
  const auto fitted_bins = [](const Column& c) {
    const std::string partial = partial_bins(c, all(c.rows));
    const std::string_view view = partial;
    const auto merged = merge_bins(std::span(&view, 1));
    REQUIRE(merged);
    const auto fitted = finish_bins(*merged);
    REQUIRE(fitted);
    const auto loaded = load_bins(*fitted);
    REQUIRE(loaded);
    return *loaded;
  };
  const auto few = fitted_bins(numbers({3.0, 1.0, {}, 7.0, 3.0}));
  const Column x = numbers({1.0, 3.0, 7.0, {}, -5.0, 99.0, 1.9, 2.1});
  const Buffer b = few->apply(x);
  const auto bins = b.as<std::uint8_t>().first(8);
  CHECK(std::vector<int>(bins.begin(), bins.end()) == std::vector<int>{0, 1, 2, 255, 0, 2, 0, 1});
  CHECK(few->counts[0][1] == 2);
  CHECK(few->counts[0][255] == 1);

  std::vector<Number> many;
  for (int i = 0; i < 51'000; ++i) many.emplace_back(std::sqrt(i));
  for (int i = 0; i < 9'000; ++i) many.emplace_back(5.0);  // a heavy value
  const auto quantiles = fitted_bins(numbers(many));
  std::uint64_t most = 0, used = 0;
  for (int i = 0; i < 255; ++i) {
    if (quantiles->counts[0][static_cast<std::size_t>(i)] < 9'000) most = std::max(most, quantiles->counts[0][static_cast<std::size_t>(i)]);
    used += quantiles->counts[0][static_cast<std::size_t>(i)] > 0;
  }
  CHECK(used == 255);
  CHECK(most < 2 * 60'000 / 255);

  std::vector<Word> w;
  for (int i = 0; i < 300; ++i)
    for (int k = 0; k <= (i < 200 ? 1 : 0); ++k) w.emplace_back("v" + std::to_string(1000 + i));
  const auto categories = fitted_bins(words(w));
  std::uint64_t unseen = 0;
  const Column probe = words({"v1000", "v1199", "v1253", "v1254", "v1299", "new", {}});
  const Buffer cb = categories->apply(probe, &unseen);
  const auto codes = cb.as<std::uint8_t>().first(7);
  CHECK(std::vector<int>(codes.begin(), codes.end()) == std::vector<int>{0, 199, 253, 254, 254, 255, 255});
  CHECK(unseen == 1);
  CHECK(categories->counts[0][254] == 46);
}

TEST_CASE("bins do not depend on fragments or the order of merging") {
  std::mt19937_64 random(3);
  std::vector<Number> n;
  for (int i = 0; i < 4000; ++i) n.push_back(random() % 9 == 0 ? Number() : Number(std::log(1.0 + static_cast<double>(random() % 100'000))));
  const Column x = numbers(n);
  const auto fitted = [&](std::vector<std::size_t> ends, bool backwards) {
    std::vector<std::string> partials;
    std::size_t begin = 0;
    ends.push_back(x.rows);
    for (const std::size_t end : ends) {
      partials.push_back(partial_bins(slice(x, begin, end - begin), all(end - begin)));
      begin = end;
    }
    if (backwards) std::ranges::reverse(partials);
    const std::vector<std::string_view> views(partials.begin(), partials.end());
    return *finish_bins(*merge_bins(views));
  };
  CHECK(fitted({}, false) == fitted({1, 1000, 3999}, true));
}
