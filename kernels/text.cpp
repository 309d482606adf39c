// Tests on text, and functions that make text. Text is UTF-8; positions and lengths count code points.

#include <charconv>

#include "gen/native_names.h"
#include "kernels/calendar.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool same_bytes(const char* a, const char* b, std::int64_t size) {
  return size == 0 || __builtin_memcmp(a, b, static_cast<std::size_t>(size)) == 0;
}

/// Offset of the first `part` in `x` at or behind `from`, or -1.
std::int64_t find(Text x, Text part, std::int64_t from) {
  for (std::int64_t at = from; at + part.size <= x.size; ++at)
    if (same_bytes(x.data + at, part.data, part.size)) return at;
  return -1;
}

Text copy(Arena* arena, const char* data, std::int64_t size) {
  char* to = arena_allocate(arena, size);
  if (size > 0) __builtin_memcpy(to, data, static_cast<std::size_t>(size));
  return {to, size};
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Text without_blanks(Text x) {
  while (x.size > 0 && is_blank(x.data[x.size - 1])) --x.size;
  while (x.size > 0 && is_blank(x.data[0])) ++x.data, --x.size;
  return x;
}

/// The letter of the other case, for letters whose cases are paired: even code point large, odd small.
std::uint32_t paired(std::uint32_t c, bool up) { return up ? c & ~1u : c | 1u; }
std::uint32_t paired_odd(std::uint32_t c, bool up) { return up ? ((c + 1) & ~1u) - 1 : (c + 1) & ~1u; }

/// Case mapping of the Unicode standard for Latin-1, Latin Extended-A, Greek and Cyrillic, without those that change the
/// number of bytes.
std::uint32_t other_case(std::uint32_t c, bool up) {
  const auto shift = [&](std::uint32_t large, std::uint32_t last_large, std::uint32_t distance) {
    if (up && c >= large + distance && c <= last_large + distance) return c - distance;
    if (!up && c >= large && c <= last_large) return c + distance;
    return c;
  };
  if (c < 0xC0) return c;
  if (c <= 0xFE) return c == 0xD7 || c == 0xF7 ? c : shift(0xC0, 0xDE, 32);
  if (c == 0xFF) return up ? 0x178 : c;
  if (c == 0x178) return up ? c : 0xFF;
  if (c == 0x130 || c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17F) return c;
  if (c <= 0x137 || (c >= 0x14A && c <= 0x177)) return paired(c, up);
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return paired_odd(c, up);
  if (c == 0x3C2) return up ? 0x3A3 : c;
  if (c == 0x386 || c == 0x3AC) return up ? 0x386 : 0x3AC;
  if (c == 0x38C || c == 0x3CC) return up ? 0x38C : 0x3CC;
  if ((c >= 0x388 && c <= 0x38A) || (c >= 0x3AD && c <= 0x3AF)) return shift(0x388, 0x38A, 37);
  if (c == 0x38E || c == 0x38F || c == 0x3CD || c == 0x3CE) return shift(0x38E, 0x38F, 63);
  if (c >= 0x391 && c <= 0x3CB && c != 0x3A2) return shift(0x391, 0x3AB, 32);
  if (c >= 0x400 && c <= 0x45F) return c >= 0x410 && c <= 0x44F ? shift(0x410, 0x42F, 32) : shift(0x400, 0x40F, 80);
  if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F)) return paired(c, up);
  return c;
}

Text in_case(Arena* arena, Text x, bool up) {
  char* to = arena_allocate(arena, x.size);
  for (std::int64_t i = 0; i < x.size; ++i) {
    const auto byte = static_cast<unsigned char>(x.data[i]);
    if (byte < 0x80) {
      const char first = up ? 'a' : 'A';
      const bool turns = x.data[i] >= first && x.data[i] <= first + 25;
      to[i] = static_cast<char>(turns ? byte ^ 0x20 : byte);
    } else if ((byte & 0xE0) == 0xC0 && i + 1 < x.size) {
      const std::uint32_t c = (byte & 0x1Fu) << 6 | (static_cast<unsigned char>(x.data[i + 1]) & 0x3Fu);
      const std::uint32_t turned = other_case(c, up);
      to[i] = static_cast<char>(0xC0 | turned >> 6);
      to[++i] = static_cast<char>(0x80 | (turned & 0x3F));
    } else {
      to[i] = x.data[i];
    }
  }
  return {to, x.size};
}

/// Writes `value` with at least `digits` digits; returns the end.
char* put_number(char* to, std::int64_t value, int digits) {
  char reversed[20];
  int count = 0;
  std::uint64_t rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do {
    reversed[count++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *to++ = '-';
  for (int i = count; i < digits; ++i) *to++ = '0';
  while (count > 0) *to++ = reversed[--count];
  return to;
}

char* put_date(char* to, std::int64_t days) {
  const CivilDate date = civil_date(days);
  to = put_number(to, date.year, 4);
  *to++ = '-';
  to = put_number(to, date.month, 2);
  *to++ = '-';
  return put_number(to, date.day, 2);
}

}  // namespace

bool starts_with(Text x, Text prefix) { return x.size >= prefix.size && same_bytes(x.data, prefix.data, prefix.size); }
bool ends_with(Text x, Text suffix) {
  return x.size >= suffix.size && same_bytes(x.data + (x.size - suffix.size), suffix.data, suffix.size);
}
bool contains(Text x, Text part) { return find(x, part, 0) >= 0; }
std::int64_t length(Text x) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < x.size; ++i) count += !is_continuation(x.data[i]);
  return count;
}

Text add_string(Arena* arena, Text a, Text b) {
  char* to = arena_allocate(arena, a.size + b.size);
  if (a.size > 0) __builtin_memcpy(to, a.data, static_cast<std::size_t>(a.size));
  if (b.size > 0) __builtin_memcpy(to + a.size, b.data, static_cast<std::size_t>(b.size));
  return {to, a.size + b.size};
}
Text concat(Arena* arena, Text a, Text b) { return add_string(arena, a, b); }
Text lower(Arena* arena, Text x) { return in_case(arena, x, false); }
Text upper(Arena* arena, Text x) { return in_case(arena, x, true); }
Text trim(Arena* arena, Text x) {
  const Text inner = without_blanks(x);
  return copy(arena, inner.data, inner.size);
}

Text replace(Arena* arena, Text x, Text old, Text fresh) {
  if (old.size == 0) return copy(arena, x.data, x.size);
  std::int64_t count = 0;
  for (std::int64_t at = find(x, old, 0); at >= 0; at = find(x, old, at + old.size)) ++count;
  const std::int64_t size = x.size + count * (fresh.size - old.size);
  char* to = arena_allocate(arena, size);
  char* end = to;
  std::int64_t from = 0;
  while (true) {
    const std::int64_t at = find(x, old, from);
    const std::int64_t kept = (at < 0 ? x.size : at) - from;
    if (kept > 0) __builtin_memcpy(end, x.data + from, static_cast<std::size_t>(kept));
    end += kept;
    if (at < 0) return {to, size};
    if (fresh.size > 0) __builtin_memcpy(end, fresh.data, static_cast<std::size_t>(fresh.size));
    end += fresh.size;
    from = at + old.size;
  }
}

Text substr(Arena* arena, Text x, std::int64_t from, std::int64_t count) {
  if (count <= 0) return {arena_allocate(arena, 0), 0};
  std::int64_t last;  // the position behind the part
  if (__builtin_add_overflow(from, count, &last)) last = std::numeric_limits<std::int64_t>::max();
  std::int64_t position = 0, begin = x.size, end = x.size;
  for (std::int64_t i = 0; i < x.size; ++i) {
    if (is_continuation(x.data[i])) continue;
    ++position;
    if (position >= from && begin == x.size) begin = i;
    if (position >= last) {
      end = i;
      break;
    }
  }
  return begin < end ? copy(arena, x.data + begin, end - begin) : Text{arena_allocate(arena, 0), 0};
}

Text split_part(Arena* arena, Text x, Text separator, std::int64_t n, bool* known) {
  std::int64_t from = 0;
  for (std::int64_t part = 1; n >= 1; ++part) {
    const std::int64_t at = separator.size == 0 ? -1 : find(x, separator, from);
    if (part == n) {
      *known = true;
      return copy(arena, x.data + from, (at < 0 ? x.size : at) - from);
    }
    if (at < 0) break;
    from = at + separator.size;
  }
  *known = false;
  return {nullptr, 0};
}

std::int64_t int_of_string(Text x, bool* known) {
  const Text digits = without_blanks(x);
  const char* first = digits.data;
  const char* last = first + digits.size;
  if (digits.size > 1 && *first == '+' && first[1] != '-') ++first;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  *known = digits.size > 0 && error == std::errc{} && end == last;
  return *known ? value : 0;
}

double float_of_string(Text x, bool* known) {
  const Text digits = without_blanks(x);
  const char* first = digits.data;
  const char* last = first + digits.size;
  if (digits.size > 1 && *first == '+' && first[1] != '-') ++first;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  *known = digits.size > 0 && error == std::errc{} && end == last;
  return *known ? value : 0.0;
}

Text string_of_string(Arena* arena, Text x) { return copy(arena, x.data, x.size); }
Text string_of_bool(Arena* arena, bool x) { return x ? copy(arena, "true", 4) : copy(arena, "false", 5); }
Text string_of_int(Arena* arena, std::int64_t x) {
  char* to = arena_allocate(arena, 20);
  return {to, put_number(to, x, 1) - to};
}
Text string_of_float(Arena* arena, double x) {
  char* to = arena_allocate(arena, 32);
  return {to, std::to_chars(to, to + 32, x).ptr - to};
}
Text string_of_date(Arena* arena, std::int64_t x) {
  if (!has_civil_date(x)) return string_of_int(arena, x);
  char* to = arena_allocate(arena, 32);
  return {to, put_date(to, x) - to};
}
Text string_of_timestamp(Arena* arena, std::int64_t x) {
  char* to = arena_allocate(arena, 48);
  const std::int64_t days = floor_div(x, kMicrosPerDay), micros = floor_rest(x, kMicrosPerDay);
  char* end = put_date(to, days);
  *end++ = 'T';
  end = put_number(end, micros / 3'600'000'000, 2);
  *end++ = ':';
  end = put_number(end, micros / 60'000'000 % 60, 2);
  *end++ = ':';
  end = put_number(end, micros / kMicrosPerSecond % 60, 2);
  if (micros % kMicrosPerSecond != 0) {
    *end++ = '.';
    end = put_number(end, micros % kMicrosPerSecond, 6);
    while (end[-1] == '0') --end;
  }
  *end++ = 'Z';
  return {to, end - to};
}

}  // namespace mlp::native_fn
