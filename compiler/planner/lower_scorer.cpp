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
    const auto* kernel = std::get_if<plan::Kernel>(&code);
    // A draw or the row's number: no expression can give it for one request, so it is asked for.
    return kernel && expr::depends_on_position(kernel->code);
  }
  /// The inputs that a request has to bring along, without split and folds.
  std::vector<StepId> read_by(StepId id) const {
    const plan::Step& step = l.plan[id];
    if (const auto* apply = std::get_if<plan::ApplyFit>(&step.code))
      return {step.inputs.begin() + 1, step.inputs.end() - (apply->folds > 0 ? 2 : 0)};
    if (std::holds_alternative<plan::Bin>(step.code)) return {step.inputs[1]};
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
        field.read.type = std::get<plan::Kernel>(l.plan[id].code).code.type();
      }
      columns[id] = static_cast<std::uint32_t>(scorer.request.size());
      scorer.request.push_back(std::move(field));
    }
  }
  std::uint32_t add_column(StepId id, std::map<StepId, std::uint32_t>& done) {
    if (is_field(id)) return columns[id];
    if (const auto at = done.find(id); at != done.end()) return at->second;
    plan::ScorerColumn column;
    for (const StepId input : read_by(id)) column.inputs.push_back(add_column(input, done));
    column.name = name_of(id);
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
    const auto position = static_cast<std::uint32_t>(scorer.request.size() + scorer.columns.size());
    scorer.columns.push_back(std::move(column));
    return done[id] = position;
  }
};

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
  for (const StepId column : fitted.matrix) builder.collect_fields(column);
  builder.add_fields();
  const std::vector<Reference> references = lower_reference(l, id);
  fitted.request = builder.fields;
  const auto table = static_cast<plan::TableIndex>(l.workflow[train.view].table.index());
  std::map<StepId, std::uint32_t> done;
  for (const StepId column : fitted.matrix) builder.scorer.matrix.push_back(builder.add_column(column, done));
  for (const Reference& reference : references)
    builder.scorer.watched.push_back({reference.name, builder.add_column(reference.column, done), builder.state(reference.bins)});
  builder.scorer.watched_prediction = builder.state(lower_predicted_reference(l, id));
  builder.scorer.states.resize(builder.states.size());
  builder.scorer.split = l.plan[lowered.split].recipe_key;
  builder.scorer.fitted_on = std::get<plan::Train>(l.plan[fitted.model].code).rows;
  builder.scorer.source = l.plan.tables[table].options;
  builder.scorer.key = key_fields(l, l.workflow[train.view].table);

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
  const auto table = static_cast<plan::TableIndex>(l.workflow[train.view].table.index());
  model.registration = add_step(l, {train.name + ".register", "", train.span, table}, plan::Register{train.name, evaluated}, std::move(inputs),
                                "candidate " + train.name);
}

}  // namespace mlp::planner
