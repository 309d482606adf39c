#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/column/utf8.h"
#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
/// A header longer than this is no header.
constexpr std::size_t kLongestHeader = std::size_t{1} << 24;

std::unexpected<diag::Diagnostic> no_table(const std::string& path, std::uint64_t line, std::string what,
                                           std::string help) {
  auto d = diag::make(diag::Code::E0804, {}, fmt::format("`{}` cannot be read as a table: {}", path, what));
  d.help = std::move(help);
  if (line) d.places.push_back({path, line, "", "", std::move(what)});
  return failure(std::move(d));
}

/// The physical lines of a file, read in chunks: no more than a line and a chunk are in memory.
class LineSource {
 public:
  explicit LineSource(File& file) : file_(file) {}

  /// With its line feed; nullopt at the end. Valid until the next call.
  Result<std::optional<std::string_view>> next() {
    std::size_t search_from = begin_;
    while (true) {
      if (search_from < end_) {
        const void* feed = std::memchr(buffer_.data() + search_from, '\n', end_ - search_from);
        if (feed) {
          const auto end = static_cast<std::size_t>(static_cast<const char*>(feed) - buffer_.data()) + 1;
          return take(end);
        }
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

 private:
  std::optional<std::string_view> take(std::size_t end) {
    const std::string_view line(buffer_.data() + begin_, end - begin_);
    begin_ = end;
    return line;
  }

  File& file_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

/// What a file that is no delimited text is, by its first bytes; empty for text.
std::string_view other_format(std::string_view head) {
  using namespace std::string_view_literals;
  static constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
      {"PK\x03\x04"sv, "it is a zip archive or a spreadsheet"},
      {"\x1F\x8B"sv, "it is compressed with gzip"},
      {"\x28\xB5\x2F\xFD"sv, "it is compressed with zstd"},
      {"PAR1"sv, "it is a Parquet file"},
      {"ARROW1"sv, "it is an Arrow file"},
      {"SQLite format 3\0"sv, "it is an SQLite database"},
      {"\xFF\xFE"sv, "it is UTF-16 text"},
      {"\xFE\xFF"sv, "it is UTF-16 text"}};
  for (const auto& [magic, what] : kFormats) {
    if (head.starts_with(magic)) return what;
  }
  return "";
}

Result<std::vector<std::string>> read_header(const std::string& path, std::string_view text, std::uint64_t line,
                                             const ReadOptions& options) {
  if (!is_utf8(text)) return no_table(path, line, "the names of its columns are not UTF-8 text", "save it as UTF-8");
  if (text.find('\0') != std::string_view::npos)
    return no_table(path, line, "its first line has NUL bytes", "it is not a text file");
  RecordReader reader(text, line, options.delimiter, options.trim, true);
  std::vector<std::string_view> fields;
  MLP_CHECK(reader.next(fields));
  if (reader.fault() != RecordReader::Fault::none) {
    return no_table(path, line, "the names of its columns have text after a closing quote",
                    "a quote inside a quoted name is written twice");
  }
  std::vector<std::string> names(fields.begin(), fields.end());
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    // A column without a name cannot be asked for, so any number of them does no harm.
    if (!name.empty() && !seen.insert(name).second) {
      return no_table(path, line, fmt::format("two of its columns are named `{}`", shortened(name)),
                      "columns are found by name: rename one");
    }
  }
  return names;
}

}  // namespace

Result<FileScan> look_at_csv(const Source& source, const std::string& path) {
  const ReadOptions& options = source.options;
  FileScan scan;
  scan.delimiter = options.delimiter;
  MLP_TRY(const std::unique_ptr<File> file, source.files->open(path));
  MLP_TRY(scan.stamp, file->stamp());

  LineSource lines(*file);
  QuoteTracker quotes(options.delimiter, options.trim);
  std::string header;
  bool in_header = true, any_feed = false, any_return = false;
  std::uint64_t offset = 0, line_number = 0, record_line = 0, header_line = 0;
  while (true) {
    MLP_TRY(const auto next, lines.next());
    if (!next) break;
    std::string_view line = *next;
    ++line_number;
    const std::uint64_t begin = offset;
    offset += line.size();
    any_feed = any_feed || line.ends_with('\n');
    if (line_number == 1) {
      if (const std::string_view what = other_format(line); !what.empty()) {
        return no_table(path, 0, std::string(what), "csv reads delimited UTF-8 text");
      }
      if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    }
    const bool begins_record = !quotes.inside_quotes();
    if (begins_record) {
      const bool blank_is_row = !in_header && scan.header.size() == 1;
      if (!blank_is_row && is_blank_line(line, options.delimiter, options.trim)) continue;
      record_line = line_number;
    }
    quotes.feed(line);
    if (in_header) {
      if (header.empty()) header_line = line_number;
      any_return = any_return || line.find('\r') != std::string_view::npos;
      header += line;
      if (header.size() > kLongestHeader) {
        return no_table(path, header_line, "its first record is longer than 16 MB",
                        "it may have an opening quote that is not closed");
      }
      if (quotes.inside_quotes()) continue;
      in_header = false;
      MLP_TRY(scan.header, read_header(path, header, header_line, options));
      continue;
    }
    if (begins_record) {
      if (scan.fragments.empty() || scan.fragments.back().rows == options.fragment_rows) {
        Fragment& fragment = scan.fragments.emplace_back();
        fragment.begin = begin;
        fragment.first_line = line_number;
        fragment.first_row = scan.rows;
      }
      ++scan.fragments.back().rows;
      ++scan.rows;
    }
    scan.fragments.back().end = offset;
  }
  if (quotes.inside_quotes()) {
    return no_table(path, record_line, "a quote opened in the record that begins here is never closed",
                    "a quote inside a quoted field is written twice");
  }
  if (in_header) return no_table(path, 0, "it is empty", "its first line names the columns");
  if (!any_feed && any_return)
    return no_table(path, 0, "its lines end with carriage returns alone", "save it with line feeds");

  // Hashing takes longer than finding the rows, and fragments can be hashed side by side.
  std::vector<std::optional<diag::Diagnostic>> failures(scan.fragments.size());
  parallel_for(scan.fragments.size(), [&](std::size_t i) {
    Fragment& fragment = scan.fragments[i];
    Hasher hasher("csv fragment/1");
    hasher.add(scan.header.size());
    for (const std::string& name : scan.header)
      hasher.add(name);
    std::string buffer(std::min<std::uint64_t>(kChunk, fragment.end - fragment.begin), '\0');
    for (std::uint64_t at = fragment.begin; at < fragment.end;) {
      const std::size_t want = std::min<std::uint64_t>(buffer.size(), fragment.end - at);
      const auto got = file->read_at(at, std::span(buffer).first(want));
      if (!got || *got != want) {
        failures[i] = got ? source_changed(path).error() : got.error();
        return;
      }
      hasher.raw(buffer.data(), want);
      at += want;
    }
    fragment.content = hasher.finish();
  });
  for (auto& failed : failures) {
    if (failed) return failure(std::move(*failed));
  }
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != scan.stamp || offset != after.size) return source_changed(path);

  Hasher hasher("csv file/1");
  hasher.add(scan.header.size());
  for (const std::string& name : scan.header)
    hasher.add(name);
  for (const Fragment& fragment : scan.fragments)
    hasher.add(fragment.content);
  scan.content = hasher.finish();
  return scan;
}

}  // namespace mlp::io
