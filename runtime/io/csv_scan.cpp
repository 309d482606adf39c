#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "compiler/support/check.h"
#include "compiler/support/utf8.h"
#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/field_text.h"
#include "runtime/io/row_finder.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

/// A header longer than this is no header.
constexpr std::size_t kLongestHeader = std::size_t{1} << 24;

/// What a file that is no delimited text is, by its first bytes, and the mend; empty for text.
std::pair<std::string_view, std::string_view> other_format(std::string_view head) {
  using namespace std::string_view_literals;
  struct Format {
    std::string_view magic, what, help;
  };
  static constexpr std::string_view kSave = "save it as CSV";
  static constexpr Format kFormats[] = {{"PK\x03\x04"sv, "it is a zip archive or a spreadsheet", kSave},
                                        {"\x1F\x8B"sv, "it is compressed with gzip", "a compressed file is known by its ending: name it .gz"},
                                        {"\x28\xB5\x2F\xFD"sv, "it is compressed with zstd", "a compressed file is known by its ending: name it .zst"},
                                        {"PAR1"sv, "it is a Parquet file", "read it with the source `parquet`"},
                                        {"ARROW1"sv, "it is an Arrow file", "read it with the source `arrow`"},
                                        {"SQLite format 3\0"sv, "it is an SQLite database", "read it with the source `sqlite`"},
                                        {"\xFF\xFE"sv, "it is UTF-16 text", "say so: `encoding: \"utf-16\"`"},
                                        {"\xFE\xFF"sv, "it is UTF-16 text", "say so: `encoding: \"utf-16\"`"}};
  for (const auto& [magic, what, help] : kFormats)
    if (head.starts_with(magic)) return {what, help};
  return {};
}

Result<std::vector<std::string>> read_header(const std::string& path, std::string_view text, std::uint64_t line,
                                             const ReadOptions& options) {
  if (!is_utf8(text)) return no_table(path, line, "the names of its columns are not UTF-8 text", "save it as UTF-8, or say how it is written: `encoding: \"latin1\"`");
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

void add_header(Hasher& hasher, const std::vector<std::string>& header) {
  hasher.add(header.size());
  for (const std::string& name : header) hasher.add(name);
}

}  // namespace

Result<FileScan> look_at_csv(const Source& source, const std::string& path) {
  const ReadOptions& options = source.options;
  FileScan scan;
  scan.path = path;
  scan.delimiter = options.delimiter;
  MLP_TRY(const std::shared_ptr<File> file, open_text(source, path));
  MLP_TRY(scan.stamp, file->stamp());

  // The header: one record.
  LineSource lines(*file);
  QuoteTracker quotes(options.delimiter, options.trim);
  std::string header;
  std::uint64_t begin = 0, line_number = 0, header_line = 0;
  for (bool complete = false; !complete;) {
    MLP_TRY(const auto next, lines.next());
    if (!next && header.empty()) return no_table(path, 0, "it is empty", "its first line names the columns");
    if (!next)
      return no_table(path, header_line, "a quote opened in the record that begins here is never closed", "a quote inside a quoted field is written twice");
    std::string_view line = *next;
    ++line_number;
    begin += line.size();
    if (line_number == 1) {
      if (const auto [what, help] = other_format(line); !what.empty()) return no_table(path, 0, std::string(what), std::string(help));
      if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    }
    if (header.empty() && is_blank_line(line, options.delimiter, options.trim)) continue;
    if (header.empty()) header_line = line_number;
    quotes.feed(line);
    header += line;
    if (header.size() > kLongestHeader)
      return no_table(path, header_line, "its first record is longer than 16 MB", "it may have an opening quote that is not closed");
    complete = !quotes.inside_quotes();
  }
  if (!header.ends_with('\n') && header.find('\r') != std::string::npos)
    return no_table(path, 0, "its lines end with carriage returns alone", "save it with line feeds");
  MLP_TRY(scan.header, read_header(path, header, header_line, options));
  MLP_TRY_VOID(find_rows(*file, scan, {true, options.delimiter, options.trim, scan.header.size() == 1}, begin, line_number + 1, options.fragment_rows));

  Hasher names("csv fragment/1");
  add_header(names, scan.header);
  if (source.hashes) MLP_TRY_VOID(hash_fragments(*file, scan, names.finish(), [](std::size_t, std::string_view) {}));
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != scan.stamp) return source_changed(path);

  Hasher hasher("csv file/1");
  add_header(hasher, scan.header);
  for (const Fragment& fragment : scan.fragments)
    hasher.add(fragment.content);
  scan.content = hasher.finish();
  return scan;
}

}  // namespace mlp::io
