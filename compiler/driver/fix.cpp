#include "compiler/driver/fix.h"

#include <algorithm>

#include "compiler/diag/fixes.h"
#include "compiler/support/text.h"

namespace mlp::driver {

namespace {

constexpr int kMostRounds = 20;
/// Fixes of a round that made things worse are tried alone, each for the price of a check.
constexpr std::size_t kMostAlone = 200;

struct Checked {
  std::size_t errors = 0;
  std::vector<diag::Fix> fixes;  ///< safe ones of this text
};

Checked check(const std::string& path, const std::string& text, const CompileOptions& options) {
  const Compiled compiled = compile_text(path, text, options, Phase::hir);
  return {compiled.sink.error_count(), diag::choose_safe_fixes(compiled.sink.diagnostics(), 0)};
}

MadeFix made(const diag::Fix& fix, const SourceMap& sources) {
  return {fix.title, std::string(first_code_points(sources.text(fix.span), 80)), fix.replacement,
          sources.locate(fix.span.file, fix.span.begin)};
}

bool same(const diag::Fix& fix, const MadeFix& other, const SourceMap& sources) {
  const LineColumn at = sources.locate(fix.span.file, fix.span.begin);
  return at.line == other.at.line && at.column == other.at.column && fix.replacement == other.after;
}

}  // namespace

Fixed fix(const std::string& path, const std::string& text, const CompileOptions& options) {
  Fixed out;
  out.text = text;
  Checked now = check(path, out.text, options);
  out.errors_before = out.errors_after = now.errors;
  for (int round = 0; round < kMostRounds; ++round) {
    SourceMap sources;
    sources.add(path, out.text);
    std::vector<diag::Fix> fixes;
    for (diag::Fix& f : now.fixes)
      if (std::ranges::none_of(out.undone, [&](const MadeFix& u) { return same(f, u, sources); })) fixes.push_back(std::move(f));
    if (fixes.empty()) break;
    std::string mended = diag::apply(out.text, fixes);
    Checked after = check(path, mended, options);
    if (after.errors > now.errors) {
      // Taken back; the last first, so that the places of the others stay where they are.
      mended = out.text;
      after = {now.errors, {}};
      std::vector<diag::Fix> good;
      std::size_t tried = 0;
      for (std::size_t i = fixes.size(); i-- > 0;) {
        std::string alone = tried++ < kMostAlone ? diag::apply(mended, {fixes[i]}) : std::string();
        Checked with = alone.empty() ? Checked{after.errors + 1, {}} : check(path, alone, options);
        if (with.errors > after.errors) {
          out.undone.push_back(made(fixes[i], sources));
        } else {
          mended = std::move(alone);
          after = std::move(with);
          good.insert(good.begin(), std::move(fixes[i]));
        }
      }
      fixes = std::move(good);
    }
    if (fixes.empty() || mended == out.text) break;
    for (const diag::Fix& f : fixes) out.made.push_back(made(f, sources));
    out.text = std::move(mended);
    now = std::move(after);
    out.errors_after = now.errors;
  }
  return out;
}

}  // namespace mlp::driver
