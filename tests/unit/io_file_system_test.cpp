#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include "runtime/io/clock.h"
#include "runtime/io/file_system.h"
#include "tests/unit/io_test_support.h"

using namespace mlp;
using namespace mlp::testing;
using Catch::Contains;

TEST_CASE("a missing file is named, and the nearest entry of its folder is offered") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  folder.write("people.csv", "x");
  const auto opened = files->open(folder / "peple.csv");
  REQUIRE_FALSE(opened);
  REQUIRE(opened.error().code == diag::Code::E0901);
  REQUIRE_THAT(opened.error().message, Contains("peple.csv") && Contains("not found"));
  REQUIRE_THAT(opened.error().help, Contains("people.csv"));
  REQUIRE_THAT(files->stat(folder / "none/people.csv").error().help, Contains("none") && Contains("does not exist"));
}

TEST_CASE("a folder where a file is needed is said to be one") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  REQUIRE_THAT(files->open(folder.path()).error().message, Contains("it is a folder"));
  REQUIRE_THAT(files->list(folder.path()).error().help, Contains("*.csv"));
  const auto written = files->write_atomically(folder.path(), "x");
  REQUIRE(written.error().code == diag::Code::E0904);
  REQUIRE_THAT(written.error().message, Contains("it is a folder"));
}

TEST_CASE("a pipe is refused instead of waited for") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE_THAT(io::real_file_system()->open(folder / "pipe").error().message, Contains("pipe"));
}

TEST_CASE("files are listed in the order of their bytes, and a name with brackets names itself") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  for (const char* name : {"b.csv", "a10.csv", "a2.csv", "B.csv", "c.txt", "d[1].csv"})
    folder.write(name, "x");
  REQUIRE(files->make_folders(folder / "z.csv"));
  const auto found = files->list(folder / "*.csv");
  REQUIRE(found);
  const std::vector<std::string> expected = {folder / "B.csv", folder / "a10.csv", folder / "a2.csv", folder / "b.csv",
                                             folder / "d[1].csv"};
  REQUIRE(*found == expected);
  REQUIRE(files->list(folder / "d[1].csv").value() == std::vector{folder / "d[1].csv"});
  REQUIRE(files->list(folder / "*.parquet").error().code == diag::Code::E0901);
  REQUIRE_THAT(files->list(folder / "nowhere/*.csv").error().help, Contains("does not exist"));
}

TEST_CASE("writing replaces a file as a whole and leaves no other behind") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  REQUIRE(files->write_atomically(folder / "f", "old"));
  REQUIRE(files->write_atomically(folder / "f", "new text"));
  REQUIRE(io::read_file(*files, folder / "f").value() == "new text");
  REQUIRE(files->entries(folder.path()).value() == std::vector<std::string>{"f"});
  REQUIRE(files->append(folder / "f", ", more"));
  REQUIRE(files->sync(folder / "f"));
  REQUIRE(files->map(folder / "f").value()->bytes() == "new text, more");
  const auto nowhere = files->write_atomically(folder / "nowhere/f", "x");
  REQUIRE(nowhere.error().code == diag::Code::E0904);
  REQUIRE_THAT(nowhere.error().message, Contains("folder was not found"));
  REQUIRE(files->remove(folder / "f"));
  REQUIRE(files->remove(folder / "f"));
  REQUIRE(files->entries(folder.path()).value().empty());
}

TEST_CASE("a file that is replaced keeps its permissions, and a link stays a link") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  REQUIRE(files->write_atomically(folder / "f", "old"));
  REQUIRE(::chmod((folder / "f").c_str(), 0640) == 0);
  REQUIRE(::symlink("f", (folder / "link").c_str()) == 0);
  REQUIRE(files->write_atomically(folder / "link", "new"));
  REQUIRE(io::read_file(*files, folder / "f").value() == "new");
  struct ::stat s;
  REQUIRE(::lstat((folder / "link").c_str(), &s) == 0);
  REQUIRE(S_ISLNK(s.st_mode));
  REQUIRE(::stat((folder / "f").c_str(), &s) == 0);
  REQUIRE((s.st_mode & 0777) == 0640);
}

TEST_CASE("a full disk is told as such") {
  const auto appended = io::real_file_system()->append("/dev/full", "x");
  REQUIRE(appended.error().code == diag::Code::E0904);
  REQUIRE_THAT(appended.error().message, Contains("the disk is full"));
}

TEST_CASE("folders are made with those above them, and a file in the way is told") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  REQUIRE(files->make_folders(folder / "a/b/c"));
  REQUIRE(files->make_folders(folder / "a/b/c"));
  folder.write("file", "");
  REQUIRE_FALSE(files->make_folders(folder / "file/b"));
}

TEST_CASE("the stamp changes when the file does") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  const std::string path = folder.write("f", "one");
  const auto before = files->stat(path).value();
  REQUIRE(files->open(path).value()->stamp().value() == before);
  REQUIRE(before.size == 3);
  REQUIRE(files->write_atomically(path, "two"));
  REQUIRE_FALSE(files->stat(path).value() == before);
}

TEST_CASE("empty and large files are read whole") {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  REQUIRE(io::read_file(*files, folder.write("empty", "")).value().empty());
  REQUIRE(files->map(folder / "empty").value()->bytes().empty());
  const std::string large(3'000'001, 'x');
  REQUIRE(io::read_file(*files, folder.write("large", large)).value() == large);
}

TEST_CASE("the clock of the machine goes on") {
  const auto clock = io::system_clock();
  REQUIRE(clock->now_ns() > 1'600'000'000'000'000'000);
  const auto before = clock->steady_ns();
  REQUIRE(clock->steady_ns() >= before);
}
