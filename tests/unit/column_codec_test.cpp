#include <catch2/catch.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "runtime/column/codec.h"
#include "tests/unit/column_test_support.h"

using namespace mlp;
using namespace mlp::testing;

namespace {

/// The checksum at the end made right again, so that a changed byte gets past it.
std::string resealed(std::string bytes) {
  const std::uint64_t sum = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum, 8);
  return bytes;
}

std::vector<Column> sample_columns(std::mt19937_64& random) {
  std::vector<Column> columns;
  for (const Type& type : column_types()) {
    for (const std::size_t rows : {0, 1, 17})
      columns.push_back(random_column(type, rows, random));
    columns.push_back(random_column(type.known(), 9, random));
    columns.push_back(random_column(type, 5, random, 1.0));
  }
  columns.push_back(random_vector_column(0, random));
  columns.push_back(random_vector_column(6, random));
  return columns;
}

}  // namespace

TEST_CASE("a stored column is read back bit for bit, and equal columns have equal bytes") {
  std::mt19937_64 random(21);
  for (const Column& column : sample_columns(random)) {
    const std::string bytes = encode(column);
    const auto back = decode_column(bytes);
    REQUIRE(back);
    REQUIRE(equal_bits(*back, column));
    REQUIRE(encode(*back) == bytes);
  }
}

TEST_CASE("what stands under missing values and unused dictionary values does not reach the bytes") {
  const std::int32_t codes[] = {2, 1, 0}, sorted[] = {0, 0, 1};
  const std::uint8_t known[] = {1, 0, 1};
  Column a, b;
  a.type = b.type = Type::category({}, false, true);
  a.rows = b.rows = 3;
  a.known = b.known = Buffer::copy(known, sizeof known);
  a.data = Buffer::copy(codes, sizeof codes);
  a.dictionary = std::make_shared<const Dictionary>(Dictionary{{"z", "unused", "a"}});
  b.data = Buffer::copy(sorted, sizeof sorted);
  b.dictionary = std::make_shared<const Dictionary>(Dictionary{{"a", "z"}});
  REQUIRE(encode(a) == encode(b));
}

TEST_CASE("a cut or changed stored column is refused") {
  std::mt19937_64 random(22);
  for (const Column& column : sample_columns(random)) {
    const std::string bytes = encode(column);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      REQUIRE_FALSE(decode_column(bytes.substr(0, size)));
    REQUIRE_FALSE(decode_column(bytes + std::string(8, '\0')));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << random() % 8));
      REQUIRE_FALSE(decode_column(flipped));
    }
  }
}

TEST_CASE("a changed stored column with a right checksum is refused, or is a column that is stored as these bytes") {
  std::mt19937_64 random(23);
  for (const Column& column : sample_columns(random)) {
    const std::string bytes = encode(column);
    for (int round = 0; round < 400; ++round) {
      std::string flipped = bytes;
      for (std::uint64_t n = random() % 3 + 1; n > 0; --n) {
        flipped[random() % (bytes.size() - 8)] = static_cast<char>(round % 2 ? random() : random() % 3);
      }
      flipped = resealed(std::move(flipped));
      const auto back = decode_column(flipped);
      if (back) REQUIRE(encode(*back) == flipped);
    }
  }
}

TEST_CASE("a stored column that claims a huge size is refused before anything is allocated") {
  std::mt19937_64 random(24);
  for (const Column& column : sample_columns(random)) {
    const std::string bytes = encode(column);
    for (std::size_t at = 12; at < 64; at += at < 16 ? 4 : 8) {
      for (const std::uint64_t huge : {~0ull, 1ull << 63, 1ull << 61, 1ull << 40}) {
        std::string changed = bytes;
        std::memcpy(changed.data() + at, &huge, at < 16 ? 4 : 8);
        if (changed == bytes) continue;
        REQUIRE_FALSE(decode_column(resealed(changed)));
      }
    }
  }
}

TEST_CASE("a stored column of another version says so") {
  std::string bytes = encode(Column{Type::of(Base::bool_), 0, {}, {}, {}, nullptr});
  bytes[8] = 9;
  const auto back = decode_column(bytes);
  REQUIRE_FALSE(back);
  REQUIRE(back.error().code == diag::Code::E0909);
}
