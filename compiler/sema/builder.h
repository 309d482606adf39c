#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/expr/expr.h"
#include "compiler/sema/hir.h"
#include "compiler/types/signature.h"

namespace mlp::sema {

/// Grows one typed expression: folds what is constant, knows the ranges of numbers, and leaves out what the root does not use.
class Builder {
 public:
  const expr::Node& operator[](expr::NodeId id) const { return expr_[id]; }
  const Type& type(expr::NodeId id) const { return expr_[id].type; }
  Interval range(expr::NodeId id) const { return expr_[id].range; }

  expr::NodeId literal(Value value, Type type, Span span);
  /// The constant `missing`, of no type yet: `convert` gives it one.
  expr::NodeId missing(Span span);
  bool is_missing(expr::NodeId id) const;
  /// `narrowed`: the value is known here, whatever the column's type says.
  expr::NodeId input(std::uint32_t column, const Type& type, Interval range, const std::string& name, Span span, bool narrowed = false);
  /// A native call; the arguments have the parameters' types already. The range is that of the operator or of the signature.
  expr::NodeId call(const Signature& signature, std::vector<expr::NodeId> args, Type result, Span span);
  /// Widening to the base of `target` (missing or not stays as it is); none when there is no such widening.
  std::optional<expr::NodeId> convert(expr::NodeId id, const Type& target);
  expr::NodeId conjunction(expr::NodeId left, expr::NodeId right, Span span);
  expr::NodeId disjunction(expr::NodeId left, expr::NodeId right, Span span);
  expr::NodeId negation(expr::NodeId value, Span span);
  expr::NodeId choose(expr::NodeId condition, expr::NodeId yes, expr::NodeId no, Type type, Span span);
  expr::NodeId coalesce(expr::NodeId value, expr::NodeId fallback, Type type, Span span);
  expr::NodeId is_known(expr::NodeId value, bool negated, Span span);
  expr::NodeId in_set(expr::NodeId value, std::vector<Value> set, bool negated, Span span);
  expr::NodeId push(expr::Op op, Type type, Interval range, Span span) { return expr_.push(std::move(op), std::move(type), range, span); }

  /// Value of a node that is constant; nullopt otherwise.
  std::optional<Value> constant(expr::NodeId id) const;
  /// What a condition is for every row, if ranges and constants say so.
  std::optional<bool> decide(expr::NodeId condition) const;
  /// The finished expression: what `root` uses, inputs in the order of first use.
  expr::Expr finish(expr::NodeId root) const;
  std::size_t size() const { return expr_.nodes.size(); }
  const std::vector<expr::InputColumn>& inputs() const { return expr_.inputs; }

 private:
  expr::Expr expr_;
  std::map<std::uint32_t, std::uint32_t> input_of_;
};

/// The native function's value for constant arguments; monostate where it is missing, nullopt where it cannot be computed here.
std::optional<Value> evaluate_native(const Signature& signature, const std::vector<Value>& args);
/// The range that one known constant has.
Interval range_of(const Value& value);

}  // namespace mlp::sema
