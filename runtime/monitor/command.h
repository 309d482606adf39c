#pragma once

#include <string>

#include "compiler/diag/diagnostic.h"

namespace mlp::monitor {

/// Runs a command line of the shell in `folder`, with `input` on its standard input; what it prints goes to our standard error.
/// After 30 seconds it is ended. E0911 when it cannot be started, ends with another status than 0, or is ended.
Result<void> run_command(const std::string& command, const std::string& folder, const std::string& input);

}  // namespace mlp::monitor
