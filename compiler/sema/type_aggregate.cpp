#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/bind_arguments.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;
using Place = Aggregation::Place;

namespace {

/// The table that a path names with its first part, or its first two where the first is an import.
const ast::Declaration* table_of(const Context& context, const ast::Path& path) {
  if (is_imported(context, path)) {
    const Declared* imported = find_imported(context, path);
    return imported && imported->kind == DeclaredKind::table ? imported->declaration : nullptr;
  }
  const auto at = context.names.find(path.parts.front().text);
  return at != context.names.end() && at->second.kind == DeclaredKind::table ? at->second.declaration : nullptr;
}

/// The first name of a table among the arguments of a call: `trips` and `trips.fare` are of `trips`.
const ast::Path* find_table_name(const Context& context, const ast::File& file, ast::ExprId id) {
  const auto among = [&](std::initializer_list<ast::ExprId> ids) -> const ast::Path* {
    for (const ast::ExprId each : ids)
      if (const ast::Path* found = each ? find_table_name(context, file, each) : nullptr) return found;
    return nullptr;
  };
  const ast::Expr& e = file.expr(id);
  if (const auto* ref = std::get_if<ast::Ref>(&e.kind)) return table_of(context, ref->path) ? &ref->path : nullptr;
  if (const auto* unary = std::get_if<ast::Unary>(&e.kind)) return among({unary->operand});
  if (const auto* binary = std::get_if<ast::Binary>(&e.kind)) return among({binary->left, binary->right});
  if (const auto* in = std::get_if<ast::In>(&e.kind)) return among({in->value});
  if (const auto* is = std::get_if<ast::IsKnown>(&e.kind)) return among({is->value});
  if (const auto* choice = std::get_if<ast::If>(&e.kind)) return among({choice->condition, choice->then, choice->otherwise});
  if (const auto* call = std::get_if<ast::Call>(&e.kind))
    for (const ast::Argument& argument : call->arguments)
      if (const ast::Path* found = among({argument.value})) return found;
  return nullptr;
}

std::vector<std::string_view> aggregate_names() {
  std::vector<std::string_view> names;
  for (const Signature& signature : standard_library())
    if (signature.kind == EntryKind::aggregate && (names.empty() || names.back() != signature.name)) names.push_back(signature.name);
  return names;
}

/// One call, typed in a builder of its own over the columns of the rows that are aggregated.
class AggregateCall {
 public:
  AggregateCall(Scope& scope, const ast::Call& call, Span span) : scope_(scope), context_(scope.context), call_(call), written_(call), span_(span) {}

  NodeId type();

 private:
  bool find_rows();
  bool check_window(const Signature& signature, hir::Aggregate& out);
  bool find_keys(hir::Aggregate& out);
  const Signature* choose(std::vector<NodeId>& typed, Builder& b, Scope& inner);
  bool is_relative() const { return scope_.aggregation->place == Place::feature || scope_.aggregation->place == Place::label; }

  Scope& scope_;
  Context& context_;
  ast::Call call_;  ///< without the argument that only names the table
  const ast::Call& written_;
  std::vector<std::string> parameters_;  ///< as hir::Aggregate::parameters
  Span span_;
  RowNames rows_;
  std::optional<hir::TableId> of_;
};

/// Whose rows are aggregated.
bool AggregateCall::find_rows() {
  if (!is_relative()) {
    rows_ = scope_.aggregation->rows;
    of_ = scope_.aggregation->of;
    if (call_.by.empty() && !call_.over) return true;
    const Span at = call_.by.empty() ? call_.over->span : call_.by.front().span;
    scope_.report(diag::make(Code::E0310, scope_.place(at), "`by` and `over` choose rows, and the stage has chosen them already").with_label("not here")
                      .with_help("leave it out: the stage's own `by` and `order by` hold"));
    return false;
  }
  const std::string name = call_.callee.text();
  const ast::Path* named = nullptr;
  for (const ast::Argument& argument : call_.arguments)
    if (!named) named = find_table_name(context_, *scope_.file, argument.value);
  if (!named) {
    const bool imported = std::any_of(call_.arguments.begin(), call_.arguments.end(), [&](const ast::Argument& argument) {
      const auto* ref = std::get_if<ast::Ref>(&scope_.file->expr(argument.value).kind);
      const auto at = ref ? context_.names.find(ref->path.parts.front().text) : context_.names.end();
      return at != context_.names.end() && (at->second.kind == DeclaredKind::import_ || at->second.kind == DeclaredKind::broken);
    });
    if (imported) return false;
    const auto tables = declared_names(context_, DeclaredKind::table);
    const auto* ref = call_.arguments.empty() ? nullptr : std::get_if<ast::Ref>(&scope_.file->expr(call_.arguments[0].value).kind);
    auto d = diag::make(Code::E0310, span_, fmt::format("`{}` does not say of which table", name)).with_label("of whose rows?")
                 .with_help(fmt::format("name the table: `{}({}.COLUMN …)`", name, tables.empty() ? "TABLE" : std::string(tables.front())));
    if (ref && ref->path.parts.size() == 2)
      d = with_suggestion(diag::make(Code::E0201, ref->path.parts[0].span, fmt::format("there is no table named `{}`", ref->path.parts[0].text)).with_label("not declared in this file"), ref->path.parts[0].text,
                          ref->path.parts[0].span, tables, fmt::format("declared are {}", listing(tables)));
    else if (ref && ref->path.parts.size() == 1 && !(scope_.rows && scope_.rows->find(ref->path.parts[0].text, ref->path.span).found))
      d = with_suggestion(diag::make(Code::E0201, ref->path.span, fmt::format("there is no table named `{}`", ref->path.text())).with_label("not declared in this file"), ref->path.text(), ref->path.span,
                          tables, fmt::format("declared are {}", listing(tables)));
    scope_.report(std::move(d));
    return false;
  }
  const ast::Declaration* declaration = table_of(context_, *named);
  const TableState state = resolve_table(context_, *declaration, scope_.place(named->span));
  rows_ = names_of_table(context_, *declaration, state);
  of_ = state.id;
  if (!call_.arguments.empty()) {
    const auto* first = std::get_if<ast::Ref>(&scope_.file->expr(call_.arguments.front().value).kind);
    if (first && &first->path == named && named->parts.size() == (is_imported(context_, *named) ? 2 : 1)) call_.arguments.erase(call_.arguments.begin());
  }
  return of_.has_value();
}

bool AggregateCall::find_keys(hir::Aggregate& out) {
  bool good = true;
  for (const ast::Path& path : call_.by) {
    const std::string name = path.parts.back().text;
    const Span at = scope_.place(path.span);
    const RowNames::Found theirs = rows_.find(name, at);
    const RowNames::Found ours = scope_.rows->find(name, at);
    const auto absent = [&](const RowNames& rows) {
      good = false;
      if (rows.opaque) return;
      const auto candidates = rows.names();
      scope_.report(with_suggestion(diag::make(Code::E0203, at, fmt::format("{} has no column `{}`", rows.owner, name)).with_label("`by` needs it on both sides")
                                        .with_secondary(rows.declared, fmt::format("{} is declared here", rows.owner)),
                                    name, at, candidates, fmt::format("it has {}", listing(candidates))));
    };
    if (!theirs.found) { absent(rows_); continue; }
    if (!ours.found) { absent(*scope_.rows); continue; }
    if (!theirs.column || !ours.column) { good = false; continue; }
    const hir::Column &a = context_.out[*theirs.column], &b = context_.out[*ours.column];
    if (a.type.base != b.type.base && !(a.type.is_text() && b.type.is_text())) {
      scope_.report(diag::make(Code::E0301, at, fmt::format("`{}` is `{}` in one table and `{}` in the other", name, to_string(a.type), to_string(b.type))).with_label("never equal")
                        .with_secondary(a.span, fmt::format("`{}`", to_string(a.type))).with_secondary(b.span, fmt::format("`{}`", to_string(b.type)))
                        .with_help("declare both with one type"));
      good = false;
      continue;
    }
    out.by.emplace_back(*theirs.column, *ours.column);
  }
  return good;
}

bool AggregateCall::check_window(const Signature& signature, hir::Aggregate& out) {
  const hir::Table& table = context_.out[*of_];
  const std::string name = call_.callee.text();
  const bool own_time = std::any_of(signature.parameters.begin(), signature.parameters.end(), [](const Parameter& p) { return p.name == "back"; });
  if (call_.over) {
    const ast::Window& window = *call_.over;
    const Span at = scope_.place(window.span);
    out.next = window.next;
    out.over_us = constant_duration(context_, window.length, "the length of a window");
    if (!out.over_us) return false;
    if (window.ending) {
      const auto ending = constant_of(context_, window.ending, Type::of(Base::duration), std::nullopt, "the end of a window");
      if (!ending) return false;
      out.ending_us = std::get<std::int64_t>(*ending);
      if (out.ending_us < 0) {
        scope_.report(diag::make(Code::E0303, scope_.place(scope_.file->expr(window.ending).span), "this window ends after the prediction, when its rows are not known yet").with_label("ends too late").with_help("write for example `ending 7d ago`"));
        return false;
      }
    }
    if (!table.time && !rows_.opaque) {
      scope_.report(diag::make(Code::E0310, at, fmt::format("the rows of `{}` have no time, so there is no window of them", table.name)).with_label("needs a time")
                        .with_secondary(table.span, "no column is tagged `@time`").with_help("tag the column that says when a row happened with `@time`, or leave `over` out"));
      return false;
    }
    if (scope_.aggregation->place == Place::feature && window.next) {
      scope_.report(diag::make(Code::E0412, at, "the next rows are not known when the prediction is made").with_label("lies in the future").with_help("look back, `over 7d`; `over next` belongs into `predict`"));
      return false;
    }
    if (scope_.aggregation->place == Place::label && !window.next) {
      scope_.report(diag::make(Code::E0310, at, "what is predicted lies ahead, but this window looks back").with_label("known already").with_help("write `over next …`"));
      return false;
    }
  } else if (table.time && !own_time) {
    scope_.report(diag::make(Code::E0310, span_, fmt::format("`{}` needs a window: the rows of `{}` have a time", name, table.name)).with_label("of how long?")
                      .with_secondary(context_.out[*table.time].span, "the time of a row")
                      .with_help(scope_.aggregation->place == Place::label ? "write for example `over next 30d`" : "write for example `over 30d`: only rows before the prediction count"));
    return false;
  }
  if ((call_.over || own_time) && !scope_.aggregation->has_time) {
    scope_.report(diag::make(Code::E0310, span_, "a window ends at the time of the prediction, and this row has none").with_label("needs the row's time")
                      .with_help("tag a column of its table with `@time`, or name one: `feature NAME of TABLE at COLUMN`"));
    return false;
  }
  return true;
}

/// The overload that takes the arguments; they are typed in `inner`.
const Signature* AggregateCall::choose(std::vector<NodeId>& typed, Builder& b, Scope& inner) {
  const std::string name = call_.callee.text();
  const auto entries = find_entries(EntryKind::aggregate, name);
  std::vector<Bound> bounds;
  diag::Diagnostic why;
  for (const Signature* entry : entries) {
    Binding binding = bind_arguments(inner, call_, span_, *entry);
    if (binding.bound) bounds.push_back(std::move(*binding.bound));
    else why = std::move(binding.why);
  }
  bool good = true;
  for (const ast::Argument& argument : call_.arguments) {
    typed.push_back(type_expression(inner, argument.value));
    good = good && typed.back();
  }
  if (!good) return nullptr;
  if (bounds.empty()) {
    why.help = "there are ";
    for (std::size_t i = 0; i < entries.size() && i < 4; ++i) why.help += fmt::format("{}`{}`", i ? ", " : "", signature_text(*entries[i]));
    scope_.report(std::move(why));
    return nullptr;
  }
  std::vector<Candidate> candidates;
  for (const Bound& bound : bounds) {
    Candidate candidate{bound.signature, std::vector<std::size_t>(typed.size())};
    for (std::size_t p = 0; p < bound.argument.size(); ++p)
      if (bound.argument[p]) candidate.parameter[*bound.argument[p]] = p;
    candidates.push_back(std::move(candidate));
  }
  const Choice choice = choose_overload(b, candidates, typed);
  if (!choice.signature) {
    std::string types;
    for (const NodeId node : typed) types += (types.empty() ? "" : ", ") + type_text(b, node);
    auto d = diag::make(Code::E0301, span_, fmt::format("no `{}` takes {}", name, types)).with_label("does not fit its arguments");
    d.help = "there are ";
    for (std::size_t i = 0; i < bounds.size() && i < 6; ++i) d.help += fmt::format("{}`{}`", i ? ", " : "", signature_text(*bounds[i].signature));
    for (const NodeId node : typed)
      if (auto origin = origin_of(inner, node)) d.secondary.push_back(*origin);
    scope_.report(std::move(d));
    return nullptr;
  }
  const auto at = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.signature == choice.signature; });
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const std::size_t p = at->parameter[i];
    const Parameter& parameter = choice.signature->parameters[p];
    parameters_.push_back(p > 0 ? parameter.name : "");
    if (p > 0) {
      const std::string what = fmt::format("`{}` of `{}`", parameter.name, name);
      if (!b.constant(typed[i])) {
        scope_.report(diag::make(Code::E0304, b[typed[i]].span, fmt::format("{} must be a constant", what)).with_label("differs from row to row").with_help("write a value, or a `param`"));
        return nullptr;
      }
      if (!constant_of(context_, call_.arguments[i].value, parameter.types.front(), parameter.range, what)) return nullptr;
    }
    typed[i] = *b.convert(typed[i], choice.targets[i]);
  }
  return choice.signature;
}

NodeId AggregateCall::type() {
  if (!find_rows()) {
    // What does not depend on the table is not looked at: its names could be anybody's.
    return {};
  }
  Builder b;
  Scope inner(context_, b, scope_.file);
  inner.rows = &rows_;
  inner.at = scope_.at;
  inner.quiet = scope_.quiet;
  std::vector<NodeId> typed;
  const Signature* signature = choose(typed, b, inner);
  hir::Aggregate out;
  bool good = signature != nullptr;
  NodeId where;
  if (call_.where) {
    where = type_expression(inner, call_.where);
    if (where && b.type(where).base != Base::bool_) where = type_condition(inner, call_.where, "the condition of `where`");
    good = good && where;
  }
  if (is_relative()) good = find_keys(out) && good;
  if (!good) return {};
  if (signature->of_window && scope_.aggregation->place != Place::window) {
    scope_.report(diag::make(Code::E0310, span_, fmt::format("`{}` depends on the order of rows, so it stands in a `window` stage only", signature->name)).with_label("has no order here")
                      .with_help("write `| window by KEY order by TIME { … }`"));
    return {};
  }
  if (is_relative() && !check_window(*signature, out)) return {};
  out.name = signature->name;
  out.native = signature->native;
  out.of = *of_;
  out.parameters = parameters_;
  out.over = is_relative() ? hir::Aggregate::Over::history : scope_.aggregation->place == Place::group ? hir::Aggregate::Over::group : hir::Aggregate::Over::window;
  Type result = signature->result;
  const NodeId first = typed.empty() ? NodeId{} : typed.front();
  if (result.base == Base::category && first && b.type(first).base == Base::category) result = b.type(first).known().maybe(result.missing);
  if (!signature->known_when.empty()) {
    // A group and a window hold a row; it counts where nothing leaves it out.
    const bool all = !is_relative() && !call_.where && (!first || !b.type(first).missing);
    Builder decision;
    Scope deciding(context_, decision, nullptr);
    const LibraryText text = library_text(context_, signature->known_when);
    deciding.file = text.file;
    deciding.quiet = true;
    deciding.at = span_;
    deciding.locals["rows"] = decision.input(0, Type::of(Base::int_), {all ? 1.0 : 0.0, 9e15}, "rows", span_);
    const NodeId condition = type_expression(deciding, text.root);
    result = result.known().maybe(decision.decide(condition) != std::optional(true));
  }
  if (out.next) result = result.maybe();  // until the window has passed
  Interval range = signature->result_range.value_or(Interval{});
  const bool keeps_range = first && result.is_number() && b.type(first).base == result.base && signature->known_when == "rows > 0";
  if (keeps_range) range = b.range(first);
  for (const NodeId node : typed) out.arguments.push_back(b.finish(node));
  if (where) out.where = b.finish(where);
  hir::Column column;
  column.name = context_.text(span_);
  column.type = result;
  column.range = range;
  column.span = span_;
  column.table = scope_.aggregation->table;
  column.view = scope_.aggregation->view;
  column.made_by = std::move(out);
  if (!scope_.quiet && signature->native.empty()) context_.not_yet(fmt::format("the aggregate `{}`", signature->name), span_);
  const hir::ColumnId id = context_.add_column(std::move(column));
  scope_.aggregation->made.push_back(id);
  return scope_.builder.input(id.value, result, range, context_.out[id].name, span_);
}

}  // namespace

std::optional<NodeId> type_aggregate(Scope& scope, const ast::Call& call, Span span) {
  const bool chooses_rows = !call.by.empty() || call.where || call.over;
  const std::string name = call.callee.text();
  const auto entries = find_entries(EntryKind::aggregate, name);
  const bool also_function = !find_entries(EntryKind::fn, name).empty() || !find_entries(EntryKind::transform, name).empty() || scope.context.names.contains(name);
  if (entries.empty()) {
    if (!chooses_rows) return std::nullopt;
    if (scope.context.names.contains(name)) return NodeId{};
    if (auto foreign = foreign_call(scope, call, span)) {
      scope.report(std::move(*foreign));
      return NodeId{};
    }
    const auto candidates = aggregate_names();
    scope.report(with_suggestion(diag::make(Code::E0204, scope.place(call.callee.span), fmt::format("`{}` does not make one value of many rows", name)).with_label("no aggregate"), name,
                                 scope.place(call.callee.span), candidates, fmt::format("aggregates are {}", listing(candidates, 16))));
    return NodeId{};
  }
  if (!chooses_rows && also_function) {
    // `max(a, b)` is of one row, `max(a)` of many.
    if (!scope.aggregation) return std::nullopt;
    const bool relative = scope.aggregation->place == Place::feature || scope.aggregation->place == Place::label;
    const bool names_table = std::any_of(call.arguments.begin(), call.arguments.end(), [&](const ast::Argument& a) { return find_table_name(scope.context, *scope.file, a.value); });
    const bool fits = std::any_of(entries.begin(), entries.end(), [&](const Signature* s) { return s->parameters.size() == call.arguments.size(); });
    if (relative ? !names_table : !fits) return std::nullopt;
  }
  if (!scope.aggregation) {
    scope.report(diag::make(Code::E0310, span, fmt::format("`{}` makes one value of many rows, so it cannot stand here", name)).with_label("here is one row")
                     .with_help("it belongs into a feature, a `group` or a `window` stage"));
    return NodeId{};
  }
  return AggregateCall(scope, call, span).type();
}

}  // namespace mlp::sema
