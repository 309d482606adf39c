#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mlp::io {

/// Follows quotes from line to line, to tell where a record ends. Agrees with RecordReader on every text.
class QuoteTracker {
 public:
  QuoteTracker(char delimiter, bool trim, bool inside = false) : delimiter_(delimiter), trim_(trim), inside_(inside) {}
  /// The next physical line, with its line feed if it has one.
  void feed(std::string_view line);
  /// The record goes on in the next line.
  bool inside_quotes() const { return inside_; }

 private:
  char delimiter_;
  bool trim_;
  bool inside_;
};

/// A line between records that holds no text (no blanks either, unless they are trimmed).
bool is_blank_line(std::string_view line, char delimiter, bool trim);

/// A text as a field of comma-separated values, in quotes where it needs them.
std::string csv_field(const std::string& text);

/// Takes records out of text, one after the other.
class RecordReader {
 public:
  enum class Fault : std::uint8_t { none, text_after_quote, unclosed_quote };

  /// `skip_blank`: lines without text are no records.
  RecordReader(std::string_view text, std::uint64_t first_line, char delimiter, bool trim, bool skip_blank)
      : text_(text), next_line_(first_line), delimiter_(delimiter), trim_(trim), skip_blank_(skip_blank) {}

  /// False at the end. The fields point into the text, or into memory of the reader until `forget`.
  bool next(std::vector<std::string_view>& fields);
  std::uint64_t line() const { return line_; }  ///< physical line on which the record begins
  Fault fault() const { return fault_; }        ///< what is wrong with the record as a whole
  std::size_t offset() const { return at_; }    ///< of the byte after the record
  std::uint64_t next_line() const { return next_line_; }
  /// Goes on at byte `at` of another text; the fields given so far stay.
  void start(std::string_view text, std::size_t at, std::uint64_t line) {
    text_ = text;
    at_ = at;
    next_line_ = line;
    block_ = static_cast<std::size_t>(-1);
  }
  /// Fields given so far are no longer used.
  void forget() { unescaped_.clear(); }

 private:
  std::string_view quoted_field();
  std::string_view plain_field();
  void skip_blanks();
  /// The next delimiter or line feed at or after `at_`, or the end.
  std::size_t next_end();

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t next_line_;
  char delimiter_;
  bool trim_;
  bool skip_blank_;
  Fault fault_ = Fault::none;
  std::size_t block_ = static_cast<std::size_t>(-1);  ///< number of the 64 bytes that `ends_` is of
  std::uint64_t ends_ = 0;                            ///< a bit for each of them that is a delimiter or a line feed
  std::deque<std::string> unescaped_;
};

}  // namespace mlp::io
