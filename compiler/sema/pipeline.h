#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

/// One pipeline: stage after stage, the columns that there are after it. The stages are in check_stages.cpp, those that take rows of several
/// tables in check_joins.cpp, those whose rows are made elsewhere in check_read_stages.cpp.
class Pipeline {
 public:
  Pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data) : context_(context), declaration_(declaration), data_(data) {}
  TableState resolve();

 private:
  void stage(const ast::WhereStage& where, const ast::Stage& of);
  /// A condition as a column of these rows that nobody names; `checked` as below.
  std::optional<hir::ColumnId> condition_of(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked);
  /// The rows for which a condition holds; `checked`: it was typed before, and is no selection of the user's.
  void keep_rows(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked);
  void stage(const ast::JoinStage& join, const ast::Stage& of);
  void stage(const ast::AsofJoinStage& join, const ast::Stage& of);
  void stage(const ast::DedupeStage& dedupe, const ast::Stage& of);
  void stage(const ast::DeriveStage& derive, const ast::Stage& of);
  void stage(const ast::GroupStage& group, const ast::Stage& of);
  void stage(const ast::WindowStage& window, const ast::Stage& of);
  void stage(const ast::SelectStage& select, const ast::Stage& of);
  void stage(const ast::UnionStage& united, const ast::Stage& of);
  void stage(const ast::SortStage& sort, const ast::Stage& of);
  void stage(const ast::LimitStage& limit, const ast::Stage& of);
  void stage(const ast::SampleStage& sample, const ast::Stage& of);
  void stage(const ast::UnpivotStage& unpivot, const ast::Stage& of);
  void stage(const ast::FillStage& fill, const ast::Stage& of);
  void stage(const ast::CrossStage& cross, const ast::Stage& of);
  void stage(const ast::SqlStage& sql, const ast::Stage& of);
  void stage(const ast::PythonStage& python, const ast::Stage& of);

  RowNames rows() const;
  RowNames::Found find(std::string_view name) const;
  std::optional<hir::ColumnId> column(const ast::Path& path);
  std::vector<hir::ColumnId> columns(const std::vector<ast::Path>& paths);
  const hir::Column& operator[](hir::ColumnId id) const { return context_.out[id]; }
  hir::ColumnId add(hir::Column column, ColumnFacts facts = {});
  using Change = std::function<void(hir::Column&)>;
  hir::ColumnId copy_of(hir::ColumnId id, const Change& change);
  /// From here on the rows are those that the stage makes; the columns come along.
  void begin(hir::Stage stage, const Change& change = {});
  /// Draws of the columns that were added to these rows are told apart.
  void finish_rows();
  void replace(std::size_t index, const std::function<void(hir::Column&)>& change) { current_[index] = copy_of(current_[index], change); }
  bool is_new_name(const ast::Name& name);
  std::optional<hir::ColumnId> define(const ast::Name& name, ast::ExprId value, const std::vector<ast::Tag>& tags, Aggregation* aggregation, const RowNames& rows);
  void take_time(hir::ColumnId column);
  std::optional<hir::ColumnId> time() const;
  /// The columns of another table, as they stand beside those of this one.
  void append(hir::TableId other, bool may_be_missing, const std::vector<std::string>& equal, const std::function<void(hir::Column&)>& change, Span at);
  const hir::Table* other_table(const ast::Path& path);
  void unknown() { opaque_ = true; }
  /// A value of one of these columns, which one the stage decides for each row.
  expr::Expr one_of(const std::vector<hir::ColumnId>& columns, const Type& type, Interval range) const;
  /// The column as an expression.
  expr::Expr column_code(hir::ColumnId id) const;

  Context& context_;
  const ast::Declaration& declaration_;
  const ast::Data& data_;
  hir::TableId id_;
  std::vector<hir::ColumnId> current_;
  std::vector<hir::ColumnId> added_;             ///< columns of these rows with a code of their own
  std::set<std::string, std::less<>> poisoned_;  ///< names that would be columns, had they been right
  bool opaque_ = false;
};

}  // namespace mlp::sema
