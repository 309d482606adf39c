#pragma once

#include <cstddef>
#include <string_view>

namespace mlp {

/// Code points of a UTF-8 text: the columns that it takes on a terminal, but for wide and combining ones.
std::size_t count_code_points(std::string_view text);
/// The first `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

}  // namespace mlp
