#include <catch2/catch.hpp>

#include "runtime/io/arrow_metadata.h"
#include "tests/fuzz/rules.h"
#include "tests/unit/arrow_bytes.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;

namespace {

const std::vector<plan::ReadColumn> kColumns = {csv_column("s", Type::of(Base::string, true)), csv_column("n", Type::of(Base::int_, true))};

/// All rows of the bytes, read with `fragment_rows` at once.
Result<std::vector<Column>> read_arrow_bytes(const TemporaryFolder& folder, const std::string& bytes, std::uint64_t fragment_rows = 65536) {
  const auto files = io::real_file_system();
  const std::string path = folder.write("t.arrow", bytes);
  io::Source source;
  source.files = files.get();
  source.form = io::find_form("arrow");
  source.options.fragment_rows = fragment_rows;
  MLP_TRY(io::FileScan scan, io::look(source, path));
  std::vector<io::FileScan> scans{std::move(scan)};
  const io::Table table = io::join_files(std::make_shared<const io::Source>(std::move(source)), std::move(scans));
  MLP_TRY_VOID(io::check_names(table, kColumns));
  std::vector<std::vector<Column>> parts(kColumns.size());
  for (std::size_t f = 0; f < table.fragments.size(); ++f) {
    MLP_TRY(io::ReadOutcome outcome, io::read_fragment(table, f, kColumns));
    if (outcome.bad.count) return failure(io::contract_failure("t", std::span(&outcome.bad, 1)));
    for (std::size_t c = 0; c < parts.size(); ++c) parts[c].push_back(std::move(outcome.batch.columns[c]));
  }
  std::vector<Column> columns;
  for (const auto& part : parts)
    if (!part.empty()) columns.push_back(concatenate(part));
  return columns;
}

}  // namespace

TEST_CASE("an Arrow stream and an Arrow file of our own bytes are read, whole and row by row") {
  const TemporaryFolder folder;
  for (const std::string& bytes : {arrow_stream(), arrow_file(), arrow_stream().substr(0, arrow_stream().size() - 8)})
    for (const std::uint64_t rows : {1, 2, 65536}) {
      const auto read = read_arrow_bytes(folder, bytes, rows);
      REQUIRE(read);
      REQUIRE(read->size() == 2);
      CHECK((*read)[0].rows == 3);
      CHECK((*read)[0].text(0) == "ab");
      CHECK_FALSE((*read)[0].is_known(1));  // an empty text is missing, as in every source
      CHECK((*read)[0].text(2) == "cdef");
      CHECK((*read)[1].values<std::int64_t>()[0] == 7);
      CHECK_FALSE((*read)[1].is_known(1));
      CHECK((*read)[1].values<std::int64_t>()[2] == -9);
    }
}

TEST_CASE("messages of Arrow without the mark before their length are read") {
  std::string old;
  for (const std::string& message : {arrow_message(1, arrow_schema(arrow_fields()), "", 3), arrow_batch()}) old += message.substr(4);
  const TemporaryFolder folder;
  const auto read = read_arrow_bytes(folder, old);
  REQUIRE(read);
  CHECK((*read)[0].text(2) == "cdef");
}

TEST_CASE("what cannot be read of Arrow is said") {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& bytes) {
    const auto read = read_arrow_bytes(folder, bytes);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == diag::Code::E0804);
    return read.error().message;
  };
  FlatTable big = arrow_schema(arrow_fields());
  big.slots[0] = std::int64_t{1};
  CHECK(said(arrow_message(1, big, "")).find("highest byte first") != std::string::npos);
  CHECK(said(arrow_message(1, arrow_schema(arrow_fields()), "", 2)).find("version") != std::string::npos);
  CHECK(said(arrow_message(1, arrow_schema({arrow_field("x", 99, {{}})}), "")).find("does not know") != std::string::npos);
  const std::string schema = arrow_message(1, arrow_schema(arrow_fields()), "");
  CHECK(said(arrow_batch()).find("does not begin with its columns") != std::string::npos);
  CHECK(said(schema + arrow_batch(4)).find("damaged") != std::string::npos);     // more rows than values
  CHECK(said(schema + arrow_batch(3, 7)).find("damaged") != std::string::npos);  // a text behind the end of its buffer
  CHECK(said(schema + arrow_batch(3, 1)).find("damaged") != std::string::npos);  // that ends before it begins
  CHECK(said(schema + arrow_batch(std::int64_t{1} << 40)).find("damaged") != std::string::npos);
  FlatTable nested = arrow_field("x", 13, {{}});
  for (int i = 0; i < 100; ++i) nested = {{std::string("x"), std::int64_t{1}, std::int64_t{13}, FlatTable{}, {}, std::vector{nested}}};
  CHECK(said(arrow_message(1, arrow_schema({nested}), "")).find("deeper") != std::string::npos);
}

TEST_CASE("every byte of an Arrow file may be any other, and the file may end anywhere") {
  const TemporaryFolder folder;
  const auto is_right = [&](const std::string& bytes) {
    const auto read = read_arrow_bytes(folder, bytes);
    return read || read.error().code == diag::Code::E0804 || read.error().code == diag::Code::E0803 || read.error().code == diag::Code::E0801;
  };
  for (const std::string& whole : {arrow_stream(), arrow_file()}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      CHECK(is_right(whole.substr(0, i)));
      for (const int byte : {0, 1, 2, 127, 128, 254, 255}) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(byte);
        CHECK(is_right(bytes));
      }
    }
    CHECK(rules::arrow(whole).empty());
    for (std::size_t i = 0; i < whole.size(); i += 4) CHECK(rules::arrow(std::string_view(whole).substr(i)).empty());
  }
}
