#include "runtime/store/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace mlp::store {

namespace {

std::unexpected<int> last_error() { return std::unexpected(errno); }

DiskStat convert(const struct stat& s) {
  DiskStat result;
  result.size = static_cast<std::uint64_t>(s.st_size);
  result.inode = s.st_ino;
  result.device = s.st_dev;
  result.is_directory = S_ISDIR(s.st_mode);
  return result;
}

class SystemDisk final : public Disk {
 public:
  DiskResult<int> open(const std::string& path, Open how) override {
    const int flags = how == Open::read    ? O_RDONLY
                      : how == Open::write ? O_RDWR | O_CREAT
                                           : O_RDWR | O_CREAT | O_EXCL;
    for (;;) {
      const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
      if (file >= 0) return file;
      if (errno != EINTR) return last_error();
    }
  }

  void close(int file) override { ::close(file); }

  DiskResult<std::size_t> read_at(int file, void* into, std::size_t size, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(file, static_cast<char*>(into) + done, size - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n > 0) done += static_cast<std::size_t>(n);
      else if (errno != EINTR) return last_error();
    }
    return done;
  }

  DiskResult<void> write_at(int file, std::string_view bytes, std::uint64_t offset) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return last_error();
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  DiskResult<void> truncate(int file, std::uint64_t size) override {
    while (::ftruncate(file, static_cast<off_t>(size)) != 0)
      if (errno != EINTR) return last_error();
    return {};
  }

  DiskResult<void> sync(int file) override {
    // fdatasync writes the size too when data beyond the old end depend on it.
    while (::fdatasync(file) != 0)
      if (errno != EINTR) return last_error();
    return {};
  }

  DiskResult<void> sync_directory(const std::string& path) override {
    const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return last_error();
    const int status = ::fsync(file);
    const int error = errno;
    ::close(file);
    // Some file systems cannot sync a directory and say so; their names are durable by other means.
    if (status != 0 && error != EINVAL) return std::unexpected(error);
    return {};
  }

  DiskResult<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return last_error();
    return {};
  }

  DiskResult<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return last_error();
    return {};
  }

  DiskResult<void> make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0777) == 0) return {};
    const int error = errno;
    if (error == EEXIST)
      if (const auto s = stat(path); s && s->is_directory) return {};
    return std::unexpected(error);
  }

  DiskResult<DiskStat> stat(const std::string& path) override {
    struct stat s;
    if (::stat(path.c_str(), &s) != 0) return last_error();
    return convert(s);
  }

  DiskResult<DiskStat> stat(int file) override {
    struct stat s;
    if (::fstat(file, &s) != 0) return last_error();
    return convert(s);
  }

  DiskResult<void> lock(int file, bool wait) override {
    while (::flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0)
      if (errno != EINTR) return last_error();
    return {};
  }

  void unlock(int file) override { ::flock(file, LOCK_UN); }

  DiskResult<std::vector<std::string>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return last_error();
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

}  // namespace mlp::store
