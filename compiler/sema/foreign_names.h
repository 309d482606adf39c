#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compiler/sema/typer.h"

/// Names that other languages have and this one has not: a message that says what stands here for each.
namespace mlp::sema {

/// For a name that is nothing here: `null`, `True`, `np.nan`, `at.hour`, `df.amount`.
std::optional<diag::Diagnostic> foreign_value(const Scope& scope, const ast::Path& path, Span span);
/// Whether an expression is a word such as `null` that names nothing here.
bool is_null_word(const Scope& scope, ast::ExprId id);
/// For a callee that is none here: `len(x)`, `np.log(x)`, `name.lower()`, `isnull(x)`.
std::optional<diag::Diagnostic> foreign_call(const Scope& scope, const ast::Call& call, Span span);
/// The type that others write like this, with what to say of it; empty where there is none.
struct ForeignType {
  std::string_view ours, note;
};
ForeignType foreign_type(std::string_view name);

/// "did you mean `trees`?" for what others call it (`n_estimators`), where it is among the candidates; else by edit distance.
enum class Named : std::uint8_t { model, metric, parameter };
diag::Diagnostic with_meaning(diag::Diagnostic diagnostic, Named what, std::string_view name, Span span, const std::vector<std::string_view>& candidates, std::string otherwise = {});

/// The text of a date, where the operand is one without quotes (`2024-01-31`) or in them; else empty.
std::string date_text(const Context& context, Span span);

/// Every name that a message offers, for the test that each of them exists in the library.
std::vector<std::string_view> offered_names();

}  // namespace mlp::sema
