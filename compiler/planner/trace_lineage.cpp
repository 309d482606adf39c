#include <set>
#include <tuple>

#include "compiler/planner/lowering.h"
#include "compiler/types/signature.h"

namespace mlp::planner {

namespace {

struct Tracer {
  const hir::Workflow& workflow;
  std::vector<plan::Edge> edges = {};
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen = {};

  void add(std::string from_kind, std::string from, std::string to_kind, std::string to) {
    if (seen.emplace(from_kind, from, to_kind, to).second) edges.push_back({std::move(from), std::move(to), std::move(from_kind), std::move(to_kind)});
  }
  std::string name(hir::ColumnId id) const { return column_name(workflow, id); }

  void trace_table(const hir::Table& table) {
    const bool by_column = table.stage && table.stage->kind == hir::Stage::Kind::sql;
    if (!table.synthetic && !by_column) add("source", table.path, "table", table.name);
    for (const hir::ColumnId id : table.columns) {
      if (const expr::Expr* code = workflow[id].code()) {
        for (const expr::InputColumn& input : code->inputs) add("column", name(hir::ColumnId(input.column)), "column", name(id));
        if (!code->inputs.empty()) continue;
      }
      const auto* source = std::get_if<hir::SourceColumn>(&workflow[id].made_by);
      for (const hir::ColumnId read : source ? source->of : std::vector<hir::ColumnId>{}) add("column", name(read), "column", name(id));
      if (!by_column) add("table", table.name, "column", name(id));
    }
    if (!table.stage) return;
    for (const hir::ColumnId given : table.stage->kind == hir::Stage::Kind::python ? table.stage->keys : std::vector<hir::ColumnId>{}) add("column", name(given), "table", table.name);
  }
  void trace_view(const hir::View& view) {
    for (const hir::ColumnId id : view.columns) {
      if (const expr::Expr* code = workflow[id].code())
        for (const expr::InputColumn& input : code->inputs) add("column", name(hir::ColumnId(input.column)), "column", name(id));
      add("column", name(id), "view", view.name);
    }
  }
  void trace_train(const hir::Train& train) {
    for (const hir::MatrixColumn& column : train.matrix) {
      trace_label_use(column.code, train, column.from);
      add("column", name(column.from), "model", train.name);
    }
    add("column", name(train.label), "model", train.name);
    if (train.weight) add("column", name(*train.weight), "model", train.name);
    const hir::Split& split = workflow[train.split];
    if (split.stratified) add("column", name(*split.stratified), "model", train.name);
    for (const hir::ColumnId key : hashed_columns(workflow, split)) add("column", name(key), "model", train.name);
  }
  /// A transform that learns from the label makes the column come from it.
  void trace_label_use(const expr::Expr& code, const hir::Train& train, hir::ColumnId column) {
    const bool uses = expr::any_node(code, [](const expr::Node& node) {
      const auto* fitted = std::get_if<expr::Fitted>(&node.op);
      const Signature* signature = fitted ? find_native(fitted->native) : nullptr;
      return signature && signature->uses_label;
    });
    if (uses) add("column", name(train.label), "column", name(column));
    for (const expr::InputColumn& input : code.inputs) {
      const hir::ColumnId read(input.column);
      if (const expr::Expr* deeper = workflow[read].code(); deeper && is_fitted(workflow, read)) trace_label_use(*deeper, train, read);
    }
  }
  void trace_evaluate(const hir::Evaluate& evaluate) {
    const std::string& model = workflow[evaluate.train].name;
    const std::string evaluation = "evaluate " + model;
    add("model", model, "evaluation", evaluation);
    add("column", name(workflow[evaluate.train].label), "evaluation", evaluation);
    for (const hir::Slice& slice : evaluate.slices)
      for (const hir::ColumnId column : slice.columns) add("column", name(column), "evaluation", evaluation);
    for (const hir::Gate& gate : evaluate.gates)
      for (const hir::GateSide* side : {&gate.left, &gate.right}) {
        if (!side->measure) continue;
        if (side->measure->by) add("column", name(*side->measure->by), "evaluation", evaluation);
        if (side->measure->model) add("model", workflow[*side->measure->model].name, "evaluation", evaluation);
      }
    for (const hir::ColumnId column : evaluate.resample_by) add("column", name(column), "evaluation", evaluation);
  }
  void trace_deploy(const hir::Deploy& deploy) {
    const std::string& model = workflow[deploy.train].name;
    add("model", model, "deployment", deploy.name);
    for (const hir::Evaluate& evaluate : workflow.evaluates)
      if (evaluate.train == deploy.train) add("evaluation", "evaluate " + model, "deployment", deploy.name);
  }
};

}  // namespace

std::vector<plan::Edge> trace_lineage(const hir::Workflow& workflow) {
  Tracer tracer{workflow};
  for (const hir::Table& table : workflow.tables) tracer.trace_table(table);
  for (const hir::View& view : workflow.views) tracer.trace_view(view);
  for (const hir::Train& train : workflow.trains) tracer.trace_train(train);
  for (const hir::Evaluate& evaluate : workflow.evaluates) tracer.trace_evaluate(evaluate);
  for (const hir::Deploy& deploy : workflow.deploys) tracer.trace_deploy(deploy);
  for (const hir::Monitor& monitor : workflow.monitors) tracer.add("deployment", monitor.deployment, "monitor", "monitor " + monitor.deployment);
  return std::move(tracer.edges);
}

}  // namespace mlp::planner
