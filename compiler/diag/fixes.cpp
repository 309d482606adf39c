#include "compiler/diag/fixes.h"

#include <algorithm>

#include "compiler/support/check.h"

namespace mlp::diag {

std::vector<Fix> choose_safe_fixes(const std::vector<Diagnostic>& diagnostics, std::uint32_t file) {
  std::vector<Fix> safe;
  for (const Diagnostic& d : diagnostics)
    for (const Fix& fix : d.fixes)
      if (fix.safe && fix.span && fix.span.file == file) {
        safe.push_back(fix);
        break;  // two mends of one mistake are alternatives
      }
  std::stable_sort(safe.begin(), safe.end(), [](const Fix& a, const Fix& b) { return a.span < b.span; });
  std::vector<Fix> chosen;
  for (Fix& fix : safe) {
    if (!chosen.empty()) {
      const Span last = chosen.back().span;
      // Two insertions at one place have no order, so one of them waits.
      if (fix.span.begin < last.end || fix.span.begin == last.begin) continue;
    }
    chosen.push_back(std::move(fix));
  }
  return chosen;
}

std::string apply(std::string_view text, const std::vector<Fix>& fixes) {
  std::string out;
  std::size_t from = 0;
  for (const Fix& fix : fixes) {
    MLP_CHECK(fix.span.begin >= from && fix.span.begin <= fix.span.end && fix.span.end <= text.size());
    out += text.substr(from, fix.span.begin - from);
    out += fix.replacement;
    from = fix.span.end;
  }
  out += text.substr(from);
  return out;
}

}  // namespace mlp::diag
