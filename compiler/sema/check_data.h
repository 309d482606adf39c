#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/sema/typer.h"

namespace mlp::sema {

/// The names of a resolved table's columns.
RowNames names_of_table(Context& context, const ast::Declaration& declaration, const TableState& state);
/// The names of a view's columns and of its table's, those of the view first.
RowNames names_of_view(Context& context, hir::ViewId view);
/// The table that a stage makes, with the columns that the stage's block declares; `table` has what else is known of it.
TableState resolve_stage_table(Context& context, const ast::Declaration& declaration, const std::vector<ast::DataEntry>& entries, hir::Table table);
/// Columns that a table declares and does not have, because they were reported: their names are poison, not unknown.
std::set<std::string, std::less<>> reported_columns(const Context& context, const ast::Declaration& declaration, const TableState& state);
/// Tags of a column line, with the place that decides its policy or availability.
struct ReadTags {
  Tags tags;
  Span decisive;
  std::optional<Span> available, label, time;
};
ReadTags read_tags(Context& context, const std::vector<ast::Tag>& tags, const std::function<bool(const ast::Path&)>& is_column);
/// A source or sink with its options, complete; nullopt after a report that there is none.
struct LibraryCall {
  const Signature* signature = nullptr;
  std::optional<hir::Options> options;
};
std::optional<LibraryCall> check_library_call(Context& context, const ast::Call& call, EntryKind kind, std::string_view noun, Span span);
/// The same for what a run does not use: that nothing runs it yet is no reason to stop a run.
void check_unused_library_call(Context& context, const ast::Call& call, EntryKind kind, std::string_view noun, Span span);
/// The latest of the availabilities of what an expression reads.
Availability latest_of_parts(const Context& context, const expr::Expr& code);
Availability availability_of(const Context& context, const hir::Aggregate& aggregate);
Availability later(const Availability& a, const Availability& b);
/// An expectation that a declared constraint of a computed column becomes.
void add_constraint(Context& context, hir::Table& table, hir::ColumnId column, const std::optional<Interval>& range, const std::vector<Value>& set,
                    const std::string& text, Span span);
/// What the lock has for a table; nullopt where it is not known: that was reported, or it is about to be found out.
std::optional<LockedTable> locked_table(Context& context, const hir::LockPlace& place, Span span);
void check_expect(Context& context, hir::Table& table, const ast::Expect& expect, const RowNames& rows, Span span);

}  // namespace mlp::sema
