#pragma once

#include "runtime/io/parquet.h"

namespace mlp::io {

/// What is done with DuckDB. It takes long to load, so it sits in a module (libmlp_duckdb.so) that is opened when it is needed; the loader
/// looks up this table there. Its functions are those of parquet.h.
struct DuckdbModule {
  int version;
  decltype(&look_at_parquet) look;
  decltype(&read_parquet) read;
  decltype(&types_of_parquet) types;
  decltype(&write_parquet) write;
};
inline constexpr int kDuckdbModuleVersion = 4;

}  // namespace mlp::io
