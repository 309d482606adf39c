#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/row_file.h"

/// PostgreSQL, through libpq in a module that is loaded on first use.
namespace mlp::fetch {

struct PostgresColumn {
  std::string name;
  std::uint32_t type = 0;   ///< oid
  bool is_text = false;     ///< compared by the rules of a language unless told otherwise
  bool needs_cast = false;  ///< has to be asked for as a text: `rows` does not know its binary form
};

/// One transaction, which reads only and sees one state of the database, or writes and has to be committed. Failures are E0912, of one
/// that writes E0914, and E0906 on a stop; a message has neither the address nor a part of it, which may be secret.
class Postgres {
 public:
  virtual ~Postgres() = default;
  /// The rows of a small answer, as texts; NULL is an empty one.
  virtual Result<std::vector<std::vector<std::string>>> ask(const std::string& sql) = 0;
  /// The columns that a query gives, without running it.
  virtual Result<std::vector<PostgresColumn>> describe(const std::string& query) = 0;
  /// Writes all rows of a query, of its `columns` those at `positions`, in that order (binary COPY).
  virtual Result<void> rows(const std::string& query, const std::vector<PostgresColumn>& columns, const std::vector<std::uint32_t>& positions, io::RowWriter& to) = 0;
  /// Carries out a `COPY … FROM STDIN` with what `next` gives, until it gives no more.
  virtual Result<void> copy_in(const std::string& statement, const std::function<bool(std::string& chunk)>& next) = 0;
};

/// How a connection is used.
struct PostgresLimits {
  std::chrono::milliseconds longest{std::chrono::hours(1)};  ///< of all statements together
  const std::atomic<bool>* stop = nullptr;
  bool writes = false;                                       ///< what is not committed is undone
};

/// `url`: postgresql://user:password@host:port/database, or the keywords of libpq. E0912, E0905.
Result<std::unique_ptr<Postgres>> connect_postgres(const std::string& url, const PostgresLimits& limits);

/// What the loader looks up in the module.
struct PostgresModule {
  int version;
  Result<std::unique_ptr<Postgres>> (*connect)(const std::string& url, const PostgresLimits& limits);
};
inline constexpr int kPostgresModuleVersion = 2;

}  // namespace mlp::fetch
