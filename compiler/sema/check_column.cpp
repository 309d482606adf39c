#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/check_data.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/zones.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

/// `@time(zone: "Europe/Berlin")`
void check_tag_argument(Context& context, const ast::Tag& tag, const ast::Argument& argument) {
  if (tag.kind != ast::TagKind::time || !argument.name || argument.name->text != kZoneParameter) {
    const std::string word(context.text(tag.span).substr(0, context.text(tag.span).find('(')));
    context.report(diag::make(Code::E0208, argument.name ? argument.name->span : argument.span, fmt::format("`{}` does not take this", word)).with_label("no such parameter")
                       .with_help(tag.kind == ast::TagKind::time ? "it has `zone`: `@time(zone: \"Europe/Berlin\")`" : "write the tag alone"));
    return;
  }
  context.not_yet("`@time` in a time zone", tag.span);
  const Span span = context.file.expr(argument.value).span;
  const auto zone = constant_of(context, argument.value, Type::of(Base::string), std::nullopt, "the zone of `@time`");
  if (zone) check_zone(context, std::get<std::string>(*zone), span);
}

}  // namespace

ReadTags read_tags(Context& context, const std::vector<ast::Tag>& tags, const std::function<bool(const ast::Path&)>& is_column) {
  ReadTags out;
  std::map<ast::TagKind, Span> seen;
  for (const ast::Tag& tag : tags) {
    if (const auto [at, fresh] = seen.emplace(tag.kind, tag.span); !fresh) {
      context.report(diag::make(Code::E0210, tag.span, "this tag is given twice").with_label("given again here").with_secondary(at->second, "first given here").with_help("leave one of the two out"));
      continue;
    }
    for (const ast::Argument& argument : tag.arguments) check_tag_argument(context, tag, argument);
    switch (tag.kind) {
      case ast::TagKind::key: out.tags.key = true; break;
      case ast::TagKind::time: out.tags.time = true, out.time = tag.span; break;
      case ast::TagKind::label: out.tags.label = true, out.label = out.decisive = tag.span; break;
      case ast::TagKind::pii: out.tags.pii = true, out.decisive = tag.span; break;
      case ast::TagKind::protected_: out.tags.is_protected = true, out.decisive = tag.span; break;
      case ast::TagKind::weight: out.tags.weight = true; break;
      case ast::TagKind::ignore: out.tags.ignore = true, out.decisive = tag.span; break;
      case ast::TagKind::available: {
        out.available = tag.span;
        if (!tag.availability) break;
        Availability& a = out.tags.availability;
        using Kind = ast::Availability::Kind;
        switch (tag.availability->kind) {
          case Kind::always: a.kind = Availability::Kind::always; break;
          case Kind::never: a.kind = Availability::Kind::never; break;
          case Kind::at:
            if (is_column(*tag.availability->column)) a = {Availability::Kind::column, 0, tag.availability->column->parts.back().text};
            break;
          case Kind::after:
          case Kind::before: {
            const bool after = tag.availability->kind == Kind::after;
            const auto offset = constant_of(context, tag.availability->offset, Type::of(Base::duration), std::nullopt, "the time of an availability");
            if (offset) a = {Availability::Kind::row_time, after ? std::get<std::int64_t>(*offset) : -std::get<std::int64_t>(*offset), {}};
            break;
          }
        }
        break;
      }
    }
  }
  return out;
}

Availability later(const Availability& a, const Availability& b) {
  const auto rank = [](const Availability& x) {
    switch (x.kind) {
      case Availability::Kind::always: return 0;
      case Availability::Kind::row_time: return 1;
      case Availability::Kind::column: return 2;
      case Availability::Kind::all_rows: return 3;
      case Availability::Kind::never: return 4;
    }
    return 4;
  };
  if (rank(a) != rank(b)) return rank(a) > rank(b) ? a : b;
  return a.offset >= b.offset ? a : b;
}

/// A window shifts its rows to when they are known, so it is known at the row's time; only what is never known stays so.
Availability availability_of(const Context& context, const hir::Aggregate& aggregate) {
  Availability latest{Availability::Kind::always, 0, {}};
  const auto add = [&](const expr::Expr& code) { latest = later(latest, latest_of_parts(context, code)); };
  for (const expr::Expr& argument : aggregate.arguments) add(argument);
  if (aggregate.where) add(*aggregate.where);
  const bool shifted = aggregate.over_us > 0 || !aggregate.by.empty();
  if (shifted && latest.kind != Availability::Kind::never) return {Availability::Kind::always, 0, {}};
  return latest;
}

Availability latest_of_parts(const Context& context, const expr::Expr& code) {
  Availability latest{Availability::Kind::always, 0, {}};
  for (const expr::InputColumn& input : code.inputs) {
    const hir::Column& part = context.out[hir::ColumnId(input.column)];
    latest = later(latest, part.aggregate() ? availability_of(context, *part.aggregate()) : part.tags.availability);
  }
  return latest;
}

void add_constraint(Context& context, hir::Table& table, hir::ColumnId id, const std::optional<Interval>& range, const std::vector<Value>& set,
                    const std::string& text, Span span) {
  const hir::Column& column = context.out[id];
  Builder b;
  Scope scope(context, b, nullptr);
  scope.quiet = true;
  const NodeId value = b.input(id.value, column.type, {}, column.name, span);
  NodeId condition;
  if (range) {
    const auto end = [&](double x) { return b.literal(x, Type::of(Base::float_), span); };
    const NodeId above = apply_operator(scope, ">=", {value, end(range->low)}, span, span);
    const NodeId below = apply_operator(scope, "<=", {value, end(range->high)}, span, span);
    if (!above || !below) return;
    condition = b.conjunction(above, below, span);
  } else {
    condition = b.in_set(value, set, false, span);
  }
  if (b.type(condition).missing) condition = b.coalesce(condition, b.literal(true, Type::of(Base::bool_), span), Type::of(Base::bool_), span);
  table.expectations.push_back({fmt::format("{} {}", column.name, text), span, false, true, b.finish(condition), {}});
}

std::vector<hir::Statistic> number_statistics(expr::Expr& condition, const StatisticNames& names) {
  std::vector<hir::Statistic> statistics;
  // Finishing an expression may have dropped some, and their order is that of first use.
  for (expr::InputColumn& input : condition.inputs) {
    statistics.push_back(names.used[input.column]);
    input.column = static_cast<std::uint32_t>(statistics.size() - 1);
  }
  return statistics;
}

void check_expect(Context& context, hir::Table& table, const ast::Expect& expect, const RowNames& rows, Span span) {
  Builder b;
  Scope scope(context, b, context.file.now);
  scope.rows = &rows;
  StatisticNames statistics;
  if (!expect.for_all_rows) scope.statistics = &statistics;
  const NodeId condition = type_condition(scope, expect.condition, "an expectation");
  if (!condition) return;
  hir::Expectation out;
  out.text = context.text(context.file.expr(expect.condition).span);
  out.span = span;
  out.warn = expect.only_warns;
  out.for_all_rows = expect.for_all_rows;
  out.condition = b.finish(condition);
  if (!expect.for_all_rows) out.statistics = number_statistics(out.condition, statistics);
  table.expectations.push_back(std::move(out));
}

}  // namespace mlp::sema
