#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <memory>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/exec/run.h"
#include "runtime/registry/registry.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json figure_json(const exec::FigureRecord& figure, const std::string& on) {
  Json out{{"value", number(figure.value)}, {"low", number(figure.low)}, {"high", number(figure.high)}, {"rows", figure.rows}, {"on", on}};
  if (!figure.too_few.empty()) out["too_few"] = figure.too_few;
  return out;
}

std::string run_json(const plan::Physical& plan, const exec::RunReport& report, const SourceMap& sources) {
  Json out;
  out["format_version"] = 1;
  out["run"] = report.id;
  out["workflow"] = plan.workflow;
  out["status"] = report.failure ? "failed" : "ok";
  out["steps"] = {{"total", report.steps.size()},
                  {"ran", report.count(exec::Action::ran)},
                  {"reused", report.count(exec::Action::reused)},
                  {"failed", report.count(exec::Action::failed)}};
  Json ran = Json::array();
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const exec::StepReport& step = report.steps[i];
    if (step.action != exec::Action::ran) continue;
    ran.push_back({{"name", plan.steps[i].name}, {"kind", plan::kind_name(plan.steps[i].code)}, {"reason", step.reason}, {"seconds", step.seconds},
                   {"cells", step.cells}, {"cells_ran", step.cells_ran}, {"shows_names", plan.steps[i].shows_names}});
  }
  out["ran"] = std::move(ran);
  out["seconds"] = report.seconds;
  Json metrics = Json::object(), slices = Json::array();
  for (const exec::FigureReport& f : report.figures) {
    if (f.group_columns.empty() || f.figure.value) metrics[f.model][f.metric] = figure_json(f.figure, f.on);
    for (const exec::FigureRecord& group : f.figure.groups) {
      Json slice = figure_json(group, f.on);
      Json by = Json::object();
      for (std::size_t c = 0; c < f.group_columns.size() && c < group.group.size(); ++c) by[f.group_columns[c]] = group.group[c];
      slices.push_back({{"model", f.model}, {"metric", f.metric}, {"by", by}, {"figure", slice}});
    }
  }
  out["metrics"] = std::move(metrics);
  out["slices"] = std::move(slices);
  Json gates = Json::array();
  for (const exec::GateReport& g : report.gates)
    gates.push_back({{"model", g.model}, {"text", g.text}, {"status", exec::name(g.status.kind)}, {"value", number(g.status.value)},
                     {"low", number(g.status.low)}, {"high", number(g.status.high)}, {"bound", number(g.status.bound)}, {"why", g.status.why}});
  out["gates"] = std::move(gates);
  Json candidates = Json::array();
  for (const exec::CandidateReport& c : report.candidates)
    candidates.push_back({{"model", c.model}, {"version", c.version}, {"proven", c.proven}, {"scorer", c.scorer.hex()}});
  out["candidates"] = std::move(candidates);
  Json rows = Json::array();
  for (const exec::RowsReport& r : report.rows)
    rows.push_back({{"model", r.model}, {"rows", r.rows}, {"used", r.used}, {"without_label", r.without_label}, {"left_out", r.left_out}});
  out["rows"] = std::move(rows);
  Json samples = Json::array();
  for (const exec::SampleReport& s : report.samples) samples.push_back({{"table", s.table}, {"rows", s.rows}, {"of", s.of}});
  out["sample"] = plan.share < 1 ? Json{{"share", plan.share}, {"tables", std::move(samples)}} : Json(nullptr);
  Json diagnostics = Json::array();
  for (const diag::Diagnostic& d : report.warnings) diagnostics.push_back(Json::parse(diag::render_json(d, sources)));
  if (report.failure) diagnostics.push_back(Json::parse(diag::render_json(*report.failure, sources)));
  out["diagnostics"] = std::move(diagnostics);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string status_text(exec::GateStatus::Kind kind, bool colour) {
  const std::string_view text = exec::name(kind);
  if (!colour) return std::string(text);
  const char* paint = kind == exec::GateStatus::Kind::passed ? "32" : kind == exec::GateStatus::Kind::failed ? "31" : "33";
  return fmt::format("\x1b[{}m{}\x1b[0m", paint, text);
}

void print_text(const plan::Physical& plan, const exec::RunReport& report, bool colour) {
  std::vector<std::vector<std::string>> rows{{"model", "metric", "of", "value", "95% interval", "rows", "on"}};
  const auto add = [&](const exec::FigureReport& f, const exec::FigureRecord& r, const std::string& of) {
    const std::string interval = r.low && r.high ? fmt::format("{} .. {}", figure_text(r.low), figure_text(r.high)) : r.too_few.empty() ? "–" : r.too_few;
    rows.push_back({f.model, f.metric, of, figure_text(r.value), interval, std::to_string(r.rows), f.on});
  };
  for (const exec::FigureReport& f : report.figures) {
    // min, max and gap over groups are one figure; a slice is one for each group.
    if (f.group_columns.empty() || f.figure.value) {
      add(f, f.figure, "all");
      continue;
    }
    for (const exec::FigureRecord& group : f.figure.groups) {
      std::string of;
      for (std::size_t c = 0; c < f.group_columns.size() && c < group.group.size(); ++c)
        of += (c ? ", " : "") + f.group_columns[c] + " = " + group.group[c];
      add(f, group, of);
    }
  }
  if (rows.size() > 1) fmt::print("{}\n", table(rows, colour));
  if (!report.gates.empty()) {
    std::vector<std::vector<std::string>> gates{{"model", "gate", "status", "value", "95% interval", "bound"}};
    for (const exec::GateReport& g : report.gates) {
      const auto& s = g.status;
      const std::string interval = s.low && s.high ? fmt::format("{} .. {}", figure_text(s.low), figure_text(s.high)) : "–";
      gates.push_back({g.model, g.text, status_text(s.kind, colour), figure_text(s.value), interval, figure_text(s.bound)});
    }
    fmt::print("{}\n", table(gates, colour));
    for (const exec::GateReport& g : report.gates)
      if (!g.status.why.empty()) fmt::print("  {}: {}\n", g.text, g.status.why);
  }
  for (const exec::RowsReport& r : report.rows) {
    if (r.used == r.rows) continue;
    std::string why;
    if (r.without_label) why = fmt::format("the label of {} is missing or not known yet", r.without_label);
    if (r.left_out) why += fmt::format("{}{} lie between the parts of the split, or take no part in it", why.empty() ? "" : ", ", r.left_out);
    fmt::print("{} uses {} of {} rows: {}\n", r.model, r.used, r.rows, why);
  }
  for (const exec::CandidateReport& c : report.candidates)
    fmt::print("candidate {} version {}: {}{}\n", c.model, c.version, c.proven ? "proven" : "not proven", plan.share < 1 ? ", a sample proves nothing" : "");
  for (const exec::SampleReport& s : report.samples) fmt::print("sample of {:g}%: {} of {} rows of {}\n", plan.share * 100, s.rows, s.of, s.table);
  fmt::print("{} of {} steps ran, {} reused, {}\n", report.count(exec::Action::ran), report.steps.size(), report.count(exec::Action::reused),
             duration_text(report.seconds));
}

}  // namespace

exec::Listener progress(const Common& common, std::size_t total) {
  exec::Listener listener;
  if (common.quiet) return listener;
  auto done = std::make_shared<std::size_t>(0);
  const bool live = common.live && common.format == Format::text;
  if (live)
    listener.started = [done, total](const plan::Step& step) { fmt::print(stderr, "\r\x1b[K[{}/{}] {} …", *done, total, step.name); };
  listener.finished = [done, total, live](const plan::Step& step, const exec::StepReport& report) {
    ++*done;
    const char* word = report.action == exec::Action::ran ? "ran" : report.action == exec::Action::reused ? "reused" : "failed";
    if (live) {
      if (report.action == exec::Action::ran)
        fmt::print(stderr, "\r\x1b[K[{}/{}] {} {} in {}", *done, total, step.name, word, duration_text(report.seconds));
      if (*done == total) fmt::print(stderr, "\r\x1b[K");
      return;
    }
    if (report.action == exec::Action::reused) return;
    fmt::print(stderr, "[{}/{}] {} {} in {}{}\n", *done, total, step.name, word, duration_text(report.seconds),
               report.reason.empty() ? std::string() : " (" + report.reason + ")");
  };
  return listener;
}

int run(const Common& common, const std::string& file, bool final_rows) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    return kUsage;
  }
  const std::string directory = store_directory(common, file);
  auto author = acting_identity(directory);
  if (!author) return report(common, author.error());
  auto store = store::Store::open(directory, store::Mode::read_write);
  if (!store) return report(common, store.error());
  driver::CompileOptions compile_options;
  compile_options.params = *params;
  compile_options.final_rows = final_rows;
  int exit = kDone;
  const auto loaded = load_plan(common, file, compile_options, *store, true, exit);
  if (!loaded) return exit;
  store::Catalog catalog(directory, false);
  catalog.set_author(author->name);
  watch_signals();
  auto done = exec::run(loaded->plan, *store, catalog, run_options(common, file), progress(common, loaded->plan.steps.size()));
  if (!done) return report(common, done.error(), loaded->sources);
  if (common.live && !common.quiet) fmt::print(stderr, "\r\x1b[K");
  for (const diag::Diagnostic& d : done->warnings) fmt::print(stderr, "{}", diag::render_text(d, loaded->sources, {common.colour_err, 20}));
  if (done->failure) fmt::print(stderr, "{}", diag::render_text(*done->failure, loaded->sources, {common.colour_err, 20}));
  if (common.format == Format::json)
    fmt::print("{}\n", run_json(loaded->plan, *done, loaded->sources));
  else if (!common.quiet || !done->failure)
    print_text(loaded->plan, *done, common.colour_out);
  if (done->failure) return diag::exit_status(done->failure->code);
  for (const exec::GateReport& gate : done->gates)
    if (gate.status.kind == exec::GateStatus::Kind::failed || gate.status.kind == exec::GateStatus::Kind::inconclusive) return kNotProven;
  return kDone;
}

namespace {

struct Consequence {
  std::string what, name;
};

/// What follows from running the steps that are not up to date: models that are fitted again, deployments that a new version can be
/// taken to, monitors whose reference is then another.
Result<std::vector<Consequence>> consequences_of(const plan::Physical& plan, const std::vector<exec::StepForecast>& steps, const std::string& directory) {
  std::vector<Consequence> out;
  const auto changes = [&](plan::StepId id) { return steps[id.index()].action != exec::Forecast::reuse; };
  for (const plan::Model& model : plan.models)
    if (changes(model.train)) out.push_back({"refit", model.name});
  MLP_TRY(const std::vector<registry::Deployed> deployed, registry::deployments(directory));
  for (const plan::Model& model : plan.models) {
    if (!changes(model.registration)) continue;
    for (const plan::Deployment& block : plan.deployments) {
      if (block.model != model.name || std::ranges::find(deployed, plan.workflow + "." + block.name, &registry::Deployed::deployment) == deployed.end()) continue;
      out.push_back({"redeploy", block.name});
      for (const plan::Monitor& monitor : plan.monitors)
        if (monitor.deployment == block.name) out.push_back({"reset_baseline", block.name});
    }
  }
  return out;
}

std::string consequence_text(const Consequence& consequence) {
  if (consequence.what == "refit") return fmt::format("{} will be refitted", consequence.name);
  if (consequence.what == "redeploy") return fmt::format("{} can then be deployed anew", consequence.name);
  return fmt::format("monitoring of {} begins anew with what is deployed then", consequence.name);
}

}  // namespace

int plan(const Common& common, const std::string& file, bool detailed, bool final_rows) {
  int exit = kDone;
  auto opened = open_plan(common, file, final_rows, exit);
  if (!opened) return exit;
  auto& [directory, store, loaded] = *opened;
  store::Catalog catalog(directory, true);
  exec::RunOptions options;
  options.fragment_rows = common.fragment_rows;
  auto steps = exec::preview(loaded.plan, store, catalog, options);
  if (!steps) return report(common, steps.error(), loaded.sources);
  const auto word = [](exec::Forecast f) { return f == exec::Forecast::run ? "run" : f == exec::Forecast::may_run ? "may_run" : "reuse"; };
  std::size_t runs = 0, may = 0, reuse = 0;
  for (const exec::StepForecast& s : *steps) ++(s.action == exec::Forecast::run ? runs : s.action == exec::Forecast::may_run ? may : reuse);
  const auto follows = consequences_of(loaded.plan, *steps, directory);
  if (!follows) return report(common, follows.error());
  if (common.format == Format::json) {
    Json json;
    json["format_version"] = 1;
    json["workflow"] = loaded.plan.workflow;
    json["summary"] = {{"run", runs}, {"may_run", may}, {"reuse", reuse}};
    json["sample"] = loaded.plan.share < 1 ? Json(loaded.plan.share) : Json(nullptr);
    Json list = Json::array();
    for (std::size_t i = 0; i < steps->size(); ++i) {
      const plan::Step& step = loaded.plan.steps[i];
      const exec::StepForecast& f = (*steps)[i];
      list.push_back({{"id", step.recipe_key.hex()}, {"name", step.name}, {"kind", plan::kind_name(step.code)}, {"action", word(f.action)},
                      {"reason", f.reason}, {"key", f.key.hex()}, {"shows_names", step.shows_names}});
    }
    json["steps"] = std::move(list);
    Json consequences = Json::array();
    for (const Consequence& one : *follows) consequences.push_back({{"what", one.what}, {"name", one.name}});
    json["consequences"] = std::move(consequences);
    Json shown = Json::array();
    for (const plan::Param& p : loaded.plan.params) shown.push_back({{"name", p.name}, {"value", p.value}, {"from", p.from}});
    json["params"] = std::move(shown);
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (common.format == Format::dot) {
    fmt::print("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n", loaded.plan.workflow);
    for (std::size_t i = 0; i < steps->size(); ++i) {
      const plan::Step& step = loaded.plan.steps[i];
      const char* style = (*steps)[i].action == exec::Forecast::reuse ? "dashed" : (*steps)[i].action == exec::Forecast::may_run ? "solid" : "bold";
      fmt::print("  s{} [label=\"{}\\n{}\", style={}];\n", i, step.name, plan::kind_name(step.code), style);
      for (plan::StepId input : step.inputs) fmt::print("  s{} -> s{};\n", input.index(), i);
    }
    fmt::print("}}\n");
  } else {
    std::vector<std::vector<std::string>> rows{{"action", "step", "kind", "why"}};
    for (std::size_t i = 0; i < steps->size(); ++i) {
      const plan::Step& step = loaded.plan.steps[i];
      const exec::StepForecast& f = (*steps)[i];
      if (f.action == exec::Forecast::reuse) continue;
      rows.push_back({word(f.action), step.name, std::string(plan::kind_name(step.code)),
                      f.reason + (step.shows_names ? (f.reason.empty() ? "shows names, computes no value" : "; shows names, computes no value") : "")});
    }
    if (rows.size() > 1) fmt::print("{}\n", table(rows, common.colour_out));
    for (const plan::Param& p : loaded.plan.params) fmt::print("param {} = {} ({})\n", p.name, p.value, p.from);
    if (loaded.plan.share < 1) fmt::print("of a sample of {:g}% of the rows\n", loaded.plan.share * 100);
    for (const Consequence& one : *follows) fmt::print("{}\n", consequence_text(one));
    fmt::print("{} to run, {} that may run, {} reused\n", runs, may, reuse);
  }
  return detailed && runs + may > 0 ? kChanges : kDone;
}

}  // namespace mlp::cli
