#pragma once

#include "runtime/io/sql.h"

/// The functions of runtime/io/sql.h, in the module.
namespace mlp::io::duck {

Result<std::vector<std::string>> tables(const std::string& statement);
Result<SqlAnswer> query(const std::string& statement, std::span<const SqlTable> tables, std::uint64_t most_rows, const SqlLimits& limits);

}  // namespace mlp::io::duck
