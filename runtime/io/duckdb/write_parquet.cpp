#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/io/duckdb/database.h"
#include "runtime/io/duckdb/parquet_functions.h"

namespace mlp::io::duck {

namespace {

bool all_whole(const std::vector<Value>& column) {
  return std::ranges::all_of(column, [](const Value& value) { return std::holds_alternative<std::monostate>(value) || std::holds_alternative<std::int64_t>(value); });
}

bool append(duckdb_appender appender, const Value& value, std::string_view type) {
  if (std::holds_alternative<std::monostate>(value)) return duckdb_append_null(appender) == DuckDBSuccess;
  if (const auto* text = std::get_if<std::string>(&value)) return duckdb_append_varchar_length(appender, text->data(), text->size()) == DuckDBSuccess;
  if (type == "VARCHAR") {
    const std::string text = to_string(value);
    return duckdb_append_varchar_length(appender, text.data(), text.size()) == DuckDBSuccess;
  }
  if (const auto* truth = std::get_if<bool>(&value)) return duckdb_append_bool(appender, *truth) == DuckDBSuccess;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    if (type == "DATE") return duckdb_append_date(appender, {static_cast<std::int32_t>(*whole)}) == DuckDBSuccess;
    if (type == "TIMESTAMPTZ") return duckdb_append_timestamp(appender, {*whole}) == DuckDBSuccess;
    return duckdb_append_int64(appender, *whole) == DuckDBSuccess;
  }
  return duckdb_append_double(appender, std::get<double>(value)) == DuckDBSuccess;
}

const char* type_of(const ParquetOutput& column) {
  switch (column.base) {
    case Base::float_: return "DOUBLE";
    case Base::int_: return all_whole(column.values) ? "BIGINT" : "VARCHAR";
    case Base::bool_: return "BOOLEAN";
    case Base::date: return "DATE";
    case Base::timestamp: return "TIMESTAMPTZ";
    default: return "VARCHAR";
  }
}

/// A file in memory: what is written there is on no disk before it is whole.
struct MemoryFile {
  int fd = ::memfd_create("parquet", MFD_CLOEXEC);
  ~MemoryFile() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<std::string> write(const std::vector<ParquetOutput>& columns) {
  const MemoryFile file;
  Database database;
  if (file.fd < 0 || !database.open()) return no_memory();
  const Connection connection(database);
  std::string definition;
  std::vector<const char*> types;
  for (const ParquetOutput& column : columns) {
    types.push_back(type_of(column));
    definition += (definition.empty() ? "" : ", ") + quoted(column.name, '"') + " " + types.back();
  }
  if (!Answer(connection, "CREATE TABLE rows (" + definition + ")").ok) return no_memory();
  duckdb_appender appender = nullptr;
  bool ok = duckdb_appender_create(connection.connection, nullptr, "rows", &appender) == DuckDBSuccess;
  for (std::size_t row = 0; ok && row < columns[0].values.size(); ++row) {
    for (std::size_t c = 0; ok && c < columns.size(); ++c) ok = append(appender, columns[c].values[row], types[c]);
    ok = ok && duckdb_appender_end_row(appender) == DuckDBSuccess;
  }
  ok = duckdb_appender_destroy(&appender) == DuckDBSuccess && ok;
  if (!ok || !Answer(connection, fmt::format("COPY rows TO '/proc/self/fd/{}' (FORMAT parquet, USE_TMP_FILE false)", file.fd)).ok) return no_memory();
  std::string bytes(static_cast<std::size_t>(::lseek(file.fd, 0, SEEK_END)), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::pread(file.fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got <= 0) return no_memory();
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace mlp::io::duck
