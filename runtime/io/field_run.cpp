#include "runtime/io/field_run.h"

#include "runtime/io/field_parse.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mlp::io {

namespace {

// The same values on every CPU.

#if defined(__x86_64__)
#define MLP_SSSE3 __attribute__((target("ssse3,bmi"), always_inline))

MLP_SSSE3 inline bool are_digits(__m128i ones) { return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(ones, _mm_set1_epi8(9)), _mm_set1_epi8(9))) == 0xFFFF; }
MLP_SSSE3 inline __m128i pairs_of(__m128i ones) { return _mm_maddubs_epi16(ones, _mm_set1_epi16(10 | 1 << 8)); }
MLP_SSSE3 inline unsigned which_are(__m128i bytes, char what) { return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(what)))); }

/// Up to 16 bytes as digits, with a point among them or none; `point` is where it is, or `size`.
MLP_SSSE3 inline bool sixteen_digits(const char* text, std::size_t size, std::uint64_t& digits, std::size_t& point) {
  alignas(16) static constexpr std::int8_t kSteps[32] = {-16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  point = static_cast<std::size_t>(__builtin_ctz(which_are(bytes, '.') | 1u << size));
  const std::size_t count = size - (point < size);
  // Where each of 16 digits comes from: they move to the end, those before the point one farther; a negative place gives a zero.
  __m128i from = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kSteps + count));
  from = _mm_sub_epi8(from, _mm_cmpgt_epi8(from, _mm_set1_epi8(static_cast<char>(point - 1))));
  const __m128i ones = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), from);
  if (!are_digits(ones)) return false;
  const __m128i twos = pairs_of(ones);
  const __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(100 | 1 << 16));
  const __m128i eights = _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(10000 | 1 << 16));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  digits = (both & 0xFFFFFFFF) * 100'000'000 + (both >> 32);
  return true;
}

MLP_SSSE3 inline bool sse_int(const char* text, std::size_t size, std::int64_t& value) {
  const bool negative = *text == '-';
  text += negative, size -= negative;
  std::uint64_t digits;
  std::size_t point;
  if (size == 0 || size > 16 || !sixteen_digits(text, size, digits, point) || point != size) return false;
  value = (static_cast<std::int64_t>(digits) ^ -std::int64_t{negative}) + negative;
  return true;
}

MLP_SSSE3 inline bool sse_float(const char* text, std::size_t size, double& value) {
  static constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  static constexpr std::uint64_t kWhole[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
  const bool negative = *text == '-';
  text += negative, size -= negative;
  std::uint64_t digits, last;
  std::size_t point;
  if (size == 0 || size > 24 || !sixteen_digits(text, size < 16 ? size : 16, digits, point) || point == 0 || point + 1 == size) return false;
  double quotient;
  if (size > 16) {  // 15 digits and a point, then more; up to 19 that count
    if (point == 16 || !few_digits(text + 16, size - 16, last) || digits >= 10'000'000'000'000'000'000u / kWhole[size - 16]) return false;
    quotient = nearest_quotient(digits * kWhole[size - 16] + last, static_cast<int>(size - point - 1));
  } else {
    const std::size_t places = point < size ? size - point - 1 : 0;
    quotient = digits <= std::uint64_t{1} << 53 || places == 0 ? static_cast<double>(static_cast<std::int64_t>(digits)) / kPowers[places] : nearest_quotient(digits, static_cast<int>(places));
  }
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(quotient) | std::uint64_t{negative} << 63);
  return true;
}

/// The day of a year, month and day, given as pairs of digits, 16 bits each; false for the 29th of February too.
MLP_SSSE3 inline bool day_of(std::uint64_t pairs, std::int64_t& days) {
  static constexpr std::uint8_t kLast[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  static constexpr std::int16_t kBefore[13] = {0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275};  // of a year that begins in March
  const std::uint64_t year = (pairs & 0xFFFF) * 100 + (pairs >> 16 & 0xFFFF), month = pairs >> 32 & 0xFFFF, day = pairs >> 48;
  if (month > 12 || day - 1 >= kLast[month] || year == 0) return false;
  const std::uint64_t since = year - (month <= 2), century = since / 100;
  days = static_cast<std::int64_t>(since * 365 + since / 4 - century + century / 4 + day) + kBefore[month] - 719469;
  return true;
}

MLP_SSSE3 inline bool sse_date(const char* text, std::size_t size, std::int64_t& days) {
  if (size != 10) return false;
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i ones = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), _mm_setr_epi8(0, 1, 2, 3, 5, 6, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1));
  if ((which_are(bytes, '-') & 0x90) != 0x90 || !are_digits(ones)) return false;
  return day_of(static_cast<std::uint64_t>(_mm_cvtsi128_si64(pairs_of(ones))), days) || quick_date(text, size, days);
}

MLP_SSSE3 inline bool sse_timestamp(const char* text, std::size_t size, std::int64_t& microseconds) {
  if (size != 19 || (text[10] != ' ' && text[10] != 'T')) return false;
  const __m128i zeros = _mm_set1_epi8('0');
  const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text)), last = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 3));
  const __m128i ones = _mm_or_si128(_mm_shuffle_epi8(_mm_sub_epi8(first, zeros), _mm_setr_epi8(0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1)),
                                    _mm_shuffle_epi8(_mm_sub_epi8(last, zeros), _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 14, 15, -1, -1)));
  if ((which_are(first, '-') & 0x90) != 0x90 || (which_are(last, ':') & 0x2400) != 0x2400 || !are_digits(ones)) return false;
  const __m128i pairs = pairs_of(ones);
  const auto clock = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(pairs, pairs)));
  const auto hour = static_cast<std::int64_t>(clock & 0xFFFF), minute = static_cast<std::int64_t>(clock >> 16 & 0xFFFF), second = static_cast<std::int64_t>(clock >> 32);
  std::int64_t days;
  if (hour > 23 || minute > 59 || second > 59 || (!day_of(static_cast<std::uint64_t>(_mm_cvtsi128_si64(pairs)), days) && !quick_date(text, 10, days))) return false;
  microseconds = days * kMicrosecondsADay + ((hour * 60 + minute) * 60 + second) * 1'000'000;
  return true;
}

template <auto ByOne, class T>
__attribute__((target("ssse3,bmi"))) void read_with_sse(const FieldRun& fields, T* values, std::uint8_t* is_read) {
  for (std::size_t row = 0; row < fields.rows; ++row) {
    const std::string_view text = fields[row];
    is_read[row] = !text.empty() && ByOne(text.data(), text.size(), values[row]);
  }
}
bool has_sse() { return __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("bmi"); }
#endif

template <auto ByOne, class T>
void read(const FieldRun& fields, T* values, std::uint8_t* is_read) {
  for (std::size_t row = 0; row < fields.rows; ++row) {
    const std::string_view text = fields[row];
    is_read[row] = !text.empty() && ByOne(text.data(), text.size(), values[row]);
  }
}

}  // namespace

#if defined(__x86_64__)
void read_ints(const FieldRun& fields, std::int64_t* values, std::uint8_t* is_read) { has_sse() ? read_with_sse<sse_int>(fields, values, is_read) : read<quick_int>(fields, values, is_read); }
void read_floats(const FieldRun& fields, double* values, std::uint8_t* is_read) { has_sse() ? read_with_sse<sse_float>(fields, values, is_read) : read<quick_float>(fields, values, is_read); }
void read_dates(const FieldRun& fields, std::int64_t* days, std::uint8_t* is_read) { has_sse() ? read_with_sse<sse_date>(fields, days, is_read) : read<quick_date>(fields, days, is_read); }
void read_timestamps(const FieldRun& fields, std::int64_t* microseconds, std::uint8_t* is_read) { has_sse() ? read_with_sse<sse_timestamp>(fields, microseconds, is_read) : read<quick_timestamp>(fields, microseconds, is_read); }
#else
void read_ints(const FieldRun& fields, std::int64_t* values, std::uint8_t* is_read) { read<quick_int>(fields, values, is_read); }
void read_floats(const FieldRun& fields, double* values, std::uint8_t* is_read) { read<quick_float>(fields, values, is_read); }
void read_dates(const FieldRun& fields, std::int64_t* days, std::uint8_t* is_read) { read<quick_date>(fields, days, is_read); }
void read_timestamps(const FieldRun& fields, std::int64_t* microseconds, std::uint8_t* is_read) { read<quick_timestamp>(fields, microseconds, is_read); }
#endif

}  // namespace mlp::io
