#pragma once

#include <map>
#include <optional>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/sema/hir.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"

namespace mlp {

struct CheckOptions {
  std::map<std::string, std::string> params;  ///< `--param k=v`
  bool read_environment = false;              ///< MLP_PARAM_name stands in for a param that `--param` does not set
};

/// Resolves every name and types every expression. Every mistake is reported to the sink, one report each; nullopt when there
/// were errors. Reads nothing but its arguments (and the environment, if asked to).
std::optional<hir::Workflow> check(const ast::File& file, const SourceMap& sources, const CheckOptions& options, diag::Sink& sink);

}  // namespace mlp
