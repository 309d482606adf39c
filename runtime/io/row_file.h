#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/column.h"

/// Rows of a table in a file of our own: what was fetched from elsewhere, or goes to a program and comes back. The form "rows" reads it:
/// delimited text, in which one NUL byte is a missing value, so that the empty text is a text.
namespace mlp::io {

class RowWriter {
 public:
  /// Writes to an open file, from where it stands.
  explicit RowWriter(int file) : file_(file) {}

  void header(std::span<const std::string> names);
  void add_missing() { begin() += '\0'; }
  void add_bool(bool value) { begin() += value ? "true" : "false"; }
  void add_int(std::int64_t value);
  /// Exactly, in the fewest digits. What is not finite is written as a text that no float is read from.
  void add_float(double value);
  void add_text(std::string_view value);
  /// A text without quotes, delimiters and line ends, as it is: digits of a decimal, a time.
  void add_plain(std::string_view value) { begin() += value; }
  void add_value(const Column& column, std::size_t row);
  void end_row();

  std::uint64_t rows() const { return rows_; }
  /// Everything is with the system. E0904.
  Result<void> finish();

 private:
  std::string& begin();
  void flush();

  int file_;
  int error_ = 0;
  bool first_ = true;
  std::uint64_t rows_ = 0;
  std::string buffer_;
};

}  // namespace mlp::io
