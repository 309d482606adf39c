#include <algorithm>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

/// An expression cut where a fitted value enters it: what is below becomes an input.
struct RowWisePart {
  const expr::Expr& e;
  std::vector<bool> reached;           ///< nodes from the root down to inputs and fitted nodes
  std::vector<expr::NodeId> leaves;    ///< inputs and fitted nodes, in the order in which a reader meets them

  explicit RowWisePart(const expr::Expr& whole) : e(whole), reached(whole.nodes.size(), false) {
    std::vector<expr::NodeId> open = {e.root()};
    while (!open.empty()) {
      const expr::NodeId id = open.back();
      open.pop_back();
      if (reached[id.index()]) continue;
      reached[id.index()] = true;
      const expr::Op& op = e[id].op;
      if (std::holds_alternative<expr::Input>(op) || std::holds_alternative<expr::Fitted>(op)) {
        leaves.push_back(id);
        continue;
      }
      const std::vector<expr::NodeId> operands = expr::operands(op);
      open.insert(open.end(), operands.rbegin(), operands.rend());
    }
  }
};

/// Replaces the operands of a node by what they have become.
expr::Op with_operands(const expr::Op& op, const std::vector<expr::NodeId>& moved) {
  const auto at = [&](expr::NodeId id) { return moved[id.index()]; };
  struct {
    decltype(at)& to;
    expr::Op operator()(const expr::Literal& o) const { return o; }
    expr::Op operator()(const expr::Input& o) const { return o; }
    expr::Op operator()(expr::Call o) const {
      for (expr::NodeId& arg : o.args) arg = to(arg);
      return o;
    }
    expr::Op operator()(const expr::Convert& o) const { return expr::Convert{to(o.value)}; }
    expr::Op operator()(const expr::And& o) const { return expr::And{to(o.left), to(o.right)}; }
    expr::Op operator()(const expr::Or& o) const { return expr::Or{to(o.left), to(o.right)}; }
    expr::Op operator()(const expr::Not& o) const { return expr::Not{to(o.value)}; }
    expr::Op operator()(const expr::Choose& o) const { return expr::Choose{to(o.condition), to(o.yes), to(o.no)}; }
    expr::Op operator()(const expr::Coalesce& o) const { return expr::Coalesce{to(o.value), to(o.fallback)}; }
    expr::Op operator()(const expr::IsKnown& o) const { return expr::IsKnown{to(o.value), o.negated}; }
    expr::Op operator()(const expr::InSet& o) const { return expr::InSet{to(o.value), o.set, o.negated}; }
    expr::Op operator()(const expr::Fitted& o) const { return o; }
  } visitor{at};
  return std::visit(visitor, op);
}

StepId lower_kernel(Lowering& l, const expr::Expr& e, const Place& place, Instance* instance, bool generate) {
  const RowWisePart part(e);
  plan::Kernel kernel;
  kernel.generate = generate;
  kernel.carried = place.carried;
  std::vector<StepId> inputs;
  std::vector<expr::NodeId> moved(e.nodes.size());
  std::vector<std::uint32_t> input_of(e.nodes.size(), 0);
  for (const expr::NodeId leaf : part.leaves) {
    const StepId step = lower_expression(l, expr::subtree(e, leaf), {place.name + ".part", place.suffix, place.span, place.table}, instance);
    const auto position = static_cast<std::uint32_t>(std::find(inputs.begin(), inputs.end(), step) - inputs.begin());
    input_of[leaf.index()] = position;
    if (position < inputs.size()) continue;
    inputs.push_back(step);
    const auto* column = std::get_if<expr::Input>(&e[leaf].op);
    kernel.code.inputs.push_back({position, column ? e.inputs[column->index].type : e[leaf].type,
                                  column ? e.inputs[column->index].name : expr::to_string(e, leaf)});
  }
  for (std::size_t i = 0; i < e.nodes.size(); ++i) {
    if (!part.reached[i]) continue;
    const expr::Node& node = e.nodes[i];
    const bool leaf = std::holds_alternative<expr::Input>(node.op) || std::holds_alternative<expr::Fitted>(node.op);
    moved[i] = kernel.code.push(leaf ? expr::Op(expr::Input{input_of[i]}) : with_operands(node.op, moved), node.type, node.range, node.span);
  }
  return add_step(l, place, std::move(kernel), std::move(inputs), expr::to_string(e));
}

}  // namespace

StepId lower_expression(Lowering& l, const expr::Expr& e, const Place& place, Instance* instance, bool generate) {
  const expr::Op& root = e.nodes.back().op;
  if (const auto* input = std::get_if<expr::Input>(&root)) {
    const hir::ColumnId column(e.inputs[input->index].column);
    if (table_index(l.workflow, table_of(l.workflow, column)) != place.table) return lower_take(l, column, e.type(), place);
    return lower_column(l, column, instance);
  }
  const auto* fitted = std::get_if<expr::Fitted>(&root);
  if (!fitted) return lower_kernel(l, e, place, instance, generate);
  MLP_CHECK(instance != nullptr);
  std::vector<StepId> arguments;
  for (const expr::NodeId arg : fitted->args)
    arguments.push_back(lower_expression(l, expr::subtree(e, arg), {place.name + ".argument", place.suffix, place.span, place.table}, instance));
  return lower_fitted(l, *fitted, arguments, e.type(), place, *instance, expr::to_string(e));
}

void name_step(Lowering& l, StepId step, hir::ColumnId id) {
  const auto [at, is_new] = l.column_of.try_emplace(step, id);
  // A request speaks of the table's columns, so these come before those of views.
  const auto rank = [&](hir::ColumnId column) { return std::pair(l.workflow[column].view.has_value(), l.workflow[column].name); };
  if (!is_new && rank(id) < rank(at->second)) at->second = id;
  l.aliases[step.index()].insert(column_name(l.workflow, id));
}

namespace {

StepId lower_code(Lowering& l, hir::ColumnId id, const Place& place, Instance* instance) {
  const hir::Column& column = l.workflow[id];
  if (column.aggregate()) return lower_aggregate(l, id, place);
  if (const auto own = column.table ? lower_stage_column(l, id, place) : std::nullopt) return *own;
  const expr::Expr* code = column.code();
  MLP_CHECK(code != nullptr);  // source columns are made with their table
  const bool generate = column.table.has_value() && l.workflow[*column.table].synthetic;
  return lower_expression(l, *code, place, instance, generate);
}

}  // namespace

StepId lower_column(Lowering& l, hir::ColumnId id, Instance* instance) {
  if (l.row_columns[id.index()]) return *l.row_columns[id.index()];
  const bool fitted = is_fitted(l.workflow, id);
  if (fitted) {
    MLP_CHECK(instance != nullptr);
    if (const auto at = instance->columns.find(id); at != instance->columns.end()) return at->second;
  }
  const hir::Column& column = l.workflow[id];
  const hir::TableId table = table_of(l.workflow, id);
  const Place place{column_name(l.workflow, id), fitted ? instance->suffix : "", column.span, table_index(l.workflow, table), column.table && l.workflow[*column.table].stage.has_value()};
  const StepId step = lower_code(l, id, place, instance);
  name_step(l, step, id);
  if (fitted) instance->columns[id] = step;
  else l.row_columns[id.index()] = step;
  return step;
}

void lower_project(Lowering& l, hir::ViewId view) {
  for (const hir::ColumnId column : l.workflow[view].columns)
    if (!is_fitted(l.workflow, column)) lower_column(l, column, nullptr);
}

}  // namespace mlp::planner
