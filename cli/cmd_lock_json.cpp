#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "compiler/lock/lock.h"
#include "compiler/support/check.h"
#include "compiler/types/signature.h"
#include "runtime/exec/source.h"
#include "runtime/io/infer_types.h"
#include "runtime/io/sql_stage.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

/// One mlp.lock, as it stands and as it has to be.
struct LockFile {
  std::string path;
  Lock before, after;
  bool is_there = false;
  bool changes() const { return is_there ? encode(before) != encode(after) : !after.tables.empty(); }
};

/// The types of the columns that a table does not declare, out of its data.
Result<LockedTable> find_types(const hir::Workflow& workflow, const hir::Table& table, const std::string& folder, std::uint64_t fragment_rows, store::Store& store) {
  const plan::Table source{table.name, table.synthetic, false, table.source, table.options, table.path, table.rows, table.span, {}, {}, {}, {}, {}, {}};
  const auto files = io::real_file_system();
  bool hashed = false;
  MLP_TRY(const auto rows, exec::look_at_source(source, folder, fragment_rows, *files, store, true, hashed));
  MLP_TRY(Schema columns, io::infer_types(*rows, table.name));
  std::set<std::string_view> declared;
  for (const hir::ColumnId id : table.columns)
    if (const auto* column = std::get_if<hir::SourceColumn>(&workflow[id].made_by)) declared.insert(column->source_name);
  std::erase_if(columns, [&](const SchemaColumn& column) { return declared.contains(column.name); });
  const Signature* signature = find_native(table.source);
  MLP_CHECK(signature != nullptr);
  // As the file writes it: relative to its own folder.
  const std::string lock_folder = driver::folder_of(table.lock->path);
  const std::string path = std::filesystem::path(folder.empty() || table.path.starts_with('/') ? table.path : folder + "/" + table.path)
                               .lexically_proximate(lock_folder.empty() ? "." : lock_folder);
  return LockedTable{table.lock->file, table.lock->table, signature->name, path, std::move(columns)};
}

/// The lock at a path, without what this workflow no longer takes from it and without the tables of files that are gone.
Result<LockFile> open_lock(const std::string& path, const std::string& workflow_file) {
  LockFile out;
  out.path = path;
  MLP_TRY(auto lock, read_lock(path));
  if (!lock) return out;
  out.is_there = true;
  out.before = std::move(*lock);
  const std::string folder = driver::folder_of(path);
  for (const LockedTable& table : out.before.tables) {
    const std::string file = folder.empty() ? table.file : folder + "/" + table.file;
    std::error_code ignored;
    if (file != workflow_file && std::filesystem::exists(file, ignored)) out.after.tables.push_back(table);
  }
  return out;
}

/// What all locks of a workflow have to be; the first is the one beside it.
Result<std::vector<LockFile>> make_locks(const Common& common, const std::string& file, const hir::Workflow& workflow, store::Store& store) {
  std::vector<LockFile> out;
  MLP_TRY(LockFile own, open_lock(lock_path(file), file));
  out.push_back(std::move(own));
  for (const hir::Table& table : workflow.tables) {
    if (!table.lock) continue;
    auto at = std::ranges::find(out, table.lock->path, &LockFile::path);
    if (at == out.end()) {
      MLP_TRY(LockFile other, open_lock(table.lock->path, file));
      at = out.insert(out.end(), std::move(other));
    }
    MLP_TRY(LockedTable found, find_types(workflow, table, driver::folder_of(file), common.fragment_rows, store));
    // Of an environment the types count; where the table comes from otherwise stays as it is.
    if (const LockedTable* old = at->before.find(found.file, found.name); old && !common.env.empty()) found.source = old->source, found.path = old->path;
    std::erase_if(at->after.tables, [&](const LockedTable& t) { return t.file == found.file && t.name == found.name; });
    at->after.tables.push_back(std::move(found));
  }
  return out;
}

/// What becomes of one table of a lock.
struct TableChange {
  const LockedTable* table = nullptr;  ///< as it has to be, or as it was where it is gone
  std::string_view status;             ///< new, changed, unchanged, removed
  std::vector<SchemaChange> columns;
};

std::vector<TableChange> changes_of(const LockFile& lock) {
  std::vector<TableChange> out;
  for (const LockedTable& now : lock.after.tables) {
    const LockedTable* before = lock.before.find(now.file, now.name);
    TableChange change{&now, before ? "unchanged" : "new", difference(before ? before->columns : Schema(), now.columns)};
    if (before && encode(Lock{{*before}}) != encode(Lock{{now}})) change.status = "changed";
    out.push_back(std::move(change));
  }
  for (const LockedTable& before : lock.before.tables)
    if (!lock.after.find(before.file, before.name)) out.push_back({&before, "removed", {}});
  return out;
}

Json to_json(const LockFile& lock) {
  Json tables = Json::array();
  for (const TableChange& change : changes_of(lock)) {
    Json columns = Json::array(), changes = Json::array();
    for (const SchemaColumn& column : change.table->columns)
      columns.push_back({{"name", name_of_source_column(column.name)}, {"source_name", column.name}, {"type", to_string(column.type)}});
    const auto type = [](const std::optional<Type>& t) { return t ? Json(to_string(*t)) : Json(nullptr); };
    for (const SchemaChange& c : change.columns) changes.push_back({{"what", word(c)}, {"source_name", c.column}, {"before", type(c.before)}, {"after", type(c.after)}});
    tables.push_back({{"file", change.table->file}, {"table", change.table->name}, {"source", change.table->source}, {"path", change.table->path}, {"status", change.status},
                      {"columns", std::move(columns)}, {"changes", std::move(changes)}});
  }
  return {{"lock", lock.path}, {"changed", lock.changes()}, {"tables", std::move(tables)}};
}

void print_text(const LockFile& lock, bool only_check, const std::string& file) {
  for (const TableChange& change : changes_of(lock)) {
    const LockedTable& table = *change.table;
    if (change.status == "unchanged") continue;
    if (change.status == "removed") {
      fmt::print("{}: no longer takes columns from the lock\n", table.name);
      continue;
    }
    fmt::print("{} from {}(\"{}\"): {}\n", table.name, table.source, table.path,
               change.status == "new"    ? fmt::format("new, {} column{}", table.columns.size(), table.columns.size() == 1 ? "" : "s")
               : change.columns.empty() ? std::string("the same columns, from elsewhere or in another order")
                                        : fmt::format("{} change{}", change.columns.size(), change.columns.size() == 1 ? "" : "s"));
    for (const SchemaChange& column : change.columns) fmt::print("  {}\n", to_string(column));
  }
  if (!lock.changes()) fmt::print("{} is as the data are\n", lock.path);
  else if (only_check) fmt::print("{} is not as the data are: run `mlpc lock {}` and review the difference\n", lock.path, file);
  else fmt::print("{} was written\n", lock.path);
}

}  // namespace

int lock(const Common& common, const std::string& file, bool only_check) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  driver::CompileOptions options{*params, true, false, common.env, std::nullopt, false, {}, io::bind_sql};
  const driver::Compiled compiled = driver::compile(file, options, driver::Phase::hir);
  if (!compiled.workflow) return report(common, compiled.sink, compiled.sources);
  // The store lends what it knows of files that have not changed.
  auto store = store::Store::open(store_directory(common, file), store::Mode::read_only);
  if (!store) return report(common, store.error());
  auto locks = make_locks(common, file, *compiled.workflow, *store);
  if (!locks) return report(common, locks.error(), compiled.sources);

  const bool none = std::ranges::all_of(*locks, [](const LockFile& l) { return !l.is_there && l.after.tables.empty(); });
  const bool changed = std::ranges::any_of(*locks, &LockFile::changes);
  const auto files = io::real_file_system();
  if (!only_check)
    for (const LockFile& lock : *locks)
      if (lock.changes())
        if (auto written = files->write_atomically(lock.path, encode(lock.after)); !written) return report(common, written.error());

  // Whether the workflow fits the columns that it has now is told at once.
  options.read_locks = true;
  driver::Compiled now;
  if (!only_check) now = driver::compile(file, options, driver::Phase::hir);
  if (common.format == Format::json) {
    Json list = Json::array(), diagnostics = Json::array();
    for (const LockFile& lock : *locks)
      if (lock.is_there || !lock.after.tables.empty()) list.push_back(to_json(lock));
    for (const diag::Diagnostic& d : now.sink.diagnostics()) diagnostics.push_back(Json::parse(diag::render_json(d, now.sources)));
    const Json json{{"format_version", 1}, {"workflow", compiled.workflow->name}, {"changed", changed}, {"written", changed && !only_check}, {"locks", std::move(list)}, {"diagnostics", std::move(diagnostics)}};
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!common.quiet) {
    if (none) fmt::print("no table of {} says `rest from lock`: there is nothing to lock\n", file);
    for (const LockFile& lock : *locks)
      if (lock.is_there || !lock.after.tables.empty()) print_text(lock, only_check, file);
  }
  if (only_check) return changed ? kWorkflowWrong : kDone;
  std::fflush(stdout);
  if (common.format != Format::json) return report(common, now.sink, now.sources);
  return now.sink.has_errors() ? kWorkflowWrong : kDone;
}

}  // namespace mlp::cli
