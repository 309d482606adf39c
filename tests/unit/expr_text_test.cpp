#include <catch2/catch.hpp>

#include "compiler/expr/expr.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

/// `if y != 0 then x / y else missing`; the parts of a guard that the compiler wrote share the span of the call.
Expr quotient(bool written_by_the_user) {
  const Span call{0, 10, 15}, choice = written_by_the_user ? Span{0, 0, 40} : call;
  Tree tree;
  const NodeId x = tree.input(kFloat, "x"), y = tree.input(kFloat, "y");
  const NodeId zero = tree.literal(Value(0.0), kFloat);
  const NodeId condition = tree.call("unequal_float", {y, zero}, kBool);
  const NodeId value = tree.e.push(Call{"divide_float", {x, y}, 0}, kFloat, {}, call);
  const NodeId none = tree.e.push(Literal{Value{}}, kFloat, {}, choice);
  const NodeId chosen = tree.e.push(Choose{condition, value, none}, kFloat, {}, choice);
  tree.call("add_float", {chosen, x}, kFloat);
  return tree.e;
}

}  // namespace

TEST_CASE("a guard that the compiler wrote around a call is not shown") {
  CHECK(to_string(quotient(false)) == "x / y + x");
}

TEST_CASE("a choice of the user's own is shown") {
  CHECK(to_string(quotient(true)) == "(if y != 0 then x / y else missing) + x");
}
