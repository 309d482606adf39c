#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "column_test_support.h"
#include "runtime/learn/column_profile.h"
#include "runtime/learn/profile_counts.h"

using namespace mlp;
using learn::ColumnProfile;

namespace {

/// In pieces of random lengths, also empty ones, merged from the left.
ColumnProfile in_pieces(const Column& column, std::size_t longest, std::mt19937_64& random) {
  ColumnProfile whole;
  for (std::size_t at = 0; at < column.rows;) {
    const std::size_t count = std::min<std::size_t>(random() % (longest + 1), column.rows - at);
    whole.merge(learn::profile_of(slice(column, at, count)));
    at += count;
  }
  return whole;
}

/// Without the counts that may fall short, and the texts of these.
ColumnProfile without_frequent(ColumnProfile profile) {
  profile.frequent_keys.clear(), profile.frequent_counts.clear(), profile.texts.clear();
  profile.short_by = 0;
  return profile;
}

ColumnProfile stored(const ColumnProfile& profile) {
  const auto back = learn::decode_profile(learn::encode_profile(profile));
  REQUIRE(back);
  return *back;
}

std::vector<double> floats_of(const Column& column) {
  std::vector<double> out;
  for (std::size_t row = 0; row < column.rows; ++row)
    if (column.is_known(row)) out.push_back(number_at(column, row));
  std::ranges::sort(out);
  return out;
}

double quantile_of(const std::vector<double>& sorted, double q) {
  const double position = static_cast<double>(sorted.size() - 1) * q;
  const auto low = static_cast<std::size_t>(position);
  return sorted[low] + (sorted[std::min(low + 1, sorted.size() - 1)] - sorted[low]) * (position - static_cast<double>(low));
}

}  // namespace

TEST_CASE("profiles of pieces merge to the profile of the whole column") {
  std::mt19937_64 random(7);
  for (const Type& type : testing::column_types())
    for (const std::size_t rows : {0, 1, 300, 2500, 9000}) {
      const Column column = testing::random_column(type, rows, random);
      const ColumnProfile whole = learn::profile_of(column);
      CHECK(whole.rows == rows);
      CHECK(stored(whole) == whole);
      for (const std::size_t longest : {40, 3000}) {
        const ColumnProfile merged = in_pieces(column, longest, random);
        if (rows == 0) continue;
        if (whole.is_exact()) CHECK(merged == whole);
        else CHECK(without_frequent(merged) == without_frequent(whole));
        CHECK(stored(merged) == merged);
      }
    }
}

TEST_CASE("texts of which there are many merge to the same estimate, and frequent ones are found") {
  std::mt19937_64 random(8);
  for (const Type& type : {Type::of(Base::string), Type::category({})}) {
    ColumnBuilder builder(type);
    std::set<std::string> distinct;
    std::uint64_t often = 0;
    for (int row = 0; row < 60'000; ++row) {
      const bool is_often = random() % 20 == 0;
      const std::string text = is_often ? "often" : std::to_string(random() % 30'000);
      often += is_often;
      distinct.insert(text);
      builder.push_text(text);
    }
    const Column column = builder.finish();
    const ColumnProfile whole = learn::profile_of(column), merged = in_pieces(column, 5000, random);
    CHECK(without_frequent(merged) == without_frequent(whole));
    for (const ColumnProfile& profile : {whole, merged}) {
      CHECK(std::fabs(static_cast<double>(profile.distinct()) / static_cast<double>(distinct.size()) - 1) < 3 * ColumnProfile::kDistinctError);
      const auto top = profile.top(10);
      REQUIRE(!top.empty());
      CHECK(top.front().value == Value("often"));
      CHECK(top.front().count <= often);
      CHECK(top.front().count + profile.short_by >= often);
      CHECK(profile.short_by <= column.rows / ColumnProfile::kFrequent);
      CHECK(profile.low() == Value(*distinct.begin()));
      CHECK(profile.high() == Value(*distinct.rbegin()));
    }
  }
}

TEST_CASE("quantiles are within their bounds, and these are narrow") {
  std::mt19937_64 random(9);
  std::normal_distribution<> normal(100, 30);
  ColumnBuilder floats(Type::of(Base::float_)), ints(Type::of(Base::int_)), few(Type::of(Base::int_)), times(Type::of(Base::timestamp));
  for (int row = 0; row < 100'000; ++row) {
    floats.push_float(row % 1000 == 0 ? -1e12 * normal(random) : normal(random));
    ints.push_int(static_cast<std::int64_t>(random() % 1'000'000) - 500'000);
    few.push_int(static_cast<std::int64_t>(random() % 2000));
    times.push_int(1'700'000'000'000'000 + static_cast<std::int64_t>(random() % 86'400'000'000));
  }
  for (const Column& column : {floats.finish(), ints.finish(), few.finish(), times.finish()}) {
    const ColumnProfile profile = in_pieces(column, 20'000, random);
    const std::vector<double> sorted = floats_of(column);
    CHECK(profile.is_exact() == (sorted.back() < 2000 && sorted.front() == 0));
    for (const double q : {0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0}) {
      const auto found = profile.quantile(q);
      REQUIRE(found);
      const double value = column.type.base == Base::timestamp ? static_cast<double>(std::get<std::int64_t>(found->value)) : std::get<double>(found->value);
      const double truth = quantile_of(sorted, q);
      // Of times the lower of two is taken, as if both were known.
      CHECK(std::fabs(value - truth) <= found->within + (column.type.base == Base::timestamp ? 1e8 : 1e-9));
      if (profile.is_exact()) CHECK(found->within == 0);
      if (q >= 0.05 && q <= 0.95) CHECK(found->within <= (sorted[95'000] - sorted[5000]) / 150);
    }
    CHECK(profile.quantile(0)->value == (column.type.base == Base::timestamp ? profile.low() : Value(sorted.front())));
    CHECK(profile.quantile(1)->value == (column.type.base == Base::timestamp ? profile.high() : Value(sorted.back())));
  }
}

TEST_CASE("near keys and far ones, of one exponent and of all, merge to the ranges of the whole column; sums are exact") {
  std::mt19937_64 random(12);
  std::normal_distribution<> normal;
  const auto any_float = [&] {
    while (true)
      if (const auto x = std::bit_cast<double>(random()); std::isfinite(x)) return x;
  };
  const std::vector<std::function<Value()>> kinds = {
      [&] { return 0.5 + 0.5 * std::generate_canonical<double, 53>(random); },
      [&] { return normal(random); },                                // both signs: few ranges near zero
      [&] { return std::exp(100 * normal(random)); },                // more exponents than one unit has
      [&] { return any_float() / 1e300; },
      [&] { return random() % 3 ? 1e18 * normal(random) : 5e-324; },  // too large for a unit that is a fraction
      [&] { return static_cast<std::int64_t>(random() % 50'000) - 25'000; },
      [&] { return static_cast<std::int64_t>(random()); },
  };
  for (const auto& kind : kinds) {
    const bool is_float = std::holds_alternative<double>(kind());
    ColumnBuilder builder(Type::of(is_float ? Base::float_ : Base::int_, true));
    std::set<Value> distinct;
    learn::ExactSum sum, squares;
    for (int row = 0; row < 20'000; ++row) {
      if (random() % 10 == 0) {
        builder.push_missing();
        continue;
      }
      const Value value = random() % 8 == 0 && !distinct.empty() ? *distinct.begin() : kind();
      distinct.insert(value);
      if (is_float) {
        builder.push_float(std::get<double>(value));
        sum.add(std::get<double>(value)), squares.add_product(std::get<double>(value), std::get<double>(value));
      } else {
        // 32 bits are exact, and so are their products.
        const std::int64_t x = std::get<std::int64_t>(value);
        const double high = static_cast<double>(x >> 32) * 0x1p32, low = static_cast<double>(x & 0xFFFFFFFF);
        builder.push_int(x);
        sum.add(high), sum.add(low);
        squares.add_product(high, high), squares.add_product(2 * high, low), squares.add_product(low, low);
      }
    }
    const Column column = builder.finish();
    const ColumnProfile whole = learn::profile_of(column);
    CHECK(!whole.is_exact());
    CHECK(whole.keys.size() <= ColumnProfile::kMost);
    CHECK(whole.low() == *distinct.begin());
    CHECK(whole.high() == *distinct.rbegin());
    CHECK(whole.sum == sum);
    CHECK(whole.squares == squares);
    CHECK(stored(whole) == whole);
    for (const std::size_t longest : {40, 3000, 9000}) CHECK(without_frequent(in_pieces(column, longest, random)) == without_frequent(whole));
  }
}

TEST_CASE("frequent numbers among many are found, with counts within their bound") {
  std::mt19937_64 random(13);
  std::normal_distribution<> normal(100, 15);
  for (const bool is_near : {true, false}) {
    ColumnBuilder builder(Type::of(Base::float_));
    std::map<double, std::uint64_t> counts;
    for (int row = 0; row < 60'000; ++row) {
      const double value = random() % 20 == 0 ? static_cast<double>(random() % 9) : is_near ? std::round(100 * normal(random)) / 100 : normal(random);
      builder.push_float(value);
      ++counts[value];
    }
    const Column column = builder.finish();
    for (const ColumnProfile& profile : {learn::profile_of(column), in_pieces(column, 9000, random)}) {
      CHECK(!profile.is_exact());
      std::set<double> found;
      for (const auto& [value, count] : profile.top(ColumnProfile::kFrequent)) {
        found.insert(std::get<double>(value));
        CHECK(count <= counts.at(std::get<double>(value)));
        CHECK(count + profile.short_by >= counts.at(std::get<double>(value)));
      }
      for (const auto& [value, count] : counts)
        if (count > profile.short_by) CHECK(found.contains(value));
      CHECK(found.contains(8));
    }
  }
}

TEST_CASE("counts of numbers fall short by at most 1/512 of the rows, also where fragments have different frequent values") {
  ColumnProfile whole;
  for (int fragment = 0; fragment < 8; ++fragment) {
    ColumnBuilder builder(Type::of(Base::float_));
    int rows = 0;
    for (int value = 0; rows < 65'536; ++value) {
      // About as often as is just found, then once as often as is just not, then seldom.
      const int times = value < 480 ? 128 : value == 480 ? 63 : value == 481 ? 127 : 1;
      for (int n = 0; n < times && rows < 65'536; ++n, ++rows) builder.push_float(std::exp2(fragment) * (1 + value / 4096.0 + (fragment + 1) / 1e6));
    }
    whole.merge(learn::profile_of(builder.finish()));
  }
  CHECK(!whole.is_exact());
  CHECK(whole.short_by <= whole.rows / 512);
}

TEST_CASE("mean and deviation are exact, however large the numbers are") {
  ColumnBuilder builder(Type::of(Base::int_));
  for (const std::int64_t x : {INT64_MAX, INT64_MAX - 2, INT64_MIN + 3, INT64_MIN + 1, std::int64_t{7}}) builder.push_int(x);
  const ColumnProfile ints = learn::profile_of(builder.finish());
  // The sum is 2^63 - 1 + 2^63 - 3 - 2^63 + 3 - 2^63 + 1 + 7 = 7.
  CHECK(ints.sum.value() == 7);
  CHECK(*ints.mean() == 1.4);
  CHECK(std::fabs(*ints.deviation() / 9223372036854775806.0 - 1) < 1e-15);
  ColumnBuilder floats(Type::of(Base::float_));
  for (const double x : {1e15 + 1, 1e15 + 2, 1e15 + 3, 1e300, -1e300, 5e-324}) floats.push_float(x);
  learn::ExactSum sum, squares;
  for (const double x : {1e15 + 1, 1e15 + 2, 1e15 + 3, 1e300, -1e300, 5e-324}) sum.add(x), squares.add_product(x, x);
  const ColumnProfile profile = learn::profile_of(floats.finish());
  CHECK(profile.sum == sum);
  CHECK(profile.squares == squares);
}

TEST_CASE("-0 is 0, and bools, empty columns and columns without a known value have profiles") {
  const ColumnProfile zeros = learn::profile_of(testing::build(Type::of(Base::float_), {-0.0, 0.0}));
  CHECK(zeros.distinct() == 1);
  CHECK(!std::signbit(std::get<double>(zeros.low())));
  const ColumnProfile bools = learn::profile_of(testing::build(Type::of(Base::bool_, true), {true, std::monostate{}, true}));
  CHECK(bools.low() == Value(true));
  CHECK(bools.top(10).front().count == 2);
  CHECK(!bools.mean());
  for (const Type& type : testing::column_types()) {
    const ColumnProfile nothing = learn::profile_of(testing::build(type, {std::monostate{}, std::monostate{}}));
    CHECK(nothing.missing == 2);
    CHECK(nothing.low() == Value());
    CHECK(nothing.distinct() == 0);
    CHECK(!nothing.quantile(0.5));
    CHECK(nothing.top(10).empty());
  }
}

TEST_CASE("estimates of distinct values stay within four standard errors") {
  for (const std::uint64_t n : {3000, 20'000, 1'000'000}) {
    std::vector<std::uint8_t> registers(std::size_t{1} << learn::kRegisterBits);
    for (std::uint64_t key = 0; key < n; ++key) learn::count_distinct(registers, learn::key_of(static_cast<std::int64_t>(key)));
    std::vector<std::uint64_t> keys(n);
    for (std::uint64_t key = 0; key < n; ++key) keys[key] = learn::key_of(static_cast<std::int64_t>(key));
    std::vector<std::uint8_t> together(registers.size());
    learn::count_distinct(together, std::span<const std::uint64_t>(keys));
    CHECK(together == registers);
    CHECK(learn::least_and_greatest(keys) == std::pair(keys.front(), keys.back()));
    CHECK(std::fabs(learn::estimate_distinct(registers) / static_cast<double>(n) - 1) < 4 * ColumnProfile::kDistinctError);
  }
}

TEST_CASE("wrong bytes of a profile are a failure") {
  std::mt19937_64 random(10);
  const std::string good = learn::encode_profile(learn::profile_of(testing::random_column(Type::of(Base::string, true), 50, random)));
  CHECK(!learn::decode_profile(""));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    CHECK(!learn::decode_profile(bad));
  }
}
