#include "runtime/io/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/column/parallel.h"

namespace mlp::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20, kWindow = std::size_t{1} << 18;

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

Result<bool> Window::refill(std::size_t used) {
  const std::size_t kept = size_ - used;
  const std::size_t more = std::min<std::uint64_t>(std::max(kWindow, kept), end_ - next_);
  if (kept + more > room_) {
    room_ = kept + more;
    auto larger = std::make_unique_for_overwrite<char[]>(room_ + kPadding);
    if (kept) std::memcpy(larger.get(), bytes_.get() + used, kept);
    bytes_ = std::move(larger);
  } else if (kept) {
    std::memmove(bytes_.get(), bytes_.get() + used, kept);
  }
  MLP_TRY(const std::size_t got, file_.read_at(next_, {bytes_.get() + kept, more}));
  next_ += got;
  size_ = kept + got;
  std::memset(bytes_.get() + size_, 0, kPadding);
  return got == more;
}

namespace {

Result<void> hash_fragment(File& file, const std::string& path, Fragment& fragment, const Digest& domain, const std::function<void(std::string_view)>& look) {
  Hasher hasher("text fragment/1");
  hasher.add(domain).add(fragment.end - fragment.begin);
  Window window(file, fragment.begin, fragment.end);
  for (std::size_t used = 0; !(window.at_end() && used == window.text().size());) {
    MLP_TRY(const bool whole, window.refill(used));
    if (!whole) return source_changed(path);
    // Up to the last line end; without one, more is read.
    const std::string_view text = window.text();
    used = window.at_end() ? text.size() : text.rfind('\n') + 1;
    hasher.raw(text.data(), used);
    look(text.substr(0, used));
  }
  fragment.content = hasher.finish();
  return {};
}

}  // namespace

Result<void> hash_fragments(File& file, FileScan& scan, const Digest& domain, const std::function<void(std::size_t, std::string_view)>& look) {
  // Hashing takes longer than finding the rows, and fragments can be hashed side by side.
  std::vector<std::optional<diag::Diagnostic>> failures(scan.fragments.size());
  parallel_for(scan.fragments.size(), [&](std::size_t i) {
    auto done = hash_fragment(file, scan.path, scan.fragments[i], domain, [&](std::string_view lines) { look(i, lines); });
    if (!done) failures[i] = std::move(done.error());
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
