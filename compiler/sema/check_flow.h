#pragma once

#include <set>

#include "compiler/sema/context.h"

namespace mlp::sema {

/// What may not reach a feature of a view: the label and what is computed from it (E0401), what is not known at the time of the
/// prediction (E0412), protected (E0501) and personal (E0502) columns, columns marked as no feature (E0211).
/// Reports at most one of them for each column that the feature reads; false if there was one. `taken`: as it is.
struct FlowOf {
  std::string feature;
  Span span;
  const hir::Table* table = nullptr;
  std::optional<hir::ColumnId> at;
  bool taken = false;
};
bool check_flow(Context& context, const expr::Expr& code, const FlowOf& of);
/// Why a column may not be a feature of this view; empty: it may. For `*`.
bool may_be_feature(const Context& context, hir::ColumnId column, const FlowOf& of);
/// W0401 where the condition reads the label or what is known later than the row's time.
void warn_selection_by_outcome(Context& context, const expr::Expr& condition, Span word);
/// E0402 where the columns of a view together give the label: all that it is computed from, or what an expectation says equals it.
void check_reconstruction(Context& context, hir::ViewId view, hir::ColumnId label, Span predict);
/// Every column that the column is computed from, with itself.
std::set<hir::ColumnId> sources_of(const Context& context, hir::ColumnId column);

}  // namespace mlp::sema
