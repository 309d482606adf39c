#pragma once

#include <cstddef>
#include <string>

#include "runtime/column/column.h"

namespace mlp::io {

/// A value as a file without types has it: numbers stay numbers, the rest are texts, dates and times in ISO 8601. monostate: missing.
Value without_type(const Column& column, std::size_t row);
/// The same as a text; of a missing value an empty one.
std::string value_text(const Column& column, std::size_t row);

}  // namespace mlp::io
