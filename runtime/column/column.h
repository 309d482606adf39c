#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/types/type.h"

/// Immutable columns. A cell of the store is one Column: one column of one fragment.
namespace mlp {

/// Bytes aligned to 64, immutable once shared.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);  ///< zeroed
  static Buffer copy(const void* data, std::size_t bytes);
  static Buffer unwritten(std::size_t bytes);  ///< every byte is to be written by the caller
  std::size_t size() const { return size_; }
  const std::byte* data() const { return data_.get(); }
  std::byte* mutable_data() { return data_.get(); }  ///< only while the caller is the single owner
  explicit operator bool() const { return data_ != nullptr; }
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data_.get()), size_ / sizeof(T)};
  }
  template <class T>
  std::span<T> as_mutable() {
    return {reinterpret_cast<T*>(data_.get()), size_ / sizeof(T)};
  }

 private:
  std::shared_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// The values of a category cell: distinct, sorted by bytes.
struct Dictionary {
  std::vector<std::string> values;
  /// Code of the value, or -1.
  std::int32_t find(std::string_view value) const;
};

/// What a column holds, by its type's base:
///   bool: uint8 0/1 · int, date, timestamp, duration: int64 · float: double · category: int32 codes into `dictionary`
///   string: `offsets` (int64, rows + 1) into `data` · vector(N): N runs of `rows` doubles, one after the other
/// `known` is empty when nothing is missing, else one uint8 a row; under a missing value the data is zero (empty text, code 0),
/// so that equal columns have equal bytes.
struct Column {
  Type type;
  std::size_t rows = 0;
  Buffer data;
  Buffer offsets;
  Buffer known;
  std::shared_ptr<const Dictionary> dictionary;

  bool is_known(std::size_t row) const { return !known || known.as<std::uint8_t>()[row] != 0; }
  template <class T>
  std::span<const T> values() const {
    return data.as<T>();
  }
  /// Text of a string or category row that is known.
  std::string_view text(std::size_t row) const;
  std::size_t count_missing() const;
  /// Number of runs of a vector column.
  std::size_t width() const;
};

/// Columns of equal length, and the ordinal of their first row in the whole table.
struct Batch {
  std::vector<Column> columns;
  std::size_t rows = 0;
  std::uint64_t first_row = 0;
};

/// Grows a column value by value; `finish` sorts the dictionary, drops an all-known mask and leaves the builder empty.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(Type type, std::size_t expected_rows = 0);
  void push_missing();
  void push_bool(bool value);
  void push_int(std::int64_t value);       ///< int, date, timestamp, duration
  void push_float(double value);           ///< NaN and infinities become missing
  void push_text(std::string_view value);  ///< string and category
  std::size_t rows() const { return rows_; }
  Column finish();

 private:
  Type type_;
  std::size_t rows_ = 0;
  bool any_missing_ = false;
  std::vector<std::uint8_t> known_;
  std::vector<std::uint8_t> bools_;
  std::vector<std::int64_t> ints_;
  std::vector<double> floats_;
  std::vector<std::int32_t> codes_;
  std::vector<std::int64_t> offsets_;
  std::string bytes_;
  std::vector<std::string> distinct_;
  struct Index;
  std::shared_ptr<Index> index_;
};

/// Rows [from, from + count) of a column.
Column slice(const Column& column, std::size_t from, std::size_t count);
/// The columns one below the other; dictionaries are merged. All have one type.
Column concatenate(std::span<const Column> columns);
/// The rows named by `rows`, in that order.
Column take(const Column& column, std::span<const std::uint32_t> rows);
/// The rows named by `rows`, in that order; below 0: `absent` (monostate: missing). The result has the type given.
Column take(const Column& column, std::span<const std::int64_t> rows, const Value& absent, const Type& type);
/// The one value at a row.
Value value_at(const Column& column, std::size_t row);
/// The value of a bool, int or float (or time) at a known row, as a double.
double number_at(const Column& column, std::size_t row);
/// A column of `rows` times the value.
Column constant(const Type& type, const Value& value, std::size_t rows);
/// The column with zero under missing values, a sorted dictionary of used values only and no all-known mask; shares the
/// buffers that are so already. Every function of this header returns canonical columns; a column filled by hand is passed here.
Column canonical(Column column);
/// Bit for bit equal, by value (dictionaries compare by their texts).
bool equal_bits(const Column& a, const Column& b);

}  // namespace mlp
