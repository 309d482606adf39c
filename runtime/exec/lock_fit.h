#pragma once

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/io/fragments.h"

/// Whether files still fit the mlp.lock that says which columns they have.
namespace mlp::exec {

/// E0808 with the columns that are gone and those that are new, for the first file that differs. A table without a lock fits.
Result<void> check_columns_of_lock(const plan::Table& table, const io::Table& files);

/// What reading had against values of columns of the lock, told as what it says and what the files hold now (E0808); the failure as it
/// is where it is about other columns.
diag::Diagnostic compared_with_lock(diag::Diagnostic failure, const plan::Table& table, const Result<Schema>& now);

}  // namespace mlp::exec
