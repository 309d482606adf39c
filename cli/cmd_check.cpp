#include <fmt/format.h>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"

namespace mlp::cli {

int check(const Common& common, const std::string& file, const std::string& emit) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  driver::CompileOptions options;
  options.params = *params;
  const auto last = emit == "ast"       ? driver::Phase::ast
                    : emit == "logical" ? driver::Phase::logical
                    : emit == "physical" ? driver::Phase::physical
                                         : driver::Phase::hir;
  const driver::Compiled compiled = driver::compile(file, options, last);
  if (!emit.empty()) {
    const int exit = report(common, compiled.sink, compiled.sources);
    if (emit == "ast" && exit == kDone) fmt::print("{}", dump(compiled.file));
    if (emit == "hir" && compiled.workflow) fmt::print("{}", hir::dump(*compiled.workflow));
    if (emit == "logical" && compiled.logical) fmt::print("{}", plan::dump(*compiled.logical));
    if (emit == "physical" && compiled.plan) fmt::print("{}", common.format == Format::json ? plan::encode(*compiled.plan) + "\n" : plan::dump(*compiled.plan));
    return exit;
  }
  if (common.format == Format::json) {
    fmt::print("{}\n", diag::render_json(compiled.sink.diagnostics(), compiled.sources));
    for (const diag::Diagnostic& d : compiled.sink.diagnostics())
      if (diag::severity(d.code) == diag::Severity::error) return diag::exit_status(d.code);
    return kDone;
  }
  const int exit = report(common, compiled.sink, compiled.sources);
  if (exit == kDone && !common.quiet && compiled.workflow) {
    const hir::Workflow& w = *compiled.workflow;
    const auto count = [](std::size_t n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); };
    fmt::print("{} is right: {}, {}, {}, {}\n", file, count(w.tables.size(), "table", "tables"), count(w.views.size(), "view", "views"),
               count(w.trains.size(), "model", "models"), count(w.tests.size(), "test", "tests"));
  }
  return exit;
}

}  // namespace mlp::cli
