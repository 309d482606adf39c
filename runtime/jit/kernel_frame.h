#pragma once

#include <cstdint>

namespace mlp::jit {

/// One input of a kernel for a run of rows: values in their slots (kernels/table.h), and one byte a row that is never null.
struct KernelInput {
  const void* data;
  const std::uint8_t* known;
};

/// What a compiled expression is: fills `rows` slots of the result, zero where it is missing, and one byte a row for known.
using KernelFunction = void (*)(std::int64_t rows, std::int64_t first_row, const KernelInput* inputs, void* result,
                                std::uint8_t* result_known);

inline constexpr const char* kKernelName = "mlp_kernel";

}  // namespace mlp::jit
