#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// One random edit of a program, as a slip of the hand or a misunderstanding would make it.
namespace mlp::mutations {

struct Mutant {
  std::string text;
  std::string edit;  ///< which edit, and where: "delete a token: `of` in line 12"
};

/// The kinds of edits, in a fixed order.
const std::vector<std::string_view>& kinds();

/// The program after one edit of the kind; nullopt where the program has nothing that such an edit could change.
std::optional<Mutant> mutate(std::string_view program, std::size_t kind, std::mt19937_64& random);

}  // namespace mlp::mutations
