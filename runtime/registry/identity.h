#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/registry/audit_log.h"

/// Who does something, and what they may.
namespace mlp::registry {

/// Whoever acts: the holder of a token, or the user of the system when there is none.
struct Identity {
  std::string name;
  bool by_token = false;
  std::vector<std::string> scopes;  ///< of the token: "approve", "approve:risk"
};

/// `token` as it was given (MLP_TOKEN); without one the user of the system. E0608 for a token that the store does not know.
Result<Identity> identify(const std::string& store_directory, const std::optional<std::string>& token);

/// Whether the identity's scopes hold `scope`, or `scope:name` for one of the names, or, save for `approve`, `admin`. A user of
/// the system, who can write the store anyway, may all but approve.
bool may(const Identity& identity, std::string_view scope, const std::vector<std::string_view>& names = {});

struct NewToken {
  std::string token;  ///< shown once; the store keeps its SHA-256 alone
  Entry entry;
};
/// `scopes` are words of `predict read approve deploy admin`, each alone or with `:NAME`; an empty `holder` is the one who acts.
/// E0608 when the identity may not, E0208 for a scope that there is not, E0303 for a name that cannot be one.
Result<NewToken> create_token(const std::string& store_directory, const std::vector<std::string>& scopes, const std::string& holder,
                              const Identity& by);

}  // namespace mlp::registry
