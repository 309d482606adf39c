#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/io/date_text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// The usual ways of writing a value, read fast: eight digits are one multiplication chain. Each gives false for every other text, which
/// field_text.h and date_text.h then read, or refuse; the values are the same. 16 bytes after a text have to be readable.
namespace mlp::io {

/// Eight bytes as digits, the first the most significant; false where one is none.
inline bool eight_digits(std::uint64_t bytes, std::uint64_t& value) {
  const std::uint64_t high = bytes & 0xF0F0F0F0F0F0F0F0, carried = (bytes + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0;
  if (high != 0x3030303030303030 || carried != 0x3030303030303030) return false;
  bytes = (bytes & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
  bytes = (bytes & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  value = (bytes & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
  return true;
}

/// One to eight digits.
inline bool few_digits(const char* text, std::size_t count, std::uint64_t& value) {
  std::uint64_t bytes;
  std::memcpy(&bytes, text, 8);
  // The digits move to the end, and zeros come before them; in two steps, for a word is not shifted by 64.
  return eight_digits(bytes << (64 - 8 * count) | std::uint64_t{0x3030303030303030} >> 4 * count >> 4 * count, value);
}

inline bool quick_bool(const char* text, std::size_t size, bool& value) {
  std::uint64_t bytes;
  std::memcpy(&bytes, text, 8);
  value = (size == 4) & ((bytes & 0xFFFFFFFF) == 0x65757274);  // no branch: which it is cannot be guessed
  return value | ((size == 5) & ((bytes & 0xFFFFFFFFFF) == 0x65736C6166));
}

inline bool quick_int(const char* text, std::size_t size, std::int64_t& value) {
  const bool negative = *text == '-';
  text += negative, size -= negative;
  std::uint64_t high = 0, low = 0;
  if (size == 0 || size > 16) return false;
  if (size <= 8) {
    if (!few_digits(text, size, low)) return false;
  } else if (!few_digits(text, size - 8, high) || !few_digits(text + size - 8, 8, low)) {
    return false;
  }
  const auto whole = static_cast<std::int64_t>(high * 100'000'000 + low);
  value = (whole ^ -std::int64_t{negative}) + negative;  // no branch: signs cannot be guessed
  return true;
}

/// 5^-p of Eisel and Lemire (Lemire, "Number parsing at a gigabyte per second", 2021): the first 128 bits, rounded up.
struct InverseOfFive {
  std::uint64_t high, low;
};
inline constexpr auto kInversesOfFive = [] {
  std::array<InverseOfFive, 28> out{};
  std::uint64_t power = 1;
  for (std::size_t p = 0; p < out.size(); ++p, power *= 5) {
    // 2^(bits + 127) / 5^p, a binary digit after the other; 5^27 is less than 2^63.
    const int bits = 64 - std::countl_zero(power - 1);
    unsigned __int128 quotient = 0;
    std::uint64_t rest = 1;
    for (int i = 0; i < bits + 127; ++i) {
      rest <<= 1;
      quotient <<= 1;
      if (rest >= power) rest -= power, quotient |= 1;
    }
    ++quotient;
    out[p] = {static_cast<std::uint64_t>(quotient >> 64), static_cast<std::uint64_t>(quotient)};
  }
  return out;
}();

/// The double nearest to digits / 10^p, of ties the even one; 1 <= p <= 27, so 128 bits of the inverse always decide.
inline double nearest_quotient(std::uint64_t digits, int p) {
  if (digits == 0) return 0;
  const int zeros = std::countl_zero(digits);
  const std::uint64_t scaled = digits << zeros;
  const InverseOfFive inverse = kInversesOfFive[static_cast<std::size_t>(p)];
  const auto product = static_cast<unsigned __int128>(scaled) * inverse.high;
  auto high = static_cast<std::uint64_t>(product >> 64), low = static_cast<std::uint64_t>(product);
  if ((high & 0x1FF) == 0x1FF) {
    const auto more = static_cast<std::uint64_t>(static_cast<unsigned __int128>(scaled) * inverse.low >> 64);
    low += more;
    high += low < more;
  }
  const int upper = static_cast<int>(high >> 63);
  std::uint64_t mantissa = high >> (upper + 9);  // 54 bits: one more than are kept
  // 10^p divides only what is exact below the last bit here when p is small: that is a tie.
  if (low <= 1 && p <= 4 && (mantissa & 3) == 1 && mantissa << (upper + 9) == high) mantissa &= ~std::uint64_t{1};
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  // Without the leading bit, which adds one to the exponent; so does a carry out of all bits.
  const int exponent = (-217706 * p >> 16) + 63 + upper - zeros + 1023;
  return std::bit_cast<double>((static_cast<std::uint64_t>(exponent - 1) << 52) + mantissa);
}

/// Digits after a point from the ninth on, `point` digits before it: up to 19 that count.
inline bool quick_long_float(const char* text, std::size_t size, std::size_t point, std::uint64_t whole, double& value) {
  const std::size_t digits = size - point - 1;
  if (digits > 24) return false;
  const char* at = text + point + 1;
  const std::size_t first = (digits - 1) % 8 + 1;
  static constexpr std::uint64_t kWhole[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
  std::uint64_t part = 0;
  if (!few_digits(at, first, part)) return false;
  std::uint64_t all = whole * kWhole[first] + part;
  for (std::size_t done = first; done < digits; done += 8) {
    // Less than 10^11 here leaves less than 10^19.
    if (all >= 100'000'000'000 || !few_digits(at + done, 8, part)) return false;
    all = all * 100'000'000 + part;
  }
  value = nearest_quotient(all, static_cast<int>(digits));
  return true;
}

/// [-]digits[.digits], up to eight and 24. Where both the digits and the power of ten are doubles without rounding, their quotient is
/// the nearest double (Clinger, "How to read floating point numbers accurately", 1990).
inline bool quick_float(const char* text, std::size_t size, double& value) {
  static constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
  static constexpr std::uint64_t kWhole[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
  const bool negative = *text == '-';
  text += negative, size -= negative;
  if (size == 0) return false;
  std::size_t point = 0;
#ifdef __SSE2__
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const unsigned found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')))) | 1u << 16;
  point = static_cast<std::size_t>(__builtin_ctz(found));
#else
  while (point < size && point < 16 && text[point] != '.') ++point;
#endif
  if (point > size) point = size;
  if (point == 0 || point > 8) return false;
  std::uint64_t whole = 0, part = 0;
  if (!few_digits(text, point, whole)) return false;
  std::size_t digits = 0;
  double quotient;
  if (point < size) {
    digits = size - point - 1;
    if (digits == 0) return false;
    if (digits <= 8 && !few_digits(text + point + 1, digits, part)) return false;
  }
  if (digits > 8) {
    if (!quick_long_float(text, size, point, whole, quotient)) return false;
  } else {
    const std::uint64_t all = whole * kWhole[digits] + part;
    if (all > std::uint64_t{1} << 53) return false;
    quotient = static_cast<double>(static_cast<std::int64_t>(all)) / kPowers[digits];
  }
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(quotient) | std::uint64_t{negative} << 63);  // no branch: signs cannot be guessed
  return true;
}

/// Bytes as they stand, the first the least significant.
template <class Word>
std::uint64_t bytes_at(const char* text) {
  Word bytes;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

/// YYYY-MM-DD
inline bool quick_date(const char* text, std::size_t size, std::int64_t& days) {
  if (size != 10) return false;
  const std::uint64_t year_month = bytes_at<std::uint64_t>(text);
  if ((year_month & 0xFF0000FF00000000) != 0x2D00002D00000000) return false;  // the hyphens
  std::uint64_t digits;
  if (!eight_digits((year_month & 0xFFFFFFFF) | (year_month >> 8 & 0x0000FFFF00000000) | bytes_at<std::uint16_t>(text + 8) << 48, digits)) return false;
  const auto date = static_cast<std::int64_t>(digits);
  const std::int64_t day = date % 100, month = date / 100 % 100;
  // The 29th to 31st are not days of every month.
  if (day < 1 || day > 28 || month < 1 || month > 12 || date < 10000) {
    const auto exact = days_of(date / 10000, month, day);
    if (exact) days = *exact;
    return exact.has_value();
  }
  const std::int64_t year = date / 10000 - (month <= 2), of_era = year % 400;
  days = year / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - 719468;
  return true;
}

/// YYYY-MM-DD HH:MM:SS, in UTC; T may stand for the blank.
inline bool quick_timestamp(const char* text, std::size_t size, std::int64_t& microseconds) {
  if (size != 19 || (text[10] != ' ' && text[10] != 'T')) return false;
  std::int64_t days;
  if (!quick_date(text, 10, days)) return false;
  const std::uint64_t clock = bytes_at<std::uint64_t>(text + 11);
  if ((clock & 0x0000FF0000FF0000) != 0x00003A00003A0000) return false;  // the colons
  std::uint64_t digits;
  if (!eight_digits(0x3030 | (clock & 0xFFFF) << 16 | (clock >> 24 & 0xFFFF) << 32 | (clock >> 48) << 48, digits)) return false;
  const auto time = static_cast<std::int64_t>(digits);
  const std::int64_t hour = time / 10000, minute = time / 100 % 100, second = time % 100;
  if (hour > 23 || minute > 59 || second > 59) return false;
  microseconds = days * kMicrosecondsADay + ((hour * 60 + minute) * 60 + second) * 1'000'000;
  return true;
}

}  // namespace mlp::io
