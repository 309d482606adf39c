#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/span.h"

namespace mlp {

/// The file in the one style: four blanks a level, one between words, at most one empty line, what belongs together in columns. Line
/// breaks and comments stay where they are; the tokens are the same, so the meaning is. What is formatted stays as it is when it is
/// formatted again. Nothing after a report, where the file is not well formed.
std::optional<std::string> format_source(const SourceMap& sources, std::uint32_t file, diag::Sink& sink);

}  // namespace mlp
