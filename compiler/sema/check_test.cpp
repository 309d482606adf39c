#include <fmt/format.h>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

void check_given(Context& context, const ast::Given& given, const hir::View& view, hir::Test& out) {
  if (given.of) {
    const ast::Declaration* table = find_declared(context, *given.of, DeclaredKind::table);
    const TableState state = table ? resolve_table(context, *table, given.of->span) : TableState{};
    if (!state.id) return;
    if (*state.id != view.table) {
      context.not_yet("rows of several tables in a test", given.span);
      return;
    }
  }
  std::map<std::string, Span> seen;
  for (const ast::Argument& argument : given.values) {
    if (!argument.name) {
      context.report(diag::make(Code::E0209, argument.span, "`given` names its columns").with_label("of which column?").with_help("write `given { column: value }`"));
      continue;
    }
    if (const auto [at, fresh] = seen.emplace(argument.name->text, argument.name->span); !fresh) {
      context.report(diag::make(Code::E0210, argument.name->span, fmt::format("`{}` is given twice", argument.name->text)).with_label("given again here").with_secondary(at->second, "first given here")
                         .with_help("leave one of the two out"));
      continue;
    }
    const auto id = column_of_table(context, view.table, ast::Path{{*argument.name}, argument.name->span});
    if (!id) continue;
    const hir::Column column = context.out[*id];
    Builder b;
    Scope scope(context, b, context.file.now);
    const NodeId node = type_as(scope, argument.value, column.type, fmt::format("`{}`", column.name), column.span);
    if (!node) continue;
    const auto value = b.constant(node);
    if (!value) {
      context.report(diag::make(Code::E0304, context.file.expr(argument.value).span, "a given value must be a constant").with_label("is computed").with_help("write the value itself"));
      continue;
    }
    const auto* source = std::get_if<hir::SourceColumn>(&column.made_by);
    if (source && source->ranged && !check_range(context, *value, column.range, fmt::format("`{}`", column.name), context.file.expr(argument.value).span, diag::Label{column.span, "its range is declared here"})) continue;
    out.given.emplace_back(*id, *value);
  }
}

}  // namespace

void check_test(Context& context, const ast::Declaration& declaration) {
  const auto& test = std::get<ast::Test>(declaration.kind);
  const ast::Declaration* declared = find_declared(context, test.of, DeclaredKind::view);
  const auto view_id = declared ? resolve_view(context, *declared, test.of.span) : std::nullopt;
  if (!view_id) return;
  for (const hir::Test& other : context.out.tests)
    if (other.name == declaration.name.text)
      context.report(diag::make(Code::E0202, declaration.name.span, fmt::format("two tests are called \"{}\"", declaration.name.text)).with_label("again here").with_secondary(other.span, "first here").with_help("rename one of the two"));
  const hir::View view = context.out[*view_id];
  hir::Test out;
  out.name = declaration.name.text;
  out.span = declaration.name.span;
  out.view = *view_id;
  for (const ast::Given& given : test.given) check_given(context, given, view, out);
  if (test.expect.empty() && !declaration.incomplete)
    context.report(diag::make(Code::E0603, declaration.name.span, "this test expects nothing").with_label("no `expect`").with_help("write what has to hold: `expect COLUMN == VALUE`"));
  const RowNames rows = names_of_view(context, *view_id);
  for (const ast::ExprId id : test.expect) {
    Builder b;
    Scope scope(context, b, context.file.now);
    scope.rows = &rows;
    NodeId node = type_expression(scope, id);
    if (!node) continue;
    const Span span = context.file.expr(id).span;
    if (b.type(node).base != Base::bool_) {
      context.report(diag::make(Code::E0301, span, fmt::format("what a test expects is true or false, not {}", type_text(b, node))).with_label(fmt::format("is {}", type_text(b, node))).with_help("compare it with the value it should have"));
      continue;
    }
    // A comparison with a value that is missing does not hold.
    if (b.type(node).missing) node = b.coalesce(node, b.literal(false, Type::of(Base::bool_), span), Type::of(Base::bool_), span);
    expr::Expr condition = b.finish(node);
    bool good = true;
    for (const expr::InputColumn& input : condition.inputs) {
      const hir::Column& column = context.out[hir::ColumnId(input.column)];
      if (column.phase != Phase::fitted) continue;
      good = false;
      context.report(diag::make(Code::E0603, span, fmt::format("`{}` is fitted on training rows, which a test block does not have", column.name)).with_label("cannot be computed from one row")
                         .with_secondary(column.span, "fitted here").with_help("test the columns that it is computed from"));
    }
    if (good) out.expect.push_back({context.text(span), span, std::move(condition)});
  }
  context.out.tests.push_back(std::move(out));
}

void check_explore(Context& context, const ast::Declaration& declaration) {
  const auto& explore = std::get<ast::Explore>(declaration.kind);
  const auto at = context.names.find(explore.of.text());
  if (at != context.names.end() && at->second.kind == DeclaredKind::view) {
    resolve_view(context, *at->second.declaration, explore.of.span);
  } else if (const ast::Declaration* table = find_declared(context, explore.of, DeclaredKind::table)) {
    const TableState state = resolve_table(context, *table, explore.of.span);
    if (state.id)
      for (const ast::Path& path : explore.by) column_of_table(context, *state.id, path);
  }
}

}  // namespace mlp::sema
