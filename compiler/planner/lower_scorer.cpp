#include <algorithm>
#include <map>

#include "compiler/plan/scorer.h"
#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"

namespace mlp::planner {

using plan::StepId;

namespace {

/// The scorer is read off the steps that training runs, so both compute the same.
struct ScorerBuilder {
  Lowering& l;
  plan::Scorer scorer = {};
  std::vector<StepId> fields = {};                   ///< the steps that become the request
  std::map<StepId, std::uint32_t> columns = {};      ///< of each step: its position, raw fields first
  std::map<StepId, std::uint32_t> state_of = {};
  std::vector<StepId> states = {};

  bool is_field(StepId id) const {
    const plan::StepCode& code = l.plan[id].code;
    if (std::holds_alternative<plan::ReadColumn>(code)) return true;
    // A value of a group is asked for: it is a column of the nearest table.
    if (std::holds_alternative<plan::Aggregate>(code)) return true;
    if (std::holds_alternative<plan::Take>(code)) return !is_same_row(id) && !is_looked_up(id);
    const auto* kernel = std::get_if<plan::Kernel>(&code);
    // A draw or the row's number: no expression can give it for one request, so it is asked for.
    return kernel && expr::depends_on_position(kernel->code);
  }
  /// Whether a step takes a value over from the same row of another table.
  bool is_same_row(StepId id) const {
    const auto& take = std::get<plan::Take>(l.plan[id].code);
    if (take.itself || take.which || take.side != 0) return false;
    const auto* arrange = std::get_if<plan::Arrange>(&l.plan[l.plan[id].inputs[0]].code);
    using How = plan::Arrange::How;
    return !arrange || arrange->how == How::sort || arrange->how == How::limit || arrange->how == How::dedupe || arrange->how == How::join || arrange->how == How::join_if || arrange->how == How::asof_join || arrange->how == How::sample;
  }
  /// Whether a step takes a value over from the one row of another table that belongs to this.
  bool is_looked_up(StepId id) const {
    const auto& take = std::get<plan::Take>(l.plan[id].code);
    const auto* arrange = std::get_if<plan::Arrange>(&l.plan[l.plan[id].inputs[0]].code);
    return arrange && !take.itself && take.side == 1 && ((arrange->how == plan::Arrange::How::join && arrange->one && arrange->compared.empty()) || arrange->how == plan::Arrange::How::asof_join);
  }
  /// The keys, and the time of an asof join, by which a row of the other table is found.
  std::vector<StepId> looked_up_by(StepId rows) const {
    const plan::Step& step = l.plan[rows];
    const auto& arrange = std::get<plan::Arrange>(step.code);
    std::vector<StepId> by(step.inputs.begin(), step.inputs.begin() + arrange.keys);
    if (arrange.how == plan::Arrange::How::asof_join) by.push_back(step.inputs[2 * arrange.keys]);
    return by;
  }
  /// The other table of a join by its keys, with the values of a column of it, if any.
  StepId kept_rows(StepId rows, std::optional<StepId> values) const {
    const plan::Step step = l.plan[rows];
    const auto arrange = std::get<plan::Arrange>(step.code);
    plan::KeepHistory code;
    code.keys = arrange.keys;
    std::vector<StepId> inputs(step.inputs.begin() + arrange.keys, step.inputs.begin() + 2 * arrange.keys);
    if (arrange.how == plan::Arrange::How::asof_join) code.known_after = {0}, inputs.push_back(step.inputs[2 * arrange.keys + 1]);
    if (values) code.values = true, inputs.push_back(*values);
    const std::string name = values ? l.plan[*values].name : step.name;
    return add_step(l, {name + ".kept", "", step.span, arrange.of[1]}, std::move(code), std::move(inputs), "to be looked up");
  }
  /// The history that a column is made of.
  StepId kept_history(StepId id) const {
    const plan::Step step = l.plan[id];
    const auto history = std::get<plan::History>(step.code);
    const plan::Step match = l.plan[step.inputs[0]];
    const auto matched = std::get<plan::MatchHistory>(match.code);
    const bool timed = !matched.known_after.empty();
    plan::KeepHistory code{matched.keys, matched.known_after, history.aggregate.columns > 0, history.aggregate.where};
    const std::size_t first = matched.keys + (timed ? 1 : 0), arguments = timed ? 2 : 1;
    std::vector<StepId> inputs(match.inputs.begin() + static_cast<std::ptrdiff_t>(first), match.inputs.end());
    inputs.insert(inputs.end(), step.inputs.begin() + static_cast<std::ptrdiff_t>(arguments), step.inputs.begin() + static_cast<std::ptrdiff_t>(arguments + history.aggregate.columns + (history.aggregate.where ? 1 : 0)));
    const plan::TableIndex table = l.plan[inputs.front()].table;
    return add_step(l, {step.name + ".kept", "", step.span, table}, std::move(code), std::move(inputs), "to be looked up");
  }
  /// The inputs that a request has to bring along, without split and folds.
  std::vector<StepId> read_by(StepId id) const {
    const plan::Step& step = l.plan[id];
    if (const auto* apply = std::get_if<plan::ApplyFit>(&step.code))
      return {step.inputs.begin() + 1, step.inputs.end() - (apply->folds > 0 ? 2 : 0)};
    if (std::holds_alternative<plan::Take>(step.code) && is_looked_up(id)) return looked_up_by(step.inputs[0]);
    if (std::holds_alternative<plan::Bin>(step.code) || std::holds_alternative<plan::Take>(step.code)) return {step.inputs[1]};
    if (std::holds_alternative<plan::History>(step.code)) {
      const plan::Step& match = l.plan[step.inputs[0]];
      const auto& code = std::get<plan::MatchHistory>(match.code);
      return {match.inputs.begin(), match.inputs.begin() + code.keys + (code.known_after.empty() ? 0 : 1)};
    }
    MLP_CHECK(std::holds_alternative<plan::Kernel>(step.code));
    return step.inputs;
  }
  void collect_fields(StepId id) {
    if (columns.contains(id)) return;
    columns[id] = 0;  // given below
    if (is_field(id)) return fields.push_back(id);
    for (const StepId input : read_by(id)) collect_fields(input);
  }
  std::string name_of(StepId id) const {
    const auto at = l.column_of.find(id);
    return at == l.column_of.end() ? std::string() : l.workflow[at->second].name;
  }
  std::uint32_t state(StepId id) {
    const auto [at, is_new] = state_of.try_emplace(id, static_cast<std::uint32_t>(states.size()));
    if (is_new) states.push_back(id);
    return at->second;
  }
  void add_fields() {
    // By name: the order of declarations shows in no request.
    std::sort(fields.begin(), fields.end(), [&](StepId a, StepId b) { return std::pair(name_of(a), a) < std::pair(name_of(b), b); });
    for (const StepId id : fields) {
      plan::RawField field{name_of(id), {}};
      if (field.name.empty()) field.name = l.plan[id].name;
      if (const auto* read = std::get_if<plan::ReadColumn>(&l.plan[id].code)) {
        field.read = *read;
      } else {
        field.read.source_name = field.name;
        field.read.type = *plan::column_type(l.plan[id].code);
      }
      columns[id] = static_cast<std::uint32_t>(scorer.request.size());
      scorer.request.push_back(std::move(field));
    }
  }
  std::uint32_t add_column(StepId id, std::map<StepId, std::uint32_t>& done) {
    if (is_field(id)) return columns[id];
    if (const auto at = done.find(id); at != done.end()) return at->second;
    const bool taken = std::holds_alternative<plan::Take>(l.plan[id].code);
    if (taken && !is_looked_up(id)) return done[id] = add_column(read_by(id)[0], done);
    plan::ScorerColumn column;
    for (const StepId input : read_by(id)) column.inputs.push_back(add_column(input, done));
    column.name = name_of(id);
    if (taken) {
      const plan::Step step = l.plan[id];
      look_up(column, step.inputs[0], step.inputs[1], std::get<plan::Take>(step.code).type);
      return done[id] = push(std::move(column));
    }
    if (const auto* history = std::get_if<plan::History>(&l.plan[id].code)) {
      column.by = plan::ScorerColumn::By::history;
      column.native = history->aggregate.native;
      column.options = history->aggregate.options;
      column.type = history->aggregate.type;
      column.over_us = history->over_us, column.ending_us = history->ending_us;
      column.state = state(kept_history(id));
      return done[id] = push(std::move(column));
    }
    const plan::Step& step = l.plan[id];
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) {
      column.by = plan::ScorerColumn::By::expression;
      column.code = kernel->code;
      for (expr::Node& node : column.code.nodes) node.span = {};  // white space changes no scorer
      column.type = column.code.type();
    } else if (const auto* apply = std::get_if<plan::ApplyFit>(&step.code)) {
      column.by = plan::ScorerColumn::By::transform;
      column.native = apply->native;
      column.options = apply->options;
      column.type = apply->type;
      column.state = state(step.inputs[0]);
    } else {
      column.by = plan::ScorerColumn::By::bins;
      column.type = Type::of(Base::int_);
      column.state = state(step.inputs[0]);
    }
    return done[id] = push(std::move(column));
  }
  std::uint32_t push(plan::ScorerColumn column) {
    scorer.columns.push_back(std::move(column));
    return static_cast<std::uint32_t>(scorer.request.size() + scorer.columns.size() - 1);
  }
  /// The row of a join's other table: its value, or without values whether there is one.
  void look_up(plan::ScorerColumn& column, StepId rows, std::optional<StepId> values, const Type& type) {
    column.by = plan::ScorerColumn::By::history;
    column.type = type;
    column.ending_us = -1;  // a row at the very time counts
    column.state = state(kept_rows(rows, values));
  }

  /// What has to be true of a row that the model is asked about: the conditions of the stages that its table is made by, as far as
  /// each row tells them. Steps of conditions, and joins that leave rows out.
  struct Population {
    std::vector<StepId> conditions, joins;
  };
  Population population(hir::TableId table) const {
    using Kind = hir::Stage::Kind;
    Population out;
    while (l.workflow[table].stage) {
      const hir::Stage& stage = *l.workflow[table].stage;
      const bool row_wise = stage.kind == Kind::same || stage.kind == Kind::filter || stage.kind == Kind::sample || stage.kind == Kind::sort || stage.kind == Kind::limit ||
                            stage.kind == Kind::dedupe || stage.kind == Kind::asof_join || (stage.kind == Kind::join && stage.one && stage.compared.empty() && !stage.condition);
      if (!row_wise) break;
      if (stage.kind == Kind::filter) {
        const StepId condition = lower_column(l, *stage.condition, nullptr);
        const auto* kernel = std::get_if<plan::Kernel>(&l.plan[condition].code);
        if (!kernel || !expr::depends_on_position(kernel->code)) out.conditions.push_back(condition);  // a draw chooses for training alone
      }
      if (stage.kind == Kind::join && !stage.left) out.joins.push_back(*lower_rows_of(l, table));
      table = stage.from;
    }
    return out;
  }
};

}  // namespace

std::optional<StepId> in_rows_of(Lowering& l, StepId field, hir::TableId table) {
  std::vector<hir::TableId> made;
  while (table_index(l.workflow, table) != l.plan[field].table) {
    const auto& stage = l.workflow[table].stage;
    if (!stage) return std::nullopt;
    if (stage->kind != hir::Stage::Kind::same) made.push_back(table);
    table = stage->from;
  }
  const std::string name = l.plan[field].name;
  for (std::size_t i = made.size(); i-- > 0;) {
    plan::Take take;
    take.type = *plan::column_type(l.plan[field].code);
    const Place place{l.workflow[made[i]].name + name.substr(name.rfind('.')), "", l.plan[field].span, table_index(l.workflow, made[i])};
    field = add_step(l, place, std::move(take), {*lower_rows_of(l, made[i]), field}, name);
  }
  return field;
}

namespace {

/// The columns that name a row, where all of them stand in the source and none is personal.
std::vector<plan::RawField> key_fields(const Lowering& l, hir::TableId table) {
  std::vector<plan::RawField> fields;
  for (const hir::ColumnId id : l.workflow[table].key) {
    const hir::Column& column = l.workflow[id];
    const auto* source = std::get_if<hir::SourceColumn>(&column.made_by);
    if (!source || column.tags.pii) return {};
    plan::RawField field{column.name, {source->source_name, column.type, source->format, source->bool_values, source->allowed, source->matches, {}}};
    if (source->ranged) field.read.range = column.range;
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

void lower_scorer(Lowering& l, hir::TrainId id, plan::Model& model) {
  const hir::Train& train = l.workflow[id];
  LoweredTrain& lowered = lower_train(l, id);
  FittedModel& fitted = lowered.registered;
  ScorerBuilder builder{l};
  builder.scorer.workflow = l.workflow.name;
  builder.scorer.model = train.name;
  builder.scorer.native = train.model;
  builder.scorer.binned = train.binned;
  builder.scorer.binary = train.task == hir::Task::binary;
  const ScorerBuilder::Population population = builder.population(l.workflow[train.view].table);
  for (const StepId column : fitted.matrix) builder.collect_fields(column);
  for (const StepId condition : population.conditions) builder.collect_fields(condition);
  for (const StepId rows : population.joins)
    for (const StepId key : builder.looked_up_by(rows)) builder.collect_fields(key);
  builder.add_fields();
  const std::vector<Reference> references = lower_reference(l, id);
  for (std::size_t i = 0; i < builder.fields.size(); ++i)
    if (const auto lifted = in_rows_of(l, builder.fields[i], l.workflow[train.view].table)) fitted.request.emplace_back(builder.scorer.request[i].name, *lifted);
  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  std::map<StepId, std::uint32_t> done;
  for (const StepId column : fitted.matrix) builder.scorer.matrix.push_back(builder.add_column(column, done));
  for (const StepId condition : population.conditions) builder.scorer.population.push_back(builder.add_column(condition, done));
  for (const StepId rows : population.joins) {
    plan::ScorerColumn column;
    for (const StepId key : builder.looked_up_by(rows)) column.inputs.push_back(builder.add_column(key, done));
    column.name = l.plan[rows].name;
    builder.look_up(column, rows, std::nullopt, Type::of(Base::bool_));
    builder.scorer.population.push_back(builder.push(std::move(column)));
  }
  for (const Reference& reference : references)
    builder.scorer.watched.push_back({reference.name, builder.add_column(reference.column, done), builder.state(reference.bins)});
  builder.scorer.watched_prediction = builder.state(lower_predicted_reference(l, id));
  builder.scorer.states.resize(builder.states.size());
  builder.scorer.split = l.plan[lowered.split].recipe_key;
  builder.scorer.fitted_on = std::get<plan::Train>(l.plan[fitted.model].code).rows;
  hir::TableId nearest = l.workflow[train.view].table;
  while (l.workflow[nearest].stage) nearest = l.workflow[nearest].stage->from;
  builder.scorer.source = l.plan.tables[nearest.index()].options;
  builder.scorer.key = key_fields(l, nearest);

  std::vector<StepId> inputs = {fitted.model};
  inputs.insert(inputs.end(), builder.states.begin(), builder.states.end());
  std::string text;
  for (const plan::RawField& field : builder.scorer.request) text += (text.empty() ? "request " : ", ") + field.name;
  model.name = train.name;
  model.train = fitted.model;
  model.feature_names = fitted.names;
  model.scorer = add_step(l, {train.name + ".scorer", "", train.span, table}, plan::BuildScorer{plan::encode_template(builder.scorer)},
                          std::move(inputs), text);
}

void lower_register(Lowering& l, hir::TrainId id, plan::Model& model) {
  const hir::Train& train = l.workflow[id];
  const bool evaluated = model.metrics && model.gates;
  std::vector<StepId> inputs = {model.scorer};
  if (evaluated) inputs.insert(inputs.end(), {*model.gates, *model.metrics});
  const auto table = table_index(l.workflow, l.workflow[train.view].table);
  model.registration = add_step(l, {train.name + ".register", "", train.span, table}, plan::Register{train.name, evaluated, l.options.share}, std::move(inputs),
                                "candidate " + train.name);
}

}  // namespace mlp::planner
