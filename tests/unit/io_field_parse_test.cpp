#include <catch2/catch.hpp>

#include <cmath>
#include <random>

#include <fmt/format.h>

#include "runtime/io/field_parse.h"
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
  static constexpr std::string_view signs = "0123456789.-+eE :T/,xtrufals";
  for (int i = 0; i < 500'000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 20 + 1; n > 0; --n) text += signs[random() % (i % 2 ? 12 : signs.size())];
    compare(text);
  }
  for (const char* text : {"true", "false", "True", "0", "-0", "-", ".", "1.", ".5", "-.5", "00000000", "000000001", "9999999999999999", "99999999.99999999",
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
  }
  REQUIRE(index.take() == texts);
}
