#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "compiler/plan/scorer.h"
#include "compiler/planner/passes/sample_rows.h"
#include "planner_test_support.h"

using namespace mlp;
using namespace mlp::planner::testing;
using planner::PlanOptions;

namespace {

/// Keys of the steps that compute values; what shows names is apart.
std::multiset<Digest> value_keys(const plan::Physical& plan) {
  std::multiset<Digest> keys;
  for (const plan::Step& step : plan.steps)
    if (!step.shows_names) keys.insert(step.recipe_key);
  return keys;
}
std::set<std::string> names_with_other_keys(const plan::Physical& before, const plan::Physical& after) {
  std::set<Digest> known;
  for (const plan::Step& step : before.steps) known.insert(step.recipe_key);
  std::set<std::string> names;
  for (const plan::Step& step : after.steps)
    if (!known.contains(step.recipe_key)) names.insert(step.name);
  return names;
}

}  // namespace

TEST_CASE("the plan of a workflow holds what a run needs") {
  const plan::Physical plan = plan_of(income());
  CHECK(plan::verify(plan).empty());
  CHECK(count_kind(plan, "hash_source") == 1);
  CHECK(count_kind(plan, "read") == 4);
  CHECK(count_kind(plan, "split") == 1);
  CHECK(count_kind(plan, "train") == 1);
  CHECK(count_kind(plan, "predict") == 1);
  REQUIRE(plan.models.size() == 1);
  const plan::Model& model = plan.models[0];
  CHECK(model.measure_names == std::vector<std::string>{"auc", "brier", "auc", "brier", "min(auc by country)"});
  CHECK(model.group_names == std::vector<std::string>{"country"});
  CHECK(std::get<plan::Metrics>(plan[*model.metrics].code).on == "validation");
  CHECK(std::get<plan::Metrics>(plan[*model.metrics].code).measures[4].at_least_rows == 100);
  CHECK(std::get<plan::Register>(plan[model.registration].code).evaluated);
  CHECK(find_step(plan, "profile.log_gain")->text == "log1p(gain)");
}

TEST_CASE("names, places and the order of declarations are in no key of a value") {
  const plan::Physical plan = plan_of(income());
  Spelling other;
  SECTION("white space") { other.moved = 100; }
  SECTION("order of declarations") { other.reversed = true; }
  SECTION("name of a feature") { other.log_gain = "zz_gain"; }
  SECTION("name of a column") { other.age = "years"; }
  SECTION("name of the table") { other.table = "folk"; }
  SECTION("path of the file") { other.path = "elsewhere/people.csv"; }
  const plan::Physical again = plan_of(income(other));
  CHECK(value_keys(plan) == value_keys(again));
  if (other.moved || other.reversed) CHECK(names_with_other_keys(plan, again).empty());
}

TEST_CASE("an edit of one feature changes its column and what depends on it, nothing else") {
  Spelling edited;
  edited.gain_function = "sqrt";
  const std::set<std::string> changed = names_with_other_keys(plan_of(income()), plan_of(income(edited)));
  CHECK(changed == std::set<std::string>{"profile.log_gain", "profile.log_gain.partial_bins", "profile.log_gain.bins", "profile.log_gain.bin",
                                         "earner", "earner.predict", "earner.predict.partial_bins", "earner.predict.bins", "earner.metrics", "earner.gates", "earner.scorer", "earner.register"});
}

TEST_CASE("two trains of one view and split share fitted and binned columns") {
  Spelling two;
  two.two_trains = true;
  const plan::Physical plan = plan_of(income(two)), one = plan_of(income());
  CHECK(count_kind(plan, "train") == 2);
  for (const char* kind : {"fit", "apply", "bin", "folds", "split"}) CHECK(count_kind(plan, kind) == count_kind(one, kind));
  CHECK(count_kind(plan, "bins") == count_kind(one, "bins") + 1);  // of its own predictions, for monitoring
  std::set<std::pair<Digest, plan::TableIndex>> keys;
  for (const plan::Step& step : plan.steps) CHECK(keys.emplace(step.recipe_key, step.table).second);
  const auto& gates = std::get<plan::Gates>(plan[*plan.models[0].gates].code);
  REQUIRE(gates.items[2].difference.has_value());
  const auto& metrics = std::get<plan::Metrics>(plan[*plan.models[0].metrics].code);
  CHECK(metrics.measures[*gates.items[2].difference].minus == gates.items[2].right_measure);
  CHECK(metrics.models == 2);
  CHECK(plan.models[0].measure_names[*gates.items[2].difference] == "auc - other.auc");
}

TEST_CASE("every fold has its own fitted states, and the refit has its own") {
  Spelling folds;
  folds.folds = 5;
  SECTION("refit all") {
    folds.refit = hir::Refit::all;
    const plan::Physical plan = plan_of(income(folds));
    CHECK(count_kind(plan, "train") == 6);
    CHECK(count_kind(plan, "fit") == 2 * 6);
    CHECK(count_kind(plan, "predict") == 1);
    std::set<std::vector<int>> rows;
    for (const plan::Step& step : plan.steps)
      if (const auto* fit = std::get_if<plan::PartialFit>(&step.code)) rows.insert(fit->rows.parts);
    CHECK(rows == std::set<std::vector<int>>{{1, 2, 3, 4}, {0, 2, 3, 4}, {0, 1, 3, 4}, {0, 1, 2, 4}, {0, 1, 2, 3}, {0, 1, 2, 3, 4}});
    CHECK(std::get<plan::Train>(plan[plan.models[0].train].code).rows.parts.size() == 5);
  }
  SECTION("refit none registers a model that was measured") {
    const plan::Physical plan = plan_of(income(folds));
    CHECK(count_kind(plan, "train") == 5);
    CHECK(std::get<plan::Train>(plan[plan.models[0].train].code).rows.parts == std::vector<int>{1, 2, 3, 4});
  }
  const plan::Physical plan = plan_of(income(folds));
  const auto& metrics = std::get<plan::Metrics>(plan[*plan.models[0].metrics].code);
  CHECK(metrics.on == "folds");
  for (const plan::Step& step : plan.steps)
    if (const auto* predict = std::get_if<plan::Predict>(&step.code)) {
      REQUIRE(predict->models.size() == 5);
      for (std::size_t m = 0; m < 5; ++m) {
        // A model answers for exactly the rows that it has not seen.
        const auto& train = std::get<plan::Train>(plan[step.inputs[1 + m * (1 + predict->columns)]].code);
        std::vector<int> all = train.rows.parts;
        all.insert(all.end(), predict->models[m].parts.begin(), predict->models[m].parts.end());
        std::sort(all.begin(), all.end());
        CHECK(all == std::vector<int>{0, 1, 2, 3, 4});
      }
    }
}

TEST_CASE("nothing is fitted on validation or test rows") {
  PlanOptions options;
  options.final_rows = GENERATE(false, true);
  const plan::Physical plan = plan_of(income(), options);
  for (const plan::Step& step : plan.steps) {
    if (const auto* fit = std::get_if<plan::PartialFit>(&step.code)) CHECK(fit->rows.parts == std::vector<int>{0});
    // The predictions for held-out rows are only counted, for monitoring.
    if (const auto* bins = std::get_if<plan::PartialBins>(&step.code))
      CHECK(bins->rows.parts == std::vector<int>{step.name == "earner.predict.partial_bins" || step.name == "earner.predict (2).partial_bins" ? 1 : 0});
    if (const auto* train = std::get_if<plan::Train>(&step.code)) CHECK(train->rows.parts == std::vector<int>{0});
  }
  const auto& metrics = std::get<plan::Metrics>(plan[*plan.models[0].metrics].code);
  CHECK(metrics.on == (options.final_rows ? "test" : "validation"));
  CHECK(metrics.rows.parts == std::vector<int>{options.final_rows ? 2 : 1});
}

TEST_CASE("a transform that uses the label is cross-fitted inside the training rows") {
  const plan::Physical plan = plan_of(income());
  const plan::Step* apply = find_step(plan, "profile.from");
  REQUIRE(apply);
  const auto& code = std::get<plan::ApplyFit>(apply->code);
  CHECK(code.folds == 5);
  REQUIRE(apply->inputs.size() == 4);
  CHECK(plan[apply->inputs[2]].name == "holdout");
  CHECK(std::holds_alternative<plan::AssignFolds>(plan[apply->inputs[3]].code));
  const plan::Step& partial = *find_step(plan, "profile.from.partial_fit");
  CHECK(std::get<plan::PartialFit>(partial.code).label);
  CHECK(plan[partial.inputs[2]].name == "people.rich");
  CHECK(std::get<plan::ApplyFit>(find_step(plan, "profile.age_scaled")->code).folds == 0);
}

TEST_CASE("the scorer asks for the raw columns of the features and never for the label") {
  const plan::Physical plan = plan_of(income());
  const plan::Step& step = plan[plan.models[0].scorer];
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) digests.push_back(sha256(std::to_string(i)));
  const auto scorer = plan::fill_template(std::get<plan::BuildScorer>(step.code).scorer_template, digests);
  REQUIRE(scorer);
  std::vector<std::string> request;
  for (const plan::RawField& field : scorer->request) request.push_back(field.name);
  CHECK(request == std::vector<std::string>{"age", "country", "gain"});
  CHECK(scorer->matrix.size() == 5);
  CHECK(scorer->states.size() == 9);  // five bins, two transforms; for monitoring the bins of the encoding as served and of predictions
  std::vector<std::string> watched;
  for (const plan::WatchedColumn& one : scorer->watched) watched.push_back(one.name);
  std::vector<std::string> features = plan.models[0].feature_names;
  CHECK(watched == features);
  REQUIRE(scorer->watched_prediction);
  CHECK(scorer->states[*scorer->watched_prediction] == digests.back());
  const plan::Step* served = find_step(plan, "profile.from.served");
  REQUIRE(served);
  CHECK(std::get<plan::ApplyFit>(served->code).folds == 0);
  CHECK(scorer->trained == digests[0]);
  CHECK(scorer->states[0] == digests[1]);
  for (const plan::ScorerColumn& column : scorer->columns)
    if (column.by == plan::ScorerColumn::By::transform && column.native == "target_encode") CHECK(column.inputs.size() == 1);
  CHECK_FALSE(plan::fill_template(std::get<plan::BuildScorer>(step.code).scorer_template, {digests[0]}));
}

TEST_CASE("columns enter a model in an order that no name decides") {
  const auto order = [](const Spelling& spelling) {
    std::vector<std::string> sources;
    const plan::Physical plan = plan_of(income(spelling));
    for (const std::string& name : plan.models[0].feature_names)
      sources.push_back(name == spelling.log_gain ? "log_gain" : name == spelling.age ? "age" : name);
    return sources;
  };
  Spelling renamed, reversed;
  renamed.log_gain = "aaa", renamed.age = "zzz", reversed.reversed = true;
  CHECK(order({}) == order(renamed));
  CHECK(order({}) == order(reversed));
}

TEST_CASE("a part of an expression around a fitted value becomes steps of its own") {
  Builder b;
  const Type number = Type::of(Base::float_), maybe = Type::of(Base::float_, true);
  const hir::ColumnId x = b.raw("x", number), y = b.raw("y", Type::of(Base::bool_));
  // standardize(log1p(x)) ?? 0.0
  expr::Expr e = b.same(x);
  const expr::NodeId log = e.push(expr::Call{"log1p", {expr::NodeId(0)}, 0}, maybe);
  const expr::NodeId scaled = e.push(expr::Fitted{"standardize", {log}, {}}, maybe);
  const expr::NodeId zero = e.push(expr::Literal{0.0}, number);
  e.push(expr::Coalesce{scaled, zero}, number);
  b.feature("z", e);
  hir::Split split;
  split.percent = {80, 20};
  b.train("m", b.split(split), y, false);
  const plan::Physical plan = plan_of(b.workflow);
  const plan::Step* column = find_step(plan, "profile.z");
  REQUIRE(column);
  const auto& kernel = std::get<plan::Kernel>(column->code);
  CHECK_FALSE(expr::has_fitted(kernel.code));
  REQUIRE(column->inputs.size() == 1);
  const plan::Step& apply = plan[column->inputs[0]];
  REQUIRE(std::holds_alternative<plan::ApplyFit>(apply.code));
  CHECK(plan[apply.inputs[1]].text == "log1p(x)");
  CHECK(count_kind(plan, "bin") == 0);
  CHECK(find_step(plan, "m.split"));
}

TEST_CASE("a view without a train is planned row by row") {
  hir::Workflow workflow = income();
  workflow.trains.clear();
  workflow.evaluates.clear();
  const plan::Physical plan = plan_of(workflow);
  CHECK(find_step(plan, "profile.log_gain"));
  CHECK(count_kind(plan, "fit") == 0);
  CHECK(plan.models.empty());
}

TEST_CASE("a selection keeps a step with all it needs, and with + what needs it") {
  PlanOptions options;
  options.select = {"profile.log_gain"};
  plan::Physical plan = plan_of(income(), options);
  CHECK(plan::verify(plan).empty());
  CHECK(find_step(plan, "people.gain"));
  CHECK_FALSE(find_step(plan, "people.age"));
  CHECK(plan.models.empty());
  options.select = {"profile.log_gain+"};
  plan = plan_of(income(), options);
  CHECK(plan.models.size() == 1);
  CHECK(planner::unknown_selections(income(), {.select = {"nothing", "+earner", "profile.from+"}}) == std::vector<std::string>{"nothing"});
}

TEST_CASE("lineage leads from the file to the model and its evaluation") {
  const plan::Physical plan = plan_of(income());
  const auto has = [&](const char* from, const char* to) {
    return std::any_of(plan.lineage.begin(), plan.lineage.end(), [&](const plan::Edge& e) { return e.from == from && e.to == to; });
  };
  CHECK(has("people.csv", "people"));
  CHECK(has("people", "people.gain"));
  CHECK(has("people.gain", "profile.log_gain"));
  CHECK(has("people.rich", "profile.from"));
  CHECK_FALSE(has("people.rich", "profile.age_scaled"));
  CHECK(has("profile.log_gain", "earner"));
  CHECK(has("earner", "evaluate earner"));
}

TEST_CASE("a rows expectation alone is still tied to the table, and unique columns are checked") {
  hir::Workflow workflow = income();
  hir::Expectation expectation;
  expectation.text = "rows >= 10";
  expectation.statistics = {{hir::Statistic::Kind::rows, std::nullopt}};
  expectation.condition.inputs = {{0, Type::of(Base::int_), "rows"}};
  expectation.condition.push(expr::Input{0}, Type::of(Base::int_));
  workflow.tables[0].expectations = {expectation};
  plan::Physical plan = plan_of(workflow);
  REQUIRE(find_step(plan, "people.expectations"));
  CHECK(find_step(plan, "people.expectations")->inputs.size() == 1);
  std::get<hir::SourceColumn>(workflow.columns[0].made_by).unique = true;
  plan = plan_of(workflow);
  CHECK(std::get<plan::Expect>(find_step(plan, "people.expectations")->code).items.size() == 2);
}

TEST_CASE("a sample changes the keys of what is made of it, and of nothing before") {
  const plan::Physical whole = plan_of(income());
  PlanOptions options;
  options.share = 0.01;
  const plan::Physical sampled = plan_of(planner::sample_rows(income(), options.share), options);
  CHECK(plan::verify(sampled).empty());
  CHECK(sampled.share == 0.01);
  const std::set<std::string> changed = names_with_other_keys(whole, sampled);
  for (const plan::Step& step : sampled.steps) {
    const bool before = step.table == whole.steps[0].table && std::get_if<plan::Arrange>(&step.code) == nullptr;
    INFO(step.name);
    CHECK(changed.contains(step.name) == !before);
  }
  CHECK(std::get<plan::Register>(sampled[sampled.models[0].registration].code).share == 0.01);
  // Without a key the rows are told apart by all that is read of them, whatever it is called and in whatever order it is declared.
  const auto* code = std::get_if<plan::Arrange>(&find_step(sampled, "people.sample")->code);
  REQUIRE(code);
  CHECK((code->how == plan::Arrange::How::sample && code->keys == 4 && code->one));
  Spelling other;
  other.reversed = true, other.age = "years", other.table = "folk";
  CHECK(value_keys(plan_of(planner::sample_rows(income(other), 0.01), options)) == value_keys(sampled));
  CHECK(value_keys(plan_of(planner::sample_rows(income(), 0.02), options)) != value_keys(sampled));
  const auto read = plan::decode_physical(plan::encode(sampled));
  REQUIRE(read);
  CHECK(plan::encode(*read) == plan::encode(sampled));
}

TEST_CASE("where windows overlap, figures are of rows and windows") {
  const auto rolling = [](std::int64_t every, std::int64_t horizon) {
    hir::Workflow workflow = income();
    Builder b;
    b.workflow = std::move(workflow);
    const hir::ColumnId time = b.raw("at", Type::of(Base::timestamp));
    b.workflow.tables[0].time = time;
    hir::Split& split = b.workflow.splits[0];
    split.kind = hir::SplitKind::rolling;
    split.percent.clear();
    split.folds = 3, split.every_us = every, split.horizon_us = horizon;
    return plan_of(b.workflow);
  };
  const plan::Physical apart = rolling(10, 10), overlapping = rolling(10, 25);
  CHECK(plan::verify(apart).empty());
  CHECK(plan::verify(overlapping).empty());
  CHECK(count_kind(apart, "predict") == 1);
  CHECK(count_kind(overlapping, "predict") == 4);  // one a window, and all for the reference
  CHECK(apart[*apart.models[0].metrics].table == 0);
  // What is predicted for held-out rows is watched by the numbers that rows of a rolling split have.
  for (const plan::Physical* plan : {&apart, &overlapping})
    for (const plan::Step& step : plan->steps)
      if (const auto* bins = std::get_if<plan::PartialBins>(&step.code)) CHECK(bins->rows.known.has_value());
  const plan::Step& metrics = overlapping[*overlapping.models[0].metrics];
  CHECK(overlapping.tables[metrics.table].name == "holdout.windows");
  CHECK(std::get<plan::Metrics>(metrics.code).resample == 1);
}
