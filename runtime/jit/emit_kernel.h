#pragma once

#include <llvm/IR/Module.h>
#include <map>
#include <memory>
#include <string>

#include "compiler/expr/expr.h"

namespace mlp::jit {

/// Native functions in the bitcode, by symbol: their names after mangling.
using NativeNames = std::map<std::string, std::string, std::less<>>;
NativeNames native_names(const llvm::Module& kernels);

/// The loop over the rows of one expression, calling natives that `kernels` declares. The result's name is kKernelName.
std::unique_ptr<llvm::Module> emit_kernel(const expr::Expr& e, const llvm::Module& kernels, const NativeNames& names);

}  // namespace mlp::jit
