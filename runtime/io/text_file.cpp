#include "runtime/io/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/column/parallel.h"

namespace mlp::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

}  // namespace

std::unexpected<diag::Diagnostic> no_table(const std::string& path, std::uint64_t line, std::string what, std::string help) {
  auto d = diag::make(diag::Code::E0804, {}, fmt::format("`{}` cannot be read as a table: {}", path, what));
  d.help = std::move(help);
  if (line) d.places.push_back({path, line, "", "", std::move(what)});
  return failure(std::move(d));
}

Result<std::optional<std::string_view>> LineSource::next() {
  std::size_t search_from = begin_;
  while (true) {
    if (search_from < end_) {
      const void* feed = std::memchr(buffer_.data() + search_from, '\n', end_ - search_from);
      if (feed) return take(static_cast<std::size_t>(static_cast<const char*>(feed) - buffer_.data()) + 1);
    }
    search_from = end_;
    if (at_end_) return begin_ == end_ ? std::optional<std::string_view>() : take(end_);
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      search_from -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() - end_ < kChunk / 2) buffer_.resize(buffer_.size() + std::max(kChunk, buffer_.size()));
    MLP_TRY(const std::size_t got, file_.read_at(offset_, std::span(buffer_).subspan(end_)));
    offset_ += got;
    end_ += got;
    at_end_ = got == 0;
  }
}

std::optional<std::string_view> LineSource::take(std::size_t end) {
  const std::string_view line(buffer_.data() + begin_, end - begin_);
  begin_ = end;
  return line;
}

Result<void> hash_fragments(File& file, FileScan& scan, const Digest& domain, const std::function<void(std::size_t, std::string_view)>& look) {
  // Hashing takes longer than finding the rows, and fragments can be hashed side by side.
  std::vector<std::optional<diag::Diagnostic>> failures(scan.fragments.size());
  parallel_for(scan.fragments.size(), [&](std::size_t i) {
    Fragment& fragment = scan.fragments[i];
    const auto size = static_cast<std::size_t>(fragment.end - fragment.begin);
    const auto bytes = std::make_unique_for_overwrite<char[]>(size);
    const auto got = file.read_at(fragment.begin, {bytes.get(), size});
    if (!got || *got != size) {
      failures[i] = got ? source_changed(scan.path).error() : got.error();
      return;
    }
    Hasher hasher("text fragment/1");
    fragment.content = hasher.add(domain).add(std::string_view(bytes.get(), size)).finish();
    look(i, {bytes.get(), size});
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  return {};
}

Result<std::string> read_bytes(const Source& source, const FileScan& scan, const Fragment& fragment) {
  MLP_TRY(const std::shared_ptr<File> file, open_text(source, scan.path));
  std::string bytes;
  const auto size = static_cast<std::size_t>(fragment.end - fragment.begin);
  std::optional<Result<std::size_t>> got;
  bytes.resize_and_overwrite(size, [&](char* to, std::size_t) {  // there may be room for more
    got = file->read_at(fragment.begin, {to, size});
    return size;
  });
  if (!*got) return failure(std::move(got->error()));
  MLP_TRY(const FileStamp stamp, file->stamp());
  if (**got != size || stamp != scan.stamp) return source_changed(scan.path);
  return bytes;
}

}  // namespace mlp::io
