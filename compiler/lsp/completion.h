#pragma once

#include <string>
#include <vector>

#include "compiler/lsp/meaning.h"

namespace mlp::lsp {

enum class ItemKind : std::uint8_t { column, param, declaration, function, model, metric, word, argument, type, value };

struct CompletionItem {
  std::string label;
  ItemKind kind{};
  std::string detail;  ///< a type or a declaration, on one line
  std::string doc;
  std::string insert;  ///< what is written; a name that is none by itself stands in backquotes
  int group = 0;       ///< nearer things first
};

struct Completion {
  Span replace;  ///< the part of the word before the cursor
  std::vector<CompletionItem> items;
};

/// What may stand at the byte, whatever letters are there already. Nothing in comments and texts.
Completion complete(const Analysis& now, const Analysis* last_good, std::uint32_t offset);

}  // namespace mlp::lsp
