#include "cli/deploy_candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/exec/figures.h"
#include "runtime/exec/session.h"

namespace mlp::cli {

namespace {

/// Steps that a step needs, itself among them.
std::vector<bool> needed_for(const plan::Physical& plan, plan::StepId last) {
  std::vector<bool> needed(plan.steps.size(), false);
  needed[last.index()] = true;
  for (std::size_t i = last.index() + 1; i-- > 0;)
    if (needed[i])
      for (const plan::StepId input : plan.steps[i].inputs) needed[input.index()] = true;
  return needed;
}

PresentCandidate stale(const plan::Physical& plan, const std::vector<exec::StepForecast>& forecasts, plan::StepId last) {
  const std::vector<bool> needed = needed_for(plan, last);
  // What will certainly run says more than what may; of those the first, which the others follow from.
  for (const exec::Forecast action : {exec::Forecast::run, exec::Forecast::may_run})
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (needed[i] && forecasts[i].action == action) return {{}, plan.steps[i].name, forecasts[i].reason};
  MLP_CHECK(false && "a stale candidate without a step that has to run");
  return {};
}

Result<std::string> output_of(store::Store& store, const exec::StepForecast& forecast) {
  const auto entry = store.find(forecast.key);
  if (!entry || entry->outputs.empty()) return failure(diag::Code::E0903, "the result of a step is no longer in the store", "run the workflow again: it makes what is missing");
  return store.get(entry->outputs[0]);
}

Result<std::vector<registry::GateProof>> proofs(const plan::Physical& plan, const std::vector<exec::StepForecast>& forecasts, const plan::Model& model,
                                                store::Store& store) {
  std::vector<registry::GateProof> out;
  if (!model.gates) return out;
  MLP_TRY(const std::string bytes, output_of(store, forecasts[model.gates->index()]));
  MLP_TRY(const std::vector<exec::GateStatus> statuses, exec::decode_gates(bytes));
  const auto& items = std::get<plan::Gates>(plan[*model.gates].code).items;
  for (std::size_t i = 0; i < std::min(items.size(), statuses.size()); ++i)
    out.push_back({items[i].text, std::string(exec::name(statuses[i].kind)), statuses[i].value});
  return out;
}

}  // namespace

Result<PresentCandidate> present_candidate(const plan::Physical& plan, const std::vector<exec::StepForecast>& forecasts, const std::string& name,
                                           store::Store& store, store::Catalog& catalog) {
  const auto model = std::find_if(plan.models.begin(), plan.models.end(), [&](const plan::Model& one) { return one.name == name; });
  MLP_CHECK(model != plan.models.end());
  const exec::StepForecast& last = forecasts[model->registration.index()];
  if (last.action != exec::Forecast::reuse) return stale(plan, forecasts, model->registration);
  MLP_TRY(const std::string bytes, output_of(store, last));
  MLP_TRY(const exec::CandidateReport receipt, exec::decode_receipt(bytes));
  registry::Candidate out;
  out.model = plan.workflow + "." + name;
  out.version = receipt.version;
  out.scorer = receipt.scorer;
  out.code = plan[model->registration].recipe_key;
  out.proven = receipt.proven;
  MLP_TRY(out.gates, proofs(plan, forecasts, *model, store));
  if (model->gates && plan[*model->gates].inputs.size() > 1) {
    MLP_TRY(const std::string record, output_of(store, forecasts[plan[*model->gates].inputs[1].index()]));
    MLP_TRY(const exec::ChampionRecord champion, exec::decode_champion(record));
    out.compared = true;
    out.champion = champion.scorer;
  }
  MLP_TRY(const std::vector<store::Candidate> recorded, catalog.models());
  const auto record = std::find_if(recorded.begin(), recorded.end(), [&](const store::Candidate& one) {
    return one.model == out.model && one.version == out.version && one.scorer == out.scorer;
  });
  if (record == recorded.end())
    return failure(diag::Code::E0903, fmt::format("the catalog has no record of `{}` version {}, which was made in this store", out.model, out.version),
                   "put catalog.sqlite back from a backup, or run the workflow into another store with --store");
  out.run = record->run;
  out.why = out.proven ? "every gate passed or is not applicable" : out.gates.empty() ? "it has no gates" : record->why;
  MLP_TRY(const store::RunRecord run, catalog.load_run(out.run));
  out.author = run.run.author;
  return PresentCandidate{std::move(out), {}, {}};
}

}  // namespace mlp::cli
