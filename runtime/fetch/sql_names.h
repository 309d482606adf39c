#pragma once

#include <string>
#include <string_view>

namespace mlp::fetch {

/// A name as SQL writes it.
std::string quoted_name(std::string_view name);
/// A table's name, the parts of `a.b` each quoted by itself.
std::string quoted_table(std::string_view name);
/// A text as SQL writes it.
std::string quoted_text(std::string_view text);

}  // namespace mlp::fetch
