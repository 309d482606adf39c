#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/io/source.h"
#include "runtime/store/store.h"

/// Tables with `reject up to SHARE into "FILE"`: rows that break the contract are no rows of the table.
namespace mlp::exec {

/// Takes the rows out of the table that break the contract of the step, its HashSource. What the store knows of a fragment is not read again;
/// with `may_read` the others are, else nothing is changed and the result is false. The failures of read_fragment; E0805.
Result<bool> leave_bad_rows_out(io::Table& table, const plan::Physical& plan, const plan::Step& step, io::FileSystem& files, store::Store& store, bool may_read);

/// Writes the file of the rows that were taken out: their values, those that are bad left out, and of each row the file, the line, and the
/// column, the text and the reason of its first bad value. The same rows are read once, and a file that holds them is left alone. Gives W0802 when
/// they were read. E0801 when they are more than the share; then the file stays as it was.
Result<std::optional<diag::Diagnostic>> write_rejected_rows(const io::Table& table, const plan::Physical& plan, const plan::Step& step, io::FileSystem& files, store::Store& store);

}  // namespace mlp::exec
