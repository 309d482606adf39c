#include "runtime/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

namespace mlp::process {

namespace {

using Clock = std::chrono::steady_clock;

struct Descriptor {
  int fd = -1;
  ~Descriptor() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

std::unexpected<diag::Diagnostic> cannot_start(const Command& command, const std::string& why) {
  return failure(diag::Code::E0913, fmt::format("`{}` cannot be started: {}", command.arguments.front(), why), "see whether it is installed and may be executed");
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

void limit(int resource, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// The child between fork and exec: nothing here may allocate.
[[noreturn]] void become(const Command& command, const char* program, char* const* arguments, char* const* environment, int input, int output, int told) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody is left behind when we are killed
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  if (command.most_memory) limit(RLIMIT_AS, command.most_memory);
  if ((command.folder.empty() || ::chdir(command.folder.c_str()) == 0) && ::dup2(input, 0) >= 0 && ::dup2(output, 1) >= 0 && ::dup2(output, 2) >= 0)
    ::execve(program, arguments, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t wrote = ::write(told, &error, sizeof error);
  ::_exit(127);
}

/// What the program writes: into the log, and its end is kept.
class Log {
 public:
  Log(const Command& command, Ended& ended) : command_(command), ended_(ended) {}

  Result<void> add(std::string_view bytes) {
    ended_.log_bytes += bytes.size();
    if (command_.conceal.empty()) return write(bytes);
    // What may be the beginning of the secret waits for what comes next.
    pending_ += bytes;
    for (std::size_t at = 0; (at = pending_.find(command_.conceal, at)) != std::string::npos; at += 3) pending_.replace(at, command_.conceal.size(), "...");
    const std::size_t waits = std::min(pending_.size(), command_.conceal.size() - 1);
    const std::string ready = pending_.substr(0, pending_.size() - waits);
    pending_.erase(0, ready.size());
    return write(ready);
  }

  Result<void> finish() {
    MLP_TRY_VOID(write(std::exchange(pending_, {})));
    while (!tail_.empty() && (tail_.back() == '\n' || tail_.back() == '\r')) tail_.pop_back();
    const std::size_t from = tail_.size() > kTail ? tail_.size() - kTail : 0;
    std::size_t at = tail_.size();
    for (int lines = 0; at > from; --at)
      if (tail_[at - 1] == '\n' && ++lines == kLines) break;
    ended_.last_lines = tail_.substr(at);
    return {};
  }

 private:
  Result<void> write(std::string_view bytes) {
    if (bytes.empty()) return {};
    tail_.append(bytes.data(), bytes.size());
    if (tail_.size() > 4 * kTail) tail_.erase(0, tail_.size() - kTail);
    if (file_.fd < 0) file_.fd = ::open(command_.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    while (!bytes.empty()) {
      const ssize_t wrote = file_.fd < 0 ? -1 : ::write(file_.fd, bytes.data(), bytes.size());
      if (wrote <= 0) {
        if (errno == EINTR) continue;
        return failure(diag::Code::E0904, fmt::format("the log `{}` cannot be written: {}", command_.log, ::strerror(errno)), "free room on the disk, or mend the permissions of the store");
      }
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  }

  static constexpr std::size_t kTail = 4096;
  static constexpr int kLines = 20;
  const Command& command_;
  Ended& ended_;
  Descriptor file_;
  std::string tail_, pending_;
};

}  // namespace

std::string find_program(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  const char* const path = ::getenv("PATH");
  std::string_view folders = path && *path ? path : "/usr/bin:/bin";
  while (true) {
    const std::size_t colon = folders.find(':');
    const std::string found = fmt::format("{}/{}", colon == 0 || folders.empty() ? "." : folders.substr(0, colon), name);
    if (::access(found.c_str(), X_OK) == 0) return found;
    if (colon == std::string_view::npos) return {};
    folders.remove_prefix(colon + 1);
  }
}

Result<Ended> run(const Command& command) {
  const std::string program = find_program(command.arguments.front());
  if (program.empty()) return cannot_start(command, "there is no such program");
  // A file in memory rather than a pipe: a program that does not read cannot hold us up.
  Descriptor input{::memfd_create("input", MFD_CLOEXEC)};
  if (input.fd < 0) return cannot_start(command, ::strerror(errno));
  for (std::size_t at = 0; at < command.input.size();) {
    const ssize_t wrote = ::write(input.fd, command.input.data() + at, command.input.size() - at);
    if (wrote <= 0) return cannot_start(command, "there is no memory for its input");
    at += static_cast<std::size_t>(wrote);
  }
  ::lseek(input.fd, 0, SEEK_SET);
  int ends[2], told[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return cannot_start(command, ::strerror(errno));
  Descriptor output{ends[0]}, writing{ends[1]};
  if (::pipe2(told, O_CLOEXEC) != 0) return cannot_start(command, ::strerror(errno));
  Descriptor telling{told[0]}, tells{told[1]};
  const std::vector<char*> arguments = pointers(command.arguments), environment = pointers(command.environment);
  const bool logs = !command.log.empty();
  const pid_t child = ::fork();
  if (child == 0) become(command, program.c_str(), arguments.data(), environment.data(), input.fd, logs ? writing.fd : STDERR_FILENO, tells.fd);
  if (child < 0) return cannot_start(command, ::strerror(errno));
  ::setpgid(child, child);  // whoever of us two is first
  writing.close();
  tells.close();
  int error = 0;
  if (::read(telling.fd, &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(child, nullptr, 0);
    return cannot_start(command, ::strerror(error));
  }

  Ended ended;
  Log log(command, ended);
  const auto end = Clock::now() + command.longest;
  Result<void> written;
  bool over = false, open = logs;
  int status = 0;
  const auto drain = [&](int wait_ms) {
    char bytes[1 << 16];
    pollfd ready{output.fd, POLLIN, 0};
    if (::poll(&ready, 1, wait_ms) <= 0) return false;
    const ssize_t got = ::read(output.fd, bytes, sizeof bytes);
    if (got <= 0) {
      open = got < 0 && errno == EINTR;
      return false;
    }
    if (written) written = log.add(std::string_view(bytes, static_cast<std::size_t>(got)));
    return true;
  };
  while (!over) {
    if (open) drain(10);
    else std::this_thread::sleep_for(std::chrono::milliseconds(2));
    siginfo_t info{};
    // It is not reaped yet: as long as it is there, its group is nobody else's.
    over = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ? errno != EINTR : info.si_pid == child;
    if (over) break;
    if (command.stop && command.stop->load()) ended.how = Ended::How::stopped;
    else if (Clock::now() > end) ended.how = Ended::How::too_long;
    else if (ended.log_bytes > command.most_log) ended.how = Ended::How::too_much_log;
    over = !written || ended.how != Ended::How::by_itself;
  }
  ::kill(-child, SIGKILL);  // also what it started and left behind
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  // A process that left the group may hold the pipe open.
  for (const auto last = Clock::now() + std::chrono::seconds(1); open && ended.log_bytes <= command.most_log && Clock::now() < last;)
    if (!drain(50) && !open) break;
  if (auto finished = log.finish(); written && !finished) written = std::move(finished);
  if (!written) return failure(std::move(written.error()));
  if (ended.how == Ended::How::by_itself) {
    ended.how = WIFSIGNALED(status) ? Ended::How::by_signal : Ended::How::by_itself;
    ended.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended;
}

}  // namespace mlp::process
