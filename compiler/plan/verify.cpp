#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "compiler/plan/physical.h"
#include "compiler/plan/scorer.h"

namespace mlp::plan {

namespace {

/// What a step makes: which others may read it.
enum class Makes : std::uint8_t { fragments, rows, order, match, kept, time, column, report, partial_fit, fitted, partial_bins, bins, model, figures, statuses, scorer, champion, nothing };

Makes makes(const StepCode& code) {
  struct {
    Makes operator()(const HashSource&) const { return Makes::fragments; }
    Makes operator()(const ReadColumn&) const { return Makes::column; }
    Makes operator()(const Kernel&) const { return Makes::column; }
    Makes operator()(const Expect&) const { return Makes::report; }
    Makes operator()(const AssignSplit&) const { return Makes::column; }
    Makes operator()(const PartialFit&) const { return Makes::partial_fit; }
    Makes operator()(const MergeFit&) const { return Makes::fitted; }
    Makes operator()(const ApplyFit&) const { return Makes::column; }
    Makes operator()(const AssignFolds&) const { return Makes::column; }
    Makes operator()(const PartialBins&) const { return Makes::partial_bins; }
    Makes operator()(const MergeBins&) const { return Makes::bins; }
    Makes operator()(const Bin&) const { return Makes::column; }
    Makes operator()(const Train&) const { return Makes::model; }
    Makes operator()(const Predict&) const { return Makes::column; }
    Makes operator()(const Metrics&) const { return Makes::figures; }
    Makes operator()(const Gates&) const { return Makes::statuses; }
    Makes operator()(const BuildScorer&) const { return Makes::scorer; }
    Makes operator()(const Register&) const { return Makes::nothing; }
    Makes operator()(const Champion&) const { return Makes::champion; }
    Makes operator()(const PredictChampion&) const { return Makes::column; }
    Makes operator()(const Filter&) const { return Makes::rows; }
    Makes operator()(const Arrange&) const { return Makes::rows; }
    Makes operator()(const Take&) const { return Makes::column; }
    Makes operator()(const OrderRows&) const { return Makes::order; }
    Makes operator()(const Aggregate&) const { return Makes::column; }
    Makes operator()(const MatchHistory&) const { return Makes::match; }
    Makes operator()(const History&) const { return Makes::column; }
    Makes operator()(const KeepHistory&) const { return Makes::kept; }
    Makes operator()(const AsOf&) const { return Makes::time; }
    Makes operator()(const CutByTime&) const { return Makes::column; }
  } visitor;
  return std::visit(visitor, code);
}

/// Looks at one step whose inputs exist and stand before it.
struct StepCheck {
  const Physical& plan;
  const Step& step;
  std::vector<std::string>& problems;

  void problem(std::string_view text) { problems.push_back(fmt::format("step `{}` {}", step.name, text)); }
  Makes input(std::size_t i) const { return makes(plan[step.inputs[i]].code); }
  bool inputs_are(std::size_t from, std::size_t to, Makes made) const {
    for (std::size_t i = from; i < to; ++i)
      if (input(i) != made) return false;
    return true;
  }
  /// The inputs are exactly: one of `first` if any, then columns up to `count` in all.
  void expect_inputs(std::optional<Makes> first, std::size_t count) {
    const std::size_t from = first ? 1 : 0;
    if (step.inputs.size() != count) problem(fmt::format("has {} inputs, it needs {}", step.inputs.size(), count));
    else if ((first && input(0) != *first) || !inputs_are(from, count, Makes::column)) problem("has an input of the wrong kind");
  }
  /// Like expect_inputs, with at least one column after `fixed` inputs.
  void expect_some(std::optional<Makes> first, std::size_t fixed) {
    if (step.inputs.size() <= fixed) problem("has too few inputs");
    else expect_inputs(first, step.inputs.size());
  }
  void check_code(const expr::Expr& code, std::size_t positions) {
    if (code.nodes.empty()) return problem("has an empty expression");
    for (const expr::InputColumn& column : code.inputs)
      if (column.column >= positions) return problem("reads an input that it does not have");
    for (std::size_t i = 0; i < code.nodes.size(); ++i) {
      for (const expr::NodeId operand : expr::operands(code.nodes[i].op))
        if (operand.index() >= i) return problem("has an expression in the wrong order");
      if (const auto* leaf = std::get_if<expr::Input>(&code.nodes[i].op); leaf && leaf->index >= code.inputs.size())
        return problem("has an expression that reads nothing");
      if (std::holds_alternative<expr::Fitted>(code.nodes[i].op)) return problem("has a fitted transform in a row-wise expression");
    }
  }
  void check_rows(const Rows& rows) {
    if (rows.parts.empty()) problem("is about no rows");
    for (const int part : rows.parts)
      if (part < 0) problem("is about a part that does not exist");
  }

  void operator()(const HashSource& c) {
    expect_inputs(std::nullopt, c.takes.size());
    if (!c.contract.empty() && !plan.tables[step.table].reject) problem("leaves rows out and has no place for them");
    if (plan.tables[step.table].synthetic) problem("hashes a table that has no file");
  }
  void operator()(const ReadColumn& c) {
    expect_inputs(Makes::fragments, 1);
    if (c.source_name.empty()) problem("reads a column without a name");
  }
  void operator()(const Kernel& c) {
    expect_inputs(std::nullopt, step.inputs.size());
    check_code(c.code, step.inputs.size());
    if (c.generate && !plan.tables[step.table].synthetic) problem("generates rows of a table that is read");
  }
  void operator()(const Expect& c) {
    expect_some(std::nullopt, 0);
    for (const Expect::Item& item : c.items) {
      check_code(item.condition, item.for_all_rows ? step.inputs.size() : item.statistics.size());
      for (const auto& [statistic, column] : item.statistics)
        if (column >= step.inputs.size()) problem("asks about a column that it does not have");
    }
  }
  void operator()(const AssignSplit& c) {
    expect_inputs(std::nullopt, c.keys + (c.stratified ? 1u : 0u) + (c.chosen ? 1u : 0u));
    std::int64_t sum = 0;
    for (const int percent : c.percent) sum += percent < 0 ? 1000 : percent;
    if (c.folds == 0 ? sum != 100 : c.folds < 2 || !c.percent.empty()) problem("deals parts that do not sum to the whole");
  }
  void operator()(const CutByTime& c) {
    const std::size_t columns = c.known_after.size() + (c.label ? 1u : 0u) + (c.chosen ? 1u : 0u);
    const bool asks = step.inputs.size() == columns + 1;
    if ((step.inputs.size() != columns && !asks) || !inputs_are(0, columns, Makes::column) || (asks && input(columns) != Makes::time)) problem("has an input of the wrong kind");
    if (c.known_after.empty()) problem("cuts by no time");
    if ((c.percent.empty() ? 0 : 1) + (c.folds > 0) + (c.windows > 0) != 1 || c.folds < 0 || c.windows < 0 || c.windows > Rows::kSegments / 3)
      problem("does not say what it cuts");
  }
  /// The rows of a table may depend on how many there are of another alone.
  void expect_row_makers(std::size_t tables) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      if (input(i) != Makes::fragments && input(i) != Makes::rows) return problem("has an input of the wrong kind");
    if (step.inputs.size() > tables) problem("has too many inputs");
  }
  void operator()(const Filter& c) {
    if (c.of >= plan.tables.size()) return problem("filters a table that is not there");
    c.share ? expect_row_makers(1) : expect_inputs(std::nullopt, 1);
  }
  void operator()(const Arrange& c) {
    using How = Arrange::How;
    const bool joins = c.how == How::join || c.how == How::asof_join;
    for (const TableIndex of : c.of)
      if (of >= plan.tables.size()) return problem("arranges a table that is not there");
    if (c.of.empty() || c.of.size() != (joins ? 2u : c.how == How::join_if ? 3u : c.how == How::union_ ? c.of.size() : 1u)) return problem("arranges the rows of another number of tables");
    if (!c.compared.empty() && c.how != How::join) problem("compares nothing");
    const bool all_pairs = c.how == How::join && c.keys == 0 && c.compared.empty();
    if (all_pairs || c.how == How::limit || c.how == How::unpivot || c.how == How::cross || c.how == How::union_) return expect_row_makers(c.of.size());
    if (c.how == How::join_if) {
      expect_inputs(Makes::rows, 2);
      const auto* pairs = step.inputs.empty() ? nullptr : std::get_if<Arrange>(&plan[step.inputs[0]].code);
      if (!pairs || pairs->how != How::join || pairs->is_whole() == c.in_pieces) problem("has no pairs to choose from");
      return;
    }
    if (c.how == How::windows) {
      expect_inputs(std::nullopt, 1);
      if (c.first < 1 || c.first > Rows::kSegments / 3 || c.every <= 0 || c.ahead <= 0) problem("has no windows");
      return;
    }
    const std::size_t further = c.how == How::asof_join ? 2 : c.how == How::fill ? 1 : c.descending.size();
    expect_inputs(std::nullopt, (joins ? 2u : 1u) * c.keys + 2 * c.compared.size() + further);
    if ((c.how == How::asof_join || c.how == How::group || c.how == How::sample) && c.keys == 0) problem("has no key");
    if (c.how == How::sample && !(c.share > 0 && c.share < 1)) problem("takes no share");
    if (c.how == How::fill && c.every <= 0) problem("fills in no step");
  }
  void operator()(const Take& c) { expect_some(Makes::rows, c.itself ? 0u : 1u); }
  void operator()(const OrderRows& c) { expect_inputs(std::nullopt, c.keys + c.descending.size()); }
  void check_aggregate(const Aggregate& c, std::size_t before) {
    const std::size_t end = before + c.columns + (c.where ? 1u : 0u);
    if (step.inputs.size() < end || !inputs_are(before, end, Makes::column)) problem("has an input of the wrong kind");
  }
  void operator()(const Aggregate& c) {
    if (step.inputs.empty() || (input(0) != Makes::rows && input(0) != Makes::order)) return problem("has no order of the rows");
    check_aggregate(c, 1);
  }
  void operator()(const MatchHistory& c) {
    expect_inputs(std::nullopt, 2 * c.keys + (c.known_after.empty() ? 0 : 1) + c.known_after.size());
  }
  void operator()(const History& c) {
    if (step.inputs.empty() || input(0) != Makes::match) return problem("has no history");
    const bool timed = !std::get<MatchHistory>(plan[step.inputs[0]].code).known_after.empty();
    if (!timed && (c.over_us > 0 || c.next)) problem("has a window without time");
    check_aggregate(c.aggregate, timed ? 2 : 1);
    if (c.asks_as_of && input(step.inputs.size() - 1) != Makes::time) problem("does not know the time of the run");
  }
  void operator()(const KeepHistory& c) {
    expect_inputs(std::nullopt, c.keys + c.known_after.size() + (c.values ? 1u : 0u) + (c.where ? 1u : 0u));
  }
  void operator()(const AsOf&) { expect_some(std::nullopt, 0); }
  void operator()(const PartialFit& c) {
    expect_some(std::nullopt, 1 + (c.label ? 1u : 0u) + (c.folds > 0 ? 1u : 0u));
    check_rows(c.rows);
  }
  void operator()(const MergeFit&) { expect_inputs(Makes::partial_fit, 1); }
  void operator()(const ApplyFit& c) {
    expect_some(Makes::fitted, 1 + (c.folds > 0 ? 2u : 0u));
    check_rows(c.rows);
  }
  void operator()(const AssignFolds& c) {
    expect_inputs(std::nullopt, 1 + std::size_t{c.keys});
    if (c.folds < 2) problem("deals fewer than two folds");
    check_rows(c.rows);
  }
  void operator()(const PartialBins& c) {
    expect_inputs(std::nullopt, 2);
    check_rows(c.rows);
  }
  void operator()(const MergeBins&) { expect_inputs(Makes::partial_bins, 1); }
  void operator()(const Bin&) { expect_inputs(Makes::bins, 2); }
  void operator()(const Train& c) {
    expect_some(std::nullopt, 2 + (c.weighted ? 1u : 0u));
    check_rows(c.rows);
  }
  void operator()(const Predict& c) {
    const std::size_t each = 1 + std::size_t{c.columns};
    if (c.models.empty() || c.columns == 0) return problem("asks no model");
    if (step.inputs.size() != 1 + c.models.size() * each) return problem("has a wrong number of inputs");
    bool good = input(0) == Makes::column;
    for (std::size_t m = 0; m < c.models.size(); ++m) {
      check_rows(c.models[m]);
      const std::size_t at = 1 + m * each;
      good = good && input(at) == Makes::model && inputs_are(at + 1, at + each, Makes::column);
    }
    if (!good) problem("has an input of the wrong kind");
  }
  void operator()(const Metrics& c) {
    expect_inputs(std::nullopt, 2 + (c.weighted ? std::size_t{1} : 0) + c.models + c.groups + c.resample);
    if (c.models < (c.champion ? 2u : 1u)) problem("compares no model");
    check_rows(c.rows);
    for (std::size_t i = 0; i < c.measures.size(); ++i) {
      const Metrics::Measure& measure = c.measures[i];
      if (measure.model >= c.models) problem("measures a model that it does not have");
      for (const std::uint32_t by : measure.by)
        if (by >= c.groups) problem("groups by a column that it does not have");
      if ((measure.over == Metrics::Measure::Over::all) != measure.by.empty()) problem("has a measure whose groups do not fit");
      if (measure.minus && (*measure.minus >= c.measures.size() || *measure.minus == i || c.measures[*measure.minus].minus))
        problem("takes the difference to a measure that it does not have");
    }
  }
  void operator()(const Gates& c) {
    const bool beats = std::ranges::any_of(c.items, &Gates::Item::beats_production);
    if (step.inputs.size() != (beats ? 2u : 1u) || input(0) != Makes::figures || (beats && input(1) != Makes::champion))
      return problem("needs figures, and the champion where it asks about that");
    const auto& measures = std::get<Metrics>(plan[step.inputs[0]].code).measures;
    for (const Gates::Item& item : c.items) {
      if (item.measure >= measures.size() || item.right_measure.value_or(item.measure) >= measures.size() ||
          item.difference.value_or(item.measure) >= measures.size())
        problem("decides a measure that is not there");
      if (item.beats_production && !item.right_measure) problem("compares with a champion that is not measured");
      if (item.difference && item.difference < measures.size() && !measures[*item.difference].minus) problem("decides a difference that is none");
      if (item.comparison != ">=" && item.comparison != ">" && item.comparison != "<=" && item.comparison != "<")
        problem("has an unknown comparison");
      if (!(item.confidence >= 0 && item.confidence < 1)) problem("has an impossible confidence");
    }
  }
  void operator()(const BuildScorer& c) {
    if (step.inputs.empty() || input(0) != Makes::model) return problem("has no model");
    for (std::size_t i = 1; i < step.inputs.size(); ++i)
      if (input(i) != Makes::fitted && input(i) != Makes::bins && input(i) != Makes::kept) problem("has an input of the wrong kind");
    if (!fill_template(c.scorer_template, std::vector<Digest>(step.inputs.size()))) problem("has a scorer that does not fit its inputs");
  }
  void operator()(const Champion& c) {
    if (step.inputs.size() != 1 || input(0) != Makes::scorer) problem("needs the scorer of the candidate");
    if (c.model.empty() || c.stage.empty()) problem("does not say what it looks for");
    check_rows(c.rows);
  }
  void operator()(const PredictChampion& c) {
    check_rows(c.rows);
    if (step.inputs.size() < 2 || input(0) != Makes::column || input(1) != Makes::champion || !inputs_are(2, step.inputs.size(), Makes::column))
      problem("needs a split, a champion and columns");
  }
  void operator()(const Register& c) {
    const std::size_t count = c.evaluated ? 3 : 1;
    if (step.inputs.size() != count || input(0) != Makes::scorer || (c.evaluated && (input(1) != Makes::statuses || input(2) != Makes::figures)))
      problem("does not have a scorer and its proof");
  }
};

void check_model(const Physical& plan, const Model& model, std::vector<std::string>& problems) {
  const auto is = [&](StepId id, Makes made) { return id && id.index() < plan.steps.size() && makes(plan[id].code) == made; };
  if (!is(model.train, Makes::model) || !is(model.scorer, Makes::scorer) || !is(model.registration, Makes::nothing) ||
      (model.metrics && !is(*model.metrics, Makes::figures)) || (model.gates && !is(*model.gates, Makes::statuses)))
    return problems.push_back(fmt::format("model `{}` names a step of another kind", model.name));
  if (!model.metrics) return;
  const auto& metrics = std::get<Metrics>(plan[*model.metrics].code);
  if (model.measure_names.size() != metrics.measures.size() || model.group_names.size() != metrics.groups)
    problems.push_back(fmt::format("model `{}` has names that do not fit its measures", model.name));
}

}  // namespace

bool made_per_fragment(const StepCode& code) {
  if (const auto* arrange = std::get_if<Arrange>(&code)) return !arrange->is_whole();
  const Makes made = makes(code);
  return std::holds_alternative<Filter>(code) || made == Makes::column || made == Makes::partial_fit || made == Makes::partial_bins;
}

std::vector<std::string> verify(const Physical& plan) {
  std::vector<std::string> problems;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.name.empty()) problems.push_back(fmt::format("step {} has no name", i));
    if (!names.insert(step.name).second) problems.push_back(fmt::format("two steps are called `{}`", step.name));
    bool whole = step.table < plan.tables.size();
    if (!whole) problems.push_back(fmt::format("step `{}` is of a table that is not there", step.name));
    for (const StepId input : step.inputs)
      if (input.index() >= i) {
        problems.push_back(fmt::format("step `{}` stands before what it needs", step.name));
        whole = false;
      }
    if (!whole) return problems;  // the rest follows the ids
    const bool across = std::holds_alternative<HashSource>(step.code) || std::holds_alternative<Filter>(step.code) || std::holds_alternative<Arrange>(step.code) || std::holds_alternative<Take>(step.code) ||
                        std::holds_alternative<Aggregate>(step.code) || std::holds_alternative<MatchHistory>(step.code) ||
                        std::holds_alternative<History>(step.code) || std::holds_alternative<AsOf>(step.code) || std::holds_alternative<BuildScorer>(step.code) || std::holds_alternative<CutByTime>(step.code) ||
                        std::holds_alternative<Gates>(step.code) || std::holds_alternative<Register>(step.code);
    for (const StepId input : step.inputs)
      if (!across && plan[input].table != step.table) problems.push_back(fmt::format("step `{}` mixes rows of two tables", step.name));
    if (step.per_fragment != made_per_fragment(step.code)) problems.push_back(fmt::format("step `{}` has a wrong number of outputs", step.name));
    std::visit(StepCheck{plan, step, problems}, step.code);
  }
  for (const Model& model : plan.models) check_model(plan, model, problems);
  for (const Monitor& monitor : plan.monitors)
    for (const QualityCheck& check : monitor.quality)
      for (const expr::InputColumn& input : check.condition.inputs)
        if (input.column >= check.statistics.size()) problems.push_back(fmt::format("monitor `{}` reads a statistic that is not there", monitor.deployment));
  return problems;
}

}  // namespace mlp::plan
