#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <map>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "compiler/support/check.h"
#include "runtime/interp/evaluate.h"

namespace mlp::cli {

namespace {

/// Values of columns in the one row of a test: what it gives, and what follows from it.
class Row {
 public:
  Row(const hir::Workflow& workflow, const hir::Test& test) : workflow_(workflow) {
    for (const auto& [column, value] : test.given) values_.emplace(column.index(), constant(workflow[column].type.maybe(), value, 1));
  }

  Result<Column> value(hir::ColumnId id, int depth = 0) {
    if (const auto known = values_.find(id.index()); known != values_.end()) return known->second;
    const hir::Column& column = workflow_[id];
    const expr::Expr* code = column.code();
    MLP_CHECK(depth < 1000);
    if (!code)
      return failure(diag::Code::E0603, fmt::format("the test gives no value for `{}`", hir::qualified_name(workflow_, id)), "add it to `given { … }`");
    if (expr::has_fitted(*code))
      return failure(diag::Code::E0603, fmt::format("`{}` is fitted on training rows; a test block has none", hir::qualified_name(workflow_, id)),
                     "test the row-wise columns it is made from");
    MLP_TRY(Column made, evaluate(*code, depth + 1));
    values_.emplace(id.index(), made);
    return made;
  }

  Result<Column> evaluate(const expr::Expr& code, int depth = 0) {
    Batch batch;
    batch.rows = 1;
    for (const expr::InputColumn& input : code.inputs) {
      MLP_TRY(Column column, value(hir::ColumnId(input.column), depth));
      if (!input.type.missing && !column.is_known(0))
        return failure(diag::Code::E0603, fmt::format("`{}` is missing in this test, and its type says that it never is", input.name), "give it a value");
      column.type = input.type;
      batch.columns.push_back(std::move(column));
    }
    return interp::evaluate(code, batch);
  }

 private:
  const hir::Workflow& workflow_;
  std::map<std::size_t, Column> values_;
};

struct Outcome {
  std::string name;
  bool passed = true;
  std::vector<std::string> notes;
  std::vector<diag::Diagnostic> errors;
};

Outcome run_test(const hir::Workflow& workflow, const hir::Test& test) {
  Outcome outcome{test.name, true, {}, {}};
  Row row(workflow, test);
  for (const hir::Test::Expect& expected : test.expect) {
    auto held = row.evaluate(expected.condition);
    if (!held) {
      diag::Diagnostic d = std::move(held.error());
      if (!d.span) d.span = expected.span;
      outcome.errors.push_back(std::move(d));
      outcome.passed = false;
      continue;
    }
    if (held->is_known(0) && held->values<std::uint8_t>()[0]) continue;
    outcome.passed = false;
    std::string note = fmt::format("`{}` does not hold", expected.text);
    for (const expr::InputColumn& input : expected.condition.inputs)
      if (const auto value = row.value(hir::ColumnId(input.column))) note += fmt::format("; {} is {}", input.name, to_string(value_at(*value, 0)));
    outcome.notes.push_back(std::move(note));
  }
  return outcome;
}

}  // namespace

int test(const Common& common, const std::string& file) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  const driver::Compiled compiled = driver::compile(file, {*params, true, false, common.env}, driver::Phase::hir);
  if (const int exit = report(common, compiled.sink, compiled.sources); exit != kDone) return exit;
  std::vector<Outcome> outcomes;
  for (const hir::Test& t : compiled.workflow->tests) outcomes.push_back(run_test(*compiled.workflow, t));
  std::size_t failed = 0;
  int exit = kDone;
  nlohmann::ordered_json json{{"format_version", 1}, {"tests", nlohmann::ordered_json::array()}};
  for (const Outcome& outcome : outcomes) {
    failed += !outcome.passed;
    for (const diag::Diagnostic& d : outcome.errors) {
      exit = diag::exit_status(d.code);
      fmt::print(stderr, "{}", diag::render_text(d, compiled.sources, {common.colour_err, 20}));
    }
    if (common.format == Format::json) {
      nlohmann::ordered_json errors = nlohmann::ordered_json::array();
      for (const diag::Diagnostic& d : outcome.errors) errors.push_back(nlohmann::ordered_json::parse(diag::render_json(d, compiled.sources)));
      json["tests"].push_back({{"name", outcome.name}, {"status", outcome.passed ? "passed" : "failed"}, {"notes", outcome.notes}, {"diagnostics", errors}});
      continue;
    }
    const char* paint = outcome.passed ? "32" : "31";
    const std::string status = outcome.passed ? "passed" : "failed";
    fmt::print("{}  {}\n", common.colour_out ? fmt::format("\x1b[{}m{}\x1b[0m", paint, status) : status, outcome.name);
    for (const std::string& note : outcome.notes) fmt::print("        {}\n", note);
  }
  if (common.format == Format::json) {
    json["passed"] = outcomes.size() - failed;
    json["failed"] = failed;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{} passed, {} failed\n", outcomes.size() - failed, failed);
  }
  return exit != kDone ? exit : failed ? kNotProven : kDone;
}

}  // namespace mlp::cli
