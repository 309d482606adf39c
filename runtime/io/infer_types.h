#pragma once

#include "compiler/diag/diagnostic.h"
#include "compiler/types/schema.h"
#include "runtime/io/fragments.h"

namespace mlp::io {

/// The columns of a table with types that hold for every value, found by reading all of them. Columns without a name are left out; `name`
/// is that of the table, for messages.
///
/// bool: true and false as words. int: whole numbers as they are written in full, so not "001" or "+1". float: decimal numbers of that
/// kind, of which none loses a digit as a double for being a large whole number. date, timestamp: ISO 8601. Other texts are a category
/// where the different ones are few: at most 20, each twice on average, or at most 1,000, each ten times on average; else a string, and
/// so is a column without any value. `?` where a value is missing.
/// Failures: those of reading (E0801 for broken records, E0803 where files have different columns), E0601 for times in a zone that
/// cannot be read.
Result<Schema> infer_types(const Table& table, const std::string& name);

}  // namespace mlp::io
