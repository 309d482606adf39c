#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"

namespace mlp::driver {

/// One mend that was made. Line and column are those of the text as it was when the mend was made: in later rounds not the first text.
struct MadeFix {
  std::string title;
  std::string before;  ///< the bytes that were replaced, shortened to 80 characters
  std::string after;
  LineColumn at;
};

struct Fixed {
  std::string text;             ///< the given one, byte for byte, where nothing was mended
  std::vector<MadeFix> made;    ///< in the order in which they were made
  std::vector<MadeFix> undone;  ///< those after which there would have been more errors
  std::size_t errors_before = 0;
  std::size_t errors_after = 0;
};

/// Makes the safe fixes of a text (diag::Fix::safe) and checks again, until no safe fix is left (at most 20 rounds). A round after which
/// there are more errors is taken back and its fixes are tried one by one; each that makes the errors more is left out. `path` names the
/// text in messages and is where its imports are relative to; nothing is written.
Fixed fix(const std::string& path, const std::string& text, const CompileOptions& options);

}  // namespace mlp::driver
