#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/support/digest.h"
#include "runtime/fetch/fetch.h"
#include "runtime/fetch/sql_names.h"
#include "runtime/io/row_file.h"

/// What the sources that are fetched have in common.
namespace mlp::fetch {

/// What is known of an earlier fetch whose file is still whole.
struct Record {
  std::string path;
  std::string form;       ///< as Fetched::form
  std::string validator;  ///< what showed, or will show, that nothing changed, in words of the source
  std::int64_t began_ns = 0;
  std::vector<std::pair<std::string, std::int64_t>> earlier;  ///< names of files that were replaced, and when
};

/// By what a fetch is remembered: all that decides what is asked for. `part`: of what, where the options of the table do not say it.
Digest definition(const plan::Table& table, std::string_view part = {});
std::optional<Record> find_record(const Context& context, const Digest& definition);

/// A file that is being written. Whoever is killed leaves nothing that would be taken for whole.
class Scratch {
 public:
  /// E0904.
  static Result<Scratch> make(const Context& context, const Digest& definition);
  Scratch(Scratch&& other) noexcept;
  ~Scratch();

  int file() const { return file_; }
  const std::string& path() const { return path_; }
  /// Gives it its name, and remembers it with the validator; an equal file that is there stays. Of the files that were replaced four of the
  /// last day stay: another run may still read them. `partitions` are folders that say something about the rows, "year=2024/". E0904.
  Result<std::string> keep(const Context& context, std::string_view ending, std::string form, std::string validator, std::int64_t began_ns, const std::string& partitions = {});

 private:
  Scratch(int file, std::string path, Digest definition) : file_(file), path_(std::move(path)), definition_(definition) {}
  int file_;
  std::string path_;
  Digest definition_;
};

/// Remembers another validator for the same file.
Result<void> keep_validator(const Context& context, const Digest& definition, const Record& record, std::string validator, std::int64_t began_ns);

std::string absolute_path(const std::string& path);
std::int64_t now_ns();
bool stopped(const Context& context);
std::unexpected<diag::Diagnostic> stop_failure();

/// An option of the source; the signature says which there are.
std::string text_option(const plan::Table& table, std::string_view name);
std::int64_t int_option(const plan::Table& table, std::string_view name);

/// What is read of the columns that a source has: those of the table, all where mlp.lock says what they have to be or is about to.
const std::vector<std::string>& wanted_columns(const plan::Table& table, const std::vector<std::string>& has);
/// The positions, among the columns that a source has, of those that are read. E0803.
Result<std::vector<std::uint32_t>> find_columns(const std::string& name, const std::vector<std::string>& has, const std::vector<std::string>& wanted);

// ---- databases: one statement that reads the rows -------------------------------------------------------------------------

/// A statement in parentheses.
std::string in_parentheses(std::string_view query);
/// E0912 with the nearest of the tables that are there.
std::unexpected<diag::Diagnostic> no_table(const std::string& where, const std::string& table, const std::vector<std::string>& names);
/// A statement without the semicolon at its end.
std::string_view without_end(std::string_view query);
/// What follows `ORDER BY`. Rows of a table have no order of their own: by the column of `version by`, then by the key, without a key by all
/// columns, so that equal rows come in equal order. `by` writes a column of the order.
std::string order_of_rows(const plan::Table& table, const std::vector<std::string>& columns, const std::function<std::string(const std::string& column)>& by);
/// "shop.db, table orders"
std::string database_name(const std::string& where, const plan::Table& table);

// ---- sources: one function each --------------------------------------------------------------------------------------------
Result<std::optional<Fetched>> fetch_sqlite(const Context& context, const plan::Table& table);
Result<std::optional<Fetched>> fetch_python(const Context& context, const plan::Table& table);
Result<std::optional<Fetched>> fetch_sql(const Context& context, const plan::Table& table);
Result<std::optional<Fetched>> fetch_postgres(const Context& context, const plan::Table& table);
Result<std::optional<Fetched>> fetch_http(const Context& context, const plan::Table& table);
Result<std::optional<Fetched>> fetch_s3(const Context& context, const plan::Table& table);

}  // namespace mlp::fetch
