#include <fmt/format.h>

#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

/// The numbers about a table that an expectation may name.
struct StatisticWord {
  std::string_view name;
  hir::Statistic::Kind kind;
  bool of_column;
  Base result;
  double low, high;
  std::string_view doc;
};
constexpr double kManyRows = 1e15;
constexpr StatisticWord kStatistics[] = {
    {"rows", hir::Statistic::Kind::rows, false, Base::int_, 0, kManyRows, "number of rows"},
    {"missing", hir::Statistic::Kind::missing_share, true, Base::float_, 0, 1, "share of rows where the column is missing"},
    {"distinct", hir::Statistic::Kind::distinct, true, Base::int_, 0, kManyRows, "number of different values"},
    {"unique", hir::Statistic::Kind::is_unique, true, Base::bool_, 0, 0, "whether no value occurs twice"},
};

NodeId statistic(Scope& scope, const StatisticWord& word, std::optional<hir::ColumnId> column, Span span) {
  std::vector<hir::Statistic>& used = scope.statistics->used;
  std::size_t index = 0;
  while (index < used.size() && !(used[index].kind == word.kind && used[index].column == column)) ++index;
  if (index == used.size()) used.push_back({word.kind, column});
  std::string name(word.name);
  if (column) name += fmt::format("({})", scope.context.out[*column].name);
  const Interval range = word.result == Base::bool_ ? Interval{} : Interval{word.low, word.high};
  return scope.builder.input(static_cast<std::uint32_t>(index), Type::of(word.result), range, name, span);
}

NodeId column_node(Scope& scope, hir::ColumnId id, std::string_view name, Span span) {
  const hir::Column& column = scope.context.out[id];
  if (column.type.is_error()) return {};
  return scope.builder.input(id.value, column.type, column.range, column.name, span, scope.known.contains(name));
}

/// What the file or the library has under a bare name that is no column; none: nothing (not reported).
std::optional<NodeId> other_name(Scope& scope, const std::string& name, const Span& span) {
  Context& context = scope.context;
  const auto at = context.names.find(name);
  if (at != context.names.end()) {
    switch (at->second.kind) {
      case DeclaredKind::param: {
        const auto param = resolve_param(context, *at->second.declaration, span);
        return param ? scope.builder.literal(param->value, param->type, span) : NodeId{};
      }
      case DeclaredKind::secret:
        scope.report(diag::make(Code::E0503, span, fmt::format("the secret `{}` cannot be used here", name))
                         .with_label("would become part of the data")
                         .with_secondary(at->second.declaration->name.span, "declared as a secret here")
                         .with_help("secrets are accepted by sources, sinks and alerts only; for a plain setting declare a `param`"));
        return NodeId{};
      case DeclaredKind::broken: return NodeId{};
      default: break;
    }
  }
  for (const Signature* signature : find_entries(EntryKind::fn, name))
    if (signature->parameters.empty()) return lower_call(scope, *signature, {}, span);
  return std::nullopt;
}

void report_unknown(Scope& scope, const ast::Path& path, Span span) {
  Context& context = scope.context;
  const std::string name = path.text();
  std::vector<std::string_view> candidates;
  if (scope.rows) candidates = scope.rows->names();
  for (const std::string_view param : declared_names(context, DeclaredKind::param)) candidates.push_back(param);
  for (const auto& [local, node] : scope.locals) candidates.push_back(local);
  if (scope.statistics) candidates.insert(candidates.begin(), "rows");
  if (const auto at = context.names.find(name); at != context.names.end()) {
    scope.report(diag::make(Code::E0211, span, fmt::format("`{}` is {}, but a value is needed here", name, with_article(at->second.kind)))
                     .with_label("is no value")
                     .with_secondary(at->second.declaration->name.span, fmt::format("`{}` is declared here", name))
                     .with_help(candidates.empty() ? "write a value, or declare a `param` for a setting" : fmt::format("values here are {}", listing(candidates))));
    return;
  }
  if (auto foreign = foreign_value(scope, path, span)) {
    scope.report(std::move(*foreign));
    return;
  }
  const bool function = !find_entries(EntryKind::fn, name).empty();
  std::string otherwise = function ? fmt::format("`{}` is a function: call it as `{}(…)`", name, name) : std::string();
  if (!function && scope.rows && !candidates.empty()) otherwise = fmt::format("it has {}", listing(candidates));
  if (otherwise.empty() && scope.rows) otherwise = "no column is known at this place";
  if (otherwise.empty())
    otherwise = candidates.empty() ? "write the value itself, or declare a `param` for a setting"
                                   : fmt::format("known here are {}; for a setting declare a `param`", listing(candidates));
  diag::Diagnostic d;
  if (scope.rows && !scope.statistics) {
    d = diag::make(Code::E0203, span, fmt::format("{} has no column `{}`", scope.rows->owner, name)).with_label("no such column");
    if (scope.rows->declared) d.secondary.push_back({scope.rows->declared, fmt::format("{} is declared here", scope.rows->owner)});
  } else {
    d = diag::make(Code::E0201, span, fmt::format("`{}` is not declared", name)).with_label("not known here");
  }
  scope.report(with_suggestion(std::move(d), name, span, candidates, std::move(otherwise)));
}

}  // namespace

NodeId type_name(Scope& scope, const ast::Path& path, Span span) {
  const std::string& name = path.parts.front().text;
  if (path.parts.size() == 1) {
    if (const auto local = scope.locals.find(name); local != scope.locals.end()) {
      if (!local->second || !scope.known.contains(name)) return local->second;
      const expr::Node node = scope.builder[local->second];
      return scope.builder.type(local->second).missing ? scope.builder.push(node.op, node.type.known(), node.range, span) : local->second;
    }
    if (scope.statistics) {
      for (const StatisticWord& word : kStatistics)
        if (word.name == name && !word.of_column) return statistic(scope, word, std::nullopt, span);
    } else if (scope.rows) {
      const RowNames::Found found = scope.rows->find(name, span);
      if (found.found) return found.column ? column_node(scope, *found.column, name, span) : NodeId{};
    }
    if (const auto other = other_name(scope, name, span)) return *other;
    if (scope.rows && scope.rows->opaque) return {};
    if (scope.statistics && scope.rows && scope.rows->find(name, span).found) {
      scope.report(diag::make(Code::E0211, span, fmt::format("`{}` is a column, but an expectation speaks of the whole table", name))
                       .with_label("has a value for every row")
                       .with_help("end the expectation with `for all rows`, or ask for `missing(…)`, `distinct(…)` or `unique(…)`"));
      return {};
    }
    report_unknown(scope, path, span);
    return {};
  }
  if (scope.rows && scope.rows->find_in_other)
    if (const RowNames::Found found = scope.rows->find_in_other(path); found.found) return found.column ? column_node(scope, *found.column, path.parts.back().text, span) : NodeId{};
  const auto at = scope.context.names.find(name);
  if (at != scope.context.names.end() && at->second.kind == DeclaredKind::broken) return {};
  const Declared* declared = at == scope.context.names.end() ? nullptr : &at->second;
  if (is_imported(scope.context, path)) {
    if (!is_loaded(scope.context, path)) return {};
    declared = find_imported(scope.context, path);
    if (declared && declared->kind == DeclaredKind::param && path.parts.size() == 2) {
      const auto param = resolve_param(scope.context, *declared->declaration, span);
      return param ? scope.builder.literal(param->value, param->type, span) : NodeId{};
    }
    if (declared && declared->kind == DeclaredKind::broken) return {};
  }
  if (declared && declared->kind == DeclaredKind::table) {
    const std::string& column = path.parts.back().text;
    if (scope.rows && scope.rows->declared == declared->declaration->name.span) {
      const RowNames::Found found = scope.rows->find(column, span);
      if (found.found) return found.column ? column_node(scope, *found.column, column, span) : NodeId{};
      if (scope.rows->opaque) return {};
    } else {
      scope.report(diag::make(Code::E0211, span, fmt::format("`{}` is a column of another table", path.text()))
                       .with_label("has many values for one row")
                       .with_secondary(declared->declaration->name.span, "of this table")
                       .with_help("say how its rows become one value, with an aggregate `by` a key and `over` a window, or join the tables"));
      return {};
    }
  }
  report_unknown(scope, path, span);
  return {};
}

/// `missing(c)`, `unique(c)`, `distinct(c)` of an expectation; nullopt when the call is none of them.
std::optional<NodeId> type_statistic_call(Scope& scope, const ast::Call& call, Span span) {
  if (!scope.statistics || call.callee.parts.size() != 1) return std::nullopt;
  for (const StatisticWord& word : kStatistics) {
    if (word.name != call.callee.parts[0].text || !word.of_column) continue;
    const ast::Ref* ref = nullptr;
    if (call.arguments.size() == 1 && !call.arguments[0].name) ref = std::get_if<ast::Ref>(&scope.file->expr(call.arguments[0].value).kind);
    if (!ref || ref->path.parts.size() != 1) {
      scope.report(diag::make(Code::E0209, span, fmt::format("`{}` takes the name of one column", word.name))
                       .with_label(std::string(word.doc))
                       .with_help(fmt::format("write `{}(COLUMN)`", word.name)));
      return NodeId{};
    }
    const Span at = scope.place(ref->path.span);
    const RowNames::Found found = scope.rows->find(ref->path.parts[0].text, at);
    if (found.found) return found.column ? statistic(scope, word, found.column, span) : NodeId{};
    if (scope.rows->opaque) return NodeId{};
    const auto candidates = scope.rows->names();
    scope.report(with_suggestion(diag::make(Code::E0203, at, fmt::format("{} has no column `{}`", scope.rows->owner, ref->path.text()))
                                     .with_label("no such column")
                                     .with_secondary(scope.rows->declared, fmt::format("{} is declared here", scope.rows->owner)),
                                 ref->path.text(), at, candidates, fmt::format("it has {}", listing(candidates))));
    return NodeId{};
  }
  return std::nullopt;
}

}  // namespace mlp::sema
