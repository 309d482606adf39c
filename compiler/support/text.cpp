#include "compiler/support/text.h"

#include <algorithm>

namespace mlp {

namespace {
bool begins_code_point(char c) { return (c & 0xC0) != 0x80; }
}  // namespace

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

std::string_view first_code_points(std::string_view text, std::size_t count) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (begins_code_point(text[i]) && count-- == 0) return text.substr(0, i);
  return text;
}

}  // namespace mlp
