#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/types/type.h"
#include "runtime/column/column.h"

/// Rows as `mlpc peek` and `mlpc query` show them.
namespace mlp::cli {

struct RowsColumn {
  std::string name;
  std::string owner;  ///< of several tables or views, the one that has it; empty where there is one
  Type type;
  Column values;      ///< of the rows shown
  std::string code;   ///< what it is computed by; may be empty
};

struct Rows {
  std::vector<RowsColumn> columns;
  std::vector<std::uint64_t> numbers;  ///< of each row in its table, from 1; empty: not shown
};

/// A value as people read it: dates as ISO 8601, floats in the fewest digits that read back, `missing`.
std::string value_text(const Column& column, std::size_t row);

/// A table for a terminal: names, types, values; numbers to the right, long texts cut, control characters escaped. Columns that do not
/// fit into `width` (0: any) are left out from the right and named below, then what the columns shown are computed by.
std::string rows_text(const Rows& rows, std::size_t width, bool colour);
/// Comma-separated, RFC 4180, with a header; a missing value is an empty field.
std::string rows_csv(const Rows& rows);
/// `"columns":[{"name","type","of","code"}],"rows":[[…]]`, without braces, after `"row_numbers":[…]` where there are numbers.
std::string rows_json(const Rows& rows);

/// Columns of the terminal on stdout; COLUMNS where that is set; 0 where there is none.
std::size_t terminal_width();

}  // namespace mlp::cli
