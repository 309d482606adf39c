#pragma once

#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "runtime/column/column.h"

namespace mlp {

/// The bytes of a cell: magic, version, type, rows, sections, XXH3 checksum. Equal columns give equal bytes.
std::string encode(const Column& column);
/// Checks every size before it allocates; a wrong byte is a failure (E0903, E0909), never a crash.
Result<Column> decode_column(std::string_view bytes);

}  // namespace mlp
