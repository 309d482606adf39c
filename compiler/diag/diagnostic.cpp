#include "compiler/diag/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace mlp::diag {

namespace {

struct Entry {
  std::string_view name;
  Severity severity;
  std::string_view title;
};

constexpr Entry kCodes[] = {
#define MLP_CODE(code, severity, title) {#code, Severity::severity, title},
#include "compiler/diag/codes.def"
#undef MLP_CODE
};

const Entry& entry(Code code) { return kCodes[static_cast<std::size_t>(code)]; }

}  // namespace

std::string_view name(Code code) { return entry(code).name; }
std::string_view title(Code code) { return entry(code).title; }
Severity severity(Code code) { return entry(code).severity; }

int exit_status(Code code) {
  if (code >= Code::E0604 && code <= Code::E0609) return 3;
  const std::string_view family = name(code).substr(1, 2);
  return family == "08" ? 4 : family == "09" ? 5 : 1;
}

std::vector<Code> all_codes() {
  std::vector<Code> codes;
  for (std::size_t i = 0; i < std::size(kCodes); ++i) codes.push_back(static_cast<Code>(i));
  return codes;
}

void Sink::report(Diagnostic diagnostic) {
  if (severity(diagnostic.code) == Severity::error) ++errors_;
  diagnostics_.push_back(std::move(diagnostic));
}

void Sink::sort() {
  const auto place = [](const Diagnostic& d) { return std::tuple(d.span.file, d.span.begin, d.span.end, d.code); };
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  const auto same = [&](const Diagnostic& a, const Diagnostic& b) { return a.span && place(a) == place(b); };
  diagnostics_.erase(std::unique(diagnostics_.begin(), diagnostics_.end(), same), diagnostics_.end());
  errors_ = static_cast<std::size_t>(std::count_if(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& d) {
    return severity(d.code) == Severity::error;
  }));
}

}  // namespace mlp::diag
