#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/support/check.h"
#include "runtime/io/sql_stage.h"

namespace mlp::io {

namespace {

using Json = nlohmann::json;
using diag::Code;

constexpr const char* kInput = "input";
constexpr const char* kHelp = "write one SELECT over the table `input`: the rows before the stage";

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return text;
}

std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) out.append(c == quote ? 2 : 1, c);
  return out + quote;
}

/// Without the semicolon at its end.
std::string bare(std::string statement) {
  while (!statement.empty() && (statement.back() == ';' || statement.back() == ' ' || statement.back() == '\n' || statement.back() == '\t' || statement.back() == '\r')) statement.pop_back();
  return statement;
}

std::unexpected<diag::Diagnostic> wrong(std::string message, std::string help = kHelp) { return failure(Code::E0111, std::move(message), std::move(help)); }

/// A failure of a statement that holds the user's from `begin` on.
std::unexpected<diag::Diagnostic> of_part(diag::Diagnostic d, std::uint32_t begin) {
  if (d.code == Code::E0111) {
    if (d.span && d.span.begin >= begin) d.span.begin -= begin, d.span.end -= begin;
    else d.span = {};
    d.help = kHelp;
  }
  return failure(std::move(d));
}

// ---- the statement as a tree -----------------------------------------------------------------------------------------------

std::string text_of(const Json& node, const char* key) {
  const auto at = node.find(key);
  return at != node.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool is_empty(const Json& node, const char* key) {
  const auto at = node.find(key);
  return at == node.end() || at->is_null() || at->empty() || (at->is_boolean() && !at->get<bool>());
}

/// What is found anywhere in a statement, in small letters.
struct Found {
  std::set<std::string> words;      ///< all texts: whatever names a column is among them
  std::set<std::string> functions;
  std::set<std::string> tables;     ///< that are read
  std::set<std::string> rows;       ///< names of tables, that may stand for a row of them
  std::set<std::string> references; ///< of columns, the last part
  std::string refused;              ///< what a stage may not do
  bool all = false;                 ///< columns are read that are not named
  bool beyond_row = false;          ///< windows and statements inside
};

void look(const Json& node, Found& found) {
  if (node.is_string()) {
    found.words.insert(lower(node.get<std::string>()));
    return;
  }
  if (node.is_object()) {
    const std::string type = text_of(node, "type"), kind = text_of(node, "class");
    if (type == "STAR" || type == "POSITIONAL_REFERENCE" || type == "PIVOT" || text_of(node, "ref_type") == "NATURAL") found.all = true;
    if (type == "SHOW_REF") found.refused = "it describes a table and selects no rows";
    if (!is_empty(node, "sample")) found.refused = "its sample is another in each run: write the stage `sample 10% seed 1`";
    if (type == "BASE_TABLE") {
      found.tables.insert(lower(text_of(node, "table_name")));
      if (!text_of(node, "schema_name").empty() || !text_of(node, "catalog_name").empty()) found.refused = "it reads a table of the database itself";
    }
    if (type == "TABLE_FUNCTION" && node.contains("function")) {
      const std::string name = lower(text_of(node["function"], "function_name"));
      if (name != "range" && name != "generate_series" && name != "unnest") found.refused = fmt::format("it reads from `{}`", name);
    }
    if (node.contains("sample"))
      for (const char* name : {"alias", "table_name"}) found.rows.insert(lower(text_of(node, name)));
    if (kind == "FUNCTION" || kind == "WINDOW") found.functions.insert(lower(text_of(node, "function_name")));
    if (kind == "FUNCTION" && lower(text_of(node, "function_name")) == "age" && node["children"].size() == 1) found.refused = "`age` of one time depends on the time of the run";
    if (kind == "WINDOW" || kind == "SUBQUERY") found.beyond_row = true;
    if (kind == "COLUMN_REF" && !node["column_names"].empty()) found.references.insert(lower(node["column_names"].back().get<std::string>()));
  }
  if (node.is_structured())
    for (const Json& part : node) look(part, found);
}

/// The names that `WITH` gives.
void look_for_names(const Json& node, std::set<std::string>& names) {
  if (node.is_object() && node.contains("cte_map"))
    for (const Json& each : node["cte_map"]["map"]) names.insert(lower(text_of(each, "key")));
  if (node.is_structured())
    for (const Json& part : node) look_for_names(part, names);
}

/// A statement about no table of the user's: rows of texts.
Result<std::vector<std::vector<std::string>>> ask(const std::string& statement) {
  MLP_TRY(const SqlAnswer answer, run_sql(statement, {}, std::numeric_limits<std::int64_t>::max()));
  std::vector<std::vector<std::string>> out(answer.rows);
  for (std::size_t row = 0; row < answer.rows; ++row)
    for (const Column& column : answer.values) out[row].emplace_back(column.text(row));
  return out;
}

/// What a statement may do, or why not.
Result<Found> look_at(const Json& tree, const Schema& input) {
  Found found;
  look(tree, found);
  std::set<std::string> own;
  look_for_names(tree, own);
  for (const std::string& name : found.tables)
    if (name != kInput && !own.contains(name)) return wrong(fmt::format("there is no table `{}` here: a stage reads `input` alone, the rows before it", name), "join the other table in a stage before: `| join one …`");
  if (!found.refused.empty()) return wrong(fmt::format("the SQL cannot be a stage: {}", found.refused));
  const auto is_column = [&](const std::string& name) { return std::ranges::any_of(input, [&](const SchemaColumn& column) { return lower(column.name) == name; }); };
  for (const std::string& name : found.references) {
    if (is_column(name)) continue;
    if (found.rows.contains(name) || own.contains(name)) found.all = true;
    constexpr std::string_view kWords[] = {"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "current_user", "session_user", "user", "current_role"};
    if (std::ranges::find(kWords, name) != std::end(kWords)) found.functions.insert(name);
  }
  return found;
}

/// Whether values come from single rows; what comes out differently in another run is refused.
Result<bool> look_at_functions(const Found& found) {
  bool scalar = !found.beyond_row;
  std::string names;
  for (const std::string& name : found.functions) names += (names.empty() ? "" : ", ") + quoted(name, '\'');
  if (names.empty()) return scalar;
  MLP_TRY(const auto rows, ask(fmt::format("SELECT DISTINCT lower(function_name), function_type, coalesce(stability, '') FROM duckdb_functions() WHERE lower(function_name) IN ({})", names)));
  const auto changes = [](const std::string& name) {
    return wrong(fmt::format("`{}` gives another value in each run", name), "leave it out: equal rows have to give an equal table; random values with a seed come from `| derive`");
  };
  for (const std::string& name : found.functions)
    if (name.starts_with("current_") || name.starts_with("local") || name.ends_with("user") || name == "reservoir_quantile") return changes(name);
  for (const auto& row : rows) {
    if ((row[2] == "VOLATILE" || row[2] == "CONSISTENT_WITHIN_QUERY") && row[0] != "error") return changes(row[0]);
    if (row[1] != "scalar") scalar = false;
  }
  return scalar && !found.functions.contains("unnest") && !found.functions.contains("generate_subscripts");
}

/// Of each column of a select over `input` alone the column of the table that it is; nothing where the select is another.
std::vector<std::optional<std::size_t>> carried_by(const Json& node, const Schema& input) {
  std::vector<std::optional<std::size_t>> out;
  const auto at = [&](const std::string& name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < input.size(); ++i)
      if (lower(input[i].name) == lower(name)) return i;
    return std::nullopt;
  };
  for (const Json& item : node["select_list"]) {
    const std::string type = text_of(item, "type");
    if (type == "STAR") {
      for (const char* key : {"replace_list", "qualified_exclude_list", "rename_list", "columns", "expr"})
        if (!is_empty(item, key)) return {};
      std::set<std::string> without;
      for (const Json& name : item["exclude_list"]) without.insert(name.is_string() ? lower(name.get<std::string>()) : std::string());
      for (std::size_t i = 0; i < input.size(); ++i)
        if (!without.contains(lower(input[i].name))) out.emplace_back(i);
    } else if (type == "COLUMN_REF" && item["column_names"].size() <= 2) {
      out.push_back(at(item["column_names"].back().get<std::string>()));
    } else {
      out.emplace_back();
    }
  }
  return out;
}

/// What the columns are computed from that are not carried, where each is of a row alone; all of the statement where one may be of another.
Found look_at_computed(const Json& node, const Found& found, const std::vector<std::optional<std::size_t>>& carried, const Schema& input) {
  if (std::ranges::none_of(carried, [](const auto& column) { return column.has_value(); })) return found;
  const auto is_column = [&](const std::string& name) { return std::ranges::any_of(input, [&](const SchemaColumn& column) { return lower(column.name) == name; }); };
  Found out;
  for (const Json& item : node["select_list"]) {
    if (text_of(item, "type") == "STAR") continue;
    Found own;
    look(item, own);
    if (!std::ranges::all_of(own.references, is_column)) return found;
    if (text_of(item, "type") != "COLUMN_REF") out.words.merge(own.words), out.all |= own.all;
  }
  return out;
}

/// SELECT … FROM input, of the table itself.
bool is_over_input(const Json& node) {
  if (text_of(node, "type") != "SELECT_NODE" || !is_empty(node["cte_map"], "map")) return false;
  const Json& from = node["from_table"];
  return text_of(from, "type") == "BASE_TABLE" && lower(text_of(from, "table_name")) == kInput && is_empty(from, "column_name_alias") && node["group_sets"].size() <= 1;
}

// ---- types -----------------------------------------------------------------------------------------------------------------

/// A column of the result: what DuckDB calls its type, the type that it has here, and how it is asked for. Values that are not finite are missing.
struct Typed {
  std::string name;
  std::string in_sql;
  Type type;
  std::string asked;
};

Typed typed(const std::string& name, const std::string& in_sql) {
  const std::string column = quoted(name, '"');
  const auto as = [&](Base base, const std::string& asked) { return Typed{name, in_sql, Type::of(base, true), asked}; };
  for (const char* integer : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT", "UHUGEINT"})
    if (in_sql == integer) return as(Base::int_, fmt::format("CAST({} AS BIGINT)", column));
  if (in_sql == "BOOLEAN") return as(Base::bool_, column);
  if (in_sql == "VARCHAR") return as(Base::string, column);
  if (in_sql == "FLOAT" || in_sql == "DOUBLE") return as(Base::float_, fmt::format("CASE WHEN isfinite({0}) THEN CAST({0} AS DOUBLE) END", column));
  if (in_sql == "DATE") return as(Base::date, fmt::format("CASE WHEN isfinite({0}) THEN {0} END", column));
  if (in_sql == "TIMESTAMP" || in_sql == "TIMESTAMP_S" || in_sql == "TIMESTAMP_MS") return as(Base::timestamp, fmt::format("CASE WHEN isfinite(CAST({0} AS TIMESTAMP)) THEN CAST({0} AS TIMESTAMP) END", column));
  if (in_sql == "TIMESTAMP WITH TIME ZONE") return as(Base::timestamp, fmt::format("CASE WHEN isfinite({0}) THEN make_timestamp(epoch_us({0})) END", column));
  if (in_sql == "INTERVAL")
    return as(Base::duration, fmt::format("CASE WHEN date_part('year', {0}) = 0 AND date_part('month', {0}) = 0 THEN epoch_us({0}) WHEN {0} IS NOT NULL THEN error('`{1}` has months, which have no length') END", column, name));
  return as(Base::error, "");
}

/// The columns that a statement gives, by binding it on a table without rows.
Result<std::vector<Typed>> columns_of(const std::string& statement, const Schema& input) {
  const std::vector<SqlTable> tables = {{kInput, input, 0, {}}};
  const std::string before = "DESCRIBE\n";
  auto answer = run_sql(before + bare(statement), tables, std::numeric_limits<std::int64_t>::max());
  if (!answer) return of_part(std::move(answer.error()), static_cast<std::uint32_t>(before.size()));
  MLP_CHECK(answer->values.size() >= 2);
  std::vector<Typed> out;
  for (std::size_t row = 0; row < answer->rows; ++row) out.push_back(typed(std::string(answer->values[0].text(row)), std::string(answer->values[1].text(row))));
  return out;
}

bool is_word(const std::string& name) {
  const auto in_word = [](unsigned char c) { return c == '_' || c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); };
  return !name.empty() && std::ranges::all_of(name, in_word);
}

}  // namespace

Result<SqlBinding> bind_sql(const std::string& statement, const Schema& input) {
  if (input.empty()) return wrong("there is no column that SQL could read", "SQL reads columns of single values: no vectors, lists and maps");
  std::set<std::string> seen;
  for (const SchemaColumn& column : input)
    if (!seen.insert(lower(column.name)).second) return wrong(fmt::format("SQL does not tell `{}` from the column whose letters are large and small elsewhere", column.name), "call one of them otherwise first: `| select a as b`");
  if (auto names = sql_tables(statement); !names) return of_part(std::move(names.error()), 0);
  MLP_TRY(const auto serialized, ask(fmt::format("SELECT CAST(json_serialize_sql({}) AS VARCHAR)", quoted(bare(statement), '\''))));
  const Json tree = serialized.empty() ? Json() : Json::parse(serialized[0][0], nullptr, false);
  if (!tree.is_object() || tree.value("error", true) || tree["statements"].empty()) return wrong("the SQL cannot be a stage: it is no SELECT whose columns are known before there are rows");
  MLP_TRY(const Found found, look_at(tree, input));
  MLP_TRY(const bool scalar, look_at_functions(found));
  MLP_TRY(const std::vector<Typed> columns, columns_of(statement, input));

  const Json& node = tree["statements"][0]["node"];
  const bool over_input = is_over_input(node);
  std::vector<std::optional<std::size_t>> carried = over_input ? carried_by(node, input) : std::vector<std::optional<std::size_t>>();
  if (carried.size() != columns.size()) carried.assign(columns.size(), std::nullopt);
  SqlBinding out;
  out.row_wise = over_input && scalar && is_empty(node, "group_expressions");
  out.repeats_rows = !over_input || found.functions.contains("unnest") || found.functions.contains("generate_subscripts");
  const Found read = out.row_wise ? look_at_computed(node, found, carried, input) : found;
  for (std::size_t i = 0; i < input.size(); ++i)
    if (read.all || read.words.contains(lower(input[i].name))) out.reads.push_back(i);
  seen.clear();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& [name, in_sql, type, asked] = columns[i];
    if (!seen.insert(lower(name)).second) return wrong(fmt::format("the SQL gives two columns `{}`", name), "give one of them another name: `… as other`");
    if (!carried[i] && !is_word(name)) return wrong(fmt::format("a column of the SQL has no name: `{}`", name), "give it one: `… as total`");
    if (type.base == Base::error)
      return wrong(fmt::format("`{}` is of the type {} of SQL, which the language has not", name, in_sql), fmt::format("cast it: `CAST(… AS {}) as {}`", in_sql.starts_with("DECIMAL") ? "DOUBLE" : in_sql == "TIMESTAMP_NS" ? "TIMESTAMP" : "VARCHAR", name));
    out.columns.push_back({name, carried[i] ? input[*carried[i]].type : type, carried[i]});
  }
  return out;
}

Result<SqlAnswer> run_sql_stage(const std::string& statement, const std::vector<std::string>& names, std::span<const Column> input, const SqlLimits& limits) {
  SqlTable table{kInput, {}, 1, [&](std::size_t column, std::size_t) -> Result<Column> { return input[column]; }};  // in one piece, whatever the fragments are
  for (std::size_t i = 0; i < names.size(); ++i) table.columns.push_back({names[i], input[i].type});
  MLP_TRY(const std::vector<Typed> columns, columns_of(statement, table.columns));
  std::string asked;
  for (const Typed& column : columns) asked += fmt::format("{}{} AS {}", asked.empty() ? "" : ", ", column.asked, quoted(column.name, '"'));
  auto answer = run_sql(fmt::format("SELECT {} FROM (\n{}\n)", asked, bare(statement)), {&table, 1}, std::numeric_limits<std::int64_t>::max(), limits);
  if (!answer) {
    diag::Diagnostic& d = answer.error();
    if (d.code != Code::E0111) return answer;
    constexpr std::string_view kBegin = "the SQL cannot be carried out: ";
    const std::string said = d.message.starts_with(kBegin) ? d.message.substr(kBegin.size()) : d.message;
    return failure(Code::E0913, "the SQL failed on the rows that it was given: " + said, "mend the rows before the stage, or use TRY_CAST and CASE for what may fail");
  }
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].type.base == Base::duration) answer->values[i].type = answer->columns[i].type = columns[i].type.maybe(answer->columns[i].type.missing);
  return answer;
}

}  // namespace mlp::io
