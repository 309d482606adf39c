#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "compiler/plan/scorer.h"
#include "planner_test_support.h"

using namespace mlp;
using namespace mlp::planner::testing;

namespace {

hir::Workflow random_workflow(std::mt19937_64& random) {
  Spelling s;
  s.reversed = random() % 2;
  s.two_trains = random() % 2;
  s.folds = random() % 2 ? 0 : 2 + static_cast<int>(random() % 4);
  s.refit = static_cast<hir::Refit>(random() % 3);
  s.log_gain = "a\"b\\\n\xC3\xA4" + std::to_string(random() % 10);
  s.gain_function = random() % 2 ? "sqrt" : "log1p";
  s.moved = static_cast<std::uint32_t>(random() % 500);
  hir::Workflow workflow = income(s);
  auto& options = workflow.trains[0].options;
  options.emplace_back("tiny", std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 1000)));
  options.emplace_back("whole", 1.0);
  options.emplace_back("none", Value{});
  options.emplace_back("yes", true);
  options.emplace_back("low", std::numeric_limits<std::int64_t>::min());
  return workflow;
}

}  // namespace

TEST_CASE("a plan survives its JSON, bit for bit") {
  std::mt19937_64 random(20);
  for (int i = 0; i < 30; ++i) {
    const plan::Physical plan = plan_of(random_workflow(random));
    const std::string text = plan::encode(plan);
    const auto back = plan::decode_physical(text);
    if (!back) FAIL(back.error().message);
    CHECK(plan::encode(*back) == text);
    CHECK(plan::dump(*back) == plan::dump(plan));
    plan::Physical keys = *back;
    plan::fill_keys(keys);
    CHECK(plan::dump(keys) == plan::dump(plan));
  }
}

TEST_CASE("damaged JSON of a plan or a scorer is a failure and never a crash") {
  std::mt19937_64 random(21);
  const plan::Physical plan = plan_of(income());
  const std::string text = plan::encode(plan);
  const plan::Step& step = plan[plan.models[0].scorer];
  const auto scorer = plan::fill_template(std::get<plan::BuildScorer>(step.code).scorer_template, std::vector<Digest>(step.inputs.size()));
  REQUIRE(scorer);
  const std::string scorer_text = plan::encode(*scorer);
  REQUIRE(plan::decode_scorer(scorer_text));
  CHECK(plan::encode(*plan::decode_scorer(scorer_text)) == scorer_text);
  for (int i = 0; i < 400; ++i) {
    std::string bad = text;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 4 == 0) bad.resize(random() % bad.size());
    if (const auto decoded = plan::decode_physical(bad)) CHECK(plan::verify(*decoded).empty());
    else CHECK(decoded.error().code == diag::Code::E0909);
    std::string bad_scorer = scorer_text;
    bad_scorer[random() % bad_scorer.size()] = static_cast<char>(random());
    if (const auto decoded = plan::decode_scorer(bad_scorer); !decoded) CHECK(decoded.error().code == diag::Code::E0909);
  }
}

TEST_CASE("another version, kind, field or key of a plan is refused with its reason") {
  const std::string text = plan::encode(plan_of(income()));
  const auto refused = [&](std::string from, const std::string& to, const std::string& why) {
    std::string changed = text;
    REQUIRE(changed.find(from) != std::string::npos);
    changed.replace(changed.find(from), from.size(), to);
    const auto decoded = plan::decode_physical(changed);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == diag::Code::E0909);
    CHECK_THAT(decoded.error().message, Catch::Contains(why));
  };
  refused("\"plan\":" + std::to_string(plan::Physical::kFormatVersion), "\"plan\":3", "another version");
  refused("\"kind\":\"split\"", "\"kind\":\"spilt\"", "kind of step");
  refused("\"final_rows\":false", "\"final_rows\":false,\"more\":1", "field");
  refused("\"keys\":0", "\"keys\":-1", "whole number");
  refused("\"seed\":7", "\"seed\":8", "keys of `holdout`");
  CHECK_FALSE(plan::decode_physical("[]"));
  CHECK_FALSE(plan::decode_physical(""));
  CHECK_FALSE(plan::decode_physical("\xFF"));
}

TEST_CASE("verify names what does not hold of a plan") {
  const plan::Physical good = plan_of(income());
  plan::Physical bad = good;
  SECTION("order") { std::swap(bad.steps[1], bad.steps.back()); }
  SECTION("table") { bad.steps[3].table = 9; }
  SECTION("inputs") { bad.steps.back().inputs.pop_back(); }
  SECTION("names") { bad.steps[1].name = bad.steps[2].name; }
  SECTION("outputs") { bad.steps[0].per_fragment = true; }
  SECTION("models") { bad.models[0].train = bad.models[0].scorer; }
  CHECK(plan::verify(good).empty());
  CHECK_FALSE(plan::verify(bad).empty());
}
