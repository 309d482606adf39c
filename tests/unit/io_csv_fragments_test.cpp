#include <catch2/catch.hpp>

#include <random>

#include <fmt/format.h>

#include "tests/unit/column_test_support.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;
using Catch::Contains;

namespace {

/// A random table, the file that holds it, and its columns.
struct RandomTable {
  std::vector<plan::ReadColumn> columns;
  std::vector<std::vector<Value>> values;  ///< by column
  std::string text;
  io::ReadOptions options;
};

std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string field_of(const Value& value, char decimal) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *i);
  if (const auto* f = std::get_if<double>(&value)) {
    std::string text = fmt::format("{}", *f);
    std::ranges::replace(text, '.', decimal);
    return text;
  }
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  return "";
}

RandomTable random_table(std::mt19937_64& random) {
  static const std::vector<std::string> pieces = {"a",  "\"", ",",        ";", "\n", "\r\n",
                                                  "\r", " ",  "\xC3\xA4", "?", "\t", "long text"};
  RandomTable table;
  table.options.delimiter = ",;\t"[random() % 3];
  table.options.trim = random() % 2;
  table.options.null = random() % 2 ? "NA" : "";
  if (table.options.delimiter == ';' && random() % 2) table.options.decimal = ',';
  const std::size_t width = random() % 5 + 1, rows = random() % 40;
  const std::string end = random() % 2 ? "\n" : "\r\n";
  const auto blank = [&] {
    return table.options.trim && random() % 3 == 0 ? std::string(random() % 3, ' ') : std::string();
  };
  const std::vector<Type> types = {Type::of(Base::int_, true), Type::of(Base::float_, true),
                                   Type::of(Base::string, true), Type::category({}, false, true),
                                   Type::of(Base::bool_, true)};
  for (std::size_t c = 0; c < width; ++c) {
    const std::string name =
        random() % 4 ? fmt::format("c{}", c) : fmt::format("c{}\n\"{}", c, table.options.delimiter);
    table.columns.push_back(csv_column(name, types[random() % types.size()]));
    table.text += (c ? std::string(1, table.options.delimiter) : "") + blank() + in_quotes(name) + blank();
  }
  table.text += end;
  table.values.resize(width);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < width; ++c) {
      Value value = random_value(table.columns[c].type, random);
      std::string field = field_of(value, table.options.decimal);
      if (std::holds_alternative<std::string>(value)) {
        field.clear();
        for (std::uint64_t n = random() % 5; n > 0; --n)
          field += pieces[random() % pieces.size()];
        value = field.empty() ? Value() : Value(field);
      }
      if (std::holds_alternative<std::monostate>(value) && random() % 2) field = table.options.null;
      const bool needs_quotes = field.find_first_of("\"\n\r \t") != std::string::npos ||
                                field.find(table.options.delimiter) != std::string::npos;
      // A row of one empty field would be a blank line with blanks trimmed or none: also a missing value.
      if (needs_quotes || random() % 4 == 0) field = in_quotes(field);
      table.text += (c ? std::string(1, table.options.delimiter) : "") + blank() + field + blank();
      table.values[c].push_back(value);
    }
    if (r + 1 < rows || random() % 2 || table.text.ends_with(end)) table.text += end;
    if (width > 1 && random() % 8 == 0 && table.text.ends_with(end)) table.text += blank() + end;
  }
  std::ranges::shuffle(table.columns, random);
  return table;
}

}  // namespace

TEST_CASE("random tables are read back as written, in fragments of 1, 7 and 1000 rows alike") {
  const std::uint64_t seed = 41;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 600; ++round) {
    RandomTable table = random_table(random);
    // The columns were shuffled after the values were made: by name again.
    INFO("seed " << seed << " round " << round << "\n" << table.text);
    for (const std::uint64_t rows : {1, 7, 1000}) {
      table.options.fragment_rows = rows;
      const auto read = read_text(table.text, table.columns, table.options);
      if (!read) FAIL(read.error().message);
      if (read->bad.count)
        FAIL(read->bad.first[0].column << ": " << read->bad.first[0].value << ": " << read->bad.first[0].reason);
      REQUIRE(read->scan.rows == table.values[0].size());
      if (read->scan.rows == 0) continue;
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const std::size_t original = static_cast<std::size_t>(table.columns[c].source_name[1] - '0');
        REQUIRE(equal_bits(read->columns[c], build(table.columns[c].type, table.values[original])));
      }
    }
  }
}

TEST_CASE("random bytes are read in fragments of any size with the same values and the same errors") {
  static const std::vector<std::string> pieces = {
      "a", "1", "\"", "\"\"", ",", "\n", "\r\n", "\r", " ", "\xFF", std::string(1, '\0')};
  std::mt19937_64 random(42);
  for (int round = 0; round < 1500; ++round) {
    std::string text = random() % 2 ? "a,b\n" : "a\n";
    for (std::uint64_t n = random() % 60; n > 0; --n)
      text += pieces[random() % pieces.size()];
    io::ReadOptions options;
    options.trim = random() % 2;
    options.fragment_rows = 1000;
    const std::vector columns = {csv_column("a", Type::of(Base::string, true))};
    const auto whole = read_text(text, columns, options);
    INFO(round << "\n" << text);
    for (const std::uint64_t rows : {1, 2, 3}) {
      options.fragment_rows = rows;
      const auto cut = read_text(text, columns, options);
      REQUIRE(static_cast<bool>(cut) == static_cast<bool>(whole));
      if (!cut) {
        REQUIRE(cut.error().code == whole.error().code);
        continue;
      }
      REQUIRE(cut->scan.rows == whole->scan.rows);
      REQUIRE(cut->bad.count == whole->bad.count);
      REQUIRE(cut->bad.by_reason == whole->bad.by_reason);
      for (std::size_t i = 0; i < cut->bad.first.size(); ++i)
        REQUIRE(cut->bad.first[i].line == whole->bad.first[i].line);
      if (cut->scan.rows) REQUIRE(equal_bits(cut->columns[0], whole->columns[0]));
    }
  }
}

TEST_CASE("a changed value changes the digest of its fragment only, and touching the file changes none") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  std::string text = "a,b\n";
  for (int i = 0; i < 100; ++i)
    text += fmt::format("{},{}\n", i, i * 7 % 10);
  const std::string path = folder.write("t.csv", text);
  const auto source = csv_source(*files, {.fragment_rows = 10});
  const auto before = io::look(*source, path).value();
  folder.write("t.csv", text);
  const auto touched = io::look(*source, path).value();
  REQUIRE(touched.content == before.content);
  REQUIRE(touched.fragments == before.fragments);
  text.replace(text.find("\n57,") + 4, 1, "X");
  folder.write("t.csv", text);
  const auto after = io::look(*source, path).value();
  REQUIRE(after.fragments.size() == 10);
  REQUIRE_FALSE(after.content == before.content);
  for (std::size_t i = 0; i < 10; ++i)
    REQUIRE((after.fragments[i].content == before.fragments[i].content) == (i != 5));
  folder.write("t.csv", "b,a" + text.substr(3));
  REQUIRE_FALSE(io::look(*source, path).value().fragments[0].content == after.fragments[0].content);
}

TEST_CASE("rows of several files are numbered through") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  folder.write("p1.csv", "a,b\n1,x\n2,y\n3,z\n");
  folder.write("p2.csv", "b,a\nw,4\n");
  folder.write("p0.csv", "a,b\n");
  const auto source = csv_source(*files, {.fragment_rows = 2});
  std::vector<io::FileScan> scans;
  const auto paths = files->list(folder / "p*.csv").value();
  for (const std::string& path : paths)
    scans.push_back(io::look(*source, path).value());
  const io::Table table = io::join_files(source, std::move(scans));
  REQUIRE(table.rows == 4);
  REQUIRE(table.fragments.size() == 3);
  REQUIRE(table.fragments[2].first_row == 3);
  REQUIRE(table.fragments[2].file == 2);
  std::vector<Column> parts;
  const std::vector columns = {csv_column("a", Type::of(Base::int_))};
  for (std::size_t f = 0; f < table.fragments.size(); ++f)
    parts.push_back(io::read_fragment(table, f, columns).value().batch.columns[0]);
  const Column all = concatenate(parts);
  for (std::size_t i = 0; i < 4; ++i)
    REQUIRE(all.values<std::int64_t>()[i] == static_cast<std::int64_t>(i) + 1);
}

TEST_CASE("a file that is another one than was scanned is noticed") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = folder.write("t.csv", "a\n1\n2\n");
  const auto source = csv_source(*files);
  const io::Table table = io::join_files(source, {io::look(*source, path).value()});
  REQUIRE(files->write_atomically(path, "a\n1\n3\n"));
  const auto read = io::read_fragment(table, 0, std::vector{csv_column("a", Type::of(Base::int_))});
  REQUIRE(read.error().code == diag::Code::E0805);
}

TEST_CASE("a stored scan is read back, and a damaged one is refused") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = folder.write("t.csv", "a,b\n1,2\n3,4\n5,6\n");
  const auto scan = io::look(*csv_source(*files, {.fragment_rows = 2}), path).value();
  const std::string bytes = io::encode(scan);
  const auto back = io::decode_file_scan(bytes);
  REQUIRE(back);
  REQUIRE(back->header == scan.header);
  REQUIRE(back->fragments == scan.fragments);
  REQUIRE(back->stamp == scan.stamp);
  REQUIRE(back->content == scan.content);
  REQUIRE(io::was_made_with(*back, *csv_source(*files, {.fragment_rows = 2})));
  REQUIRE_FALSE(io::was_made_with(*back, *csv_source(*files, {.fragment_rows = 3})));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    REQUIRE_FALSE(io::decode_file_scan(flipped));
    REQUIRE_FALSE(io::decode_file_scan(bytes.substr(0, i)));
  }
}

TEST_CASE("the census table is read without loss") {
  const std::string path = std::string(MLP_SOURCE_DIR) + "/../shared/data/adult.csv";
  const auto files = io::real_file_system();
  if (!files->stat(path)) {
    WARN("skipped: the public tables are not there");
    return;
  }
  auto age = csv_column("age", Type::of(Base::int_));
  age.range = Interval{0, 120};
  const std::vector columns = {age, csv_column("workclass", Type::category({}, false, true)),
                               csv_column("sex", Type::category({"Male", "Female"})),
                               csv_column("capital-gain", Type::of(Base::float_)),
                               csv_column("income_bin", Type::of(Base::string))};
  const auto read = read_all(*files, path, columns, {.null = "?", .trim = true, .fragment_rows = 1000});
  REQUIRE(read);
  REQUIRE(read->bad.count == 0);
  REQUIRE(read->scan.rows == 32561);
  REQUIRE(read->columns[1].count_missing() == 1836);
  REQUIRE(read->columns[2].dictionary->values == std::vector<std::string>{"Female", "Male"});
  std::size_t rich = 0;
  for (std::size_t i = 0; i < read->scan.rows; ++i)
    rich += read->columns[4].text(i) == ">50K";
  REQUIRE(rich == 7841);
}
