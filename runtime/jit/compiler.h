#pragma once

#include <memory>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/expr/expr.h"
#include "runtime/column/column.h"

/// Expressions as machine code: each is one loop over its rows, equal bit for bit to the interpreter.
namespace mlp::jit {

struct CompilerOptions {
  /// "native": the CPU this runs on; "baseline": what every CPU of the architecture has (on x86-64 no AVX, no fused
  /// multiply-add); else a name of LLVM's. The values are the same on each.
  std::string cpu = "native";
  /// Where object code is kept from process to process; empty: nowhere.
  std::string cache_directory;
};

/// A compiled expression. May be used by many threads at once; outlives its compiler.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// As interp::evaluate.
  virtual Column evaluate(const Batch& inputs) const = 0;
};

/// May be used by many threads; they wait for each other while compiling.
class KernelCompiler {
 public:
  virtual ~KernelCompiler() = default;
  /// For expressions that can_compile. E0907 when LLVM fails.
  virtual Result<std::shared_ptr<const Kernel>> compile(const expr::Expr& e) = 0;
  /// How many kernels came out of the object cache, for tests and reports.
  virtual std::size_t cache_hits() const = 0;
};

/// Why the expression is interpreted on every tier, as its functions declare it; empty where a kernel can be compiled.
std::string interpreted_because(const expr::Expr& e);

/// Opens the module that holds LLVM. E0905 when it is not there, E0907 when LLVM knows no such CPU.
Result<std::unique_ptr<KernelCompiler>> load_kernel_compiler(const CompilerOptions& options);

}  // namespace mlp::jit
