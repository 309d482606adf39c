#pragma once

#include "compiler/sema/hir.h"

namespace mlp::planner {

/// `--sample`: features, what is trained on them and what is shown are of a share of their table's rows, chosen by identity. All that
/// is computed before, and all that features look up, is of all rows; so the values of a row that is kept are those of a whole run.
/// `share` is above 0 and below 1.
hir::Workflow sample_rows(hir::Workflow workflow, double share);

}  // namespace mlp::planner
