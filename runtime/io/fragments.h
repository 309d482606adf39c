#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/io/file_system.h"

namespace mlp::io {

struct Source;

/// Rows of one file that are read together. The values of rows do not depend on how a table is cut.
struct Fragment {
  std::uint32_t file = 0;   ///< index into Table::files
  std::uint64_t begin = 0;  ///< where the rows stand in the file: bytes [begin, end) of a text, whole records; else as its form says
  std::uint64_t end = 0;
  std::uint64_t first_line = 0;  ///< of a text: physical line of the file at `begin`, one-based
  std::uint64_t rows = 0;
  std::uint64_t first_row = 0;  ///< ordinal of the first row in the whole table
  Digest content;  ///< of the names in the header and the bytes; neither path nor position in the file enters

  friend bool operator==(const Fragment&, const Fragment&) = default;
};

/// What one pass over a file finds out: its columns and where its rows are.
struct FileScan {
  std::string path;
  FileStamp stamp;                  ///< of the bytes that were scanned
  std::vector<std::string> header;  ///< names of the columns, in the order of the file
  std::vector<Fragment> fragments;  ///< as if the file were the whole table
  std::uint64_t rows = 0;
  Digest content;        ///< over the digests of the fragments
  char delimiter = 0;    ///< of delimited text
  std::vector<std::pair<std::string, std::string>> partition;  ///< columns that the path holds for all rows: `year=2024/`; not part of what is kept
  Digest made_with;      ///< of the form and the options that decide where rows begin
};

/// A table as the list of its fragments: those of the first file, then those of the next.
struct Table {
  std::shared_ptr<const Source> source;  ///< null where rows are made, not read
  std::vector<FileScan> files;
  std::vector<Fragment> fragments;
  std::uint64_t rows = 0;
  Digest content;  ///< over the contents of the files in order
  /// Of each fragment the rows that leave_out took: positions among all that it has in the file, ascending. Empty: none of the table.
  std::vector<std::vector<std::uint32_t>> left_out;
};

/// Puts the files' fragments in order and numbers their rows through.
Table join_files(std::shared_ptr<const Source> source, std::vector<FileScan> files);

/// Takes rows out of the table, `rows[f]` of fragment f: they are not counted, and read_fragment does not give them.
void leave_out(Table& table, std::vector<std::vector<std::uint32_t>> rows);

/// All of a scan but its path, to be kept beside the stamp; decoding gives it with an empty path. E0903, E0909.
std::string encode(const FileScan& scan);
Result<FileScan> decode_file_scan(std::string_view bytes);

}  // namespace mlp::io
