#pragma once

#include "runtime/io/parquet.h"

/// The functions of runtime/io/parquet.h, in the module.
namespace mlp::io::duck {

Result<FileScan> look(const Source& source, const std::string& path);
Result<ReadOutcome> read(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);
Result<std::vector<Type>> types(const Source& source, const FileScan& file);
Result<std::string> write(const std::vector<ParquetOutput>& columns);

}  // namespace mlp::io::duck
