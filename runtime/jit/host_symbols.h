#pragma once

#include <span>

namespace mlp::jit {

/// A function of this process that compiled kernels may call.
struct HostSymbol {
  const char* name;
  void* address;
};

/// All that the natives call and LLVM makes up: exact functions of C's library, reading of numbers, and SLEEF's. Named one by
/// one, so that a kernel can never reach a function whose bits depend on the machine.
std::span<const HostSymbol> host_symbols();

}  // namespace mlp::jit
