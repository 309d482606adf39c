#pragma once

#include "compiler/diag/diagnostic.h"
#include "compiler/expr/expr.h"
#include "runtime/column/column.h"

/// The vectorised interpreter: the reference meaning of every expression.
namespace mlp::interp {

/// The expression's value in every row of `inputs`, whose columns stand in the order of Expr::inputs. The result has the
/// root's type; random draws and row ordinals count rows from Batch::first_row. Logic is Kleene's. A float that is not
/// finite and an integer that left 64 bits are missing, also where the type says that nothing is. Ends the process on a tree
/// that is not well typed, and on a Fitted node: such a tree is a bug of ours, whatever the user wrote.
Result<Column> evaluate(const expr::Expr& e, const Batch& inputs);

}  // namespace mlp::interp
