#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "compiler/diag/render.h"
#include "runtime/fetch/snapshot.h"
#include "runtime/io/source.h"

namespace mlp::fetch {

namespace {

using diag::Code;
using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

/// What a database in a file is at a moment: its file, and the log in which the newest changes may be.
struct Stamps {
  io::FileStamp database;
  std::optional<io::FileStamp> log;

  std::string text() const {
    const auto one = [](const io::FileStamp& s) { return fmt::format("{} {} {} {} {};", s.size, s.mtime_ns, s.ctime_ns, s.inode, s.device); };
    return one(database) + (log ? one(*log) : std::string());
  }
  bool is_racy(std::int64_t began_ns) const {
    const auto one = [&](const io::FileStamp& s) { return store::is_racy({s.size, s.mtime_ns, s.ctime_ns, s.inode, s.device}, began_ns); };
    return one(database) || (log && one(*log));
  }
};

Result<Stamps> stamps_of(io::FileSystem& files, const std::string& path) {
  Stamps stamps;
  MLP_TRY(stamps.database, files.stat(path));
  if (const auto log = files.stat(path + "-wal"); log && log->size > 0) stamps.log = *log;
  return stamps;
}

/// The validator: the stamps, a line end, then what `version by` gave.
std::string validator_of(const Stamps& stamps, const std::string& version) { return stamps.text() + "\n" + version; }
std::string_view version_in(std::string_view validator) { return validator.substr(std::min(validator.size(), validator.find('\n') + 1)); }

class Reader {
 public:
  Reader(const Context& context, const plan::Table& table, std::string path)
      : context_(context), table_(table), path_(std::move(path)), name_(database_name(path_, table)) {}

  Result<void> open(const Stamps& stamps) {
    MLP_TRY(const auto file, context_.files.open(path_));  // says better than SQLite why not
    char head[20] = {};
    MLP_TRY(const std::size_t got, file->read_at(0, head));
    if (got > 0 && (got < sizeof head || std::memcmp(head, "SQLite format 3", 16) != 0))
      return failure(Code::E0804, fmt::format("`{}` is no SQLite database", path_), "give the file of a database; a CSV file is read with `csv`");
    std::string uri = "file:";
    for (const char c : path_) uri += std::strchr("?#%", c) ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
    // Of a database with a write-ahead log SQLite would make files beside it, also to read. Where the log is empty nothing is missing
    // without it, and that nobody wrote meanwhile shows in the file's times.
    immutable_ = got == sizeof head && head[18] == 2 && !stamps.log;
    uri += immutable_ ? "?mode=ro&immutable=1" : "?mode=ro";
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(uri.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) return failed();
    sqlite3_busy_timeout(opened, 3'000);
    sqlite3_progress_handler(opened, 10'000, [](void* self) { return stopped(static_cast<Reader*>(self)->context_) ? 1 : 0; }, this);
    return run("BEGIN");
  }
  bool immutable() const { return immutable_; }
  const std::string& name() const { return name_; }

  /// The greatest value of the column and the number of rows.
  Result<std::string> version() {
    const std::string table = text_option(table_, "table"), from = table.empty() ? in_parentheses(text_option(table_, "query")) : quoted_table(table);
    MLP_TRY_VOID(check_table());
    MLP_TRY(const Statement head, prepare("SELECT * FROM " + from));
    MLP_TRY_VOID(find_columns(name_, columns_of(head.get()), {table_.version_by}));
    MLP_TRY(const Statement statement, prepare(fmt::format("SELECT quote(max({})), count(*) FROM {}", quoted_name(table_.version_by), from)));
    if (sqlite3_step(statement.get()) != SQLITE_ROW) return failed();
    return fmt::format("{} {}", text(statement.get(), 0), sqlite3_column_int64(statement.get(), 1));
  }

  Result<void> write_rows(io::RowWriter& to) {
    MLP_TRY_VOID(check_table());
    const bool whole_table = !text_option(table_, "table").empty();
    MLP_TRY(Statement statement, prepare(whole_table ? "SELECT * FROM " + quoted_table(text_option(table_, "table")) : text_option(table_, "query")));
    const std::vector<std::string> has = columns_of(statement.get());
    const std::vector<std::string>& wanted = wanted_columns(table_, has);
    MLP_TRY(std::vector<std::uint32_t> positions, find_columns(name_, has, wanted));
    if (whole_table) {
      std::string columns;
      for (const std::string& column : wanted) columns += (columns.empty() ? "" : ", ") + quoted_name(column);
      const std::string order = order_of_rows(table_, wanted, [](const std::string& column) { return quoted_name(column) + " COLLATE BINARY"; });
      MLP_TRY(statement, prepare(fmt::format("SELECT {} FROM {} ORDER BY {}", columns, quoted_table(text_option(table_, "table")), order)));
      for (std::uint32_t i = 0; i < positions.size(); ++i) positions[i] = i;
    }
    to.header(wanted);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
      for (const std::uint32_t position : positions) MLP_TRY_VOID(write(to, statement.get(), static_cast<int>(position)));
      to.end_row();
    }
    return code == SQLITE_DONE ? Result<void>() : failed();
  }

 private:
  static std::string_view text(sqlite3_stmt* row, int column) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
  }

  static std::vector<std::string> columns_of(sqlite3_stmt* statement) {
    std::vector<std::string> names;
    for (int c = 0; c < sqlite3_column_count(statement); ++c) names.emplace_back(sqlite3_column_name(statement, c));
    return names;
  }

  Result<void> write(io::RowWriter& to, sqlite3_stmt* row, int column) {
    switch (sqlite3_column_type(row, column)) {
      case SQLITE_NULL: to.add_missing(); break;
      case SQLITE_INTEGER: to.add_int(sqlite3_column_int64(row, column)); break;
      case SQLITE_FLOAT: to.add_float(sqlite3_column_double(row, column)); break;
      case SQLITE_TEXT: to.add_text(text(row, column)); break;
      default:
        return failure(Code::E0804, fmt::format("row {} of {} has bytes (a BLOB) in column `{}`", to.rows() + 1, name_, sqlite3_column_name(row, column)), "columns hold numbers, texts and times; cast it, or leave the column out");
    }
    return {};
  }

  Result<Statement> prepare(const std::string& sql) {
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(database_.get(), sql.c_str(), static_cast<int>(sql.size()), &made, &rest);
    Statement statement(made, sqlite3_finalize);
    if (code != SQLITE_OK) return failed();
    if (!made || !sqlite3_stmt_readonly(made) || sqlite3_column_count(made) == 0) return failure(Code::E0912, fmt::format("the query of table `{}` gives no rows", table_.name), "write one `SELECT`");
    for (; rest && *rest; ++rest)
      if (!std::strchr(" \t\r\n;", *rest)) return failure(Code::E0912, fmt::format("the query of table `{}` is more than one statement", table_.name), "write one `SELECT`");
    return statement;
  }

  Result<void> run(const char* sql) { return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK ? Result<void>() : failed(); }

  /// A table that is not there is told with those that are.
  Result<void> check_table() {
    const std::string table = text_option(table_, "table");
    if (table.empty() || table.find('.') != std::string::npos) return {};
    MLP_TRY(const Statement statement, prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"));
    std::vector<std::string> names;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) names.emplace_back(text(statement.get(), 0));
    if (code != SQLITE_DONE) return failed();
    const auto same = [&](const std::string& name) { return sqlite3_stricmp(name.c_str(), table.c_str()) == 0; };
    if (std::ranges::any_of(names, same)) return {};
    return no_table(path_, table, names);
  }

  std::unexpected<diag::Diagnostic> failed() {
    const int code = database_ ? sqlite3_errcode(database_.get()) : SQLITE_NOMEM;
    const std::string words = database_ ? sqlite3_errmsg(database_.get()) : "there is no memory";
    switch (code) {
      case SQLITE_INTERRUPT: return stop_failure();
      case SQLITE_NOTADB: return failure(Code::E0804, fmt::format("`{}` is no SQLite database, or it is encrypted", path_), "give the file of a database; a CSV file is read with `csv`");
      case SQLITE_CORRUPT: return failure(Code::E0804, fmt::format("the database `{}` is damaged: {}", path_, words), "see what `sqlite3 FILE 'PRAGMA integrity_check'` says");
      case SQLITE_BUSY:
      case SQLITE_LOCKED: return failure(Code::E0912, fmt::format("`{}` is locked by another program", path_), "run again when that has finished writing");
      default: return failure(Code::E0912, fmt::format("{} cannot be read: {}", name_, words), "mend the query, or what stands in the way");
    }
  }

  const Context& context_;
  const plan::Table& table_;
  std::string path_, name_;
  bool immutable_ = false;
  Connection database_{nullptr, sqlite3_close_v2};
};

}  // namespace

Result<std::optional<Fetched>> fetch_sqlite(const Context& context, const plan::Table& table) {
  const std::string path = io::path_below(context.folder, table.path);
  const Digest id = definition(table, absolute_path(path));
  const auto record = find_record(context, id);
  const std::int64_t began = now_ns();
  MLP_TRY(const Stamps stamps, stamps_of(context.files, path));
  const auto as_fetched = [&](std::string file) { return std::optional(Fetched{"rows", {{std::move(file), database_name(path, table)}}, {}}); };
  if (record && record->validator == validator_of(stamps, std::string(version_in(record->validator))) && !stamps.is_racy(record->began_ns)) return as_fetched(record->path);
  if (!context.may_fetch) return std::nullopt;

  Reader reader(context, table, path);
  MLP_TRY_VOID(reader.open(stamps));
  std::string version;
  if (!table.version_by.empty()) {
    MLP_TRY(version, reader.version());
    if (record && version == version_in(record->validator)) {
      MLP_TRY_VOID(keep_validator(context, id, *record, validator_of(stamps, version), began));
      return as_fetched(record->path);
    }
  }
  MLP_TRY(Scratch scratch, Scratch::make(context, id));
  io::RowWriter rows(scratch.file());
  MLP_TRY_VOID(reader.write_rows(rows));
  MLP_TRY_VOID(rows.finish());
  MLP_TRY(const Stamps after, stamps_of(context.files, path));
  const bool same = after.text() == stamps.text();
  if (!same && reader.immutable()) return io::source_changed(path);
  // A transaction saw one state of the database, but which of the two moments it is of nobody knows: the next run asks again.
  MLP_TRY(std::string file, scratch.keep(context, ".rows", "rows", validator_of(same ? stamps : Stamps{}, version), began));
  return as_fetched(std::move(file));
}

}  // namespace mlp::fetch
