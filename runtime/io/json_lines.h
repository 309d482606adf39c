#pragma once

#include "runtime/io/source.h"

/// JSON Lines: an object a line. Fields are found by name, a column that an object lacks is missing there; blank lines are no rows.
namespace mlp::io {

Result<FileScan> look_at_json(const Source& source, const std::string& path);
Result<ReadOutcome> read_json(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);

}  // namespace mlp::io
