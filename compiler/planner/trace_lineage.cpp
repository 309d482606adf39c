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
  std::set<hir::ColumnId> named = {};  ///< columns of tables and views, and none between the stages of a pipeline or inside of an expression

  void add(std::string from_kind, std::string from, std::string to_kind, std::string to, std::string how = {}) {
    if (seen.emplace(from_kind, from, to_kind, to).second) edges.push_back({std::move(from), std::move(to), std::move(from_kind), std::move(to_kind), std::move(how)});
  }
  std::string name(hir::ColumnId id) const { return column_name(workflow, id); }

  /// The columns that a value is computed from, as it stands there.
  std::vector<hir::ColumnId> inputs_of(hir::ColumnId id) const {
    std::vector<hir::ColumnId> out;
    const auto read = [&](const expr::Expr& code) {
      for (const expr::InputColumn& input : code.inputs) out.emplace_back(input.column);
    };
    const hir::Column& column = workflow[id];
    if (const expr::Expr* code = column.code()) read(*code);
    if (const auto* source = std::get_if<hir::SourceColumn>(&column.made_by)) out.insert(out.end(), source->of.begin(), source->of.end());
    if (const hir::Aggregate* many = column.aggregate()) {
      for (const expr::Expr& argument : many->arguments) read(argument);
      if (many->where) read(*many->where);
      for (const auto& [theirs, ours] : many->by) out.insert(out.end(), {theirs, ours});
      for (const auto& [ordered, descending] : many->order) out.push_back(ordered);
    }
    return out;
  }
  /// Those of them that have names, looked for through the stages.
  std::set<hir::ColumnId> origins_of(std::vector<hir::ColumnId> open) const {
    std::set<hir::ColumnId> found, passed;
    while (!open.empty()) {
      const hir::ColumnId id = open.back();
      open.pop_back();
      if (named.contains(id)) {
        found.insert(id);
      } else if (passed.insert(id).second) {
        for (const hir::ColumnId input : inputs_of(id)) open.push_back(input);
      }
    }
    return found;
  }

  void trace_table(const hir::Table& table) {
    if (table.intermediate) return;
    if (!table.stage && !table.synthetic) add("source", table.path, "table", table.name);
    // Which rows there are is decided by columns too: conditions, keys, orders.
    std::vector<hir::ColumnId> deciding;
    const auto read = [&](const expr::Expr& code) {
      for (const expr::InputColumn& input : code.inputs) deciding.emplace_back(input.column);
    };
    for (const hir::Table* made = &table; made->stage;) {
      const hir::Stage& stage = *made->stage;
      if (stage.kind == hir::Stage::Kind::python) add("source", made->path, "table", table.name);
      if (stage.condition) deciding.push_back(*stage.condition);
      for (const auto& [ours, theirs] : stage.equal) read(ours), read(theirs);
      for (const hir::Stage::Compared& compared : stage.compared) read(compared.ours), read(compared.theirs);
      deciding.insert(deciding.end(), stage.keys.begin(), stage.keys.end());
      for (const auto& [ordered, descending] : stage.order) deciding.push_back(ordered);
      if (stage.at) deciding.push_back(*stage.at);
      if (stage.other_time) deciding.push_back(*stage.other_time);
      for (const hir::TableId other : stage.others) add("table", workflow[other].name, "table", table.name);
      made = &workflow[stage.from];
      if (made->intermediate) continue;
      add("table", made->name, "table", table.name);
      break;
    }
    for (const hir::ColumnId origin : origins_of(std::move(deciding))) add("column", name(origin), "table", table.name);
    for (const hir::ColumnId id : table.columns) {
      const auto origins = origins_of(inputs_of(id));
      for (const hir::ColumnId origin : origins) add("column", name(origin), "column", name(id));
      if (origins.empty()) add("table", table.name, "column", name(id));
    }
  }
  void trace_view(const hir::View& view) {
    for (const hir::ColumnId id : view.columns) {
      for (const hir::ColumnId origin : origins_of(inputs_of(id))) add("column", name(origin), "column", name(id));
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
    for (const hir::Batch& batch : deploy.batches) {
      const std::string sink = name_of_sink(batch);
      add("table", workflow[batch.table].name, "sink", sink);
      add("deployment", deploy.name, "sink", sink);
      // Who reads the sink sees the key, whatever the policy of its columns.
      for (const hir::ColumnId key : batch.key) {
        const Tags& tags = workflow[key].tags;
        add("column", name(key), "sink", sink, tags.pii || tags.is_protected ? "declassified key" : "key");
      }
    }
  }
  /// "scores.parquet", "plan.db, table plan", "postgres, table plan".
  static std::string name_of_sink(const hir::Batch& batch) {
    std::string out = batch.sink, table;
    for (const auto& [option, value] : batch.options) {
      if (option == "path") out = std::get<std::string>(value);
      if (option == "table") table = ", table " + std::get<std::string>(value);
    }
    return out + table;
  }
};

}  // namespace

std::vector<plan::Edge> trace_lineage(const hir::Workflow& workflow) {
  Tracer tracer{workflow};
  for (const hir::Table& table : workflow.tables)
    if (!table.intermediate) tracer.named.insert(table.columns.begin(), table.columns.end());
  for (const hir::View& view : workflow.views) tracer.named.insert(view.columns.begin(), view.columns.end());
  for (const hir::Table& table : workflow.tables) tracer.trace_table(table);
  for (const hir::View& view : workflow.views) tracer.trace_view(view);
  for (const hir::Train& train : workflow.trains) tracer.trace_train(train);
  for (const hir::Evaluate& evaluate : workflow.evaluates) tracer.trace_evaluate(evaluate);
  for (const hir::Deploy& deploy : workflow.deploys) tracer.trace_deploy(deploy);
  for (const hir::Monitor& monitor : workflow.monitors) tracer.add("deployment", monitor.deployment, "monitor", "monitor " + monitor.deployment);
  return std::move(tracer.edges);
}

}  // namespace mlp::planner
