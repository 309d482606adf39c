#include <fmt/format.h>

#include <string>

#include "compiler/sema/hir.h"

namespace mlp::hir {

namespace {

std::string range_text(const Interval& range) { return range == Interval{} ? std::string() : fmt::format(" in {}..{}", range.low, range.high); }

std::string availability_text(const Availability& a) {
  switch (a.kind) {
    case Availability::Kind::always: return " known always";
    case Availability::Kind::row_time: return a.offset == 0 ? std::string() : fmt::format(" known {}us after", a.offset);
    case Availability::Kind::column: return a.offset == 0 ? fmt::format(" known at {}", a.column) : fmt::format(" known {}us after {}", a.offset, a.column);
    case Availability::Kind::all_rows: return " known with all rows";
    case Availability::Kind::never: return " known never";
  }
  return {};
}

std::string tags_text(const Column& column) {
  std::string out;
  const Tags& tags = column.tags;
  for (const auto& [set, name] : {std::pair{tags.key, "key"}, {tags.time, "time"}, {tags.label, "label"}, {tags.pii, "pii"}, {tags.is_protected, "protected"}, {tags.weight, "weight"}, {tags.ignore, "ignore"}})
    if (set) out += fmt::format(" @{}", name);
  if (column.phase == Phase::fitted) out += " fitted";
  return out + availability_text(tags.availability);
}

/// Streams of random calls, in the order of the nodes.
std::string streams_text(const expr::Expr& code) {
  std::string out;
  for (const expr::Node& node : code.nodes)
    if (const auto* call = std::get_if<expr::Call>(&node.op); call && call->stream) out += fmt::format(" stream {:016x}", call->stream);
  return out;
}

std::string options_text(const Options& options) {
  std::string out;
  for (const auto& [name, value] : options) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, to_string(value));
  return out;
}

std::string metric_text(const Metric& metric) {
  return metric.options.empty() ? metric.native : fmt::format("{}({})", metric.native, options_text(metric.options));
}

std::string column_text(const Workflow& w, ColumnId id) {
  const Column& column = w[id];
  std::string out = fmt::format("  {} : {}{}{}", column.name, to_string(column.type), range_text(column.range), tags_text(column));
  if (const auto* source = std::get_if<SourceColumn>(&column.made_by)) {
    out += fmt::format(" read \"{}\"", source->source_name);
    if (!source->format.empty()) out += fmt::format(" format \"{}\"", source->format);
    if (!source->bool_values.empty()) out += fmt::format(" values (\"{}\", \"{}\")", source->bool_values[0], source->bool_values[1]);
    if (!source->allowed.empty()) {
      out += " allowed";
      for (const std::string& value : source->allowed) out += fmt::format(" \"{}\"", value);
    }
    if (!source->matches.empty()) out += fmt::format(" matches \"{}\"", source->matches);
    if (source->ranged) out += " ranged";
    if (source->unique) out += " unique";
  } else if (const expr::Expr* code = column.code()) {
    out += fmt::format(" = {}{}", expr::to_string(*code), streams_text(*code));
  } else if (const Aggregate* many = column.aggregate()) {
    out += fmt::format(" = {} of {}", many->name, w[many->of].name);
    for (const expr::Expr& argument : many->arguments) out += fmt::format(" {}", expr::to_string(argument));
    for (const auto& [theirs, ours] : many->by) out += fmt::format(" by {}", w[theirs].name);
    if (many->where) out += fmt::format(" where {}", expr::to_string(*many->where));
    if (many->over_us) out += fmt::format(" over {}{} us ending {} us", many->next ? "next " : "", many->over_us, many->ending_us);
  }
  return out + "\n";
}

std::string side_text(const Workflow& w, const GateSide& side) {
  if (!side.measure) return fmt::format("{}", side.offset);
  const Measure& m = *side.measure;
  constexpr std::string_view kOver[] = {"", "min", "max", "gap"};
  std::string out = metric_text(m.metric);
  if (m.model) out = w[*m.model].name + "." + out;
  if (m.constant) out = "constant." + out;
  if (m.by) out = fmt::format("{}({} by {})", kOver[static_cast<int>(m.over)], out, qualified_name(w, *m.by));
  if (side.scale != 1) out = fmt::format("{} * {}", side.scale, out);
  if (side.offset != 0) out += fmt::format(" + {}", side.offset);
  return out;
}

std::string split_text(const Workflow& w, const Split& split) {
  std::string out = fmt::format("split {} of {}", split.name.empty() ? "(inline)" : split.name, w[split.table].name);
  constexpr std::string_view kKinds[] = {"random", "fold", "time", "group", "rolling"};
  if (!split.percent.empty()) {
    out += fmt::format(" {}", kKinds[static_cast<std::size_t>(split.kind)]);
    for (std::size_t i = 0; i < split.percent.size(); ++i) out += fmt::format("{}{}", i ? "/" : " ", split.percent[i]);
  } else {
    out += fmt::format(" {} {}", kKinds[static_cast<std::size_t>(split.kind)], split.folds);
  }
  if (split.stratified) out += fmt::format(" stratified {}", w[*split.stratified].name);
  for (const ColumnId column : split.by) out += fmt::format(" by {}", w[column].name);
  return out + fmt::format(" seed {}\n", split.seed);
}

std::string train_text(const Workflow& w, const Train& train) {
  constexpr std::string_view kRefit[] = {"none", "train+validation", "all"};
  std::string out = fmt::format("train {} of {} predict {} {}\n", train.name, w[train.view].name, qualified_name(w, train.label), train.task == Task::binary ? "binary" : train.task == Task::classes ? "classes" : "regression");
  const Split& split = w[train.split];
  out += fmt::format("  split {} seed {} refit {}\n", split.name.empty() ? "(inline)" : split.name, train.seed, kRefit[static_cast<int>(train.refit)]);
  if (train.weight) out += fmt::format("  weight {}\n", qualified_name(w, *train.weight));
  out += fmt::format("  model {}({}){}\n", train.model, options_text(train.options), train.binned ? " binned" : "");
  for (const MatrixColumn& column : train.matrix) out += fmt::format("  matrix {} : {} = {}\n", qualified_name(w, column.from), to_string(column.code.type()), expr::to_string(column.code));
  return out;
}

std::string evaluate_text(const Workflow& w, const Evaluate& evaluate) {
  std::string out = fmt::format("evaluate {}\n", w[evaluate.train].name);
  for (const Metric& metric : evaluate.metrics) out += fmt::format("  metric {} {}\n", metric_text(metric), metric.higher_is_better ? "higher" : "lower");
  for (const Slice& slice : evaluate.slices) {
    out += "  slice";
    for (const ColumnId column : slice.columns) out += " " + w[column].name;
    if (slice.at_least_rows) out += fmt::format(" at_least {} rows", slice.at_least_rows);
    if (slice.at_least_positives) out += fmt::format(" at_least {} positives", slice.at_least_positives);
    out += "\n";
  }
  for (const ColumnId column : evaluate.resample_by) out += fmt::format("  resample by {}\n", w[column].name);
  for (const Gate& gate : evaluate.gates) {
    out += fmt::format("  gate {} {} {}", side_text(w, gate.left), gate.comparison, gate.beats_production ? fmt::format("production + {}", gate.right.offset) : side_text(w, gate.right));
    if (gate.confidence > 0) out += fmt::format(" with {}%", gate.confidence * 100);
    out += "\n";
  }
  return out;
}

}  // namespace

std::string qualified_name(const Workflow& workflow, ColumnId id) {
  const Column& column = workflow[id];
  const std::string owner = column.table ? workflow[*column.table].name : column.view ? workflow[*column.view].name : std::string();
  return owner.empty() ? column.name : owner + "." + column.name;
}

std::string dump(const Workflow& w) {
  std::string out = fmt::format("workflow {}\n", w.name);
  for (const Param& param : w.params) out += fmt::format("param {} : {} = {} ({})\n", param.name, to_string(param.type), to_string(param.value), param.from);
  for (const Table& table : w.tables) {
    constexpr std::string_view kStages[] = {"same rows", "filter", "sample", "sort", "limit", "dedupe", "group", "join", "asof join", "union", "unpivot", "fill", "cross", "python", "sql"};
    const std::string stage = table.stage ? fmt::format("{} of {}", kStages[static_cast<std::size_t>(table.stage->kind)], w[table.stage->from].name) : std::string();
    out += fmt::format("table {} from {}", table.name, table.stage ? stage : table.source);
    if (!table.path.empty()) out += fmt::format(" \"{}\"", table.path);
    if (!table.options.empty()) out += fmt::format(" ({})", options_text(table.options));
    out += "\n";
    if (table.reject) out += fmt::format("  reject up to {} into \"{}\"\n", table.reject->share, table.reject->into);
    for (const ColumnId column : table.columns) out += column_text(w, column);
    for (const Expectation& expectation : table.expectations)
      out += fmt::format("  expect {}{}{}\n", expr::to_string(expectation.condition), expectation.for_all_rows ? " for all rows" : "", expectation.warn ? " else warn" : "");
  }
  for (const View& view : w.views) {
    out += fmt::format("view {} of {}{}\n", view.name, w[view.table].name, view.at ? " at " + w[*view.at].name : std::string());
    for (const ColumnId column : view.columns) out += column_text(w, column);
  }
  for (const Split& split : w.splits) out += split_text(w, split);
  for (const Train& train : w.trains) out += train_text(w, train);
  for (const Evaluate& evaluate : w.evaluates) out += evaluate_text(w, evaluate);
  for (const Deploy& deploy : w.deploys) out += fmt::format("deploy {} of {} stage {}\n", deploy.name, w[deploy.train].name, deploy.stage);
  for (const Monitor& monitor : w.monitors) out += fmt::format("monitor {}\n", monitor.deployment);
  for (const Test& test : w.tests) {
    out += fmt::format("test \"{}\" of {}\n", test.name, w[test.view].name);
    for (const auto& [column, value] : test.given) out += fmt::format("  given {}: {}\n", w[column].name, to_string(value));
    for (const Test::Expect& expect : test.expect) out += fmt::format("  expect {}\n", expr::to_string(expect.condition));
  }
  for (const NotYet& part : w.not_yet) out += fmt::format("not yet: {}\n", part.what);
  return out;
}

}  // namespace mlp::hir
