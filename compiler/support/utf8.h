#pragma once

#include <cstddef>
#include <string_view>

namespace mlp {

/// How many bytes from the beginning are well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF; Unicode 15, table 3-7).
std::size_t utf8_prefix(std::string_view bytes);
inline bool is_utf8(std::string_view bytes) { return utf8_prefix(bytes) == bytes.size(); }

}  // namespace mlp
