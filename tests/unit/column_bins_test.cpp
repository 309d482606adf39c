#include <catch2/catch.hpp>

#include <random>

#include "runtime/column/bins.h"

using namespace mlp;

TEST_CASE("a stored binned column is read back, and a damaged one is refused") {
  std::mt19937_64 random(51);
  for (const std::size_t rows : {0, 1, 8, 33}) {
    for (const std::size_t runs : {1, 3}) {
      BinnedColumn column{rows, runs, Buffer(rows * runs)};
      for (auto& bin : column.bins.as_mutable<std::uint8_t>())
        bin = static_cast<std::uint8_t>(random());
      const std::string bytes = encode(column);
      const auto back = decode_binned_column(bytes);
      REQUIRE(back);
      REQUIRE(encode(*back) == bytes);
      REQUIRE(std::ranges::equal(back->run(runs - 1), column.run(runs - 1)));
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string flipped = bytes;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << random() % 8));
        REQUIRE_FALSE(decode_binned_column(flipped));
        REQUIRE_FALSE(decode_binned_column(bytes.substr(0, i)));
      }
    }
  }
}
