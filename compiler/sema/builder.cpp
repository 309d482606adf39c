#include "compiler/sema/builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "compiler/sema/intervals.h"
#include "compiler/support/check.h"
#include "kernels/table.h"

namespace mlp::sema {

using expr::NodeId;

namespace {

bool is_unknown(const Value& value) { return std::holds_alternative<std::monostate>(value); }

/// One slot of memory as a native function reads it.
struct Cell {
  std::uint8_t truth = 0;
  std::int64_t whole = 0;
  double real = 0;
  Text text{nullptr, 0};

  const void* at(Slot slot) const {
    switch (slot) {
      case Slot::bool_: return &truth;
      case Slot::int_: return &whole;
      case Slot::float_: return &real;
      case Slot::text: return &text;
      case Slot::bits:
      case Slot::weights: return nullptr;
    }
    return nullptr;
  }
};

bool fill(Cell& cell, Slot slot, const Value& value) {
  if (slot == Slot::bool_ && std::holds_alternative<bool>(value)) return cell.truth = std::get<bool>(value), true;
  if (slot == Slot::int_ && std::holds_alternative<std::int64_t>(value)) return cell.whole = std::get<std::int64_t>(value), true;
  if (slot == Slot::float_ && std::holds_alternative<double>(value)) return cell.real = std::get<double>(value), true;
  if (slot == Slot::text && std::holds_alternative<std::string>(value)) {
    const std::string& text = std::get<std::string>(value);
    cell.text = {text.data(), static_cast<std::int64_t>(text.size())};
    return true;
  }
  return false;
}

}  // namespace

Interval range_of(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return exactly(static_cast<double>(*whole));
  if (const auto* real = std::get_if<double>(&value)) return exactly(*real);
  return {};
}

std::optional<Value> evaluate_native(const Signature& signature, const std::vector<Value>& args) {
  if (signature.row || signature.random) return std::nullopt;
  const NativeFunction* native = find_native_function(signature.native);
  if (!native || native->makes_text || native->result == Slot::text || native->arguments.size() != args.size()) return std::nullopt;
  std::vector<Cell> cells(args.size());
  std::vector<LoopArgument> arguments;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (is_unknown(args[i])) return Value{};
    if (!fill(cells[i], native->arguments[i], args[i])) return std::nullopt;
    arguments.push_back({cells[i].at(native->arguments[i]), 0});
  }
  Cell result;
  std::uint8_t known = 0;
  Loop loop;
  loop.rows = 1;
  loop.arguments = arguments.data();
  loop.result = const_cast<void*>(result.at(native->result));
  loop.result_known = &known;
  native->run(loop);
  if (!known) return Value{};
  switch (native->result) {
    case Slot::bool_: return Value(result.truth != 0);
    case Slot::int_: return Value(result.whole);
    case Slot::float_: return Value(result.real);
    default: return std::nullopt;
  }
}

namespace {

/// The range of a length of time made of a number: more of a unit is longer, so its ends are those of the number.
Interval length_of(const Signature& signature, const Type& type, Interval number) {
  if (!number.bounded() || !type.is_number()) return {};
  const auto end = [&](double x) -> double {
    const Value value = type.base == Base::int_ ? Value(static_cast<std::int64_t>(x)) : Value(x);
    const auto length = evaluate_native(signature, {value});
    const auto* whole = length ? std::get_if<std::int64_t>(&*length) : nullptr;
    return whole ? static_cast<double>(*whole) : std::numeric_limits<double>::quiet_NaN();
  };
  const Interval range{end(number.low), end(number.high)};
  return range.low <= range.high ? range : Interval{};
}

}  // namespace

NodeId Builder::literal(Value value, Type type, Span span) {
  const Interval range = range_of(value);
  return expr_.push(expr::Literal{std::move(value)}, std::move(type), range, span);
}

NodeId Builder::missing(Span span) { return literal(Value{}, Type{Base::error, true, nullptr}, span); }

bool Builder::is_missing(NodeId id) const {
  const expr::Node& node = expr_[id];
  return node.type.is_error() && std::holds_alternative<expr::Literal>(node.op);
}

NodeId Builder::input(std::uint32_t column, const Type& type, Interval range, const std::string& name, Span span, bool narrowed) {
  auto [at, fresh] = input_of_.try_emplace(column, static_cast<std::uint32_t>(expr_.inputs.size()));
  if (fresh) expr_.inputs.push_back({column, type, name});
  return expr_.push(expr::Input{at->second}, narrowed ? type.known() : type, range, span);
}

NodeId Builder::call(const Signature& signature, std::vector<NodeId> args, Type result, Span span) {
  std::vector<Interval> ranges;
  std::vector<Value> values;
  bool all_constant = true;
  for (const NodeId arg : args) {
    ranges.push_back(range(arg));
    if (auto value = constant(arg)) values.push_back(std::move(*value));
    else all_constant = false;
  }
  if (all_constant)
    if (auto value = evaluate_native(signature, values)) {
      result = is_unknown(*value) ? result.maybe() : result.known();
      return literal(std::move(*value), std::move(result), span);
    }
  Interval range;
  if (signature.result_range) range = *signature.result_range;
  else if (!signature.op.empty() && (result.is_number() || result.base == Base::duration)) range = range_of_operator(signature.op, ranges);
  else if (result.base == Base::duration && args.size() == 1) range = length_of(signature, type(args[0]), ranges[0]);
  return expr_.push(expr::Call{signature.native, std::move(args), 0}, std::move(result), range, span);
}

std::optional<NodeId> Builder::convert(NodeId id, const Type& target) {
  const expr::Node node = expr_[id];
  if (is_missing(id)) return literal(Value{}, target.maybe(), node.span);
  if (node.type.base == target.base) {
    if (target.base != Base::category || node.type.domain() == target.domain() || target.domain().empty()) return id;
    Type type = target.known().maybe(node.type.missing);  // into a wider closed domain
    if (const auto* literal_op = std::get_if<expr::Literal>(&node.op)) return literal(literal_op->value, type, node.span);
    return expr_.push(expr::Convert{id}, type, {}, node.span);
  }
  const auto from = node.type.base;
  const bool widens = (from == Base::int_ && target.base == Base::float_) || (from == Base::category && target.base == Base::string) ||
                      (from == Base::string && target.base == Base::category) || (from == Base::date && target.base == Base::timestamp);
  if (!widens) return std::nullopt;
  Type type = target.known().maybe(node.type.missing);
  if (const auto* literal_op = std::get_if<expr::Literal>(&node.op)) {
    if (const auto* whole = std::get_if<std::int64_t>(&literal_op->value)) {
      if (target.base == Base::float_) return literal(static_cast<double>(*whole), type, node.span);
    } else {
      return literal(literal_op->value, type, node.span);
    }
  }
  return expr_.push(expr::Convert{id}, type, node.range, node.span);
}

NodeId Builder::conjunction(NodeId left, NodeId right, Span span) {
  const auto a = constant(left), b = constant(right);
  if (a && *a == Value(true)) return right;
  if (b && *b == Value(true)) return left;
  if ((a && *a == Value(false)) || (b && *b == Value(false))) return literal(false, Type::of(Base::bool_), span);
  return expr_.push(expr::And{left, right}, Type::of(Base::bool_, type(left).missing || type(right).missing), {}, span);
}

NodeId Builder::disjunction(NodeId left, NodeId right, Span span) {
  const auto a = constant(left), b = constant(right);
  if (a && *a == Value(false)) return right;
  if (b && *b == Value(false)) return left;
  if ((a && *a == Value(true)) || (b && *b == Value(true))) return literal(true, Type::of(Base::bool_), span);
  return expr_.push(expr::Or{left, right}, Type::of(Base::bool_, type(left).missing || type(right).missing), {}, span);
}

NodeId Builder::negation(NodeId value, Span span) {
  if (const auto known = constant(value); known && std::holds_alternative<bool>(*known))
    return literal(!std::get<bool>(*known), Type::of(Base::bool_), span);
  return expr_.push(expr::Not{value}, Type::of(Base::bool_, type(value).missing), {}, span);
}

NodeId Builder::choose(NodeId condition, NodeId yes, NodeId no, Type type, Span span) {
  const Interval range = is_unknown(constant(yes).value_or(Value(false)))  ? this->range(no)
                         : is_unknown(constant(no).value_or(Value(false))) ? this->range(yes)
                                                                           : unite(this->range(yes), this->range(no));
  return expr_.push(expr::Choose{condition, yes, no}, std::move(type), range, span);
}

NodeId Builder::coalesce(NodeId value, NodeId fallback, Type type, Span span) {
  return expr_.push(expr::Coalesce{value, fallback}, std::move(type), unite(range(value), range(fallback)), span);
}

NodeId Builder::is_known(NodeId value, bool negated, Span span) {
  return expr_.push(expr::IsKnown{value, negated}, Type::of(Base::bool_), {}, span);
}

NodeId Builder::in_set(NodeId value, std::vector<Value> set, bool negated, Span span) {
  return expr_.push(expr::InSet{value, std::move(set), negated}, Type::of(Base::bool_, type(value).missing), {}, span);
}

std::optional<Value> Builder::constant(NodeId id) const {
  if (const auto* literal_op = std::get_if<expr::Literal>(&expr_[id].op)) return literal_op->value;
  return std::nullopt;
}

std::optional<bool> Builder::decide(NodeId condition) const {
  const expr::Node& node = expr_[condition];
  if (const auto* literal_op = std::get_if<expr::Literal>(&node.op)) {
    const bool* truth = std::get_if<bool>(&literal_op->value);
    return truth ? std::optional(*truth) : std::nullopt;
  }
  if (const auto* both = std::get_if<expr::And>(&node.op)) {
    const auto a = decide(both->left), b = decide(both->right);
    if ((a && !*a) || (b && !*b)) return false;
    return a && b ? std::optional(true) : std::nullopt;
  }
  if (const auto* any = std::get_if<expr::Or>(&node.op)) {
    const auto a = decide(any->left), b = decide(any->right);
    if ((a && *a) || (b && *b)) return true;
    return a && b ? std::optional(false) : std::nullopt;
  }
  if (const auto* not_op = std::get_if<expr::Not>(&node.op)) {
    const auto a = decide(not_op->value);
    return a ? std::optional(!*a) : std::nullopt;
  }
  if (const auto* call_op = std::get_if<expr::Call>(&node.op)) {
    const Signature* signature = find_native(call_op->native);
    if (!signature || signature->op.empty() || call_op->args.size() != 2) return std::nullopt;
    if (!type(call_op->args[0]).is_number() || !type(call_op->args[1]).is_number()) return std::nullopt;
    return decide_comparison(signature->op, range(call_op->args[0]), range(call_op->args[1]));
  }
  return std::nullopt;
}

expr::Expr Builder::finish(NodeId root) const {
  std::vector<bool> used(expr_.nodes.size(), false);
  used[root.index()] = true;
  for (std::size_t i = root.index() + 1; i-- > 0;) {
    if (!used[i]) continue;
    for (const NodeId operand : expr::operands(expr_.nodes[i].op)) used[operand.index()] = true;
  }
  expr::Expr out;
  std::vector<NodeId> place(expr_.nodes.size());
  std::map<std::uint32_t, std::uint32_t> input_place;
  for (std::size_t i = 0; i <= root.index(); ++i) {
    if (!used[i]) continue;
    expr::Node node = expr_.nodes[i];
    const auto move_to = [&](NodeId& id) { id = place[id.index()]; };
    struct {
      const decltype(move_to)& move;
      const expr::Expr& from;
      expr::Expr& to;
      std::map<std::uint32_t, std::uint32_t>& inputs;
      void operator()(expr::Literal&) const {}
      void operator()(expr::Input& op) const {
        auto [at, fresh] = inputs.try_emplace(op.index, static_cast<std::uint32_t>(to.inputs.size()));
        if (fresh) to.inputs.push_back(from.inputs[op.index]);
        op.index = at->second;
      }
      void operator()(expr::Call& op) const { for (NodeId& arg : op.args) move(arg); }
      void operator()(expr::Convert& op) const { move(op.value); }
      void operator()(expr::And& op) const { move(op.left), move(op.right); }
      void operator()(expr::Or& op) const { move(op.left), move(op.right); }
      void operator()(expr::Not& op) const { move(op.value); }
      void operator()(expr::Choose& op) const { move(op.condition), move(op.yes), move(op.no); }
      void operator()(expr::Coalesce& op) const { move(op.value), move(op.fallback); }
      void operator()(expr::IsKnown& op) const { move(op.value); }
      void operator()(expr::InSet& op) const { move(op.value); }
      void operator()(expr::Fitted& op) const { for (NodeId& arg : op.args) move(arg); }
    } mover{move_to, expr_, out, input_place};
    std::visit(mover, node.op);
    out.nodes.push_back(std::move(node));
    place[i] = NodeId(out.nodes.size() - 1);
  }
  return out;
}

}  // namespace mlp::sema
