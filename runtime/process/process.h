#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"

/// Programs of others, each in a process group of its own with limits.
namespace mlp::process {

struct Command {
  std::vector<std::string> arguments;    ///< the program first; looked for in our PATH where it has no slash
  std::vector<std::string> environment;  ///< all of it: "NAME=value"
  std::string folder;                    ///< in which it starts; empty: ours
  std::string input;                     ///< what it reads on its standard input
  std::string log;                       ///< file for what it writes on both outputs, made when it writes something; empty: they go to our standard error
  std::chrono::milliseconds longest{std::chrono::hours(1)};
  std::uint64_t most_memory = 0;         ///< bytes of address space of each of its processes; 0: no limit
  std::uint64_t most_log = std::uint64_t{64} << 20;  ///< bytes
  std::string conceal;                   ///< a secret: "..." stands for it in the log
  const std::atomic<bool>* stop = nullptr;
};

/// How it came to its end. However that was, nothing of its group runs any more.
struct Ended {
  enum class How : std::uint8_t { by_itself, by_signal, too_long, too_much_log, stopped } how = How::by_itself;
  int status = 0;          ///< exit status or number of the signal
  std::string last_lines;  ///< of the log, at most 20 lines and 4 KB
  std::uint64_t log_bytes = 0;

  bool good() const { return how == How::by_itself && status == 0; }
};

/// Runs it and waits for it. E0913 where it cannot be started, E0904 where the log cannot be written.
Result<Ended> run(const Command& command);

/// The first file of the name that can be executed in the folders of PATH, or the name itself where it has a slash; empty: none.
std::string find_program(const std::string& name);

}  // namespace mlp::process
