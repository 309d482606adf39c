#include <fmt/format.h>

#include "compiler/sema/check_data.h"

namespace mlp::sema {

using diag::Code;

/// Pipelines are checked as far as their columns are those of the input; stages that make other columns leave the names unchecked.
TableState resolve_pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data) {
  context.not_yet("tables made from other tables", declaration.name.span);
  if (!data.input) return {std::nullopt, true};
  const ast::Declaration* input = find_declared(context, *data.input, DeclaredKind::table);
  if (!input) return {std::nullopt, true};
  TableState state = resolve_table(context, *input, data.input->span);
  const RowNames rows = names_of_table(context, *input, state);
  bool opaque = rows.opaque;
  for (const ast::Stage& stage : data.stages) {
    const auto column = [&](const ast::Path& path) {
      if (opaque || path.parts.size() != 1 || rows.find(path.text(), path.span).found) return;
      const auto candidates = rows.names();
      context.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("{} has no column `{}`", rows.owner, path.text())).with_label("no such column"),
                                     path.text(), path.span, candidates, fmt::format("it has {}", listing(candidates))));
    };
    if (const auto* where = std::get_if<ast::WhereStage>(&stage.kind)) {
      if (opaque) continue;
      Builder b;
      Scope scope(context, b, &context.file);
      scope.rows = &rows;
      scope.random_allowed = true;
      const expr::NodeId node = type_expression(scope, where->condition);
      if (node && b.type(node).base != Base::bool_) type_condition(scope, where->condition, "the condition of `where`");
    } else if (const auto* dedupe = std::get_if<ast::DedupeStage>(&stage.kind)) {
      for (const ast::Path& path : dedupe->by) column(path);
      if (dedupe->of) column(*dedupe->of);
    } else if (const auto* sort = std::get_if<ast::SortStage>(&stage.kind)) {
      for (const ast::OrderItem& item : sort->by) column(item.column);
    } else if (const auto* join = std::get_if<ast::JoinStage>(&stage.kind)) {
      if (const auto* other = find_declared(context, join->table, DeclaredKind::table)) resolve_table(context, *other, join->table.span);
      opaque = true;
    } else if (const auto* united = std::get_if<ast::UnionStage>(&stage.kind)) {
      for (const ast::Path& path : united->tables)
        if (const auto* other = find_declared(context, path, DeclaredKind::table)) resolve_table(context, *other, path.span);
    } else if (!std::holds_alternative<ast::LimitStage>(stage.kind) && !std::holds_alternative<ast::SampleStage>(stage.kind)) {
      opaque = true;
    }
  }
  if (!state.id) return {std::nullopt, true};
  hir::Table table;
  table.name = declaration.name.text;
  table.span = declaration.name.span;
  table.doc = declaration.doc;
  const hir::TableId id(context.out.tables.size());
  const hir::Table from = context.out[*state.id];
  context.out.tables.push_back(table);
  for (const hir::ColumnId old : from.columns) {
    hir::Column copy = context.out[old];
    Builder b;
    copy.made_by = b.finish(b.input(old.value, copy.type, copy.range, copy.name, copy.span));
    copy.table = id;
    const hir::ColumnId fresh = context.add_column(std::move(copy), context.facts[old.index()]);
    table.columns.push_back(fresh);
    if (from.time == old) table.time = fresh;
    if (from.label == old) table.label = fresh;
    if (from.weight == old) table.weight = fresh;
  }
  for (const hir::ColumnId column : table.columns)
    if (context.out[column].tags.key) table.key.push_back(column);
  context.out.tables[id.index()] = std::move(table);
  return {id, opaque};
}

}  // namespace mlp::sema
