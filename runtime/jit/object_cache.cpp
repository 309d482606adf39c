#include "runtime/jit/object_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace mlp::jit {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace

std::optional<std::string> ObjectCache::load(const Digest& key) const {
  if (directory_.empty()) return std::nullopt;
  const File file(std::fopen(path_of(key).c_str(), "rb"));
  if (!file) return std::nullopt;
  Digest expected;
  if (std::fread(expected.bytes.data(), 1, expected.bytes.size(), file.get()) != expected.bytes.size()) return std::nullopt;
  std::string object;
  char block[1 << 14];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file.get())) object.append(block, count);
  if (sha256(object) != expected) return std::nullopt;
  return object;
}

void ObjectCache::save(const Digest& key, std::string_view object) const {
  if (directory_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  // Threads compile one at a time per compiler, so process and address tell writers apart.
  const std::string draft = fmt::format("{}.{}.{:x}", path_of(key), ::getpid(), reinterpret_cast<std::uintptr_t>(this));
  {
    const File file(std::fopen(draft.c_str(), "wb"));
    if (!file) return;
    const Digest digest = sha256(object);
    const bool whole = std::fwrite(digest.bytes.data(), 1, digest.bytes.size(), file.get()) == digest.bytes.size() &&
                       std::fwrite(object.data(), 1, object.size(), file.get()) == object.size() && std::fflush(file.get()) == 0;
    if (!whole) {
      std::filesystem::remove(draft, error);
      return;
    }
  }
  std::filesystem::rename(draft, path_of(key), error);
  if (error) std::filesystem::remove(draft, error);
}

}  // namespace mlp::jit
