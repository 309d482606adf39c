#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/exec/run.h"

namespace mlp::cli {

namespace {

/// Steps that `node` names: the step itself, or all whose name begins with it ("earner" -> "earner train", "earner metrics").
std::vector<std::size_t> find_steps(const plan::Physical& plan, const std::string& node) {
  std::vector<std::size_t> exact, begins;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const std::string& name = plan.steps[i].name;
    if (name == node || name.ends_with("." + node)) exact.push_back(i);
    if (name.starts_with(node) && name.size() > node.size() && (name[node.size()] == ' ' || name[node.size()] == '.')) begins.push_back(i);
  }
  return exact.empty() ? begins : exact;
}

const char* word(exec::Forecast forecast) {
  return forecast == exec::Forecast::run ? "run" : forecast == exec::Forecast::may_run ? "may_run" : "reuse";
}

}  // namespace

int why(const Common& common, const std::string& file, const std::string& node) {
  int exit = kDone;
  auto opened = open_plan(common, file, false, exit);
  if (!opened) return exit;
  auto& [directory, store, loaded] = *opened;
  store::Catalog catalog(directory, true);
  exec::RunOptions options;
  options.fragment_rows = common.fragment_rows;
  auto forecasts = exec::preview(loaded.plan, store, catalog, options);
  if (!forecasts) return report(common, forecasts.error(), loaded.sources);
  const std::vector<std::size_t> found = find_steps(loaded.plan, node);
  if (found.empty()) {
    std::vector<std::string_view> names;
    for (const plan::Step& step : loaded.plan.steps) names.push_back(step.name);
    const std::string_view near = diag::did_you_mean(node, names);
    return report(common, failure(diag::Code::E0908, fmt::format("`{}` is no step of `{}`", node, loaded.plan.workflow),
                                  near.empty() ? "`mlpc plan` lists the steps" : fmt::format("did you mean `{}`?", near))
                              .error());
  }
  nlohmann::ordered_json json{{"format_version", 1}, {"steps", nlohmann::ordered_json::array()}};
  for (std::size_t i : found) {
    const plan::Step& step = loaded.plan.steps[i];
    const exec::StepForecast& forecast = (*forecasts)[i];
    auto last = catalog.last_step(step.name, loaded.plan.workflow);
    if (!last) return report(common, last.error());
    // Of something that is up to date the reason of its last computation is what is of interest.
    const std::string reason = !forecast.reason.empty() ? forecast.reason : *last ? (*last)->reason : std::string();
    if (common.format == Format::json) {
      nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
      for (plan::StepId input : step.inputs) inputs.push_back({{"name", loaded.plan[input].name}, {"action", word((*forecasts)[input.index()].action)}});
      json["steps"].push_back({{"name", step.name}, {"kind", plan::kind_name(step.code)}, {"action", word(forecast.action)}, {"reason", reason}, {"code", step.text},
                               {"last", *last ? nlohmann::ordered_json((*last)->action == store::StepAction::ran ? "ran" : "reused") : nullptr},
                               {"inputs", inputs}});
      continue;
    }
    const char* now = forecast.action == exec::Forecast::reuse ? "is up to date" : forecast.action == exec::Forecast::run ? "has to run" : "may have to run";
    fmt::print("{} ({}) {}\n", step.name, plan::kind_name(step.code), now);
    if (!forecast.reason.empty())
      fmt::print("  because {}\n", forecast.reason);
    else if (*last)
      fmt::print("  the last run {} it{}\n", (*last)->action == store::StepAction::ran ? "computed" : "reused", (*last)->reason.empty() ? "" : ": " + (*last)->reason);
    if (!step.text.empty()) fmt::print("  code: {}\n", step.text);
    for (plan::StepId input : step.inputs) fmt::print("  from {}: {}\n", loaded.plan[input].name, word((*forecasts)[input.index()].action));
  }
  if (common.format == Format::json) fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  return kDone;
}

}  // namespace mlp::cli
