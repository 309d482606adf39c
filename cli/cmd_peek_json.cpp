#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/rows.h"
#include "compiler/diag/render.h"
#include "compiler/planner/planner.h"
#include "runtime/column/codec.h"

namespace mlp::cli {

namespace {

/// A form that is checked and cannot run yet, in a declaration that these operators are of.
const hir::NotYet* first_not_yet(const driver::Compiled& compiled, const std::vector<plan::OperatorId>& operators, std::vector<Span> spans) {
  for (const plan::OperatorId id : operators) spans.push_back(compiled.logical->operators[id.index()].span);
  const auto holds = [](Span outer, Span inner) { return inner && outer.file == inner.file && outer.begin <= inner.begin && inner.end <= outer.end; };
  const auto in_file = [&](const ast::File& file) -> const hir::NotYet* {
    for (const ast::Declaration& declaration : file.declarations)
      if (std::ranges::any_of(spans, [&](Span span) { return holds(declaration.span, span); }))
        for (const hir::NotYet& form : compiled.workflow->not_yet)
          if (holds(declaration.span, form.span)) return &form;
    return nullptr;
  };
  if (const hir::NotYet* found = in_file(compiled.file)) return found;
  for (const Module& module : compiled.modules)
    if (const hir::NotYet* found = in_file(module.file)) return found;
  return nullptr;
}

/// The steps of the rows, or why they cannot be made.
Result<planner::RowsPlan> plan_rows(const driver::Compiled& compiled, const std::string& file) {
  const hir::Workflow& workflow = *compiled.workflow;
  const hir::Rows& rows = *workflow.rows;
  std::vector<Span> own;
  if (rows.view) own.push_back(workflow[*rows.view].span);
  if (const hir::NotYet* form = first_not_yet(compiled, planner::operators_of_rows(workflow, *compiled.logical, std::nullopt), own))
    return failure(diag::make(diag::Code::E0601, form->span, fmt::format("{} is checked, but this version of mlpc cannot run it yet", form->what)).with_label("not run yet").with_help("look at the tables that it is made from"));
  std::optional<hir::TrainId> train;
  for (const hir::TrainId id : planner::trains_of_rows(workflow))
    if (!train && !first_not_yet(compiled, planner::operators_of_rows(workflow, *compiled.logical, id), {workflow[id].span})) train = id;
  if (rows.where && !train)
    for (const expr::InputColumn& input : rows.where->inputs)
      if (const hir::Column& column = workflow[hir::ColumnId(input.column)]; column.phase == Phase::fitted)
        return failure(diag::make(diag::Code::E0309, rows.where->nodes.back().span, fmt::format("`{}` is fitted on training rows, and no train says which these are", column.name))
                           .with_label("cannot be computed").with_secondary(column.span, "fitted here").with_help("name the columns that it is computed from"));
  planner::PlanOptions options;
  options.folder = driver::folder_of(file);
  options.file = file;
  return planner::lower_rows(workflow, *compiled.logical, compiled.sources, options, train);
}

/// Values of a finished run.
struct Values {
  store::Store& store;
  const exec::RunReport& report;
  const std::vector<Digest>& cells(plan::StepId step) const { return report.steps[step.index()].outputs; }
  Result<Column> column(plan::StepId step, std::size_t fragment) const {
    MLP_TRY(const std::string bytes, store.get(cells(step)[fragment]));
    return decode_column(bytes);
  }
};

/// The column that is read fastest, to count rows.
plan::StepId cheapest(const planner::RowsPlan& rows) {
  const auto at = std::ranges::find_if(rows.columns, [](const planner::ShownColumn& column) { return column.type.base != Base::string && column.type.base != Base::vector; });
  return (at == rows.columns.end() ? rows.columns.front() : *at).step;
}

struct Found {
  Rows rows;
  std::uint64_t total = 0, matching = 0;
};

Result<Found> find_rows(const planner::RowsPlan& asked, const Values& values, std::uint64_t most) {
  Found out;
  std::vector<std::vector<Column>> parts(asked.columns.size());
  const plan::StepId counted = asked.where.value_or(cheapest(asked));
  for (std::size_t f = 0; f < values.cells(counted).size(); ++f) {
    MLP_TRY(const Column column, values.column(counted, f));
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t row = 0; row < column.rows; ++row) {
      if (asked.where && !(column.is_known(row) && column.values<std::uint8_t>()[row])) continue;
      ++out.matching;
      if (out.rows.numbers.size() == most) continue;
      out.rows.numbers.push_back(out.total + row + 1);
      chosen.push_back(row);
    }
    out.total += column.rows;
    if (chosen.empty()) continue;
    for (std::size_t c = 0; c < asked.columns.size(); ++c) {
      MLP_TRY(const Column cell, values.column(asked.columns[c].step, f));
      parts[c].push_back(take(cell, chosen));
    }
  }
  const bool several = std::ranges::any_of(asked.columns, [&](const planner::ShownColumn& column) { return column.owner != asked.columns.front().owner; });
  for (std::size_t c = 0; c < asked.columns.size(); ++c) {
    const planner::ShownColumn& column = asked.columns[c];
    out.rows.columns.push_back({column.name, several ? column.owner : std::string(), column.type, parts[c].empty() ? ColumnBuilder(column.type).finish() : concatenate(parts[c]), column.code});
  }
  return out;
}

std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

void print_text(const Common& common, const planner::RowsPlan& asked, const Found& found, const std::string& where) {
  fmt::print("{}", rows_text(found.rows, terminal_width(), common.colour_out));
  if (common.quiet) return;
  const std::string shown = grouped(found.rows.numbers.size());
  const char* noun = found.matching == 1 ? "row" : "rows";
  fmt::print("\n");
  if (where.empty()) fmt::print("{} of {} {}\n", shown, grouped(found.total), noun);
  else fmt::print("{} of {} {} where {}, out of {}\n", shown, grouped(found.matching), noun, where, grouped(found.total));
  if (asked.fitted_as) fmt::print("fitted as in {}\n", *asked.fitted_as);
  if (!asked.left_out.empty()) fmt::print("not shown, because they are fitted and no train says on which rows: {}\n", fmt::join(asked.left_out, ", "));
}

}  // namespace

int peek(const Common& common, const std::string& file, const std::string& name, const std::string& where, std::uint64_t most) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  driver::CompileOptions compile_options{*params, true, false, common.env};
  compile_options.rows = driver::AskedRows{name, where};
  const driver::Compiled compiled = driver::compile(file, compile_options, driver::Phase::logical);
  if (!compiled.workflow) return report(common, compiled.sink, compiled.sources);
  auto asked = plan_rows(compiled, file);
  if (!asked) return report(common, asked.error(), compiled.sources);
  if (asked->columns.empty()) return report(common, diag::make(diag::Code::E0309, {}, fmt::format("all columns of `{}` are fitted on training rows, and no train says which these are", name)).with_help("peek at the table that it is made from"));

  const std::string directory = store_directory(common, file);
  auto author = acting_identity(directory);
  if (!author) return report(common, author.error());
  auto store = store::Store::open(directory, store::Mode::read_write);
  if (!store) return report(common, store.error());
  store::Catalog catalog(directory, false);
  catalog.set_author(author->name);
  exec::RunOptions options;
  options.threads = common.threads;
  options.fragment_rows = common.fragment_rows;
  options.baseline_cpu = common.baseline_cpu;
  options.stop = &stop_requested();
  for (const planner::ShownColumn& column : asked->columns) options.kept.push_back(column.step);
  if (asked->where) options.kept.push_back(*asked->where);
  options.file = file;
  options.command = common.command_line;
  watch_signals();
  // Only a person who waits is shown the steps.
  auto done = exec::run(asked->plan, *store, catalog, options, common.live ? progress(common, asked->plan.steps.size()) : exec::Listener());
  if (!done) return report(common, done.error(), compiled.sources);
  for (const diag::Diagnostic& d : done->warnings) fmt::print(stderr, "{}", diag::render_text(d, compiled.sources, {common.colour_err, 20}));
  if (done->failure) return report(common, *done->failure, compiled.sources);
  const auto found = find_rows(*asked, {*store, *done}, most);
  if (!found) return report(common, found.error(), compiled.sources);

  if (common.format == Format::csv) {
    fmt::print("{}", rows_csv(found->rows));
  } else if (common.format == Format::json) {
    const auto text = [](const std::string& t) { return nlohmann::json(t).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); };
    fmt::print("{{\"format_version\":1,\"workflow\":{},\"name\":{},\"kind\":\"{}\",\"total_rows\":{},\"matching_rows\":{},\"fitted_as\":{},\"left_out\":{},{}}}\n", text(compiled.workflow->name), text(name),
               compiled.workflow->rows->view ? "view" : "table", found->total, found->matching, asked->fitted_as ? text(*asked->fitted_as) : "null", nlohmann::json(asked->left_out).dump(), rows_json(found->rows));
  } else {
    print_text(common, *asked, *found, where);
  }
  return kDone;
}

}  // namespace mlp::cli
