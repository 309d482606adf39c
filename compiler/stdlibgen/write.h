#pragma once

#include <span>
#include <string>

#include "compiler/types/signature.h"

/// The generated files, as text. The same signatures give the same text.
namespace mlp::stdlib {

/// stdlib_table.cpp: defines what compiler/types/signature.h declares.
std::string write_table(std::span<const Signature> entries);
/// native_names.h: a prototype for every native row function, as kernels/abi.h says.
std::string write_native_names(std::span<const Signature> entries);
/// kernel_table.cpp: defines native_functions() of kernels/table.h.
std::string write_kernel_table(std::span<const Signature> entries);
/// native_learn_names.h: every native transform, model, metric and drift test.
std::string write_learn_names(std::span<const Signature> entries);
/// learn_table.cpp: defines the find_… functions of runtime/learn/native.h.
std::string write_learn_table(std::span<const Signature> entries);

}  // namespace mlp::stdlib
