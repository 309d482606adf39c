#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Values out of the text of one field. Each `parse_…` reads the whole text or gives nullopt, and loses nothing: a text that
/// the type cannot hold exactly (a fraction in an int) is refused, not rounded. `why_no_…` says in words why a text is refused.
namespace mlp::io {

/// Whole numbers of 64 bits, with an optional sign. "1.0" and "1e3" are not.
std::optional<std::int64_t> parse_int(std::string_view text);
std::string why_no_int(std::string_view text);

/// Decimal numbers, rounded to the nearest double; `decimal` stands between whole part and fraction. No "nan", no "inf"; what
/// exceeds the largest double is refused, what is nearer to zero than the smallest is zero.
std::optional<double> parse_float(std::string_view text, char decimal = '.');
std::string why_no_float(std::string_view text, char decimal = '.');

/// true, false, 0, 1, in any case.
std::optional<bool> parse_bool(std::string_view text);

/// Microseconds from amounts of w, d, h, min, s, ms, us ("1d 12h", "90min", "-5s") or from "[-]H:MM:SS[.ffffff]".
std::optional<std::int64_t> parse_duration(std::string_view text);

/// ": it has a blank …" where blanks around the text are what is wrong with it; else empty.
std::string_view hint_of_blanks(std::string_view text);

/// Fit for a message: at most 80 characters, invalid UTF-8 replaced.
std::string shortened(std::string_view text);

}  // namespace mlp::io
