#include <fmt/format.h>

#include "compiler/plan/logical.h"
#include "compiler/plan/physical.h"
#include "compiler/plan/scorer.h"

namespace mlp::plan {

namespace {

std::string_view word(LogicalKind kind) {
  switch (kind) {
    case LogicalKind::source: return "source";
    case LogicalKind::project: return "project";
    case LogicalKind::filter: return "filter";
    case LogicalKind::sample: return "sample";
    case LogicalKind::sort: return "sort";
    case LogicalKind::limit: return "limit";
    case LogicalKind::dedupe: return "dedupe";
    case LogicalKind::aggregate: return "aggregate";
    case LogicalKind::join: return "join";
    case LogicalKind::asof_join: return "asof_join";
    case LogicalKind::union_: return "union";
    case LogicalKind::unpivot: return "unpivot";
    case LogicalKind::fill: return "fill";
    case LogicalKind::cross: return "cross";
    case LogicalKind::derive: return "derive";
    case LogicalKind::point_in_time: return "point_in_time";
    case LogicalKind::split: return "split";
    case LogicalKind::fit: return "fit";
    case LogicalKind::apply: return "apply";
    case LogicalKind::train: return "train";
    case LogicalKind::predict: return "predict";
    case LogicalKind::evaluate: return "evaluate";
    case LogicalKind::gate: return "gate";
    case LogicalKind::build_scorer: return "build_scorer";
    case LogicalKind::register_candidate: return "register";
  }
  return "";
}

template <class List>
std::string joined(const List& list, auto text) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + std::string(text(item));
  return out;
}

std::string of(const Rows& rows) {
  const std::string known = rows.known ? fmt::format(" known {}", *rows.known) : std::string();
  return "rows " + joined(rows.parts, [](int part) { return fmt::format("{}", part); }) + known;
}
std::string of(const Options& options) {
  std::string out;
  for (const auto& [name, value] : options) out += fmt::format(" {}: {}", name, to_string(value));
  return out;
}

/// What the text for people does not tell.
struct Details {
  std::string operator()(const HashSource& c) const { return c.contract.empty() ? "" : fmt::format("contract of {} columns", c.contract.size()); }
  std::string operator()(const ReadColumn& c) const { return fmt::format("\"{}\" {}", c.source_name, to_string(c.type)); }
  std::string operator()(const Kernel& c) const { return fmt::format("{}{}", to_string(c.code.type()), c.generate ? " generate" : c.carried ? " carried" : ""); }
  std::string operator()(const Expect& c) const { return fmt::format("{} items", c.items.size()); }
  std::string operator()(const AssignSplit& c) const { return fmt::format("keys {}{} seed {}", c.keys, c.stratified ? " stratified" : "", c.seed); }
  std::string operator()(const PartialFit& c) const { return fmt::format("{}{}{} folds {} {}", c.native, of(c.options), c.label ? " label" : "", c.folds, of(c.rows)); }
  std::string operator()(const MergeFit& c) const { return fmt::format("{}{} folds {}", c.native, of(c.options), c.folds); }
  std::string operator()(const ApplyFit& c) const { return fmt::format("{}{} folds {} {} {}", c.native, of(c.options), c.folds, of(c.rows), to_string(c.type)); }
  std::string operator()(const AssignFolds& c) const { return fmt::format("folds {} keys {} {}", c.folds, c.keys, of(c.rows)); }
  std::string operator()(const PartialBins& c) const { return of(c.rows); }
  std::string operator()(const MergeBins&) const { return ""; }
  std::string operator()(const Bin&) const { return ""; }
  std::string operator()(const Train& c) const { return fmt::format("{}{}{} seed {} {}", c.native, of(c.options), c.weighted ? " weighted" : "", c.seed, of(c.rows)); }
  std::string operator()(const Predict& c) const {
    return fmt::format("{} columns {} {}", c.native, c.columns, joined(c.models, [](const Rows& rows) { return of(rows); }));
  }
  std::string operator()(const Metrics& c) const { return fmt::format("{} measures on {} {}", c.measures.size(), c.on, of(c.rows)); }
  std::string operator()(const Gates& c) const { return fmt::format("{} gates", c.items.size()); }
  std::string operator()(const BuildScorer&) const { return ""; }
  std::string operator()(const Register& c) const { return c.evaluated ? "evaluated" : ""; }
  std::string operator()(const Champion& c) const { return fmt::format("{} in {} {}", c.model, c.stage, of(c.rows)); }
  std::string operator()(const PredictChampion& c) const { return of(c.rows); }
  std::string operator()(const Filter& c) const { return c.share ? fmt::format("share {} seed {}", *c.share, c.seed) : std::string(); }
  std::string operator()(const Arrange& c) const {
    std::string text = fmt::format("keys {}{}{} {}..{} every {} ahead {}", c.keys, c.left ? " left" : "", c.one ? " one" : "", c.first, c.last, c.every, c.ahead);
    if (!c.compared.empty()) text += fmt::format(" compared {}", c.compared.size());
    if (c.how == Arrange::How::sample) text += fmt::format(" share {}", c.share);
    return text;
  }
  std::string operator()(const Take& c) const { return fmt::format("side {} {}", c.side, to_string(c.type)); }
  std::string operator()(const OrderRows& c) const { return fmt::format("keys {}", c.keys); }
  std::string operator()(const Aggregate& c) const { return fmt::format("{}{}{} {}", c.native, of(c.options), c.where ? " where" : "", to_string(c.type)); }
  std::string operator()(const MatchHistory& c) const { return fmt::format("keys {} times {}", c.keys, c.known_after.size()); }
  std::string operator()(const History& c) const { return fmt::format("{} over {}{} us ending {} us", (*this)(c.aggregate), c.next ? "next " : "", c.over_us, c.ending_us); }
  std::string operator()(const KeepHistory& c) const { return fmt::format("keys {} times {}", c.keys, c.known_after.size()); }
  std::string operator()(const AsOf&) const { return ""; }
  std::string operator()(const CutByTime& c) const { return fmt::format("parts {} folds {} windows {}", c.percent.size(), c.folds, c.windows); }
};

}  // namespace

const Type* column_type(const StepCode& code) {
  if (const auto* read = std::get_if<ReadColumn>(&code)) return &read->type;
  if (const auto* kernel = std::get_if<Kernel>(&code)) return &kernel->code.type();
  if (const auto* apply = std::get_if<ApplyFit>(&code)) return &apply->type;
  if (const auto* take = std::get_if<Take>(&code)) return &take->type;
  if (const auto* many = std::get_if<Aggregate>(&code)) return &many->type;
  if (const auto* history = std::get_if<History>(&code)) return &history->aggregate.type;
  return nullptr;
}

std::string_view kind_name(const StepCode& code) {
  struct {
    std::string_view operator()(const HashSource&) const { return "hash_source"; }
    std::string_view operator()(const ReadColumn&) const { return "read"; }
    std::string_view operator()(const Kernel&) const { return "kernel"; }
    std::string_view operator()(const Expect&) const { return "expect"; }
    std::string_view operator()(const AssignSplit&) const { return "split"; }
    std::string_view operator()(const PartialFit&) const { return "partial_fit"; }
    std::string_view operator()(const MergeFit&) const { return "fit"; }
    std::string_view operator()(const ApplyFit&) const { return "apply"; }
    std::string_view operator()(const AssignFolds&) const { return "folds"; }
    std::string_view operator()(const PartialBins&) const { return "partial_bins"; }
    std::string_view operator()(const MergeBins&) const { return "bins"; }
    std::string_view operator()(const Bin&) const { return "bin"; }
    std::string_view operator()(const Train&) const { return "train"; }
    std::string_view operator()(const Predict&) const { return "predict"; }
    std::string_view operator()(const Metrics&) const { return "metrics"; }
    std::string_view operator()(const Gates&) const { return "gates"; }
    std::string_view operator()(const BuildScorer&) const { return "scorer"; }
    std::string_view operator()(const Register&) const { return "register"; }
    std::string_view operator()(const Champion&) const { return "champion"; }
    std::string_view operator()(const PredictChampion&) const { return "predict_champion"; }
    std::string_view operator()(const Filter&) const { return "filter"; }
    std::string_view operator()(const Arrange&) const { return "arrange"; }
    std::string_view operator()(const Take&) const { return "take"; }
    std::string_view operator()(const OrderRows&) const { return "order"; }
    std::string_view operator()(const Aggregate&) const { return "aggregate"; }
    std::string_view operator()(const MatchHistory&) const { return "match_history"; }
    std::string_view operator()(const History&) const { return "history"; }
    std::string_view operator()(const KeepHistory&) const { return "keep_history"; }
    std::string_view operator()(const AsOf&) const { return "as_of"; }
    std::string_view operator()(const CutByTime&) const { return "cut"; }
  } visitor;
  return std::visit(visitor, code);
}

std::string dump(const Logical& plan) {
  std::string out = fmt::format("logical {}\n", plan.workflow);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const Operator& op = plan.operators[i];
    out += fmt::format("  %{} = {} {} ({})", i, word(op.kind), op.name, joined(op.inputs, [](OperatorId id) { return fmt::format("%{}", id.index()); }));
    if (!op.columns.empty()) out += fmt::format(" {{ {} }}", joined(op.columns, [](const std::string& name) { return name; }));
    out += '\n';
  }
  return out;
}

std::string dump(const Physical& plan) {
  std::string out = fmt::format("physical {}{}{}\n", plan.workflow, plan.final_rows ? " final" : "", plan.share < 1 ? fmt::format(" sample {}%", plan.share * 100) : "");
  for (const Table& table : plan.tables)
    out += table.synthetic ? fmt::format("  table {} synthetic {} rows\n", table.name, table.rows)
           : table.made    ? fmt::format("  table {} made\n", table.name)
                           : fmt::format("  table {} {} \"{}\"{}{}\n", table.name, table.source, table.path, of(table.options),
                                         table.reject ? fmt::format(" reject up to {} into \"{}\"", table.reject->share, table.reject->into) : std::string());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const std::string details = std::visit(Details{}, step.code);
    out += fmt::format("  %{} = {}{} {} ({})", i, kind_name(step.code), step.per_fragment ? "*" : "", step.name,
                       joined(step.inputs, [](StepId id) { return fmt::format("%{}", id.index()); }));
    if (!step.text.empty()) out += fmt::format(" `{}`", step.text);
    if (!details.empty()) out += " " + details;
    out += fmt::format(" [{}]\n", step.recipe_key.brief());
  }
  for (const Model& model : plan.models)
    out += fmt::format("  model {} train %{} scorer %{} ({})\n", model.name, model.train.index(), model.scorer.index(),
                       joined(model.feature_names, [](const std::string& name) { return name; }));
  for (const Deployment& d : plan.deployments)
    out += fmt::format("  deployment {} of {} stage {}{}{}\n", d.name, d.model, d.stage,
                       d.needs_approval ? " approval" + (d.approval_from.empty() ? "" : " from " + d.approval_from) : std::string(), d.needs_final ? " final" : "");
  for (const Edge& edge : plan.lineage) out += fmt::format("  {} {} -> {} {}\n", edge.from_kind, edge.from, edge.to_kind, edge.to);
  return out;
}

std::string dump(const Scorer& scorer) {
  std::string out = fmt::format("scorer {} of {}: {} {}\n", scorer.model, scorer.workflow, scorer.native, scorer.trained.brief());
  std::size_t index = 0;
  for (const RawField& field : scorer.request) out += fmt::format("  %{} = {}: {}\n", index++, field.name, to_string(field.read.type));
  for (const ScorerColumn& column : scorer.columns) {
    const std::string inputs = joined(column.inputs, [](std::uint32_t input) { return fmt::format("%{}", input); });
    out += fmt::format("  %{} = ", index++);
    switch (column.by) {
      case ScorerColumn::By::expression: out += expr::to_string(column.code); break;
      case ScorerColumn::By::transform: out += fmt::format("{} state {}", column.native, column.state); break;
      case ScorerColumn::By::bins: out += fmt::format("bins state {}", column.state); break;
      case ScorerColumn::By::history: out += fmt::format("{} over {} us ending {} us state {}", column.native.empty() ? "row" : column.native, column.over_us, column.ending_us, column.state); break;
    }
    out += fmt::format(" ({}) {} {}\n", inputs, to_string(column.type), column.name);
  }
  for (std::size_t i = 0; i < scorer.states.size(); ++i) out += fmt::format("  state {} {}\n", i, scorer.states[i].brief());
  return out + fmt::format("  matrix {}\n", joined(scorer.matrix, [](std::uint32_t column) { return fmt::format("%{}", column); }));
}

}  // namespace mlp::plan
