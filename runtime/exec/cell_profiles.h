#pragma once

#include <vector>

#include "compiler/support/digest.h"
#include "runtime/learn/column_profile.h"
#include "runtime/store/store.h"

namespace mlp::exec {

/// Profiles of columns, given by the cells of each in the order of the fragments. The profile of a cell is made when it is first asked for and
/// kept in the store under the cell's digest; new fragments of a column cost theirs alone.
/// `where`: cells of truth values; only rows for which these hold are looked at, and nothing is kept. Empty: all rows.
Result<std::vector<learn::ColumnProfile>> profile_cells(store::Store& store, const std::vector<std::vector<Digest>>& columns, const std::vector<Digest>& where, int threads);

}  // namespace mlp::exec
