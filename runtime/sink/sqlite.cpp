#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>

#include "runtime/fetch/sql_names.h"
#include "runtime/io/value_text.h"
#include "runtime/sink/sink.h"

namespace mlp::sink {

namespace {

using diag::Code;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

const char* type_of(const Column& column) { return column.type.base == Base::int_ || column.type.base == Base::bool_ ? "INTEGER" : "TEXT"; }

/// The affinity of a declared type: https://www.sqlite.org/datatype3.html, 3.1.
std::string_view affinity_of(std::string type) {
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  if (has("INT")) return "INTEGER";
  if (has("CHAR") || has("CLOB") || has("TEXT")) return "TEXT";
  if (has("BLOB") || type.empty()) return "BLOB";
  return has("REAL") || has("FLOA") || has("DOUB") ? "REAL" : "NUMERIC";
}

class Writer {
 public:
  Writer(const Context& context, const Target& target) : context_(context), target_(target), path_(path_of(target)), table_(text_option(target.options, "table")) {}
  // What was not committed is as if it had never been.
  ~Writer() { sqlite3_close_v2(database_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<void> open() {
    if (sqlite3_open_v2(path_.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) return failed();
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, 10'000);
    sqlite3_progress_handler(database_, 10'000, [](void* self) { return static_cast<Writer*>(self)->stopped() ? 1 : 0; }, this);
    return run("BEGIN IMMEDIATE");
  }

  Result<void> make_table(const Rows& rows) {
    MLP_TRY(const auto there, ask(fmt::format("SELECT type FROM sqlite_schema WHERE lower(name) = lower({}) AND type IN ('table', 'view')", fetch::quoted_text(table_))));
    if (!there.empty() && there[0][0] == "view")
      return failure(Code::E0914, fmt::format("{} is a view, and rows go into tables", name_of(target_)), "name another table: one that is not there is made");
    if (!there.empty()) return check_table(rows);
    std::string columns, key;
    for (std::size_t k = 0; k < target_.key.size(); ++k) {
      columns += fmt::format("{} {} NOT NULL, ", fetch::quoted_name(target_.key[k]), type_of(rows.key[k]));
      key += (k ? ", " : "") + fetch::quoted_name(target_.key[k]);
    }
    return run(fmt::format("CREATE TABLE {} ({}{} REAL NOT NULL, PRIMARY KEY ({}))", fetch::quoted_name(table_), columns, kPrediction, key).c_str());
  }

  Result<void> add(const Rows& rows) {
    std::string names, marks, key;
    for (const std::string& name : target_.key) {
      names += fetch::quoted_name(name) + ", ";
      marks += "?, ";
      key += (key.empty() ? "" : ", ") + fetch::quoted_name(name);
    }
    MLP_TRY(const Statement insert, prepare(fmt::format("INSERT INTO {0} ({1}{4}) VALUES ({2}?) ON CONFLICT ({3}) DO UPDATE SET {4} = excluded.{4} WHERE {4} IS NOT excluded.{4}", fetch::quoted_name(table_),
                                                        names, marks, key, kPrediction)));
    for (std::size_t row = 0; row < rows.predictions.size(); ++row) {
      int place = 0;
      for (const Column& column : rows.key) {
        const bool number = column.type.base == Base::int_ || column.type.base == Base::bool_;
        const std::string text = number ? std::string() : io::value_text(column, row);
        if (column.type.base == Base::int_) sqlite3_bind_int64(insert.get(), ++place, column.values<std::int64_t>()[row]);
        else if (number) sqlite3_bind_int64(insert.get(), ++place, column.values<std::uint8_t>()[row]);
        else sqlite3_bind_text64(insert.get(), ++place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      }
      sqlite3_bind_double(insert.get(), ++place, rows.predictions[row]);
      if (sqlite3_step(insert.get()) != SQLITE_DONE) return failed();
      sqlite3_reset(insert.get());
    }
    return {};
  }

  Result<void> commit() { return run("COMMIT"); }

 private:
  bool stopped() const { return context_.stop && context_.stop->load(); }

  Result<void> check_table(const Rows& rows) {
    MLP_TRY(const auto found, ask(fmt::format("SELECT name, type, \"notnull\" AND dflt_value IS NULL AND pk = 0, pk, hidden FROM pragma_table_xinfo({})", fetch::quoted_text(table_))));
    std::vector<TableColumn> columns;
    std::vector<std::pair<int, std::string>> primary;
    for (const auto& row : found) {
      // SQLite finds names without regard to capitals; so does this.
      TableColumn column{row[0], row[1], true, row[2] == "1", {}};
      const auto same = [&](const std::string& name) { return sqlite3_stricmp(name.c_str(), row[0].c_str()) == 0; };
      const auto key = std::ranges::find_if(target_.key, same);
      const std::string_view affinity = affinity_of(row[1]);
      if (key != target_.key.end()) {
        const std::string_view wanted = type_of(rows.key[static_cast<std::size_t>(key - target_.key.begin())]);
        column.name = *key, column.expected = wanted;
        column.fits = affinity == wanted || affinity == "BLOB" || (wanted == "INTEGER" && affinity == "NUMERIC");
      } else if (same(kPrediction)) {
        column.name = kPrediction, column.expected = "REAL";
        column.fits = affinity == "REAL" || affinity == "BLOB";
      }
      column.fits = column.fits && row[4] == "0";  // a generated column takes no value
      if (row[3] != "0") primary.emplace_back(std::stoi(row[3]), column.name);
      columns.push_back(std::move(column));
    }
    std::vector<std::vector<std::string>> unique;
    std::ranges::sort(primary);
    if (!primary.empty()) unique.emplace_back();
    for (const auto& [place, name] : primary) unique.back().push_back(name);
    MLP_TRY(const auto indices, ask(fmt::format("SELECT l.name, i.name FROM pragma_index_list({}) l, pragma_index_info(l.name) i WHERE l.\"unique\" AND NOT l.partial AND l.origin != 'pk' ORDER BY 1, i.seqno",
                                                fetch::quoted_text(table_))));
    std::map<std::string, std::vector<std::string>> by_index;
    for (const auto& row : indices) {
      const auto key = std::ranges::find_if(target_.key, [&](const std::string& name) { return sqlite3_stricmp(name.c_str(), row[1].c_str()) == 0; });
      by_index[row[0]].push_back(key == target_.key.end() ? row[1] : *key);
    }
    for (auto& [index, names] : by_index) unique.push_back(std::move(names));
    return check_fit(target_, columns, unique);
  }

  Result<Statement> prepare(const std::string& sql) {
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v2(database_, sql.c_str(), static_cast<int>(sql.size()), &made, nullptr);
    Statement statement(made, sqlite3_finalize);
    return code == SQLITE_OK ? Result<Statement>(std::move(statement)) : failed();
  }

  Result<void> run(const char* sql) { return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? Result<void>() : failed(); }

  /// The rows of an answer, as texts.
  Result<std::vector<std::vector<std::string>>> ask(const std::string& sql) {
    MLP_TRY(const Statement statement, prepare(sql));
    std::vector<std::vector<std::string>> rows;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
      std::vector<std::string>& row = rows.emplace_back();
      for (int c = 0; c < sqlite3_column_count(statement.get()); ++c) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), c));
        row.emplace_back(text ? text : "");
      }
    }
    if (code != SQLITE_DONE) return failed();
    return rows;
  }

  std::unexpected<diag::Diagnostic> failed() const {
    const int code = database_ ? sqlite3_errcode(database_) & 0xff : SQLITE_NOMEM;
    const std::string words = database_ ? sqlite3_errmsg(database_) : "there is no memory";
    switch (code) {
      case SQLITE_INTERRUPT: return failure(Code::E0906, "stopped on request", "nothing of this batch was written; the next run writes it");
      case SQLITE_NOTADB: return failure(Code::E0914, fmt::format("`{}` is no SQLite database, or it is encrypted", path_), "name another file: one that is not there is made");
      case SQLITE_CORRUPT: return failure(Code::E0914, fmt::format("the database `{}` is damaged: {}", path_, words), "see what `sqlite3 FILE 'PRAGMA integrity_check'` says");
      case SQLITE_BUSY:
      case SQLITE_LOCKED: return failure(Code::E0914, fmt::format("`{}` is locked by another program", path_), "run again when that has finished writing");
      case SQLITE_FULL: return failure(Code::E0904, fmt::format("`{}` cannot be written: the disk is full", path_), "free room on the disk; nothing of this batch was written");
      case SQLITE_CANTOPEN:
      case SQLITE_PERM: return failure(Code::E0904, fmt::format("`{}` cannot be opened for writing", path_), "see whether its folder is there, and whether it may be written");
      case SQLITE_READONLY: return failure(Code::E0904, fmt::format("`{}` may not be written", path_), "mend the permissions of the file and of its folder");
      case SQLITE_IOERR: return failure(Code::E0904, fmt::format("`{}` cannot be written: {}", path_, words), "see to the disk; nothing of this batch was written");
      default: return failure(Code::E0914, fmt::format("{} does not take the rows: {}", name_of(target_), words), "mend what stands in the way, or name another table: one that is not there is made");
    }
  }

  const Context& context_;
  const Target& target_;
  std::string path_, table_;
  sqlite3* database_ = nullptr;
};

}  // namespace

Result<void> write_sqlite(const Context& context, const Target& target, const Rows& rows) {
  Writer writer(context, target);
  MLP_TRY_VOID(writer.open());
  MLP_TRY_VOID(writer.make_table(rows));
  MLP_TRY_VOID(writer.add(rows));
  return writer.commit();
}

}  // namespace mlp::sink
