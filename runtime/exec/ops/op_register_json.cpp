#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "compiler/plan/scorer.h"
#include "compiler/support/check.h"
#include "runtime/exec/figures.h"
#include "runtime/exec/session.h"

namespace mlp::exec {

Result<std::string> build_scorer(Session& session, const plan::Step& step, const plan::BuildScorer& code) {
  std::vector<Digest> inputs;
  for (plan::StepId input : step.inputs) inputs.push_back(session.output(input, 0));
  MLP_TRY(const plan::Scorer scorer, plan::fill_template(code.scorer_template, inputs));
  return plan::encode(scorer);
}

Result<std::string> register_candidate(Session& session, const plan::Step& step, const plan::Register& code) {
  const Digest scorer = session.output(step.inputs[0], 0);
  store::Candidate candidate;
  candidate.model = session.plan.workflow + "." + code.model;
  candidate.run = session.run_id;
  candidate.scorer = scorer;
  candidate.proven = false;
  candidate.why = "it has no gates";
  if (code.evaluated && step.inputs.size() > 1) {
    MLP_TRY(const std::string bytes, session.object(step.inputs[1]));
    MLP_TRY(const std::vector<GateStatus> statuses, decode_gates(bytes));
    std::size_t open = 0, failed = 0;
    for (const GateStatus& status : statuses) {
      failed += status.kind == GateStatus::Kind::failed;
      open += status.kind == GateStatus::Kind::inconclusive;
    }
    candidate.proven = !statuses.empty() && failed == 0 && open == 0;
    if (!statuses.empty()) candidate.why = candidate.proven ? "every gate passed or is not applicable" : fmt::format("{} gates failed, {} inconclusive", failed, open);
  }
  if (code.share < 1) {
    candidate.proven = false;
    candidate.why = fmt::format("it was made of {:g}% of the rows", code.share * 100);
  }
  // What the catalog names has to be on the disk first.
  MLP_TRY_VOID(session.store.commit());
  MLP_TRY(const std::uint32_t version, session.catalog.record_candidate(candidate));
  MLP_TRY_VOID(session.catalog.add_root({scorer, fmt::format("candidate {} version {}", candidate.model, version)}));
  nlohmann::ordered_json receipt;
  receipt["version"] = 1;
  receipt["model"] = code.model;
  receipt["candidate"] = version;
  receipt["proven"] = candidate.proven;
  receipt["scorer"] = scorer.hex();
  return receipt.dump();
}

Result<CandidateReport> decode_receipt(std::string_view bytes) {
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  const auto damaged = [] { return failure(diag::Code::E0903, "what the store holds of a candidate is not whole", "run the workflow again: what is damaged is made anew"); };
  if (!json.is_object() || !json.contains("model") || !json["model"].is_string() || !json.contains("candidate") ||
      !json["candidate"].is_number_unsigned() || !json.contains("proven") || !json["proven"].is_boolean() || !json.contains("scorer") ||
      !json["scorer"].is_string())
    return damaged();
  CandidateReport report;
  report.model = json["model"].get<std::string>();
  report.version = json["candidate"].get<std::uint32_t>();
  report.proven = json["proven"].get<bool>();
  report.scorer = Digest::parse(json["scorer"].get<std::string>()).value_or(Digest{});
  return report;
}

}  // namespace mlp::exec
