#include "runtime/monitor/command.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

extern char** environ;

namespace mlp::monitor {

namespace {

constexpr std::chrono::seconds kLongest{30};

std::unexpected<diag::Diagnostic> failed(const std::string& why) {
  return failure(diag::Code::E0911, "the command of the alert failed: " + why, "try it by hand with the line of `alert file(…)` on its standard input");
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<void> run_command(const std::string& command, const std::string& folder, const std::string& input) {
  // A file in memory rather than a pipe: a command that does not read cannot hold us up.
  const Descriptor text{::memfd_create("alert", MFD_CLOEXEC)};
  if (text.fd < 0) return failed("there is no memory for its input");
  for (std::size_t at = 0; at < input.size();) {
    const ssize_t wrote = ::write(text.fd, input.data() + at, input.size() - at);
    if (wrote <= 0) return failed("there is no memory for its input");
    at += static_cast<std::size_t>(wrote);
  }
  ::lseek(text.fd, 0, SEEK_SET);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, text.fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);  // so that all it starts can be ended
  std::string shell = "/bin/sh", flag = "-c", line = command;
  char* const arguments[] = {shell.data(), flag.data(), line.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed("the shell cannot be started");

  const auto end = std::chrono::steady_clock::now() + kLongest;
  int status = 0;
  for (;;) {
    const pid_t done = ::waitpid(child, &status, WNOHANG);
    if (done == child) break;
    if (done < 0 && errno != EINTR) return failed("it was lost");
    if (std::chrono::steady_clock::now() > end) {
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
      return failed("it did not end within 30 seconds and was ended");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return failed(WIFEXITED(status) ? fmt::format("it ended with status {}", WEXITSTATUS(status)) : fmt::format("signal {} ended it", WTERMSIG(status)));
}

}  // namespace mlp::monitor
