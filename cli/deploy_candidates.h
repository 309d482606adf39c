#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/exec/run.h"
#include "runtime/registry/registry.h"
#include "runtime/store/catalog.h"
#include "runtime/store/store.h"

namespace mlp::cli {

/// The candidate that the file as it stands makes, or what has to run before there is one.
struct PresentCandidate {
  std::optional<registry::Candidate> candidate;
  std::string step, why;  ///< without one: the first step that is not up to date, and why
};

/// `model` is the name in the plan; `forecasts` are those of exec::preview. Runs nothing.
Result<PresentCandidate> present_candidate(const plan::Physical& plan, const std::vector<exec::StepForecast>& forecasts, const std::string& model,
                                           store::Store& store, store::Catalog& catalog);

}  // namespace mlp::cli
