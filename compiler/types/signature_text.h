#pragma once

#include <string>
#include <string_view>

#include "compiler/types/signature.h"

namespace mlp {

/// "fn", "drift test" …: how people call entries of that kind.
std::string_view word(EntryKind kind);
/// `smoothing: float in 0..10000 = 10`.
std::string parameter_text(const Parameter& parameter);
/// The entry on one line, as it would be declared: `fn log1p(x: float) -> float? known when x > -1`.
std::string declaration_text(const Signature& signature);

}  // namespace mlp
