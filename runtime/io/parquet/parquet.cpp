#include "runtime/io/parquet/parquet.h"

#include <duckdb.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace mlp::io {

namespace {

/// `text` as an SQL constant or, with `"`, as an SQL name.
std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

/// A database in memory with one connection. One thread: rows keep their order, and equal values give equal bytes.
struct Database {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  ~Database() {
    if (connection) duckdb_disconnect(&connection);
    if (database) duckdb_close(&database);
  }
  bool open() {
    duckdb_config config = nullptr;
    if (duckdb_create_config(&config) != DuckDBSuccess) return false;
    // It loads nothing from elsewhere.
    for (const auto& [name, value] : {std::pair("threads", "1"), std::pair("autoinstall_known_extensions", "false"), std::pair("autoload_known_extensions", "false")})
      duckdb_set_config(config, name, value);
    char* error = nullptr;
    const bool opened = duckdb_open_ext(nullptr, &database, config, &error) == DuckDBSuccess && duckdb_connect(database, &connection) == DuckDBSuccess;
    duckdb_free(error);
    duckdb_destroy_config(&config);
    return opened;
  }
};

struct Answer {
  duckdb_result result{};
  bool ok = false;
  Answer(const Database& database, const std::string& sql) { ok = duckdb_query(database.connection, sql.c_str(), &result) == DuckDBSuccess; }
  ~Answer() { duckdb_destroy_result(&result); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
};

std::unexpected<diag::Diagnostic> no_parquet(const std::string& path) {
  return failure(diag::Code::E0804, fmt::format("`{}` cannot be read as a Parquet file", path), "write it anew; a file of another form needs the ending of that form");
}
std::unexpected<diag::Diagnostic> no_memory() {
  return failure(diag::Code::E0905, "Parquet cannot be read or written now: DuckDB lacks memory, or the folder /proc is not there", "free memory, or use CSV");
}

std::string from(const std::string& path) { return " FROM read_parquet(" + quoted(path, '\'') + ")"; }

/// What is asked of the column, by its type in the file; empty where it cannot be a value of a row.
std::string expression_for(const ParquetColumn& column, duckdb_type type) {
  const std::string name = quoted(column.name, '"');
  const auto in_format = [&](const char* iso) { return fmt::format("strftime({}, {})", name, quoted(column.format.empty() ? iso : column.format, '\'')); };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return name;
    case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: return name + "::BIGINT";
    case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE: case DUCKDB_TYPE_DECIMAL: return name + "::DOUBLE";
    case DUCKDB_TYPE_DATE: return in_format("%Y-%m-%d");
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS: return in_format("%Y-%m-%dT%H:%M:%S.%f");
    case DUCKDB_TYPE_TIMESTAMP_TZ: return fmt::format("strftime({} AT TIME ZONE 'UTC', {})", name, quoted(column.format.empty() ? "%Y-%m-%dT%H:%M:%S.%fZ" : column.format, '\''));
    case DUCKDB_TYPE_VARCHAR: case DUCKDB_TYPE_ENUM: case DUCKDB_TYPE_UUID: case DUCKDB_TYPE_UBIGINT: case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT: return name + "::VARCHAR";
    default: return {};
  }
}

class DuckRows final : public ParquetRows {
 public:
  std::string path;
  std::unique_ptr<Database> database;
  duckdb_prepared_statement statement = nullptr;
  duckdb_result result{};

  ~DuckRows() override {
    if (chunk_) duckdb_destroy_data_chunk(&chunk_);
    duckdb_destroy_result(&result);
    if (statement) duckdb_destroy_prepare(&statement);
  }

  Result<std::vector<std::vector<Value>>> next(std::size_t count) override {
    std::vector<std::vector<Value>> rows;
    while (rows.size() < count) {
      if (!chunk_ || at_ == duckdb_data_chunk_get_size(chunk_)) {
        if (chunk_) duckdb_destroy_data_chunk(&chunk_);
        chunk_ = duckdb_fetch_chunk(result);
        at_ = 0;
        if (!chunk_) {
          const char* const error = duckdb_result_error(&result);
          if (error && *error) return no_parquet(path);
          break;
        }
      }
      const idx_t end = std::min<idx_t>(duckdb_data_chunk_get_size(chunk_), at_ + (count - rows.size()));
      const std::size_t first = rows.size(), width = duckdb_column_count(&result);
      rows.resize(first + (end - at_), std::vector<Value>(width));
      for (std::size_t c = 0; c < width; ++c) fill(rows, first, c, end);
      at_ = end;
    }
    return rows;
  }

 private:
  void fill(std::vector<std::vector<Value>>& rows, std::size_t first, std::size_t column, idx_t end) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_, column);
    std::uint64_t* const known = duckdb_vector_get_validity(vector);
    void* const data = duckdb_vector_get_data(vector);
    const duckdb_type type = duckdb_column_type(&result, column);
    for (idx_t i = at_; i < end; ++i) {
      if (known && !duckdb_validity_row_is_valid(known, i)) continue;
      Value& to = rows[first + (i - at_)][column];
      if (type == DUCKDB_TYPE_BOOLEAN) to = static_cast<const bool*>(data)[i];
      else if (type == DUCKDB_TYPE_BIGINT) to = static_cast<const std::int64_t*>(data)[i];
      else if (type == DUCKDB_TYPE_DOUBLE) to = static_cast<const double*>(data)[i];
      else if (auto* const text = static_cast<duckdb_string_t*>(data) + i) to = std::string(duckdb_string_t_data(text), duckdb_string_t_length(*text));
    }
  }

  duckdb_data_chunk chunk_ = nullptr;
  idx_t at_ = 0;
};

Result<std::vector<std::string>> names_of(const std::string& path) {
  Database database;
  if (!database.open()) return no_memory();
  Answer answer(database, "SELECT *" + from(path) + " LIMIT 0");
  if (!answer.ok) return no_parquet(path);
  std::vector<std::string> names;
  for (idx_t c = 0; c < duckdb_column_count(&answer.result); ++c) names.emplace_back(duckdb_column_name(&answer.result, c));
  return names;
}

Result<std::unique_ptr<ParquetRows>> read(const std::string& path, const std::vector<ParquetColumn>& columns) {
  auto rows = std::make_unique<DuckRows>();
  rows->path = path;
  rows->database = std::make_unique<Database>();
  if (!rows->database->open()) return no_memory();
  std::string names, sql;
  for (const ParquetColumn& column : columns) names += (names.empty() ? "" : ", ") + quoted(column.name, '"');
  {
    Answer types(*rows->database, "SELECT " + names + from(path) + " LIMIT 0");
    if (!types.ok) return no_parquet(path);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string expression = expression_for(columns[c], duckdb_column_type(&types.result, c));
      if (expression.empty())
        return failure(diag::Code::E0804, fmt::format("column `{}` of `{}` holds no single values that a column of a table can have", columns[c].name, path),
                       "write numbers, texts, dates, times or truth values");
      sql += (sql.empty() ? "SELECT " : ", ") + expression;
    }
  }
  if (duckdb_prepare(rows->database->connection, (sql + from(path)).c_str(), &rows->statement) != DuckDBSuccess ||
      duckdb_execute_prepared_streaming(rows->statement, &rows->result) != DuckDBSuccess)
    return no_parquet(path);
  return rows;
}

bool all_whole(const std::vector<Value>& column) {
  return std::ranges::all_of(column, [](const Value& value) { return std::holds_alternative<std::monostate>(value) || std::holds_alternative<std::int64_t>(value); });
}

bool append(duckdb_appender appender, const Value& value, bool as_text) {
  if (std::holds_alternative<std::monostate>(value)) return duckdb_append_null(appender) == DuckDBSuccess;
  if (const auto* text = std::get_if<std::string>(&value)) return duckdb_append_varchar_length(appender, text->data(), text->size()) == DuckDBSuccess;
  if (as_text) {
    const std::string text = to_string(value);
    return duckdb_append_varchar_length(appender, text.data(), text.size()) == DuckDBSuccess;
  }
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return duckdb_append_int64(appender, *whole) == DuckDBSuccess;
  return duckdb_append_double(appender, std::get<double>(value)) == DuckDBSuccess;
}

/// A file in memory: what is written there is on no disk before it is whole.
struct MemoryFile {
  int fd = ::memfd_create("parquet", MFD_CLOEXEC);
  ~MemoryFile() {
    if (fd >= 0) ::close(fd);
  }
};

Result<std::string> write(const std::vector<ParquetOutput>& columns) {
  const MemoryFile file;
  Database database;
  if (file.fd < 0 || !database.open()) return no_memory();
  std::string definition;
  std::vector<bool> as_text;
  for (const ParquetOutput& column : columns) {
    const char* const type = column.base == Base::float_ ? "DOUBLE" : column.base == Base::int_ && all_whole(column.values) ? "BIGINT" : "VARCHAR";
    as_text.push_back(std::string_view(type) == "VARCHAR");
    definition += (definition.empty() ? "" : ", ") + quoted(column.name, '"') + " " + type;
  }
  if (!Answer(database, "CREATE TABLE rows (" + definition + ")").ok) return no_memory();
  duckdb_appender appender = nullptr;
  bool ok = duckdb_appender_create(database.connection, nullptr, "rows", &appender) == DuckDBSuccess;
  for (std::size_t row = 0; ok && row < columns[0].values.size(); ++row) {
    for (std::size_t c = 0; ok && c < columns.size(); ++c) ok = append(appender, columns[c].values[row], as_text[c]);
    ok = ok && duckdb_appender_end_row(appender) == DuckDBSuccess;
  }
  ok = duckdb_appender_destroy(&appender) == DuckDBSuccess && ok;
  if (!ok || !Answer(database, fmt::format("COPY rows TO '/proc/self/fd/{}' (FORMAT parquet, USE_TMP_FILE false)", file.fd)).ok) return no_memory();
  std::string bytes(static_cast<std::size_t>(::lseek(file.fd, 0, SEEK_END)), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::pread(file.fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got <= 0) return no_memory();
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

}  // namespace mlp::io

extern "C" __attribute__((visibility("default"))) const mlp::io::ParquetModule mlp_parquet_module;
const mlp::io::ParquetModule mlp_parquet_module = {mlp::io::kParquetModuleVersion, mlp::io::names_of, mlp::io::read, mlp::io::write};
