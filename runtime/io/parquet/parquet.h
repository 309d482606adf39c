#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"

/// Parquet files, through DuckDB in a module that is loaded on first use.
namespace mlp::io {

/// A column to be read. Dates and times are given as texts in `format` (empty: ISO 8601, UTC), as in files of text.
struct ParquetColumn {
  std::string name;
  std::string format;
};

/// The rows of a file, in its order.
class ParquetRows {
 public:
  virtual ~ParquetRows() = default;
  /// At most `count` further rows, fewer only at the end: a bool, int64, double, text or monostate for each column. Numbers
  /// that fit neither int64 nor double are texts.
  virtual Result<std::vector<std::vector<Value>>> next(std::size_t count) = 0;
};

/// The names of the file's columns. E0804 where it is no Parquet file, E0905 where the module is not there.
Result<std::vector<std::string>> parquet_names(const std::string& path);
/// Begins to read columns that the file has. E0804 where one holds lists, structures or bytes.
Result<std::unique_ptr<ParquetRows>> read_parquet(const std::string& path, const std::vector<ParquetColumn>& columns);
/// A column to be written: doubles (float), whole numbers (int; VARCHAR where one of them is none), else texts.
struct ParquetOutput {
  std::string name;
  Base base = Base::string;
  std::vector<Value> values;
};
/// The bytes of a file with these columns, one or more, all of one length. The same bytes for the same values.
Result<std::string> write_parquet(const std::vector<ParquetOutput>& columns);

/// What the loader looks up in the module.
struct ParquetModule {
  int version;
  Result<std::vector<std::string>> (*names)(const std::string& path);
  Result<std::unique_ptr<ParquetRows>> (*read)(const std::string& path, const std::vector<ParquetColumn>& columns);
  Result<std::string> (*write)(const std::vector<ParquetOutput>& columns);
};
inline constexpr int kParquetModuleVersion = 2;

}  // namespace mlp::io
