#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

/// Which written argument stands for each parameter of an entry.
struct Bound {
  const Signature* signature = nullptr;
  std::vector<std::optional<std::size_t>> argument;  ///< index into Call::arguments, by parameter; none: the fallback
  std::vector<std::size_t> keyed;                    ///< the "key": value arguments, for the parameter of type map
};

/// Why arguments do not fit the parameters of an entry, or how they do.
struct Binding {
  std::optional<Bound> bound;
  diag::Diagnostic why;
};

/// Parameters that the planner binds, not the user.
bool is_bound_by_planner(const Signature& signature, const Parameter& parameter);
/// Row-wise inputs of a transform; the others are options.
bool is_input(const Signature& signature, std::size_t parameter);
Binding bind_arguments(const Scope& scope, const ast::Call& call, Span span, const Signature& signature);
/// "log1p(x: float)": for messages.
std::string signature_text(const Signature& signature);
std::string types_text(const std::vector<Type>& types);

}  // namespace mlp::sema
