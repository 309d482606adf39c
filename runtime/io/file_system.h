#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"

namespace mlp::io {

/// Identity of a file at one moment, as stat(2) gives it.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// A file open for reading. Reads from several threads do not disturb each other.
class File {
 public:
  virtual ~File() = default;
  /// Of the open file, now; its name may belong to another file meanwhile.
  virtual Result<FileStamp> stamp() = 0;
  /// Of what read_at gives.
  virtual Result<std::uint64_t> size() {
    MLP_TRY(const FileStamp now, stamp());
    return now.size;
  }
  /// Fills `into` from byte `offset`; less than asked for only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
};

/// A file without a name that is gone with the process: for what is too large for memory.
class ScratchFile : public File {
 public:
  virtual Result<void> append(std::string_view bytes) = 0;
};

/// A file's bytes in memory, read-only, while the object lives. The file must not be cut shorter meanwhile (a read past its end
/// ends the process), so this is for files of our own; data of others is read with File.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::string_view bytes() const = 0;
};

/// The files of the machine. Failures are E0901 (opening, reading) and E0904 (writing); their message names the path and the
/// reason in words. Thread-safe. An interface, so that tests can make every call fail in turn.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<FileStamp> stat(const std::string& path) = 0;
  virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  virtual Result<std::unique_ptr<MappedFile>> map(const std::string& path) = 0;
  /// The files (no folders) that the pattern with `*`, `?` and `[…]` names, sorted by bytes. A pattern that is the path of a
  /// file names that file. No file at all is a failure.
  virtual Result<std::vector<std::string>> list(const std::string& pattern) = 0;
  /// The names in a folder, without `.` and `..`, sorted by bytes.
  virtual Result<std::vector<std::string>> entries(const std::string& folder) = 0;
  /// The file has either its old bytes or these, also after a power failure: temporary file, fsync, rename, fsync of the folder.
  virtual Result<void> write_atomically(const std::string& path, std::string_view bytes) = 0;
  /// In a folder; empty: the system's for temporary files.
  virtual Result<std::unique_ptr<ScratchFile>> scratch(const std::string& folder) = 0;
  /// Makes the file if there is none. When it fails, what was written of `bytes` is taken away again.
  virtual Result<void> append(const std::string& path, std::string_view bytes) = 0;
  /// Returns when the file's bytes are on the disk.
  virtual Result<void> sync(const std::string& path) = 0;
  virtual Result<void> make_folders(const std::string& path) = 0;
  /// No failure when there is no such file.
  virtual Result<void> remove(const std::string& path) = 0;
};

std::unique_ptr<FileSystem> real_file_system();

/// The whole file.
Result<std::string> read_file(FileSystem& files, const std::string& path);

}  // namespace mlp::io
