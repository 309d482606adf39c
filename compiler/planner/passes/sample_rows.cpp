#include "compiler/planner/passes/sample_rows.h"

#include <map>

#include "compiler/support/check.h"

namespace mlp::planner {

namespace {

struct Sampler {
  hir::Workflow workflow;
  double share;
  std::map<hir::TableId, hir::TableId> tables = {};
  std::map<hir::ColumnId, hir::ColumnId> columns = {};

  /// The sampled rows of a table; made when first asked for.
  hir::TableId of(hir::TableId whole) {
    const auto [at, is_new] = tables.try_emplace(whole, hir::TableId(workflow.tables.size()));
    if (!is_new) return at->second;
    for (std::size_t i = 0, count = workflow.columns.size(); i < count; ++i) {
      if (workflow.columns[i].table != whole) continue;
      hir::Column column = workflow.columns[i];
      expr::Expr code;
      code.inputs = {{static_cast<std::uint32_t>(i), column.type, column.name}};
      code.push(expr::Input{0}, column.type, column.range, column.span);
      column.made_by = std::move(code);
      column.table = at->second;
      columns[hir::ColumnId(i)] = hir::ColumnId(workflow.columns.size());
      workflow.columns.push_back(std::move(column));
    }
    const hir::Table& all = workflow[whole];
    hir::Table sampled;
    sampled.name = all.name + ".sample";
    sampled.span = all.span;
    sampled.intermediate = true;
    sampled.stage = hir::Stage{hir::Stage::Kind::sample, all.span, whole};
    sampled.stage->share = share;
    sampled.stage->by_identity = true;
    sampled.columns = all.columns, sampled.key = all.key;
    sampled.time = all.time, sampled.label = all.label, sampled.weight = all.weight;
    move(sampled.columns), move(sampled.key);
    move(sampled.time), move(sampled.label), move(sampled.weight);
    workflow.tables.push_back(std::move(sampled));
    return at->second;
  }

  void move(hir::TableId& table) { table = of(table); }
  void move(hir::ColumnId& column) {
    if (const auto at = columns.find(column); at != columns.end()) column = at->second;
  }
  void move(std::optional<hir::ColumnId>& column) {
    if (column) move(*column);
  }
  void move(std::vector<hir::ColumnId>& list) {
    for (hir::ColumnId& column : list) move(column);
  }
  void move(expr::Expr& code) {
    for (expr::InputColumn& input : code.inputs) {
      hir::ColumnId column(input.column);
      move(column);
      input.column = column.value;
    }
  }
  void move(std::optional<hir::Measure>& measure) {
    if (measure) move(measure->by);
  }

  void sample() {
    for (hir::View& view : workflow.views) move(view.table);
    for (hir::Split& split : workflow.splits) move(split.table);
    for (hir::Rows& rows : workflow.rows) move(rows.table);
    // All columns of sampled tables are known now.
    for (hir::View& view : workflow.views) move(view.at);
    for (hir::Column& column : workflow.columns) {
      if (!column.view) continue;
      if (auto* code = std::get_if<expr::Expr>(&column.made_by)) move(*code);
      // Of a history the row that asks alone: it looks into all rows.
      if (auto* many = std::get_if<hir::Aggregate>(&column.made_by))
        for (auto& [theirs, ours] : many->by) move(ours);
    }
    for (hir::Split& split : workflow.splits) move(split.stratified), move(split.by);
    for (hir::Train& train : workflow.trains) {
      move(train.label), move(train.measured), move(train.weight);
      for (hir::MatrixColumn& column : train.matrix) move(column.code);
      if (train.where) move(*train.where);
    }
    for (hir::Evaluate& evaluate : workflow.evaluates) {
      for (hir::Slice& slice : evaluate.slices) move(slice.columns);
      for (hir::Gate& gate : evaluate.gates) move(gate.left.measure), move(gate.right.measure);
      move(evaluate.resample_by);
    }
    for (hir::Rows& rows : workflow.rows)
      if (rows.where) move(*rows.where);
  }
};

}  // namespace

hir::Workflow sample_rows(hir::Workflow workflow, double share) {
  MLP_CHECK(share > 0 && share < 1);
  Sampler sampler{std::move(workflow), share};
  sampler.sample();
  return std::move(sampler.workflow);
}

}  // namespace mlp::planner
