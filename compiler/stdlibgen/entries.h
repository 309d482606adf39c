#pragma once

#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"
#include "compiler/types/signature.h"

namespace mlp::stdlib {

/// Adds the signatures that a file of the standard library declares. What is no declaration of an entry, or contradicts
/// itself, is reported.
void collect_entries(const ast::File& file, const SourceMap& sources, std::vector<Signature>& entries,
                     diag::Sink& sink);

}  // namespace mlp::stdlib
