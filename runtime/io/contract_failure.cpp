#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/io/source.h"

namespace mlp::io {

void BadValues::add(diag::DataPlace place) {
  ++count;
  ++by_reason[place.column.empty() ? place.reason : fmt::format("`{}`: {}", place.column, place.reason)];
  if (first.size() < kShown) first.push_back(std::move(place));
}

void BadValues::append(const BadValues& other) {
  for (const diag::DataPlace& place : other.first) {
    if (first.size() == kShown) break;
    first.push_back(place);
  }
  count += other.count;
  for (const auto& [reason, times] : other.by_reason)
    by_reason[reason] += times;
}

diag::Diagnostic contract_failure(std::string_view table, std::span<const BadValues> bad) {
  BadValues all;
  for (const BadValues& part : bad)
    all.append(part);
  MLP_CHECK(all.count > 0);
  auto d = diag::make(diag::Code::E0801, {},
                      fmt::format("{} value{} of `{}` break{} the contract of the table", all.count,
                                  all.count == 1 ? "" : "s", table, all.count == 1 ? "s" : ""));
  d.more_places = all.count - all.first.size();
  d.places = std::move(all.first);
  if (all.count > 1) {
    constexpr std::size_t kListed = 20;
    std::vector<std::pair<std::uint64_t, std::string>> reasons;
    for (const auto& [reason, times] : all.by_reason)
      reasons.emplace_back(times, reason);
    std::ranges::stable_sort(reasons, std::greater{}, &std::pair<std::uint64_t, std::string>::first);
    for (std::size_t i = 0; i < std::min(kListed, reasons.size()); ++i)
      d.notes.push_back(fmt::format("{} × {}", reasons[i].first, reasons[i].second));
    if (reasons.size() > kListed) d.notes.push_back(fmt::format("and {} reasons more", reasons.size() - kListed));
  }
  d.help =
      "mend the file, or declare the column as it is: a wider range, another type, `?` where values may be missing";
  return d;
}

diag::Diagnostic rows_set_aside(std::uint64_t rows, const BadValues& bad, std::string_view name, std::string help) {
  diag::Diagnostic d = contract_failure(name, std::span(&bad, 1));
  d.code = diag::Code::W0802;
  d.message = fmt::format("{} row{} of `{}` {} set aside: {} break{} the contract of the table", rows, rows == 1 ? "" : "s", name, rows == 1 ? "is" : "are",
                          rows == 1 ? "it" : "they", rows == 1 ? "s" : "");
  d.help = std::move(help);
  return d;
}

}  // namespace mlp::io
