#include "runtime/registry/identity.h"

#include <errno.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace mlp::registry {

namespace {

constexpr std::string_view kScopes[] = {"predict", "read", "approve", "deploy", "admin"};
constexpr std::string_view kTokenPrefix = "mlp_";

/// Name of the effective user, or "uid 1000" where the system has none for it.
std::string system_user() {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found && found->pw_name && *found->pw_name)
    return found->pw_name;
  return fmt::format("uid {}", geteuid());
}

/// Takes as long for a first byte that differs as for a last one.
bool equal_in_constant_time(const Digest& a, const Digest& b) {
  unsigned different = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i) different |= static_cast<unsigned>(a.bytes[i] ^ b.bytes[i]);
  return different == 0;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("._-@+").find(c) != std::string_view::npos;
  });
}

Result<void> check_scope(const std::string& scope) {
  const std::size_t colon = scope.find(':');
  const std::string word = scope.substr(0, colon);
  if (std::find(std::begin(kScopes), std::end(kScopes), word) == std::end(kScopes))
    return failure(diag::Code::E0208, fmt::format("`{}` is no scope of a token", scope), "scopes are predict, read, approve, deploy and admin; `approve:risk` is for one role or deployment alone");
  if (colon != std::string::npos && !is_name(scope.substr(colon + 1)))
    return failure(diag::Code::E0303, fmt::format("`{}` names nothing after its colon", scope), "name a role or deployment, as in `approve:risk`");
  return {};
}

Result<std::string> random_token() {
  std::array<unsigned char, 32> bytes;
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t n = getrandom(bytes.data() + got, bytes.size() - got, 0);
    if (n > 0) got += static_cast<std::size_t>(n);
    else if (n < 0 && errno != EINTR) return failure(diag::Code::E0907, "the system gives no random bytes", "look at the system's log");
  }
  std::string token(kTokenPrefix);
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

}  // namespace

Result<Identity> identify(const std::string& directory, const std::optional<std::string>& token) {
  if (!token || token->empty()) return Identity{system_user(), false, {}};
  MLP_TRY(const AuditLog log, read_audit_log(directory));
  MLP_TRY_VOID(require_unaltered(log, directory));
  const Digest wanted = sha256(*token);
  const Entry* found = nullptr;
  for (const Entry& entry : log.entries)
    if (entry.event == Event::token_created && equal_in_constant_time(entry.token, wanted)) found = &entry;
  if (!found) return failure(diag::Code::E0608, fmt::format("the token in MLP_TOKEN is not known in `{}`", directory), "`mlpc token create` makes one; tokens are of one store");
  return Identity{found->holder, true, found->scopes};
}

bool may(const Identity& identity, std::string_view scope, const std::vector<std::string_view>& names) {
  if (!identity.by_token) return scope != "approve";
  for (const std::string& held : identity.scopes) {
    if (held == scope || (held == "admin" && scope != "approve")) return true;
    for (const std::string_view name : names)
      if (!name.empty() && held == fmt::format("{}:{}", scope, name)) return true;
  }
  return false;
}

Result<NewToken> create_token(const std::string& directory, const std::vector<std::string>& scopes, const std::string& holder, const Identity& by) {
  if (!may(by, "admin"))
    return failure(diag::Code::E0608, fmt::format("the token of `{}` may not create tokens", by.name), "that takes a token with the scope admin, or the user of the system without a token");
  if (scopes.empty()) return failure(diag::Code::E0208, "a token without a scope may do nothing", "give one or more: --scope approve");
  for (const std::string& scope : scopes) MLP_TRY_VOID(check_scope(scope));
  if (!holder.empty() && !is_name(holder))
    return failure(diag::Code::E0303, fmt::format("`{}` cannot be the name of a token's holder", holder), "up to 64 letters, digits and any of . _ - @ +");
  MLP_TRY(std::string token, random_token());
  MLP_TRY(LockedAuditLog log, LockedAuditLog::open(directory));
  Entry entry;
  entry.event = Event::token_created;
  entry.who = by.name;
  entry.holder = holder.empty() ? by.name : holder;
  entry.scopes = scopes;
  entry.token = sha256(token);
  MLP_TRY(entry, log.append(std::move(entry)));
  return NewToken{std::move(token), std::move(entry)};
}

}  // namespace mlp::registry
