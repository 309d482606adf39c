#include <catch2/catch.hpp>

#include <random>

#include "runtime/io/row_finder.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;

TEST_CASE("rows are found alike however a file is parted among threads") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  std::mt19937_64 random(7);
  for (int round = 0; round < 400; ++round) {
    const std::string text = random_text(random, {"a", "bcd", ",", "\n", "\n", "\r\n", "\"", "\"\"", ",\"", "\",", " ", "\t"}, 120);
    const auto file = files->open(folder.write("t.csv", text)).value();
    io::RowRules rules;
    rules.trim = random() % 2;
    rules.blank_is_row = random() % 2;
    rules.quotes = random() % 4 != 0;
    const std::uint64_t rows = random() % 4 + 1;
    const auto find = [&](std::uint64_t piece) {
      io::FileScan scan;
      scan.path = folder / "t.csv";
      rules.piece_bytes = piece;
      auto found = io::find_rows(*file, scan, rules, 0, 1, rows);
      return std::pair(std::move(found), std::move(scan));
    };
    const auto [whole, expected] = find(1 << 20);
    INFO(round << "\n" << text);
    for (const std::uint64_t piece : {1, 2, 3, 5, 17, 64}) {
      const auto [cut, scan] = find(piece);
      REQUIRE(cut.has_value() == whole.has_value());
      if (!cut) {
        REQUIRE(cut.error().places[0].line == whole.error().places[0].line);
        continue;
      }
      REQUIRE(scan.rows == expected.rows);
      REQUIRE(scan.fragments == expected.fragments);
    }
  }
}
