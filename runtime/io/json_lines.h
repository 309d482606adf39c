#pragma once

#include "runtime/io/source.h"

/// JSON Lines: an object a line. Fields are found by name, a column that an object lacks is missing there; blank lines are no rows.
namespace mlp::io {

Result<FileScan> look_at_json(const Source& source, const std::string& path);
Result<ReadOutcome> read_json(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);

/// bool, int, float and string by the values, which are all looked at.
Result<std::vector<Type>> types_of_json(const Source& source, const FileScan& file);

}  // namespace mlp::io
