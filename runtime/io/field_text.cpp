#include "runtime/io/field_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "compiler/support/utf8.h"

namespace mlp::io {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_in_any_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

/// For a well-formed number out of the range of doubles: whether it is too small rather than too large. The decimal exponent of
/// its first digit that is not zero decides.
bool is_too_small(std::string_view text) {
  const auto e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool negative = digits.starts_with('-');
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc{}) return negative;
    if (exponent > 1'000'000'000'000) return negative;
    if (negative) exponent = -exponent;
  }
  const auto point = std::min(mantissa.find('.'), mantissa.size());
  const auto first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return exponent + place < 0;
}

std::optional<double> parse_float_with_point(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const std::string_view unsigned_part =
      digits.starts_with('-') && digits.size() == text.size() ? digits.substr(1) : digits;
  if (unsigned_part.empty() || !(is_digit(unsigned_part[0]) || unsigned_part[0] == '.')) return std::nullopt;
  double value;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc{}) return std::isfinite(value) ? std::optional(value) : std::nullopt;
  if (!is_too_small(unsigned_part)) return std::nullopt;
  return digits.starts_with('-') ? -0.0 : 0.0;
}

}  // namespace

std::optional<std::int64_t> parse_int(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
  }
  std::int64_t value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string why_no_int(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  if (!digits.empty() && std::ranges::all_of(digits, is_digit)) return "does not fit into 64 bits";
  if (parse_float_with_point(text)) return "written with a fraction; an int is a whole number";
  return "not a whole number" + std::string(hint_of_blanks(text));
}

std::optional<double> parse_float(std::string_view text, char decimal) {
  if (decimal == '.') return parse_float_with_point(text);
  if (text.find('.') != std::string_view::npos) return std::nullopt;
  std::array<char, 128> small;
  if (text.size() <= small.size()) {
    std::ranges::replace_copy(text, small.begin(), decimal, '.');
    return parse_float_with_point({small.data(), text.size()});
  }
  std::string copy(text);
  std::ranges::replace(copy, decimal, '.');
  return parse_float_with_point(copy);
}

std::string why_no_float(std::string_view text, char decimal) {
  if (decimal != '.' && parse_float_with_point(text)) {
    return std::string("has a point; the table's decimal mark is `") + decimal + "`";
  }
  std::string with_point(text);
  std::ranges::replace(with_point, decimal, '.');
  std::string_view digits = with_point;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  double value;
  if (!digits.empty() && (is_digit(digits[0]) || digits[0] == '.')) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range && end == digits.data() + digits.size()) return "too large for a float";
  }
  if (equal_in_any_case(digits, "nan") || equal_in_any_case(digits, "inf") || equal_in_any_case(digits, "infinity")) {
    return "not a number; `null:` says which text means missing";
  }
  return "not a number" + std::string(hint_of_blanks(text));
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "1" || equal_in_any_case(text, "true")) return true;
  if (text == "0" || equal_in_any_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> kUnits = {{{"w", 604'800'000'000},
                                                                                       {"d", 86'400'000'000},
                                                                                       {"h", 3'600'000'000},
                                                                                       {"min", 60'000'000},
                                                                                       {"s", 1'000'000},
                                                                                       {"ms", 1'000},
                                                                                       {"us", 1}}};
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t total = 0;
  const auto take_number = [&]() -> std::optional<std::int64_t> {
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
    std::int64_t value;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  };
  const auto add = [&](std::int64_t amount, std::int64_t unit) {
    std::int64_t product;
    return !__builtin_mul_overflow(amount, unit, &product) && !__builtin_add_overflow(total, product, &total);
  };

  if (text.find(':') != std::string_view::npos) {
    const auto two_digits = [&]() -> std::optional<std::int64_t> {
      if (text.size() < 3 || text[0] != ':' || !is_digit(text[1]) || !is_digit(text[2]) || text[1] > '5')
        return std::nullopt;
      const std::int64_t value = (text[1] - '0') * 10 + (text[2] - '0');
      text.remove_prefix(3);
      return value;
    };
    const auto hours = take_number();
    const auto minutes = two_digits();
    const auto seconds = two_digits();
    if (!hours || !minutes || !seconds) return std::nullopt;
    if (!add(*hours, 3'600'000'000) || !add(*minutes, 60'000'000) || !add(*seconds, 1'000'000)) return std::nullopt;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      if (text.empty() || text.size() > 6) return std::nullopt;
      std::int64_t unit = 1'000'000;
      for (const char c : text) {
        unit /= 10;
        if (!is_digit(c) || !add(c - '0', unit)) return std::nullopt;
      }
      text = {};
    }
    if (!text.empty()) return std::nullopt;
    return negative ? -total : total;
  }

  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto amount = take_number();
    if (!amount) return std::nullopt;
    const auto size = static_cast<std::size_t>(
        std::ranges::find_if_not(text, [](char c) { return c >= 'a' && c <= 'z'; }) - text.begin());
    const auto unit =
        std::ranges::find(kUnits, text.substr(0, size), &std::pair<std::string_view, std::int64_t>::first);
    if (unit == kUnits.end() || !add(*amount, unit->second)) return std::nullopt;
    text.remove_prefix(size);
    if (text.empty()) break;
    while (!text.empty() && text[0] == ' ')
      text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  return negative ? -total : total;
}

std::string_view hint_of_blanks(std::string_view text) {
  if (text.empty() || !(is_blank(text.front()) || is_blank(text.back()))) return "";
  return ": it has a blank before or after it (`trim: true` takes blanks away)";
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    std::size_t size = 1;
    while (size < 4 && at + size < text.size() && (text[at + size] & 0xC0) == 0x80)
      ++size;
    // The last of the 80 is the mark of what was left out.
    if (characters == kMost - 1 && at + size < text.size()) return out + "…";
    const std::string_view character = text.substr(at, size);
    if (is_utf8(character)) {
      out += character;
    } else {
      out += "\xEF\xBF\xBD";
    }
    at += size;
  }
  return out;
}

}  // namespace mlp::io
