#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/column/column.h"
#include "runtime/column/parallel.h"
#include "compiler/support/utf8.h"
#include "tests/unit/column_test_support.h"

using namespace mlp;
using namespace mlp::testing;

TEST_CASE("a category cell's dictionary is sorted by bytes and holds used values only") {
  const Column column =
      build(Type::category({}), {std::string("pear"), std::string("apple"), std::string("pear"), std::string("Zoo")});
  REQUIRE(column.dictionary->values == std::vector<std::string>{"Zoo", "apple", "pear"});
  REQUIRE(column.text(0) == "pear");
  REQUIRE(column.dictionary->find("apple") == 1);
  REQUIRE(column.dictionary->find("appl") == -1);
  const Column part = slice(column, 0, 2);
  REQUIRE(part.dictionary->values == std::vector<std::string>{"apple", "pear"});
  REQUIRE(part.text(1) == "apple");
}

TEST_CASE("under a missing value the data is zero, and a column without missing values has no mask") {
  Column column;
  column.type = Type::of(Base::int_, true);
  column.rows = 3;
  const std::int64_t values[] = {7, 8, 9};
  const std::uint8_t some[] = {1, 0, 1}, all[] = {1, 1, 1};
  column.data = Buffer::copy(values, sizeof values);
  column.known = Buffer::copy(some, sizeof some);
  const Column tidy = canonical(column);
  REQUIRE(tidy.values<std::int64_t>()[1] == 0);
  REQUIRE(column.values<std::int64_t>()[1] == 8);
  column.known = Buffer::copy(all, sizeof all);
  REQUIRE_FALSE(canonical(column).known);
}

TEST_CASE("NaN and infinities become missing") {
  const Column column =
      build(Type::of(Base::float_, true), {1.5, std::nan(""), std::numeric_limits<double>::infinity()});
  REQUIRE(column.count_missing() == 2);
  REQUIRE(value_at(column, 0) == Value(1.5));
  REQUIRE(value_at(column, 1) == Value());
}

TEST_CASE("slices put together again are the column, bit for bit") {
  std::mt19937_64 random(11);
  for (const Type& type : column_types()) {
    for (const std::size_t rows : {0, 1, 2, 100}) {
      const Column column = random_column(type, rows, random);
      for (const std::size_t step : {1, 3, 200}) {
        std::vector<Column> parts;
        for (std::size_t from = 0; from < rows; from += step)
          parts.push_back(slice(column, from, std::min(step, rows - from)));
        if (parts.empty()) parts.push_back(slice(column, 0, 0));
        REQUIRE(equal_bits(concatenate(parts), column));
      }
    }
  }
  const Column vectors = random_vector_column(20, random);
  REQUIRE(equal_bits(concatenate(std::vector{slice(vectors, 0, 7), slice(vectors, 7, 13)}), vectors));
}

TEST_CASE("take gives the rows named, in their order") {
  std::mt19937_64 random(12);
  for (const Type& type : column_types()) {
    const Column column = random_column(type, 50, random);
    std::vector<std::uint32_t> rows(30);
    for (auto& row : rows)
      row = static_cast<std::uint32_t>(random() % 50);
    const Column taken = take(column, rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      REQUIRE(value_at(taken, i) == value_at(column, rows[i]));
  }
}

TEST_CASE("a constant column is what a builder makes of as many pushes") {
  std::mt19937_64 random(13);
  for (const Type& type : column_types()) {
    for (const std::size_t rows : {0, 1, 9}) {
      for (const Value& value : {random_value(type, random, 0), Value()}) {
        REQUIRE(equal_bits(constant(type, value, rows), build(type, std::vector<Value>(rows, value))));
      }
    }
  }
  REQUIRE(value_at(constant(Type::of(Base::float_), std::int64_t{3}, 1), 0) == Value(3.0));
}

TEST_CASE("a builder is empty after finish and can be filled again") {
  ColumnBuilder builder(Type::of(Base::string, true));
  builder.push_text("x");
  builder.push_missing();
  const Column first = builder.finish();
  REQUIRE(builder.rows() == 0);
  builder.push_text("x");
  builder.push_missing();
  REQUIRE(equal_bits(builder.finish(), first));
}

TEST_CASE("columns differ when a bit, a type or a text differs") {
  const Column a = build(Type::of(Base::float_), {0.0}), b = build(Type::of(Base::float_), {-0.0});
  REQUIRE_FALSE(equal_bits(a, b));
  REQUIRE_FALSE(equal_bits(a, build(Type::of(Base::float_, true), {0.0})));
  REQUIRE_FALSE(
      equal_bits(build(Type::category({}), {std::string("a")}), build(Type::category({}), {std::string("b")})));
}

TEST_CASE("a parallel loop calls every index once, also inside another loop") {
  std::vector<std::atomic<int>> seen(100 * 20);
  parallel_for(100, [&](std::size_t i) { parallel_for(20, [&](std::size_t j) { ++seen[i * 20 + j]; }); });
  for (const auto& count : seen)
    REQUIRE(count == 1);
  parallel_for(0, [&](std::size_t) { FAIL(); });
}

TEST_CASE("UTF-8 is told from other bytes") {
  for (const char* good : {"", "plain", "\xC3\xA4", "\xE2\x82\xAC euro", "\xF0\x9F\x98\x80", "12345678\xC3\xA4"})
    REQUIRE(is_utf8(good));
  for (const char* bad : {"\xE4", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "12345678\xFF", "\x80"}) {
    REQUIRE_FALSE(is_utf8(bad));
  }
}
