#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"

namespace mlp {

/// A list of byte strings in one object, with its version: the partial or finished states of a transform, one a fold.
std::string pack(const std::vector<std::string>& parts);
/// Bounds every size before it allocates; a wrong byte is a failure (E0903), never a crash.
Result<std::vector<std::string>> unpack(std::string_view bytes);

}  // namespace mlp
