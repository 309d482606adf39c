#pragma once

// The Gregorian calendar, also before 1582, in whole days since 1970-01-01. Integer arithmetic over eras of 400 years
// (146,097 days) that begin on the 1st of March, so that the leap day comes last.

#include "kernels/checked.h"

namespace mlp {

struct CivilDate {
  std::int64_t year;
  std::int64_t month;  ///< 1..12
  std::int64_t day;    ///< 1..31
};

/// True for days whose year a date can have: within a thousand million days of 1970.
inline bool has_civil_date(std::int64_t days) { return days > -1'000'000'000 && days < 1'000'000'000; }

inline bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

inline std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// For days that have a civil date.
inline CivilDate civil_date(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;  // since 0000-03-01
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * of_year + 2) / 153;  // March is 0
  const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {year_of_era + era * 400 + (month <= 2), month, of_year - (153 * march_month + 2) / 5 + 1};
}

/// For years within a million of 0, months 1..12.
inline std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t march_year = year - (month <= 2);
  const std::int64_t era = floor_div(march_year, 400);
  const std::int64_t year_of_era = march_year - era * 400;
  const std::int64_t march_month = month > 2 ? month - 3 : month + 9;
  const std::int64_t of_year = (153 * march_month + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719'468;
}

/// Monday is 1, Sunday 7.
inline std::int64_t weekday_of(std::int64_t days) {
  const std::int64_t rest = (days + 3) % 7;  // 1970-01-01 was a Thursday
  return rest < 0 ? rest + 8 : rest + 1;
}

}  // namespace mlp
