#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/fetch/snapshot.h"
#include "runtime/io/sql_stage.h"

namespace mlp::fetch {

/// To be raised where DuckDB is replaced by one that gives equal rows another result.
constexpr int kVersion = 1;

Result<std::optional<Fetched>> fetch_sql(const Context& context, const plan::Table& table) {
  MLP_CHECK(context.given != nullptr);
  const Given& given = *context.given;
  const Digest id = definition(table, fmt::format("{} {}", kVersion, given.recipe.hex()));
  const std::string validator = given.content.hex();
  if (const auto record = find_record(context, id); record && record->validator == validator) return Fetched{"rows", {{record->path, table.name}}, {}};
  if (!context.may_fetch) return std::nullopt;
  MLP_TRY(const std::vector<Column> input, given.read());
  MLP_TRY(const io::SqlAnswer answer, io::run_sql_stage(text_option(table, "statement"), given.names, input, {context.memory / 2, context.store.directory() + "/spill-" + id.hex().substr(0, 16)}));
  if (stopped(context)) return stop_failure();
  MLP_TRY(Scratch scratch, Scratch::make(context, id));
  io::RowWriter rows(scratch.file());
  std::vector<std::string> names;
  for (const SchemaColumn& column : answer.columns) names.push_back(column.name);
  rows.header(names);
  for (std::size_t row = 0; row < answer.rows; ++row) {
    for (const Column& column : answer.values) rows.add_value(column, row);
    rows.end_row();
  }
  MLP_TRY_VOID(rows.finish());
  MLP_TRY(std::string file, scratch.keep(context, ".rows", "rows", validator, now_ns()));
  return Fetched{"rows", {{std::move(file), table.name}}, {}};
}

}  // namespace mlp::fetch
