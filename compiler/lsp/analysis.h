#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "compiler/lsp/names.h"
#include "compiler/lsp/positions.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"

namespace mlp::lsp {

/// All that is known of one version of a document.
struct Analysis {
  SourceMap sources;
  std::uint32_t main = 0;  ///< the document among `sources`
  Lines lines{""};
  ast::File file;
  diag::Sink sink;
  Names names;

  const std::string& text() const { return sources.file(main).text; }
};

/// Parses and checks a text. Reads no file but the mlp.lock beside it, and no environment: a param has its default.
std::shared_ptr<const Analysis> analyse(std::string path, std::string text);

/// The word at the byte, or that ends at it, without backquotes; nowhere where there is none.
Span word_at(const Analysis& analysis, std::uint32_t offset);

}  // namespace mlp::lsp
