#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>
#include <mutex>
#include <thread>

#include "runtime/request_log/request_log.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;
using namespace mlp::request_log;
using Catch::Contains;

namespace {

/// A clock that is set by the test.
struct SetClock final : io::Clock {
  std::atomic<std::int64_t> us{1'000'000};
  std::int64_t now_ns() override { return us * 1000; }
  std::int64_t steady_ns() override { return us * 1000; }
};

std::shared_ptr<const Source> source(std::uint32_t version, std::vector<std::string> fields = {"age", "job"}) {
  Source made{"w.api", "w.m", version, {}, std::move(fields)};
  made.scorer.bytes[0] = static_cast<std::uint8_t>(version);
  return std::make_shared<const Source>(std::move(made));
}

Answered answered(std::shared_ptr<const Source> from, std::string id, std::vector<std::optional<Value>> record, double prediction) {
  Answered made;
  made.source = std::move(from);
  made.request_id = std::move(id);
  made.records = {std::move(record)};
  made.predictions = {prediction};
  made.latency_us = 17;
  return made;
}

std::vector<Row> read_rows(const std::string& folder, std::int64_t from = 0, std::int64_t to = INT64_MAX, ReadReport* report = nullptr) {
  std::vector<Row> rows;
  const auto files = io::real_file_system();
  const auto done = request_log::read(*files, folder, from, to, [&](const Row& row) { return rows.push_back(row), true; });
  if (!done) FAIL(done.error().message);
  if (report) *report = *done;
  return rows;
}

std::vector<std::string> segments(const std::string& folder) { return io::real_file_system()->entries(folder).value(); }

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("what was asked and answered is read as it was written") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  const std::string at = directory(folder.path(), "w.api");
  REQUIRE(at == folder / "requests/w.api");
  {
    Writer writer(*files, clock, at, {}, [](const std::string& text) { FAIL(text); });
    writer.add(answered(source(1, {"a", "b", "c", "d", "e", "f", "g"}), "id-1",
                        {Value(std::int64_t{-7}), Value(0.1), Value(true), Value(false), Value(std::string("x\0y", 3)), Value(), std::nullopt}, 0.25));
    clock.us = 2'000'000;
    Answered bad = answered(source(2), "id-2", {Value(std::int64_t{200}), Value(1.5)}, kNone);
    bad.records.push_back({Value(std::int64_t{20}), Value()});
    bad.predictions = {};
    bad.faults = {{0, 0}, {0, 1}};
    writer.add(std::move(bad));
    writer.add(answered(source(2), "id-3", {Value(std::int64_t{3}), Value()}, kNone));
    writer.flush();
    REQUIRE(writer.counts().written == 4);
    REQUIRE(writer.counts().dropped == 0);
  }
  ReadReport report;
  const std::vector<Row> rows = read_rows(at, 0, INT64_MAX, &report);
  REQUIRE(report.rows == 4);
  REQUIRE(report.segments == 1);
  REQUIRE(report.unreadable_bytes == 0);
  REQUIRE(rows.size() == 4);
  REQUIRE(*rows[0].source == *source(1, {"a", "b", "c", "d", "e", "f", "g"}));
  REQUIRE(rows[0].fields == std::vector<std::optional<Value>>{Value(std::int64_t{-7}), Value(0.1), Value(true), Value(false),
                                                              Value(std::string("x\0y", 3)), Value(), std::nullopt});
  REQUIRE(rows[0].at_us == 1'000'000);
  REQUIRE(rows[0].request_id == "id-1");
  REQUIRE(rows[0].prediction == 0.25);
  REQUIRE(rows[0].latency_us == 17);
  REQUIRE(rows[1].source->version == 2);
  REQUIRE(rows[1].faults == std::vector<std::uint32_t>{0, 1});
  REQUIRE_FALSE(rows[1].prediction);
  REQUIRE(rows[2].record == 1);
  REQUIRE(rows[2].faults.empty());
  REQUIRE_FALSE(rows[3].prediction);
  struct ::stat s;
  REQUIRE(::stat(at.c_str(), &s) == 0);
  REQUIRE((s.st_mode & 077) == 0);
}

TEST_CASE("a folder without segments is a window without rows") {
  const TemporaryFolder folder;
  REQUIRE(read_rows(folder / "nothing").empty());
  folder.write("notes.txt", "x");
  REQUIRE(read_rows(folder.path()).empty());
}

TEST_CASE("segments end at their size, and a window opens only those that it needs") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  Limits limits;
  limits.segment_bytes = 1000;
  {
    Writer writer(*files, clock, folder.path(), limits, {});
    for (int i = 0; i < 300; ++i) {
      clock.us = 1'000'000 + i;
      writer.add(answered(source(1 + i / 100), std::to_string(i), {Value(std::int64_t{i}), Value()}, i));
    }
  }
  REQUIRE(segments(folder.path()).size() > 10);
  const std::vector<Row> rows = read_rows(folder.path());
  REQUIRE(rows.size() == 300);
  for (int i = 0; i < 300; ++i) {
    REQUIRE(rows[i].request_id == std::to_string(i));
    REQUIRE(rows[i].source->version == 1u + i / 100);
  }
  ReadReport report;
  const std::vector<Row> some = read_rows(folder.path(), 1'000'100, 1'000'110, &report);
  REQUIRE(some.size() == 10);
  REQUIRE(some[0].request_id == "100");
  REQUIRE(report.segments <= 3);
}

TEST_CASE("rows of several servers are read in the order of time") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock a, b;
  b.us = 1'000'001;
  Writer first(*files, a, folder.path(), {}, {}), second(*files, b, folder.path(), {}, {});
  for (int i = 0; i < 50; ++i) {
    a.us = 1'000'000 + 10 * i, b.us = 1'000'005 + 10 * i;
    first.add(answered(source(1), "a", {Value(), Value()}, i));
    second.add(answered(source(2), "b", {Value(), Value()}, i));
  }
  first.flush(), second.flush();
  const std::vector<Row> rows = read_rows(folder.path());
  REQUIRE(rows.size() == 100);
  for (std::size_t i = 1; i < rows.size(); ++i) REQUIRE(rows[i - 1].at_us < rows[i].at_us);
}

TEST_CASE("a clock that is set back gives no row an earlier time than the one before it") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  {
    Writer writer(*files, clock, folder.path(), {}, {});
    writer.add(answered(source(1), "1", {Value(), Value()}, 1));
    clock.us = 5;
    writer.add(answered(source(1), "2", {Value(), Value()}, 1));
  }
  const std::vector<Row> rows = read_rows(folder.path());
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[0].at_us == rows[1].at_us);
}

namespace {

/// The segment of a log that holds the rows 0, 1 and 2.
std::string write_three_rows(const TemporaryFolder& folder, io::FileSystem& files) {
  SetClock clock;
  {
    Writer writer(files, clock, folder.path(), {}, {});
    for (int i = 0; i < 3; ++i) writer.add(answered(source(1), std::to_string(i), {Value(std::int64_t{i}), Value(std::string("clerk"))}, i));
  }
  return folder / segments(folder.path()).at(0);
}

}  // namespace

TEST_CASE("whatever a killed server left of its last row, the rows before it are read") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = write_three_rows(folder, *files);
  const std::string whole = io::read_file(*files, path).value();
  std::size_t before = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::filesystem::resize_file(path, 0);
    REQUIRE(files->append(path, std::string_view(whole).substr(0, size)));
    ReadReport report;
    const std::size_t rows = read_rows(folder.path(), 0, INT64_MAX, &report).size();
    REQUIRE(rows >= before);
    REQUIRE(rows <= 3);
    before = rows;
  }
  REQUIRE(before == 3);
}

TEST_CASE("a damaged byte loses the row it is in and is counted, never read as another") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = write_three_rows(folder, *files);
  const std::string whole = io::read_file(*files, path).value();
  for (std::size_t at = 16; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] ^= 0x41;
    REQUIRE(files->write_atomically(path, damaged));
    ReadReport report;
    const std::vector<Row> rows = read_rows(folder.path(), 0, INT64_MAX, &report);
    REQUIRE(rows.size() < 3);
    REQUIRE(report.unreadable_bytes > 0);
    for (const Row& row : rows) REQUIRE(row.prediction == std::stod(row.request_id));
  }
}

TEST_CASE("a segment of another version is refused by name") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  { Writer(*files, clock, folder.path(), {}, {}).add(answered(source(1), "1", {Value(), Value()}, 1)); }
  const std::string name = segments(folder.path()).at(0);
  std::string bytes = io::read_file(*files, folder / name).value();
  bytes[8] = 9;
  REQUIRE(files->write_atomically(folder / name, bytes));
  const auto done = request_log::read(*files, folder.path(), 0, INT64_MAX, [](const Row&) { return true; });
  REQUIRE(done.error().code == diag::Code::E0909);
  REQUIRE_THAT(done.error().message, Contains(name) && Contains("version 9"));
}

TEST_CASE("the queue is bounded: what it has no room for is dropped and counted") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  Limits limits;
  limits.queued_rows = 10;
  Writer writer(*files, clock, folder.path(), limits, {});
  Answered many = answered(source(1), "many", {Value(), Value()}, 1);
  many.records.assign(11, {Value(), Value()});
  many.predictions.assign(11, 1);
  writer.add(many);
  REQUIRE(writer.counts().dropped == 11);
  many.records.resize(10), many.predictions.resize(10);
  writer.add(many);
  writer.flush();
  REQUIRE(writer.counts().written == 10);
  limits.queued_bytes = 1000;
  Writer narrow(*files, clock, folder / "narrow", limits, {});
  narrow.add(answered(source(1), "long", {Value(std::string(1000, 'x')), Value()}, 1));
  REQUIRE(narrow.counts().dropped == 1);
}

TEST_CASE("a folder that cannot be written loses rows, says so once, and is used again when it can") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  SetClock clock;
  folder.write("requests", "a file in the place of the folder");
  std::mutex mutex;
  std::vector<std::string> said;
  Writer writer(*files, clock, folder / "requests/w.api", {}, [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    said.push_back(text);
  });
  for (int i = 0; i < 3; ++i) {
    writer.add(answered(source(1), "lost", {Value(), Value()}, 1));
    writer.flush();
  }
  REQUIRE(writer.counts().dropped == 3);
  std::filesystem::remove(folder / "requests");
  writer.add(answered(source(1), "kept", {Value(), Value()}, 1));
  writer.flush();
  REQUIRE(writer.counts().written == 1);
  REQUIRE(said.size() == 2);
  REQUIRE_THAT(said[0], Contains("not recorded") && Contains("requests"));
  const std::vector<Row> rows = read_rows(folder / "requests/w.api");
  REQUIRE(rows.size() == 1);
  REQUIRE(rows[0].request_id == "kept");
}

TEST_CASE("many threads add at once, and a reader sees whole rows meanwhile") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const auto clock = io::system_clock();
  Limits limits;
  limits.segment_bytes = 20'000;
  constexpr int kThreads = 4, kEach = 500;
  {
    Writer writer(*files, *clock, folder.path(), limits, {});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, from = source(t + 1)] {
        for (int i = 0; i < kEach; ++i) writer.add(answered(from, std::to_string(i), {Value(std::int64_t{i}), Value(std::string(20, 'j'))}, i));
      });
    for (int i = 0; i < 5; ++i)
      for (const Row& row : read_rows(folder.path())) REQUIRE(row.prediction == std::stod(row.request_id));
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<int> next(kThreads + 1);
  for (const Row& row : read_rows(folder.path())) REQUIRE(row.request_id == std::to_string(next[row.source->version]++));
  for (int t = 1; t <= kThreads; ++t) REQUIRE(next[t] == kEach);
}
