#include <dlfcn.h>

#include "runtime/learn/tree_grower.h"

namespace mlp::learn {

Result<std::unique_ptr<TreeGrower>> make_tree_grower(const MatrixView& matrix, const GrowerSettings& settings) {
  constexpr const char* kHelp = "install mlpc again, all of its lib folder";
  // The loader counts: opening it again costs a look-up, and it stays open.
  void* module = dlopen("libmlp_xgboost.so", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return failure(diag::Code::E0905, "the part that trains trees (libmlp_xgboost.so) cannot be loaded", kHelp);
  const auto* factory = static_cast<const TreeGrowerFactory*>(dlsym(module, "mlp_tree_grower_factory"));
  if (factory == nullptr || factory->version != kTreeGrowerVersion)
    return failure(diag::Code::E0905, "the part that trains trees (libmlp_xgboost.so) is of another version of mlpc", kHelp);
  return factory->make(matrix, settings);
}

}  // namespace mlp::learn
