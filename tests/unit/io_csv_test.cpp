#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "tests/unit/column_test_support.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;
using Catch::Contains;

namespace {

const Type kInt = Type::of(Base::int_), kMaybeInt = Type::of(Base::int_, true), kFloat = Type::of(Base::float_);
const Type kString = Type::of(Base::string), kCategory = Type::category({}),
           kMaybeCategory = Type::category({}, false, true);

/// The one bad value of a text.
diag::DataPlace bad_value(const std::string& text, const std::vector<plan::ReadColumn>& columns,
                          const io::ReadOptions& options = {}) {
  const auto read = read_text(text, columns, options);
  REQUIRE(read);
  REQUIRE(read->bad.count == 1);
  return read->bad.first.at(0);
}

}  // namespace

TEST_CASE("columns are bound by name, in any order") {
  const auto read = read_text("b,a,c\n1,2,x\n3,4,y\n", {csv_column("a", kInt), csv_column("b", kInt)});
  REQUIRE(read);
  REQUIRE(value_at(read->columns[0], 1) == Value(std::int64_t{4}));
  REQUIRE(value_at(read->columns[1], 0) == Value(std::int64_t{1}));
}

TEST_CASE("columns that the file does not have are named, with what may be meant") {
  const auto read = read_text("custumerID,Marital Status\n1,2\n",
                              {csv_column("customerID", kInt), csv_column("marital_status", kInt)});
  REQUIRE_FALSE(read);
  REQUIRE(read.error().code == diag::Code::E0803);
  REQUIRE_THAT(read.error().message, Contains("`customerID`") && Contains("`marital_status`"));
  REQUIRE_THAT(read.error().help, Contains("`custumerID`") && Contains("`Marital Status`"));
  REQUIRE_THAT(read_text("a;b\n1;2\n", {csv_column("a", kInt)}).error().notes.back(), Contains("separated"));
}

TEST_CASE("a file that is no table is refused with the reason") {
  const std::vector columns = {csv_column("a", kInt)};
  const auto refused = [&](const std::string& text) {
    const auto read = read_text(text, columns);
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == diag::Code::E0804);
    return read.error();
  };
  REQUIRE_THAT(refused("").message, Contains("empty"));
  REQUIRE_THAT(refused("\n\n").message, Contains("empty"));
  REQUIRE_THAT(refused("a,b,a\n1,2,3\n").message, Contains("`a`"));
  REQUIRE_THAT(refused("a\rb\r1\r").message, Contains("carriage return"));
  REQUIRE_THAT(refused("PK\x03\x04zip").message, Contains("spreadsheet"));
  REQUIRE_THAT(refused("a,\xFF\n1,2\n").message, Contains("UTF-8"));
  const auto unclosed = refused("a,b\n1,2\n3,\"open\n4,5\n");
  REQUIRE_THAT(unclosed.message, Contains("never closed"));
  REQUIRE(unclosed.places.at(0).line == 3);
}

TEST_CASE("a header with a byte order mark, quotes, carriage returns and blank lines before it is read") {
  const auto read = read_text("\xEF\xBB\xBF\r\n\"a\",\"b \"\"x\"\"\"\r\n1,2\r\n",
                              {csv_column("a", kInt), csv_column("b \"x\"", kInt)});
  REQUIRE(read);
  REQUIRE(read->bad.count == 0);
  REQUIRE(value_at(read->columns[1], 0) == Value(std::int64_t{2}));
}

TEST_CASE("an int that is a text, a fraction or has a blank is an error at its physical line") {
  const std::vector columns = {csv_column("age", kInt)};
  auto place = bad_value("age,x\n1,\n1.7,\n", columns);
  REQUIRE(place.line == 3);
  REQUIRE(place.column == "age");
  REQUIRE(place.value == "1.7");
  REQUIRE_THAT(place.reason, Contains("fraction"));
  REQUIRE(bad_value("age,x\nabc,\n", columns).value == "abc");
  place = bad_value("age,x\n ?,\n", columns, {.null = "?"});
  REQUIRE(place.value == " ?");
  REQUIRE_THAT(place.reason, Contains("trim"));
}

TEST_CASE("physical lines are right after quoted line ends, blank lines and in later fragments") {
  const std::string text = "name,age\r\n\"two\r\nlines\",1\r\n\r\nplain,2\r\n\"a\nb\nc\",x\r\nlast,y";
  for (const std::uint64_t rows : {1, 2, 100}) {
    const auto read = read_text(text, {csv_column("age", kInt)}, {.fragment_rows = rows});
    REQUIRE(read);
    REQUIRE(read->scan.rows == 4);
    REQUIRE(read->bad.count == 2);
    REQUIRE(read->bad.first[0].line == 6);
    REQUIRE(read->bad.first[1].line == 9);
  }
}

TEST_CASE("empty fields and the null text are missing, and missing needs a type that allows it") {
  const std::vector maybe = {csv_column("a", kMaybeCategory), csv_column("n", kMaybeInt)};
  const auto read = read_text("a,n\n ? ,?\n,\nx,1\n", maybe, {.null = "?", .trim = true});
  REQUIRE(read);
  REQUIRE(read->bad.count == 0);
  REQUIRE(read->columns[0].count_missing() == 2);
  REQUIRE(read->columns[1].count_missing() == 2);
  REQUIRE(read->columns[0].text(2) == "x");
  REQUIRE_THAT(bad_value("a,n\nx,\n", {csv_column("n", kInt)}).reason, Contains("missing") && Contains("int?"));
}

TEST_CASE("without trim a blank is part of a category") {
  const auto read = read_text("a,b\n ?,1\n", {csv_column("a", kMaybeCategory)}, {.null = "?"});
  REQUIRE(read->bad.count == 0);
  REQUIRE(read->columns[0].text(0) == " ?");
}

TEST_CASE("text in quotes keeps its blanks, delimiters and doubled quotes") {
  const auto read =
      read_text("a,b\n \" x, \"\"y\"\" \" ,z\n", {csv_column("a", kString), csv_column("b", kString)}, {.trim = true});
  REQUIRE(read->bad.count == 0);
  REQUIRE(read->columns[0].text(0) == " x, \"y\" ");
  const auto plain = read_text("a,b\n5\" pipe,say \"\"hi\"\"\n", {csv_column("a", kString), csv_column("b", kString)});
  REQUIRE(plain->columns[0].text(0) == "5\" pipe");
}

TEST_CASE("a row with another number of fields, or text after a quote, is an error of the row") {
  const std::vector columns = {csv_column("a", kInt), csv_column("b", kInt)};
  auto place = bad_value("a,b\n1,2\n1\n", columns);
  REQUIRE(place.line == 3);
  REQUIRE(place.column.empty());
  REQUIRE_THAT(place.reason, Contains("1 field;") && Contains("2 columns"));
  REQUIRE_THAT(bad_value("a,b\n1,2,3\n", columns).reason, Contains("3 fields"));
  REQUIRE_THAT(bad_value("a,b\n\"1\"x,2\n", columns).reason, Contains("closing quote"));
}

TEST_CASE("NUL bytes and text that is not UTF-8 are errors") {
  REQUIRE_THAT(bad_value(std::string("a,b\nx\0y,1\n", 10), {csv_column("a", kString)}).reason, Contains("NUL"));
  REQUIRE_THAT(bad_value("a,b\n\xE4,1\n", {csv_column("a", kCategory)}).reason, Contains("UTF-8"));
  REQUIRE_THAT(bad_value(std::string("a,b\n1\0,1\n", 9), {csv_column("a", kInt)}).reason, Contains("NUL"));
  for (std::size_t size = 1; size <= 25; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, at % 2 ? '\x01' : '\x7F');
      text[at] = '\0';
      REQUIRE_THAT(bad_value("a,b\n" + text + ",1\n", {csv_column("a", kString)}).reason, Contains("NUL"));
      text[at] = '\x80';
      REQUIRE_THAT(bad_value("a,b\n" + text + ",1\n", {csv_column("a", kString)}).reason, Contains("UTF-8"));
    }
  }
}

TEST_CASE("ranges, lists of values, closed domains and patterns hold") {
  auto column = csv_column("a", kInt);
  column.range = Interval{0, 120};
  REQUIRE_THAT(bad_value("a,b\n0,\n120,\n121,\n", {column}).reason, Contains("0..120"));
  column.range = Interval{-std::numeric_limits<double>::infinity(), 9007199254740992.0};
  REQUIRE(bad_value("a,b\n9007199254740992,\n9007199254740993,\n", {column}).value == "9007199254740993");
  column = csv_column("a", kFloat);
  column.range = Interval{0, 1};
  REQUIRE(bad_value("a,b\n1.0,\n1.01,\n", {column}).value == "1.01");
  column = csv_column("a", kInt);
  column.allowed = {"1", "2"};
  REQUIRE(bad_value("a,b\n01,\n3,\n", {column}).value == "3");
  column = csv_column("a", Type::category({"Male", "Female"}));
  REQUIRE_THAT(bad_value("a,b\nMale,\nmale,\n", {column}).reason, Contains("\"Male\", \"Female\""));
  REQUIRE_THAT(bad_value("a,b\n Male,\n", {column}).reason, Contains("trim"));
  column = csv_column("a", kString);
  column.matches = "[A-Z]{2}[0-9]+";
  REQUIRE(bad_value("a,b\nAB12,\nxAB12,\n", {column}).value == "xAB12");
  column.matches = "[";
  REQUIRE(read_text("a\nx\n", {column}).error().code == diag::Code::E0308);
}

TEST_CASE("bools have the texts that the workflow gives them") {
  auto column = csv_column("a", Type::of(Base::bool_));
  column.bool_values = {"Yes", "No"};
  REQUIRE(bad_value("a,b\nYes,\nNo,\ntrue,\n", {column}).value == "true");
  column.bool_values.clear();
  const auto read = read_text("a,b\nTRUE,\n0,\n", {column});
  REQUIRE(read->bad.count == 0);
  REQUIRE(value_at(read->columns[0], 0) == Value(true));
}

TEST_CASE("dates, timestamps and durations are read; a time without an offset is of the zone") {
  auto date = csv_column("d", Type::of(Base::date));
  date.format = "%d-%m-%Y";
  const auto time = csv_column("t", Type::of(Base::timestamp)), length = csv_column("l", Type::of(Base::duration));
  const std::string text = "d,t,l\n02-01-1970,1970-01-01 00:00:01,1min\n";
  const auto read = read_text(text, {date, time, length}, {.zone = "UTC"});
  REQUIRE(read->bad.count == 0);
  REQUIRE(value_at(read->columns[0], 0) == Value(std::int64_t{1}));
  REQUIRE(value_at(read->columns[1], 0) == Value(std::int64_t{1'000'000}));
  REQUIRE(value_at(read->columns[2], 0) == Value(std::int64_t{60'000'000}));
  const auto elsewhere = read_text(text, {time}, {.zone = "America/New_York"});
  REQUIRE(value_at(elsewhere->columns[0], 0) == Value(std::int64_t{(5 * 3600 + 1) * 1'000'000ll}));
  const auto nowhere = read_text(text, {time}, {.zone = "America/Nowhere"});
  REQUIRE(nowhere.error().code == diag::Code::E0901);
  REQUIRE_THAT(nowhere.error().message, Contains("America/Nowhere"));
  REQUIRE(read_text(text, {date}, {.zone = "America/New_York"}));
}

TEST_CASE("the first 20 bad values are shown in the order of the file, the others counted by reason") {
  std::string text = "a,b\n";
  for (int i = 0; i < 2000; ++i)
    text += i % 2 ? fmt::format("{},x{}\n", i, i) : fmt::format("{},{}\n", i % 10 == 0 ? "" : "z", i);
  const std::vector columns = {csv_column("a", kInt), csv_column("b", kInt)};
  for (const std::uint64_t rows : {3, 999, 5000}) {
    const auto read = read_text(text, columns, {.fragment_rows = rows});
    REQUIRE(read->bad.count == 2000);
    REQUIRE(read->bad.first.size() == 20);
    for (std::size_t i = 0; i < 20; ++i)
      REQUIRE(read->bad.first[i].line == i + 2);
    const auto d = io::contract_failure("people", std::vector{read->bad});
    REQUIRE(d.code == diag::Code::E0801);
    REQUIRE_THAT(d.message, Contains("2000 values") && Contains("`people`"));
    REQUIRE(d.more_places == 1980);
    REQUIRE_THAT(d.notes.at(0), Contains("1000 × `b`"));
    REQUIRE_THAT(d.notes.at(1), Contains("800 × `a`: not a whole number"));
  }
}

TEST_CASE("blank lines are no rows, except in a file of one column, where they are missing values") {
  REQUIRE(read_text("a,b\n\n1,2\n\r\n3,4\n\n", {csv_column("a", kInt)})->scan.rows == 2);
  const auto one = read_text("a\n1\n\n3\n", {csv_column("a", kMaybeInt)});
  REQUIRE(one->scan.rows == 3);
  REQUIRE(one->columns[0].count_missing() == 1);
  REQUIRE(read_text("a\tb\n\t\n1\t2\n", {csv_column("a", kMaybeInt)}, {.delimiter = '\t', .trim = true})->scan.rows ==
          2);
}

TEST_CASE("a file with a header only has no rows") {
  const auto read = read_text("a,b\n", {csv_column("a", kInt)});
  REQUIRE(read);
  REQUIRE(read->scan.rows == 0);
  REQUIRE(read->scan.fragments.empty());
}

TEST_CASE("delimiters and decimal marks that cannot work are refused") {
  const std::vector columns = {csv_column("a", kInt)};
  for (const char delimiter : {'"', '\n', '\r', '\0', '.'}) {
    REQUIRE(read_text("a\n1\n", columns, {.delimiter = delimiter}).error().code == diag::Code::E0308);
  }
  REQUIRE(read_text("a\n1\n", columns, {.decimal = ','}).error().code == diag::Code::E0308);
  REQUIRE(read_text("a\n1\n", columns, {.decimal = '5'}).error().code == diag::Code::E0308);
}
