#pragma once

#include <cstdint>

#include "runtime/io/text_file.h"

namespace mlp::io {

/// What tells rows apart in a text.
struct RowRules {
  bool quotes = true;         ///< a field in quotes may hold line ends (csv_records.h)
  char delimiter = ',';       ///< of fields
  bool trim = false;          ///< blanks before a quote do not matter
  bool blank_is_row = false;  ///< a line without text is one
  std::uint64_t piece_bytes = std::uint64_t{1} << 22;  ///< looked at by one thread; decides nothing
};

/// Finds the rows from a byte on, which begins physical line `line`, and cuts them into fragments of at most `fragment_rows`: fills
/// FileScan::fragments, without their digests, and ::rows. Parts of the file are looked at side by side. E0901; E0804 where a quote is never
/// closed; E0805.
Result<void> find_rows(File& file, FileScan& scan, const RowRules& rules, std::uint64_t begin, std::uint64_t line, std::uint64_t fragment_rows);

}  // namespace mlp::io
