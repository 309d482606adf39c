#include "compiler/plan/keys.h"

#include <algorithm>
#include <set>

#include "compiler/types/signature.h"

namespace mlp::plan {

namespace {

void mix(Hasher& h, const Value& value) {
  h.add(value.index());
  std::visit([&](const auto& v) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) h.add(v);
  }, value);
}
void mix(Hasher& h, const Interval& interval) { h.add(interval.low).add(interval.high); }
void mix(Hasher& h, const Type& type) { h.add(to_string(type)); }
void mix(Hasher& h, const Options& options) {
  h.add(options.size());
  for (const auto& [name, value] : options) {
    h.add(name);
    mix(h, value);
  }
}
void mix(Hasher& h, const std::vector<std::string>& texts) {
  h.add(texts.size());
  for (const std::string& text : texts) h.add(text);
}
template <class Integer>
  requires std::is_integral_v<Integer>
void mix(Hasher& h, const std::vector<Integer>& values) {
  h.add(values.size());
  for (const Integer value : values) h.add(value);
}
void mix(Hasher& h, const Rows& rows) {
  mix(h, rows.parts);
  if (rows.known) h.add(*rows.known);
}

/// The expression over inputs known by position alone, and the declarations of the natives that it calls.
void mix(Hasher& h, const expr::Expr& code) {
  std::uint32_t positions = 0;
  for (const expr::InputColumn& input : code.inputs) positions = std::max(positions, input.column + 1);
  std::vector<Digest> inputs;
  for (const expr::InputColumn& input : code.inputs) inputs.push_back(Hasher("position/1").add(input.column).finish());
  h.add(expr::key(code, inputs)).add(positions);
  std::set<std::string_view> natives;  // sorted: the order of nodes means nothing
  for (const expr::Node& node : code.nodes)
    if (const auto* call = std::get_if<expr::Call>(&node.op)) natives.insert(call->native);
  h.add(natives.size());
  for (const std::string_view native : natives) h.add(native_key(native));
}

/// Starts with the kind and the version of its meaning.
struct CodeHash {
  Digest operator()(const HashSource& c) const {
    Hasher h("hash_source/1");
    if (!c.takes.empty()) mix(h, c.takes);
    // A set: the order in which columns are declared means nothing.
    std::set<Digest> columns;
    for (const ReadColumn& column : c.contract) columns.insert((*this)(column));
    for (const Digest& column : columns) h.add(column);
    return h.finish();
  }
  Digest operator()(const ReadColumn& c) const {
    Hasher h("read/1");
    h.add(c.source_name);
    mix(h, c.type);
    h.add(c.format);
    mix(h, c.bool_values);
    mix(h, c.allowed);
    h.add(c.matches).add(c.range.has_value());
    if (c.range) mix(h, *c.range);
    return h.finish();
  }
  Digest operator()(const Kernel& c) const {
    Hasher h("kernel/2");
    mix(h, c.code);
    return h.add(c.generate).add(c.carried).finish();
  }
  Digest operator()(const Expect& c) const {
    Hasher h("expect/1");
    h.add(c.items.size());
    for (const Expect::Item& item : c.items) {
      h.add(item.warn).add(item.for_all_rows);
      mix(h, item.condition);
      h.add(item.statistics.size());
      for (const auto& [statistic, column] : item.statistics) h.add(statistic).add(column);
    }
    return h.finish();
  }
  Digest operator()(const AssignSplit& c) const {
    Hasher h("split/1");
    mix(h, c.percent);
    h.add(c.folds).add(c.stratified).add(c.keys).add(c.seed);
    if (c.chosen) h.add(c.chosen);
    return h.finish();
  }
  Digest operator()(const CutByTime& c) const {
    Hasher h("cut/1");
    mix(h, c.percent);
    h.add(c.folds).add(c.windows).add(c.every_us).add(c.horizon_us);
    mix(h, c.known_after);
    return h.add(c.label).add(c.chosen).add(c.until_us.has_value()).add(c.until_us.value_or(0)).finish();
  }
  Digest operator()(const Filter& c) const { return Hasher("filter/2").add(c.share.has_value()).add(c.share.value_or(0)).add(c.seed).finish(); }
  Digest operator()(const Arrange& c) const {
    Hasher h("arrange/2");
    h.add(c.how).add(c.keys);
    mix(h, c.descending);
    h.add(c.left).add(c.one).add(c.first).add(c.last).add(c.every).add(c.ahead).add(c.in_pieces);
    for (const Arrange::Is is : c.compared) h.add(is);
    if (c.how == Arrange::How::sample) h.add(c.share);
    return h.finish();
  }
  Digest operator()(const Take& c) const {
    Hasher h("take/2");
    h.add(c.side).add(c.which.has_value()).add(c.which.value_or(0)).add(c.itself).add(c.absent.has_value());
    if (c.absent) mix(h, *c.absent);
    mix(h, c.type);
    return h.finish();
  }
  Digest operator()(const OrderRows& c) const {
    Hasher h("order/1");
    mix(h, c.descending);
    return h.add(c.keys).finish();
  }
  void add(Hasher& h, const Aggregate& c) const {
    h.add(native_key(c.native));
    mix(h, c.options);
    h.add(c.columns).add(c.where);
    mix(h, c.type);
  }
  Digest operator()(const Aggregate& c) const {
    Hasher h("aggregate/2");
    add(h, c);
    return h.finish();
  }
  Digest operator()(const MatchHistory& c) const {
    Hasher h("match_history/1");
    mix(h, c.known_after);
    return h.add(c.keys).finish();
  }
  Digest operator()(const History& c) const {
    Hasher h("history/2");
    add(h, c.aggregate);
    return h.add(c.over_us).add(c.ending_us).add(c.next).add(c.as_of_us.has_value()).add(c.as_of_us.value_or(0)).add(c.asks_as_of).finish();
  }
  Digest operator()(const KeepHistory& c) const {
    Hasher h("keep_history/1");
    mix(h, c.known_after);
    return h.add(c.keys).add(c.values).add(c.where).finish();
  }
  Digest operator()(const AsOf&) const { return Hasher("as_of/1").finish(); }
  Digest operator()(const PartialFit& c) const {
    Hasher h("partial_fit/1");
    h.add(native_key(c.native));
    mix(h, c.options);
    h.add(c.label).add(c.folds);
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const MergeFit& c) const {
    Hasher h("fit/1");
    h.add(native_key(c.native));
    mix(h, c.options);
    return h.add(c.folds).finish();
  }
  Digest operator()(const ApplyFit& c) const {
    Hasher h("apply/1");
    h.add(native_key(c.native));
    mix(h, c.options);
    h.add(c.folds);
    mix(h, c.rows);
    mix(h, c.type);
    return h.finish();
  }
  Digest operator()(const AssignFolds& c) const {
    Hasher h("folds/1");
    h.add(c.folds).add(c.keys);
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const PartialBins& c) const {
    Hasher h("partial_bins/1");
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const MergeBins&) const { return Hasher("bins/1").finish(); }
  Digest operator()(const Bin&) const { return Hasher("bin/1").finish(); }
  Digest operator()(const Train& c) const {
    Hasher h("train/1");
    h.add(native_key(c.native));
    mix(h, c.options);
    h.add(c.binned).add(c.weighted).add(c.binary).add(c.seed);
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const Predict& c) const {
    Hasher h("predict/1");
    h.add(native_key(c.native)).add(c.binned).add(c.binary).add(c.columns).add(c.models.size());
    for (const Rows& rows : c.models) mix(h, rows);
    return h.finish();
  }
  Digest operator()(const Metrics& c) const {
    Hasher h("metrics/1");
    h.add(c.measures.size());
    for (const Metrics::Measure& m : c.measures) {
      h.add(native_key(m.native));
      mix(h, m.options);
      h.add(m.over).add(m.model).add(m.constant);
      mix(h, m.by);
      h.add(m.at_least_rows).add(m.at_least_positives).add(m.minus.has_value()).add(m.minus.value_or(0)).add(m.minus_scale);
      h.add(m.higher_is_better);
    }
    h.add(c.binary).add(c.weighted).add(c.models).add(c.groups).add(c.resample).add(c.champion);
    mix(h, c.rows);
    return h.add(c.on).finish();
  }
  Digest operator()(const Gates& c) const {
    Hasher h("gates/1");
    h.add(c.items.size());
    for (const Gates::Item& item : c.items) {
      h.add(item.measure).add(item.left_scale).add(item.left_offset);
      h.add(item.right_measure.has_value()).add(item.right_measure.value_or(0)).add(item.right_scale).add(item.right_offset);
      h.add(item.difference.has_value()).add(item.difference.value_or(0));
      h.add(item.comparison).add(item.confidence).add(item.beats_production);
    }
    return h.finish();
  }
  Digest operator()(const BuildScorer& c) const { return Hasher("scorer/1").add(c.scorer_template).finish(); }
  Digest operator()(const Champion& c) const {
    Hasher h("champion/1");
    h.add(c.model).add(c.stage).add(c.split);
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const PredictChampion& c) const {
    Hasher h("predict_champion/1");
    mix(h, c.rows);
    return h.finish();
  }
  Digest operator()(const Register& c) const {
    Hasher h("register/1");
    h.add(c.model).add(c.evaluated);
    if (c.share < 1) h.add(c.share);
    return h.finish();
  }
};

}  // namespace

Digest native_key(std::string_view native) {
  Hasher h("native/1");
  h.add(native);
  const Signature* signature = find_native(native);
  h.add(signature != nullptr);
  if (!signature) return h.finish();
  h.add(signature->kind).add(signature->parameters.size());
  for (const Parameter& parameter : signature->parameters) {
    h.add(parameter.name).add(parameter.types.size());
    for (const Type& type : parameter.types) mix(h, type);
  }
  mix(h, signature->result);
  h.add(signature->known_when).add(signature->row).add(signature->random).add(signature->can_fail);
  h.add(signature->uses_label).add(signature->cross_fit).add(signature->binned);
  return h.finish();
}

Digest code_key(const StepCode& code) { return std::visit(CodeHash{}, code); }

Digest recipe_key(const Physical& plan, const Step& step) {
  Hasher h("recipe/1");
  h.add(step.code_key).add(step.inputs.size());
  for (const StepId input : step.inputs) h.add(plan[input].recipe_key);
  const Table& table = plan.tables[step.table];
  if (std::holds_alternative<HashSource>(step.code)) {
    h.add(find_native(table.source) ? native_key(table.source) : Digest());  // the stage `sql` is no entry of the library
    mix(h, table.options);
  } else if (step.inputs.empty() && table.synthetic) {
    h.add(table.rows);
  } else if (const auto* filter = std::get_if<Filter>(&step.code); filter && step.inputs.empty()) {
    h.add(plan.tables[filter->of].rows);
  } else if (const auto* arrange = std::get_if<Arrange>(&step.code)) {
    for (const TableIndex of : arrange->of) h.add(plan.tables[of].rows);
  }
  return h.finish();
}

void fill_keys(Physical& plan) {
  for (Step& step : plan.steps) {
    step.code_key = code_key(step.code);
    step.recipe_key = recipe_key(plan, step);
  }
}

}  // namespace mlp::plan
