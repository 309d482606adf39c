#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/types/type.h"

namespace mlp {

/// The columns of a source, by their names there, in its order.
struct SchemaColumn {
  std::string name;
  Type type;
  friend bool operator==(const SchemaColumn&, const SchemaColumn&) = default;
};
using Schema = std::vector<SchemaColumn>;

/// What became of one column.
struct SchemaChange {
  std::string column;
  std::optional<Type> before;  ///< none: the column is new
  std::optional<Type> after;   ///< none: the column is gone
};

/// "added", "removed", "type".
std::string_view word(const SchemaChange& change);
/// "+ age: int", "- age: int", "~ age: int -> float?".
std::string to_string(const SchemaChange& change);
/// Columns of `before` that are gone or have another type, in its order, then the new ones of `after`. The order of columns says nothing.
std::vector<SchemaChange> difference(const Schema& before, const Schema& after);

}  // namespace mlp
