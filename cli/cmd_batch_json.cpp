#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/asked_rows.h"
#include "cli/command.h"
#include "compiler/support/text.h"
#include "compiler/diag/render.h"
#include "runtime/batch/score_table.h"
#include "runtime/registry/registry.h"
#include "runtime/sink/sink.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;
using Declared = std::pair<const hir::Deploy*, const hir::Batch*>;

/// What became of one `batch` entry.
struct Line {
  Declared declared;
  registry::Deployed deployed;
  std::shared_ptr<const scorer::LoadedScorer> scorer;
  sink::Target target;
  enum class Status : std::uint8_t { written, unchanged, failed } status = Status::failed;
  sink::Receipt receipt;
  std::vector<diag::Diagnostic> diagnostics;
};

std::string_view name(Line::Status status) {
  constexpr std::string_view kNames[] = {"written", "unchanged", "failed"};
  return kNames[static_cast<std::size_t>(status)];
}

/// The entries that are meant; E0201 where there are none.
Result<std::vector<Declared>> choose(const hir::Workflow& workflow, const std::string& file, const std::string& name) {
  std::vector<Declared> chosen;
  std::vector<std::string_view> names;
  bool is_there = false;
  for (const hir::Deploy& deploy : workflow.deploys) {
    if (!deploy.batches.empty()) names.push_back(deploy.name);
    if (!name.empty() && deploy.name != name) continue;
    is_there = true;
    for (const hir::Batch& batch : deploy.batches) chosen.emplace_back(&deploy, &batch);
  }
  if (!chosen.empty()) return chosen;
  constexpr const char* kWrite = "write into its `deploy` block: `batch TABLE into parquet(\"scores.parquet\") key COLUMN`";
  if (name.empty()) return failure(diag::Code::E0201, fmt::format("no deployment of `{}` has a `batch`", file), kWrite);
  if (is_there) return failure(diag::Code::E0201, fmt::format("the deployment `{}` has no `batch`", name), kWrite);
  const std::string_view near = diag::did_you_mean(name, names);
  return failure(diag::Code::E0201, fmt::format("`{}` has no deployment `{}`", file, name), near.empty() ? "without a name the batches of all are written" : fmt::format("did you mean `{}`?", near));
}

Result<registry::Deployed> find_version(const Common& common, const hir::Workflow& workflow, const hir::Deploy& deploy, const std::string& file) {
  const std::string directory = store_directory(common, file), whole = workflow.name + "." + deploy.name;
  MLP_TRY(const auto all, registry::deployments(directory));
  const auto found = std::ranges::find(all, whole, &registry::Deployed::deployment);
  if (found != all.end()) return *found;
  return failure(diag::make(diag::Code::E0908, deploy.span, fmt::format("nothing is deployed as `{}`, so no version can score its batch", whole)).with_label("not deployed").with_help(fmt::format("`mlpc deploy {} {}` takes a proven candidate there", file, deploy.name)));
}

/// The user's data is only read: a sink is none of the files that a table of the workflow comes from.
Result<void> check_is_no_source(io::FileSystem& files, const plan::Physical& plan, const sink::Target& target, Span span) {
  const std::string path = sink::path_of(target);
  const auto there = path.empty() ? Result<io::FileStamp>(failure(diag::Code::E0901, "")) : files.stat(path);
  if (!there) return {};
  for (const plan::Table& table : plan.tables) {
    const bool database = target.native == "sqlite";
    if ((table.source == "sqlite") != database || (!database && !io::find_form(table.source))) continue;
    if (database && sink::text_option(table.options, "table") != sink::text_option(target.options, "table")) continue;
    const auto names = files.list(io::path_below(plan.folder, table.path));
    if (!names) continue;
    for (const std::string& name : *names)
      if (const auto source = files.stat(name); source && source->inode == there->inode && source->device == there->device)
        return failure(diag::make(diag::Code::E0904, span, fmt::format("{} is read by table `{}`; the predictions would be written over it", sink::name_of(target), table.name)).with_label("is a source").with_help("give the sink a place of its own"));
  }
  return {};
}

/// The rows of a batch in the store.
batch::TableRows table_rows(const hir::Workflow& workflow, const hir::Batch& declared, const planner::BatchRows& rows, RunRows& ran) {
  batch::TableRows out;
  out.name = workflow[declared.table].name;
  std::vector<plan::StepId> steps;
  for (const auto* columns : {&rows.columns, &rows.key})
    for (const planner::ShownColumn& column : *columns) {
      (columns == &rows.key ? out.key : out.columns).push_back({column.name, column.type});
      steps.push_back(column.step);
    }
  out.fragments = ran.report.steps[rows.key.front().step.index()].outputs.size();
  out.read = [&ran, steps](std::size_t column, std::size_t fragment) { return read_column(ran, steps[column], fragment); };
  return out;
}

/// What is scored: the version, and the contents of the columns that it reads and of the key.
Digest contents(const Digest& scorer, const planner::BatchRows& rows, const std::vector<std::size_t>& request, const RunRows& ran) {
  Hasher hasher("batch/1");
  hasher.add(scorer);
  const auto add = [&](const planner::ShownColumn& column) {
    const auto& outputs = ran.report.steps[column.step.index()].outputs;
    hasher.add(column.name).add(outputs.size());
    for (const Digest& digest : outputs) hasher.add(digest);
  };
  for (const std::size_t column : request) add(rows.columns[column]);
  for (const planner::ShownColumn& column : rows.key) add(column);
  return hasher.finish();
}

std::vector<diag::Diagnostic> warnings_of(const batch::ScoreReport& report, const std::string& table) {
  std::vector<diag::Diagnostic> out;
  const auto rows = [](std::uint64_t n) { return fmt::format("{} row{}", with_commas(n), n == 1 ? "" : "s"); };
  if (report.bad_rows) out.push_back(io::rows_set_aside(report.bad_rows, report.bad, table, "they have no prediction; mend them and score them again"));
  if (report.outside)
    out.push_back(diag::make(diag::Code::W0802, {}, fmt::format("{} of `{}` {} no prediction: the model was not made for such rows", rows(report.outside), table, report.outside == 1 ? "has" : "have"))
                      .with_help("a `where` of the model's table, or a join, leaves them out"));
  if (report.undefined)
    out.push_back(diag::make(diag::Code::W0802, {}, fmt::format("{} of `{}` {} no prediction: a number that the model needs is infinite or undefined", rows(report.undefined), table, report.undefined == 1 ? "has" : "have"))
                      .with_help("bound the expressions of the features, or give a fallback with `??`"));
  return out;
}

Result<void> carry_out(Line& line, const hir::Workflow& workflow, const planner::BatchRows& rows, RunRows& ran, io::FileSystem& files) {
  const std::string deployment = line.deployed.deployment;
  const batch::TableRows table = table_rows(workflow, *line.declared.second, rows, ran);
  MLP_TRY(const std::vector<std::size_t> request, batch::bind_request(*line.scorer, table));
  const Digest what = contents(line.deployed.scorer, rows, request, ran);
  const sink::Context context{files, ran.store, &stop_requested()};
  MLP_TRY(const auto found, sink::find_receipt(context, deployment, line.target, what));
  if (found) {
    line.receipt = *found;
    line.status = Line::Status::unchanged;
    return {};
  }
  MLP_TRY(const batch::TableScores scores, batch::score_table(*line.scorer, table, request));
  line.receipt = {what, {}, scores.report.rows, scores.report.scored, scores.report.bad_rows, scores.report.outside, scores.report.undefined, {}};
  line.diagnostics = warnings_of(scores.report, table.name);
  MLP_TRY_VOID(sink::write(context, deployment, line.target, {scores.key, scores.predictions}, line.receipt));
  line.status = Line::Status::written;
  return {};
}

Json line_json(const hir::Workflow& workflow, const Line& line, const SourceMap& sources) {
  const bool done = line.status != Line::Status::failed;
  Json json{{"deployment", line.declared.first->name}, {"model", line.deployed.model}, {"version", line.deployed.version}, {"scorer", line.deployed.scorer.hex()},
            {"table", workflow[line.declared.second->table].name}, {"sink", line.target.native}, {"into", sink::name_of(line.target)}, {"key", line.target.key}, {"status", name(line.status)}};
  const auto count = [&](const char* key, std::uint64_t value) { json[key] = done ? Json(value) : Json(nullptr); };
  count("rows", line.receipt.rows), count("written", line.receipt.written), count("set_aside", line.receipt.set_aside);
  count("out_of_population", line.receipt.outside), count("undefined", line.receipt.undefined);
  json["diagnostics"] = Json::array();
  for (const diag::Diagnostic& d : line.diagnostics) json["diagnostics"].push_back(Json::parse(diag::render_json(d, sources)));
  return json;
}

void print_lines(const Common& common, const hir::Workflow& workflow, const std::vector<Line>& lines) {
  std::vector<std::vector<std::string>> rows = {{"deployment", "version", "table", "rows", "written", "into", "key", "status"}};
  for (const Line& line : lines) {
    const bool done = line.status != Line::Status::failed;
    const std::string status(name(line.status));
    const int colour = line.status == Line::Status::written ? 32 : line.status == Line::Status::unchanged ? 2 : 31;
    rows.push_back({line.declared.first->name, fmt::format("{} {}", line.deployed.model.substr(line.deployed.model.rfind('.') + 1), line.deployed.version), workflow[line.declared.second->table].name,
                    done ? with_commas(line.receipt.rows) : "–", done ? with_commas(line.receipt.written) : "–", sink::name_of(line.target), fmt::format("{}", fmt::join(line.target.key, ", ")),
                    common.colour_out ? fmt::format("\x1b[{}m{}\x1b[0m", colour, status) : status});
  }
  fmt::print("{}", table(rows, common.colour_out));
}

}  // namespace

int batch(const Common& common, const std::string& file, const std::string& name) {
  int exit = kDone;
  const auto compiled = compile_rows(common, file, {}, exit);
  if (!compiled) return exit;
  const hir::Workflow& workflow = *compiled->workflow;
  if (const int not_yet = report_not_yet(common, workflow, compiled->sources); not_yet != kDone) return not_yet;
  const auto chosen = choose(workflow, file, name);
  if (!chosen) return report(common, chosen.error());

  // Everything that can be told before a row is read is told before.
  const auto files = io::real_file_system();
  auto store = store::Store::open(store_directory(common, file), store::Mode::read_only);
  if (!store) return report(common, store.error());
  std::vector<Line> lines;
  std::vector<planner::AskedBatch> batches;
  for (const Declared& declared : *chosen) {
    const hir::Batch& batch = *declared.second;
    auto deployed = find_version(common, workflow, *declared.first, file);
    if (!deployed) return report(common, deployed.error(), compiled->sources);
    auto loaded = scorer::load(deployed->scorer, [&](const Digest& digest) { return store->get(digest); });
    if (!loaded) return report(common, loaded.error());
    Line& line = lines.emplace_back(Line{declared, std::move(*deployed), std::move(*loaded), {batch.sink, batch.options, driver::folder_of(file), {}}, Line::Status::failed, {}, {}});
    for (const hir::ColumnId key : batch.key) line.target.key.push_back(workflow[key].name);
    planner::AskedBatch& rows = batches.emplace_back(planner::AskedBatch{declared.first, &batch, {}});
    for (const plan::RawField& field : scorer::schema(*line.scorer).request) rows.request.insert(field.name);
  }
  const planner::BatchPlan asked = planner::lower_batches(workflow, *compiled->logical, compiled->sources, rows_plan_options(common, file), batches);
  for (const Line& line : lines)
    if (const auto checked = check_is_no_source(*files, asked.plan, line.target, line.declared.second->span); !checked) return report(common, checked.error(), compiled->sources);
  std::vector<plan::StepId> kept;
  for (const planner::BatchRows& rows : asked.batches)
    for (const auto* columns : {&rows.columns, &rows.key})
      for (const planner::ShownColumn& column : *columns) kept.push_back(column.step);
  auto ran = run_rows(common, file, compiled->sources, asked.plan, std::move(kept), exit);
  if (!ran) return exit;

  // A sink that fails keeps no other from being written.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (auto done = carry_out(lines[i], workflow, asked.batches[i], *ran, *files); !done) {
      diag::Diagnostic& d = done.error();
      if (!d.span) d.span = lines[i].declared.second->span, d.label = "not written";
      if (exit == kDone) exit = diag::exit_status(d.code);
      lines[i].diagnostics = {std::move(d)};
    }
    for (const diag::Diagnostic& d : lines[i].diagnostics) fmt::print(stderr, "{}", diag::render_text(d, compiled->sources, {common.colour_err, 20}));
  }
  // Receipts that were refreshed are kept; that they could not be is no failure of this command.
  (void)ran->store.commit();
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"workflow", workflow.name}, {"batches", Json::array()}};
    for (const Line& line : lines) json["batches"].push_back(line_json(workflow, line, compiled->sources));
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!common.quiet) {
    std::fflush(stderr);
    print_lines(common, workflow, lines);
  }
  return exit;
}

}  // namespace mlp::cli
