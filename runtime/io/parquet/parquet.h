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
/// The bytes of a file with these columns, all of one length: BIGINT, DOUBLE or BOOLEAN where every known value is such, else VARCHAR.
/// The same bytes for the same values.
Result<std::string> write_parquet(const std::vector<std::string>& names, const std::vector<std::vector<Value>>& columns);

/// What the loader looks up in the module.
struct ParquetModule {
  int version;
  Result<std::vector<std::string>> (*names)(const std::string& path);
  Result<std::unique_ptr<ParquetRows>> (*read)(const std::string& path, const std::vector<ParquetColumn>& columns);
  Result<std::string> (*write)(const std::vector<std::string>& names, const std::vector<std::vector<Value>>& columns);
};
inline constexpr int kParquetModuleVersion = 1;

}  // namespace mlp::io
