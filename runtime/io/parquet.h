#pragma once

#include <string>
#include <vector>

#include "runtime/io/source.h"

/// Parquet files, through DuckDB in a module that is loaded on first use.
///
/// What a column of a table may be read from, by its type: bool: BOOLEAN · int: whole numbers of any width, DECIMAL and floats without a
/// fraction · float: any number · date: DATE · timestamp: TIMESTAMP (taken as UTC), TIMESTAMP WITH TIME ZONE · string, category: texts, also
/// ENUM and UUID · and what texts may hold (see contract_column.h) from texts. A value that the type cannot hold exactly is refused; decimals
/// become the nearest float, as in files of text. NaN is missing. Lists, structures, bytes and times of day are none.
namespace mlp::io {

/// The fragments of a file are ranges of rows of one of its row groups: Fragment::begin and ::end count rows from 0.
/// E0804 where it is no Parquet file, E0905 where the module is not there.
Result<FileScan> look_at_parquet(const Source& source, const std::string& path);
/// E0804 where a column cannot be that of a table, E0801 where it holds values of another kind.
Result<ReadOutcome> read_parquet(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);

Result<std::vector<Type>> types_of_parquet(const Source& source, const FileScan& file);

/// A column to be written: doubles (float), whole numbers (int; VARCHAR where one of them is none), true and false (bool), days (date),
/// microseconds (timestamp: TIMESTAMP WITH TIME ZONE), else texts.
struct ParquetOutput {
  std::string name;
  Base base = Base::string;
  std::vector<Value> values;
};
/// The bytes of a file with these columns, one or more, all of one length. The same bytes for the same values.
Result<std::string> write_parquet(const std::vector<ParquetOutput>& columns);

}  // namespace mlp::io
