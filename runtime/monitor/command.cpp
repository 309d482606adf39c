#include "runtime/monitor/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/process/process.h"

namespace mlp::monitor {

Result<void> run_command(const std::string& command, const std::string& folder, const std::string& input) {
  process::Command shell;
  shell.arguments = {"/bin/sh", "-c", command};
  for (char** variable = environ; *variable; ++variable) shell.environment.emplace_back(*variable);
  shell.folder = folder;
  shell.input = input;
  shell.longest = std::chrono::seconds(30);
  const auto failed = [](const std::string& why) {
    return failure(diag::Code::E0911, "the command of the alert failed: " + why, "try it by hand with the line of `alert file(…)` on its standard input");
  };
  const auto ended = process::run(shell);
  if (!ended) return failed("the shell cannot be started");
  if (ended->good()) return {};
  if (ended->how == process::Ended::How::too_long) return failed("it did not end within 30 seconds and was ended");
  return failed(ended->how == process::Ended::How::by_itself ? fmt::format("it ended with status {}", ended->status) : fmt::format("signal {} ended it", ended->status));
}

}  // namespace mlp::monitor
