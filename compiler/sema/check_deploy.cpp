#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

/// The column that `mlpc score` and `mlpc batch` write beside those of the key.
constexpr std::string_view kPredictionColumn = "prediction";

void check_stage(Context& context, const ast::StageOf& stage, hir::Deploy& out) {
  out.stage = stage.stage.text;
  out.needs_final = stage.final.has_value();
  if (!stage.approval) return;
  hir::Approval& approval = out.approval.emplace();
  if (stage.approval_from) approval.from = stage.approval_from->value;
  if (stage.approval_from && approval.from.empty())
    context.report(diag::make(Code::E0303, stage.approval_from->span, "the role that an approval comes from has no name").with_label("is empty").with_help("name the role, as in `approval from \"risk\"`, or leave `from` out"));
  if (stage.approval_per) {
    approval.per_code = stage.approval_per->text == "code";
    if (!approval.per_code && stage.approval_per->text != "version")
      context.report(with_suggestion(diag::make(Code::E0701, stage.approval_per->span, fmt::format("an approval cannot be per `{}`", stage.approval_per->text)).with_label("not known here"),
                                     stage.approval_per->text, stage.approval_per->span, {"code", "version"}, "it is `per version` (as when nothing is written) or `per code`"));
  }
  if (stage.approval_valid) approval.valid_us = constant_duration(context, stage.approval_valid, "how long an approval is valid");
}

/// Schedules that start something of this deployment.
void find_schedules(const Context& context, const std::string& name, hir::Deploy& out) {
  for (const ast::Declaration& other : context.file.now->declarations)
    if (const auto* schedule = std::get_if<ast::Schedule>(&other.kind))
      for (const ast::Job& job : schedule->jobs)
        if (job.target.text() == name) out.not_yet.push_back({"a deployment that a `schedule` starts", job.target.span});
}

void check_serve(Context& context, const ast::Serve& serve, hir::Deploy& out) {
  out.serves = true;
  std::map<std::string, Span> seen;
  std::vector<std::string_view> names;
  for (const FieldSpec& field : kServeOptions) names.push_back(field.name);
  for (const ast::Option& option : serve.options) {
    if (const auto [at, fresh] = seen.emplace(option.name.text, option.name.span); !fresh) {
      context.report(diag::make(Code::E0210, option.name.span, fmt::format("`{}` is given twice", option.name.text)).with_label("given again here").with_secondary(at->second, "first given here")
                         .with_help("leave one of the two out"));
      continue;
    }
    if (option.name.text == kServeOptions[0].name) {
      out.port = constant_int(context, option.value, {1, 65'535}, "a port").value_or(0);
    } else if (option.name.text == kServeOptions[1].name) {
      out.max_latency_us = constant_duration(context, option.value, "the longest latency");
    } else {
      context.report(with_suggestion(diag::make(Code::E0206, option.name.span, fmt::format("`serve` has no option `{}`", option.name.text)).with_label("no such option"), option.name.text,
                                     option.name.span, names, fmt::format("it has {}", listing(names))));
    }
  }
}

void check_canary(Context& context, const ast::Canary& canary, const ast::Deploy& deploy, Span word) {
  if (canary.share) constant_float(context, canary.share, {0, 1}, "the share of a canary");
  if (canary.duration) constant_duration(context, canary.duration, "the time of a canary");
  if (canary.at_least) constant_int(context, canary.at_least, {0, 1e15}, "the least number of requests");
  if (std::none_of(deploy.entries.begin(), deploy.entries.end(), [](const ast::DeployEntry& e) { return std::holds_alternative<ast::Serve>(e.kind); }))
    context.report(diag::make(Code::E0701, word, "a canary takes a part of the requests, and this deployment answers none").with_label("needs `serve`").with_help("add `serve`, or leave `canary` out"));
  if (!canary.require) return;
  const ast::Expr& e = context.file.expr(canary.require);
  const auto* comparison = std::get_if<ast::Binary>(&e.kind);
  const auto* ref = comparison ? std::get_if<ast::Ref>(&context.file.expr(comparison->left).kind) : nullptr;
  constexpr std::string_view kErrors = "errors", kLatency = "latency";
  if (!ref || (ref->path.text() != kErrors && ref->path.text() != kLatency)) {
    if (!std::holds_alternative<ast::Broken>(e.kind))
      context.report(diag::make(Code::E0701, ref ? ref->path.span : e.span, "a canary requires bounds of `errors` or `latency`").with_label("not measured of requests").with_help("write for example `require errors < 1%`"));
    return;
  }
  if (ref->path.text() == kErrors) constant_float(context, comparison->right, {0, 1}, "the share of errors");
  else constant_duration(context, comparison->right, "the bound of the latency");
}

/// The columns that a model is asked about: those of its table that the features read.
std::set<hir::ColumnId> asked_columns(const Context& context, hir::ViewId view) {
  std::set<hir::ColumnId> out;
  for (const hir::ColumnId feature : context.out[view].columns)
    for (const hir::ColumnId source : sources_of(context, feature))
      if (context.out[source].table == context.out[view].table && !context.out[source].aggregate()) out.insert(source);
  return out;
}

/// What the sink is declared with; nullopt after a report.
std::optional<hir::Batch> check_sink(Context& context, const ast::BatchInto& batch) {
  const ast::Expr& e = context.file.expr(batch.sink);
  const auto* call = std::get_if<ast::Call>(&e.kind);
  const auto sink = call ? check_library_call(context, *call, EntryKind::sink, "sink", e.span) : std::nullopt;
  if (!sink || !sink->options) return std::nullopt;
  hir::Batch out;
  out.sink = sink->signature->native;
  out.options = *sink->options;
  const std::string& folder = context.modules[context.module].folder;
  for (auto& [name, value] : out.options) {
    auto* text = std::get_if<std::string>(&value);
    if (text && text->empty())
      context.report(diag::make(Code::E0303, e.span, fmt::format("`{}` of `{}` is empty", name, sink->signature->name)).with_label("names nothing").with_help(fmt::format("say which `{}` is written", name)));
    if (name == "delimiter" && text && (text->size() != 1 || *text == "\"" || *text == "\n" || *text == "\r"))
      context.report(diag::make(Code::E0303, e.span, "the delimiter of a CSV file is one character, and no quote or line end").with_label("cannot part fields").with_help("write for example `delimiter: \";\"`"));
    if (name == "path" && text && !folder.empty() && !text->starts_with('/')) *text = folder + "/" + *text;  // relative to the file in which it stands
  }
  return out;
}

/// The columns that tell the rows of a sink apart.
std::vector<hir::ColumnId> check_sink_key(Context& context, const ast::BatchInto& batch, hir::TableId table, Span span) {
  std::vector<hir::ColumnId> key;
  std::map<hir::ColumnId, Span> seen;
  if (batch.key.empty())
    context.report(diag::make(Code::E0207, span, "a batch does not say what tells the rows of its sink apart").with_label("has no `key`").with_help("name the columns, such as `key customer_id`"));
  for (const ast::Path& path : batch.key) {
    if (path.text() == "row_id") {
      context.report(diag::make(Code::E0701, path.span, "a sink keeps rows by a key of their own, not by their place").with_label("changes with the table").with_help("name the columns that tell rows apart, such as `key customer_id`"));
      continue;
    }
    const auto id = column_of_table(context, table, path);
    if (!id) continue;
    if (const auto [at, fresh] = seen.emplace(*id, path.span); !fresh) {
      context.report(diag::make(Code::E0210, path.span, fmt::format("`{}` is named twice", path.text())).with_label("named again here").with_secondary(at->second, "first named here").with_help("leave one of the two out"));
      continue;
    }
    const hir::Column& column = context.out[*id];
    const Base base = column.type.base;
    if (base == Base::error) continue;
    const bool fits = base == Base::bool_ || base == Base::int_ || base == Base::date || base == Base::timestamp || column.type.is_text();
    if (!fits)
      context.report(diag::make(Code::E0301, path.span, fmt::format("`{}` is `{}`, which tells no rows apart", path.text(), to_string(column.type))).with_label("cannot be a key").with_secondary(column.span, "declared here")
                         .with_help("a key is of whole numbers, texts, categories, dates, times, true and false"));
    if (column.name == kPredictionColumn)
      context.report(diag::make(Code::E0701, path.span, fmt::format("`{}` is the column of a sink in which the predictions are", column.name)).with_label("cannot be a key too").with_secondary(column.span, "declared here").with_help("give the column of the table another name"));
    key.push_back(*id);
  }
  return key;
}

/// Whether the table has what the model is asked about; the model's own table does.
void check_request_of_batch(Context& context, const ast::BatchInto& batch, hir::TableId id, hir::TrainId train) {
  const hir::ViewId view = context.out[train].view;
  const hir::TableId own = context.out[view].table;
  if (own == id || is_opaque(context, own)) return;
  const hir::Table table = context.out[id];
  for (const hir::ColumnId asked_id : asked_columns(context, view)) {
    const hir::Column& asked = context.out[asked_id];
    if (asked.code() && !asked.code()->nodes.empty() && asked.code()->nodes.size() > 1) continue;  // computed from others that are asked
    const auto match = std::find_if(table.columns.begin(), table.columns.end(), [&](hir::ColumnId c) { return context.out[c].name == asked.name; });
    if (match == table.columns.end()) {
      context.report(diag::make(Code::E0203, batch.table.span, fmt::format("table `{}` has no column `{}`, which the model is asked about", table.name, asked.name)).with_label("does not fit the model").with_secondary(asked.span, "read by a feature")
                         .with_help("declare it there, or score another table"));
      return;
    }
    const hir::Column& given = context.out[*match];
    const bool fits = given.type.base == asked.type.base || (given.type.base == Base::int_ && asked.type.base == Base::float_) || (given.type.is_text() && asked.type.is_text());
    if (fits && (!given.type.missing || asked.type.missing)) continue;
    context.report(diag::make(fits ? Code::E0302 : Code::E0301, batch.table.span, fmt::format("`{}` of table `{}` is `{}`, but the model is asked with `{}`", given.name, table.name, to_string(given.type), to_string(asked.type)))
                       .with_label("does not fit the model").with_secondary(given.span, "declared here").with_secondary(asked.span, "and asked with this").with_help("declare both with one type"));
    return;
  }
}

/// The file that a sink writes as a whole; of a table in a database, into which several batches may go, none.
std::string whole_file_of(const hir::Batch& batch) {
  std::string path;
  for (const auto& [name, value] : batch.options) {
    if (name == "table") return {};
    if (const auto* text = std::get_if<std::string>(&value); text && name == "path") path = std::filesystem::path(*text).lexically_normal().string();
  }
  return path;
}

/// Whether no batch before writes the same file, which would be gone.
void check_other_sinks(Context& context, const hir::Deploy& deploy, const hir::Batch& batch) {
  const std::string file = whole_file_of(batch);
  if (file.empty()) return;
  const auto check = [&](const hir::Deploy& of) {
    for (const hir::Batch& other : of.batches)
      if (whole_file_of(other) == file)
        context.report(diag::make(Code::E0210, batch.span, fmt::format("`{}` is written by two batches", file)).with_label("would be written over what the other writes").with_secondary(other.span, "written here first")
                           .with_help("give each a file of its own; one table of a database may take several"));
  };
  for (const hir::Deploy& other : context.out.deploys) check(other);
  check(deploy);
}

std::optional<hir::Batch> check_batch(Context& context, const ast::BatchInto& batch, Span span, std::optional<hir::TrainId> train) {
  const ast::Declaration* declared = find_declared(context, batch.table, DeclaredKind::table);
  const TableState state = declared ? resolve_table(context, *declared, batch.table.span) : TableState{};
  auto out = check_sink(context, batch);
  if (!state.id) return std::nullopt;
  const std::vector<hir::ColumnId> key = check_sink_key(context, batch, *state.id, span);
  if (train && !state.opaque) check_request_of_batch(context, batch, *state.id, *train);
  if (!out) return std::nullopt;
  out->table = *state.id;
  out->key = key;
  out->span = span;
  return out;
}

}  // namespace

void check_deploy(Context& context, const ast::Declaration& declaration) {
  const auto& deploy = std::get<ast::Deploy>(declaration.kind);
  std::vector<Span> words;
  for (const ast::DeployEntry& entry : deploy.entries) words.push_back(entry.word);
  check_fields(context, declaration, "deploy", kDeployFields, words);
  const ast::Declaration* declared = find_declared(context, deploy.of, DeclaredKind::train);
  const auto train = declared ? resolve_train(context, *declared) : std::nullopt;
  hir::Deploy out;
  out.name = declaration.name.text;
  out.span = declaration.name.span;
  for (const ast::DeployEntry& entry : deploy.entries) {
    if (const auto* stage = std::get_if<ast::StageOf>(&entry.kind)) {
      check_stage(context, *stage, out);
    } else if (const auto* serve = std::get_if<ast::Serve>(&entry.kind)) {
      check_serve(context, *serve, out);
    } else if (const auto* canary = std::get_if<ast::Canary>(&entry.kind)) {
      out.not_yet.push_back({"`canary`", entry.span});
      check_canary(context, *canary, deploy, entry.word);
    } else if (const auto* batch = std::get_if<ast::BatchInto>(&entry.kind)) {
      auto checked = check_batch(context, *batch, entry.span, train);
      if (!checked) continue;
      check_other_sinks(context, out, *checked);
      out.batches.push_back(std::move(*checked));
    }
  }
  find_schedules(context, out.name, out);
  if (!train) return;
  out.train = *train;
  context.out.deploys.push_back(std::move(out));
}

}  // namespace mlp::sema
