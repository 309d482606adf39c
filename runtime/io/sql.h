#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/schema.h"
#include "runtime/column/column.h"

/// SQL over columns, through DuckDB in a module that is loaded on first use.
namespace mlp::io {

/// A table that a statement may name.
struct SqlTable {
  std::string name;  ///< "people"; "shared.people" is the table of a schema
  Schema columns;    ///< one value a row, or a vector of known width
  std::size_t fragments = 0;
  /// The values of a column in a fragment; asked for when the statement needs them, from one thread.
  std::function<Result<Column>(std::size_t column, std::size_t fragment)> read;
};

/// The first rows of what a statement gives.
struct SqlAnswer {
  Schema columns;
  std::vector<Column> values;
  std::uint64_t rows = 0;  ///< all of them, also those that are not in `values`
};

/// The names of the tables that a statement reads, as it writes them, each once. E0111 where it is no SQL, E0905.
Result<std::vector<std::string>> sql_tables(const std::string& statement);

/// What a statement may take.
struct SqlLimits {
  std::uint64_t memory = 0;  ///< bytes; 0: what DuckDB allows itself
  std::string spill;         ///< a folder for what does not fit, made when it is needed and removed; empty: nothing is written
};

/// Runs a statement on one thread, so that equal tables give equal rows in equal order. It sees these tables and nothing else: no file, no
/// network. The span of E0111, where there is one, counts the bytes of the statement. Failures of `read` come back as they are.
Result<SqlAnswer> run_sql(const std::string& statement, std::span<const SqlTable> tables, std::uint64_t most_rows, const SqlLimits& limits = {});

}  // namespace mlp::io
