#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/lsp/names.h"
#include "compiler/lsp/positions.h"
#include "compiler/sema/imports.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"
#include "compiler/types/sql_binding.h"

namespace mlp::lsp {

/// All that is known of one version of a document.
struct Analysis {
  SourceMap sources;
  std::uint32_t main = 0;  ///< the document among `sources`
  Lines lines{""};
  ast::File file;
  Imports imports;
  diag::Sink sink;
  Names names;

  const std::string& text() const { return sources.file(main).text; }
};

/// What a text is checked with.
struct AnalysisOptions {
  std::string env;  ///< the `env` block that holds, in files that have one of this name; empty: none
  ReadText read;    ///< of imports; not set: none is read, and what they declare is not known
  SqlTyper type_sql;  ///< as CheckOptions::type_sql
};

/// Parses and checks a text with what it imports and the mlp.lock beside it. No variable of the environment is read: a param has its
/// default, or the value that the `env` block says.
std::shared_ptr<const Analysis> analyse(std::string path, std::string text, const AnalysisOptions& options = {});

/// The word at the byte, or that ends at it, without backquotes; nowhere where there is none.
Span word_at(const Analysis& analysis, std::uint32_t offset);

}  // namespace mlp::lsp
