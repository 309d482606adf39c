#include "runtime/store/pack.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "compiler/support/check.h"
#include "runtime/store/format.h"

namespace mlp::store {

namespace {

constexpr std::string_view kMagic = "MLPPACK\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kRecordMagic = 0x4A42'4F4D;  // "MOBJ"
constexpr std::size_t kBufferSize = std::size_t{1} << 20;
constexpr std::uint64_t kFullPack = std::uint64_t{256} << 20;

std::string record_header(const Digest& digest, std::string_view bytes) {
  std::string header;
  append_number(header, kRecordMagic);
  append_number(header, kVersion);
  append_number(header, std::uint64_t{bytes.size()});
  header.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  append_number(header, checksum(bytes));
  append_number(header, checksum(header));
  MLP_CHECK(header.size() == kPackRecordHeader);
  return header;
}

}  // namespace

std::string pack_path(const std::string& directory, std::uint64_t pack) {
  return directory + "/packs/" + identity_text(pack) + ".pack";
}

bool pack_header_fits(std::string_view header, const Digest& digest, std::uint64_t length) {
  return header.size() == kPackRecordHeader && number_at<std::uint32_t>(header, 0) == kRecordMagic &&
         number_at<std::uint32_t>(header, 4) == kVersion && number_at<std::uint64_t>(header, 8) == length &&
         std::memcmp(header.data() + 16, digest.bytes.data(), digest.bytes.size()) == 0 &&
         number_at<std::uint64_t>(header, 56) == checksum(header.substr(0, 56));
}

PackReader::PackReader(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

PackReader::~PackReader() {
  for (const auto& [pack, open] : packs_) disk_.close(open.file);
}

std::optional<PackReader::OpenPack> PackReader::open(std::uint64_t pack, std::uint64_t needed) {
  const std::lock_guard lock(mutex_);
  auto found = packs_.find(pack);
  if (found != packs_.end() && found->second.size >= needed) return found->second;
  if (found == packs_.end()) {
    const auto file = disk_.open(pack_path(directory_, pack), Disk::Open::read);
    if (!file) return std::nullopt;
    found = packs_.emplace(pack, OpenPack{*file, 0}).first;
  }
  if (const auto size = disk_.stat(found->second.file)) found->second.size = size->size;
  return found->second;
}

bool PackReader::covers(const ObjectPlace& place) {
  const std::uint64_t end = place.offset + place.length;
  if (end < place.offset) return false;
  const auto pack = open(place.pack, end);
  return pack && pack->size >= end;
}

Result<std::string> PackReader::read(std::uint64_t pack, std::uint64_t offset, std::uint64_t length) {
  const std::string path = pack_path(directory_, pack);
  const auto opened = open(pack, offset + length);
  if (!opened || offset + length < offset || opened->size < offset + length)
    return failure(diag::Code::E0903, fmt::format("`{}` is shorter than what it should hold", path), "run the workflow again: what is missing is made anew");
  std::string bytes;
  DiskResult<std::size_t> read = 0;
  // The second argument of GCC 12 may exceed what was asked for.
  bytes.resize_and_overwrite(length, [&](char* into, std::size_t) {
    read = disk_.read_at(opened->file, into, length, offset);
    return read.value_or(0);
  });
  if (!read) return disk_failure(read_failure_code(read.error()), "read", path, read.error());
  if (bytes.size() != length)
    return failure(diag::Code::E0903, fmt::format("`{}` is shorter than what it should hold", path), "run the workflow again: what is missing is made anew");
  return bytes;
}

PackWriter::PackWriter(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

PackWriter::~PackWriter() { close(); }

void PackWriter::close() {
  if (file_ >= 0) disk_.close(file_);
  file_ = -1;
  buffer_.clear();
}

Result<bool> PackWriter::try_pack(const std::string& name, Manifest& manifest) {
  const auto pack = name.ends_with(".pack") ? parse_identity(name.substr(0, name.size() - 5)) : std::nullopt;
  if (!pack) return false;
  // Without the manifest's word nothing is cut: an unreadable manifest must not cost the objects too.
  if (!manifest.exists() || manifest.end_of_pack(*pack).value_or(0) >= kFullPack) return false;
  const std::string path = pack_path(directory_, *pack);
  const auto file = disk_.open(path, Disk::Open::write);
  if (!file) return false;
  const auto give_up = [&] {
    disk_.close(*file);
    return false;
  };
  if (!disk_.lock(*file, false)) return give_up();
  // Whoever had the pack may have committed to it after the manifest was read.
  if (auto refreshed = manifest.refresh(); !refreshed) {
    give_up();
    return failure(std::move(refreshed.error()));
  }
  const auto end = manifest.end_of_pack(*pack);
  const auto found = disk_.stat(*file);
  const auto named = disk_.stat(path);
  if (!found || !named || found->inode != named->inode || end.value_or(0) >= kFullPack) return give_up();
  if (!end && manifest.damaged_bytes() + manifest.torn_bytes() > 0) return give_up();
  // An object that is shorter than its name says is for `cache verify` to tell.
  if (end && found->size < *end) return give_up();
  const bool has_header = [&] {
    std::string header(kFileHeaderSize, '\0');
    const auto read = disk_.read_at(*file, header.data(), header.size(), 0);
    const auto identity = check_file_header({header.data(), read.value_or(0)}, kMagic, kVersion, path);
    return identity && *identity == *pack;
  }();
  if (!has_header && end) return give_up();
  if (!has_header && !disk_.write_at(*file, file_header(kMagic, kVersion, *pack), 0)) return give_up();
  const std::uint64_t keep = end.value_or(kFileHeaderSize);
  if (found->size > keep && !disk_.truncate(*file, keep)) return give_up();
  file_ = *file;
  pack_ = *pack;
  path_ = path;
  flushed_ = keep;
  name_synced_ = end.has_value();
  return true;
}

Result<void> PackWriter::create() {
  const std::uint64_t pack = fresh_identity();
  const std::string path = pack_path(directory_, pack);
  const auto file = disk_.open(path, Disk::Open::create_new);
  if (!file) return disk_failure(diag::Code::E0904, "create", path, file.error());
  const auto locked = disk_.lock(*file, false);
  const auto written = locked ? disk_.write_at(*file, file_header(kMagic, kVersion, pack), 0) : DiskResult<void>{};
  if (!locked || !written) {
    disk_.close(*file);
    return disk_failure(diag::Code::E0904, locked ? "write" : "lock", path, locked ? written.error() : locked.error());
  }
  file_ = *file;
  pack_ = pack;
  path_ = path;
  flushed_ = kFileHeaderSize;
  name_synced_ = false;
  return {};
}

Result<void> PackWriter::open(Manifest& manifest) {
  MLP_CHECK(!is_open());
  const auto names = disk_.list(directory_ + "/packs");
  if (!names) return disk_failure(diag::Code::E0902, "list", directory_ + "/packs", names.error());
  for (const std::string& name : *names) {
    MLP_TRY(const bool taken, try_pack(name, manifest));
    if (taken) return {};
  }
  return create();
}

Result<ObjectPlace> PackWriter::append(const Digest& digest, std::string_view bytes) {
  if (buffer_.size() >= kBufferSize) MLP_TRY_VOID(flush());
  buffer_ += record_header(digest, bytes);
  const ObjectPlace place{pack_, flushed_ + buffer_.size(), bytes.size()};
  buffer_ += bytes;
  buffer_.resize(padded(buffer_.size()));
  return place;
}

Result<void> PackWriter::flush() {
  if (buffer_.empty()) return {};
  if (const auto written = disk_.write_at(file_, buffer_, flushed_); !written)
    return disk_failure(diag::Code::E0904, "write", path_, written.error());
  flushed_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<void> PackWriter::sync() {
  if (const auto synced = disk_.sync(file_); !synced)
    return disk_failure(diag::Code::E0904, "sync", path_, synced.error());
  if (!name_synced_) {
    const std::string folder = directory_ + "/packs";
    if (const auto synced = disk_.sync_directory(folder); !synced)
      return disk_failure(diag::Code::E0904, "sync", folder, synced.error());
    name_synced_ = true;
  }
  return {};
}

std::optional<std::string> PackWriter::read_buffered(const ObjectPlace& place) const {
  if (!is_open() || place.pack != pack_ || place.offset < flushed_) return std::nullopt;
  return buffer_.substr(place.offset - flushed_, place.length);
}

bool PackWriter::full() const { return flushed_ + buffer_.size() >= kFullPack; }

}  // namespace mlp::store
