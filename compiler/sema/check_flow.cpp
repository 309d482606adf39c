#include "compiler/sema/check_flow.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlp::sema {

using diag::Code;

namespace {

std::string duration_text(std::int64_t microseconds) {
  struct Unit {
    std::int64_t microseconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "min"}, {1'000'000, "s"}, {1'000, "ms"}};
  for (const Unit& unit : kUnits)
    if (microseconds % unit.microseconds == 0) return fmt::format("{}{}", microseconds / unit.microseconds, unit.name);
  return fmt::format("{}us", microseconds);
}

/// When a value is known, as a label says it; empty: in time.
std::string too_late(const Context& context, const hir::Column& column, const FlowOf& of) {
  const Availability& a = column.tags.availability;
  switch (a.kind) {
    case Availability::Kind::always: return {};
    case Availability::Kind::never: return "never known";
    case Availability::Kind::row_time: return a.offset > 0 ? fmt::format("known {} after the row's time", duration_text(a.offset)) : std::string();
    case Availability::Kind::column: break;
  }
  // Times are declared in the order in which they happen: what is known at an earlier one is known at a later one.
  const auto place = [&](std::string_view name) {
    for (std::size_t i = 0; i < of.table->columns.size(); ++i)
      if (context.out[of.table->columns[i]].name == name) return i;
    return of.table->columns.size();
  };
  const std::optional<hir::ColumnId> at = of.at ? of.at : of.table->time;
  if (at && place(a.column) <= place(context.out[*at].name)) return {};
  return fmt::format("known at `{}`", a.column);
}

enum class Flaw { none, label, late, is_protected, pii, ignored };

/// The first column on the way from `column` to its sources that may not be read, and why.
struct Found {
  Flaw flaw = Flaw::none;
  hir::ColumnId column;
  std::string when;
};

Found find_flaw(const Context& context, hir::ColumnId id, const FlowOf& of, bool direct) {
  const hir::Column& column = context.out[id];
  if (column.view) return {};  // reported where it is declared
  if (column.tags.label) return {Flaw::label, id, {}};
  if (column.tags.is_protected) return {Flaw::is_protected, id, {}};
  if (column.tags.pii) return {Flaw::pii, id, {}};
  if (direct && column.tags.ignore) return {Flaw::ignored, id, {}};
  if (const expr::Expr* code = column.code())
    for (const expr::InputColumn& input : code->inputs)
      if (Found found = find_flaw(context, hir::ColumnId(input.column), of, false); found.flaw != Flaw::none && found.flaw != Flaw::late) return found;
  if (std::string when = too_late(context, column, of); !when.empty()) {
    // Name the part that decides, where it is one of several.
    Found deepest{Flaw::late, id, std::move(when)};
    if (const expr::Expr* code = column.code())
      for (const expr::InputColumn& input : code->inputs)
        if (Found found = find_flaw(context, hir::ColumnId(input.column), of, false); found.flaw == Flaw::late) return found;
    return deepest;
  }
  return {};
}

}  // namespace

std::set<hir::ColumnId> sources_of(const Context& context, hir::ColumnId column) {
  std::set<hir::ColumnId> out{column};
  std::vector<hir::ColumnId> open{column};
  while (!open.empty()) {
    const hir::ColumnId next = open.back();
    open.pop_back();
    if (const expr::Expr* code = context.out[next].code())
      for (const expr::InputColumn& input : code->inputs)
        if (out.insert(hir::ColumnId(input.column)).second) open.emplace_back(input.column);
  }
  return out;
}

bool may_be_feature(const Context& context, hir::ColumnId column, const FlowOf& of) {
  return find_flaw(context, column, of, true).flaw == Flaw::none && !context.out[column].tags.key && !context.out[column].tags.time &&
         !context.out[column].tags.weight;
}

bool check_flow(Context& context, const expr::Expr& code, const FlowOf& of) {
  bool good = true;
  std::set<hir::ColumnId> reported;
  for (const expr::Node& node : code.nodes) {
    const auto* input = std::get_if<expr::Input>(&node.op);
    if (!input) continue;
    const hir::ColumnId read(code.inputs[input->index].column);
    const Found found = find_flaw(context, read, of, true);
    if (found.flaw == Flaw::none || !reported.insert(read).second) continue;
    good = false;
    const hir::Column& bad = context.out[found.column];
    const std::string name = context.out[read].name;
    const std::string through = found.column == read ? std::string() : fmt::format(", through `{}`", bad.name);
    const Span span = node.span ? node.span : of.span;
    diag::Diagnostic d;
    switch (found.flaw) {
      case Flaw::none: break;
      case Flaw::label:
        d = diag::make(Code::E0401, span, found.column == read ? fmt::format("`{}` is the label, so it cannot be a feature", name)
                                                               : fmt::format("`{}` is computed from the label `{}`, so it cannot be a feature", name, bad.name))
                .with_label(found.column == read ? "what the model has to predict" : "knows the label")
                .with_help(of.taken ? "take it out of the view" : fmt::format("compute `{}` without it", of.feature));
        break;
      case Flaw::late: {
        const std::string label = of.table->label ? fmt::format("`{}` is predicted", context.out[*of.table->label].name) : std::string("the prediction is made");
        d = diag::make(Code::E0412, span, fmt::format("`{}` is not known when {}", name, label)).with_label(fmt::format("{}{}", found.when, through));
        d.help = bad.tags.availability.kind == Availability::Kind::never ? "drop it: it is never known when a prediction is made"
                                                                          : "drop it, or predict `at` a time later than that";
        break;
      }
      case Flaw::is_protected:
        d = diag::make(Code::E0501, span, fmt::format("`{}` is protected, so it cannot be a feature", name)).with_label("protected" + through)
                .with_help("take it out of the view; `slice by` it in `evaluate` to see how the model treats its groups");
        break;
      case Flaw::pii:
        d = diag::make(Code::E0502, span, fmt::format("`{}` is personal, so it cannot be a feature", name)).with_label("personal data" + through)
                .with_help("take it out of the view, or compute what is needed of it in a table that keeps no person apart");
        break;
      case Flaw::ignored:
        d = diag::make(Code::E0211, span, fmt::format("`{}` is marked `@ignore`, so it cannot be a feature", name)).with_label("no feature")
                .with_help("take `@ignore` away, or compute a column of the table from it");
        break;
    }
    const Span place = context.facts[found.column.index()].reference;
    d.secondary.push_back({place ? place : bad.span, "declared here"});
    context.report(std::move(d));
  }
  return good;
}

}  // namespace mlp::sema
