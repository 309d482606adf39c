#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "cli/command.h"
#include "cli/deploy_candidates.h"
#include "compiler/diag/render.h"
#include "runtime/exec/run.h"
#include "runtime/registry/registry.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

/// The file compiled one way, with what is up to date in it.
struct Compiled {
  LoadedPlan loaded;
  std::vector<exec::StepForecast> forecasts;
};

/// What became of one deploy block.
struct Line {
  const plan::Deployment* block = nullptr;
  std::optional<registry::Candidate> candidate;
  registry::Outcome outcome;
};

class Deployer {
 public:
  Deployer(const Common& common, const std::string& file, store::Store& store, store::Catalog& catalog) : common_(common), file_(file), store_(store), catalog_(catalog) {}

  /// Diagnostics have been said when there is none.
  const Compiled* compiled(bool final_rows, int& exit) {
    std::optional<Compiled>& slot = final_rows ? final_ : plain_;
    if (slot) return &*slot;
    auto params = parse_params(common_.params);
    if (!params) {
      report(common_, params.error());
      exit = kUsage;
      return nullptr;
    }
    auto loaded = load_plan(common_, file_, {*params, true, final_rows}, store_, true, exit);
    if (!loaded) return nullptr;
    exec::RunOptions options;
    options.fragment_rows = common_.fragment_rows;
    options.hash_sources = true;
    auto forecasts = exec::preview(loaded->plan, store_, catalog_, options);
    if (!forecasts) {
      exit = report(common_, forecasts.error(), loaded->sources);
      return nullptr;
    }
    slot = Compiled{std::move(*loaded), std::move(*forecasts)};
    return &*slot;
  }

  /// The candidate of the validation rows or, where there is none or the stage asks for it, that of the test rows.
  std::optional<PresentCandidate> candidate_for(const plan::Deployment& block, int& exit) {
    std::optional<PresentCandidate> first;
    for (const bool final_rows : {false, true}) {
      if (block.needs_final && !final_rows) continue;
      const Compiled* way = compiled(final_rows, exit);
      if (!way) return std::nullopt;
      auto present = present_candidate(way->loaded.plan, way->forecasts, block.model, store_, catalog_);
      if (!present) {
        exit = report(common_, present.error(), way->loaded.sources);
        return std::nullopt;
      }
      if (present->candidate && present->candidate->proven) return std::move(*present);
      if (!first || (!first->candidate && present->candidate)) first = std::move(*present);
    }
    return first;
  }

  std::optional<Line> deploy(const plan::Physical& plan, const plan::Deployment& block, const registry::Identity& by, int& exit) {
    auto present = candidate_for(block, exit);
    if (!present) return std::nullopt;
    Line line;
    line.block = &block;
    const std::string whole = plan.workflow + "." + block.name;
    if (!present->candidate) {
      line.outcome.status = registry::Status::refused;
      line.outcome.code = diag::Code::E0604;
      line.outcome.reason = fmt::format("no candidate of `{}` is of the file and data as they stand: `{}` is not up to date{}", block.model, present->step,
                                        present->why.empty() ? "" : " (" + present->why + ")");
      line.outcome.help = fmt::format("`mlpc run {}{}` makes it", file_, block.needs_final ? " --final" : "");
      if (auto now = registry::current(store_.directory(), whole)) {
        line.outcome.now = std::move(*now);
      } else if (now.error().code != diag::Code::E0908) {
        exit = report(common_, now.error());
        return std::nullopt;
      }
      return line;
    }
    registry::Request request;
    request.deployment = whole;
    request.stage = block.stage;
    request.needs_approval = block.needs_approval;
    request.approval_from = block.approval_from;
    request.approval_per_code = block.approval_per_code;
    request.approval_valid_us = block.approval_valid_us;
    request.candidate = *present->candidate;
    line.candidate = std::move(present->candidate);
    auto outcome = registry::deploy(store_, catalog_, request, by);
    if (!outcome) {
      exit = report(common_, outcome.error());
      return std::nullopt;
    }
    line.outcome = std::move(*outcome);
    return line;
  }

 private:
  const Common& common_;
  const std::string& file_;
  store::Store& store_;
  store::Catalog& catalog_;
  std::optional<Compiled> plain_, final_;
};

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json line_json(const Line& line) {
  const registry::Outcome& outcome = line.outcome;
  Json json{{"name", line.block->name},
            {"model", line.block->model},
            {"version", line.candidate ? Json(line.candidate->version) : Json(nullptr)},
            {"stage", line.block->stage},
            {"status", registry::name(outcome.status)},
            {"code", outcome.code ? Json(diag::name(*outcome.code)) : Json(nullptr)},
            {"reason", text_or_null(outcome.reason)},
            {"help", text_or_null(outcome.help)},
            {"scorer", line.candidate ? Json(line.candidate->scorer.hex()) : Json(nullptr)},
            {"run", line.candidate ? text_or_null(line.candidate->run) : Json(nullptr)},
            {"current", nullptr}};
  if (outcome.now)
    json["current"] = {{"version", outcome.now->version}, {"stage", outcome.now->stage}, {"scorer", outcome.now->scorer.hex()}, {"since", outcome.now->since}, {"who", outcome.now->who}};
  return json;
}

void print_text(const Common& common, const Line& line, const SourceMap& sources) {
  const registry::Outcome& outcome = line.outcome;
  std::string status(registry::name(outcome.status));
  std::replace(status.begin(), status.end(), '_', ' ');
  const std::string version = line.candidate ? fmt::format(" version {}", line.candidate->version) : "";
  const bool stays = outcome.now && outcome.status != registry::Status::deployed && outcome.status != registry::Status::unchanged;
  fmt::print("{}: {}{} in {}: {}{}\n", line.block->name, line.block->model, version, line.block->stage, status,
             stays ? fmt::format("; version {} stays", outcome.now->version) : "");
  if (!outcome.code) return;
  std::fflush(stdout);
  const diag::Diagnostic d = diag::make(*outcome.code, line.block->span, outcome.reason).with_label("not deployed").with_help(outcome.help);
  fmt::print(stderr, "{}", diag::render_text(d, sources, {common.colour_err, 20}));
}

/// The blocks that are meant; E0201 where there is none of the name, or none at all.
Result<std::vector<const plan::Deployment*>> choose(const plan::Physical& plan, const std::string& file, const std::string& name) {
  std::vector<const plan::Deployment*> chosen;
  std::vector<std::string_view> names;
  for (const plan::Deployment& block : plan.deployments) {
    names.push_back(block.name);
    if (name.empty() || name == block.name) chosen.push_back(&block);
  }
  if (!chosen.empty()) return chosen;
  if (name.empty()) return failure(diag::Code::E0201, fmt::format("`{}` has no `deploy` block", file), "write `deploy NAME of MODEL { stage production }`");
  const std::string_view near = diag::did_you_mean(name, names);
  return failure(diag::Code::E0201, fmt::format("`{}` has no deployment `{}`", file, name), near.empty() ? "without a name all are deployed" : fmt::format("did you mean `{}`?", near));
}

}  // namespace

int deploy(const Common& common, const std::string& file, const std::string& name) {
  const std::string directory = store_directory(common, file);
  auto by = acting_identity(directory);
  if (!by) return report(common, by.error());
  auto store = store::Store::open(directory, store::Mode::read_write);
  if (!store) return report(common, store.error());
  store::Catalog catalog(directory, false);
  Deployer deployer(common, file, *store, catalog);
  int exit = kDone;
  const Compiled* first = deployer.compiled(false, exit);
  if (!first) return exit;
  const plan::Physical& plan = first->loaded.plan;
  auto chosen = choose(plan, file, name);
  if (!chosen) return report(common, chosen.error());
  diag::Sink not_yet;
  for (const plan::Deployment* block : *chosen)
    for (const plan::NotYet& form : block->not_yet)
      not_yet.report(diag::make(diag::Code::E0601, form.span, fmt::format("{} is checked, but this version of mlpc cannot deploy with it yet", form.what))
                         .with_label("not deployed yet")
                         .with_secondary(block->span, "of this deployment")
                         .with_help("leave it out to deploy the rest; nothing was deployed"));
  if (not_yet.has_errors()) return report(common, not_yet, first->loaded.sources);
  std::vector<Line> lines;
  for (const plan::Deployment* block : *chosen) {
    auto line = deployer.deploy(plan, *block, *by, exit);
    if (!line) return exit;
    lines.push_back(std::move(*line));
  }
  // The compiled plan is kept for the next command; that it could not be is no failure of this one.
  (void)store->commit();
  Json json{{"format_version", 1}, {"workflow", plan.workflow}, {"deployments", Json::array()}};
  for (const Line& line : lines) {
    json["deployments"].push_back(line_json(line));
    if (line.outcome.code) exit = kNotProven;
    if (common.format != Format::json) print_text(common, line, first->loaded.sources);
  }
  if (common.format == Format::json) fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return exit;
}

}  // namespace mlp::cli
