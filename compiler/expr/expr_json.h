#pragma once

#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "compiler/expr/expr.h"

/// Expressions as JSON text, for plans. Shared operands stay shared.
namespace mlp::expr {

/// One line of JSON. Equal expressions give equal text; a double keeps its bits.
std::string encode(const Expr& e);
/// The inverse. Text that is no expression is E0903, one of another version E0909; ids are checked, types of operands not.
Result<Expr> decode_expr(std::string_view text);

}  // namespace mlp::expr
