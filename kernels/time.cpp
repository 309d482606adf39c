// Parts of dates and moments, their text forms, and lengths of time. All in UTC.

#include "gen/native_names.h"
#include "kernels/calendar.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

namespace {

std::int64_t day_of_micros(std::int64_t micros) { return floor_div(micros, kMicrosPerDay); }
std::int64_t micros_in_day(std::int64_t micros) { return floor_rest(micros, kMicrosPerDay); }

/// ISO 8601: the week of the year in which the Thursday of this week lies.
std::int64_t iso_week(std::int64_t days) {
  const std::int64_t thursday = days - weekday_of(days) + 4;
  return (thursday - days_of(civil_date(thursday).year, 1, 1)) / 7 + 1;
}

/// Reads a number of exactly `digits` digits.
struct Reader {
  const char* at;
  const char* end;
  bool good = true;

  std::int64_t number(int digits) {
    std::int64_t value = 0;
    for (int i = 0; i < digits; ++i) {
      if (at == end || *at < '0' || *at > '9') {
        good = false;
        return 0;
      }
      value = value * 10 + (*at++ - '0');
    }
    return value;
  }
  bool take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  void need(char c) { good = take(c) && good; }
  /// Days of `2024-01-31`.
  std::int64_t date() {
    const std::int64_t year = number(4);
    need('-');
    const std::int64_t month = number(2);
    need('-');
    const std::int64_t day = number(2);
    if (!good || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
      good = false;
      return 0;
    }
    return days_of(year, month, day);
  }
  std::int64_t below(std::int64_t limit) {
    const std::int64_t value = number(2);
    if (value >= limit) good = false;
    return value;
  }
};

}  // namespace

#define MLP_DATE_PART(NAME, EXPRESSION)                                                                  \
  std::int64_t NAME##_of_date(std::int64_t x) {                                                          \
    if (!has_civil_date(x)) return kNoInt;                                                               \
    return EXPRESSION;                                                                                   \
  }                                                                                                      \
  std::int64_t NAME##_of_timestamp(std::int64_t x) { return NAME##_of_date(day_of_micros(x)); }
MLP_DATE_PART(year, civil_date(x).year)
MLP_DATE_PART(quarter, (civil_date(x).month + 2) / 3)
MLP_DATE_PART(month, civil_date(x).month)
MLP_DATE_PART(day, civil_date(x).day)
MLP_DATE_PART(weekday, weekday_of(x))
MLP_DATE_PART(day_of_year, x - days_of(civil_date(x).year, 1, 1) + 1)
MLP_DATE_PART(week, iso_week(x))
#undef MLP_DATE_PART

std::int64_t hour_of_timestamp(std::int64_t x) { return micros_in_day(x) / 3'600'000'000; }
std::int64_t minute_of_timestamp(std::int64_t x) { return micros_in_day(x) / 60'000'000 % 60; }
std::int64_t second_of_timestamp(std::int64_t x) { return micros_in_day(x) / kMicrosPerSecond % 60; }

std::int64_t date_of_string(Text x, bool* known) {
  Reader reader{x.data, x.data + x.size};
  const std::int64_t days = reader.date();
  *known = reader.good && reader.at == reader.end;
  return *known ? days : 0;
}
std::int64_t date_of_timestamp(std::int64_t x) { return day_of_micros(x); }
std::int64_t date_of_parts(std::int64_t year, std::int64_t month, std::int64_t day, bool* known) {
  *known = year >= -1'000'000 && year <= 1'000'000 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in_month(year, month);
  return *known ? days_of(year, month, day) : 0;
}

std::int64_t timestamp_of_string(Text x, bool* known) {
  Reader reader{x.data, x.data + x.size};
  std::int64_t micros = reader.date() * kMicrosPerDay;
  if (reader.good && reader.at != reader.end) {
    if (!reader.take('T') && !reader.take(' ')) reader.good = false;
    micros += reader.below(24) * 3'600'000'000;
    reader.need(':');
    micros += reader.below(60) * 60'000'000;
    if (reader.take(':')) {
      micros += reader.below(60) * kMicrosPerSecond;
      if (reader.take('.')) {
        micros += reader.number(1) * 100'000;
        for (std::int64_t unit = 10'000; reader.at != reader.end && *reader.at >= '0' && *reader.at <= '9'; unit /= 10)
          micros += reader.number(1) * unit;
      }
    }
    if (!reader.take('Z') && reader.at != reader.end) {
      const bool west = reader.take('-');
      if (!west) reader.need('+');
      std::int64_t offset = reader.below(24) * 3'600'000'000;
      reader.take(':');
      offset += reader.below(60) * 60'000'000;
      micros += west ? offset : -offset;
    }
  }
  *known = reader.good && reader.at == reader.end;
  return *known ? micros : 0;
}
std::int64_t timestamp_of_date(std::int64_t x) { return checked_multiply(x, kMicrosPerDay); }

#define MLP_UNIT(NAME, MICROS)                                                                                       \
  std::int64_t NAME##_of_int(std::int64_t n) { return checked_multiply(n, MICROS); }                                 \
  std::int64_t NAME##_of_float(double n) { return to_int(__builtin_rint(n * static_cast<double>(MICROS))); }         \
  double NAME##_of_duration(std::int64_t x) { return static_cast<double>(x) / static_cast<double>(MICROS); }
MLP_UNIT(weeks, 7 * kMicrosPerDay)
MLP_UNIT(days, kMicrosPerDay)
MLP_UNIT(hours, 3'600 * kMicrosPerSecond)
MLP_UNIT(minutes, 60 * kMicrosPerSecond)
MLP_UNIT(seconds, kMicrosPerSecond)
#undef MLP_UNIT

}  // namespace mlp::native_fn
