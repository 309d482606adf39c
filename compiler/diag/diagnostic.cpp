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

namespace {

/// A word that is too long to be read, a number of a thousand digits say, by its beginning.
void shorten_words(std::string& text) {
  constexpr std::size_t kLongest = 300, kShown = 100;  // bytes
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (end - at > kLongest) {
      std::size_t cut = at + kShown;
      while ((static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
      const bool quoted = text[at] == '`' && text[end - 1] == '`';
      text.replace(cut, end - cut, quoted ? "…`" : "…");
      at = cut;
    }
    at = std::min(text.find_first_of(" \n", at), text.size()) + 1;
  }
}

}  // namespace

void Sink::report(Diagnostic diagnostic) {
  // What is quoted may have several lines; a message has one.
  std::ranges::replace(diagnostic.message, '\n', ' ');
  std::ranges::replace(diagnostic.label, '\n', ' ');
  shorten_words(diagnostic.message);
  shorten_words(diagnostic.label);
  shorten_words(diagnostic.help);
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
