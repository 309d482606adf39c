#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mlp {

/// Code points of a UTF-8 text.
std::size_t count_code_points(std::string_view text);
/// The first `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

/// Columns that a UTF-8 text takes on a terminal: two for the wide characters of East Asia and emoji, none for combining ones.
std::size_t terminal_columns(std::string_view text);
/// As many code points from the beginning as take at most `columns` on a terminal.
std::string_view first_terminal_columns(std::string_view text, std::size_t columns);
/// Control characters as `\n`, `\x1b`: on a terminal they would move the cursor, or worse.
std::string escaped(std::string_view text);
/// 1234567 as 1,234,567.
std::string with_commas(std::uint64_t n);

}  // namespace mlp
