// Linked into libmlp.so, not into the module: chooses the tier and opens the module that holds LLVM.

#include "runtime/jit/evaluate.h"

#include <dlfcn.h>

#include <algorithm>

#include "compiler/types/signature.h"
#include "kernels/table.h"
#include "runtime/interp/evaluate.h"

namespace mlp::jit {

std::string interpreted_because(const expr::Expr& e) {
  for (const expr::Node& node : e.nodes) {
    const auto* call = std::get_if<expr::Call>(&node.op);
    if (!call) continue;
    if (const Signature* signature = find_native(call->native); signature && !signature->interpreted_because.empty())
      return signature->interpreted_because;
    if (const NativeFunction* native = find_native_function(call->native); native && native->makes_text)
      return "it makes new text";
  }
  return {};
}

Result<std::unique_ptr<KernelCompiler>> load_kernel_compiler(const CompilerOptions& options) {
  // Found beside the library that this code is in, and never closed: kernels point into it.
  void* const module = ::dlopen("libmlp_jit.so", RTLD_NOW | RTLD_LOCAL);
  using Make = void(const CompilerOptions*, Result<std::unique_ptr<KernelCompiler>>*);
  auto* const make = module ? reinterpret_cast<Make*>(::dlsym(module, "mlp_make_kernel_compiler")) : nullptr;
  if (!make)
    return failure(diag::Code::E0905, "the part of mlpc that compiles expressions cannot be loaded",
                   "build again with `./scripts/build.sh release`, which installs what is missing");
  Result<std::unique_ptr<KernelCompiler>> result;
  make(&options, &result);
  return result;
}

Result<std::shared_ptr<const Kernel>> Kernels::get(const expr::Expr& e) {
  std::vector<Digest> inputs;
  for (std::size_t i = 0; i < e.inputs.size(); ++i)
    inputs.push_back(Hasher("kernel input/1").add(i).add(e.inputs[i].type.base).finish());
  const Digest key = Hasher("kernel/1").add(expr::key(e, inputs)).add(e.inputs.size()).finish();
  const std::scoped_lock lock(mutex_);
  if (const auto at = kernels_.find(key); at != kernels_.end()) return at->second;
  if (!compiler_) {
    MLP_TRY(compiler_, load_kernel_compiler(options_));
  }
  MLP_TRY(std::shared_ptr<const Kernel> kernel, compiler_->compile(e));
  kernels_.emplace(key, kernel);
  return kernel;
}

Result<Column> evaluate(const expr::Expr& e, const Batch& inputs, const EvaluateOptions& options) {
  const bool is_column = !e.nodes.empty() && std::holds_alternative<expr::Input>(e.nodes.back().op);
  const bool pays = options.kernels && std::max(options.total_rows, inputs.rows) >= options.compile_from_rows;
  if (is_column || !pays || !interpreted_because(e).empty()) return interp::evaluate(e, inputs);
  MLP_TRY(const std::shared_ptr<const Kernel> kernel, options.kernels->get(e));
  return kernel->evaluate(inputs);
}

}  // namespace mlp::jit
