#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"
#include "compiler/sema/zones.h"

/// What holds a workflow together in time and place: schedules, environments, what is bound to other code.
namespace mlp::sema {

using diag::Code;

namespace {

void check_job(Context& context, const ast::Job& job) {
  if (job.verb.text == "retrain") {
    const ast::Declaration* train = find_declared(context, job.target, DeclaredKind::train);
    const auto id = train ? resolve_train(context, *train) : std::nullopt;
    if (id) require_gates(context, *id, job.span);
  } else if (job.verb.text == "batch") {
    const ast::Declaration* deploy = find_declared(context, job.target, DeclaredKind::deploy);
    if (!deploy || deploy->incomplete) return;
    const auto& entries = std::get<ast::Deploy>(deploy->kind).entries;
    if (std::none_of(entries.begin(), entries.end(), [](const ast::DeployEntry& e) { return std::holds_alternative<ast::BatchInto>(e.kind); }))
      context.report(diag::make(Code::E0701, job.target.span, fmt::format("`{}` scores no table", job.target.text())).with_label("has no `batch`").with_secondary(deploy->name.span, "declared here")
                         .with_help("add to the deployment `batch TABLE into SINK(…) key …`"));
  } else if (job.verb.text == "materialize") {
    const ast::Declaration* view = find_declared(context, job.target, DeclaredKind::view);
    if (!view || view->incomplete) return;
    resolve_view(context, *view, job.target.span);
    const auto& entries = std::get<ast::Feature>(view->kind).entries;
    if (std::none_of(entries.begin(), entries.end(), [](const ast::FeatureEntry& e) { return std::holds_alternative<ast::Publish>(e.kind); }))
      context.report(diag::make(Code::E0701, job.target.span, fmt::format("`{}` is not published", job.target.text())).with_label("nothing to materialize").with_secondary(view->name.span, "declared here").with_help("add to the view `publish online refresh 1h`"));
  } else {
    context.report(with_suggestion(diag::make(Code::E0206, job.verb.span, fmt::format("a schedule cannot `{}`", job.verb.text)).with_label("no such job"), job.verb.text, job.verb.span, {"retrain", "batch", "materialize"},
                                   "jobs are `retrain`, `batch` and `materialize`"));
  }
}

}  // namespace

void check_schedule(Context& context, const ast::Declaration& declaration) {
  const auto& schedule = std::get<ast::Schedule>(declaration.kind);
  if (schedule.zone) check_zone(context, schedule.zone->value, schedule.zone->span);
  const std::vector<std::string_view> days{"daily", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  for (const ast::Name& day : schedule.days)
    if (std::find(days.begin(), days.end(), day.text) == days.end())
      context.report(with_suggestion(diag::make(Code::E0206, day.span, fmt::format("`{}` is no day of the week", day.text)).with_label("not known here"), day.text, day.span, days, fmt::format("days are {}", listing(days))));
  if (schedule.every) constant_duration(context, schedule.every, "the time between two runs");
  if (schedule.fresh) constant_duration(context, schedule.fresh, "how fresh the table has to be");
  if (schedule.after)
    if (const ast::Declaration* table = find_declared(context, *schedule.after, DeclaredKind::table)) resolve_table(context, *table, schedule.after->span);
  for (const ast::Job& job : schedule.jobs) check_job(context, job);
}

void check_env(Context& context, const ast::Declaration& declaration) {
  const auto& env = std::get<ast::Env>(declaration.kind);
  std::map<std::string, Span> seen;
  for (const ast::EnvEntry& entry : env.entries) {
    if (const auto [at, fresh] = seen.emplace(entry.name.text, entry.name.span); !fresh) {
      context.report(diag::make(Code::E0210, entry.name.span, fmt::format("`{}` is given twice", entry.name.text)).with_label("given again here").with_secondary(at->second, "first given here").with_help("leave one of the two out"));
      continue;
    }
    const ast::Path path{{entry.name}, entry.name.span};
    if (const auto* data = std::get_if<ast::Data>(&entry.kind)) {
      const ast::Declaration* table = find_declared(context, path, DeclaredKind::table);
      if (!table) continue;
      resolve_table(context, *table, entry.name.span);
      const auto& declared = std::get<ast::Data>(table->kind);
      if (!declared.source)
        context.report(diag::make(Code::E0211, entry.name.span, fmt::format("`{}` is made from another table, so it has no source", entry.name.text)).with_label("is a pipeline").with_secondary(table->name.span, "declared here")
                           .with_help("give the source of the table that it is made from"));
      if (data->source)
        if (const auto* call = std::get_if<ast::Call>(&context.file.expr(data->source->call).kind))
          check_unused_library_call(context, *call, EntryKind::source, "source", context.file.expr(data->source->call).span);
    } else {
      const auto& param = std::get<ast::Param>(entry.kind);
      const ast::Declaration* declared = find_declared(context, path, DeclaredKind::param);
      const auto value = declared ? resolve_param(context, *declared, entry.name.span) : std::nullopt;
      if (!value || !param.fallback) continue;
      const auto& original = std::get<ast::Param>(declared->kind);
      std::optional<Interval> range;
      if (original.range) range = constant_range(context, original.range, fmt::format("the range of `{}`", entry.name.text));
      if (param.type)
        if (const auto type = resolve_type(context, *param.type); type && !(*type == value->type))
          context.report(diag::make(Code::E0301, param.type->span, fmt::format("`{}` is `{}` everywhere else", entry.name.text, to_string(value->type))).with_label("is another type").with_secondary(declared->name.span, "declared here")
                             .with_help("leave the type out"));
      constant_of(context, param.fallback, value->type, range, fmt::format("`{}` in `{}`", entry.name.text, declaration.name.text));
    }
  }
}

void check_python_reference(Context& context, const std::string& text, Span span) {
  const std::size_t colon = text.find(':');
  const bool good = colon != std::string::npos && colon > 3 && text.substr(0, colon).ends_with(".py") && colon + 1 < text.size() &&
                    text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", colon + 1) == std::string::npos;
  if (!good) context.report(diag::make(Code::E0303, span, fmt::format("\"{}\" names no Python function or class", text)).with_label("is not `file.py:name`").with_help("write for example `python(\"prep.py:clean\")`"));
}

void check_callable(Context& context, const ast::Declaration& declaration) {
  const auto& callable = std::get<ast::Callable>(declaration.kind);
  context.not_yet("transforms, models and metrics of your own", declaration.span);
  std::set<std::string, std::less<>> names;
  for (const ast::Parameter& parameter : callable.parameters) {
    if (!names.insert(parameter.name.text).second)
      context.report(diag::make(Code::E0202, parameter.name.span, fmt::format("the parameter `{}` is declared twice", parameter.name.text)).with_label("declared again here").with_help("rename one of the two"));
    std::optional<Type> first;
    for (const ast::TypeRef& type : parameter.types)
      if (type.name.text != "one_of" && type.name.text != "secret")
        if (const auto resolved = resolve_type(context, type); resolved && !first) first = resolved;
    const auto range = parameter.range ? constant_range(context, parameter.range, fmt::format("the range of `{}`", parameter.name.text)) : std::nullopt;
    if (parameter.fallback && parameter.types.size() == 1 && first) constant_of(context, parameter.fallback, *first, range, fmt::format("the default of `{}`", parameter.name.text));
  }
  if (callable.result) resolve_type(context, *callable.result);
  if (callable.result_range) constant_range(context, callable.result_range, "the range of the result");
  for (const ast::FitField& field : callable.fits) resolve_type(context, field.type);
  for (const ast::TypeRef& type : callable.predicts) resolve_type(context, type);
  for (const ast::TypeRef& type : callable.takes)
    if (type.name.text != "vector") resolve_type(context, type);
  if (callable.binding.kind == ast::Binding::Kind::python && callable.binding.symbol) {
    check_python_reference(context, callable.binding.symbol->value, callable.binding.symbol->span);
  } else {
    context.report(diag::make(Code::E0207, declaration.name.span, fmt::format("`{}` does not say what computes it", declaration.name.text)).with_label("no `= python(…)`")
                       .with_help("write `= python(\"file.py:Name\")`; native code belongs to the standard library"));
  }
}

}  // namespace mlp::sema
