#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/intervals.h"
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
    context.report(diag::make(Code::E0301, e.span, fmt::format("a {} is compared with a number here", noun)).with_label("is no such comparison").with_help("write for example `psi < 0.2`"));
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
  const Signature& signature = *entries.front();
  if (signature.result_range)
    if (const auto decided = decide_comparison(word(comparison->op), *signature.result_range, exactly(*bound))) {
      context.report(diag::make(Code::E0602, e.span, fmt::format("this check {}", *decided ? "can never be breached" : "is always breached")).with_label(fmt::format("`{}` lies in {}", text, range_text(*signature.result_range)))
                         .with_help("compare with a value inside of it"));
      return {};
    }
  return Comparison{std::string(entries.front()->native), std::string(word(comparison->op)), *bound};
}

/// `labels SOURCE(…)|TABLE|TABLE.COLUMN key K within D absent means V`.
void check_performance(Context& context, const ast::PerformanceCheck& performance, const ast::MonitorEntry& entry, std::optional<hir::TrainId> train, const ast::Train* written, hir::Monitor& out) {
  out.not_yet.push_back({"a `performance` check", entry.span});
  if (performance.within) constant_duration(context, performance.within, "the time within which labels come");
  const ast::Expr& e = context.file.expr(performance.condition);
  const auto* comparison = std::get_if<ast::Binary>(&e.kind);
  const bool ordered = comparison && (comparison->op == ast::BinaryOp::less || comparison->op == ast::BinaryOp::less_equal || comparison->op == ast::BinaryOp::greater || comparison->op == ast::BinaryOp::greater_equal);
  if (!ordered) {
    if (!std::holds_alternative<ast::Broken>(e.kind))
      context.report(diag::make(Code::E0301, e.span, "a metric is compared with a number here").with_label("is no such comparison").with_help("write for example `performance auc >= 0.8`"));
  } else {
    const auto bound = constant_float(context, comparison->right, {}, "the bound");
    if (train && written) {
      const auto metric = check_metric(context, context.out[*train], *written, comparison->left);
      const bool at_least = comparison->op == ast::BinaryOp::greater || comparison->op == ast::BinaryOp::greater_equal;
      if (metric && metric->higher_is_better != at_least)
        context.report(diag::make(Code::E0602, comparison->op_span, fmt::format("`{}` is better {}, so this is breached when the model is good", metric->text, metric->higher_is_better ? "higher" : "lower")).with_label("the wrong way round")
                           .with_help(metric->higher_is_better ? "write `>=`" : "write `<=`"));
      const Signature* signature = metric ? find_native(metric->native) : nullptr;
      const auto decided = signature && signature->result_range && bound ? decide_comparison(word(comparison->op), *signature->result_range, exactly(*bound)) : std::nullopt;
      if (decided)
        context.report(diag::make(Code::E0602, e.span, fmt::format("this check {}", *decided ? "can never be breached" : "is always breached")).with_label(fmt::format("`{}` lies in {}", metric->text, range_text(*signature->result_range)))
                           .with_help("compare with a value inside of it"));
    }
  }
  const ast::Expr& labels = context.file.expr(performance.labels);
  std::optional<hir::TableId> table;
  if (const auto* ref = std::get_if<ast::Ref>(&labels.kind)) {
    ast::Path owner = ref->path;
    const auto whole = context.names.find(owner.text());
    if (owner.parts.size() > 1 && whole == context.names.end()) owner.parts.pop_back();
    const ast::Declaration* declaration = find_declared(context, owner, DeclaredKind::table);
    const TableState state = declaration ? resolve_table(context, *declaration, owner.span) : TableState{};
    table = state.id;
    if (table && owner.parts.size() < ref->path.parts.size()) column_of_table(context, *table, ast::Path{{ref->path.parts.back()}, ref->path.parts.back().span});
  } else if (const auto* call = std::get_if<ast::Call>(&labels.kind)) {
    check_unused_library_call(context, *call, EntryKind::source, "source", labels.span);
  }
  if (table)
    for (const ast::Path& path : performance.key) column_of_table(context, *table, path);
  if (performance.absent_means && train) constant_of(context, performance.absent_means, context.out[context.out[*train].label].type.known(), std::nullopt, "what an absent label means");
}

/// Whether one of the actions is an alert. A retraining has to be held back by a cooldown and by gates.
bool check_actions(Context& context, const std::vector<ast::Action>& actions, std::optional<hir::TrainId> train, hir::Monitor& out) {
  bool alerts = false;
  for (const ast::Action& action : actions) {
    if (action.cooldown) constant_duration(context, action.cooldown, "a cooldown");
    switch (action.kind) {
      case ast::ActionKind::alert: alerts = true; break;
      case ast::ActionKind::retrain:
        out.not_yet.push_back({"the action `retrain`", action.span});
        if (!action.cooldown)
          context.report(diag::make(Code::E0612, action.span, "this retrains again and again, as long as the check is breached").with_label("has no cooldown").with_help("say how long to wait before the next: `retrain cooldown 7d`"));
        if (train) require_gates(context, *train, action.span);
        break;
      case ast::ActionKind::rollback: out.not_yet.push_back({"the action `rollback`", action.span}); break;
      case ast::ActionKind::stop: out.not_yet.push_back({"the action `stop`", action.span}); break;
    }
  }
  return alerts;
}

void check_drift(Context& context, const ast::DriftCheck& drift, const ast::MonitorEntry& entry, std::optional<hir::ViewId> view, std::optional<hir::TrainId> train, hir::Monitor& out) {
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
    if (std::find(candidates.begin(), candidates.end(), name) != candidates.end()) {
      for (const hir::ColumnId id : context.out[*view].columns)
        if (const hir::Column& column = context.out[id]; column.name == name && (column.type.base == Base::vector || column.type.base == Base::list || column.type.base == Base::map))
          context.report(diag::make(Code::E0301, path.span, fmt::format("a drift test compares numbers or categories, and `{}` is `{}`", name, to_string(column.type))).with_label("has no distribution of its own")
                             .with_secondary(column.span, "declared here").with_help("watch the column that it is made of"));
      continue;
    }
    context.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("the view `{}` has no column `{}`", context.out[*view].name, name)).with_label("no such column"), name, path.span,
                                   candidates, fmt::format("there are {}", listing(candidates))));
  }
  if (drift.same && drift.ago) {
    const auto same = constant_of(context, drift.same, Type::of(Base::duration), std::nullopt, "a window"), ago = constant_of(context, drift.ago, Type::of(Base::duration), std::nullopt, "a window");
    if (same && ago && std::get<std::int64_t>(*ago) < std::get<std::int64_t>(*same))
      context.report(diag::make(Code::E0303, context.file.expr(drift.ago).span, "the window that is compared with lies partly in the one that is watched").with_label("shorter than the window").with_help("compare with an earlier time: `against same 30d 1y ago`"));
  }
  if (drift.same) out.not_yet.push_back({"a drift check `against same` time", entry.span});
  check.alerts = check_actions(context, drift.actions, train, out);
  if (!comparison) return;
  check.native = comparison->native;
  check.comparison = comparison->comparison;
  check.bound = comparison->bound;
  out.drift.push_back(std::move(check));
}

void check_quality(Context& context, const ast::QualityCheck& quality, const ast::MonitorEntry& entry, const ast::Declaration* table, std::optional<hir::TrainId> train, hir::Monitor& out) {
  hir::QualityCheck check;
  check.text = context.text(entry.text);
  check.span = entry.text;
  check.alerts = check_actions(context, quality.actions, train, out);
  if (!table || !out.table) return;
  const RowNames rows = names_of_table(context, *table, {out.table, is_opaque(context, *out.table)});
  Builder b;
  Scope scope(context, b, context.file.now);
  StatisticNames statistics;
  scope.rows = &rows;
  scope.statistics = &statistics;
  const expr::NodeId condition = type_condition(scope, quality.condition, "a quality check");
  if (!condition) return;
  check.condition = b.finish(condition);
  check.statistics = number_statistics(check.condition, statistics);
  out.quality.push_back(std::move(check));
}

}  // namespace

void require_gates(Context& context, hir::TrainId id, Span span) {
  const hir::Train train = context.out[id];
  for (const ast::Declaration& declaration : context.file.now->declarations)
    if (const auto* evaluate = std::get_if<ast::Evaluate>(&declaration.kind); evaluate && evaluate->model.text() == train.name)
      for (const ast::EvaluateEntry& entry : evaluate->entries)
        if (std::holds_alternative<ast::Gate>(entry.kind) || declaration.incomplete) return;
  context.report(diag::make(Code::E0612, span, fmt::format("`{}` would be retrained and deployed however bad it is", train.name)).with_label("no gate holds it").with_secondary(train.span, "has no `require`")
                     .with_help(fmt::format("write what it must reach: `evaluate {} {{ require … }}`", train.name)));
}

std::optional<hir::AlertTarget> secret_of(Context& context, ast::ExprId id, const std::string& what) {
  const ast::Expr& e = context.file.expr(id);
  const auto* call = std::get_if<ast::Call>(&e.kind);
  const std::string name = call ? call->callee.text() : std::string();
  const auto* text = call && call->arguments.size() == 1 ? std::get_if<ast::String>(&context.file.expr(call->arguments[0].value).kind) : nullptr;
  if ((name == "env" || name == "file") && text && !text->value.empty())
    return hir::AlertTarget{hir::AlertTarget::Kind::webhook, name == "env" ? hir::AlertTarget::Secret::env : hir::AlertTarget::Secret::file, text->value, {}};
  if (!std::holds_alternative<ast::Broken>(e.kind))
    context.report(diag::make(Code::E0301, e.span, fmt::format("{} does not say where it comes from", what)).with_label("is neither a variable nor a file")
                       .with_help("write `env(\"NAME\")` for a variable of the environment or `file(\"path\")` for the text of a file"));
  return {};
}

std::optional<hir::AlertTarget> check_secret(Context& context, const ast::Declaration& declaration) {
  return secret_of(context, std::get<ast::Secret>(declaration.kind).value, fmt::format("the secret `{}`", declaration.name.text));
}

namespace {

void check_alert(Context& context, const ast::AlertTo& alert, hir::Monitor& out) {
  for (const ast::ExprId id : alert.targets) {
    const ast::Expr& e = context.file.expr(id);
    const auto* call = std::get_if<ast::Call>(&e.kind);
    if (!call) {
      if (!std::holds_alternative<ast::Broken>(e.kind))
        context.report(diag::make(Code::E0211, e.span, "this is nothing that an alert could be sent to").with_label("no target").with_help("write for example `alert file(\"alerts.jsonl\")`"));
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
  const ast::Train* written = nullptr;
  if (deployment)
    if (const auto at = context.names.find(std::get<ast::Deploy>(deployment->kind).of.text()); at != context.names.end() && at->second.kind == DeclaredKind::train) {
      train = resolve_train(context, *at->second.declaration);
      written = &std::get<ast::Train>(at->second.declaration->kind);
    }
  const std::optional<hir::ViewId> view = train ? std::optional(context.out[*train].view) : std::nullopt;
  hir::Monitor out;
  if (view) out.table = context.out[*view].table;
  const auto duration = [&](ast::ExprId id) -> std::int64_t {
    const auto value = id ? constant_of(context, id, Type::of(Base::duration), std::nullopt, "this length of time") : std::nullopt;
    if (!value) return 0;
    const std::int64_t length = std::get<std::int64_t>(*value);
    if (length <= 0) context.report(diag::make(Code::E0303, context.file.expr(id).span, "this duration must be longer than 0").with_label("no time at all").with_help("write a duration, such as `1h` or `7d`"));
    return std::max<std::int64_t>(length, 0);
  };
  const ast::Declaration* table = view ? declaration_of(context, context.out[*view].table) : nullptr;
  for (const ast::MonitorEntry& entry : monitor.entries) {
    if (const auto* rhythm = std::get_if<ast::Rhythm>(&entry.kind)) {
      out.every_us = duration(rhythm->every);
      out.window_us = duration(rhythm->over_last);
      if (rhythm->at_least) out.at_least_rows = static_cast<std::uint64_t>(constant_int(context, rhythm->at_least, kCounts, "the least number of rows").value_or(0));
    } else if (const auto* drift = std::get_if<ast::DriftCheck>(&entry.kind)) {
      check_drift(context, *drift, entry, view, train, out);
    } else if (const auto* quality = std::get_if<ast::QualityCheck>(&entry.kind)) {
      check_quality(context, *quality, entry, table, train, out);
    } else if (const auto* performance = std::get_if<ast::PerformanceCheck>(&entry.kind)) {
      check_performance(context, *performance, entry, train, written, out);
      check_actions(context, performance->actions, train, out);
    } else if (const auto* alert = std::get_if<ast::AlertTo>(&entry.kind)) {
      check_alert(context, *alert, out);
    }
  }
  check_alerts_go_somewhere(context, monitor);
  constexpr std::uint64_t kFewRows = 100;  // ten bins of ten rows
  if (out.at_least_rows > 0 && out.at_least_rows < kFewRows)
    for (const ast::MonitorEntry& entry : monitor.entries)
      if (std::holds_alternative<ast::DriftCheck>(entry.kind) && !entry.because) {
        context.report(diag::make(Code::W0601, entry.text, fmt::format("{} rows in ten bins say little about a distribution", out.at_least_rows)).with_label("alarms by chance").with_help(fmt::format("ask for {} rows or more, or say why these are enough: `because \"…\"`", kFewRows)));
        break;
      }
  if (!deployment) return;
  out.deployment = deployment->name.text;
  context.out.monitors.push_back(std::move(out));
}

}  // namespace mlp::sema
