#include <dlfcn.h>

#include "runtime/io/duckdb_module.h"

namespace mlp::io {

namespace {

Result<const DuckdbModule*> module() {
  // The loader counts: opening it again costs a look-up, and it stays open.
  void* const opened = ::dlopen("libmlp_duckdb.so", RTLD_NOW | RTLD_LOCAL);
  const auto* found = opened ? static_cast<const DuckdbModule*>(::dlsym(opened, "mlp_duckdb_module")) : nullptr;
  if (!found || found->version != kDuckdbModuleVersion)
    return failure(diag::Code::E0905, "the part that reads and writes Parquet and carries out SQL (libmlp_duckdb.so, libduckdb.so) cannot be loaded",
                   "run scripts/setup.sh where npm's packages can be reached and build again, or give a CSV or JSON Lines file");
  return found;
}

}  // namespace

Result<FileScan> look_at_parquet(const Source& source, const std::string& path) {
  MLP_TRY_VOID(source.files->open(path));  // a file that is not there is told before a module that is not there
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->look(source, path);
}

Result<ReadOutcome> read_parquet(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns) {
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->read(source, file, fragment, columns);
}

Result<std::vector<Type>> types_of_parquet(const Source& source, const FileScan& file) {
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->types(source, file);
}

Result<std::vector<std::string>> sql_tables(const std::string& statement) {
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->tables(statement);
}

Result<SqlAnswer> run_sql(const std::string& statement, std::span<const SqlTable> tables, std::uint64_t most_rows, const SqlLimits& limits) {
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->query(statement, tables, most_rows, limits);
}

Result<std::string> write_parquet(const std::vector<ParquetOutput>& columns) {
  MLP_TRY(const DuckdbModule* const functions, module());
  return functions->write(columns);
}

}  // namespace mlp::io
