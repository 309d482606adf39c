#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/column/column.h"
#include "runtime/io/field_run.h"
#include "runtime/io/field_reader.h"
#include "runtime/io/source.h"
#include "runtime/io/text_index.h"

namespace mlp::io {

/// Values that break the contract, of one column or of rows as a whole.
struct BadCells {
  struct Cell {
    std::uint32_t row = 0;
    std::string column;  ///< empty: the row as a whole
    std::string value;   ///< shortened, as a person reads it
    std::string reason;  ///< what was expected: "not in 1..99"
  };
  std::vector<Cell> first;          ///< in the order of the rows, at most as many as are asked for
  std::vector<std::uint32_t> rows;  ///< of all of them, ascending
  std::map<std::string, std::uint64_t> by_reason;  ///< as BadValues::by_reason

  void add(Cell cell, std::size_t most);
};

/// Fills a column with values, each judged by the column's part of the contract: the same rules for a field of a text file, a value of a
/// JSON object, a cell of a typed file. A bad value is missing in the column.
///
/// What a value that has a type may be, by the type of the column:
///   bool: true, false (and the texts of `values (…)`) · int: a whole number, 40.0 is one · float: a finite number
///   string, category: a text · date, timestamp: one, or a text in the format of the column · duration: one, or a text like "90min"
/// A text is read as a field of a delimited file is: blanks around it go where the source trims, the source's null text and the
/// empty text are missing.
class ContractColumn {
 public:
  /// `rows` values are added, exactly. `field` lives longer.
  ContractColumn(const FieldReader& field, std::size_t rows, std::size_t most_shown = BadValues::kShown);

  void add_missing();
  /// The row as a whole is bad: missing, without a word.
  void add_nothing();
  /// A field of a delimited file.
  void add_field(std::string_view text);
  /// The same for many.
  void add_fields(const FieldRun& fields);

  void add(bool value);
  void add(std::int64_t value);
  void add(double value);
  void add(std::string_view value);
  void add(const std::string& value) { add(std::string_view(value)); }
  void add(std::monostate) { add_missing(); }
  void add_date(std::int64_t days);
  void add_timestamp(std::int64_t microseconds);
  void add_duration(std::int64_t microseconds);
  /// A value that the column cannot have.
  void add_bad(std::string_view value, std::string reason);
  /// "a text where a whole number is expected"
  void add_other_kind(std::string_view value, std::string_view is);

  /// What is said of a missing value that may not be.
  void say_missing(std::string reason) { why_missing_ = std::move(reason); }
  std::size_t rows() const { return row_; }
  const BadCells& bad() const { return bad_; }
  Column finish();

 private:
  template <class T, class Quick>
  void add_quick(const FieldRun& fields, Quick quick);
  template <class T, class Read>
  void add_read(const FieldRun& fields, Read read);
  void add_categories(const FieldRun& fields);
  void add_texts(const FieldRun& fields);
  template <class T>
  void check_read(const std::optional<T>& value, std::string_view written);
  void put(bool value);
  void put(std::int64_t value);
  void put(double value);
  void put_text(std::string_view value);
  void append_text(std::string_view value);
  /// Number of the value in the dictionary, or a negative one where it breaks the contract.
  std::int32_t code_of(std::string_view value);

  const FieldReader* field_;
  Base base_;
  bool may_be_missing_;
  std::size_t rows_, row_ = 0, most_shown_;
  std::string why_missing_;  ///< empty: as the field says
  Buffer data_, known_, offsets_;
  std::string texts_;
  TextIndex distinct_;
  std::vector<std::uint8_t> is_read_;  ///< of the fields that are read together: whether they are
  std::vector<std::uint8_t> is_good_;  ///< of distinct_: breaks no rule
  BadCells bad_;
};

/// What was read of a fragment, and what is bad about it, `most_shown` of it with its place; `line` tells the line (or the number in the file) of a row of the fragment.
ReadOutcome collect(std::span<ContractColumn> columns, const BadCells& whole_rows, const std::string& path, const Fragment& fragment,
                    std::size_t most_shown, const std::function<std::uint64_t(std::uint32_t row)>& line);

}  // namespace mlp::io
