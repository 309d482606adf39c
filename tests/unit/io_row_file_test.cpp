#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "io_test_support.h"
#include "runtime/io/row_file.h"

namespace mlp {

namespace {

plan::ReadColumn column(std::string name, Base base, bool missing = false) {
  plan::ReadColumn out;
  out.source_name = std::move(name);
  out.type = Type::of(base, missing);
  return out;
}

io::Table read_table(io::FileSystem& files, const std::string& path, std::uint64_t fragment_rows) {
  plan::Table table;
  table.source = "rows";
  const auto source = io::open_source(files, table, {}, {}, fragment_rows, {{path, "somewhere"}});
  REQUIRE(source);
  auto scan = io::look(**source, path);
  REQUIRE(scan);
  std::vector<io::FileScan> scans;
  scans.push_back(std::move(*scan));
  return io::join_files(*source, std::move(scans));
}

}  // namespace

TEST_CASE("rows: what is written is read as it was") {
  const testing::TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = folder / "t.rows";
  const std::vector<std::string> texts = {"", "a", "\"", "a,b", "line\nline", "carriage\rreturn", "\r\n", " blanks ", "é", "\"\"", "NULL", "\xEF\xBB\xBF"};
  const std::vector<double> floats = {0.1, -0.0, 1e-320, 1.7976931348623157e308, 5, 1e21, 123456789.123456789, std::nextafter(1.0, 2.0)};
  const std::size_t rows = 40;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  io::RowWriter writer(file);
  const std::vector<std::string> names = {"t ext", "f", "i", "b"};
  writer.header(names);
  for (std::size_t r = 0; r < rows; ++r) {
    if (r % 13 == 12) writer.add_missing();
    else writer.add_text(texts[r % texts.size()]);
    if (r % 9 == 8) writer.add_missing();
    else writer.add_float(floats[r % floats.size()]);
    writer.add_int(r % 2 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max());
    writer.add_bool(r % 3 == 0);
    writer.end_row();
  }
  REQUIRE(writer.finish());
  CHECK(writer.rows() == rows);
  ::close(file);

  for (const std::uint64_t fragment_rows : {1, 7, 1000}) {
    const io::Table table = read_table(*files, path, fragment_rows);
    CHECK(table.rows == rows);
    const std::vector<plan::ReadColumn> columns = {column("b", Base::bool_), column("t ext", Base::string, true), column("f", Base::float_, true), column("i", Base::int_)};
    std::size_t r = 0;
    for (std::size_t f = 0; f < table.fragments.size(); ++f) {
      const auto read = io::read_fragment(table, f, columns);
      REQUIRE(read);
      REQUIRE(read->bad.count == 0);
      for (std::size_t i = 0; i < read->batch.rows; ++i, ++r) {
        CHECK(read->batch.columns[0].values<std::uint8_t>()[i] == (r % 3 == 0));
        CHECK(read->batch.columns[1].is_known(i) == (r % 13 != 12));
        if (r % 13 != 12) CHECK(std::string(read->batch.columns[1].text(i)) == texts[r % texts.size()]);
        CHECK(read->batch.columns[2].is_known(i) == (r % 9 != 8));
        if (r % 9 != 8) CHECK(std::bit_cast<std::uint64_t>(read->batch.columns[2].values<double>()[i]) == std::bit_cast<std::uint64_t>(floats[r % floats.size()]));
        CHECK(read->batch.columns[3].values<std::int64_t>()[i] == (r % 2 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max()));
      }
    }
    CHECK(r == rows);
  }
}

TEST_CASE("rows: the empty text is no int and no missing value, and places are numbers of rows") {
  const testing::TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = folder / "t.rows";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  io::RowWriter writer(file);
  const std::vector<std::string> names = {"x", "note"};
  writer.header(names);
  for (int r = 0; r < 10; ++r) {
    if (r == 7) writer.add_text("");
    else writer.add_int(r);
    writer.add_text(r == 3 ? std::string("\0", 1) : "two\nlines");
    writer.end_row();
  }
  REQUIRE(writer.finish());
  ::close(file);
  const io::Table table = read_table(*files, path, 4);
  std::vector<diag::DataPlace> bad;
  for (std::size_t f = 0; f < table.fragments.size(); ++f) {
    const auto read = io::read_fragment(table, f, std::vector{column("x", Base::int_, true), column("note", Base::string, true)});
    REQUIRE(read);
    bad.insert(bad.end(), read->bad.first.begin(), read->bad.first.end());
  }
  REQUIRE(bad.size() == 2);
  CHECK(bad[0].line == 4);
  CHECK(bad[0].column == "note");
  CHECK(bad[1].line == 8);
  CHECK(bad[1].column == "x");
  CHECK(bad[1].file == "somewhere");
}

}  // namespace mlp
