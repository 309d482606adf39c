#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "compiler/syntax/foreign.h"
#include "gen/grammar/MlpLexer.h"

namespace mlp::syntax {

namespace {

/// A unit of time as it is written elsewhere. Not `certain`: the letter means something else to others (a month, a million).
struct Unit {
  std::string_view theirs, ours;
  bool certain = true;
};
constexpr Unit kUnits[] = {
    {"day", "d"},          {"days", "d"},       {"D", "d", false},   {"hour", "h"},     {"hours", "h"},
    {"hr", "h"},           {"hrs", "h"},        {"H", "h", false},   {"minute", "min"}, {"minutes", "min"},
    {"mins", "min"},       {"m", "min", false}, {"M", "min", false}, {"sec", "s"},      {"secs", "s"},
    {"second", "s"},       {"seconds", "s"},    {"S", "s", false},   {"week", "w"},     {"weeks", "w"},
    {"wk", "w"},           {"W", "w", false},   {"year", "y"},       {"years", "y"},    {"yr", "y"},
    {"yrs", "y"},          {"Y", "y", false},   {"msec", "ms"},      {"millis", "ms"},  {"milliseconds", "ms"},
    {"millisecond", "ms"}, {"d", "d"},          {"h", "h"},          {"min", "min"},    {"s", "s"},
    {"ms", "ms"},          {"w", "w"},          {"y", "y"},
};
constexpr std::string_view kMonths[] = {"mo", "month", "months", "mon"};
constexpr std::string_view kQuarters[] = {"q", "Q", "quarter", "quarters"};

const Unit* find_unit(std::string_view word) {
  const auto at = std::ranges::find(kUnits, word, &Unit::theirs);
  return at == std::end(kUnits) ? nullptr : at;
}

/// Digits at the beginning, with points and `_`.
std::size_t count_digits(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && (text[i] == '_' || text[i] == '.' || (text[i] >= '0' && text[i] <= '9')))
    ++i;
  return i;
}

bool is_whole(std::string_view digits) {
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string duration_of(std::string_view text) {
  const std::size_t digits = count_digits(text);
  std::string_view unit = text.substr(digits);
  while (unit.starts_with(' '))
    unit.remove_prefix(1);
  const Unit* found = digits > 0 ? find_unit(unit) : nullptr;
  return found && found->certain ? fmt::format("{}{}", text.substr(0, digits), found->ours) : std::string();
}

diag::Diagnostic describe_bad_number(const Reading& at) {
  const std::string_view what = at.text.substr(at.begin, at.end - at.begin);
  const Span span{at.file, at.begin, at.end};
  const std::size_t count = count_digits(what);
  const std::string_view digits = what.substr(0, count), unit = what.substr(count);
  diag::Diagnostic d =
      diag::make(diag::Code::E0104, span, fmt::format("`{}` is neither a number nor a duration", what));
  const auto offer = [&](std::string by, std::string title, bool safe) {
    d.help = safe ? fmt::format("write `{}`", by) : fmt::format("did you mean `{}`?", by);
    d.fixes.push_back({span, std::move(by), std::move(title), safe});
  };
  const auto is = [&](const auto& words) { return std::ranges::find(words, unit) != std::end(words); };
  // An entry that begins so is a name.
  const std::uint32_t next =
      static_cast<std::uint32_t>(std::min(at.text.find_first_not_of(" \t", at.end), at.text.size()));
  if (at.first_in_line && next + 1 < at.text.size() &&
      (at.text[next] == ':' || (at.text[next] == '=' && at.text[next + 1] != '='))) {
    d.message = fmt::format("a name does not begin with a digit, as `{}` does", what);
    d.help = fmt::format("put it in backticks: `` `{}` ``", what);
    d.fixes.push_back({span, fmt::format("`{}`", what), "put it in backticks", true});
    return d;
  }
  if (const Unit* found = find_unit(unit)) {
    offer(fmt::format("{}{}", digits, found->ours), "use the unit of the language", found->certain);
  } else if (is(kMonths) || is(kQuarters)) {
    const bool months = is(kMonths);
    d.message = fmt::format("a {} has no fixed length", months ? "month" : "quarter");
    const long long days =
        is_whole(digits) && digits.size() < 6 ? std::stoll(std::string(digits)) * (months ? 30 : 91) : 0;
    offer(days > 0 ? fmt::format("{}d", days) : months ? "30d" : "91d", "write days", false);
  } else if (what.starts_with("0x") || what.starts_with("0X") || what.starts_with("0b") || what.starts_with("0o")) {
    int base = what[1] == 'b' ? 2 : what[1] == 'o' ? 8 : 16;
    d.message = fmt::format("`{}`: numbers are written with ten digits", what);
    const std::string_view rest = what.substr(2);
    std::uint64_t value = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
    if (read.ec == std::errc() && read.ptr == rest.data() + rest.size()) offer(fmt::format("{}", value), "write it with ten digits", true);
  } else if (unit == "f" || unit == "F" || unit == "L" || unit == "l" || unit == "u" || unit == "U") {
    d.message = fmt::format("a number has no letter behind it to say its type: `{}`", what);
    offer(std::string(digits), "remove the letter", true);
  } else if (unit == "k" || unit == "K") {
    d.message = fmt::format("`{}` is no number: there is no letter for thousands", what);
    offer(is_whole(digits) ? fmt::format("{}_000", digits) : fmt::format("{}e3", digits), "write the thousands", false);
  } else if (unit == "e" || unit == "E") {
    d.message = fmt::format("`{}` has no exponent behind its `{}`", what, unit);
    d.help = "write for example `1e3` or `1e-3`";
  } else if (std::ranges::count(digits, '.') > 1) {
    d.message = fmt::format("`{}` has two points", what);
    d.help = "a number has one point, `1_000.5`; a date is `date(\"2024-01-31\")`, a version is a text";
  } else if (unit.find_first_of("0123456789") != std::string_view::npos &&
             find_unit(unit.substr(0, unit.find_first_of("0123456789")))) {
    d.message = fmt::format("`{}` has two units", what);
    d.help = "a duration has one unit: `90min`; durations may be added: `1h + 30min`";
  }
  if (d.help.empty())
    d.help =
        "numbers look like `1_000`, `0.5`, `1e-3`, `10%`; durations like `20ms`, `2s`, `15min`, `24h`, `7d`, `1w`, "
        "`1y`";
  return d;
}

}  // namespace mlp::syntax
