#pragma once

#include <string>

#include "compiler/diag/diagnostic.h"

namespace mlp::monitor {

/// POSTs a JSON text to an http or https address: no redirects, 30 seconds at most. E0911, without the address, when there is no
/// answer or another than 2xx; E0905.
Result<void> post_json(const std::string& url, const std::string& body);

/// What the loader looks up in the module: an empty text, or what went wrong.
using PostJson = std::string (*)(const std::string& url, const std::string& body);

}  // namespace mlp::monitor
