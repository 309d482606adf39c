#pragma once

#include <string>
#include <vector>

#include "runtime/io/source.h"

/// Arrow IPC: files (Feather version 2) and streams, uncompressed or with buffers compressed by LZ4 or zstd.
///
/// What a column of a table may be read from, by its type: bool: bool · int: whole numbers of any width, decimals and floats without a
/// fraction · float: any number · date: date32, date64 · timestamp: timestamps of any unit (without a zone taken as UTC) · duration: durations
/// of any unit · string, category: utf8, also as large and as view · and what texts may hold (see contract_column.h) from texts; each also by a
/// dictionary. A value that the type cannot hold exactly is refused; decimals become the nearest float. NaN is missing.
namespace mlp::io {

/// The fragments of a file are ranges of its rows: Fragment::begin and ::end count them from 0. Small batches are read together; one whose
/// buffers are compressed is not cut, for then all of it would be unpacked for each part. E0804 where it is no Arrow file, is cut off or damaged.
Result<FileScan> look_at_arrow(const Source& source, const std::string& path);
/// E0804 where a column cannot be that of a table or its buffers are damaged, E0801 where it holds values of another kind.
Result<ReadOutcome> read_arrow(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);
Result<std::vector<Type>> types_of_arrow(const Source& source, const FileScan& file);

}  // namespace mlp::io
