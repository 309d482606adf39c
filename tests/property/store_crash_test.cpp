#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "runtime/store/store.h"
#include "tests/property/store_disks.h"

namespace fs = std::filesystem;
using namespace mlp;
using namespace mlp::store;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "mlp-crash-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string store() const { return (path / ".mlp").string(); }
};

/// The full count in a soak, a twentieth otherwise.
std::uint64_t rounds(std::uint64_t full) { return std::getenv("MLP_SOAK") != nullptr ? full : full / 20; }

std::uint64_t seed() {
  const char* given = std::getenv("MLP_SEED");
  const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10)
                                               : static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  WARN("MLP_SEED=" << value);
  return value;
}

Digest key(std::uint64_t round, std::uint64_t i) { return Hasher("crash/1").add(round).add(i).finish(); }

/// Mostly small, now and then larger than a pack takes; the same for the same numbers.
std::string object(std::uint64_t round, std::uint64_t i) {
  std::mt19937_64 random(round * 1'000'003 + i);
  const std::size_t size = random() % 400 == 0 ? (4 << 20) + random() % 1000 : random() % 6000;
  std::string bytes(size, static_cast<char>('a' + random() % 26));
  for (std::size_t at = 0; at < bytes.size(); at += 64) bytes[at] = static_cast<char>(random());
  return bytes;
}

/// Every entry that was promised is there, and whatever is there is right.
void check_entries(Store& store, std::uint64_t round, std::uint64_t promised, std::uint64_t attempted) {
  for (std::uint64_t i = 0; i < attempted; ++i) {
    const auto entry = store.find(key(round, i));
    if (i < promised) REQUIRE(entry.has_value());
    if (!entry) continue;
    REQUIRE(entry->outputs.size() == 1);
    REQUIRE(entry->outputs[0] == sha256(object(round, i)));
    REQUIRE(store.get(entry->outputs[0]).has_value());
  }
}

bool put_and_stage(Store& store, std::uint64_t round, std::uint64_t i) {
  const auto digest = store.put(object(round, i));
  if (!digest) return false;
  store.stage(key(round, i), {{*digest}, "step"});
  return true;
}

/// Puts and commits until it is killed; says on the pipe how many entries are committed.
[[noreturn]] void work_until_killed(const std::string& directory, std::uint64_t round, int pipe) {
  auto store = Store::open(directory, Mode::read_write);
  if (!store) _exit(1);
  std::mt19937_64 random(round);
  for (std::uint64_t i = 0;; ++i) {
    if (!put_and_stage(*store, round, i)) _exit(2);
    if (random() % 5 != 0) continue;
    if (!store->commit()) _exit(3);
    const std::uint64_t committed = i + 1;
    if (::write(pipe, &committed, sizeof committed) != sizeof committed) _exit(4);
  }
}

}  // namespace

TEST_CASE("kill -9 at any moment loses nothing that was committed") {
  std::mt19937_64 random(seed());
  const std::uint64_t kills = rounds(10'000);
  auto folder = std::make_unique<Folder>();
  std::map<std::uint64_t, std::uint64_t> promised;
  std::uint64_t commits = 0;
  for (std::uint64_t round = 0; round < kills; ++round) {
    if (round % 20 == 19) {
      folder = std::make_unique<Folder>();
      promised.clear();
    }
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe[0]);
      work_until_killed(folder->store(), round, pipe[1]);
    }
    ::close(pipe[1]);
    ::usleep(static_cast<useconds_t>(random() % 12'000));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::uint64_t committed = 0;
    promised[round] = 0;
    while (::read(pipe[0], &committed, sizeof committed) == sizeof committed) {
      promised[round] = committed;
      ++commits;
    }
    ::close(pipe[0]);

    auto store = Store::open(folder->store(), Mode::read_only);
    REQUIRE(store.has_value());
    const auto report = store->verify();
    REQUIRE(report.has_value());
    REQUIRE(report->damaged_objects.empty());
    REQUIRE(report->broken_entries.empty());
    REQUIRE(report->damaged_manifest_bytes == 0);
    // `verify` has hashed all objects; that the older rounds' entries are named still is enough.
    for (const auto& [earlier, count] : promised)
      for (std::uint64_t i = 0; earlier != round && i < count; ++i) REQUIRE(store->find(key(earlier, i)).has_value());
    check_entries(*store, round, promised[round], promised[round] + 10);
    REQUIRE(store->take_warnings().empty());
  }
  WARN(kills << " kills, " << commits << " commits, nothing lost");
  CHECK(commits > 0);
}

TEST_CASE("a power cut leaves a store that opens and has all that was committed") {
  std::mt19937_64 random(seed());
  const std::uint64_t images = rounds(1'000);
  std::uint64_t done = 0;
  for (std::uint64_t round = 0; done < images; ++round) {
    const Folder folder;
    LoggingDisk disk(folder.path.string());
    std::vector<std::pair<std::size_t, std::uint64_t>> commits;  // calls made, entries committed
    std::uint64_t staged = 0;
    for (int session = 0; session < 3; ++session) {
      auto store = Store::open(folder.store(), Mode::read_write, &disk);
      REQUIRE(store.has_value());
      for (int batch = 0; batch < 4; ++batch) {
        for (std::uint64_t n = 1 + random() % 20; n > 0; --n) REQUIRE(put_and_stage(*store, round, staged++));
        if (session == 1 && batch == 3) {
          // Left uncommitted: the next writer uses its room. Its entries are made again below.
          continue;
        }
        REQUIRE(store->commit().has_value());
        commits.emplace_back(disk.calls(), staged);
      }
      if (session == 1) staged = commits.back().second;
    }
    for (int i = 0; i < 10 && done < images; ++i, ++done) {
      const Folder image;
      const std::size_t cut = random() % (disk.calls() + 1);
      disk.image(cut, random, image.path.string());
      std::uint64_t promised = 0;
      for (const auto& [calls, entries] : commits)
        if (calls <= cut) promised = entries;
      INFO("round " << round << ", power cut after call " << cut << " of " << disk.calls());
      {
        auto store = Store::open(image.store(), Mode::read_only);
        REQUIRE(store.has_value());
        const auto report = store->verify();
        REQUIRE(report->clean());
        check_entries(*store, round, promised, staged);
      }
      auto store = Store::open(image.store(), Mode::read_write);
      REQUIRE(store.has_value());
      for (std::uint64_t n = 0; n < staged; ++n) REQUIRE(put_and_stage(*store, round, n));
      REQUIRE(store->commit().has_value());
      REQUIRE(store->verify()->clean());
      check_entries(*store, round, staged, staged);
      REQUIRE(Store::open(image.store(), Mode::read_only)->verify()->clean());
    }
  }
}

TEST_CASE("whichever call to the disk fails, the failure is told and the next run goes on") {
  for (const std::uint64_t part : {0, 1}) {  // on a new store, and on one with a torn manifest
    std::uint64_t fail_at = 1;
    for (;; ++fail_at) {
      INFO("the " << fail_at << "th call fails, part " << part);
      const Folder folder;
      std::uint64_t promised = 0;
      if (part == 1) {
        auto store = Store::open(folder.store(), Mode::read_write);
        for (; promised < 5; ++promised) REQUIRE(put_and_stage(*store, 7, promised));
        REQUIRE(store->commit().has_value());
        std::ofstream(folder.store() + "/manifest", std::ios::binary | std::ios::app) << "torn";
      }
      FailingDisk disk(fail_at);
      std::uint64_t failures = 0;
      const auto told = [&](const diag::Diagnostic& why) {
        ++failures;
        REQUIRE(diag::exit_status(why.code) == 5);
        REQUIRE_FALSE(why.message.empty());
        REQUIRE_FALSE(why.help.empty());
      };
      {
        auto store = Store::open(folder.store(), Mode::read_write, &disk);
        REQUIRE(store.has_value());
        const std::string large(5 << 20, 'L');
        std::uint64_t staged = promised;
        for (int batch = 0; batch < 4; ++batch) {
          if (batch == 2)
            if (const auto put = store->put(large); !put) told(put.error());
          bool whole = true;
          for (int n = 0; n < 5; ++n) {
            const auto digest = store->put(object(7, staged));
            if (!digest) {
              told(digest.error());
              whole = false;
              break;
            }
            store->stage(key(7, staged), {{*digest}, "step"});
            ++staged;
          }
          const auto committed = store->commit();
          if (!committed) told(committed.error());
          else if (whole || staged > promised) promised = staged;
        }
        // Whatever can be read must be right, also after the failure.
        check_entries(*store, 7, 0, staged);
      }
      auto store = Store::open(folder.store(), Mode::read_write);
      REQUIRE(store.has_value());
      REQUIRE(store->verify()->damaged_objects.empty());
      REQUIRE(store->verify()->broken_entries.empty());
      check_entries(*store, 7, promised, 40);
      for (std::uint64_t i = 0; i < 30; ++i) REQUIRE(put_and_stage(*store, 7, i));
      REQUIRE(store->commit().has_value());
      REQUIRE(store->verify()->clean());
      check_entries(*store, 7, 30, 30);
      if (!disk.has_failed()) {
        REQUIRE(failures == 0);
        break;
      }
    }
    CHECK(fail_at > 20);
  }
}
