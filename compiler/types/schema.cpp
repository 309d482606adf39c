#include "compiler/types/schema.h"

#include <fmt/format.h>

#include <map>

namespace mlp {

std::string_view word(const SchemaChange& change) { return !change.before ? "added" : !change.after ? "removed" : "type"; }

std::string to_string(const SchemaChange& change) {
  if (!change.before) return fmt::format("+ {}: {}", change.column, to_string(*change.after));
  if (!change.after) return fmt::format("- {}: {}", change.column, to_string(*change.before));
  return fmt::format("~ {}: {} -> {}", change.column, to_string(*change.before), to_string(*change.after));
}

std::vector<SchemaChange> difference(const Schema& before, const Schema& after) {
  std::map<std::string_view, const Type*> now, then;
  for (const SchemaColumn& column : before) then.emplace(column.name, &column.type);
  for (const SchemaColumn& column : after) now.emplace(column.name, &column.type);
  std::vector<SchemaChange> out;
  for (const SchemaColumn& column : before) {
    const auto at = now.find(column.name);
    if (at == now.end()) out.push_back({column.name, column.type, std::nullopt});
    else if (!(*at->second == column.type)) out.push_back({column.name, column.type, *at->second});
  }
  for (const SchemaColumn& column : after)
    if (!then.contains(column.name)) out.push_back({column.name, std::nullopt, column.type});
  return out;
}

}  // namespace mlp
