#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/render.h"
#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

RowNames names_of_view(Context& context, hir::ViewId id) {
  const hir::View view = context.out[id];
  const ast::Declaration* table = declaration_of(context, view.table);
  RowNames rows;
  if (table) rows = names_of_table(context, *table, {view.table, is_opaque(context, view.table)});
  const RowNames of_table = rows;
  rows.owner = fmt::format("view `{}`", view.name);
  rows.declared = view.span;
  rows.opaque = !table || rows.opaque || context.incomplete_views.contains(id);
  rows.find = [&context, columns = view.columns, of_table](std::string_view name, Span reference) -> RowNames::Found {
    for (const hir::ColumnId column : columns)
      if (context.out[column].name == name) return {true, column};
    return of_table.find ? of_table.find(name, reference) : RowNames::Found{};
  };
  rows.names = [&context, columns = view.columns, of_table] {
    std::vector<std::string_view> names = column_names(context, columns);
    if (of_table.names)
      for (const std::string_view name : of_table.names()) names.push_back(name);
    return names;
  };
  return rows;
}

namespace {

bool same_but_for_capitals(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, small, small);
}

/// What the name of the question stands for; nullptr after a report, or where it need not be there.
const Declared* find_subject(Context& context, const std::string& name, bool if_there) {
  const Declared* found = nullptr;
  std::string_view within = name;
  std::vector<std::string_view> candidates;
  const std::size_t dot = name.find('.');
  const auto import = context.modules[0].imports.find(name.substr(0, dot));
  const auto* names = &context.names;
  if (const auto at = context.names.find(name); at != context.names.end()) {
    found = &at->second;
  } else if (dot != std::string::npos && import != context.modules[0].imports.end()) {
    names = &context.modules[import->second].names;
    within.remove_prefix(dot + 1);
    if (const auto in = names->find(within); in != names->end()) found = &in->second;
  }
  if (found && (found->kind == DeclaredKind::table || found->kind == DeclaredKind::view)) return found;
  if (found && found->kind == DeclaredKind::broken) return nullptr;
  if (if_there) {
    for (const auto& [other, declared] : *names)
      if ((declared.kind == DeclaredKind::table || declared.kind == DeclaredKind::view) && same_but_for_capitals(other, within)) return &declared;
    return nullptr;
  }
  for (const auto& [other, declared] : *names)
    if (declared.kind == DeclaredKind::table || declared.kind == DeclaredKind::view) candidates.push_back(other);
  const std::string_view near = found ? std::string_view() : diag::did_you_mean(within, candidates);
  diag::Diagnostic d = found ? diag::make(Code::E0211, found->declaration->name.span, fmt::format("`{}` is {}; rows are those of tables and feature views", name, with_article(found->kind))).with_label("declared here")
                             : diag::make(Code::E0201, {}, fmt::format("there is no table or feature view named `{}`", name));
  d.help = !near.empty() ? fmt::format("did you mean `{}`?", near) : candidates.empty() ? "the workflow declares none" : fmt::format("there are {}", listing(candidates));
  context.report(std::move(d));
  return nullptr;
}

}  // namespace

void check_rows(Context& context, const RowsQuestion& question) {
  const Declared* subject = find_subject(context, question.of, question.if_there);
  if (!subject) return;
  const ast::Declaration& declaration = *subject->declaration;
  hir::Rows out;
  out.asked = question.of;
  RowNames names;
  if (subject->kind == DeclaredKind::view) {
    out.view = resolve_view(context, declaration, {});
    if (!out.view) return;
    out.table = context.out[*out.view].table;
    names = names_of_view(context, *out.view);
  } else {
    const TableState state = resolve_table(context, declaration, {});
    if (!state.id) return;
    out.table = *state.id;
    names = names_of_table(context, declaration, state);
  }
  if (question.where) {
    // A file of its own, with the names of the workflow.
    context.modules.push_back({&question.file, "", "", context.modules[0].imports, context.names});
    const InModule within(context, context.modules.size() - 1);
    Builder b;
    Scope scope(context, b, &question.file);
    scope.rows = &names;
    NodeId node = type_expression(scope, question.where);
    const Span span = question.file.expr(question.where).span;
    if (node && b.type(node).base != Base::bool_) {
      context.report(diag::make(Code::E0301, span, fmt::format("rows are chosen by what is true or false, not by {}", type_text(b, node))).with_label(fmt::format("is {}", type_text(b, node))).with_help("compare it with a value: `… > 0`, `… == \"x\"`"));
    } else if (node) {
      // Where it is missing it does not hold, as in a `where` stage.
      if (b.type(node).missing) node = b.coalesce(node, b.literal(false, Type::of(Base::bool_), span), Type::of(Base::bool_), span);
      out.where = b.finish(node);
    }
  }
  context.out.rows.push_back(std::move(out));
}

}  // namespace mlp::sema
