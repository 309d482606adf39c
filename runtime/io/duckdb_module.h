#pragma once

#include "runtime/io/parquet.h"
#include "runtime/io/sql.h"

namespace mlp::io {

/// What is done with DuckDB. It takes long to load, so it sits in a module (libmlp_duckdb.so) that is opened when it is needed; the loader
/// looks up this table there. Its functions are those of parquet.h and sql.h.
struct DuckdbModule {
  int version;
  decltype(&look_at_parquet) look;
  decltype(&read_parquet) read;
  decltype(&types_of_parquet) types;
  decltype(&write_parquet) write;
  decltype(&sql_tables) tables;
  decltype(&run_sql) query;
};
inline constexpr int kDuckdbModuleVersion = 7;

}  // namespace mlp::io
