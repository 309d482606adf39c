#include "runtime/io/fragments.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/column/byte_reader.h"
#include "runtime/io/source.h"

namespace mlp::io {

namespace {

constexpr std::string_view kMagic = "MLPSCAN\n";
constexpr std::uint32_t kVersion = 2;
/// Bytes of one fragment as encode writes it.
constexpr std::size_t kFragmentBytes = 5 * sizeof(std::uint64_t) + sizeof(Digest::bytes);

std::unexpected<diag::Diagnostic> damaged() {
  return failure(diag::Code::E0903, "what the store knows of a source file is damaged", "a run looks at the file anew");
}

}  // namespace

namespace {

/// `%2F` and the like, as tools that write partitions put characters that no folder can have.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const hex = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(hex, hex + 2, byte, 16).ptr == hex + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The columns of Hive partitions: folders of the path that are named `column=value`.
std::vector<std::pair<std::string, std::string>> partition_of(std::string_view path) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (std::size_t end; (end = path.find('/')) != std::string_view::npos; path.remove_prefix(end + 1)) {
    const std::string_view folder = path.substr(0, end);
    const std::size_t equal = folder.find('=');
    if (equal == 0 || equal == std::string_view::npos) continue;
    const std::string_view value = folder.substr(equal + 1);
    columns.emplace_back(unescaped(folder.substr(0, equal)), value == "__HIVE_DEFAULT_PARTITION__" ? "" : unescaped(value));
  }
  return columns;
}

}  // namespace

Table join_files(std::shared_ptr<const Source> source, std::vector<FileScan> files) {
  Table table;
  Hasher hasher("table/1");
  for (std::size_t i = 0; i < files.size(); ++i) {
    FileScan& file = files[i];
    if (std::string_view(file.path).starts_with(source->folder)) file.partition = partition_of(std::string_view(file.path).substr(source->folder.size()));
    std::erase_if(file.partition, [&](const auto& column) { return std::ranges::find(file.header, column.first) != file.header.end(); });
    // What stands in the path belongs to the contents of the rows.
    const auto with_partition = [&](const Digest& content) {
      if (file.partition.empty()) return content;
      Hasher whole("partition/1");
      for (const auto& [name, value] : file.partition) whole.add(name).add(value);
      return whole.add(content).finish();
    };
    for (Fragment fragment : file.fragments) {
      fragment.file = static_cast<std::uint32_t>(i);
      fragment.first_row += table.rows;
      fragment.content = with_partition(fragment.content);
      table.fragments.push_back(fragment);
    }
    table.rows += file.rows;
    hasher.add(with_partition(file.content));
  }
  table.content = hasher.finish();
  table.files = std::move(files);
  table.source = std::move(source);
  return table;
}

void leave_out(Table& table, std::vector<std::vector<std::uint32_t>> rows) {
  if (std::ranges::all_of(rows, &std::vector<std::uint32_t>::empty)) return;
  Hasher whole("kept/1");
  whole.add(table.content);
  table.rows = 0;
  for (std::size_t f = 0; f < rows.size(); ++f) {
    Fragment& fragment = table.fragments[f];
    fragment.rows -= rows[f].size();
    fragment.first_row = table.rows;
    table.rows += fragment.rows;
    if (rows[f].empty()) continue;
    Hasher kept("kept/1");
    kept.add(fragment.content);
    for (const std::uint32_t row : rows[f]) kept.add(row);
    fragment.content = kept.finish();
    whole.add(f).add(fragment.content);
  }
  table.content = whole.finish();
  table.left_out = std::move(rows);
}

std::string encode(const FileScan& scan) {
  ByteWriter out;
  const auto digest = [&](const Digest& d) { out.raw(d.bytes.data(), d.bytes.size()); };
  out.raw(kMagic.data(), kMagic.size());
  out.put(kVersion);
  out.put<std::uint8_t>(static_cast<std::uint8_t>(scan.delimiter));
  digest(scan.made_with);
  out.put(scan.stamp.size);
  out.put(scan.stamp.mtime_ns);
  out.put(scan.stamp.ctime_ns);
  out.put(scan.stamp.inode);
  out.put(scan.stamp.device);
  out.put(scan.rows);
  digest(scan.content);
  out.put<std::uint64_t>(scan.header.size());
  for (const std::string& name : scan.header) {
    out.put<std::uint64_t>(name.size());
    out.raw(name.data(), name.size());
  }
  out.put<std::uint64_t>(scan.fragments.size());
  for (const Fragment& f : scan.fragments) {
    for (const std::uint64_t value : {f.begin, f.end, f.first_line, f.rows, f.first_row})
      out.put(value);
    digest(f.content);
  }
  return out.finish();
}

Result<FileScan> decode_file_scan(std::string_view bytes) {
  ByteReader in{bytes};
  if (in.raw(kMagic.size()) != kMagic) return damaged();
  const auto version = in.take<std::uint32_t>();
  if (!in.good) return damaged();
  if (version != kVersion) return failure(diag::Code::E0909, "what the store knows of a source file has the format of another version of mlpc", "use the version that wrote it, or another store with --store");
  if (!in.check_sum()) return damaged();
  const auto digest = [&] {
    Digest d;
    if (const std::string_view part = in.raw(d.bytes.size()); in.good)
      std::memcpy(d.bytes.data(), part.data(), part.size());
    return d;
  };
  FileScan scan;
  scan.delimiter = static_cast<char>(in.take<std::uint8_t>());
  scan.made_with = digest();
  scan.stamp.size = in.take<std::uint64_t>();
  scan.stamp.mtime_ns = in.take<std::int64_t>();
  scan.stamp.ctime_ns = in.take<std::int64_t>();
  scan.stamp.inode = in.take<std::uint64_t>();
  scan.stamp.device = in.take<std::uint64_t>();
  scan.rows = in.take<std::uint64_t>();
  scan.content = digest();
  const auto names = in.take<std::uint64_t>();
  if (!in.good || names > in.left() / sizeof(std::uint64_t)) return damaged();
  for (std::uint64_t i = 0; i < names; ++i)
    scan.header.emplace_back(in.raw(in.take<std::uint64_t>()));
  const auto fragments = in.take<std::uint64_t>();
  if (!in.good || fragments != in.left() / kFragmentBytes || in.left() % kFragmentBytes != 0) return damaged();
  scan.fragments.reserve(fragments);
  std::uint64_t at = 0, row = 0;
  for (std::uint64_t i = 0; i < fragments; ++i) {
    Fragment f;
    for (std::uint64_t* value : {&f.begin, &f.end, &f.first_line, &f.rows, &f.first_row})
      *value = in.take<std::uint64_t>();
    f.content = digest();
    // `end` cannot run over, and it bounds the sum of the rows: a row takes one byte of text, or one place, at least.
    if (f.begin < at || f.end <= f.begin || f.rows == 0 || f.rows > f.end - f.begin || f.first_row != row) {
      return damaged();
    }
    at = f.end;
    row += f.rows;
    scan.fragments.push_back(f);
  }
  if (row != scan.rows) return damaged();
  return scan;
}

}  // namespace mlp::io
