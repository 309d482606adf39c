#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/support/span.h"

namespace mlp::diag {

enum class Severity : std::uint8_t { error, warning };

enum class Code : std::uint16_t {
#define MLP_CODE(code, severity, title) code,
#include "compiler/diag/codes.def"
#undef MLP_CODE
};

std::string_view name(Code code);   ///< "E0203"
std::string_view title(Code code);  ///< one line, what the code means
Severity severity(Code code);
/// The exit status of a command that ends with this error: 1, 4 or 5 by the family, 3 for what is refused.
int exit_status(Code code);
std::vector<Code> all_codes();

/// A place in the source with a few words about it.
struct Label {
  Span span;
  std::string text;
};

/// A mend that a program can apply: replace the span by the text. `safe` ones are applied by `check --fix`.
struct Fix {
  Span span;
  std::string replacement;
  std::string title;
  bool safe = false;
};

/// A place in a data file, or a value read from it. Lines are physical lines, one-based; 0 where there are none.
struct DataPlace {
  std::string file;
  std::uint64_t line = 0;
  std::string column;
  std::string value;  ///< as it stands in the file, shortened to 80 characters
  std::string reason;
};

/// One mistake, with all that a person needs to mend it.
struct Diagnostic {
  Code code{};
  std::string message;  ///< what is wrong, one line; names of the user in backquotes
  Span span;            ///< where; nowhere for what is in no source file
  std::string label;    ///< a few words under the place
  std::vector<Label> secondary;
  std::string help;  ///< how to mend it
  std::vector<std::string> notes;
  std::vector<Fix> fixes;
  std::vector<DataPlace> places;       ///< the first rows concerned (E08)
  std::uint64_t more_places = 0;       ///< rows concerned that are not listed

  Diagnostic&& with_label(std::string text) && { label = std::move(text); return std::move(*this); }
  Diagnostic&& with_help(std::string text) && { help = std::move(text); return std::move(*this); }
  Diagnostic&& with_secondary(Span at, std::string text) && { secondary.push_back({at, std::move(text)}); return std::move(*this); }
  Diagnostic&& with_note(std::string text) && { notes.push_back(std::move(text)); return std::move(*this); }
  Diagnostic&& with_fix(Fix fix) && { fixes.push_back(std::move(fix)); return std::move(*this); }
};

inline Diagnostic make(Code code, Span span, std::string message) {
  Diagnostic d;
  d.code = code;
  d.span = span;
  d.message = std::move(message);
  return d;
}

/// Where the phases of the compiler report; they go on after a report and poison what they could not understand.
class Sink {
 public:
  void report(Diagnostic diagnostic);
  bool has_errors() const { return errors_ > 0; }
  std::size_t error_count() const { return errors_; }
  std::size_t warning_count() const { return diagnostics_.size() - errors_; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  /// In the order of file and place, duplicates of one code at one place removed.
  void sort();

 private:
  std::vector<Diagnostic> diagnostics_;
  std::size_t errors_ = 0;
};

}  // namespace mlp::diag

namespace mlp {

/// A value, or what the world (files, data, network, processes) had against it.
template <class T>
using Result = std::expected<T, diag::Diagnostic>;

inline std::unexpected<diag::Diagnostic> failure(diag::Diagnostic diagnostic) {
  return std::unexpected<diag::Diagnostic>(std::move(diagnostic));
}
inline std::unexpected<diag::Diagnostic> failure(diag::Code code, std::string message, std::string help = {}) {
  diag::Diagnostic d = diag::make(code, {}, std::move(message));
  d.help = std::move(help);
  return std::unexpected<diag::Diagnostic>(std::move(d));
}

}  // namespace mlp

#define MLP_CONCAT_(a, b) a##b
#define MLP_CONCAT(a, b) MLP_CONCAT_(a, b)
/// `MLP_TRY(auto x, f());`: x is the value of f(), or the function returns its failure.
#define MLP_TRY(declaration, expression)                                                  \
  auto MLP_CONCAT(try_, __LINE__) = (expression);                                         \
  if (!MLP_CONCAT(try_, __LINE__)) return ::mlp::failure(std::move(MLP_CONCAT(try_, __LINE__).error())); \
  declaration = std::move(*MLP_CONCAT(try_, __LINE__))
/// The same for a Result<void>.
#define MLP_TRY_VOID(expression)                                                          \
  if (auto MLP_CONCAT(try_, __LINE__) = (expression); !MLP_CONCAT(try_, __LINE__))        \
  return ::mlp::failure(std::move(MLP_CONCAT(try_, __LINE__).error()))
