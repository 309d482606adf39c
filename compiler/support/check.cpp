#include "compiler/support/check.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mlp {

void fail_check(const char* file, int line, std::string_view what) {
  const char* base = std::strrchr(file, '/');
  fmt::print(stderr,
             "mlpc: this is a bug of mlpc, not of your workflow ({}:{}: {}).\n"
             "  Nothing half-written is left in the store. Please report it with the command you ran.\n",
             base ? base + 1 : file, line, what);
  std::fflush(stderr);
  std::_Exit(70);
}

}  // namespace mlp
