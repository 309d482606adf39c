#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "compiler/sema/check.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/syntax/parse.h"

using namespace mlp;

namespace {

struct Checked {
  std::optional<hir::Workflow> workflow;
  std::vector<diag::Diagnostic> diagnostics;
};

Checked check_text(const std::string& text, const CheckOptions& options = {}) {
  SourceMap sources;
  diag::Sink sink;
  const auto file = parse(sources, sources.add("t.mlp", "workflow t\n" + text), sink);
  Checked out;
  out.workflow = check(file, sources, options, sink);
  out.diagnostics = sink.diagnostics();
  return out;
}

std::string generated(const std::string& columns) { return "data d from synthetic(rows: 10, seed: 3) {\n" + columns + "}\n"; }

/// Streams of the random calls of each column.
std::map<std::string, std::vector<std::uint64_t>> streams(const std::string& text) {
  const Checked checked = check_text(text);
  REQUIRE(checked.workflow);
  std::map<std::string, std::vector<std::uint64_t>> out;
  for (const hir::Column& column : checked.workflow->columns)
    for (const expr::Node& node : column.code()->nodes)
      if (const auto* call = std::get_if<expr::Call>(&node.op); call && call->stream) out[column.name].push_back(call->stream);
  return out;
}

const hir::Column& column_of(const hir::Workflow& workflow, const std::string& name) {
  for (const hir::Column& column : workflow.columns)
    if (column.name == name) return column;
  FAIL("no column " << name);
  return workflow.columns.front();
}

}  // namespace

TEST_CASE("adding or reordering columns that differ moves no random draw") {
  const auto before = streams(generated("    a : float = normal(0, 1)\n    b : float = uniform(0, 1)\n"));
  const auto after = streams(generated("    z : float = normal(5, 1)\n    b : float = uniform(0, 1)\n    a : float = normal(0, 1)\n"));
  CHECK(before.at("a") == after.at("a"));
  CHECK(before.at("b") == after.at("b"));
}

TEST_CASE("renaming a generated column moves no draw, neither its own nor those that read it") {
  const auto before = streams(generated("    a : float = normal(0, 1)\n    b : float = normal(a, 1)\n"));
  const auto after = streams(generated("    x : float = normal(0, 1)\n    y : float = normal(x, 1)\n"));
  CHECK(before.at("a") == after.at("x"));
  CHECK(before.at("b") == after.at("y"));
}

TEST_CASE("equal calls of a table draw independently, also within one expression") {
  const auto all = streams(generated("    a : float = normal(0, 1)\n    b : float = normal(0, 1)\n    c : float = normal(0, 1) - normal(0, 1)\n"));
  std::set<std::uint64_t> distinct;
  for (const auto& [name, values] : all) distinct.insert(values.begin(), values.end());
  CHECK(distinct.size() == 4);
}

TEST_CASE("the seed of the table and the seed of a call change the draws") {
  const auto one = streams("data d from synthetic(rows: 10, seed: 3) {\n    a : float = normal(0, 1)\n}\n").at("a");
  const auto two = streams("data d from synthetic(rows: 10, seed: 4) {\n    a : float = normal(0, 1)\n}\n").at("a");
  const auto own = streams("data d from synthetic(rows: 10, seed: 3) {\n    a : float = normal(0, 1, seed: 9)\n}\n").at("a");
  CHECK(one != two);
  CHECK(one != own);
}

TEST_CASE("a param takes --param before the environment before its default") {
  const std::string text = "param n: int in 0..100 = 7\n";
  ::setenv("MLP_PARAM_n", "8", 1);
  CheckOptions options;
  const auto value = [&] {
    const Checked checked = check_text(text, options);
    REQUIRE(checked.workflow);
    return std::pair(std::get<std::int64_t>(checked.workflow->params.at(0).value), checked.workflow->params.at(0).from);
  };
  CHECK(value() == std::pair<std::int64_t, std::string>(7, "default"));
  options.read_environment = true;
  CHECK(value() == std::pair<std::int64_t, std::string>(8, "MLP_PARAM_n"));
  options.params["n"] = "9";
  CHECK(value() == std::pair<std::int64_t, std::string>(9, "--param"));
  ::unsetenv("MLP_PARAM_n");
}

TEST_CASE("a param from outside is checked like one in the file") {
  const auto code = [](const std::string& name, const std::string& given) {
    const Checked checked = check_text("param n: int in 0..100 = 7\n", {{{name, given}}, false});
    CHECK_FALSE(checked.workflow);
    REQUIRE(checked.diagnostics.size() == 1);
    return diag::name(checked.diagnostics[0].code);
  };
  CHECK(code("n", "1.5") == "E0301");
  CHECK(code("n", "101") == "E0303");
  CHECK(code("m", "1") == "E0201");
}

TEST_CASE("ranges flow through arithmetic") {
  const Checked checked = check_text("data d from csv(\"a.csv\") {\n    a : float in 1..10\n    b : int in -2..3\n    s : float = a + b\n    p : float = a * b\n    q : float = b / a\n    n : int = -b\n}\n");
  REQUIRE(checked.workflow);
  CHECK(column_of(*checked.workflow, "s").range == Interval{-1, 13});
  CHECK(column_of(*checked.workflow, "p").range == Interval{-20, 30});
  CHECK(column_of(*checked.workflow, "q").range == Interval{-2, 3});
  CHECK(column_of(*checked.workflow, "n").range == Interval{-3, 2});
}

TEST_CASE("a comparison of ranges is decided only where every pair of values agrees") {
  CHECK(sema::decide_comparison("<", {0, 1}, {2, 3}) == true);
  CHECK(sema::decide_comparison("<", {0, 2}, {2, 3}) == std::nullopt);
  CHECK(sema::decide_comparison("<=", {0, 2}, {2, 3}) == true);
  CHECK(sema::decide_comparison("!=", {1, 5}, {0, 0}) == true);
  CHECK(sema::decide_comparison("!=", {0, 5}, {0, 0}) == std::nullopt);
  CHECK(sema::decide_comparison("==", {4, 4}, {4, 4}) == true);
}

TEST_CASE("columns come before what reads them") {
  const Checked checked = check_text("data d from csv(\"a.csv\") {\n    z : float = y + x\n    y : float = x * 2\n    x : float\n}\n");
  REQUIRE(checked.workflow);
  for (std::size_t i = 0; i < checked.workflow->columns.size(); ++i)
    if (const expr::Expr* code = checked.workflow->columns[i].code())
      for (const expr::InputColumn& input : code->inputs) CHECK(input.column < i);
}

TEST_CASE("equal splits are one") {
  const Checked checked = check_text(
      "data d from csv(\"a.csv\") {\n    a : float\n    y : bool @label\n}\nfeature v of d { a }\nsplit s of d random 70/15/15 seed 4\n"
      "train m of v {\n    predict y\n    split s\n    model gbdt { trees: 2 }\n}\n"
      "train n of v {\n    predict y\n    split random 70/15/15\n    model gbdt { trees: 3 }\n    seed 4\n}\n");
  REQUIRE(checked.workflow);
  CHECK(checked.workflow->splits.size() == 1);
  CHECK(checked.workflow->trains[0].split == checked.workflow->trains[1].split);
}

TEST_CASE("a declared range of a computed column that nothing proves is checked for all rows") {
  const Checked checked = check_text("data d from csv(\"a.csv\") {\n    a : float\n    b : float in 0..1 = a * 2\n    c : float in -1..1 = sin(a)\n}\n");
  REQUIRE(checked.workflow);
  REQUIRE(checked.workflow->tables[0].expectations.size() == 1);
  CHECK(checked.workflow->tables[0].expectations[0].for_all_rows);
  CHECK(checked.workflow->tables[0].expectations[0].text == "b in 0..1");
}

TEST_CASE("constants are folded by the natives themselves") {
  const Checked checked = check_text("data d from csv(\"a.csv\") {\n    a : float\n    b : float = a * log1p(0.5) + 2 ^ 3\n    t : timestamp = timestamp(\"2024-01-01T00:00:00Z\")\n}\n");
  REQUIRE(checked.workflow);
  std::size_t calls = 0;
  for (const expr::Node& node : column_of(*checked.workflow, "b").code()->nodes) calls += std::holds_alternative<expr::Call>(node.op);
  CHECK(calls == 2);
  CHECK_FALSE(column_of(*checked.workflow, "t").type.missing);
}

TEST_CASE("what is offered for a name of another language is in the library") {
  const auto& library = standard_library();
  REQUIRE(sema::offered_names().size() > 100);
  for (const std::string_view name : sema::offered_names()) {
    INFO(name);
    CHECK(std::any_of(library.begin(), library.end(), [&](const Signature& s) { return s.name == name; }));
  }
}
