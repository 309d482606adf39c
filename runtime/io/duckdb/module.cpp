#include "runtime/io/duckdb_module.h"
#include "runtime/io/duckdb/parquet_functions.h"
#include "runtime/io/duckdb/sql_functions.h"

extern "C" __attribute__((visibility("default"))) const mlp::io::DuckdbModule mlp_duckdb_module;
const mlp::io::DuckdbModule mlp_duckdb_module = {mlp::io::kDuckdbModuleVersion, mlp::io::duck::look, mlp::io::duck::read, mlp::io::duck::types, mlp::io::duck::write, mlp::io::duck::tables,
                                                  mlp::io::duck::query};
