#pragma once

#include <cstddef>

#include "compiler/types/type.h"

namespace mlp {

/// Bytes of one row in Column::data (of one run of a vector); 0 for types without rows of fixed width.
std::size_t row_bytes(Base base);

}  // namespace mlp
