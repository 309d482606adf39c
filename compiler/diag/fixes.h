#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"

namespace mlp::diag {

/// The safe fixes of one file's diagnostics, in the order of their places. Of fixes that overlap the first is taken (at one place
/// that of the earlier diagnostic); the others come back when the file is checked again, where they still are needed.
std::vector<Fix> choose_safe_fixes(const std::vector<Diagnostic>& diagnostics, std::uint32_t file);

/// The text with the fixes made, which are sorted and do not overlap; every other byte stays as it is.
std::string apply(std::string_view text, const std::vector<Fix>& fixes);

}  // namespace mlp::diag
