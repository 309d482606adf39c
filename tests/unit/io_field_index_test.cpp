#include <catch2/catch.hpp>

#include <random>

#include "runtime/io/csv_records.h"
#include "runtime/io/field_index.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;

TEST_CASE("the index of fields finds what the reader of records finds") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t width = random() % 4 + 1;
    std::string text = random_text(random, {"a", "a longer text that fills most of sixty-four bytes and some", ",", ",", "\n", "\r\n", "\r", "\"x,\ny\"", "\"\"", " "}, 40);
    const std::size_t size = text.size();
    text.append(64, '\0');
    io::FieldIndex index(',', width, 16 << round % 3);
    io::RecordReader records({}, 0, ',', false, width > 1);
    std::vector<std::uint32_t> ends(width + 1 + io::FieldIndex::kSlack);
    std::vector<std::string_view> fields;
    index.start(text.data(), size, 0);
    INFO(round << "\n" << text);
    for (std::size_t at = 0;;) {
      const auto found = index.next(ends.data());
      records.start(std::string_view(text).substr(0, size), at, 1);
      const bool more = records.next(fields);
      if (found == io::FieldIndex::Found::record) {
        REQUIRE(more);
        REQUIRE(records.fault() == io::RecordReader::Fault::none);
        REQUIRE(fields.size() == width);
        REQUIRE(records.offset() == index.at());
        for (std::size_t c = 0; c < width; ++c) {
          const std::uint32_t begin = ends[c] + 1;
          REQUIRE(fields[c] == std::string_view(text).substr(begin, ends[c + 1] - begin));
        }
      } else if (found == io::FieldIndex::Found::end) {
        REQUIRE(std::string_view(text).substr(at, size - at).find('\n') == std::string_view::npos);
      }
      if (!more) break;
      at = records.offset();
      index.start(text.data(), size, at);
    }
  }
}
