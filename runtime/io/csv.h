#pragma once

#include "runtime/io/source.h"

/// Delimited text files (RFC 4180 and its relatives), typed and without loss.
///
/// A record ends at a line feed, with or without a carriage return before it, or at the end of the file. A field that begins with
/// `"` ends at the next single `"` and may hold delimiters and line ends; `""` in it is one `"`. Text in quotes is not trimmed.
/// Lines without any text are no rows in files of more than one column. The first record names the columns; a byte order mark
/// before it is ignored.
namespace mlp::io {

Result<FileScan> look_at_csv(const Source& source, const std::string& path);
Result<ReadOutcome> read_csv(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);

}  // namespace mlp::io
