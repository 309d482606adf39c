#include <fmt/format.h>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

/// In microseconds, above zero; 0 when it was reported.
std::int64_t constant_duration(Context& context, ast::ExprId id, const std::string& what) {
  const auto value = constant_of(context, id, Type::of(Base::duration), std::nullopt, what);
  if (!value) return 0;
  const std::int64_t length = std::get<std::int64_t>(*value);
  if (length > 0) return length;
  context.report(diag::make(Code::E0303, context.file.expr(id).span, fmt::format("{} has to be longer than nothing", what)).with_label("no time at all").with_help("write a duration, such as 180d or 20ms"));
  return 0;
}

void check_stage(Context& context, const ast::StageOf& stage, hir::Deploy& out) {
  out.stage = stage.stage.text;
  out.needs_final = stage.final.has_value();
  if (!stage.approval) return;
  hir::Approval& approval = out.approval.emplace();
  if (stage.approval_from) approval.from = stage.approval_from->value;
  if (stage.approval_from && approval.from.empty())
    context.report(diag::make(Code::E0303, stage.approval_from->span, "an approval comes from somebody").with_label("no name").with_help("name the role, as in `approval from \"risk\"`, or leave `from` out"));
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
  for (const ast::Declaration& other : context.file.declarations)
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
      if (canary->share) constant_float(context, canary->share, {0, 1}, "the share of a canary");
      if (canary->duration) constant_of(context, canary->duration, Type::of(Base::duration), std::nullopt, "the time of a canary");
      if (canary->at_least) constant_int(context, canary->at_least, {0, 1e15}, "the least number of requests");
    } else if (const auto* batch = std::get_if<ast::BatchInto>(&entry.kind)) {
      out.not_yet.push_back({"`batch` into a sink", entry.span});
      const ast::Declaration* table = find_declared(context, batch->table, DeclaredKind::table);
      const TableState state = table ? resolve_table(context, *table, batch->table.span) : TableState{};
      if (state.id)
        for (const ast::Path& path : batch->key) column_of_table(context, *state.id, path);
    }
  }
  find_schedules(context, out.name, out);
  if (!train) return;
  out.train = *train;
  context.out.deploys.push_back(std::move(out));
}

}  // namespace mlp::sema
