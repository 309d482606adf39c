#include "cli/asked_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/render.h"
#include "runtime/column/codec.h"
#include "runtime/io/sql_stage.h"

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

/// The train that fits the fitted columns of rows, or why they cannot be made.
Result<std::optional<hir::TrainId>> train_for(const driver::Compiled& compiled, const hir::Rows& rows) {
  const hir::Workflow& workflow = *compiled.workflow;
  std::vector<Span> own;
  if (rows.view) own.push_back(workflow[*rows.view].span);
  if (const hir::NotYet* form = first_not_yet(compiled, planner::operators_of_rows(workflow, *compiled.logical, rows, std::nullopt), own))
    return failure(diag::make(diag::Code::E0601, form->span, fmt::format("{} is checked, but this version of mlpc cannot run it yet", form->what)).with_label("not run yet").with_help("look at the tables that it is made from"));
  std::optional<hir::TrainId> train;
  for (const hir::TrainId id : planner::trains_of_rows(workflow, rows))
    if (!train && !first_not_yet(compiled, planner::operators_of_rows(workflow, *compiled.logical, rows, id), {workflow[id].span})) train = id;
  if (rows.where && !train)
    for (const expr::InputColumn& input : rows.where->inputs)
      if (const hir::Column& column = workflow[hir::ColumnId(input.column)]; column.phase == Phase::fitted)
        return failure(diag::make(diag::Code::E0309, rows.where->nodes.back().span, fmt::format("`{}` is fitted on training rows, and no train says which these are", column.name))
                           .with_label("cannot be computed").with_secondary(column.span, "fitted here").with_help("name the columns that it is computed from"));
  return train;
}

}  // namespace

Result<Column> read_column(RunRows& ran, plan::StepId step, std::size_t fragment) {
  MLP_TRY(const std::string bytes, ran.store.get(ran.report.steps[step.index()].outputs[fragment]));
  return decode_column(bytes);
}

std::optional<driver::Compiled> compile_rows(const Common& common, const std::string& file, std::vector<driver::AskedRows> questions, int& exit) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    exit = kUsage;
    return std::nullopt;
  }
  driver::CompileOptions options;
  options.params = *params;
  options.env = common.env;
  options.type_sql = io::bind_sql;
  options.rows = std::move(questions);
  if (!set_as_of(common, options) || !set_sample(common, options)) {
    exit = kUsage;
    return std::nullopt;
  }
  driver::Compiled compiled = driver::compile(file, options, driver::Phase::logical);
  if (!compiled.workflow) {
    exit = report(common, compiled.sink, compiled.sources);
    return std::nullopt;
  }
  return compiled;
}

planner::PlanOptions rows_plan_options(const Common& common, const std::string& file) {
  planner::PlanOptions options;
  options.folder = driver::folder_of(file);
  options.file = file;
  driver::CompileOptions asked;  // the options were looked at when the workflow was compiled
  if (set_as_of(common, asked)) options.as_of_us = asked.as_of_us;
  if (set_sample(common, asked)) options.share = asked.share;
  return options;
}

std::optional<RunRows> run_rows(const Common& common, const std::string& file, const SourceMap& sources, const plan::Physical& plan, std::vector<plan::StepId> kept, int& exit) {
  const auto failed = [&](const diag::Diagnostic& d) {
    exit = report(common, d, sources);
    return std::nullopt;
  };
  const std::string directory = store_directory(common, file);
  auto author = acting_identity(directory);
  if (!author) return failed(author.error());
  auto store = store::Store::open(directory, store::Mode::read_write);
  if (!store) return failed(store.error());
  if (plan.steps.empty()) return RunRows{std::move(*store), {}};
  store::Catalog catalog(directory, false);
  catalog.set_author(author->name);
  exec::RunOptions options = run_options(common, file);
  options.kept = std::move(kept);
  watch_signals();
  // Only a person who waits is shown the steps.
  auto done = exec::run(plan, *store, catalog, options, common.live ? progress(common, plan.steps.size()) : exec::Listener());
  if (!done) return failed(done.error());
  for (const diag::Diagnostic& d : done->warnings) fmt::print(stderr, "{}", diag::render_text(d, sources, {common.colour_err, 20}));
  if (done->failure) return failed(*done->failure);
  return RunRows{std::move(*store), std::move(*done)};
}

std::optional<ComputedRows> compute_rows(const Common& common, const std::string& file, std::vector<driver::AskedRows> questions, bool behind, int& exit) {
  auto compiled = compile_rows(common, file, std::move(questions), exit);
  if (!compiled) return std::nullopt;
  std::vector<std::optional<hir::TrainId>> trains;
  for (const hir::Rows& rows : compiled->workflow->rows) {
    const auto train = train_for(*compiled, rows);
    if (!train) {
      exit = report(common, train.error(), compiled->sources);
      return std::nullopt;
    }
    trains.push_back(*train);
  }
  planner::RowsPlan asked = planner::lower_rows(*compiled->workflow, *compiled->logical, compiled->sources, rows_plan_options(common, file), trains, behind);
  std::vector<plan::StepId> kept;
  for (const planner::ShownRows& rows : asked.rows) {
    for (const planner::ShownColumn& column : rows.columns) kept.push_back(column.step);
    if (rows.where) kept.push_back(*rows.where);
  }
  auto ran = run_rows(common, file, compiled->sources, asked.plan, std::move(kept), exit);
  if (!ran) return std::nullopt;
  return ComputedRows{std::move(*compiled), std::move(asked), std::move(*ran)};
}

std::string fitted_text(const planner::ShownRows& rows) {
  std::string out;
  if (rows.fitted_as) out += fmt::format("fitted as in {}\n", *rows.fitted_as);
  if (!rows.left_out.empty()) out += fmt::format("not shown, because they are fitted and no train says on which rows: {}\n", fmt::join(rows.left_out, ", "));
  return out;
}

}  // namespace mlp::cli
