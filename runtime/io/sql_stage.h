#pragma once

#include <span>
#include <string>
#include <vector>

#include "compiler/types/sql_binding.h"
#include "runtime/io/sql.h"

/// The stage `| sql("select … from input")`.
namespace mlp::io {

/// SqlTyper: DuckDB binds the statement on a table without rows. E0111 also for what would come out differently in another run, and for
/// columns of a type that the language has not.
Result<SqlBinding> bind_sql(const std::string& statement, const Schema& input);

/// All rows that a statement which bind_sql has taken gives, in its order. E0913: its values do not allow what it asks for.
Result<SqlAnswer> run_sql_stage(const std::string& statement, const std::vector<std::string>& names, std::span<const Column> input, const SqlLimits& limits);

}  // namespace mlp::io
