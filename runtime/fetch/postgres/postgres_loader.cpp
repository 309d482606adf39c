#include <dlfcn.h>

#include "runtime/fetch/postgres/postgres.h"

namespace mlp::fetch {

Result<std::unique_ptr<Postgres>> connect_postgres(const std::string& url, const PostgresLimits& limits) {
  // Found beside the library that this code is in; it stays open.
  void* const opened = ::dlopen("libmlp_postgres.so", RTLD_NOW | RTLD_LOCAL);
  const auto* module = opened ? static_cast<const PostgresModule*>(::dlsym(opened, "mlp_postgres_module")) : nullptr;
  if (!module || module->version != kPostgresModuleVersion)
    return failure(diag::Code::E0905, "the part of mlpc that reads PostgreSQL (libmlp_postgres.so, libpq) cannot be loaded", "install mlpc again, all of its lib folder, and libpq");
  return module->connect(url, limits);
}

}  // namespace mlp::fetch
