#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

constexpr Interval kCounts{0, 1e15};
constexpr FieldSpec kAlertTargets[] = {
    {"webhook", false, true, "secret or string", "posts to an address"},
    {"email", false, true, "string", "sends a letter"},
    {"command", false, true, "string", "starts a program"},
    {"file", false, true, "string", "appends a line"},
};

struct Comparison {
  std::string native, comparison;
  double bound = 0;
};

std::string_view word(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::less: return "<";
    case ast::BinaryOp::less_equal: return "<=";
    case ast::BinaryOp::greater: return ">";
    default: return ">=";
  }
}

/// A comparison of an entry of the library with a constant: `psi < 0.2`. Nothing after a report.
std::optional<Comparison> check_comparison(Context& context, ast::ExprId id, EntryKind kind, std::string_view noun) {
  const ast::Expr& e = context.file.expr(id);
  if (std::holds_alternative<ast::Broken>(e.kind)) return {};
  const auto* comparison = std::get_if<ast::Binary>(&e.kind);
  const auto* name = comparison ? std::get_if<ast::Ref>(&context.file.expr(comparison->left).kind) : nullptr;
  const bool ordered = comparison && (comparison->op == ast::BinaryOp::less || comparison->op == ast::BinaryOp::less_equal || comparison->op == ast::BinaryOp::greater ||
                                      comparison->op == ast::BinaryOp::greater_equal);
  if (!name || !ordered) {
    context.report(diag::make(Code::E0301, e.span, fmt::format("a {} is compared with a constant here", noun)).with_label("is no such comparison").with_help("write the name, `<` or `>=`, and a number"));
    return {};
  }
  const std::string text = name->path.text();
  const auto entries = find_entries(kind, text);
  const auto bound = constant_float(context, comparison->right, {}, "the bound");
  if (entries.empty()) {
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == kind) candidates.push_back(signature.name);
    context.report(with_suggestion(diag::make(Code::E0204, name->path.span, fmt::format("there is no {} `{}`", noun, text)).with_label("not in the standard library"), text, name->path.span,
                                   candidates, fmt::format("there are {}", listing(candidates, 16))));
    return {};
  }
  if (!bound) return {};
  return Comparison{std::string(entries.front()->native), std::string(word(comparison->op)), *bound};
}

/// Whether one of the actions is an alert.
bool check_actions(Context& context, const std::vector<ast::Action>& actions, hir::Monitor& out) {
  bool alerts = false;
  for (const ast::Action& action : actions) {
    if (action.cooldown) constant_of(context, action.cooldown, Type::of(Base::duration), std::nullopt, "a cooldown");
    switch (action.kind) {
      case ast::ActionKind::alert: alerts = true; break;
      case ast::ActionKind::retrain: out.not_yet.push_back({"the action `retrain`", action.span}); break;
      case ast::ActionKind::rollback: out.not_yet.push_back({"the action `rollback`", action.span}); break;
      case ast::ActionKind::stop: out.not_yet.push_back({"the action `stop`", action.span}); break;
    }
  }
  return alerts;
}

void check_drift(Context& context, const ast::DriftCheck& drift, const ast::MonitorEntry& entry, std::optional<hir::ViewId> view, hir::Monitor& out) {
  hir::DriftCheck check;
  check.text = context.text(entry.text);
  check.span = entry.text;
  const auto comparison = check_comparison(context, drift.condition, EntryKind::drift, "drift test");
  for (const ast::Path& path : drift.on) {
    const std::string name = path.text();
    if (name == "features") check.features = true;
    else if (name == "prediction") check.prediction = true;
    else check.columns.push_back(name);
    if (name == "features" || name == "prediction" || !view || context.incomplete_views.contains(*view)) continue;
    std::vector<std::string_view> candidates{"features", "prediction"};
    for (const hir::ColumnId column : context.out[*view].columns) candidates.push_back(context.out[column].name);
    if (std::find(candidates.begin(), candidates.end(), name) != candidates.end()) continue;
    context.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("the view `{}` has no column `{}`", context.out[*view].name, name)).with_label("no such column"), name, path.span,
                                   candidates, fmt::format("there are {}", listing(candidates))));
  }
  for (const ast::ExprId duration : {drift.same, drift.ago})
    if (duration) constant_of(context, duration, Type::of(Base::duration), std::nullopt, "a window");
  if (drift.same) out.not_yet.push_back({"a drift check `against same` time", entry.span});
  check.alerts = check_actions(context, drift.actions, out);
  if (!comparison) return;
  check.native = comparison->native;
  check.comparison = comparison->comparison;
  check.bound = comparison->bound;
  out.drift.push_back(std::move(check));
}

void check_quality(Context& context, const ast::QualityCheck& quality, const ast::MonitorEntry& entry, const ast::Declaration* table, hir::Monitor& out) {
  hir::QualityCheck check;
  check.text = context.text(entry.text);
  check.span = entry.text;
  check.alerts = check_actions(context, quality.actions, out);
  if (!table || !out.table) return;
  const RowNames rows = names_of_table(context, *table, {out.table, is_opaque(context, *out.table)});
  Builder b;
  Scope scope(context, b, &context.file);
  StatisticNames statistics;
  scope.rows = &rows;
  scope.statistics = &statistics;
  const expr::NodeId condition = type_condition(scope, quality.condition, "a quality check");
  if (!condition) return;
  check.condition = b.finish(condition);
  check.statistics = number_statistics(check.condition, statistics);
  out.quality.push_back(std::move(check));
}

/// Where the secret comes from: `env("X")` or `file("…")`. Nothing after a report.
std::optional<hir::AlertTarget> check_secret(Context& context, const ast::Declaration& declaration) {
  const ast::ExprId id = std::get<ast::Secret>(declaration.kind).value;
  const ast::Expr& e = context.file.expr(id);
  const auto* call = std::get_if<ast::Call>(&e.kind);
  const std::string name = call ? call->callee.text() : std::string();
  const auto* text = call && call->arguments.size() == 1 ? std::get_if<ast::String>(&context.file.expr(call->arguments[0].value).kind) : nullptr;
  if ((name == "env" || name == "file") && text && !text->value.empty())
    return hir::AlertTarget{hir::AlertTarget::Kind::webhook, name == "env" ? hir::AlertTarget::Secret::env : hir::AlertTarget::Secret::file, text->value, {}};
  if (!std::holds_alternative<ast::Broken>(e.kind))
    context.report(diag::make(Code::E0301, e.span, fmt::format("the secret `{}` does not say where it comes from", declaration.name.text)).with_label("is neither a variable nor a file")
                       .with_help("write `env(\"NAME\")` for a variable of the environment or `file(\"path\")` for the text of a file"));
  return {};
}

void check_alert(Context& context, const ast::AlertTo& alert, hir::Monitor& out) {
  for (const ast::ExprId id : alert.targets) {
    const ast::Expr& e = context.file.expr(id);
    const auto* call = std::get_if<ast::Call>(&e.kind);
    if (!call) {
      if (!std::holds_alternative<ast::Broken>(e.kind))
        context.report(diag::make(Code::E0211, e.span, "an alert goes to a target").with_label("is none").with_help("write for example `alert file(\"alerts.jsonl\")`"));
      continue;
    }
    const std::string name = call->callee.text();
    std::vector<std::string_view> candidates;
    for (const FieldSpec& target : kAlertTargets) candidates.push_back(target.name);
    if (std::find(candidates.begin(), candidates.end(), name) == candidates.end()) {
      context.report(with_suggestion(diag::make(Code::E0204, call->callee.span, fmt::format("alerts cannot go to `{}`", name)).with_label("not a target"), name, call->callee.span, candidates,
                                     fmt::format("targets are {}", listing(candidates))));
      continue;
    }
    if (call->arguments.size() != 1) {
      context.report(diag::make(Code::E0209, e.span, fmt::format("`{}` takes one argument", name)).with_label(fmt::format("{} are given", call->arguments.size())).with_help("say where to"));
      continue;
    }
    // Secrets are accepted here.
    const auto* ref = std::get_if<ast::Ref>(&context.file.expr(call->arguments[0].value).kind);
    const auto at = ref ? context.names.find(ref->path.text()) : context.names.end();
    std::optional<hir::AlertTarget> target;
    if (at != context.names.end() && at->second.kind == DeclaredKind::secret) {
      target = check_secret(context, *at->second.declaration);
    } else if (const auto value = constant_of(context, call->arguments[0].value, Type::of(Base::string), std::nullopt, "the target")) {
      target = hir::AlertTarget{hir::AlertTarget::Kind::file, hir::AlertTarget::Secret::none, std::get<std::string>(*value), {}};
    }
    if (name == "email") out.not_yet.push_back({"an alert by email", e.span});
    if (!target || name == "email") continue;
    target->kind = name == "webhook" ? hir::AlertTarget::Kind::webhook : name == "command" ? hir::AlertTarget::Kind::command : hir::AlertTarget::Kind::file;
    target->span = e.span;
    out.alerts.push_back(std::move(*target));
  }
}

/// A check that says `-> alert` in a block without a target would tell nobody.
void check_alerts_go_somewhere(Context& context, const ast::Monitor& monitor) {
  const auto actions_of = [](const ast::MonitorEntry& entry) -> const std::vector<ast::Action>* {
    if (const auto* drift = std::get_if<ast::DriftCheck>(&entry.kind)) return &drift->actions;
    if (const auto* quality = std::get_if<ast::QualityCheck>(&entry.kind)) return &quality->actions;
    if (const auto* performance = std::get_if<ast::PerformanceCheck>(&entry.kind)) return &performance->actions;
    return nullptr;
  };
  const ast::Action* first = nullptr;
  for (const ast::MonitorEntry& entry : monitor.entries) {
    if (std::holds_alternative<ast::AlertTo>(entry.kind)) return;
    if (const auto* actions = actions_of(entry); actions && !first)
      for (const ast::Action& action : *actions)
        if (action.kind == ast::ActionKind::alert && !first) first = &action;
  }
  if (first)
    context.report(diag::make(Code::E0207, first->span, "the monitor does not say where its alerts go").with_label("would tell nobody").with_help("add for example `alert file(\"alerts.jsonl\")`"));
}

}  // namespace

void check_monitor(Context& context, const ast::Declaration& declaration) {
  const auto& monitor = std::get<ast::Monitor>(declaration.kind);
  const ast::Declaration* deployment = find_declared(context, monitor.deployment, DeclaredKind::deploy);
  std::optional<hir::TrainId> train;
  if (deployment)
    if (const auto at = context.names.find(std::get<ast::Deploy>(deployment->kind).of.text()); at != context.names.end() && at->second.kind == DeclaredKind::train)
      train = resolve_train(context, *at->second.declaration);
  const std::optional<hir::ViewId> view = train ? std::optional(context.out[*train].view) : std::nullopt;
  hir::Monitor out;
  if (view) out.table = context.out[*view].table;
  const auto duration = [&](ast::ExprId id) -> std::int64_t {
    const auto value = id ? constant_of(context, id, Type::of(Base::duration), std::nullopt, "this length of time") : std::nullopt;
    if (!value) return 0;
    const std::int64_t length = std::get<std::int64_t>(*value);
    if (length <= 0) context.report(diag::make(Code::E0303, context.file.expr(id).span, "this length of time has to be longer than nothing").with_label("no time at all").with_help("write a duration, such as 1h or 7d"));
    return std::max<std::int64_t>(length, 0);
  };
  const ast::Declaration* table = view ? declaration_of(context, context.out[*view].table) : nullptr;
  for (const ast::MonitorEntry& entry : monitor.entries) {
    if (const auto* rhythm = std::get_if<ast::Rhythm>(&entry.kind)) {
      out.every_us = duration(rhythm->every);
      out.window_us = duration(rhythm->over_last);
      if (rhythm->at_least) out.at_least_rows = static_cast<std::uint64_t>(constant_int(context, rhythm->at_least, kCounts, "the least number of rows").value_or(0));
    } else if (const auto* drift = std::get_if<ast::DriftCheck>(&entry.kind)) {
      check_drift(context, *drift, entry, view, out);
    } else if (const auto* quality = std::get_if<ast::QualityCheck>(&entry.kind)) {
      check_quality(context, *quality, entry, table, out);
    } else if (const auto* performance = std::get_if<ast::PerformanceCheck>(&entry.kind)) {
      check_comparison(context, performance->condition, EntryKind::metric, "metric");
      if (performance->within) constant_of(context, performance->within, Type::of(Base::duration), std::nullopt, "the time within which labels come");
      out.not_yet.push_back({"a `performance` check", entry.span});
      check_actions(context, performance->actions, out);
    } else if (const auto* alert = std::get_if<ast::AlertTo>(&entry.kind)) {
      check_alert(context, *alert, out);
    }
  }
  check_alerts_go_somewhere(context, monitor);
  if (!deployment) return;
  out.deployment = deployment->name.text;
  context.out.monitors.push_back(std::move(out));
}

}  // namespace mlp::sema
