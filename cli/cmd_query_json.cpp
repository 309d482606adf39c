#include <fmt/format.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "cli/asked_rows.h"
#include "cli/rows.h"
#include "compiler/support/text.h"
#include "compiler/diag/render.h"
#include "runtime/io/sql.h"

namespace mlp::cli {

namespace {

/// The tables that the statement names, as the rows of a workflow.
std::vector<io::SqlTable> sql_tables_of(ComputedRows& computed) {
  std::vector<io::SqlTable> out;
  for (std::size_t i = 0; i < computed.asked.rows.size(); ++i) {
    const planner::ShownRows& rows = computed.asked.rows[i];
    io::SqlTable table;
    table.name = computed.compiled.workflow->rows[i].asked;
    std::vector<plan::StepId> steps;
    for (const planner::ShownColumn& column : rows.columns) {
      table.columns.push_back({column.name, column.type});
      steps.push_back(column.step);
    }
    table.fragments = steps.empty() ? 0 : computed.fragments(steps.front());
    table.read = [&computed, steps](std::size_t column, std::size_t fragment) { return computed.column(steps[column], fragment); };
    out.push_back(std::move(table));
  }
  return out;
}

/// What the statement could have meant, where it names what is not there.
void add_names(diag::Diagnostic& d, const hir::Workflow& workflow) {
  if (d.code != diag::Code::E0111 || !d.help.empty()) return;
  std::vector<std::string> names;
  for (const hir::Table& table : workflow.tables)
    if (!table.intermediate) names.push_back(table.name);
  for (const hir::View& view : workflow.views) names.push_back(view.name);
  d.help = names.empty() ? "the workflow has no table" : fmt::format("a query reads the tables and views of the workflow: `{}`", fmt::join(names, "`, `"));
  // DuckDB knows of no table that was not asked for, and proposes its own.
  constexpr std::string_view kBefore = "Table with name ", kAfter = " does not exist!";
  const std::size_t at = d.message.find(kBefore);
  if (at == std::string::npos || !d.message.ends_with(kAfter)) return;
  const std::string name = d.message.substr(at + kBefore.size(), d.message.size() - kAfter.size() - at - kBefore.size());
  d.message = fmt::format("there is no table or view named `{}`", name);
  d.notes.clear();
  if (const std::string_view meant = diag::did_you_mean(name, {names.begin(), names.end()}); !meant.empty()) d.help = fmt::format("did you mean `{}`?", meant);
}

}  // namespace

int query(const Common& common, const std::string& file, const std::string& sql, std::optional<std::uint64_t> most) {
  SourceMap statement;
  statement.add("SQL", sql);
  const auto names = io::sql_tables(sql);
  if (!names) return report(common, names.error(), statement);
  std::vector<driver::AskedRows> questions;
  for (const std::string& name : *names) questions.push_back({name, "", true});
  int exit = kDone;
  auto computed = compute_rows(common, file, std::move(questions), false, exit);
  if (!computed) return exit;
  constexpr std::uint64_t kMostInText = 100;
  const std::uint64_t limit = most.value_or(common.format == Format::text ? kMostInText : std::numeric_limits<std::int64_t>::max());
  auto answer = io::run_sql(sql, sql_tables_of(*computed), limit, {common.memory / 2, fmt::format("{}/spill-{}", store_directory(common, file), getpid())});
  if (!answer) {
    add_names(answer.error(), *computed->compiled.workflow);
    return report(common, answer.error(), statement);
  }
  Rows rows;
  for (std::size_t c = 0; c < answer->columns.size(); ++c) rows.columns.push_back({answer->columns[c].name, "", answer->columns[c].type, std::move(answer->values[c]), ""});
  const std::uint64_t shown = rows.columns.empty() ? 0 : rows.columns.front().values.rows;
  if (common.format == Format::csv) {
    fmt::print("{}", rows_csv(rows));
  } else if (common.format == Format::json) {
    fmt::print("{{\"format_version\":1,\"workflow\":{},\"total_rows\":{},{}}}\n", nlohmann::json(computed->compiled.workflow->name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), answer->rows, rows_json(rows));
  } else {
    fmt::print("{}", rows_text(rows, terminal_width(), common.colour_out));
    if (common.quiet) return kDone;
    if (shown < answer->rows) fmt::print("\n{} of {} rows; --rows shows more\n", with_commas(shown), with_commas(answer->rows));
    else fmt::print("\n{} row{}\n", with_commas(shown), shown == 1 ? "" : "s");
    for (const planner::ShownRows& each : computed->asked.rows) fmt::print("{}", fitted_text(each));
  }
  return kDone;
}

}  // namespace mlp::cli
