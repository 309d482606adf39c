#pragma once

#include <string_view>

namespace mlp {

/// Ends the process with exit code 70 after saying what of our own assumptions did not hold.
[[noreturn]] void fail_check(const char* file, int line, std::string_view what);

}  // namespace mlp

/// States something that only a bug of ours can break; in every build.
#define MLP_CHECK(condition)                                        \
  do {                                                              \
    if (!(condition)) ::mlp::fail_check(__FILE__, __LINE__, #condition); \
  } while (false)
