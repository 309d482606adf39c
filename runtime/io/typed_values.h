#pragma once

#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/io/contract_column.h"

/// Values of files whose columns have types (Parquet, Arrow), into columns of a table.
namespace mlp::io {

/// What the values of a column of the file are. `none`: what no column of a table can have; `large`: whole numbers, some beyond 64 bits.
enum class ValueKind : std::uint8_t { none, nothing, truth, whole, real, decimal, large, text, day, moment, duration };

/// Whether a column of the table may hold some of them.
bool fits(ValueKind kind, const plan::ReadColumn& column);
/// E0801: values of a kind that the column cannot hold.
std::unexpected<diag::Diagnostic> other_kind(const std::string& path, const plan::ReadColumn& column, ValueKind kind);
/// E0804: lists, structures, bytes.
std::unexpected<diag::Diagnostic> no_single_values(const std::string& path, const plan::ReadColumn& column);

/// The number `value` / 10^scale; `scale` is at most 38.
void add_decimal(ContractColumn& column, Base base, __int128 value, unsigned scale);

}  // namespace mlp::io
