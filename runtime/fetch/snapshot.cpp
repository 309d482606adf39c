#include "runtime/fetch/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "compiler/diag/render.h"
#include "runtime/column/byte_reader.h"
#include "runtime/io/fragments.h"
#include "runtime/io/source.h"

namespace mlp::fetch {

namespace {

constexpr std::uint32_t kVersion = 1;
/// Replaced files are kept so long, and so many.
constexpr std::size_t kKeptFiles = 4;
constexpr std::int64_t kKeptNs = std::int64_t{24} * 3600 * 1'000'000'000;

std::string stamp_key(const Digest& definition) { return "fetched:" + definition.hex(); }
std::string folder_of(const Context& context, const Digest& definition) { return context.store.directory() + "/fetched/" + definition.hex().substr(0, 16); }
store::FileStamp store_stamp(const io::FileStamp& stamp) { return {stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.device}; }

std::unexpected<diag::Diagnostic> cannot_write(const std::string& path) {
  return failure(diag::Code::E0904, fmt::format("`{}` cannot be written: {}", path, ::strerror(errno)), "free room on the disk, or mend the permissions of the store");
}

std::string encode(const Record& record) {
  ByteWriter out;
  out.put(kVersion);
  for (const std::string* text : {&record.path, &record.form, &record.validator}) {
    out.put<std::uint64_t>(text->size());
    out.raw(text->data(), text->size());
  }
  out.put(record.began_ns);
  out.put<std::uint64_t>(record.earlier.size());
  for (const auto& [name, replaced_ns] : record.earlier) {
    out.put<std::uint64_t>(name.size());
    out.raw(name.data(), name.size());
    out.put(replaced_ns);
  }
  return out.finish();
}

std::optional<Record> decode(std::string_view bytes) {
  ByteReader in{bytes};
  if (!in.check_sum() || in.take<std::uint32_t>() != kVersion) return std::nullopt;
  Record record;
  for (std::string* text : {&record.path, &record.form, &record.validator}) *text = in.raw(in.take<std::uint64_t>());
  record.began_ns = in.take<std::int64_t>();
  for (auto count = in.take<std::uint64_t>(); count > 0 && in.good; --count) {
    std::string name(in.raw(in.take<std::uint64_t>()));
    record.earlier.emplace_back(std::move(name), in.take<std::int64_t>());
  }
  return in.good && in.left() == 0 ? std::optional(std::move(record)) : std::nullopt;
}

Result<Digest> digest_of(int file, const std::string& path) {
  Hasher hasher;
  std::string buffer(std::size_t{1} << 20, '\0');
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(file, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_write(path);
    if (got == 0) return hasher.finish();
    hasher.raw(buffer.data(), static_cast<std::size_t>(got));
    at += got;
  }
}

/// Whether the file is there and whole: somebody may have written into it since.
bool is_there(const std::string& path, const Digest& digest) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const auto found = digest_of(file, path);
  ::close(file);
  return found && *found == digest;
}

/// The record as it was written, whatever became of its file.
std::optional<Record> last_record(const Context& context, const Digest& definition) {
  const auto stamp = context.store.find_stamp(stamp_key(definition));
  return stamp ? decode(stamp->bytes) : std::nullopt;
}

/// What stays of the files before `current`; the others, and what a killed process left, go away.
std::vector<std::pair<std::string, std::int64_t>> remove_old(const Context& context, const std::string& folder, const std::optional<Record>& last, const std::string& current) {
  std::vector<std::pair<std::string, std::int64_t>> stays;
  if (last) stays = last->earlier;
  if (last && last->path != current) stays.insert(stays.begin(), {last->path, now_ns()});
  std::erase_if(stays, [&](const auto& file) { return file.first == current; });
  while (stays.size() > kKeptFiles || (!stays.empty() && now_ns() - stays.back().second > kKeptNs)) {
    static_cast<void>(context.files.remove(folder + "/" + stays.back().first));
    stays.pop_back();
  }
  if (const auto names = context.files.entries(folder))
    for (const std::string& name : *names)
      if (name.starts_with(".new-"))
        if (const auto stamp = context.files.stat(folder + "/" + name); stamp && now_ns() - stamp->mtime_ns > kKeptNs) static_cast<void>(context.files.remove(folder + "/" + name));
  return stays;
}

}  // namespace

std::int64_t now_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }
bool stopped(const Context& context) { return context.stop && context.stop->load(); }
std::unexpected<diag::Diagnostic> stop_failure() { return failure(diag::Code::E0906, "stopped on request", "what was finished is kept; the next run goes on from here"); }

Digest definition(const plan::Table& table, std::string_view part) {
  Hasher hasher("fetch/1");
  hasher.add(table.source).add(!table.lock.empty()).add(table.version_by).add(part);
  hasher.add(table.options.size());
  for (const auto& [name, value] : table.options) hasher.add(name).add(to_string(value));
  for (const auto* names : {&table.columns, &table.key}) {
    hasher.add(names->size());
    for (const std::string& name : *names) hasher.add(name);
  }
  return hasher.finish();
}

std::optional<Record> find_record(const Context& context, const Digest& definition) {
  const auto stamp = context.store.find_stamp(stamp_key(definition));
  if (!stamp) return std::nullopt;
  auto record = decode(stamp->bytes);
  if (!record) return std::nullopt;
  record->path = folder_of(context, definition) + "/" + record->path;
  // Nobody but us writes there: a file that is as it was left is whole.
  const auto now = context.files.stat(record->path);
  return now && store_stamp(*now) == stamp->stamp ? record : std::nullopt;
}

Result<void> keep_validator(const Context& context, const Digest& definition, const Record& record, std::string validator, std::int64_t began_ns) {
  Record kept = record;
  MLP_TRY(const io::FileStamp stamp, context.files.stat(kept.path));
  kept.path = kept.path.substr(folder_of(context, definition).size() + 1);
  kept.validator = std::move(validator);
  kept.began_ns = began_ns;
  if (context.store.mode() == store::Mode::read_write) context.store.put_stamp(stamp_key(definition), {store_stamp(stamp), began_ns, encode(kept)});
  return {};
}

Result<Scratch> Scratch::make(const Context& context, const Digest& definition) {
  const std::string folder = folder_of(context, definition);
  MLP_TRY_VOID(context.files.make_folders(folder));
  std::string path = folder + "/.new-XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return cannot_write(folder);
  ::fchmod(file, 0644);
  return Scratch(file, std::move(path), definition);
}

Scratch::Scratch(Scratch&& other) noexcept : file_(std::exchange(other.file_, -1)), path_(std::exchange(other.path_, {})), definition_(other.definition_) {}

Scratch::~Scratch() {
  if (file_ >= 0) ::close(file_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<std::string> Scratch::keep(const Context& context, std::string_view ending, std::string form, std::string validator, std::int64_t began_ns, const std::string& partitions) {
  const std::string folder = folder_of(context, definition_);
  if (!partitions.empty()) MLP_TRY_VOID(context.files.make_folders(folder + "/" + partitions));
  MLP_TRY(const Digest digest, digest_of(file_, path_));
  const std::string path = fmt::format("{}/{}{}{}", folder, partitions, digest.hex().substr(0, 32), ending);
  if (!is_there(path, digest)) {
    if (::fsync(file_) != 0 || ::rename(path_.c_str(), path.c_str()) != 0) return cannot_write(path);
    path_.clear();
    MLP_TRY_VOID(context.files.sync(folder + "/" + partitions));
  }
  const auto last = last_record(context, definition_);
  const std::string name = path.substr(folder.size() + 1);
  MLP_TRY_VOID(keep_validator(context, definition_, {path, std::move(form), {}, 0, remove_old(context, folder, last, name)}, std::move(validator), began_ns));
  return path;
}

std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path whole = std::filesystem::absolute(path, failed);
  return failed ? path : whole.lexically_normal().string();
}

std::string text_option(const plan::Table& table, std::string_view name) {
  for (const auto& [option, value] : table.options)
    if (option == name) return std::get<std::string>(value);
  return {};
}

std::int64_t int_option(const plan::Table& table, std::string_view name) {
  for (const auto& [option, value] : table.options)
    if (option == name) return std::get<std::int64_t>(value);
  return 0;
}

const std::vector<std::string>& wanted_columns(const plan::Table& table, const std::vector<std::string>& has) { return table.columns.empty() || !table.lock.empty() ? has : table.columns; }

Result<std::vector<std::uint32_t>> find_columns(const std::string& name, const std::vector<std::string>& has, const std::vector<std::string>& wanted) {
  io::FileScan scan;
  scan.path = name;
  scan.header = has;
  std::vector<plan::ReadColumn> columns(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) columns[i].source_name = wanted[i];
  return io::bind_columns(io::Source{}, scan, columns);
}

std::string_view without_end(std::string_view query) {
  while (!query.empty() && std::string_view(" \t\r\n;").find(query.back()) != std::string_view::npos) query.remove_suffix(1);
  return query;
}

// On a line of its own: the last one may be a comment.
std::string in_parentheses(std::string_view query) { return fmt::format("({}\n)", without_end(query)); }

std::string order_of_rows(const plan::Table& table, const std::vector<std::string>& columns, const std::function<std::string(const std::string& column)>& by) {
  std::string order;
  if (!table.version_by.empty()) order = by(table.version_by);
  for (const std::string& column : table.key.empty() ? columns : table.key)
    if (column != table.version_by) order += (order.empty() ? "" : ", ") + by(column);
  return order;
}

std::unexpected<diag::Diagnostic> no_table(const std::string& where, const std::string& table, const std::vector<std::string>& names) {
  auto d = diag::make(diag::Code::E0912, {}, fmt::format("{} has no table `{}`", where, table));
  const std::string_view near = diag::did_you_mean(table, {names.begin(), names.end()});
  std::string listed;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 12); ++i) listed += fmt::format("{}`{}`", i ? ", " : "", names[i]);
  if (names.size() > 12) listed += fmt::format(" and {} more", names.size() - 12);
  d.help = !near.empty() ? fmt::format("did you mean `{}`?", near) : names.empty() ? "it has no tables at all: see whether it is the database that was meant" : "it has " + listed;
  return failure(std::move(d));
}

std::string database_name(const std::string& where, const plan::Table& table) {
  const std::string name = text_option(table, "table");
  return name.empty() ? where + ", its query" : fmt::format("{}, table {}", where, name);
}

}  // namespace mlp::fetch
