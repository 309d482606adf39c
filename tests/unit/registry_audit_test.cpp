#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "runtime/registry/registry.h"
#include "runtime/registry/state.h"
#include "tests/property/store_disks.h"

using namespace mlp;
using namespace mlp::registry;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string log() const { return path + "/audit.jsonl"; }
};

std::string read(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

Entry deployment(std::uint32_t version, const std::string& name = "w.api") {
  Entry entry;
  entry.event = Event::deployed;
  entry.who = "ann \"the\" author";
  entry.deployment = name;
  entry.stage = "production";
  entry.model = "w.m";
  entry.version = version;
  entry.scorer = sha256("scorer " + std::to_string(version));
  entry.run = "r-1";
  entry.gates = {{"auc >= 0.9", "passed", 0.91}, {"auc beats production by 0", "not_applicable", std::nullopt}};
  return entry;
}

void fill(const Folder& folder, std::uint32_t entries) {
  auto log = LockedAuditLog::open(folder.path);
  REQUIRE(log);
  for (std::uint32_t i = 1; i <= entries; ++i) REQUIRE(log->append(deployment(i)));
}

AuditLog reread(const Folder& folder) {
  auto log = read_audit_log(folder.path);
  REQUIRE(log);
  return std::move(*log);
}

}  // namespace

TEST_CASE("an entry of the audit log comes back as it was written, and holds the hash of the one before") {
  const Folder folder;
  fill(folder, 3);
  const AuditLog log = reread(folder);
  REQUIRE(log.entries.size() == 3);
  CHECK_FALSE(log.altered);
  CHECK(log.entries[0].previous == Digest{});
  for (std::size_t i = 0; i < 3; ++i) {
    Entry expected = deployment(static_cast<std::uint32_t>(i + 1));
    const Entry& found = log.entries[i];
    expected.number = i + 1, expected.at = found.at, expected.hash = found.hash;
    if (i) expected.previous = log.entries[i - 1].hash;
    CHECK(found == expected);
  }
}

TEST_CASE("the hash of a line is the SHA-256 of what stands before it") {
  const Folder folder;
  fill(folder, 1);
  const std::string text = read(folder.log());
  const std::size_t at = text.find(",\"hash\":\"");
  REQUIRE(at != std::string::npos);
  CHECK(text.substr(at + 9, 64) == sha256(text.substr(0, at)).hex());
}

TEST_CASE("any byte of the audit log that is another is found in its line") {
  const Folder folder;
  fill(folder, 3);
  const std::string whole = read(folder.log());
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    std::string text = whole;
    text[i] = text[i] == 'x' ? 'y' : 'x';
    write(folder.log(), text);
    const AuditLog log = reread(folder);
    REQUIRE(log.altered);
    CHECK(log.altered->line == 1 + static_cast<std::uint64_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i), '\n')));
    CHECK_FALSE(LockedAuditLog::open(folder.path));
    CHECK_FALSE(current(folder.path, "w.api"));
  }
}

TEST_CASE("a line that is left out, put twice, swapped or cut off the end is found") {
  const Folder folder;
  fill(folder, 3);
  std::vector<std::string> lines;
  std::istringstream in(read(folder.log()));
  for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
  REQUIRE(lines.size() == 3);
  const auto altered_line = [&](const std::string& text) {
    write(folder.log(), text);
    const AuditLog log = reread(folder);
    return log.altered ? log.altered->line : 0;
  };
  CHECK(altered_line(lines[0] + lines[1] + lines[2]) == 0);
  CHECK(altered_line(lines[1] + lines[2]) == 1);
  CHECK(altered_line(lines[0] + lines[2]) == 2);
  CHECK(altered_line(lines[0] + lines[0] + lines[1] + lines[2]) == 2);
  CHECK(altered_line(lines[0] + lines[2] + lines[1]) == 2);
  CHECK(altered_line(lines[0] + lines[1]) == 3);
  CHECK(altered_line("") == 1);
  std::filesystem::remove(folder.log());
  CHECK(reread(folder).altered);
}

TEST_CASE("a log made anew with fitting hashes is told by the head") {
  const Folder one, other;
  fill(one, 2);
  auto log = LockedAuditLog::open(other.path);
  REQUIRE(log);
  REQUIRE(log->append(deployment(7)));
  REQUIRE(log->append(deployment(8)));
  write(one.log(), read(other.log()));
  CHECK(reread(one).altered);
}

TEST_CASE("a last line that was torn by a kill is no entry, and the next writer takes its place") {
  const Folder folder;
  fill(folder, 2);
  const std::string whole = read(folder.log());
  const std::size_t second = whole.find('\n') + 1;
  for (std::size_t keep = 1; keep < whole.size() - second; keep += 11) {
    const Folder torn;
    // The head names the line before: it is written after its entry.
    fill(torn, 1);
    write(torn.log(), read(torn.log()) + whole.substr(second, keep));
    CHECK(reread(torn).entries.size() == 1);
    CHECK(reread(torn).torn_bytes == keep);
    CHECK_FALSE(reread(torn).altered);
    auto log = LockedAuditLog::open(torn.path);
    REQUIRE(log);
    REQUIRE(log->append(deployment(9)));
    CHECK(reread(torn).entries.size() == 2);
    CHECK(reread(torn).torn_bytes == 0);
    CHECK(current(torn.path, "api")->version == 9);
  }
}

TEST_CASE("writers at the same time lose no entry") {
  const Folder folder;
  std::vector<std::thread> writers;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        auto log = LockedAuditLog::open(folder.path);
        if (!log || !log->append(deployment(1))) ++failures;
      }
    });
  for (std::thread& writer : writers) writer.join();
  CHECK(failures == 0);
  CHECK(reread(folder).entries.size() == 40);
  CHECK_FALSE(reread(folder).altered);
}

TEST_CASE("rolling back takes the version before, and the one before that") {
  std::vector<Entry> entries{deployment(1), deployment(2), deployment(3), deployment(2)};
  entries[3].event = Event::rolled_back;
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].number = i + 1;
  const auto states = replay(entries);
  REQUIRE(states.at("w.api").versions.size() == 2);
  CHECK(states.at("w.api").versions.back().version == 2);
  CHECK(states.at("w.api").versions.back().entry == 4);
  entries.push_back(deployment(1));
  entries.back().event = Event::rolled_back;
  CHECK(replay(entries).at("w.api").versions.size() == 1);
}

TEST_CASE("a deployment is found by its last name unless two have it") {
  const Folder folder;
  auto log = LockedAuditLog::open(folder.path);
  REQUIRE(log);
  REQUIRE(log->append(deployment(4, "w.api")));
  CHECK(current(folder.path, "api")->version == 4);
  CHECK(current(folder.path, "pi").error().code == diag::Code::E0908);
  const Generation before = generation(folder.path);
  CHECK(before == generation(folder.path));
  REQUIRE(log->append(deployment(5, "v.api")));
  CHECK_FALSE(before == generation(folder.path));
  CHECK(current(folder.path, "api").error().code == diag::Code::E0908);
  CHECK(current(folder.path, "v.api")->version == 5);
}

TEST_CASE("the store knows the hash of a token and not the token, and a scope with a name is for that name alone") {
  const Folder folder;
  const Identity user{"ann", false, {}};
  auto made = create_token(folder.path, {"approve:risk", "read"}, "bob", user);
  REQUIRE(made);
  CHECK(read(folder.log()).find(made->token) == std::string::npos);
  auto bob = identify(folder.path, made->token);
  REQUIRE(bob);
  CHECK(bob->name == "bob");
  CHECK(may(*bob, "approve", {"risk"}));
  CHECK_FALSE(may(*bob, "approve", {"crm"}));
  CHECK_FALSE(may(*bob, "approve"));
  CHECK_FALSE(may(*bob, "deploy"));
  CHECK_FALSE(may(user, "approve"));
  CHECK(may(user, "deploy"));
  CHECK(may(Identity{"root", true, {"admin"}}, "deploy"));
  CHECK_FALSE(may(Identity{"root", true, {"admin"}}, "approve", {"risk"}));
  CHECK(identify(folder.path, made->token + "0").error().code == diag::Code::E0608);
  CHECK(create_token(folder.path, {"admin"}, "eve", *bob).error().code == diag::Code::E0608);
  CHECK(create_token(folder.path, {"everything"}, "bob", user).error().code == diag::Code::E0208);
  CHECK(create_token(folder.path, {"read"}, "a\nb", user).error().code == diag::Code::E0303);
}

TEST_CASE("whichever call to the disk fails, an entry is there when its writer was told so and not when it was not") {
  int failed = 0, calls = 0;
  for (std::uint64_t n = 1;; ++n) {
    const Folder folder;
    fill(folder, 1);
    store::FailingDisk disk(n);
    bool told = false;
    {
      auto log = LockedAuditLog::open(folder.path, disk);
      if (log) told = log->append(deployment(2)).has_value();
    }
    const bool reached = disk.has_failed();
    const AuditLog log = reread(folder);
    CHECK_FALSE(log.altered);
    CHECK(log.entries.size() == (told ? 2u : 1u));
    failed += !told;
    fill(folder, 1);
    CHECK(reread(folder).entries.size() == (told ? 3u : 2u));
    if (!reached) break;
    ++calls;
  }
  CHECK(failed >= 3);
  CHECK(calls > failed);
}

TEST_CASE("after a power cut at any time the log is unaltered and holds every entry whose writer was told so") {
  std::mt19937_64 random(5);
  for (int turn = 0; turn < 30; ++turn) {
    const Folder folder;
    const std::string store = folder.path + "/store";
    store::LoggingDisk disk(folder.path);
    std::vector<std::size_t> told;  // calls after which that many entries stand
    for (std::uint32_t i = 1; i <= 3; ++i) {
      auto log = LockedAuditLog::open(store, disk);
      REQUIRE(log);
      REQUIRE(log->append(deployment(i)));
      told.push_back(disk.calls());
    }
    for (std::size_t cut = 0; cut <= disk.calls(); ++cut) {
      const Folder image;
      disk.image(cut, random, image.path);
      auto log = read_audit_log(image.path + "/store");
      REQUIRE(log);
      if (log->altered) FAIL("cut after call " << cut << ": line " << log->altered->line << ": " << log->altered->what);
      CHECK(log->entries.size() >= static_cast<std::size_t>(std::count_if(told.begin(), told.end(), [&](std::size_t t) { return t <= cut; })));
    }
  }
}
