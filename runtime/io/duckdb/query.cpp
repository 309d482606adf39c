#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "runtime/io/duckdb/database.h"
#include "runtime/io/duckdb/sql_functions.h"

namespace mlp::io::duck {

namespace {

constexpr const char* kScan = "mlp_scan";
constexpr const char* kOneSelect = "write one SELECT over the tables and views of the workflow";

bool in_word(char c) { return c == '_' || static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// The word where a statement can no longer be read, or the one before it, if SQL keeps it for itself and a column may have it for a name.
std::string_view kept_word(std::string_view statement, Span place) {
  constexpr std::string_view kKept[] = {"all",   "any",    "asc",   "at",   "case",    "check", "column", "default", "desc",  "end",  "from",
                                        "grant", "group",  "limit", "offset", "order", "primary", "references", "table", "to", "user", "when", "window"};
  std::size_t end = place.begin;
  while (end > 0 && std::isspace(static_cast<unsigned char>(statement[end - 1]))) --end;
  std::size_t begin = end;
  while (begin > 0 && in_word(statement[begin - 1])) --begin;
  for (const std::string_view word : {statement.substr(begin, end - begin), statement.substr(place.begin, place.end - place.begin)})
    if (std::ranges::any_of(kKept, [&](std::string_view kept) { return std::ranges::equal(word, kept, [](char a, char b) { return (a | 32) == b; }); })) return word;
  return {};
}

/// What DuckDB says of a statement: "Binder Error: …", then candidates, then the line with a mark below the place.
diag::Diagnostic sql_mistake(std::string_view said, const std::string& statement) {
  diag::Diagnostic d = diag::make(diag::Code::E0111, {}, {});
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at <= said.size();) {
    const std::size_t end = std::min(said.find('\n', at), said.size());
    lines.push_back(said.substr(at, end - at));
    at = end + 1;
  }
  std::string_view first = lines.front();
  if (const std::size_t kind = first.find(" Error: "); kind != std::string_view::npos) first.remove_prefix(kind + 8);
  d.message = fmt::format("the SQL cannot be carried out: {}", first);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    constexpr std::string_view kLine = "LINE ";
    if (!lines[i].starts_with(kLine)) {
      if (!lines[i].empty()) d.notes.emplace_back(lines[i]);
      continue;
    }
    // "LINE 2: select agee from people" and a "^" below the place; a long line is cut at both ends.
    const std::size_t colon = lines[i].find(": ");
    const std::size_t mark = i + 1 < lines.size() ? lines[i + 1].find('^') : std::string_view::npos;
    if (colon == std::string_view::npos || mark == std::string_view::npos || mark < colon + 2) break;
    std::string_view shown = lines[i].substr(colon + 2);
    std::size_t offset = mark - (colon + 2);
    if (shown.starts_with("...") && offset >= 3) shown.remove_prefix(3), offset -= 3;
    if (shown.ends_with("...")) shown.remove_suffix(3);
    if (const std::size_t at = statement.find(shown); at != std::string::npos && at + offset < statement.size() && statement.find(shown, at + 1) == std::string::npos) {
      const auto begin = static_cast<std::uint32_t>(at + offset);
      std::uint32_t end = begin + 1;
      while (in_word(statement[begin]) && end < statement.size() && in_word(statement[end])) ++end;
      d.span = {0, begin, end};
      if (const std::string_view word = first.starts_with("syntax error") ? kept_word(statement, d.span) : ""; !word.empty())
        d.notes.push_back(fmt::format("`{0}` is a word of SQL: where it names a column it stands in double quotes, `\"{0}\"`", word));
    }
    break;
  }
  return d;
}

/// Closed as it is left.
template <class Handle, void (*destroy)(Handle*)>
struct Owned {
  Handle handle = nullptr;
  explicit Owned(Handle h = nullptr) : handle(h) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle) destroy(&handle);
  }
};
using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using DuckValue = Owned<duckdb_value, duckdb_destroy_value>;

duckdb_type type_of(Base base) {
  switch (base) {
    case Base::bool_: return DUCKDB_TYPE_BOOLEAN;
    case Base::int_: return DUCKDB_TYPE_BIGINT;
    case Base::float_: return DUCKDB_TYPE_DOUBLE;
    case Base::date: return DUCKDB_TYPE_DATE;
    case Base::timestamp: return DUCKDB_TYPE_TIMESTAMP;
    case Base::duration: return DUCKDB_TYPE_INTERVAL;
    default: return DUCKDB_TYPE_VARCHAR;
  }
}

// ---- tables ----------------------------------------------------------------------------------------------------------------------

/// What the functions that DuckDB calls share: the tables, and what reading had against them.
struct Scans {
  std::span<const SqlTable> tables;
  std::optional<diag::Diagnostic> failure;

  const SqlTable* find(std::string_view name) const {
    const auto at = std::ranges::find(tables, name, &SqlTable::name);
    return at == tables.end() ? nullptr : &*at;
  }
};

/// One scan of a table: where it stands, and the fragment that it reads.
struct Scan {
  const SqlTable* table = nullptr;
  std::vector<std::size_t> asked;   ///< columns of the table, in the order in which DuckDB wants them
  std::size_t fragment = 0, row = 0, rows = 0;
  std::vector<Column> columns;      ///< of the fragment
};

std::optional<Column> read(Scans& scans, const SqlTable& table, std::size_t column, std::size_t fragment) {
  auto values = table.read(column, fragment);
  if (values) return std::move(*values);
  if (!scans.failure) scans.failure = std::move(values.error());
  return std::nullopt;
}

void bind(duckdb_bind_info info) {
  auto& scans = *static_cast<Scans*>(duckdb_bind_get_extra_info(info));
  const DuckValue name(duckdb_bind_get_parameter(info, 0));
  char* const text = duckdb_get_varchar(name.handle);
  const SqlTable* const table = scans.find(text);
  duckdb_free(text);
  if (!table) return duckdb_bind_set_error(info, "no such table");
  for (std::size_t c = 0; c < table->columns.size(); ++c) {
    const SchemaColumn& column = table->columns[c];
    LogicalType type(duckdb_create_logical_type(column.type.base == Base::vector ? DUCKDB_TYPE_DOUBLE : type_of(column.type.base)));
    if (column.type.base == Base::vector) {
      // How wide it is may be known from its values alone.
      const auto values = table->fragments ? read(scans, *table, c, 0) : std::optional<Column>();
      if (table->fragments && !values) return duckdb_bind_set_error(info, "not read");
      const LogicalType array(duckdb_create_array_type(type.handle, std::max<std::size_t>(1, values ? values->width() : 1)));
      duckdb_bind_add_result_column(info, column.name.c_str(), array.handle);
      continue;
    }
    duckdb_bind_add_result_column(info, column.name.c_str(), type.handle);
  }
  duckdb_bind_set_bind_data(info, const_cast<SqlTable*>(table), nullptr);
}

void init(duckdb_init_info info) {
  auto scan = std::make_unique<Scan>();
  scan->table = static_cast<const SqlTable*>(duckdb_init_get_bind_data(info));
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) scan->asked.push_back(duckdb_init_get_column_index(info, i));
  duckdb_init_set_max_threads(info, 1);
  duckdb_init_set_init_data(info, scan.release(), [](void* p) { delete static_cast<Scan*>(p); });
}

void fill(duckdb_vector to, const Column& from, std::size_t first, std::size_t count) {
  const auto copy = [&]<class In, class Out>(In, Out, auto convert) {
    auto* const out = static_cast<Out*>(duckdb_vector_get_data(to));
    const auto in = from.values<In>();
    for (std::size_t i = 0; i < count; ++i) out[i] = convert(in[first + i]);
  };
  switch (from.type.base) {
    case Base::bool_: copy(std::uint8_t{}, bool{}, [](std::uint8_t x) { return x != 0; }); break;
    case Base::int_: copy(std::int64_t{}, std::int64_t{}, [](std::int64_t x) { return x; }); break;
    case Base::timestamp: copy(std::int64_t{}, duckdb_timestamp{}, [](std::int64_t x) { return duckdb_timestamp{x}; }); break;
    case Base::duration: copy(std::int64_t{}, duckdb_interval{}, [](std::int64_t x) { return duckdb_interval{0, 0, x}; }); break;
    case Base::date: copy(std::int64_t{}, duckdb_date{}, [](std::int64_t x) { return duckdb_date{static_cast<std::int32_t>(std::clamp<std::int64_t>(x, -1'000'000'000, 1'000'000'000))}; }); break;
    case Base::float_: copy(double{}, double{}, [](double x) { return x; }); break;
    case Base::vector: {
      auto* const out = static_cast<double*>(duckdb_vector_get_data(duckdb_array_vector_get_child(to)));
      const std::size_t width = from.width();
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t w = 0; w < width; ++w) out[i * width + w] = from.values<double>()[w * from.rows + first + i];
      break;
    }
    default:
      for (std::size_t i = 0; i < count; ++i)
        if (from.is_known(first + i)) {
          const std::string_view text = from.text(first + i);
          duckdb_vector_assign_string_element_len(to, i, text.data(), text.size());
        }
  }
  if (!from.known) return;
  duckdb_vector_ensure_validity_writable(to);
  std::uint64_t* const known = duckdb_vector_get_validity(to);
  for (std::size_t i = 0; i < count; ++i)
    if (!from.is_known(first + i)) duckdb_validity_set_row_invalid(known, i);
}

void next(duckdb_function_info info, duckdb_data_chunk output) {
  auto& scans = *static_cast<Scans*>(duckdb_function_get_extra_info(info));
  auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
  while (scan.row == scan.rows) {
    if (scan.fragment == scan.table->fragments) return duckdb_data_chunk_set_size(output, 0);
    scan.columns.clear();
    // Where only rows are counted any column tells their number.
    std::vector<std::size_t> asked;
    for (const std::size_t c : scan.asked) asked.push_back(c < scan.table->columns.size() ? c : 0);
    if (asked.empty()) asked.push_back(0);
    for (const std::size_t c : asked) {
      auto values = read(scans, *scan.table, c, scan.fragment);
      if (!values) return duckdb_function_set_error(info, "not read");
      scan.columns.push_back(std::move(*values));
    }
    ++scan.fragment;
    scan.row = 0;
    scan.rows = scan.columns.front().rows;
  }
  const std::size_t count = std::min<std::size_t>(duckdb_vector_size(), scan.rows - scan.row);
  for (std::size_t i = 0; i < scan.asked.size(); ++i)
    if (scan.asked[i] < scan.table->columns.size()) fill(duckdb_data_chunk_get_vector(output, i), scan.columns[i], scan.row, count);
  scan.row += count;
  duckdb_data_chunk_set_size(output, count);
}

bool add_tables(const Connection& connection, Scans& scans, const SqlLimits& limits) {
  Owned<duckdb_table_function, duckdb_destroy_table_function> function(duckdb_create_table_function());
  const LogicalType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  duckdb_table_function_set_name(function.handle, kScan);
  duckdb_table_function_add_parameter(function.handle, text.handle);
  duckdb_table_function_set_extra_info(function.handle, &scans, nullptr);
  duckdb_table_function_set_bind(function.handle, bind);
  duckdb_table_function_set_init(function.handle, init);
  duckdb_table_function_set_function(function.handle, next);
  duckdb_table_function_supports_projection_pushdown(function.handle, true);
  if (duckdb_register_table_function(connection.connection, function.handle) != DuckDBSuccess) return false;
  for (const SqlTable& table : scans.tables) {
    const std::size_t dot = table.name.find('.');
    std::string name = quoted(table.name, '"');
    if (dot != std::string::npos) {
      const std::string schema = quoted(table.name.substr(0, dot), '"');
      if (!Answer(connection, "CREATE SCHEMA IF NOT EXISTS " + schema).ok) return false;
      name = schema + "." + quoted(table.name.substr(dot + 1), '"');
    }
    if (!Answer(connection, fmt::format("CREATE VIEW {} AS SELECT * FROM {}({})", name, kScan, quoted(table.name, '\''))).ok) return false;
  }
  constexpr std::uint64_t kMegabyte = 1'000'000;
  if (limits.memory > 0 && !Answer(connection, fmt::format("SET memory_limit = '{}MB'", std::max<std::uint64_t>(limits.memory / kMegabyte, 1))).ok) return false;
  return Answer(connection, "SET TimeZone = 'UTC'").ok && Answer(connection, fmt::format("SET temp_directory = {}", quoted(limits.spill, '\''))).ok && Answer(connection, "SET enable_external_access = false").ok && Answer(connection, "SET lock_configuration = true").ok;
}

// ---- answers ---------------------------------------------------------------------------------------------------------------------

/// A column of the answer: what is asked of it, and as what it is read.
struct Wanted {
  Type type;
  std::string sql;
};

bool holds(const Connection& connection, const std::string& condition) {
  Answer answer(connection, fmt::format("SELECT coalesce(bool_and({}), true) FROM mlp_answer", condition));
  return answer.ok && duckdb_row_count(&answer.result) == 1 && duckdb_value_boolean(&answer.result, 0, 0);
}

/// The nearest type of a column, without loss where there is one; else its text.
Wanted wanted(const Connection& connection, const std::string& name, duckdb_type type, duckdb_logical_type logical) {
  const std::string column = quoted(name, '"');
  const auto as = [&](Base base, const std::string& sql) { return Wanted{Type::of(base), sql}; };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return as(Base::bool_, column);
    case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT: case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER: case DUCKDB_TYPE_SQLNULL: return as(Base::int_, column + "::BIGINT");
    case DUCKDB_TYPE_UBIGINT: case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT:
      if (holds(connection, column + " BETWEEN -9223372036854775808 AND 9223372036854775807")) return as(Base::int_, column + "::BIGINT");
      return as(Base::float_, column + "::DOUBLE");
    case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE: case DUCKDB_TYPE_DECIMAL: return as(Base::float_, column + "::DOUBLE");
    case DUCKDB_TYPE_DATE: return as(Base::date, column);
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS: return as(Base::timestamp, column + "::TIMESTAMP");
    case DUCKDB_TYPE_TIMESTAMP_TZ: return as(Base::timestamp, fmt::format("make_timestamp(epoch_us({}))", column));
    case DUCKDB_TYPE_INTERVAL:
      // Months have no length.
      if (holds(connection, fmt::format("date_part('year', {0}) = 0 AND date_part('month', {0}) = 0", column))) return as(Base::duration, fmt::format("epoch_us({})", column));
      return as(Base::string, column + "::VARCHAR");
    case DUCKDB_TYPE_ARRAY: {
      const LogicalType child(duckdb_array_type_child_type(logical));
      if (duckdb_get_type_id(child.handle) == DUCKDB_TYPE_DOUBLE) return {Type::vector(static_cast<std::uint32_t>(duckdb_array_type_array_size(logical))), column};
      return as(Base::string, column + "::VARCHAR");
    }
    default: return as(Base::string, column + "::VARCHAR");
  }
}

/// Moves the values of one chunk to the end of a column.
void append(ColumnBuilder& to, Base base, duckdb_vector from, idx_t rows) {
  std::uint64_t* const known = duckdb_vector_get_validity(from);
  const void* const data = duckdb_vector_get_data(from);
  for (idx_t i = 0; i < rows; ++i) {
    if (known && !duckdb_validity_row_is_valid(known, i)) {
      to.push_missing();
      continue;
    }
    switch (base) {
      case Base::bool_: to.push_bool(static_cast<const bool*>(data)[i]); break;
      case Base::float_: to.push_float(static_cast<const double*>(data)[i]); break;
      case Base::date: to.push_int(static_cast<const duckdb_date*>(data)[i].days); break;
      case Base::timestamp: to.push_int(static_cast<const duckdb_timestamp*>(data)[i].micros); break;
      case Base::string: {
        duckdb_string_t text = static_cast<const duckdb_string_t*>(data)[i];
        to.push_text({duckdb_string_t_data(&text), duckdb_string_t_length(text)});
        break;
      }
      default: to.push_int(static_cast<const std::int64_t*>(data)[i]);
    }
  }
}

/// Vectors, gathered row by row and laid out run by run.
struct Vectors {
  std::vector<double> values;
  std::vector<std::uint8_t> known;

  void append(duckdb_vector from, idx_t rows, std::size_t width) {
    std::uint64_t* const mask = duckdb_vector_get_validity(from);
    const auto* const data = static_cast<const double*>(duckdb_vector_get_data(duckdb_array_vector_get_child(from)));
    for (idx_t i = 0; i < rows; ++i) {
      known.push_back(!mask || duckdb_validity_row_is_valid(mask, i));
      for (std::size_t w = 0; w < width; ++w) values.push_back(known.back() ? data[i * width + w] : 0);
    }
  }
  Column finish(const Type& type, std::size_t width) const {
    Column out;
    out.type = type;
    out.rows = known.size();
    out.data = Buffer(values.size() * sizeof(double));
    for (std::size_t row = 0; row < out.rows; ++row)
      for (std::size_t w = 0; w < width; ++w) out.data.as_mutable<double>()[w * out.rows + row] = values[row * width + w];
    out.known = Buffer::copy(known.data(), known.size());
    return canonical(std::move(out));
  }
};

/// Fills `out` with the first rows of the table mlp_answer.
bool fetch(const Connection& connection, std::uint64_t most, SqlAnswer& out) {
  std::vector<Wanted> columns;
  std::string selected, counted = "count(*)";
  {
    Answer types(connection, "SELECT * FROM mlp_answer LIMIT 0");
    if (!types.ok) return false;
    for (idx_t c = 0; c < duckdb_column_count(&types.result); ++c) {
      const std::string name = duckdb_column_name(&types.result, c);
      const LogicalType logical(duckdb_column_logical_type(&types.result, c));
      columns.push_back(wanted(connection, name, duckdb_column_type(&types.result, c), logical.handle));
      selected += (c ? ", " : "") + columns.back().sql;
      counted += fmt::format(", count({})", quoted(name, '"'));
      out.columns.push_back({name, columns.back().type});
    }
  }
  {
    Answer counts(connection, "SELECT " + counted + " FROM mlp_answer");
    if (!counts.ok) return false;
    out.rows = static_cast<std::uint64_t>(duckdb_value_int64(&counts.result, 0, 0));
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (static_cast<std::uint64_t>(duckdb_value_int64(&counts.result, c + 1, 0)) < out.rows) out.columns[c].type.missing = columns[c].type.missing = true;
  }
  Answer rows(connection, fmt::format("SELECT {} FROM mlp_answer LIMIT {}", selected, most));
  if (!rows.ok) return false;
  std::vector<ColumnBuilder> builders;
  std::vector<Vectors> vectors(columns.size());
  for (const Wanted& column : columns) builders.emplace_back(column.type.base == Base::vector ? Type::of(Base::float_) : column.type);
  for (;;) {
    const Owned<duckdb_data_chunk, duckdb_destroy_data_chunk> chunk{duckdb_fetch_chunk(rows.result)};
    if (!chunk.handle) break;
    const idx_t size = duckdb_data_chunk_get_size(chunk.handle);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const duckdb_vector values = duckdb_data_chunk_get_vector(chunk.handle, c);
      if (columns[c].type.base == Base::vector) vectors[c].append(values, size, columns[c].type.detail->width);
      else append(builders[c], columns[c].type.base, values, size);
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c)
    out.values.push_back(columns[c].type.base == Base::vector ? vectors[c].finish(columns[c].type, columns[c].type.detail->width) : builders[c].finish());
  return true;
}

/// `shared."a b" AS x` is shared.a b.
std::string bare_name(std::string_view text) {
  std::string out;
  bool quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!quotes && text.substr(i).starts_with(" AS ")) break;
    if (text[i] != '"') out += text[i];
    else if (quotes && i + 1 < text.size() && text[i + 1] == '"') out += text[i++];
    else quotes = !quotes;
  }
  return out;
}

std::string error_of(duckdb_result& result) {
  const char* const said = duckdb_result_error(&result);
  return said ? said : "";
}

}  // namespace

Result<std::vector<std::string>> tables(const std::string& statement) {
  Database database;
  if (!database.open()) return no_memory();
  const Connection connection(database);
  Owned<duckdb_extracted_statements, duckdb_destroy_extracted> statements;
  const idx_t count = duckdb_extract_statements(connection.connection, statement.c_str(), &statements.handle);
  if (count == 0) {
    const char* const said = statements.handle ? duckdb_extract_statements_error(statements.handle) : nullptr;
    if (said && *said) return failure(sql_mistake(said, statement).with_help(kOneSelect));
  }
  if (count != 1) return failure(diag::Code::E0111, count == 0 ? "the SQL is empty" : fmt::format("these are {} statements of SQL", count), kOneSelect);
  std::vector<std::string> out;
  const DuckValue names(duckdb_get_table_names(connection.connection, statement.c_str(), true));
  for (idx_t i = 0; names.handle && i < duckdb_get_list_size(names.handle); ++i) {
    const DuckValue name(duckdb_get_list_child(names.handle, i));
    char* const text = duckdb_get_varchar(name.handle);
    if (std::string bare = bare_name(text); std::ranges::find(out, bare) == out.end()) out.push_back(std::move(bare));
    duckdb_free(text);
  }
  return out;
}

Result<SqlAnswer> query(const std::string& statement, std::span<const SqlTable> tables, std::uint64_t most_rows, const SqlLimits& limits) {
  struct Spill {
    const std::string& folder;
    ~Spill() {
      std::error_code ignored;
      if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
    }
  } const spill{limits.spill};  // outlives the database
  Database database;
  if (!database.open()) return no_memory();
  const Connection connection(database);
  Scans scans{tables, std::nullopt};
  if (!add_tables(connection, scans, limits)) return no_memory();
  // The statement stands on lines of its own, so that what is said of its places is about them.
  std::string bare = statement;
  while (!bare.empty() && (std::isspace(static_cast<unsigned char>(bare.back())) || bare.back() == ';')) bare.pop_back();
  auto done = std::make_unique<Answer>(connection, "CREATE TEMP TABLE mlp_answer AS\n" + bare);
  if (!done->ok && duckdb_result_error_type(&done->result) == DUCKDB_ERROR_PARSER) {
    auto wrapped = std::make_unique<Answer>(connection, "CREATE TEMP TABLE mlp_answer AS SELECT * FROM (\n" + bare + "\n)");  // SUMMARIZE, DESCRIBE
    if (wrapped->ok || scans.failure || duckdb_result_error_type(&wrapped->result) != DUCKDB_ERROR_PARSER) done = std::move(wrapped);
  }
  if (scans.failure) return failure(std::move(*scans.failure));
  if (!done->ok) {
    const duckdb_error_type type = duckdb_result_error_type(&done->result);
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY) {
      if (limits.memory == 0) return no_memory();
      return failure(diag::Code::E0915, fmt::format("the SQL needs more than the {} MB of memory that it may use, even with what it writes to the disk", limits.memory / 1'000'000),
                     "allow it more with `--memory`: half of that is for SQL");
    }
    diag::Diagnostic mistake = sql_mistake(error_of(done->result), statement);
    if (type == DUCKDB_ERROR_PARSER || type == DUCKDB_ERROR_SYNTAX) mistake.help = kOneSelect;
    else if (type == DUCKDB_ERROR_CONVERSION || type == DUCKDB_ERROR_OUT_OF_RANGE) mistake.help = "it fails on a value: use TRY_CAST, or CASE for what may fail";
    return failure(std::move(mistake));
  }
  SqlAnswer out;
  if (!fetch(connection, most_rows, out)) return no_memory();
  return out;
}

}  // namespace mlp::io::duck
