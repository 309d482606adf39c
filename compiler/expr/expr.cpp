#include "compiler/expr/expr.h"

#include <algorithm>

#include "compiler/support/check.h"
#include "compiler/types/signature.h"

namespace mlp::expr {

namespace {

/// Changes whenever equal trees may mean other values than before, as when a kernel's formula changes.
constexpr const char* kKeyDomain = "expr/1";

void add_value(Hasher& hasher, const Value& value) {
  hasher.add(static_cast<std::int64_t>(value.index()));
  struct {
    Hasher& hasher;
    void operator()(std::monostate) {}
    void operator()(bool v) { hasher.add(static_cast<std::int64_t>(v)); }
    void operator()(std::int64_t v) { hasher.add(v); }
    void operator()(double v) { hasher.add(v); }
    void operator()(const std::string& v) { hasher.add(v); }
  } visitor{hasher};
  std::visit(visitor, value);
}

/// Adds what a node is, without its operands.
struct NodeHasher {
  Hasher& hasher;
  const std::vector<Digest>& inputs;
  bool by_shape = false;  ///< natives by their shapes instead of their symbols

  void add_native(const std::string& native) {
    const Signature* signature = by_shape ? find_native(native) : nullptr;
    if (signature) hasher.add(mlp::shape(*signature));
    else hasher.add(native);
  }

  void operator()(const Literal& op) { add_value(hasher.add("literal"), op.value); }
  void operator()(const Input& op) {
    MLP_CHECK(op.index < inputs.size());
    hasher.add("input").add(inputs[op.index]);
  }
  void operator()(const Call& op) {
    hasher.add("call");
    add_native(op.native);
    hasher.add(op.stream).add(op.args.size());
  }
  void operator()(const Convert&) { hasher.add("convert"); }
  void operator()(const And&) { hasher.add("and"); }
  void operator()(const Or&) { hasher.add("or"); }
  void operator()(const Not&) { hasher.add("not"); }
  void operator()(const Choose&) { hasher.add("choose"); }
  void operator()(const Coalesce&) { hasher.add("coalesce"); }
  void operator()(const IsKnown& op) { hasher.add("is known").add(static_cast<std::int64_t>(op.negated)); }
  void operator()(const InSet& op) {
    hasher.add("in set").add(static_cast<std::int64_t>(op.negated)).add(op.set.size());
    for (const Value& value : op.set) add_value(hasher, value);
  }
  void operator()(const Fitted& op) {
    hasher.add("fitted");
    add_native(op.native);
    hasher.add(op.args.size()).add(op.options.size());
    for (const auto& [name, value] : op.options) add_value(hasher.add(name), value);
  }
};

/// Calls `visit` with each operand's id, in order.
template <class Operation, class Visit>
void each_operand(Operation& operation, Visit visit) {
  std::visit(
      [&visit](auto& op) {
        if constexpr (requires { op.args; }) {
          for (auto& arg : op.args) visit(arg);
        } else if constexpr (requires { op.left; }) {
          visit(op.left);
          visit(op.right);
        } else if constexpr (requires { op.condition; }) {
          visit(op.condition);
          visit(op.yes);
          visit(op.no);
        } else if constexpr (requires { op.fallback; }) {
          visit(op.value);
          visit(op.fallback);
        } else if constexpr (requires(NodeId id) { op.value == id; } && !std::is_same_v<std::decay_t<decltype(op)>, Literal>) {
          visit(op.value);
        }
      },
      operation);
}

std::vector<bool> reachable(const Expr& e, NodeId root) {
  std::vector<bool> needed(e.nodes.size(), false);
  needed[root.index()] = true;
  for (std::size_t i = root.index() + 1; i-- > 0;) {
    if (!needed[i]) continue;
    each_operand(e.nodes[i].op, [&](NodeId operand) {
      MLP_CHECK(operand.index() < i);
      needed[operand.index()] = true;
    });
  }
  return needed;
}

Digest digest_of(const Expr& e, const std::vector<Digest>& inputs, bool by_shape) {
  MLP_CHECK(!e.nodes.empty());
  const std::vector<bool> needed = reachable(e, e.root());
  std::vector<Digest> digests(e.nodes.size());
  for (std::size_t i = 0; i < e.nodes.size(); ++i) {
    if (!needed[i]) continue;
    const Node& node = e.nodes[i];
    Hasher hasher(by_shape ? "expr_shape/1" : kKeyDomain);
    if (i + 1 == e.nodes.size() && !by_shape) hasher.add("root").add(to_string(node.type));
    else hasher.add("inner").add(node.type.base);
    std::visit(NodeHasher{hasher, inputs, by_shape}, node.op);
    each_operand(node.op, [&](NodeId operand) { hasher.add(digests[operand.index()]); });
    digests[i] = hasher.finish();
  }
  return digests.back();
}

}  // namespace

std::vector<NodeId> operands(const Op& op) {
  std::vector<NodeId> result;
  each_operand(op, [&](NodeId operand) { result.push_back(operand); });
  return result;
}

bool has_fitted(const Expr& e) {
  return any_node(e, [](const Node& node) { return std::holds_alternative<Fitted>(node.op); });
}

bool depends_on_position(const Expr& e) {
  return any_node(e, [](const Node& node) {
    const auto* call = std::get_if<Call>(&node.op);
    const Signature* signature = call ? find_native(call->native) : nullptr;
    return signature && (signature->random || signature->row);
  });
}

Expr subtree(const Expr& e, NodeId root) {
  const std::vector<bool> needed = reachable(e, root);
  Expr result;
  std::vector<NodeId> moved(e.nodes.size());
  std::vector<std::uint32_t> new_input(e.inputs.size(), 0);
  std::vector<bool> input_used(e.inputs.size(), false);
  for (std::size_t i = 0; i <= root.index(); ++i)
    if (const auto* input = std::get_if<Input>(&e.nodes[i].op); needed[i] && input) input_used[input->index] = true;
  for (std::size_t i = 0; i < e.inputs.size(); ++i) {
    new_input[i] = static_cast<std::uint32_t>(result.inputs.size());
    if (input_used[i]) result.inputs.push_back(e.inputs[i]);
  }
  for (std::size_t i = 0; i <= root.index(); ++i) {
    if (!needed[i]) continue;
    Node node = e.nodes[i];
    each_operand(node.op, [&](NodeId& operand) { operand = moved[operand.index()]; });
    if (auto* input = std::get_if<Input>(&node.op)) input->index = new_input[input->index];
    moved[i] = result.push(std::move(node.op), std::move(node.type), node.range, node.span);
  }
  return result;
}

Digest key(const Expr& e, const std::vector<Digest>& inputs) {
  // Whether a value may be missing, and a category's domain, change no inner value; the root's type is that of the cell.
  return digest_of(e, inputs, false);
}

Digest shape(const Expr& e, const std::vector<Digest>& inputs) { return digest_of(e, inputs, true); }

std::vector<const Signature*> natives(const Expr& e) {
  std::vector<const Signature*> found;
  std::vector<bool> visited(e.nodes.size(), false);
  std::vector<NodeId> open = {e.root()};
  while (!open.empty()) {
    const NodeId at = open.back();
    open.pop_back();
    if (visited[at.index()]) continue;
    visited[at.index()] = true;
    const Op& op = e[at].op;
    if (const auto* call = std::get_if<Call>(&op)) found.push_back(find_native(call->native));
    if (const auto* fitted = std::get_if<Fitted>(&op)) found.push_back(find_native(fitted->native));
    const std::vector<NodeId> next = operands(op);
    open.insert(open.end(), next.rbegin(), next.rend());
  }
  return found;
}

bool declared_before(const std::vector<const Signature*>& a, const std::vector<const Signature*>& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const Signature* x, const Signature* y) {
    return x && y ? declared_before(*x, *y) : !x && y;
  });
}

}  // namespace mlp::expr
