#include "runtime/io/date_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/calendar.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

/// The parts of a moment as they are read.
struct Moment {
  std::int64_t year = 0, month = 0, day = 0;
  std::int64_t hour = 0, minute = 0, second = 0, microsecond = 0;
  std::int64_t offset_minutes = 0;
  bool has_offset = false;

  std::optional<std::int64_t> days() const { return days_of(year, month, day); }
  std::optional<std::int64_t> microseconds() const {
    const auto day_number = days();
    if (!day_number || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return *day_number * kMicrosecondsADay + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1'000'000 +
           microsecond;
  }
  bool has_time() const { return hour || minute || second || microsecond; }
};

struct Text {
  std::string_view rest;

  bool literal(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  /// Between `least` and `most` digits, as many as there are.
  bool number(std::size_t least, std::size_t most, std::int64_t& out) {
    std::size_t n = 0;
    std::int64_t value = 0;
    while (n < most && n < rest.size() && rest[n] >= '0' && rest[n] <= '9')
      value = value * 10 + (rest[n++] - '0');
    if (n < least) return false;
    rest.remove_prefix(n);
    out = value;
    return true;
  }
  /// Digits of a second; further digits are accepted as long as they are zero.
  bool fraction(std::int64_t& microsecond) {
    std::size_t n = 0;
    std::int64_t unit = 1'000'000;
    microsecond = 0;
    for (; n < rest.size() && rest[n] >= '0' && rest[n] <= '9'; ++n) {
      unit /= 10;
      if (unit == 0 && rest[n] != '0') return false;
      microsecond += unit * (rest[n] - '0');
    }
    rest.remove_prefix(n);
    return n > 0;
  }
  bool offset(std::int64_t& minutes) {
    if (literal('Z') || literal('z')) {
      minutes = 0;
      return true;
    }
    const bool negative = rest.starts_with('-');
    if (!literal('-') && !literal('+')) return false;
    std::int64_t h = 0, m = 0;
    if (!number(2, 2, h)) return false;
    const bool colon = literal(':');
    if (!number(2, 2, m) && colon) return false;
    if (h > 23 || m > 59) return false;
    minutes = (negative ? -1 : 1) * (h * 60 + m);
    return true;
  }
  bool month_name(std::int64_t& month) {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      for (const std::string_view name : {kMonths[i], kMonths[i].substr(0, 3)}) {
        if (rest.size() < name.size()) continue;
        const bool same =
            std::equal(name.begin(), name.end(), rest.begin(), [](char a, char b) { return a == (b | 32); });
        if (!same) continue;
        rest.remove_prefix(name.size());
        month = static_cast<std::int64_t>(i) + 1;
        return true;
      }
    }
    return false;
  }
};

bool read_iso_day(Text& text, Moment& m) {
  return text.number(4, 4, m.year) && text.literal('-') && text.number(2, 2, m.month) && text.literal('-') &&
         text.number(2, 2, m.day);
}

std::optional<Moment> read_iso(std::string_view from) {
  Text text{from};
  Moment m;
  if (!read_iso_day(text, m)) return std::nullopt;
  if (text.rest.empty()) return m;
  if (!text.literal('T') && !text.literal(' ') && !text.literal('t')) return std::nullopt;
  if (!text.number(2, 2, m.hour) || !text.literal(':') || !text.number(2, 2, m.minute)) return std::nullopt;
  if (text.literal(':')) {
    if (!text.number(2, 2, m.second)) return std::nullopt;
    if (text.literal('.') && !text.fraction(m.microsecond)) return std::nullopt;
  }
  if (!text.rest.empty()) {
    if (!text.offset(m.offset_minutes)) return std::nullopt;
    m.has_offset = true;
  }
  if (!text.rest.empty()) return std::nullopt;
  return m;
}

std::optional<Moment> read_pattern(std::string_view pattern, std::string_view from) {
  Text text{from};
  Moment m;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      if (!text.literal(pattern[i])) return std::nullopt;
      continue;
    }
    bool good = false;
    switch (pattern[++i]) {
      case 'd':
        good = text.number(1, 2, m.day);
        break;
      case 'm':
        good = text.number(1, 2, m.month);
        break;
      case 'Y':
        good = text.number(4, 4, m.year);
        break;
      case 'y':
        good = text.number(2, 2, m.year);
        m.year += m.year < 69 ? 2000 : 1900;
        break;
      case 'b':
      case 'B':
        good = text.month_name(m.month);
        break;
      case 'H':
        good = text.number(1, 2, m.hour);
        break;
      case 'M':
        good = text.number(1, 2, m.minute);
        break;
      case 'S':
        good = text.number(1, 2, m.second);
        break;
      case 'f':
        good = text.fraction(m.microsecond);
        break;
      case 'z':
        good = m.has_offset = text.offset(m.offset_minutes);
        break;
      case '%':
        good = text.literal('%');
        break;
      default:
        break;
    }
    if (!good) return std::nullopt;
  }
  if (!text.rest.empty()) return std::nullopt;
  return m;
}

/// Whether a time of UTC lies in the years that can be written: an offset may lead out of them.
bool is_in_years(std::int64_t time) {
  static const std::int64_t first = *days_of(1, 1, 1) * kMicrosecondsADay, end = (*days_of(9999, 12, 31) + 1) * kMicrosecondsADay;
  return time >= first && time < end;
}

std::optional<Moment> read_moment(std::string_view pattern, std::string_view text) {
  return pattern.empty() ? read_iso(text) : read_pattern(pattern, text);
}

}  // namespace

std::optional<std::int64_t> days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  static constexpr std::array<int, 12> kLength = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return std::nullopt;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kLength[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0)) return std::nullopt;
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

std::string text_of_date(std::int64_t days) {
  const CivilDate date = civil_date(days);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string text_of_timestamp(std::int64_t microseconds) {
  const std::int64_t days = microseconds / kMicrosecondsADay - (microseconds % kMicrosecondsADay < 0);
  const std::int64_t of_day = microseconds - days * kMicrosecondsADay, seconds = of_day / 1'000'000;
  std::string fraction = of_day % 1'000'000 ? fmt::format(".{:06}", of_day % 1'000'000) : "";
  while (fraction.ends_with('0')) fraction.pop_back();
  return fmt::format("{}T{:02}:{:02}:{:02}{}Z", text_of_date(days), seconds / 3600, seconds / 60 % 60, seconds % 60, fraction);
}

Result<DateFormat> DateFormat::parse(std::string_view pattern, bool with_time) {
  DateFormat format;
  format.pattern_ = pattern;
  if (pattern.empty()) return format;
  const auto wrong = [&](diag::Code code, std::string message, std::string help) {
    return failure(code, fmt::format("the format \"{}\" {}", pattern, message), std::move(help));
  };
  const std::string known = "known are %d %m %Y %y %b %B %H %M %S %f %z and %%";
  std::string seen;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (++i == pattern.size()) return wrong(diag::Code::E0308, "ends in a `%`", known);
    const char c = pattern[i];
    if (std::string_view("dmYybBHMSfz%").find(c) == std::string_view::npos) {
      return wrong(diag::Code::E0601, fmt::format("uses %{}, which mlpc does not read", c), known);
    }
    seen += c;
  }
  const auto has = [&](std::string_view any) { return seen.find_first_of(any) != std::string::npos; };
  if (!has("d") || !has("mbB") || !has("Yy")) {
    return wrong(diag::Code::E0308, "does not tell a day: it needs %d, one of %m %b %B, and one of %Y %y", known);
  }
  if (!with_time && has("z"))
    return wrong(diag::Code::E0308, "tells an offset, which a date does not have", "make the column a timestamp");
  return format;
}

std::optional<std::int64_t> DateFormat::read_date(std::string_view text) const {
  if (pattern_.empty()) {
    Text in{text};
    Moment m;
    if (!read_iso_day(in, m) || !in.rest.empty()) return std::nullopt;
    return m.days();
  }
  const auto moment = read_pattern(pattern_, text);
  if (!moment || moment->has_time()) return std::nullopt;
  return moment->days();
}

std::optional<std::int64_t> DateFormat::read_timestamp(std::string_view text) const {
  const auto moment = read_moment(pattern_, text);
  const auto local = moment ? moment->microseconds() : std::nullopt;
  const auto time = local && zone_ && !moment->has_offset ? zone_->to_utc(*local) : local;
  return time && is_in_years(*time) ? time : std::nullopt;
}

Result<void> DateFormat::use_zone(const std::string& zone) {
  if (zone.empty() || zone == "UTC") return {};
  zone_name_ = zone;
  zone_ = find_zone(zone);
  if (!zone_)
    return failure(diag::Code::E0901, fmt::format("this machine's time zone database has no \"{}\"", zone),
                   "install the package `tzdata`, or write the zone as it is called there, like Europe/Berlin");
  return {};
}

std::string DateFormat::why_no_date(std::string_view text) const {
  const auto moment = read_moment(pattern_, text);
  if (moment && !moment->days()) return "a day that does not exist";
  if (moment) return "has a time of day; a date has none (a timestamp has)";
  const std::string hint(hint_of_blanks(text));
  return pattern_.empty()
             ? "not a date like 2024-12-31" + hint + (hint.empty() ? "; `format` says how others are written" : "")
             : fmt::format("not a date written \"{}\"{}", pattern_, hint);
}

std::string DateFormat::why_no_timestamp(std::string_view text) const {
  const auto moment = read_moment(pattern_, text);
  if (moment && !moment->days()) return "a day that does not exist";
  const auto local = moment ? moment->microseconds() : std::nullopt;
  const bool of_zone = local && zone_ && !moment->has_offset;
  const auto time = of_zone ? zone_->to_utc(*local) : local;
  if (time && !is_in_years(*time)) return "a time that is not in the years 1 to 9999 of UTC";
  if (of_zone) return fmt::format("a time that clocks in {} leave out", zone_name_);
  if (moment) return "a time of day that does not exist";
  const std::string hint(hint_of_blanks(text));
  return pattern_.empty() ? "not a time like 2024-12-31 23:59:59" + hint +
                                (hint.empty() ? "; `format` says how others are written" : "")
                          : fmt::format("not a time written \"{}\"{}", pattern_, hint);
}

}  // namespace mlp::io
