#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>

#include "cli/command.h"
#include "cli/pages.h"
#include "compiler/diag/render.h"
#include "compiler/driver/fix.h"
#include "compiler/syntax/parse.h"
#include "runtime/io/file_system.h"
#include "runtime/io/sql_stage.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

/// The status of the worst that was found: a file that cannot be read (5) before a wrong workflow (1).
int status_of(const diag::Sink& sink) {
  int status = kDone;
  for (const diag::Diagnostic& d : sink.diagnostics())
    if (diag::severity(d.code) == diag::Severity::error) status = std::max(status, diag::exit_status(d.code));
  return status;
}

std::string counted(std::size_t n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); }

std::string_view page_of(diag::Code code) {
  for (const Page& page : pages())
    if (page.code == diag::name(code)) return page.text;
  return {};
}

/// One phase of one file, as text.
int emit_phase(const Common& common, const std::string& file, const driver::CompileOptions& options, const std::string& emit) {
  const auto last = emit == "ast"        ? driver::Phase::ast
                    : emit == "logical"  ? driver::Phase::logical
                    : emit == "physical" ? driver::Phase::physical
                                         : driver::Phase::hir;
  const driver::Compiled compiled = driver::compile(file, options, last);
  const int exit = report(common, compiled.sink, compiled.sources);
  if (emit == "ast" && exit == kDone) fmt::print("{}", dump(compiled.file));
  if (emit == "hir" && compiled.workflow) fmt::print("{}", hir::dump(*compiled.workflow));
  if (emit == "logical" && compiled.logical) fmt::print("{}", plan::dump(*compiled.logical));
  if (emit == "physical" && compiled.plan) fmt::print("{}", common.format == Format::json ? plan::encode(*compiled.plan) + "\n" : plan::dump(*compiled.plan));
  return exit;
}

struct FixedFile {
  std::string file;
  driver::Fixed fixed;
  bool written = false;
};

/// Mends one file and writes it where something was mended; nullopt where it cannot be read, which the check says then.
Result<std::optional<FixedFile>> fix_file(const std::string& file, const driver::CompileOptions& options) {
  const auto text = driver::read_source(file);
  if (!text) return std::nullopt;
  FixedFile out{file, driver::fix(file, *text, options), false};
  if (out.fixed.text == *text) return out;
  // Somebody may have saved the file meanwhile; what they wrote is worth more than these fixes.
  const auto now = driver::read_source(file);
  if (!now || *now != *text)
    return failure(diag::Code::E0904, fmt::format("`{}` was changed by somebody else while it was mended, so it was left as it is", file), "run the command again");
  MLP_TRY_VOID(io::real_file_system()->write_atomically(file, out.fixed.text));
  out.written = true;
  return out;
}

Json to_json(const driver::MadeFix& fix) {
  return {{"title", fix.title}, {"line", fix.at.line}, {"column", fix.at.column}, {"before", fix.before}, {"after", fix.after}};
}

std::string fixed_json(const std::vector<FixedFile>& files) {
  Json list = Json::array();
  for (const FixedFile& f : files) {
    Json made = Json::array(), undone = Json::array();
    for (const driver::MadeFix& fix : f.fixed.made) made.push_back(to_json(fix));
    for (const driver::MadeFix& fix : f.fixed.undone) undone.push_back(to_json(fix));
    list.push_back({{"file", f.file}, {"changed", f.written}, {"errors_before", f.fixed.errors_before}, {"fixes", made}, {"left_out", undone}});
  }
  return "\"fixed\":" + list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quoted(const std::string& text) {
  return text.find('`') == std::string::npos ? fmt::format("`{}`", text) : fmt::format("`` {} ``", text);
}

void print_fixed(const FixedFile& f) {
  for (const driver::MadeFix& fix : f.fixed.made) {
    const std::string place = fmt::format("{}:{}:{}", f.file, fix.at.line, fix.at.column);
    if (fix.before.empty())
      fmt::print("{}: {} was put in: {}\n", place, quoted(fix.after), fix.title);
    else if (fix.after.empty())
      fmt::print("{}: {} was taken out: {}\n", place, quoted(fix.before), fix.title);
    else
      fmt::print("{}: {} became {}\n", place, quoted(fix.before), quoted(fix.after));
  }
  for (const driver::MadeFix& fix : f.fixed.undone)
    fmt::print("{}:{}:{}: left as it is: to {} would give more errors than before\n", f.file, fix.at.line, fix.at.column, fix.title);
  if (f.written)
    fmt::print("{}: {}, {} before and {} now\n", f.file, counted(f.fixed.made.size(), "fix", "fixes"), counted(f.fixed.errors_before, "error", "errors"),
               f.fixed.errors_after);
  else
    fmt::print("{}: nothing that can be mended safely; the file is as it was\n", f.file);
}

}  // namespace

int check(const Common& common, const std::vector<std::string>& files, const std::string& emit, bool fix) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  driver::CompileOptions options;
  options.env = common.env;
  options.type_sql = io::bind_sql;
  options.params = *params;
  if (!emit.empty() && (files.size() > 1 || fix || common.format == Format::sarif)) {
    fmt::print(stderr, "--emit prints a phase of one file: it goes with one FILE, without --fix and --format sarif\n");
    return kUsage;
  }
  if (!emit.empty()) return emit_phase(common, files.front(), options, emit);

  int status = kDone;
  std::vector<FixedFile> fixed;
  std::deque<diag::Sink> failures;  ///< of writing
  SourceMap nothing;
  std::deque<driver::Compiled> compiled;
  std::vector<diag::FileReport> reports;
  for (const std::string& file : files) {
    if (fix) {
      auto done = fix_file(file, options);
      if (!done) {
        failures.emplace_back().report(std::move(done.error()));
        reports.push_back({file, &failures.back().diagnostics(), &nothing});
        status = std::max(status, status_of(failures.back()));
      } else if (*done) {
        fixed.push_back(std::move(**done));
      }
    }
    const driver::Compiled& one = compiled.emplace_back(driver::compile(file, options, driver::Phase::hir));
    reports.push_back({file, &one.sink.diagnostics(), &one.sources});
    status = std::max(status, status_of(one.sink));
  }

  if (common.format == Format::json) {
    fmt::print("{}\n", diag::render_json(reports, fix ? fixed_json(fixed) : std::string()));
    return status;
  }
  if (common.format == Format::sarif) {
    fmt::print("{}\n", diag::render_sarif(reports, version_text(), page_of));
    return status;
  }
  if (!common.quiet)
    for (const FixedFile& f : fixed) print_fixed(f);
  std::fflush(stdout);
  for (const diag::FileReport& r : reports)
    if (!r.diagnostics->empty()) fmt::print(stderr, "{}", diag::render_text(*r.diagnostics, *r.sources, {common.colour_err, 20}));
  if (common.quiet) return status;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const driver::Compiled& one = compiled[i];
    if (one.sink.has_errors()) ++wrong;
    if (one.sink.has_errors() || !one.workflow) continue;
    const hir::Workflow& w = *one.workflow;
    fmt::print("{} is right: {}, {}, {}, {}\n", files[i], counted(static_cast<std::size_t>(std::ranges::count_if(w.tables, [](const hir::Table& t) { return !t.intermediate; })), "table", "tables"), counted(w.views.size(), "view", "views"),
               counted(w.trains.size(), "model", "models"), counted(w.tests.size(), "test", "tests"));
  }
  if (wrong > 0 && files.size() > 1) fmt::print(stderr, "{} of {} files have errors\n", wrong, files.size());
  return status;
}

}  // namespace mlp::cli
