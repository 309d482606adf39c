#include "compiler/sema/check_flow.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlp::sema {

using diag::Code;

namespace {

/// How much later than column `b` the time column `a` may be, in microseconds; nullopt: nothing is known. From `b = a - days(n)`.
std::optional<double> latest_after(const Context& context, const hir::Table& table, std::string_view a, hir::ColumnId b) {
  const hir::Column& column = context.out[b];
  if (column.name == a) return 0.0;
  const expr::Expr* code = column.code();
  if (!code || code->nodes.empty()) return std::nullopt;
  if (const auto* same = std::get_if<expr::Input>(&code->nodes.back().op)) return latest_after(context, table, a, hir::ColumnId(code->inputs[same->index].column));
  const auto* call = std::get_if<expr::Call>(&code->nodes.back().op);
  const Signature* signature = call ? find_native(call->native) : nullptr;
  if (!signature || (signature->op != "+" && signature->op != "-") || call->args.size() != 2) return std::nullopt;
  const expr::Node* from = &(*code)[call->args[0]];
  if (const auto* convert = std::get_if<expr::Convert>(&from->op)) from = &(*code)[convert->value];
  const auto* input = std::get_if<expr::Input>(&from->op);
  const expr::Node& length = (*code)[call->args[1]];
  if (!input || length.type.base != Base::duration) return std::nullopt;
  const auto rest = latest_after(context, table, a, hir::ColumnId(code->inputs[input->index].column));
  if (!rest) return std::nullopt;
  return *rest + (signature->op == "-" ? length.range.high : -length.range.low);
}

/// When a value is known, as a label says it; empty: in time.
std::string too_late(const Context& context, const hir::Column& column, const FlowOf& of) {
  const Availability& a = column.tags.availability;
  switch (a.kind) {
    case Availability::Kind::always: return {};
    case Availability::Kind::never: return "never known";
    case Availability::Kind::all_rows: return "known when all rows of the table are, also later ones";
    case Availability::Kind::row_time:
    case Availability::Kind::column: break;
  }
  const std::optional<hir::ColumnId> at = of.at ? of.at : of.table->time;
  const bool at_row_time = !at || at == of.table->time;
  if (a.kind == Availability::Kind::row_time && (at_row_time || !of.table->time)) return a.offset > 0 ? fmt::format("known {} after the row's time", duration_text(a.offset)) : std::string();
  const std::string known_at = a.kind == Availability::Kind::column ? a.column : context.out[*of.table->time].name;
  const std::string when = a.offset == 0 ? fmt::format("known at `{}`", known_at)
                                         : fmt::format("known {} {} `{}`", duration_text(a.offset > 0 ? a.offset : -a.offset), a.offset > 0 ? "after" : "before", known_at);
  if (at)
    if (const auto after = latest_after(context, *of.table, known_at, *at)) return *after + static_cast<double>(a.offset) <= 0 ? std::string() : when;
  if (a.offset > 0) return when;
  // Times are declared in the order in which they happen: what is known at an earlier one is known at a later one.
  const auto place = [&](std::string_view name) {
    for (std::size_t i = 0; i < of.table->columns.size(); ++i)
      if (context.out[of.table->columns[i]].name == name) return i;
    return of.table->columns.size();
  };
  if (at && place(known_at) <= place(context.out[*at].name)) return {};
  return when;
}

enum class Flaw { none, label, late, is_protected, pii, ignored };

/// The first column on the way from `column` to its sources that may not be read, and why.
struct Found {
  Flaw flaw = Flaw::none;
  hir::ColumnId column;
  std::string when;
};

Found find_flaw_of_rows(const Context& context, const hir::Aggregate& many, const FlowOf& of);
Found find_flaw_of_parts(const Context& context, const expr::Expr& code, const FlowOf& of);

/// Whether the text stands inside of what was declassified.
bool is_declassified(const Context& context, Span span) {
  return std::any_of(context.declassified.begin(), context.declassified.end(), [&](Span free) { return free.file == span.file && free.begin <= span.begin && span.end <= free.end; });
}

Found find_flaw(const Context& context, hir::ColumnId id, const FlowOf& of, bool direct) {
  Found late;
  for (bool in_time = false;; direct = false) {  // from stage to stage that carries the column
    const hir::Column& column = context.out[id];
    if (const hir::Aggregate* many = column.aggregate()) {
      const Found found = find_flaw_of_rows(context, *many, of);
      return found.flaw != Flaw::none ? found : late;
    }
    if (column.view) return late;  // reported where it is declared
    if (column.tags.label) return {Flaw::label, id, {}};
    if (column.tags.is_protected) return {Flaw::is_protected, id, {}};
    if (column.tags.pii) return {Flaw::pii, id, {}};
    if (direct && column.tags.ignore) return {Flaw::ignored, id, {}};
    if (std::string when = in_time ? std::string() : too_late(context, column, of); !when.empty()) late = {Flaw::late, id, std::move(when)};
    else in_time = true;
    const expr::Expr* code = column.code();
    if (!code) return late;
    if (code->nodes.size() == 1 && code->inputs.size() == 1) {
      id = hir::ColumnId(code->inputs[0].column);
      continue;
    }
    // Name the part that decides, where it is one of several.
    const Found found = find_flaw_of_parts(context, *code, of);
    return found.flaw != Flaw::none && (found.flaw != Flaw::late || !in_time) ? found : late;
  }
}

/// The first flaw among the columns that an expression reads.
Found find_flaw_of_parts(const Context& context, const expr::Expr& code, const FlowOf& of) {
  Found late;
  for (const expr::Node& node : code.nodes) {
    const auto* input = std::get_if<expr::Input>(&node.op);
    if (!input) continue;
    const Found found = find_flaw(context, hir::ColumnId(code.inputs[input->index].column), of, false);
    if ((found.flaw == Flaw::is_protected || found.flaw == Flaw::pii) && is_declassified(context, node.span)) continue;
    if (found.flaw == Flaw::late && late.flaw == Flaw::none) late = found;
    else if (found.flaw != Flaw::none && found.flaw != Flaw::late) return found;
  }
  return late;
}

/// Of other rows: earlier ones may hold labels and what came late to them, but no person and nothing that is never known.
Found find_flaw_of_rows(const Context& context, const hir::Aggregate& many, const FlowOf& of) {
  const hir::Table& table = context.out[many.of];
  FlowOf rows = of;
  rows.table = &table;
  rows.at = table.time;
  const auto check = [&](const expr::Expr& code) -> Found {
    for (const expr::InputColumn& input : code.inputs) {
      const Found found = find_flaw(context, hir::ColumnId(input.column), rows, false);
      const bool in_time = many.over_us > 0 || std::any_of(many.arguments.begin(), many.arguments.end(), [](const expr::Expr& e) { return e.type().base == Base::duration && e.inputs.empty(); });
      if (found.flaw == Flaw::label && in_time) continue;
      if (found.flaw == Flaw::late && in_time && context.out[found.column].tags.availability.kind != Availability::Kind::never) continue;
      if (found.flaw == Flaw::ignored) continue;
      if (found.flaw != Flaw::none) return found;
    }
    return {};
  };
  for (const expr::Expr& argument : many.arguments)
    if (Found found = check(argument); found.flaw != Flaw::none) return found;
  return many.where ? check(*many.where) : Found{};
}

/// The columns that this one is computed from, itself among them; those that are known are left out, with what is behind them.
std::set<hir::ColumnId> reach(const Context& context, hir::ColumnId column, const std::set<hir::ColumnId>& known) {
  std::set<hir::ColumnId> out;
  std::vector<hir::ColumnId> open{column};
  const auto read = [&](const expr::Expr& code) {
    for (const expr::InputColumn& input : code.inputs) open.emplace_back(input.column);
  };
  while (!open.empty()) {
    const hir::ColumnId next = open.back();
    open.pop_back();
    if (known.contains(next) || !out.insert(next).second) continue;
    if (const expr::Expr* code = context.out[next].code()) read(*code);
    if (const auto* source = std::get_if<hir::SourceColumn>(&context.out[next].made_by)) open.insert(open.end(), source->of.begin(), source->of.end());
    // In a group the rows are those of the table itself; what a window reads is of other rows.
    if (const hir::Aggregate* many = context.out[next].aggregate(); many && many->by.empty() && many->over_us == 0)
      for (const expr::Expr& argument : many->arguments) read(argument);
  }
  return out;
}

/// The first of the columns that this one is computed from, itself among them, that is an outcome: a label, or known too late. A
/// pipeline asks at every stage: what was found to be none is remembered, so that no stage goes back further than to the one before.
std::optional<hir::ColumnId> outcome_of(Context& context, hir::ColumnId id) {
  const auto seen = reach(context, id, context.no_outcomes);
  for (const hir::ColumnId source : seen) {
    const hir::Column& column = context.out[source];
    const Availability& a = column.tags.availability;
    const bool late = a.kind == Availability::Kind::never || a.kind == Availability::Kind::all_rows || (a.kind != Availability::Kind::always && a.offset > 0);
    if (column.tags.label || late) return source;
  }
  context.no_outcomes.insert(seen.begin(), seen.end());
  return std::nullopt;
}

}  // namespace

void warn_selection_by_outcome(Context& context, const expr::Expr& condition, Span word) {
  for (const expr::Node& node : condition.nodes) {
    const auto* input = std::get_if<expr::Input>(&node.op);
    if (!input) continue;
    const hir::ColumnId read(condition.inputs[input->index].column);
    const std::optional<hir::ColumnId> source = outcome_of(context, read);
    if (!source) continue;
    const hir::Column& column = context.out[*source];
    const std::string name = context.out[read].name;
    context.report(diag::make(Code::W0401, node.span ? node.span : word, column.tags.label ? fmt::format("rows are selected by the outcome `{}`", name) : fmt::format("rows are selected by `{}`, which is not known when a prediction is made", name))
                       .with_label("the model will be asked about the other rows too").with_secondary(column.span, column.tags.label ? "the label" : "known too late")
                       .with_help("leave the selection out, or say why it is right: `because \"…\"`"));
    return;
  }
}

namespace {

/// The columns of files that a column is computed from.
std::set<hir::ColumnId> origins_of(const Context& context, hir::ColumnId id) {
  std::set<hir::ColumnId> out;
  for (const hir::ColumnId source : sources_of(context, id))
    if (std::holds_alternative<hir::SourceColumn>(context.out[source].made_by)) out.insert(source);
  return out;
}

}  // namespace

void check_reconstruction(Context& context, hir::ViewId view_id, hir::ColumnId label_id, Span predict) {
  const hir::Column& label = context.out[label_id];
  std::set<hir::ColumnId> same{label_id};  // the label, and the columns that it is a copy of
  hir::ColumnId deepest = label_id;
  for (const expr::Expr* code = label.code(); code && code->nodes.size() == 1 && !code->inputs.empty(); code = context.out[deepest].code()) same.insert(deepest = hir::ColumnId(code->inputs[0].column));
  // The columns of files that together give the label, and what says so.
  struct Way {
    std::set<hir::ColumnId> parts;
    std::string message;
    diag::Label because;
  };
  std::vector<Way> ways;
  if (context.out[deepest].code())
    if (const auto parts = origins_of(context, deepest); !parts.empty()) {
      std::vector<std::string_view> names;
      for (const hir::ColumnId part : parts) names.push_back(context.out[part].name);
      ways.push_back({parts, fmt::format("`{}` is computed from {}, which the features read", label.name, listing(names)), {context.out[deepest].span, "computed here"}});
    }
  for (const hir::Table& table : context.out.tables)
    for (const hir::Expectation& expectation : table.expectations) {
      if (!expectation.for_all_rows || expectation.warn || expectation.condition.nodes.empty()) continue;
      const auto* call = std::get_if<expr::Call>(&expectation.condition.nodes.back().op);
      const Signature* signature = call ? find_native(call->native) : nullptr;
      if (!signature || signature->op != "==") continue;
      std::set<hir::ColumnId> parts;
      bool about_label = false;
      for (const expr::InputColumn& input : expectation.condition.inputs) {
        if (same.contains(hir::ColumnId(input.column))) about_label = true;
        else parts.merge(origins_of(context, hir::ColumnId(input.column)));
      }
      if (about_label && !parts.empty()) ways.push_back({std::move(parts), fmt::format("the features give `{}`: `{}`", label.name, expectation.text), {expectation.span, "this holds for all rows"}});
    }
  if (ways.empty()) return;
  std::map<hir::ColumnId, hir::ColumnId> known;  // a column of a file, and a feature that reads it in this row
  for (const hir::ColumnId feature : context.out[view_id].columns)
    for (const hir::ColumnId source : origins_of(context, feature)) known.emplace(source, feature);
  for (const Way& way : ways) {
    if (!std::all_of(way.parts.begin(), way.parts.end(), [&](hir::ColumnId part) { return known.contains(part); })) continue;
    const hir::ColumnId first = known.find(*way.parts.begin())->second;
    auto d = diag::make(Code::E0402, context.out[first].span, way.message).with_label("gives the answer away").with_help("take one of them out of the view, or say when they are known: `@available(after …)`");
    std::set<hir::ColumnId> shown{first};
    for (const hir::ColumnId part : way.parts)
      if (const hir::ColumnId other = known.find(part)->second; shown.insert(other).second) d.secondary.push_back({context.out[other].span, "together with this"});
    d.secondary.push_back(way.because);
    d.secondary.push_back({predict, "predicted here"});
    context.report(std::move(d));
    return;
  }
}

std::set<hir::ColumnId> sources_of(const Context& context, hir::ColumnId column) { return reach(context, column, {}); }

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
    if ((found.flaw == Flaw::is_protected || found.flaw == Flaw::pii) && is_declassified(context, node.span)) continue;
    if (found.flaw == Flaw::none || !reported.insert(read).second) continue;
    good = false;
    const hir::Column& bad = context.out[found.column];
    const std::string name = context.out[read].name;
    const std::string through = found.column == read || bad.name == name ? std::string() : fmt::format(", through `{}`", bad.name);
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
                 : bad.tags.availability.kind == Availability::Kind::all_rows ? "compute it in the view, over a window that ends at the prediction: `mean(TABLE.COLUMN by KEY) over 30d`"
                                                                          : "drop it, or predict `at` a time later than that";
        break;
      }
      case Flaw::is_protected:
        d = diag::make(Code::E0501, span, fmt::format("`{}` is protected, so it cannot be a feature", name)).with_label("protected" + through)
                .with_help("take it out of the view; `slice by` it in `evaluate` to see how the model treats its groups");
        break;
      case Flaw::pii:
        d = diag::make(Code::E0502, span, fmt::format("`{}` is personal, so it cannot be a feature", name)).with_label("personal data" + through)
                .with_help("take it out of the view, or free what may be used: `declassify(…, \"reason\")`");
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
