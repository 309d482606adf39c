#pragma once

#include <duckdb.h>

#include <string>

#include "compiler/diag/diagnostic.h"

/// What the files of this module share.
namespace mlp::io::duck {

/// `text` as an SQL constant or, with `"`, as an SQL name.
inline std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

/// A database in memory. One thread: rows keep their order, and equal values give equal bytes; several connections work side by side.
struct Database {
  duckdb_database database = nullptr;
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (database) duckdb_close(&database);
  }
  bool open() {
    duckdb_config config = nullptr;
    if (duckdb_create_config(&config) != DuckDBSuccess) return false;
    // It loads nothing from elsewhere, and keeps nothing of files, which are named by their descriptors here.
    for (const auto& [name, value] : {std::pair("threads", "1"), std::pair("autoinstall_known_extensions", "false"),
                                      std::pair("autoload_known_extensions", "false"), std::pair("enable_external_file_cache", "false")})
      duckdb_set_config(config, name, value);
    char* error = nullptr;
    const bool opened = duckdb_open_ext(nullptr, &database, config, &error) == DuckDBSuccess;
    duckdb_free(error);
    duckdb_destroy_config(&config);
    return opened;
  }
};

struct Connection {
  duckdb_connection connection = nullptr;
  explicit Connection(const Database& database) { duckdb_connect(database.database, &connection); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (connection) duckdb_disconnect(&connection);
  }
};

/// The result of a statement, all of it.
struct Answer {
  duckdb_result result{};
  bool ok = false;
  Answer(const Connection& connection, const std::string& sql) {
    ok = connection.connection && duckdb_query(connection.connection, sql.c_str(), &result) == DuckDBSuccess;
  }
  ~Answer() { duckdb_destroy_result(&result); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
};

inline std::unexpected<diag::Diagnostic> no_memory() {
  return failure(diag::Code::E0905, "DuckDB, which reads and writes Parquet and carries out SQL, cannot work now: memory is used up, or the folder /proc is not there", "free memory, or use CSV");
}

}  // namespace mlp::io::duck
