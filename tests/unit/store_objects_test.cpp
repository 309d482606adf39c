#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <thread>

#include "runtime/store/store.h"

namespace fs = std::filesystem;
using namespace mlp;
using namespace mlp::store;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "mlp-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path, fs::perms::owner_all, ignored);
    fs::remove_all(path, ignored);
  }
  std::string store() const { return (path / ".mlp").string(); }
};

Store open_store(const Folder& folder, Mode mode = Mode::read_write) {
  auto store = Store::open(folder.store(), mode);
  REQUIRE(store.has_value());
  return *std::move(store);
}

Digest put(Store& store, std::string bytes) {
  auto digest = store.put(std::move(bytes));
  REQUIRE(digest.has_value());
  return *digest;
}

Digest key(int i) { return Hasher("test/1").add(i).finish(); }

fs::path only_pack(const Folder& folder) {
  fs::path pack;
  for (const auto& file : fs::directory_iterator(fs::path(folder.store()) / "packs")) {
    REQUIRE(pack.empty());
    pack = file.path();
  }
  return pack;
}

/// Changes one byte of the first place in the file where `text` stands.
void damage(const fs::path& path, const std::string& text) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::size_t at = bytes.find(text);
  REQUIRE(at != std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(text[0] ^ 1));
}

std::vector<std::string> listing(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& file : fs::recursive_directory_iterator(path))
    names.push_back(file.path().string() + " " + (file.is_regular_file() ? std::to_string(file.file_size()) : "/"));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("an object comes back by the digest of its bytes, before and after the commit") {
  const Folder folder;
  const std::string large(5 << 20, 'x');
  Digest small_digest, empty_digest, large_digest;
  {
    Store store = open_store(folder);
    small_digest = put(store, "some bytes");
    empty_digest = put(store, "");
    large_digest = put(store, large);
    CHECK(small_digest == sha256("some bytes"));
    CHECK(*store.get(small_digest) == "some bytes");
    CHECK(store.get(empty_digest)->empty());
    CHECK(*store.get(large_digest) == large);
    auto report = store.commit();
    REQUIRE(report.has_value());
    CHECK(report->objects == 3);
    CHECK(*store.get(small_digest) == "some bytes");
    CHECK(store.commit()->objects == 0);
    put(store, "some bytes");
    CHECK(store.commit()->objects == 0);
  }
  Store store = open_store(folder, Mode::read_only);
  CHECK(*store.get(small_digest) == "some bytes");
  CHECK(store.get(empty_digest)->empty());
  CHECK(*store.get(large_digest) == large);
  CHECK(store.size_of(large_digest) == large.size());
  CHECK_FALSE(store.has(sha256("never put")));
  CHECK(store.get(sha256("never put")).error().code == diag::Code::E0908);
  auto report = store.verify();
  REQUIRE(report.has_value());
  CHECK(report->clean());
  CHECK(report->objects == 3);
  CHECK(report->uncommitted_bytes == 0);
  auto stats = store.stats();
  CHECK(stats->packed_objects == 2);
  CHECK(stats->large_objects == 1);
  CHECK(stats->packs == 1);
}

TEST_CASE("what was not committed is not there for others, and its room is used again") {
  const Folder folder;
  {
    Store store = open_store(folder);
    put(store, "kept");
    REQUIRE(store.commit().has_value());
  }
  const auto size = fs::file_size(only_pack(folder));
  {
    Store store = open_store(folder);
    for (int i = 0; i < 40; ++i) put(store, std::string(100'000, static_cast<char>('a' + i)));
    CHECK_FALSE(open_store(folder, Mode::read_only).has(sha256(std::string(100'000, 'a'))));
  }
  CHECK(fs::file_size(only_pack(folder)) > size);
  Store store = open_store(folder);
  CHECK_FALSE(store.has(sha256(std::string(100'000, 'a'))));
  put(store, "more");
  REQUIRE(store.commit().has_value());
  CHECK(fs::file_size(only_pack(folder)) < size + 200);
  CHECK(*store.get(sha256("kept")) == "kept");
  CHECK(store.verify()->uncommitted_bytes == 0);
}

TEST_CASE("an entry gives the outputs of its key, and other outputs for the same key are told") {
  const Folder folder;
  Store store = open_store(folder);
  const Digest a = put(store, "a"), b = put(store, "b");
  CHECK_FALSE(store.find(key(1)).has_value());
  CHECK(store.stage(key(1), {{a, b}, "{\"rows\":2}"}).status == StageStatus::added);
  CHECK(store.find(key(1)) == Entry{{a, b}, "{\"rows\":2}"});
  CHECK(store.stage(key(1), {{a, b}, "later"}).status == StageStatus::same);
  REQUIRE(store.commit().has_value());
  CHECK(store.find(key(1)) == Entry{{a, b}, "{\"rows\":2}"});
  const StageOutcome outcome = store.stage(key(1), {{b, a}, ""});
  CHECK(outcome.status == StageStatus::differs);
  CHECK(outcome.earlier == std::vector{a, b});
  CHECK(store.find(key(1))->outputs == std::vector{a, b});
  CHECK(store.stage(key(2), {}).status == StageStatus::added);
  REQUIRE(store.commit().has_value());
  Store again = open_store(folder, Mode::read_only);
  CHECK(again.find(key(1))->outputs == std::vector{a, b});
  CHECK(again.find(key(2)) == Entry{});
}

TEST_CASE("a damaged object is set aside, said, and made anew") {
  const Folder folder;
  const std::string bytes = "bytes that will be damaged", large(5 << 20, 'L');
  {
    Store store = open_store(folder);
    store.stage(key(1), {{put(store, bytes)}, ""});
    store.stage(key(2), {{put(store, "sound bytes")}, ""});
    store.stage(key(3), {{put(store, large)}, ""});
    REQUIRE(store.commit().has_value());
  }
  damage(only_pack(folder), bytes);
  damage(fs::path(folder.store()) / "objects" / sha256(large).hex().substr(0, 2) / sha256(large).hex(), large);
  {
    Store store = open_store(folder, Mode::read_only);
    auto report = store.verify();
    CHECK(report->damaged_objects.size() == 2);
    CHECK(report->broken_entries.size() == 2);
    const auto before = listing(folder.path);
    CHECK(store.get(sha256(bytes)).error().code == diag::Code::E0903);
    CHECK(listing(folder.path) == before);
  }
  {
    Store store = open_store(folder);
    CHECK(store.find(key(1)).has_value());
    CHECK(store.get(sha256(bytes)).error().code == diag::Code::E0903);
    CHECK(store.get(sha256(large)).error().code == diag::Code::E0903);
    CHECK_FALSE(store.find(key(1)).has_value());
    CHECK_FALSE(store.find(key(3)).has_value());
    CHECK(store.find(key(2)).has_value());
    // Another step that wants it too has to see that it is damaged: a run begins again then, which E0908 would end.
    CHECK(store.get(sha256(bytes)).error().code == diag::Code::E0903);
    CHECK(store.get(sha256(large)).error().code == diag::Code::E0903);
    const auto warnings = store.take_warnings();
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0].code == diag::Code::W0902);
    CHECK(store.take_warnings().empty());
    REQUIRE(store.commit().has_value());
    CHECK(store.get(sha256(bytes)).error().code == diag::Code::E0903);
  }
  {
    Store store = open_store(folder);
    CHECK_FALSE(store.find(key(1)).has_value());
    CHECK(store.verify()->clean());
    CHECK(store.stats()->set_aside == 2);
    put(store, bytes);
    put(store, large);
    CHECK(store.stage(key(1), {{sha256(bytes)}, ""}).status == StageStatus::same);
    REQUIRE(store.commit().has_value());
  }
  Store store = open_store(folder, Mode::read_only);
  CHECK(store.find(key(1)).has_value());
  CHECK(*store.get(sha256(bytes)) == bytes);
  CHECK(*store.get(sha256(large)) == large);
  CHECK(store.verify()->clean());
}

TEST_CASE("an object whose file is gone is absent, and so is what names it") {
  const Folder folder;
  {
    Store store = open_store(folder);
    store.stage(key(1), {{put(store, "packed")}, ""});
    REQUIRE(store.commit().has_value());
  }
  fs::remove(only_pack(folder));
  Store store = open_store(folder);
  CHECK_FALSE(store.has(sha256("packed")));
  CHECK_FALSE(store.find(key(1)).has_value());
  CHECK(store.verify()->broken_entries.size() == 1);
  put(store, "packed");
  CHECK(store.stage(key(1), {{sha256("packed")}, ""}).status == StageStatus::same);
  REQUIRE(store.commit().has_value());
  CHECK(open_store(folder, Mode::read_only).find(key(1)).has_value());
  CHECK(store.verify()->clean());
}

TEST_CASE("a store that is only read is not written, also when it does not exist") {
  const Folder folder;
  {
    Store store = open_store(folder, Mode::read_only);
    CHECK_FALSE(store.has(sha256("a")));
    CHECK_FALSE(store.find(key(1)).has_value());
    CHECK(store.verify()->clean());
    CHECK(store.stats()->packs == 0);
    CHECK(store.refresh().has_value());
  }
  CHECK(fs::is_empty(folder.path));
  {
    Store store = open_store(folder);
    CHECK(fs::is_empty(folder.path));
    put(store, "a");
    REQUIRE(store.commit().has_value());
  }
  const auto before = listing(folder.path);
  fs::permissions(folder.store(), fs::perms::owner_read | fs::perms::owner_exec);
  {
    Store store = open_store(folder, Mode::read_only);
    CHECK(*store.get(sha256("a")) == "a");
    CHECK(store.verify()->clean());
  }
  fs::permissions(folder.store(), fs::perms::owner_all);
  CHECK(listing(folder.path) == before);
}

TEST_CASE("two stores of one directory see each other's commits after a refresh") {
  const Folder folder;
  Store first = open_store(folder), second = open_store(folder);
  first.stage(key(1), {{put(first, "one")}, ""});
  second.stage(key(2), {{put(second, "two")}, ""});
  second.stage(key(1), {{put(second, "other")}, ""});
  REQUIRE(first.commit().has_value());
  CHECK_FALSE(second.has(sha256("one")));
  const auto report = second.commit();
  REQUIRE(report.has_value());
  CHECK(report->conflicting_keys == std::vector{key(1)});
  CHECK(second.find(key(1))->outputs == std::vector{sha256("one")});
  CHECK(*second.get(sha256("one")) == "one");
  CHECK_FALSE(first.has(sha256("two")));
  REQUIRE(first.refresh().has_value());
  CHECK(*first.get(sha256("two")) == "two");
  CHECK(first.stats()->packs == 2);
  CHECK(first.verify()->clean());
}

TEST_CASE("threads put, get, stage and commit beside each other") {
  const Folder folder;
  Store store = open_store(folder);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string bytes = "object " + std::to_string(i % 2 == 0 ? i : i * 10 + t) + std::string(i * 7, '.');
        const auto digest = store.put(bytes);
        if (!digest || *store.get(*digest) != bytes) ++wrong;
        store.stage(key(t * 1000 + i), {{*digest}, ""});
        if (i % 50 == t && !store.commit()) ++wrong;
        if (!store.find(key(t * 1000 + i))) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  REQUIRE(store.commit().has_value());
  Store again = open_store(folder, Mode::read_only);
  for (int t = 0; t < 4; ++t)
    for (int i = 0; i < 300; ++i) CHECK(again.find(key(t * 1000 + i)).has_value());
  const auto report = again.verify();
  CHECK(report->clean());
  CHECK(report->entries == 1200);
  CHECK(report->uncommitted_bytes == 0);
}

TEST_CASE("a source's stamp proves nothing when the file was written within two seconds of its recording") {
  const std::int64_t second = 1'000'000'000;
  const FileStamp stamp{10, 100 * second, 100 * second, 7, 1};
  CHECK(is_racy(stamp, 101 * second));
  CHECK(is_racy(stamp, 99 * second));
  CHECK_FALSE(is_racy(stamp, 102 * second));
  CHECK(is_unchanged({stamp, 102 * second, ""}, stamp));
  FileStamp other = stamp;
  other.inode = 8;
  CHECK_FALSE(is_unchanged({stamp, 102 * second, ""}, other));

  const Folder folder;
  {
    Store store = open_store(folder);
    store.put_stamp("data/a.csv", {stamp, 101 * second, "first"});
    CHECK(store.find_stamp("data/a.csv")->bytes == "first");
    REQUIRE(store.commit().has_value());
    store.put_stamp("data/a.csv", {stamp, 110 * second, "second"});
    store.put_stamp("data/b.csv", {other, 110 * second, std::string("\0\n", 2)});
    REQUIRE(store.commit().has_value());
  }
  Store store = open_store(folder);
  CHECK(store.find_stamp("data/a.csv") == SourceStamp{stamp, 110 * second, "second"});
  CHECK(store.find_stamp("data/b.csv")->bytes == std::string("\0\n", 2));
  CHECK_FALSE(store.find_stamp("data/c.csv").has_value());
  CHECK(store.stats()->source_stamps == 2);
  const auto size = store.stats()->manifest_bytes;
  store.put_stamp("data/a.csv", {stamp, 120 * second, "second"});
  REQUIRE(store.commit().has_value());
  CHECK(store.stats()->manifest_bytes == size);
}
