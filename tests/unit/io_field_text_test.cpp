#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "runtime/io/date_text.h"
#include "runtime/io/field_text.h"

using namespace mlp;
using namespace mlp::io;
using Catch::Contains;

TEST_CASE("an int is a whole number of 64 bits, and nothing is rounded into one") {
  REQUIRE(parse_int("42") == 42);
  REQUIRE(parse_int("-007") == -7);
  REQUIRE(parse_int("+5") == 5);
  REQUIRE(parse_int("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  for (const char* text :
       {"", "1.7", "1.0", "abc", " 1", "1 ", "1e3", "0x10", "9223372036854775808", "+", "-", "+-1", "1_000", "1,000"}) {
    INFO(text);
    REQUIRE_FALSE(parse_int(text));
  }
  REQUIRE_THAT(why_no_int("1.7"), Contains("fraction"));
  REQUIRE_THAT(why_no_int("9223372036854775808"), Contains("64 bits"));
  REQUIRE_THAT(why_no_int(" 1"), Contains("trim: true"));
  REQUIRE_THAT(why_no_int("abc"), Contains("not a whole number"));
}

TEST_CASE("a float is read completely and to the nearest double") {
  REQUIRE(parse_float("1.5") == 1.5);
  REQUIRE(parse_float(".5") == 0.5);
  REQUIRE(parse_float("1.") == 1.0);
  REQUIRE(parse_float("+1e3") == 1000);
  REQUIRE(parse_float("1e-400") == 0.0);
  REQUIRE(std::signbit(parse_float("-1e-400").value()));
  REQUIRE(parse_float("0.1") == 0.1);
  for (const char* text :
       {"", "nan", "inf", "-inf", "NaN", "1.5x", "1e999", "-1e999", "0x1p3", ".", "e5", "--1", "+-1", "1,5", " 1.5"}) {
    INFO(text);
    REQUIRE_FALSE(parse_float(text));
  }
  REQUIRE(parse_float("1" + std::string(400, '0') + "e-399") == 10.0);
  REQUIRE_FALSE(parse_float("1" + std::string(400, '0')));
  REQUIRE(parse_float("0." + std::string(400, '0') + "1") == 0.0);
  REQUIRE_THAT(why_no_float("1e999"), Contains("too large"));
  REQUIRE_THAT(why_no_float("nan"), Contains("null:"));
}

TEST_CASE("the decimal mark of the table is the only one") {
  REQUIRE(parse_float("1,5", ',') == 1.5);
  REQUIRE_FALSE(parse_float("1.5", ','));
  REQUIRE_THAT(why_no_float("1.5", ','), Contains("decimal mark"));
}

TEST_CASE("every double that is written is read back bit for bit") {
  std::mt19937_64 random(31);
  for (int i = 0; i < 20000; ++i) {
    const double x = std::bit_cast<double>(random());
    if (!std::isfinite(x)) continue;
    const auto back = parse_float(fmt::format("{}", x));
    REQUIRE(back);
    REQUIRE(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(x));
  }
}

TEST_CASE("a bool is true, false, 0 or 1 in any case") {
  REQUIRE(parse_bool("TRUE") == true);
  REQUIRE(parse_bool("False") == false);
  REQUIRE(parse_bool("1") == true);
  REQUIRE(parse_bool("0") == false);
  for (const char* text : {"", "yes", "2", "01", "t"})
    REQUIRE_FALSE(parse_bool(text));
}

TEST_CASE("durations are amounts with units or hours, minutes and seconds") {
  REQUIRE(parse_duration("90min") == 5'400'000'000);
  REQUIRE(parse_duration("1d 12h") == 129'600'000'000);
  REQUIRE(parse_duration("1d12h") == 129'600'000'000);
  REQUIRE(parse_duration("-5s") == -5'000'000);
  REQUIRE(parse_duration("1:30:00") == 5'400'000'000);
  REQUIRE(parse_duration("-0:00:00.25") == -250'000);
  REQUIRE(parse_duration("0") == 0);
  for (const char* text :
       {"", "5", "5x", "1h ", "1.5h", "1:60:00", "1:30", "999999999999w", "-", "h", "1:00:00.1234567"}) {
    INFO(text);
    REQUIRE_FALSE(parse_duration(text));
  }
}

TEST_CASE("days are counted from 1970 in the Gregorian calendar") {
  REQUIRE(days_of(1970, 1, 1) == 0);
  REQUIRE(days_of(2000, 3, 1) == 11017);
  REQUIRE(days_of(1969, 12, 31) == -1);
  REQUIRE(days_of(1, 1, 1) == -719162);
  REQUIRE(days_of(2000, 2, 29));
  for (const auto& [y, m, d] :
       {std::tuple{1900, 2, 29}, {2023, 2, 29}, {2023, 4, 31}, {2023, 0, 1}, {2023, 13, 1}, {0, 1, 1}, {2023, 1, 0}}) {
    REQUIRE_FALSE(days_of(y, m, d));
  }
  std::int64_t expected = days_of(1899, 12, 31).value();
  for (int y = 1900; y < 2101; ++y) {
    for (int m = 1; m <= 12; ++m) {
      for (int d = 1; d <= 31; ++d) {
        if (const auto days = days_of(y, m, d)) REQUIRE(*days == ++expected);
      }
    }
  }
}

TEST_CASE("dates are ISO or as their format says, and exist") {
  const auto iso = DateFormat::parse("", false).value();
  REQUIRE(iso.read_date("2011-01-01") == 14975);
  for (const char* text : {"2011-1-1", "01-01-2011", "2011-02-30", "2011-01-01 ", "2011-01-01T00:00:00", "20110101"}) {
    INFO(text);
    REQUIRE_FALSE(iso.read_date(text));
  }
  const auto german = DateFormat::parse("%d-%m-%Y", false).value();
  REQUIRE(german.read_date("01-01-2011") == 14975);
  REQUIRE(german.read_date("1-1-2011") == 14975);
  REQUIRE_FALSE(german.read_date("2011-01-01"));
  REQUIRE_THAT(german.why_no_date("31-02-2011"), Contains("does not exist"));
  REQUIRE(DateFormat::parse("%b %d, %y", false).value().read_date("Jan 1, 11") == 14975);
  REQUIRE(DateFormat::parse("%d %B %Y", false).value().read_date("1 january 2011") == 14975);
  REQUIRE(DateFormat::parse("%y%m%d", false).value().read_date("690101") == -365);
  REQUIRE(DateFormat::parse("%d.%m.%Y %H:%M", false).value().read_date("01.01.2011 00:00") == 14975);
  REQUIRE_FALSE(DateFormat::parse("%d.%m.%Y %H:%M", false).value().read_date("01.01.2011 10:00"));
  REQUIRE_THAT(iso.why_no_date("2011-01-01 10:00"), Contains("time of day"));
}

TEST_CASE("timestamps are microseconds in UTC, and an offset in the text counts") {
  const auto iso = DateFormat::parse("", true).value();
  REQUIRE(iso.read_timestamp("1970-01-01 00:00:01") == 1'000'000);
  REQUIRE(iso.read_timestamp("1970-01-01T00:00:00.000001Z") == 1);
  REQUIRE(iso.read_timestamp("1970-01-01T02:00:00+02:00") == 0);
  REQUIRE(iso.read_timestamp("1969-12-31 19:00-0500") == 0);
  REQUIRE(iso.read_timestamp("1970-01-02") == 86'400'000'000);
  REQUIRE(iso.read_timestamp("1970-01-01 00:00:00.123456000") == 123'456);
  for (const char* text : {"1970-01-01 24:00:00", "1970-01-01 00:60:00", "1970-01-01 00:00:00.1234567",
                           "1970-01-01 00:00:00x", "1970-01-01 "}) {
    INFO(text);
    REQUIRE_FALSE(iso.read_timestamp(text));
  }
  REQUIRE(DateFormat::parse("%d/%m/%Y %H:%M:%S", true).value().read_timestamp("02/01/1970 00:00:01") == 86'401'000'000);
}

TEST_CASE("a format that cannot be read, or tells no day, is a diagnostic") {
  REQUIRE(DateFormat::parse("%j %Y", false).error().code == diag::Code::E0601);
  REQUIRE(DateFormat::parse("%m-%Y", false).error().code == diag::Code::E0308);
  REQUIRE(DateFormat::parse("%d-%m-%", false).error().code == diag::Code::E0308);
}

TEST_CASE("a value in a message is at most 80 characters of UTF-8") {
  REQUIRE(shortened("abc") == "abc");
  REQUIRE(shortened(std::string(80, 'x')) == std::string(80, 'x'));
  REQUIRE(shortened(std::string(81, 'x')) == std::string(79, 'x') + "…");
  REQUIRE(shortened("a\xFFz") == "a\xEF\xBF\xBDz");
}
