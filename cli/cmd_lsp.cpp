#include <unistd.h>

#include <csignal>

#include "cli/command.h"
#include "compiler/driver/compile.h"
#include "compiler/lsp/server.h"
#include "runtime/io/sql_stage.h"

namespace mlp::cli {

int language_server() {
  // An editor that closed the pipe is noticed by the write that fails.
  std::signal(SIGPIPE, SIG_IGN);
  return lsp::serve(STDIN_FILENO, STDOUT_FILENO, driver::read_source, io::bind_sql);
}

}  // namespace mlp::cli
