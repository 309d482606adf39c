#pragma once

#include <string_view>

namespace mlp {

/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF; Unicode 15, table 3-7).
bool is_utf8(std::string_view bytes);

}  // namespace mlp
