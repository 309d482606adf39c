#include <dlfcn.h>

#include "runtime/io/parquet/parquet.h"

namespace mlp::io {

namespace {

Result<const ParquetModule*> module() {
  // The loader counts: opening it again costs a look-up, and it stays open.
  void* const opened = ::dlopen("libmlp_parquet.so", RTLD_NOW | RTLD_LOCAL);
  const auto* found = opened ? static_cast<const ParquetModule*>(::dlsym(opened, "mlp_parquet_module")) : nullptr;
  if (!found || found->version != kParquetModuleVersion)
    return failure(diag::Code::E0905, "the part that reads and writes Parquet (libmlp_parquet.so, libduckdb.so) cannot be loaded",
                   "run scripts/setup.sh where npm's packages can be reached and build again, or give a CSV or JSON Lines file");
  return found;
}

}  // namespace

Result<std::vector<std::string>> parquet_names(const std::string& path) {
  MLP_TRY(const ParquetModule* const functions, module());
  return functions->names(path);
}

Result<std::unique_ptr<ParquetRows>> read_parquet(const std::string& path, const std::vector<ParquetColumn>& columns) {
  MLP_TRY(const ParquetModule* const functions, module());
  return functions->read(path, columns);
}

Result<std::string> write_parquet(const std::vector<ParquetOutput>& columns) {
  MLP_TRY(const ParquetModule* const functions, module());
  return functions->write(columns);
}

}  // namespace mlp::io
