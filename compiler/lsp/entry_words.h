#pragma once

#include <string_view>
#include <vector>

namespace mlp::lsp {

struct WordDoc {
  std::string_view word, doc;
};

/// The words that may begin an entry of a block: "train", "evaluate", "deploy", "serve" (its options), "monitor", "data", "feature",
/// "test", "explore", "env", "schedule"; "file": declarations; "stage": stages of a pipeline; "split": forms of a split;
/// "tag": what follows `@`; "type": names of types; "action": what a monitor does. Empty for others.
const std::vector<WordDoc>& entry_words(std::string_view block);

/// The line about a word of a block; empty where there is none.
std::string_view entry_word_doc(std::string_view block, std::string_view word);

}  // namespace mlp::lsp
