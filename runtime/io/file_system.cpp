#include "runtime/io/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "compiler/diag/render.h"

namespace mlp::io {

namespace {

std::string reason_of(int error) {
  switch (error) {
    case ENOENT:
      return "it was not found";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EISDIR:
      return "it is a folder";
    case ENOTDIR:
      return "a part of its path is a file, not a folder";
    case ENOSPC:
      return "the disk is full";
    case EDQUOT:
      return "the disk quota is used up";
    case EROFS:
      return "the disk is read-only";
    case EFBIG:
      return "it would be larger than allowed";
    case EMFILE:
    case ENFILE:
      return "too many files are open";
    case ENAMETOOLONG:
      return "its path is too long";
    case ELOOP:
      return "its links lead in a circle";
    case EIO:
      return "the disk reports an error";
    case ENOMEM:
      return "memory is used up";
    case ESPIPE:
      return "it is a pipe or a device, and a file is needed that can be read twice";
    case EXDEV:
      return "it is on another disk";
    default:
      return fmt::format("the system says: {}", std::strerror(error));
  }
}

std::string help_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space and run again; finished steps are kept";
    case EACCES:
    case EPERM:
      return "check who may read and write it";
    case EMFILE:
      return "raise the limit with `ulimit -n`";
    default:
      return "look at the path, and at the disk it is on";
  }
}

struct SplitPath {
  std::string folder;  ///< "." where the path has none
  std::string name;
};

SplitPath split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  bool good() const { return fd_ >= 0; }
  int close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

Descriptor open_file(const std::string& path, int flags, mode_t mode = 0) {
  int fd;
  do
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

FileStamp stamp_of(const struct ::stat& s) {
  const auto ns = [](const timespec& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec; };
  return {static_cast<std::uint64_t>(s.st_size), ns(s.st_mtim), ns(s.st_ctim), s.st_ino, s.st_dev};
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  if (DIR* dir = ::opendir(folder.c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
        names.emplace_back(entry->d_name);
    }
    ::closedir(dir);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// For a path that was not found: the nearest entry of its folder, or that the folder is not there either.
std::string help_for_missing(const std::string& path) {
  const SplitPath parts = split_path(path);
  if (::access(parts.folder.c_str(), F_OK) != 0)
    return fmt::format("the folder `{}` does not exist either", parts.folder);
  const std::vector<std::string> names = names_in(parts.folder);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = diag::did_you_mean(parts.name, candidates);
  if (near.empty()) return "";
  return fmt::format("did you mean `{}{}`?", path.substr(0, path.size() - parts.name.size()), near);
}

std::unexpected<diag::Diagnostic> cannot_read(const std::string& path, int error) {
  return failure(diag::Code::E0901, fmt::format("`{}` cannot be read: {}", path, reason_of(error)),
                 error == ENOENT ? help_for_missing(path) : help_of(error));
}

std::unexpected<diag::Diagnostic> cannot_write(const std::string& path, int error) {
  std::string help = help_of(error);
  if (error == ENOENT) help = help_for_missing(path);
  // A missing folder is what is missing when a file is made.
  const std::string reason = error == ENOENT ? "its folder was not found" : reason_of(error);
  return failure(diag::Code::E0904, fmt::format("`{}` cannot be written: {}", path, reason), help);
}

/// 0, or the error number.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

class RealFile final : public File {
 public:
  RealFile(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Result<FileStamp> stamp() override {
    struct ::stat s;
    if (::fstat(fd_.get(), &s) != 0) return cannot_read(path_, errno);
    return stamp_of(s);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = ::pread(fd_.get(), into.data() + done, std::min<std::size_t>(into.size() - done, 1u << 30),
                                  static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) continue;
        return cannot_read(path_, errno);
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  std::string path_;
  Descriptor fd_;
};

class RealScratchFile final : public ScratchFile {
 public:
  RealScratchFile(const std::string& folder, Descriptor fd) : folder_(folder), fd_(fd.release()), file_(folder, Descriptor(fd_)) {}
  Result<FileStamp> stamp() override { return file_.stamp(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override { return file_.read_at(offset, into); }
  Result<void> append(std::string_view bytes) override {
    if (const int error = write_all(fd_, bytes); error != 0) return cannot_write(folder_, error);
    return {};
  }

 private:
  std::string folder_;
  int fd_;
  RealFile file_;  ///< owns it
};

class RealMappedFile final : public MappedFile {
 public:
  RealMappedFile(void* data, std::size_t size) : data_(data), size_(size) {}
  RealMappedFile(const RealMappedFile&) = delete;
  RealMappedFile& operator=(const RealMappedFile&) = delete;
  ~RealMappedFile() override {
    if (size_) ::munmap(data_, size_);
  }
  std::string_view bytes() const override { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_;
  std::size_t size_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<FileStamp> stat(const std::string& path) override {
    struct ::stat s;
    if (::stat(path.c_str(), &s) != 0) return cannot_read(path, errno);
    return stamp_of(s);
  }

  Result<std::unique_ptr<File>> open(const std::string& path) override {
    MLP_TRY(Descriptor fd, open_to_read(path));
    return std::make_unique<RealFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    MLP_TRY(const Descriptor fd, open_to_read(path));
    struct ::stat s;
    if (::fstat(fd.get(), &s) != 0) return cannot_read(path, errno);
    const auto size = static_cast<std::size_t>(s.st_size);
    if (size == 0) return std::make_unique<RealMappedFile>(nullptr, 0);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) return cannot_read(path, errno);
    return std::make_unique<RealMappedFile>(data, size);
  }

  Result<std::vector<std::string>> list(const std::string& pattern) override {
    struct ::stat s;
    // A file whose name has `[` or `*` in it is meant before the pattern.
    if (::stat(pattern.c_str(), &s) == 0) {
      if (S_ISDIR(s.st_mode)) {
        return failure(diag::Code::E0901, fmt::format("`{}` cannot be read: it is a folder", pattern),
                       fmt::format("`{}/*.csv` means the CSV files in it", pattern));
      }
      return std::vector{pattern};
    }
    if (pattern.find_first_of("*?[") == std::string::npos) return cannot_read(pattern, errno);
    glob_t found{};
    const int outcome = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
    const int error = errno;
    std::vector<std::string> paths;
    for (std::size_t i = 0; outcome == 0 && i < found.gl_pathc; ++i) {
      if (::stat(found.gl_pathv[i], &s) == 0 && !S_ISDIR(s.st_mode)) paths.emplace_back(found.gl_pathv[i]);
    }
    ::globfree(&found);
    if (outcome != 0 && outcome != GLOB_NOMATCH) return cannot_read(pattern, outcome == GLOB_NOSPACE ? ENOMEM : error);
    if (paths.empty()) {
      const std::string folder = split_path(pattern).folder;
      const bool exists = folder.find_first_of("*?[") != std::string::npos || ::access(folder.c_str(), F_OK) == 0;
      return failure(diag::Code::E0901, fmt::format("no file fits the pattern `{}`", pattern),
                     exists ? "`*` stands for any letters of a name, `?` for one" : fmt::format("the folder `{}` does not exist", folder));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  Result<std::vector<std::string>> entries(const std::string& folder) override {
    DIR* dir = ::opendir(folder.c_str());
    if (!dir) return cannot_read(folder, errno);
    ::closedir(dir);
    return names_in(folder);
  }

  Result<void> write_atomically(const std::string& name, std::string_view bytes) override {
    // A link stays a link: the file that it names is written, with the permissions that it has.
    const std::unique_ptr<char, decltype(&::free)> target(::realpath(name.c_str(), nullptr), ::free);
    const std::string path = target ? target.get() : name;
    struct ::stat s;
    const bool exists = ::stat(path.c_str(), &s) == 0;
    if (exists && S_ISDIR(s.st_mode)) return cannot_write(name, EISDIR);
    const std::string temporary = fmt::format("{}.new-{}-{}", path, ::getpid(), next_temporary_++);
    Descriptor fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!fd.good()) return cannot_write(path, errno);
    int error = write_all(fd.get(), bytes);
    if (error == 0 && exists && ::fchmod(fd.get(), s.st_mode & 07777) != 0) error = errno;
    if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
    if (fd.close() != 0 && error == 0) error = errno;
    if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
      ::unlink(temporary.c_str());
      return cannot_write(path, error);
    }
    return sync(split_path(path).folder);
  }

  Result<std::unique_ptr<ScratchFile>> scratch(const std::string& where) override {
    const char* const temporary = std::getenv("TMPDIR");
    const std::string folder = !where.empty() ? where : temporary && *temporary ? temporary : "/tmp";
    Descriptor fd = open_file(folder, O_TMPFILE | O_RDWR, 0600);
    if (!fd.good() && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {  // not every disk has files without a name
      std::string name = folder + "/scratch-XXXXXX";
      fd = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
      if (fd.good()) ::unlink(name.c_str());
    }
    if (!fd.good()) return cannot_write(folder, errno);
    return std::make_unique<RealScratchFile>(folder, std::move(fd));
  }

  Result<void> append(const std::string& path, std::string_view bytes) override {
    Descriptor fd = open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (!fd.good()) return cannot_write(path, errno);
    struct ::stat before;
    if (::fstat(fd.get(), &before) != 0) return cannot_write(path, errno);
    int error = write_all(fd.get(), bytes);
    if (error != 0 && ::ftruncate(fd.get(), before.st_size) != 0) return cannot_write(path, error);
    if (fd.close() != 0 && error == 0) error = errno;
    if (error != 0) return cannot_write(path, error);
    return {};
  }

  Result<void> sync(const std::string& path) override {
    const Descriptor fd = open_file(path, O_RDONLY);
    if (!fd.good() || ::fsync(fd.get()) != 0) return cannot_write(path, errno);
    return {};
  }

  Result<void> make_folders(const std::string& path) override {
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
      const std::string part = path.substr(0, at);
      struct ::stat s;
      if (::mkdir(part.c_str(), 0777) != 0) {
        const int error = errno;
        if (::stat(part.c_str(), &s) != 0) return cannot_write(path, error);
        if (!S_ISDIR(s.st_mode)) return cannot_write(path, ENOTDIR);
      }
      if (at == std::string::npos) return {};
    }
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot_write(path, errno);
    return {};
  }

 private:
  static Result<Descriptor> open_to_read(const std::string& path) {
    Descriptor fd = open_file(path, O_RDONLY | O_NONBLOCK);  // a named pipe would wait for its writer
    if (!fd.good()) return cannot_read(path, errno);
    struct ::stat s;
    if (::fstat(fd.get(), &s) != 0) return cannot_read(path, errno);
    if (S_ISDIR(s.st_mode)) return cannot_read(path, EISDIR);
    if (!S_ISREG(s.st_mode)) return cannot_read(path, ESPIPE);
    return fd;
  }

  std::atomic<std::uint64_t> next_temporary_{0};
};

}  // namespace

std::unique_ptr<FileSystem> real_file_system() {
  return std::make_unique<RealFileSystem>();
}

Result<std::string> read_file(FileSystem& files, const std::string& path) {
  MLP_TRY(const std::unique_ptr<File> file, files.open(path));
  MLP_TRY(const FileStamp stamp, file->stamp());
  std::string bytes(stamp.size, '\0');
  // One byte more is asked for, so that a file that grew is read to its end (and one that tells no size, as in /proc).
  for (std::size_t done = 0;;) {
    bytes.resize(std::max(bytes.size(), done + 1));
    MLP_TRY(const std::size_t got, file->read_at(done, std::span(bytes).subspan(done)));
    done += got;
    if (done < bytes.size()) {
      bytes.resize(done);
      return bytes;
    }
    bytes.resize(done + 65536);
  }
}

}  // namespace mlp::io
