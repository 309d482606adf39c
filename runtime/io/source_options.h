#pragma once

#include <cstdint>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/io/csv.h"

namespace mlp::io {

/// The options of a delimited source, from the named values of its declaration. E0303 for a delimiter or decimal mark that is not
/// one character.
Result<CsvOptions> csv_options(const plan::Options& source, const std::string& table, std::uint64_t fragment_rows);
/// The column as the reader takes it.
CsvColumn csv_column(const plan::ReadColumn& column);

}  // namespace mlp::io
