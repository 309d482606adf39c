#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "runtime/jit/compiler.h"

/// The value of an expression, by whichever tier is faster. The tier changes no bit.
namespace mlp::jit {

/// Kernels of one run, compiled when first asked for. May be used by many threads. LLVM is loaded with the first kernel.
class Kernels {
 public:
  explicit Kernels(CompilerOptions options) : options_(std::move(options)) {}
  /// E0905, E0907 as load_kernel_compiler and KernelCompiler::compile.
  Result<std::shared_ptr<const Kernel>> get(const expr::Expr& e);

 private:
  CompilerOptions options_;
  std::mutex mutex_;
  std::unique_ptr<KernelCompiler> compiler_;
  std::map<Digest, std::shared_ptr<const Kernel>> kernels_;  ///< by the expression's key over its inputs' types
};

struct EvaluateOptions {
  Kernels* kernels = nullptr;  ///< null: everything is interpreted
  /// Rows for which the expression will be computed in this run, over all fragments; 0: those of the batch.
  std::size_t total_rows = 0;
  /// From how many rows on compiling (about 15 ms, or 1 ms from the cache) is cheaper than interpreting.
  std::size_t compile_from_rows = 100'000;
};

/// As interp::evaluate.
Result<Column> evaluate(const expr::Expr& e, const Batch& inputs, const EvaluateOptions& options);

}  // namespace mlp::jit
