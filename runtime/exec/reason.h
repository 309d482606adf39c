#pragma once

#include <string>

#include "runtime/exec/session.h"

namespace mlp::exec {

/// Digest of all cells of a step's output; what the catalog remembers of an input.
Digest output_digest(const StepState& state);
/// The record of a finished step for the catalog.
store::RunStep record_of(const Session& session, plan::StepId step, const StepReport& report, const Digest& key);
/// Why a step that is not in the store has to run: which edit, or which input. The inputs that are not done yet are left out.
std::string reason_to_run(Session& session, plan::StepId step);
/// The same of a HashSource whose table a function makes.
std::string reason_to_call(Session& session, plan::StepId step);

}  // namespace mlp::exec
