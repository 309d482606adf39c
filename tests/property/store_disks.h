#pragma once

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/store/disk.h"

/// Disks that misbehave: one fails a chosen call, one remembers what a power cut would leave.
namespace mlp::store {

/// Hands every call on; the base of the others.
class ForwardingDisk : public Disk {
 public:
  DiskResult<int> open(const std::string& path, Open how) override { return real_.open(path, how); }
  void close(int file) override { real_.close(file); }
  DiskResult<std::size_t> read_at(int file, void* into, std::size_t size, std::uint64_t offset) override {
    return real_.read_at(file, into, size, offset);
  }
  DiskResult<void> write_at(int file, std::string_view bytes, std::uint64_t offset) override {
    return real_.write_at(file, bytes, offset);
  }
  DiskResult<void> truncate(int file, std::uint64_t size) override { return real_.truncate(file, size); }
  DiskResult<void> sync(int file) override { return real_.sync(file); }
  DiskResult<void> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  DiskResult<void> rename(const std::string& from, const std::string& to) override { return real_.rename(from, to); }
  DiskResult<void> remove(const std::string& path) override { return real_.remove(path); }
  DiskResult<void> make_directory(const std::string& path) override { return real_.make_directory(path); }
  DiskResult<DiskStat> stat(const std::string& path) override { return real_.stat(path); }
  DiskResult<DiskStat> stat(int file) override { return real_.stat(file); }
  DiskResult<void> lock(int file, bool wait) override { return real_.lock(file, wait); }
  void unlock(int file) override { real_.unlock(file); }
  DiskResult<std::vector<std::string>> list(const std::string& path) override { return real_.list(path); }

 protected:
  Disk& real_ = system_disk();
};

/// Fails the Nth call that changes or syncs something; a failing write leaves its first half.
class FailingDisk final : public ForwardingDisk {
 public:
  explicit FailingDisk(std::uint64_t fail_at) : fail_at_(fail_at) {}
  bool has_failed() const { return calls_ >= fail_at_; }

  DiskResult<int> open(const std::string& path, Open how) override {
    if (how != Open::read && fails()) return std::unexpected(ENOSPC);
    return real_.open(path, how);
  }
  DiskResult<void> write_at(int file, std::string_view bytes, std::uint64_t offset) override {
    if (!fails()) return real_.write_at(file, bytes, offset);
    (void)real_.write_at(file, bytes.substr(0, bytes.size() / 2), offset);
    return std::unexpected(ENOSPC);
  }
  DiskResult<void> truncate(int file, std::uint64_t size) override {
    if (fails()) return std::unexpected(EIO);
    return real_.truncate(file, size);
  }
  DiskResult<void> sync(int file) override {
    if (fails()) return std::unexpected(EIO);
    return real_.sync(file);
  }
  DiskResult<void> sync_directory(const std::string& path) override {
    if (fails()) return std::unexpected(EIO);
    return real_.sync_directory(path);
  }
  DiskResult<void> rename(const std::string& from, const std::string& to) override {
    if (fails()) return std::unexpected(EIO);
    return real_.rename(from, to);
  }
  DiskResult<void> make_directory(const std::string& path) override {
    if (fails()) return std::unexpected(ENOSPC);
    return real_.make_directory(path);
  }
  DiskResult<void> lock(int file, bool wait) override {
    if (fails()) return std::unexpected(ENOLCK);
    return real_.lock(file, wait);
  }

 private:
  bool fails() { return ++calls_ == fail_at_; }
  std::uint64_t fail_at_;
  std::uint64_t calls_ = 0;
};

/// Logs what changes files below `root`. `image` writes what may be on the disk when the power goes after so many calls: all that
/// was synced; of the rest each write whole, torn at a sector, as zeros, or not at all; of the names a beginning of those given.
class LoggingDisk final : public ForwardingDisk {
 public:
  explicit LoggingDisk(std::string root) : root_(std::move(root)) {}
  std::size_t calls() const { return log_.size(); }

  DiskResult<int> open(const std::string& path, Open how) override {
    const bool existed = real_.stat(path).has_value();
    auto file = real_.open(path, how);
    if (!file) return file;
    if (!existed) {
      names_[path] = next_file_++;
      log_.push_back({Call::name, names_[path], path, "", 0, ""});
    }
    open_[*file] = names_[path];
    return file;
  }
  DiskResult<void> write_at(int file, std::string_view bytes, std::uint64_t offset) override {
    log_.push_back({Call::write, open_[file], "", "", offset, std::string(bytes)});
    return real_.write_at(file, bytes, offset);
  }
  DiskResult<void> truncate(int file, std::uint64_t size) override {
    log_.push_back({Call::truncate, open_[file], "", "", size, ""});
    return real_.truncate(file, size);
  }
  DiskResult<void> sync(int file) override {
    auto done = real_.stat(file);  // the real sync would only cost time
    log_.push_back({Call::sync, open_[file], "", "", 0, ""});
    if (!done) return std::unexpected(done.error());
    return {};
  }
  DiskResult<void> sync_directory(const std::string& path) override {
    log_.push_back({Call::sync_names, 0, path, "", 0, ""});
    return {};
  }
  DiskResult<void> rename(const std::string& from, const std::string& to) override {
    auto done = real_.rename(from, to);
    if (done) {
      log_.push_back({Call::rename, names_[from], from, to, 0, ""});
      names_[to] = names_[from];
      names_.erase(from);
    }
    return done;
  }
  DiskResult<void> remove(const std::string& path) override {
    auto done = real_.remove(path);
    if (done) {
      log_.push_back({Call::unname, names_[path], path, "", 0, ""});
      names_.erase(path);
    }
    return done;
  }
  DiskResult<void> make_directory(const std::string& path) override {
    const bool existed = real_.stat(path).has_value();
    auto done = real_.make_directory(path);
    if (done && !existed) log_.push_back({Call::folder, 0, path, "", 0, ""});
    return done;
  }

  void image(std::size_t cut, std::mt19937_64& random, const std::string& target) const {
    std::map<std::size_t, std::vector<const Entry*>> pending;
    std::map<std::size_t, std::string> contents;
    std::vector<const Entry*> changes;  // of names, in order
    std::set<const Entry*> durable;
    for (std::size_t i = 0; i < cut; ++i) {
      const Entry& entry = log_[i];
      switch (entry.call) {
        case Call::write:
        case Call::truncate: pending[entry.file].push_back(&entry); break;
        case Call::sync:
          for (const Entry* one : pending[entry.file]) apply(*one, contents[entry.file]);
          pending[entry.file].clear();
          break;
        case Call::sync_names:
          for (const Entry* one : changes)
            if (folder_of(one->path) == entry.path || folder_of(one->other) == entry.path) durable.insert(one);
          break;
        default: changes.push_back(&entry);
      }
    }
    std::size_t kept = changes.empty() ? 0 : random() % (changes.size() + 1);
    std::map<std::string, std::size_t> files;
    std::vector<std::string> folders;
    for (const Entry* one : changes) {
      const bool lucky = kept > 0;
      if (kept > 0) --kept;
      if (!lucky && !durable.contains(one)) continue;
      if (one->call == Call::folder) folders.push_back(one->path);
      if (one->call == Call::name) files[one->path] = one->file;
      if (one->call == Call::unname) files.erase(one->path);
      if (one->call == Call::rename) {
        files.erase(one->path);
        files[one->other] = one->file;
      }
    }
    for (auto& [file, writes] : pending)
      for (const Entry* one : writes) tear(*one, random, contents[file]);
    namespace fs = std::filesystem;
    fs::create_directories(target);
    const std::set<std::string> known(folders.begin(), folders.end());
    for (const std::string& folder : folders) fs::create_directories(target + folder.substr(root_.size()));
    for (const auto& [path, file] : files) {
      if (folder_of(path) != root_ && !known.contains(folder_of(path))) continue;  // its folder's name was lost
      std::ofstream out(target + path.substr(root_.size()), std::ios::binary);
      if (const auto found = contents.find(file); found != contents.end()) out << found->second;
    }
  }

 private:
  enum class Call { name, unname, rename, folder, write, truncate, sync, sync_names };
  struct Entry {
    Call call;
    std::size_t file;
    std::string path;
    std::string other;
    std::uint64_t offset;
    std::string bytes;
  };

  static std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/')); }
  static void place(std::string& content, std::uint64_t offset, std::string_view bytes) {
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  static void apply(const Entry& entry, std::string& content) {
    if (entry.call == Call::truncate) content.resize(entry.offset);
    else place(content, entry.offset, entry.bytes);
  }
  static void tear(const Entry& entry, std::mt19937_64& random, std::string& content) {
    switch (random() % 4) {
      case 0: return;
      case 1: return apply(entry, content);
      case 2:  // the size reached the disk, the data did not
        if (entry.call == Call::write) place(content, entry.offset, std::string(entry.bytes.size(), '\0'));
        return;
      default: {
        if (entry.call == Call::truncate) return;
        // Some sectors did, in no order.
        for (std::size_t at = 0; at < entry.bytes.size(); at += 512)
          if (random() % 2) place(content, entry.offset + at, std::string_view(entry.bytes).substr(at, 512));
      }
    }
  }

  std::string root_;
  std::vector<Entry> log_;
  std::map<std::string, std::size_t> names_;
  std::map<int, std::size_t> open_;
  std::size_t next_file_ = 1;
};

}  // namespace mlp::store
