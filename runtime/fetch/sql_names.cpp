#include "runtime/fetch/sql_names.h"

namespace mlp::fetch {

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string quoted_table(std::string_view name) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t dot = name.find('.', at);
    out += (at ? "." : "") + quoted_name(name.substr(at, dot - at));
    if (dot == std::string_view::npos) return out;
    at = dot + 1;
  }
}

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

}  // namespace mlp::fetch
