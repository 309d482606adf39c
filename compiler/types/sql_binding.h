#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/schema.h"

namespace mlp {

/// A column of what a statement of SQL makes of one table.
struct SqlColumn {
  std::string name;
  Type type;
  std::optional<std::size_t> carried;  ///< the column of the table whose values these are, as they are
};

/// What is known of a statement before there are rows.
struct SqlBinding {
  std::vector<SqlColumn> columns;
  std::vector<std::size_t> reads;  ///< columns of the table that any value may come from; those that are carried are not here for that
  bool row_wise = false;           ///< values come from the table's row alone
  bool repeats_rows = true;        ///< a row of the table may stand behind several
};

/// Types a statement over the table `input`, which has these columns. E0111, whose span (where there is one) counts the bytes of the
/// statement; E0905.
using SqlTyper = std::function<Result<SqlBinding>(const std::string& statement, const Schema& input)>;

}  // namespace mlp
