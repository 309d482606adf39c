#include <fmt/format.h>

#include <algorithm>

#include "runtime/fetch/postgres/postgres.h"
#include "runtime/fetch/snapshot.h"
#include "runtime/secrets/secret.h"

namespace mlp::fetch {

namespace {

Result<void> check_table(Postgres& server, const std::string& table) {
  MLP_TRY(const auto found, server.ask(fmt::format("SELECT to_regclass({})", quoted_text(quoted_table(table)))));
  if (!found.empty() && !found[0][0].empty()) return {};
  MLP_TRY(const auto rows, server.ask("SELECT CASE WHEN n.nspname = ANY (current_schemas(false)) THEN relname ELSE n.nspname || '.' || relname END FROM pg_catalog.pg_class c "
                                      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE relkind IN ('r', 'v', 'm', 'f', 'p') "
                                      "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1 LIMIT 1000"));
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[0]);
  return no_table("the PostgreSQL database", table, names);
}

/// The greatest value of the column and the number of rows, and of which table of which server: an address may come to name another.
Result<std::string> version_of(Postgres& server, const plan::Table& table, const std::string& from) {
  MLP_TRY(const auto may, server.ask("SELECT has_function_privilege('pg_control_system()', 'execute')"));
  MLP_TRY(const auto id, server.ask(fmt::format("SELECT {}, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()), {}",
                                                may[0][0] == "t" ? "(SELECT system_identifier FROM pg_control_system())" : "pg_postmaster_start_time()",
                                                text_option(table, "table").empty() ? "0" : quoted_text(from) + "::regclass::oid")));
  MLP_TRY(const auto newest, server.ask(fmt::format("SELECT max({}), count(*) FROM {} AS input", quoted_name(table.version_by), from)));
  return fmt::format("{} {} {} {} {}", id[0][0], id[0][1], id[0][2], newest[0][1], newest[0][0]);
}

/// The query that gives the rows, and its columns.
struct Rows {
  std::string query;
  std::vector<PostgresColumn> columns;
  std::vector<std::uint32_t> positions;
};

Result<Rows> plan_rows(Postgres& server, const plan::Table& table, const std::string& name, std::vector<std::string>& wanted) {
  const bool whole_table = !text_option(table, "table").empty();
  const std::string from = whole_table ? "SELECT * FROM " + quoted_table(text_option(table, "table")) : std::string(without_end(text_option(table, "query")));
  Rows rows;
  MLP_TRY(const std::vector<PostgresColumn> all, server.describe(from));
  std::vector<std::string> has;
  for (const PostgresColumn& column : all) has.push_back(column.name);
  wanted = wanted_columns(table, has);
  MLP_TRY(rows.positions, find_columns(name, has, wanted));
  if (!table.version_by.empty()) MLP_TRY_VOID(find_columns(name, has, {table.version_by}));
  const bool casts = std::ranges::any_of(rows.positions, [&](std::uint32_t position) { return all[position].needs_cast; });
  if (!whole_table && !casts) {
    rows.query = from;
    rows.columns = all;
    return rows;
  }
  const auto written = [&](const std::string& column) {
    const auto at = std::ranges::find(all, column, &PostgresColumn::name);
    return quoted_name(column) + (at->needs_cast ? "::text" : "");
  };
  const auto by = [&](const std::string& column) {
    const auto at = std::ranges::find(all, column, &PostgresColumn::name);
    // The order of texts is that of their bytes, whatever language the database is set to.
    return written(column) + (at->needs_cast || at->is_text ? " COLLATE \"C\"" : "");
  };
  std::string list;
  for (const std::uint32_t position : rows.positions) {
    list += (list.empty() ? "" : ", ") + written(all[position].name);
    rows.columns.push_back(all[position]);
  }
  for (std::uint32_t i = 0; i < rows.positions.size(); ++i) rows.positions[i] = i;
  rows.query = whole_table ? fmt::format("SELECT {} FROM {} ORDER BY {}", list, quoted_table(text_option(table, "table")), order_of_rows(table, wanted, by))
                           : fmt::format("SELECT {} FROM {} AS input", list, in_parentheses(from));
  return rows;
}

}  // namespace

Result<std::optional<Fetched>> fetch_postgres(const Context& context, const plan::Table& table) {
  const std::string name = database_name("PostgreSQL", table);
  if (!context.may_fetch) return std::nullopt;  // only the server knows
  const Digest id = definition(table);
  const std::int64_t began = now_ns();
  MLP_TRY(const std::string url, secrets::read_secret(text_option(table, "url"), context.folder, context.files));
  MLP_TRY(const auto server, connect_postgres(url, {std::chrono::milliseconds(int_option(table, "timeout") / 1000), context.stop}));
  const std::string source = text_option(table, "table"), from = source.empty() ? in_parentheses(text_option(table, "query")) : quoted_table(source);
  if (!source.empty()) MLP_TRY_VOID(check_table(*server, source));
  std::vector<std::string> wanted;
  MLP_TRY(const Rows rows, plan_rows(*server, table, name, wanted));
  std::string version;
  if (!table.version_by.empty()) {
    MLP_TRY(version, version_of(*server, table, from));
    if (const auto record = find_record(context, id); record && record->validator == version) return Fetched{"rows", {{record->path, name}}, {}};
  }
  MLP_TRY(Scratch scratch, Scratch::make(context, id));
  io::RowWriter to(scratch.file());
  to.header(wanted);
  MLP_TRY_VOID(server->rows(rows.query, rows.columns, rows.positions, to));
  MLP_TRY_VOID(to.finish());
  MLP_TRY(std::string file, scratch.keep(context, ".rows", "rows", version, began));
  return Fetched{"rows", {{std::move(file), name}}, {}};
}

}  // namespace mlp::fetch
