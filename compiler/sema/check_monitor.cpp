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

/// A comparison of an entry of the library with a constant: `psi < 0.2`.
void check_comparison(Context& context, ast::ExprId id, EntryKind kind, std::string_view noun) {
  const ast::Expr& e = context.file.expr(id);
  if (std::holds_alternative<ast::Broken>(e.kind)) return;
  const auto* comparison = std::get_if<ast::Binary>(&e.kind);
  const auto* name = comparison ? std::get_if<ast::Ref>(&context.file.expr(comparison->left).kind) : nullptr;
  const bool ordered = comparison && (comparison->op == ast::BinaryOp::less || comparison->op == ast::BinaryOp::less_equal || comparison->op == ast::BinaryOp::greater ||
                                      comparison->op == ast::BinaryOp::greater_equal);
  if (!name || !ordered) {
    context.report(diag::make(Code::E0301, e.span, fmt::format("a {} is compared with a constant here", noun)).with_label("is no such comparison").with_help("write the name, `<` or `>=`, and a number"));
    return;
  }
  const std::string text = name->path.text();
  if (find_entries(kind, text).empty()) {
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == kind) candidates.push_back(signature.name);
    context.report(with_suggestion(diag::make(Code::E0204, name->path.span, fmt::format("there is no {} `{}`", noun, text)).with_label("not in the standard library"), text, name->path.span,
                                   candidates, fmt::format("there are {}", listing(candidates, 16))));
  }
  constant_float(context, comparison->right, {}, "the bound");
}

void check_actions(Context& context, const std::vector<ast::Action>& actions) {
  for (const ast::Action& action : actions)
    if (action.cooldown) constant_of(context, action.cooldown, Type::of(Base::duration), std::nullopt, "a cooldown");
}

void check_drift(Context& context, const ast::DriftCheck& drift, std::optional<hir::ViewId> view) {
  check_comparison(context, drift.condition, EntryKind::drift, "drift test");
  for (const ast::Path& path : drift.on) {
    const std::string name = path.text();
    if (name == "features" || name == "prediction" || !view || context.incomplete_views.contains(*view)) continue;
    std::vector<std::string_view> candidates{"features", "prediction"};
    for (const hir::ColumnId column : context.out[*view].columns) candidates.push_back(context.out[column].name);
    if (std::find(candidates.begin(), candidates.end(), name) != candidates.end()) continue;
    context.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("the view `{}` has no column `{}`", context.out[*view].name, name)).with_label("no such column"), name, path.span,
                                   candidates, fmt::format("there are {}", listing(candidates))));
  }
  for (const ast::ExprId duration : {drift.same, drift.ago})
    if (duration) constant_of(context, duration, Type::of(Base::duration), std::nullopt, "a window");
  check_actions(context, drift.actions);
}

void check_alert(Context& context, const ast::AlertTo& alert) {
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
    if (at != context.names.end() && at->second.kind == DeclaredKind::secret) continue;
    constant_of(context, call->arguments[0].value, Type::of(Base::string), std::nullopt, "the target");
  }
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
  const ast::Declaration* table = view ? declaration_of(context, context.out[*view].table) : nullptr;
  for (const ast::MonitorEntry& entry : monitor.entries) {
    if (const auto* rhythm = std::get_if<ast::Rhythm>(&entry.kind)) {
      for (const ast::ExprId duration : {rhythm->every, rhythm->over_last})
        if (duration) constant_of(context, duration, Type::of(Base::duration), std::nullopt, "this length of time");
      if (rhythm->at_least) constant_int(context, rhythm->at_least, kCounts, "the least number of rows");
    } else if (const auto* drift = std::get_if<ast::DriftCheck>(&entry.kind)) {
      check_drift(context, *drift, view);
    } else if (const auto* quality = std::get_if<ast::QualityCheck>(&entry.kind)) {
      check_actions(context, quality->actions);
      if (!table) continue;
      const hir::TableId id = context.out[*view].table;
      const RowNames rows = names_of_table(context, *table, {id, is_opaque(context, id)});
      Builder b;
      Scope scope(context, b, &context.file);
      StatisticNames statistics;
      scope.rows = &rows;
      scope.statistics = &statistics;
      type_condition(scope, quality->condition, "a quality check");
    } else if (const auto* performance = std::get_if<ast::PerformanceCheck>(&entry.kind)) {
      check_comparison(context, performance->condition, EntryKind::metric, "metric");
      if (performance->within) constant_of(context, performance->within, Type::of(Base::duration), std::nullopt, "the time within which labels come");
      check_actions(context, performance->actions);
    } else if (const auto* alert = std::get_if<ast::AlertTo>(&entry.kind)) {
      check_alert(context, *alert);
    }
  }
  if (deployment) context.out.monitors.push_back({deployment->name.text, monitor.deployment.span, deployment->name.text});
}

}  // namespace mlp::sema
