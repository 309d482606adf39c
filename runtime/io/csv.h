#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"
#include "runtime/column/column.h"
#include "runtime/io/column_profile.h"
#include "runtime/io/file_system.h"
#include "runtime/io/fragments.h"

/// Delimited text files (RFC 4180 and its relatives), typed and without loss.
///
/// A record ends at a line feed, with or without a carriage return before it, or at the end of the file. A field that begins with
/// `"` ends at the next single `"` and may hold delimiters and line ends; `""` in it is one `"`. Text in quotes is not trimmed.
/// Lines without any text are no rows in files of more than one column. The first record names the columns; a byte order mark
/// before it is ignored.
namespace mlp::io {

/// A column to be read, with its part of the table's contract.
struct CsvColumn {
  std::string name;    ///< in the file
  Type type;           ///< one value a row: bool, int, float, string, date, timestamp, duration, category
  std::string format;  ///< of dates and timestamps; empty: ISO 8601 (see date_text.h)
  std::vector<std::string> bool_values;  ///< the texts of true and false; empty: true, false, 0, 1
  std::optional<Interval> range;         ///< both ends in
  std::vector<std::string> allowed;  ///< the only values, in the notation of the type; a closed domain holds by itself
  std::string matches;               ///< RE2 expression that the whole text of a field fits
};

struct CsvOptions {
  char delimiter = ',';
  std::string null;   ///< a field with this text is missing, as an empty one is
  bool trim = false;  ///< blanks and tabs around fields are not part of them
  char decimal = '.';
  std::string zone;  ///< of timestamps without an offset; empty: UTC
  std::uint64_t fragment_rows = 65536;
};

/// Finds the columns and the rows, and hashes them. E0901, E0804, E0308, E0805 when the file changed meanwhile.
Result<FileScan> scan_csv(FileSystem& files, const std::string& path, const CsvOptions& options);

/// The position in the file of each column, by name. E0803 with all that are missing.
Result<std::vector<std::uint32_t>> bind_columns(const FileScan& file, std::span<const CsvColumn> columns);

/// Whether the columns and options can be read at all, whatever the file: delimiter, formats, patterns, types, zone (E0601, E0308). Reading
/// checks it too.
Result<void> check_csv(std::span<const CsvColumn> columns, const CsvOptions& options);

/// Values that break the contract.
struct BadValues {
  static constexpr std::size_t kShown = 20;
  std::vector<diag::DataPlace> first;              ///< at most kShown, in the order of the file
  std::uint64_t count = 0;                         ///< all of them
  std::map<std::string, std::uint64_t> by_reason;  ///< "`age` is not a whole number" -> how many

  /// `other` comes later in the table.
  void append(const BadValues& other);
};

struct ReadOutcome {
  Batch batch;                          ///< the columns asked for, in that order; where a value is bad it is missing
  std::vector<ColumnProfile> profiles;  ///< of each column
  BadValues bad;
  std::vector<std::uint32_t> bad_rows;  ///< rows of the batch with a bad value, ascending
};

/// Parses the columns of one fragment of the file. Values that break the contract are in the outcome; a failure is about the file
/// as a whole: E0901, E0803, E0805 when it is no longer the one that was scanned, and what check_csv finds. Thread-safe.
Result<ReadOutcome> read_fragment(FileSystem& files, const FileScan& file, const Fragment& fragment,
                                  std::span<const CsvColumn> columns, const CsvOptions& options);

/// E0801 for the bad values of a whole table, given in the order of its fragments; there is at least one.
diag::Diagnostic contract_failure(std::string_view table, std::span<const BadValues> bad);

}  // namespace mlp::io
