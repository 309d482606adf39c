// A broken assumption (MLP_CHECK) ends mlpc by _Exit, which libFuzzer does not see; linked with --wrap=_Exit it is a crash.
#include <cstdlib>

extern "C" [[noreturn]] void __real__Exit(int status);

extern "C" [[noreturn]] void __wrap__Exit(int status) {
  if (status == 70) std::abort();
  __real__Exit(status);
}
