#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/support/digest.h"
#include "compiler/support/id.h"
#include "compiler/support/span.h"
#include "compiler/types/signature.h"
#include "compiler/types/type.h"

/// The one typed expression tree: checked in the compiler, keyed in the plan, run by interpreter and kernels.
namespace mlp::expr {

using NodeId = Id<struct NodeTag>;

/// A constant; its type is the node's.
struct Literal { Value value; };
/// Value of an input column in this row; an index into Expr::inputs.
struct Input { std::uint32_t index = 0; };
/// A native row function. Strict: the value is missing where an argument is.
struct Call {
  std::string native;          ///< symbol, see Signature::native
  std::vector<NodeId> args;
  std::uint64_t stream = 0;    ///< of a random function: what tells this call's draws from all others'
};
/// Widening without loss: int to float, category to string, string to category, date to timestamp.
struct Convert { NodeId value; };
/// Kleene's three-valued logic.
struct And { NodeId left, right; };
struct Or { NodeId left, right; };
struct Not { NodeId value; };
/// `if c then a else b`; c is never missing.
struct Choose { NodeId condition, yes, no; };
/// `value ?? fallback`.
struct Coalesce { NodeId value, fallback; };
/// `is known` (or `is missing`): never missing itself.
struct IsKnown { NodeId value; bool negated = false; };
/// `in (a, b)` over constants of the value's type (no missing among them); missing where the value is.
struct InSet { NodeId value; std::vector<Value> set; bool negated = false; };
/// A fitted transform, applied; the planner turns it into steps and an Input, no runtime sees it.
struct Fitted {
  std::string native;
  std::vector<NodeId> args;                             ///< row-wise inputs, without the label
  std::vector<std::pair<std::string, Value>> options;   ///< all of them, defaults filled in, in the order of the signature
};

using Op = std::variant<Literal, Input, Call, Convert, And, Or, Not, Choose, Coalesce, IsKnown, InSet, Fitted>;

struct Node {
  Op op;
  Type type;
  Interval range;  ///< of a number's known values
  Span span;
};

struct InputColumn {
  std::uint32_t column = 0;  ///< what the owner means by it: a hir::ColumnId in the HIR, a position in the step's inputs in a plan
  Type type;
  std::string name;          ///< for people; in no key
};

/// Nodes in topological order: operands stand before their users, the root last.
struct Expr {
  std::vector<Node> nodes;
  std::vector<InputColumn> inputs;

  NodeId root() const { return NodeId(nodes.size() - 1); }
  const Node& operator[](NodeId id) const { return nodes[id.index()]; }
  const Type& type() const { return nodes.back().type; }
  NodeId push(Op op, Type type, Interval range = {}, Span span = {}) {
    nodes.push_back({std::move(op), std::move(type), range, span});
    return NodeId(nodes.size() - 1);
  }
};

/// The operands of a node, in order.
std::vector<NodeId> operands(const Op& op);
/// True if some node satisfies the predicate.
template <class Predicate>
bool any_node(const Expr& e, Predicate predicate) {
  for (const Node& node : e.nodes)
    if (predicate(node)) return true;
  return false;
}
bool has_fitted(const Expr& e);
/// Whether the value depends on where the row stands in its table: row ordinals and random draws.
bool depends_on_position(const Expr& e);

/// The subtree at `root` as an expression of its own, unused inputs dropped.
Expr subtree(const Expr& e, NodeId root);

/// Digest of what the expression means, given one digest for each input: no names, spans, or order of nodes that does not
/// matter. Equal code over equal inputs gives equal digests.
Digest key(const Expr& e, const std::vector<Digest>& inputs);

/// As `key`, but without names of the standard library: every native by its `shape`. What
/// has to be the same after entries of the library were renamed (streams, the order of columns) is made from this.
Digest shape(const Expr& e, const std::vector<Digest>& inputs);
/// The natives that are called, in the order in which the text names them. Where two shapes are equal, their places tell apart.
std::vector<const Signature*> natives(const Expr& e);
/// Orders by declaration, the first difference deciding; the shorter first.
bool declared_before(const std::vector<const Signature*>& a, const std::vector<const Signature*>& b);

/// As the language would write it, inputs by their names: `log1p(capital_gain)`. For people and for `why`.
std::string to_string(const Expr& e);
std::string to_string(const Expr& e, NodeId at);

}  // namespace mlp::expr
