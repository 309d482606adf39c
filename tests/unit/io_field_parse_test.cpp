#include <catch2/catch.hpp>

#include <cmath>
#include <random>

#include <fmt/format.h>

#include "runtime/io/field_parse.h"
#include "runtime/io/field_run.h"
#include "runtime/io/field_text.h"
#include "runtime/io/text_index.h"

using namespace mlp;

namespace {

/// What is read fast is read as the slow way reads it; how much is read fast.
struct Comparison {
  std::string padded;
  std::size_t quick = 0;

  void operator()(const std::string& text) {
    INFO('"' << text << '"');
    padded = text + std::string(16, '7');  // what comes after a text means nothing
    const char* const at = padded.data();
    const auto same = [&](const auto& slow, auto fast) {
      REQUIRE(slow.has_value());
      REQUIRE(*slow == fast);
      ++quick;
    };
    std::int64_t whole;
    double real;
    bool truth;
    const io::DateFormat iso;
    if (io::quick_int(at, text.size(), whole)) same(io::parse_int(text), whole);
    if (io::quick_bool(at, text.size(), truth)) same(io::parse_bool(text), truth);
    // Together with others, here none.
    const std::uint32_t ends[] = {static_cast<std::uint32_t>(-1), static_cast<std::uint32_t>(text.size())};
    const io::FieldRun run{at, ends, 2, 1};
    std::uint8_t is_read = 0;
    const auto same_together = [&](const auto& slow, const auto& fast, bool is_quick) {
      REQUIRE((is_read || !is_quick));
      if (is_read) same(slow, fast);
    };
    std::int64_t alone;
    io::read_ints(run, &whole, &is_read);
    same_together(io::parse_int(text), whole, io::quick_int(at, text.size(), alone));
    io::read_dates(run, &whole, &is_read);
    same_together(iso.read_date(text), whole, io::quick_date(at, text.size(), alone));
    io::read_timestamps(run, &whole, &is_read);
    same_together(iso.read_timestamp(text), whole, io::quick_timestamp(at, text.size(), alone));
    io::read_floats(run, &real, &is_read);
    if (is_read) {
      const auto slow = io::parse_float(text);
      same(slow, real);
      REQUIRE(std::signbit(*slow) == std::signbit(real));
    }
    if (io::quick_date(at, text.size(), whole)) same(iso.read_date(text), whole);
    if (io::quick_timestamp(at, text.size(), whole)) same(iso.read_timestamp(text), whole);
    if (io::quick_float(at, text.size(), real)) {
      const auto slow = io::parse_float(text);
      same(slow, real);
      REQUIRE(std::signbit(*slow) == std::signbit(real));
    }
  }
};

}  // namespace

TEST_CASE("values that are read fast are those that are read slowly") {
  Comparison compare;
  std::mt19937_64 random(5);
  for (int i = 0; i < 200'000; ++i) {
    const auto n = static_cast<std::int64_t>(random() >> random() % 64);
    compare(fmt::format("{}", random() % 2 ? n : -n));
    compare(fmt::format("{}.{:0{}}", n % 1'000'000'000, random() % 100'000'000, random() % 9 + 1));
    compare(fmt::format("-{}.{}", random() % 1000, random() % 1000));
    const std::string date = fmt::format("{:04}-{:02}-{:02}", random() % 10'000, random() % 14, random() % 33);
    compare(date);
    compare(fmt::format("{}{}{:02}:{:02}:{:02}", date, " T "[random() % 3], random() % 25, random() % 61, random() % 61));
  }
  REQUIRE(compare.quick > 500'000);
  compare.quick = 0;
  // As many digits as say a double, and up to as many as are read fast; also those next to halfway between two doubles.
  for (int i = 0; i < 400'000; ++i) {
    const double x = std::generate_canonical<double, 53>(random) * std::pow(10.0, static_cast<double>(random() % 9));
    compare(fmt::format("{}{:.{}f}", random() % 2 ? "-" : "", x, random() % 24 + 1));
    const auto mantissa = (random() | std::uint64_t{1} << 63) >> (11 + random() % 20);
    compare(fmt::format("{}.{}", mantissa >> 40, 5 * (random() % 2 ? random() % 1000 : 0) + 50'000'000'000));
    const int below = static_cast<int>(random() % 5);  // m + 1/2 units of 2^-below, whole and as a decimal fraction
    const std::string half = fmt::format("{:.{}f}", std::ldexp(static_cast<double>(random() % (1u << 26)), -below - 1), below + 1);
    compare(half + std::string(random() % 12, '0') + (random() % 2 ? "" : "1"));
  }
  REQUIRE(compare.quick > 700'000);
  static constexpr std::string_view signs = "0123456789.-+eE :T/,xtrufals";
  for (int i = 0; i < 500'000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 20 + 1; n > 0; --n) text += signs[random() % (i % 2 ? 12 : signs.size())];
    compare(text);
  }
  for (const char* text : {"true", "false", "True", "0", "-0", "-", ".", "1.", ".5", "-.5", "00000000", "000000001", "9999999999999999", "99999999.99999999", "0.000000000000000000000001", "0.000009999999999999999999", "99999999.99999999999", "99999999.999999999999",
                           "0.30000000000000004", "0.1000000000000000055511151", "9007199.254740993", "4503599.62737049650", "0.0000000000000000000000000",
                           "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2024-12-31 24:00:00"})
    compare(text);
}

TEST_CASE("different texts have different numbers, and equal ones the same") {
  io::TextIndex index;
  std::vector<std::string> texts;
  std::mt19937_64 random(6);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % (i % 3 ? 4 : 24); n > 0; --n) text += "ab\0\xFF"[random() % 4];
    const auto number = static_cast<std::size_t>(index.find(text));
    REQUIRE(index.size() == texts.size());
    if (number == texts.size()) {
      REQUIRE(std::ranges::find(texts, text) == texts.end());
      index.add(text);
      texts.push_back(text);
    }
    REQUIRE(texts[number] == text);
    REQUIRE(static_cast<std::size_t>(index.find(text)) == number);
    const std::string padded = text + std::string(16, "a\0"[i % 2]);  // what comes after a text means nothing
    REQUIRE(static_cast<std::size_t>(index.find_in_text(std::string_view(padded).substr(0, text.size()))) == number);
  }
  REQUIRE(index.take() == texts);
}
