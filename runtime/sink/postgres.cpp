#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "runtime/fetch/postgres/postgres.h"
#include "runtime/fetch/sql_names.h"
#include "runtime/io/value_text.h"
#include "runtime/secrets/secret.h"
#include "runtime/sink/sink.h"

namespace mlp::sink {

namespace {

using diag::Code;

const char* type_of(Base base) {
  switch (base) {
    case Base::bool_: return "boolean";
    case Base::int_: return "bigint";
    case Base::date: return "date";
    case Base::timestamp: return "timestamp with time zone";
    default: return "text";
  }
}

/// Whether a column of this type holds every value; that a number or text is too long for it the server says.
bool fits(Base base, std::string_view type) {
  switch (base) {
    case Base::int_: return type == "bigint" || type == "integer" || type == "smallint" || type.starts_with("numeric");
    case Base::timestamp: return type.starts_with("timestamp");
    case Base::bool_:
    case Base::date: return type == type_of(base);
    default: return type == "text" || type.starts_with("character varying");
  }
}

Result<std::unique_ptr<fetch::Postgres>> connect(const Context& context, const Target& target) {
  MLP_TRY(const std::string url, secrets::read_secret(text_option(target.options, "url"), target.folder, context.files));
  fetch::PostgresLimits limits{std::chrono::hours(1), context.stop, true};
  for (const auto& [name, value] : target.options)
    if (name == "timeout") limits.longest = std::chrono::milliseconds(std::get<std::int64_t>(value) / 1000);
  MLP_TRY(auto server, fetch::connect_postgres(url, limits));
  // Times and hashes of them are those of UTC, whatever the server is set to.
  MLP_TRY_VOID(server->ask("SET TimeZone = 'UTC'"));
  MLP_TRY_VOID(server->ask("SET DateStyle = 'ISO'"));
  return server;
}

std::string table_of(const Target& target) { return fetch::quoted_table(text_option(target.options, "table")); }
std::string regclass(const Target& target) { return fmt::format("to_regclass({})", fetch::quoted_text(table_of(target))); }

std::string key_list(const Target& target) {
  std::string out;
  for (const std::string& name : target.key) out += (out.empty() ? "" : ", ") + fetch::quoted_name(name);
  return out;
}

/// A number of the rows that are there: of which table, how many, and of what they hold. Nothing where there is no table.
Result<std::string> state(fetch::Postgres& server, const Target& target) {
  MLP_TRY(const auto there, server.ask(fmt::format("SELECT {}::oid", regclass(target))));
  if (there[0][0].empty()) return std::string();
  MLP_TRY(const auto columns, server.ask(fmt::format("SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = {} AND attnum > 0 AND NOT attisdropped AND attname::text = ANY (ARRAY[{}])", there[0][0], [&] {
                                           std::string names = fetch::quoted_text(kPrediction);
                                           for (const std::string& name : target.key) names += ", " + fetch::quoted_text(name);
                                           return names;
                                         }())));
  if (columns[0][0] != std::to_string(target.key.size() + 1)) return std::string();
  MLP_TRY(const auto rows, server.ask(fmt::format("SELECT count(*), coalesce(sum(hashtextextended(ROW({}, {})::text, 0)::numeric), 0) FROM {}", key_list(target), kPrediction, table_of(target))));
  return fmt::format("{} {} {}", there[0][0], rows[0][0], rows[0][1]);
}

Result<void> check_table(fetch::Postgres& server, const Target& target, const Rows& rows, const std::string& oid) {
  MLP_TRY(const auto kind, server.ask("SELECT relkind FROM pg_catalog.pg_class WHERE oid = " + oid));
  if (kind.empty() || (kind[0][0] != "r" && kind[0][0] != "p"))
    return failure(Code::E0914, fmt::format("{} is no table but a view or the like", name_of(target)), "name another table: one that is not there is made");
  MLP_TRY(const auto found, server.ask("SELECT attname, format_type(atttypid, NULL), attnotnull AND NOT atthasdef AND attidentity = '', attgenerated <> '' OR attidentity = 'a' FROM pg_catalog.pg_attribute "
                                       "WHERE attrelid = " + oid + " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"));
  std::vector<TableColumn> columns;
  for (const auto& row : found) {
    TableColumn column{row[0], row[1], true, row[2] == "t", {}};
    const auto key = std::ranges::find(target.key, row[0]);
    if (key != target.key.end()) {
      const Base base = rows.key[static_cast<std::size_t>(key - target.key.begin())].type.base;
      column.expected = type_of(base);
      column.fits = fits(base, row[1]) && row[3] != "t";
    } else if (row[0] == kPrediction) {
      column.expected = "double precision";
      column.fits = row[1] == column.expected && row[3] != "t";
    }
    columns.push_back(std::move(column));
  }
  MLP_TRY(const auto indices, server.ask("SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) "
                                         "WHERE i.indrelid = " + oid + " AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1, a.attnum"));
  std::map<std::string, std::vector<std::string>> by_index;
  for (const auto& row : indices) by_index[row[0]].push_back(row[1]);
  std::vector<std::vector<std::string>> unique;
  for (auto& [index, names] : by_index) unique.push_back(std::move(names));
  return check_fit(target, columns, unique);
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '\t') out += "\\t";
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else out += c;
  }
}

}  // namespace

Result<std::string> state_of_postgres(const Context& context, const Target& target) {
  MLP_TRY(const auto server, connect(context, target));
  return state(*server, target);
}

Result<std::string> write_postgres(const Context& context, const Target& target, const Rows& rows) {
  MLP_TRY(const auto server, connect(context, target));
  std::string columns;
  for (std::size_t k = 0; k < target.key.size(); ++k) columns += fmt::format("{} {} NOT NULL, ", fetch::quoted_name(target.key[k]), type_of(rows.key[k].type.base));
  columns += fmt::format("{} double precision NOT NULL", kPrediction);
  const std::string key = key_list(target), table = table_of(target);
  MLP_TRY(const auto there, server->ask(fmt::format("SELECT {}::oid", regclass(target))));
  if (there[0][0].empty()) {
    MLP_TRY_VOID(server->ask(fmt::format("CREATE TABLE {} ({}, PRIMARY KEY ({}))", table, columns, key)));
  } else {
    MLP_TRY_VOID(check_table(*server, target, rows, there[0][0]));
  }
  MLP_TRY_VOID(server->ask(fmt::format("CREATE TEMP TABLE mlpc_batch ({}) ON COMMIT DROP", columns)));
  std::size_t row = 0;
  MLP_TRY_VOID(server->copy_in("COPY mlpc_batch FROM STDIN", [&](std::string& chunk) {
    constexpr std::size_t kChunk = 1 << 16;
    chunk.clear();
    for (; row < rows.predictions.size() && chunk.size() < kChunk; ++row) {
      for (const Column& column : rows.key) {
        append_escaped(chunk, io::value_text(column, row));
        chunk += '\t';
      }
      fmt::format_to(std::back_inserter(chunk), "{}\n", rows.predictions[row]);
    }
    return !chunk.empty();
  }));
  MLP_TRY_VOID(server->ask(fmt::format("INSERT INTO {0} AS t ({1}, {2}) SELECT {1}, {2} FROM mlpc_batch ON CONFLICT ({1}) DO UPDATE SET {2} = excluded.{2} WHERE t.{2} IS DISTINCT FROM excluded.{2}", table, key,
                                       kPrediction)));
  MLP_TRY(std::string left, state(*server, target));
  MLP_TRY_VOID(server->ask("COMMIT"));
  return left;
}

}  // namespace mlp::sink
