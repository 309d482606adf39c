#include "compiler/sema/zones.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/diag/render.h"

namespace mlp::sema {

namespace {

constexpr std::string_view kZones[] = {
#define MLP_ZONE(name) name,
#include "compiler/sema/zones.def"
#undef MLP_ZONE
};
static_assert(std::is_sorted(std::begin(kZones), std::end(kZones)));

/// What clocks show is called by letters that say no place, and mean several.
struct Letters {
  std::string_view letters, zone;
};
constexpr Letters kLetters[] = {
    {"PST", "America/Los_Angeles"}, {"PDT", "America/Los_Angeles"}, {"PT", "America/Los_Angeles"}, {"MDT", "America/Denver"}, {"CST", "America/Chicago"}, {"CDT", "America/Chicago"},
    {"EDT", "America/New_York"}, {"ET", "America/New_York"}, {"BST", "Europe/London"}, {"CEST", "Europe/Berlin"}, {"EEST", "Europe/Helsinki"}, {"MSK", "Europe/Moscow"}, {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"}, {"KST", "Asia/Seoul"}, {"AEST", "Australia/Sydney"}, {"AEDT", "Australia/Sydney"}, {"Z", "UTC"}, {"utc", "UTC"}, {"local", "UTC"},
};

/// The zone whose last part is this place, whatever its letters: "berlin", "New York".
std::string_view zone_of_place(std::string_view place) {
  const auto same = [](std::string_view a, std::string_view b) {
    const auto plain = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c == ' ' || c == '-' ? '_' : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return plain(x) == plain(y); });
  };
  const std::string_view last = place.substr(place.rfind('/') + 1);
  for (const std::string_view zone : kZones)
    if (same(zone, place)) return zone;
  for (const std::string_view zone : kZones)
    if (zone.find('/') != std::string_view::npos && same(zone.substr(zone.rfind('/') + 1), last)) return zone;
  return {};
}

/// The hours of "+02:00", "UTC+2", "GMT-5"; nullopt where it is no such offset.
std::optional<int> hours_of(std::string_view text) {
  if (text.starts_with("UTC") || text.starts_with("GMT")) text.remove_prefix(3);
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  int hours = 0;
  std::size_t i = 1;
  for (; i < text.size() && i < 3 && text[i] >= '0' && text[i] <= '9'; ++i) hours = hours * 10 + (text[i] - '0');
  const std::string_view rest = text.substr(i);
  if (i == 1 || hours > 12 || (!rest.empty() && rest != ":00" && rest != "00")) return std::nullopt;
  return text[0] == '-' ? -hours : hours;
}

}  // namespace

bool check_zone(Context& context, std::string_view name, Span span) {
  if (std::binary_search(std::begin(kZones), std::end(kZones), name)) return true;
  auto d = diag::make(diag::Code::E0311, span, fmt::format("there is no time zone \"{}\"", name)).with_label("no zone of the IANA database");
  std::string_view meant = zone_of_place(name);
  for (const Letters& each : kLetters)
    if (each.letters == name) meant = each.zone;
  std::string etc;
  if (const auto hours = hours_of(name)) {
    etc = *hours == 0 ? "UTC" : fmt::format("Etc/GMT{}{}", *hours > 0 ? '-' : '+', std::abs(*hours));  // the sign of these names is the other way round
    meant = etc;
    d.notes.push_back("a zone is a place, whose clocks may change in summer; this one is the same hours from UTC all year");
  }
  if (meant.empty()) meant = diag::did_you_mean(name, std::vector<std::string_view>(std::begin(kZones), std::end(kZones)));
  if (meant.empty()) {
    d.help = "zones are named by a place, as in \"Europe/Berlin\" or \"America/New_York\", and \"UTC\"";
  } else {
    d.help = fmt::format("did you mean \"{}\"?", meant);
    d.fixes.push_back({span, fmt::format("\"{}\"", meant), fmt::format("write \"{}\"", meant), false});
  }
  context.report(std::move(d));
  return false;
}

}  // namespace mlp::sema
