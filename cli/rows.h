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

/// The same as JSON.
std::string value_json(const Column& column, std::size_t row);

/// At most so many columns of a terminal, with … at the end of what is longer.
std::string cut(const std::string& text, std::size_t most);
/// "category?" of a category with a domain: what it holds is in the cells.
std::string short_type(const Type& type);
/// `paint`: a code of the terminal, empty for none. Blanks are not painted, so that those at the end of a line can go.
std::string padded(const std::string& text, std::size_t width, bool right, const char* paint = "");

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
