#include "runtime/secrets/secret.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

namespace mlp::secrets {

namespace {

std::optional<std::string> argument_of(std::string_view text, std::string_view function) {
  const std::string begin = std::string(function) + "(\"";
  if (!text.starts_with(begin) || !text.ends_with("\")")) return std::nullopt;
  return std::string(text.substr(begin.size(), text.size() - begin.size() - 2));
}

}  // namespace

Result<std::string> read_secret(std::string_view kept_in, const std::string& folder, io::FileSystem& files) {
  if (kept_in.empty()) return std::string();
  if (const auto variable = argument_of(kept_in, "env")) {
    const char* const value = std::getenv(variable->c_str());
    if (value && *value) return std::string(value);
    return failure(diag::Code::E0912, fmt::format("the variable {} of the environment, which has a secret, is not set", *variable), "set it where mlpc runs");
  }
  const std::string path = argument_of(kept_in, "file").value_or(std::string(kept_in));
  MLP_TRY(std::string text, io::read_file(files, folder.empty() || path.starts_with('/') ? path : folder + "/" + path));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty()) return failure(diag::Code::E0912, fmt::format("`{}`, which has a secret, is empty", path), "write the secret into it");
  return text;
}

std::string without(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3) text.replace(at, secret.size(), "...");
  return text;
}

}  // namespace mlp::secrets
