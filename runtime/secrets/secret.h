#pragma once

#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/file_system.h"

/// Secrets are known by where they are kept, until the moment in which they are used. What is read here goes to whom the workflow
/// names, and nowhere else: into no plan, key, log, lineage or message.
namespace mlp::secrets {

/// The value of `env("NAME")` or `file("path")`, as the plan has it; of an empty text an empty one. Paths are relative to `folder`.
/// E0912 where the variable is not set or the file is empty, E0901.
Result<std::string> read_secret(std::string_view kept_in, const std::string& folder, io::FileSystem& files);

/// `text` without the secret, wherever it stands in it; for the words of a library.
std::string without(std::string text, std::string_view secret);

}  // namespace mlp::secrets
