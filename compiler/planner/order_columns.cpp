#include <algorithm>
#include <numeric>
#include <set>

#include "compiler/plan/keys.h"
#include "compiler/planner/lowering.h"
#include "compiler/types/signature.h"

// Columns enter a model (and the parts of a key enter a hash) in an order that has to be the same after every renaming: of
// columns, and of entries of the standard library. Recipe keys hold the symbols of natives, so they cannot give that order.
// A shape is a recipe in which every native is replaced by what its declaration says without its name.

namespace mlp::planner {

using plan::StepId;

namespace {

Digest native_shape(const std::string& native) {
  Hasher h("native_shape/1");
  const Signature* signature = find_native(native);
  h.add(signature != nullptr);
  if (!signature) return h.add(native).finish();
  h.add(signature->kind).add(signature->parameters.size());
  for (const Parameter& parameter : signature->parameters)
    for (const Type& type : parameter.types) h.add(to_string(type));
  h.add(to_string(signature->result)).add(signature->known_when).add(signature->row).add(signature->random).add(signature->can_fail);
  return h.add(signature->uses_label).add(signature->cross_fit).finish();
}

void mix(Hasher& h, const Value& value) {
  h.add(value.index());
  std::visit([&](const auto& v) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) h.add(v);
  }, value);
}

void mix(Hasher& h, const std::string& native, const plan::Options& options) {
  h.add(native_shape(native)).add(options.size());
  for (const auto& [name, value] : options) {
    h.add(name);
    mix(h, value);
  }
}

/// The shape of a row-wise expression: every native by its shape; inputs by their position. Streams of random calls are left
/// out, as whoever gives them may know names.
Digest code_shape(const expr::Expr& code) {
  std::vector<Digest> digests;
  for (const expr::Node& node : code.nodes) {
    Hasher h("node_shape/1");
    h.add(node.op.index()).add(node.type.base);
    if (const auto* literal = std::get_if<expr::Literal>(&node.op)) mix(h, literal->value);
    if (const auto* input = std::get_if<expr::Input>(&node.op)) h.add(code.inputs[input->index].column);
    if (const auto* call = std::get_if<expr::Call>(&node.op)) h.add(native_shape(call->native));
    if (const auto* known = std::get_if<expr::IsKnown>(&node.op)) h.add(known->negated);
    if (const auto* set = std::get_if<expr::InSet>(&node.op)) {
      h.add(set->negated).add(set->set.size());
      for (const Value& value : set->set) mix(h, value);
    }
    for (const expr::NodeId operand : expr::operands(node.op)) h.add(digests[operand.index()]);
    digests.push_back(h.finish());
  }
  return digests.back();
}

Digest shape(Lowering& l, StepId id) {
  if (l.shapes[id.index()]) return *l.shapes[id.index()];
  const plan::Step& step = l.plan[id];
  Hasher h("shape/1");
  h.add(plan::kind_name(step.code));
  if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) {
    h.add(code_shape(kernel->code));
  } else if (const auto* partial = std::get_if<plan::PartialFit>(&step.code)) {
    mix(h, partial->native, partial->options);
  } else if (const auto* merge = std::get_if<plan::MergeFit>(&step.code)) {
    mix(h, merge->native, merge->options);
  } else if (const auto* apply = std::get_if<plan::ApplyFit>(&step.code)) {
    mix(h, apply->native, apply->options);
  } else {
    h.add(step.code_key);  // no natives in it
  }
  for (const StepId input : step.inputs) h.add(shape(l, input));
  const Digest digest = h.finish();
  l.shapes[id.index()] = digest;
  return digest;
}

/// Symbols of the natives of a step and of all it is made from, in an order that the steps give.
std::vector<std::string> symbols(const Lowering& l, StepId root) {
  std::vector<std::string> found;
  std::set<StepId> seen;
  std::vector<StepId> open = {root};
  while (!open.empty()) {
    const StepId id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    const plan::Step& step = l.plan[id];
    if (const auto* fit = std::get_if<plan::MergeFit>(&step.code)) found.push_back(fit->native);
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) {
      const expr::Expr& code = kernel->code;
      std::vector<bool> visited(code.nodes.size(), false);
      std::vector<expr::NodeId> nodes = {code.root()};
      while (!nodes.empty()) {
        const expr::NodeId node = nodes.back();
        nodes.pop_back();
        if (visited[node.index()]) continue;
        visited[node.index()] = true;
        if (const auto* call = std::get_if<expr::Call>(&code[node].op)) found.push_back(call->native);
        const std::vector<expr::NodeId> operands = expr::operands(code[node].op);
        nodes.insert(nodes.end(), operands.rbegin(), operands.rend());
      }
    }
    open.insert(open.end(), step.inputs.rbegin(), step.inputs.rend());
  }
  return found;
}

}  // namespace

std::vector<std::size_t> order_columns(Lowering& l, const std::vector<StepId>& steps) {
  for (const StepId step : steps) shape(l, step);
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const StepId x = steps[a], y = steps[b];
    if (x == y) return false;
    if (*l.shapes[x.index()] != *l.shapes[y.index()]) return *l.shapes[x.index()] < *l.shapes[y.index()];
    const std::vector<std::string> left = symbols(l, x), right = symbols(l, y);
    if (left != right) return left < right;
    return l.plan[x].recipe_key < l.plan[y].recipe_key;
  });
  return order;
}

}  // namespace mlp::planner
