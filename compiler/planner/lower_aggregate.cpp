#include <algorithm>
#include <fmt/format.h>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

/// What one column's value of many rows is made of, beside the rows themselves.
struct Parts {
  plan::Aggregate code;
  std::vector<StepId> inputs;  ///< columns of the arguments, then the condition
};

/// The columns of the table whose rows are aggregated that the call reads.
std::vector<hir::ColumnId> columns_read(const hir::Aggregate& many) {
  std::vector<hir::ColumnId> out;
  const auto add = [&](const expr::Expr& code) {
    for (const expr::InputColumn& input : code.inputs) out.push_back(hir::ColumnId(input.column));
  };
  for (const expr::Expr& argument : many.arguments) add(argument);
  if (many.where) add(*many.where);
  for (const auto& [theirs, ours] : many.by) out.push_back(theirs);
  return out;
}

Parts lower_parts_of(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Column& column = l.workflow[id];
  const hir::Aggregate& many = *column.aggregate();
  Parts parts;
  parts.code.native = many.native;
  parts.code.type = column.type;
  const Place at{place.name + ".of", place.suffix, place.span, table_index(l.workflow, many.of)};
  for (std::size_t i = 0; i < many.arguments.size(); ++i) {
    const expr::Expr& argument = many.arguments[i];
    if (!many.parameters[i].empty()) {
      const auto* value = std::get_if<expr::Literal>(&argument.nodes.back().op);
      MLP_CHECK(value != nullptr);
      parts.code.options.emplace_back(many.parameters[i], value->value);
      continue;
    }
    ++parts.code.columns;
    parts.inputs.push_back(lower_expression(l, argument, at, nullptr));
  }
  if (many.where) {
    parts.code.where = true;
    parts.inputs.push_back(lower_expression(l, *many.where, {place.name + ".where", place.suffix, place.span, at.table}, nullptr));
  }
  return parts;
}

StepId with_order(Lowering& l, StepId order, Parts parts, const Place& place, std::string text) {
  std::vector<StepId> inputs = {order};
  inputs.insert(inputs.end(), parts.inputs.begin(), parts.inputs.end());
  return add_step(l, place, std::move(parts.code), std::move(inputs), std::move(text));
}

StepId lower_window(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Aggregate& many = *l.workflow[id].aggregate();
  plan::OrderRows order;
  order.keys = static_cast<std::uint32_t>(many.by.size());
  std::vector<StepId> inputs;
  std::string text = "window by";
  for (const auto& [key, same] : many.by) inputs.push_back(lower_column(l, key, nullptr)), text += " " + l.workflow[key].name;
  for (const auto& [by, descending] : many.order) {
    order.descending.push_back(descending);
    inputs.push_back(lower_column(l, by, nullptr));
    text += fmt::format(" order by {}{}", l.workflow[by].name, descending ? " desc" : "");
  }
  const StepId rows = add_step(l, {l.workflow[*l.workflow[id].table].name + ".order", "", place.span, place.table}, std::move(order), std::move(inputs), std::move(text));
  return with_order(l, rows, lower_parts_of(l, id, place), place, l.workflow[id].name);
}

/// `lag(x, 7d)`: how far back; 0: no lag.
std::int64_t back_of(const hir::Aggregate& many) {
  for (std::size_t i = 0; i < many.arguments.size(); ++i)
    if (const auto* value = std::get_if<expr::Literal>(&many.arguments[i].nodes.back().op); value && many.arguments[i].type().base == Base::duration && i > 0)
      return std::get<std::int64_t>(value->value);
  return 0;
}

/// Whether all that the call reads is known so long after the row's time.
bool is_known_after(const hir::Workflow& workflow, const hir::Aggregate& many, std::int64_t delay) {
  return std::ranges::all_of(columns_read(many), [&](hir::ColumnId column) {
    const Availability& when = workflow[column].tags.availability;
    return when.kind == Availability::Kind::always || (when.kind == Availability::Kind::row_time && when.offset <= delay);
  });
}

/// The time of the row that asks.
hir::ColumnId time_of_asking(const hir::Workflow& workflow, const hir::Column& column) {
  if (column.view && workflow[*column.view].at) return *workflow[*column.view].at;
  const auto time = workflow[column.view ? workflow[*column.view].table : *column.table].time;
  MLP_CHECK(time.has_value());
  return *time;
}

/// A column by name in the rows of a table; where a `select` left it out, the one of before in these rows.
std::optional<StepId> time_by_name(Lowering& l, hir::TableId table, const std::string& name, const Place& place) {
  for (std::size_t i = 0; i < l.workflow.columns.size(); ++i) {
    const hir::Column& column = l.workflow.columns[i];
    if (column.table != table || column.name != name || (column.type.base != Base::timestamp && column.type.base != Base::date)) continue;
    const hir::ColumnId id(i);
    if (table_index(l.workflow, table) == place.table) return lower_time(l, id, place);
    const StepId step = lower_take(l, id, column.type, {place.name + ".taken", place.suffix, place.span, place.table});
    if (column.type.base == Base::timestamp) return step;
    plan::Kernel kernel;
    kernel.code.inputs = {{0, column.type, name}};
    kernel.code.push(expr::Convert{kernel.code.push(expr::Input{0}, column.type)}, Type::of(Base::timestamp, column.type.missing));
    return add_step(l, place, std::move(kernel), {step}, name);
  }
  const auto& stage = l.workflow[table].stage;
  if (!stage) return std::nullopt;
  const bool same_rows = stage->kind == hir::Stage::Kind::same || table_index(l.workflow, table) == place.table;
  return same_rows ? time_by_name(l, stage->from, name, place) : std::nullopt;
}

/// The same value in every row that asks.
StepId lower_one_key(Lowering& l, const Place& place) {
  expr::Expr code;
  code.push(expr::Literal{true}, Type::of(Base::bool_));
  return lower_expression(l, code, place, nullptr);
}

/// The same value in every row of the history. It is made of a column, which tells whose rows they are: one that the call reads, or a key, or else any.
StepId lower_one_key_of(Lowering& l, const hir::Aggregate& many, const Place& place) {
  std::vector<hir::ColumnId> columns = columns_read(many);
  if (columns.empty()) columns = l.workflow[many.of].key;
  if (columns.empty()) columns = l.workflow[many.of].columns;
  std::vector<StepId> steps;
  for (const hir::ColumnId column : columns) steps.push_back(lower_column(l, column, nullptr));
  const hir::ColumnId any = columns[order_columns(l, steps).front()];
  const Type& type = l.workflow[any].type;
  expr::Expr code;
  code.inputs = {{any.value, type, l.workflow[any].name}};
  const expr::NodeId known = code.push(expr::IsKnown{code.push(expr::Input{0}, type), false}, Type::of(Base::bool_));
  code.push(expr::Or{known, code.push(expr::Literal{true}, Type::of(Base::bool_))}, Type::of(Base::bool_));
  return lower_expression(l, code, place, nullptr);
}

/// Rows of the history for each row that asks, and the aggregate over a window of them.
StepId lower_history(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Workflow& workflow = l.workflow;
  const hir::Column& column = workflow[id];
  const hir::Aggregate& many = *column.aggregate();
  const plan::TableIndex of = table_index(workflow, many.of);
  const Place history{workflow[many.of].name + ".history", "", place.span, of};
  const bool timed = workflow[many.of].time.has_value();
  plan::MatchHistory match;
  match.keys = static_cast<std::uint32_t>(many.by.size());
  std::vector<StepId> inputs;
  std::string by;
  for (const auto& [theirs, ours] : many.by) {
    inputs.push_back(lower_column(l, ours, nullptr));
    by += (by.empty() ? " by " : ", ") + workflow[ours].name;
  }
  // Nothing tells the rows apart, neither a key nor a time: one key for all of them.
  const bool one_key = many.by.empty() && !timed;
  if (one_key) match.keys = 1, inputs.push_back(lower_one_key(l, {place.name + ".all", "", place.span, place.table}));
  std::optional<StepId> asked;
  if (timed) {
    asked = lower_time(l, time_of_asking(workflow, column), {place.name + ".time", "", place.span, place.table});
    inputs.push_back(*asked);
  }
  for (const auto& [theirs, ours] : many.by) inputs.push_back(lower_column(l, theirs, nullptr));
  if (one_key) inputs.push_back(lower_one_key_of(l, many, {workflow[many.of].name + ".all", "", place.span, of}));
  if (timed) {
    // What lies ahead is a fact of its own time, whenever it comes to be known; so is what lies so far back that it is known by now.
    const bool own_time = many.next || (back_of(many) > 0 && is_known_after(workflow, many, back_of(many)));
    const KnownTimes known = lower_known_times(l, many.of, own_time ? std::vector<hir::ColumnId>{} : columns_read(many), history);
    match.known_after = known.after;
    inputs.insert(inputs.end(), known.times.begin(), known.times.end());
  }
  const Place matched{fmt::format("{}.{}", column.view ? workflow[*column.view].name : workflow[*column.table].name, workflow[many.of].name), ".matched", place.span, place.table};
  const StepId rows = add_step(l, matched, std::move(match), std::move(inputs), workflow[many.of].name + by);

  Parts parts = lower_parts_of(l, id, place);
  plan::History code;
  code.over_us = many.over_us;
  code.ending_us = many.ending_us;
  code.next = many.next;
  // The row exactly so long ago counts.
  if (back_of(many) > 0) code.ending_us += back_of(many) - 1;
  std::vector<StepId> read = {rows};
  if (asked) read.push_back(*asked);
  read.insert(read.end(), parts.inputs.begin(), parts.inputs.end());
  if (many.next) {
    code.ending_us = label_delay(workflow, many);
    code.as_of_us = l.options.as_of_us;
    if (!code.as_of_us) {
      code.asks_as_of = true;
      read.push_back(lower_as_of(l, place.table));
    }
  }
  code.aggregate = std::move(parts.code);
  return add_step(l, place, std::move(code), std::move(read), column.name);
}

}  // namespace

StepId lower_as_of(Lowering& l, plan::TableIndex table) {
  std::vector<StepId> times;
  for (const hir::Table& each : l.workflow.tables)
    if (each.time && !each.stage) {  // read, not computed: a calendar may reach ahead
      const StepId time = lower_time(l, *each.time, {each.name + ".time", "", each.span, table_index(l.workflow, table_of(l.workflow, *each.time))});
      if (std::find(times.begin(), times.end(), time) == times.end()) times.push_back(time);
    }
  return add_step(l, {"as_of", "", {}, table}, plan::AsOf{}, std::move(times), "the newest time");
}

StepId lower_time(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Column& column = l.workflow[id];
  if (column.type.base == Base::timestamp) return lower_column(l, id, nullptr);
  expr::Expr code;
  code.inputs = {{id.value, column.type, column.name}};
  const expr::NodeId input = code.push(expr::Input{0}, column.type);
  code.push(expr::Convert{input}, Type::of(Base::timestamp, column.type.missing));
  return lower_expression(l, code, place, nullptr);
}

KnownTimes lower_known_times(Lowering& l, hir::TableId table, const std::vector<hir::ColumnId>& values, const Place& place) {
  KnownTimes known;
  const hir::ColumnId time = *l.workflow[table].time;
  known.times = {lower_time(l, time, {place.name + ".time", place.suffix, place.span, place.table})};
  known.after = {0};
  for (const hir::ColumnId value : values) {
    const Availability& when = l.workflow[value].tags.availability;
    if (when.kind == Availability::Kind::row_time) known.after[0] = std::max(known.after[0], when.offset);
    if (when.kind != Availability::Kind::column) continue;
    const auto step = time_by_name(l, table, when.column, {place.name + "." + when.column, place.suffix, place.span, place.table});
    if (!step) continue;  // nothing of it is left in these rows: their own time is later
    const auto at = std::find(known.times.begin(), known.times.end(), *step);
    if (at == known.times.end()) {
      known.times.push_back(*step);
      known.after.push_back(when.offset);
    } else {
      std::int64_t& after = known.after[static_cast<std::size_t>(at - known.times.begin())];
      after = std::max(after, when.offset);
    }
  }
  return known;
}

std::int64_t label_delay(const hir::Workflow& workflow, const hir::Aggregate& label) {
  std::int64_t delay = 0;
  for (const hir::ColumnId column : columns_read(label)) {
    const Availability& when = workflow[column].tags.availability;
    if (when.kind == Availability::Kind::row_time) delay = std::max(delay, when.offset);
  }
  return delay;
}

StepId lower_aggregate(Lowering& l, hir::ColumnId id, const Place& place) {
  const hir::Aggregate& many = *l.workflow[id].aggregate();
  switch (many.over) {
    case hir::Aggregate::Over::history: return lower_history(l, id, place);
    case hir::Aggregate::Over::window: return lower_window(l, id, place);
    case hir::Aggregate::Over::group: return with_order(l, *lower_rows_of(l, *l.workflow[id].table), lower_parts_of(l, id, place), place, l.workflow[id].name);
  }
  return {};
}

}  // namespace mlp::planner
