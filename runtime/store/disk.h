#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mlp::store {

/// What the system says of a file.
struct DiskStat {
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  bool is_directory = false;
};

/// A value, or an errno.
template <class T>
using DiskResult = std::expected<T, int>;

/// The calls that change or sync files, one virtual function each, so that tests can make the Nth of them fail or replay a power
/// cut. Calls are whole: a short write goes on until all is written or an errno stands.
class Disk {
 public:
  enum class Open { read, write, create_new };  ///< write: existing or created, for reading too

  virtual ~Disk() = default;
  virtual DiskResult<int> open(const std::string& path, Open how) = 0;
  virtual void close(int file) = 0;
  /// Bytes read; fewer than `size` only at the end of the file.
  virtual DiskResult<std::size_t> read_at(int file, void* into, std::size_t size, std::uint64_t offset) = 0;
  virtual DiskResult<void> write_at(int file, std::string_view bytes, std::uint64_t offset) = 0;
  virtual DiskResult<void> truncate(int file, std::uint64_t size) = 0;
  /// The file's data reach the disk.
  virtual DiskResult<void> sync(int file) = 0;
  /// The directory's names reach the disk.
  virtual DiskResult<void> sync_directory(const std::string& path) = 0;
  virtual DiskResult<void> rename(const std::string& from, const std::string& to) = 0;
  virtual DiskResult<void> remove(const std::string& path) = 0;
  virtual DiskResult<void> make_directory(const std::string& path) = 0;  ///< one level; an existing one is fine
  virtual DiskResult<DiskStat> stat(const std::string& path) = 0;
  virtual DiskResult<DiskStat> stat(int file) = 0;
  /// Exclusive advisory lock, held until `unlock` or `close`. Without `wait`, EWOULDBLOCK when another process has it.
  virtual DiskResult<void> lock(int file, bool wait) = 0;
  virtual void unlock(int file) = 0;
  /// Names in the directory, sorted, without "." and "..".
  virtual DiskResult<std::vector<std::string>> list(const std::string& path) = 0;
};

/// The real thing; it has no state.
Disk& system_disk();

}  // namespace mlp::store
