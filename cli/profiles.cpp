#include "cli/profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/command.h"
#include "cli/rows.h"
#include "compiler/support/text.h"
#include "kernels/calendar.h"
#include "runtime/io/csv_records.h"

namespace mlp::cli {

namespace {

constexpr std::size_t kWidestName = 32, kWidestValue = 19, kLeastOfTop = 24;

/// Five digits, and never less than the whole part.
std::string short_number(double x) {
  const double size = std::fabs(x);
  if (x != 0 && (size >= 1e15 || size < 1e-4)) return fmt::format("{:.3e}", x);
  std::string text = fmt::format("{:.{}f}", x, size < 1 ? 5 : std::max(0, 4 - static_cast<int>(std::log10(size))));
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string exact_text(const Type& type, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return {};
  if (const double* x = std::get_if<double>(&value)) return fmt::format("{}", *x);
  return value_text(constant(type, value, 1), 0);
}

std::string short_text(const Type& type, const Value& value) {
  if (const double* x = std::get_if<double>(&value)) return short_number(*x);
  std::string text = escaped(exact_text(type, value));
  if (type.is_text() && !std::holds_alternative<std::monostate>(value) && text.empty()) text = "\"\"";
  return type.is_text() ? cut(text, kWidestValue) : text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) { return fmt::format("{:.1f}%", 100 * static_cast<double>(part) / static_cast<double>(whole)); }

/// Something that is shown of every column.
struct Field {
  std::string head;
  int leaves;  ///< the highest go first where there is no room
  bool right;
  std::vector<std::string> cells;
  std::size_t width = 0;
};

std::string top_text(const ShownProfile& shown) {
  std::string out;
  // Of values that all differ none is frequent.
  for (const auto& [value, count] : shown.profile.top(kShownFrequent))
    if (count > 1) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", short_text(shown.type, value), percent(count, shown.profile.rows));
  return out;
}

std::vector<Field> fields_of(const std::vector<ShownProfile>& profiles) {
  std::vector<Field> fields;
  const auto add = [&](std::string head, int leaves, bool right, const auto& text) {
    Field field{std::move(head), leaves, right, {}};
    field.width = terminal_columns(field.head);
    for (const ShownProfile& shown : profiles) {
      field.cells.push_back(text(shown));
      field.width = std::max(field.width, terminal_columns(field.cells.back()));
    }
    fields.push_back(std::move(field));
  };
  const bool several = std::ranges::any_of(profiles, [&](const ShownProfile& shown) { return !shown.owner.empty(); });
  if (several) add("of", 1, false, [](const ShownProfile& shown) { return cut(escaped(shown.owner), kWidestName); });
  add("column", 0, false, [](const ShownProfile& shown) { return cut(escaped(shown.name), kWidestName); });
  add("type", 2, false, [](const ShownProfile& shown) { return short_type(shown.type); });
  add("missing", 1, true, [](const ShownProfile& shown) { return shown.profile.missing == 0 ? "0" : percent(shown.profile.missing, shown.profile.rows); });
  add("distinct", 1, true, [](const ShownProfile& shown) { return shown.type.base == Base::vector ? std::string() : (shown.profile.is_exact() ? "" : "~") + std::to_string(shown.profile.distinct()); });
  add("mean", 4, true, [](const ShownProfile& shown) { return shown.profile.mean() ? short_number(*shown.profile.mean()) : std::string(); });
  add("deviation", 5, true, [](const ShownProfile& shown) { return shown.profile.deviation() ? short_number(*shown.profile.deviation()) : std::string(); });
  add("min", 2, true, [](const ShownProfile& shown) { return short_text(shown.type, shown.profile.low()); });
  for (const double q : kShownQuantiles) {
    const double from_middle = std::fabs(q - 0.5);
    add(fmt::format("{:.0f}%", q * 100), from_middle == 0 ? 2 : from_middle < 0.3 ? 4 : from_middle < 0.47 ? 6 : 7, true, [q](const ShownProfile& shown) {
      const auto found = shown.profile.quantile(q);
      if (!found) return std::string();
      if (found->within == 0) return short_text(shown.type, found->value);
      // Parts of a second would say more than is known.
      const std::int64_t* time = shown.type.base == Base::timestamp ? std::get_if<std::int64_t>(&found->value) : nullptr;
      return "~" + short_text(shown.type, time ? Value(floor_div(*time, 1'000'000) * 1'000'000) : found->value);
    });
  }
  add("max", 2, true, [](const ShownProfile& shown) { return short_text(shown.type, shown.profile.high()); });
  add("most frequent", 3, false, top_text);
  return fields;
}

}  // namespace

std::string profiles_text(const std::vector<ShownProfile>& profiles, std::size_t width, bool colour) {
  std::vector<Field> fields = fields_of(profiles);
  // The last field takes the room that is left.
  const auto room_of = [](const Field& field) { return field.leaves == 3 ? std::min(field.width, kLeastOfTop) : field.width; };
  const auto needed = [&] {
    std::size_t sum = 0;
    for (const Field& field : fields) sum += room_of(field) + 2;
    return sum - 2;
  };
  std::vector<std::string> left_out;
  while (width > 0 && needed() > width && fields.size() > 1) {
    const int leaving = std::ranges::max(fields, {}, &Field::leaves).leaves;
    if (leaving == 0) break;
    std::erase_if(fields, [&](const Field& field) {
      if (field.leaves == leaving) left_out.push_back(field.head);
      return field.leaves == leaving;
    });
  }
  if (width > 0 && fields.back().leaves == 3) fields.back().width = std::min(fields.back().width, width - (needed() - room_of(fields.back())));
  std::string out;
  const auto line = [&](const auto& text, const char* paint) {
    std::string all;
    for (const Field& field : fields) all += padded(cut(text(field), field.width), field.width, field.right, paint) + "  ";
    all.erase(all.find_last_not_of(' ') + 1);
    out += all + '\n';
  };
  line([](const Field& field) { return field.head; }, colour ? "1" : "");
  for (std::size_t i = 0; i < profiles.size(); ++i) line([i](const Field& field) { return field.cells[i]; }, "");
  if (!left_out.empty()) out += fmt::format("… and what does not fit: {}\n", fmt::join(left_out, ", "));
  if (std::ranges::any_of(profiles, [](const ShownProfile& shown) { return !shown.profile.is_exact(); }))
    out += fmt::format("\n~ of more than {} distinct values: their number has a standard error of {:.2f} %, quantiles are of ranges of values, shares of frequent values may fall\n"
                       "short; --format json gives the bounds\n", learn::ColumnProfile::kMost, 100 * learn::ColumnProfile::kDistinctError);
  return out;
}

std::string profiles_csv(const std::vector<ShownProfile>& profiles) {
  std::string out = "of,column,type,rows,missing,distinct,mean,deviation,min";
  for (const double q : kShownQuantiles) out += fmt::format(",p{:02.0f}", q * 100);
  out += ",max,most_frequent,its_count\n";
  for (const ShownProfile& shown : profiles) {
    const learn::ColumnProfile& profile = shown.profile;
    const auto number = [](const std::optional<double>& x) { return x ? fmt::format("{}", *x) : std::string(); };
    std::vector<std::string> cells = {shown.owner, shown.name, to_string(shown.type), std::to_string(profile.rows), std::to_string(profile.missing), shown.type.base == Base::vector ? std::string() : std::to_string(profile.distinct()),
                                      number(profile.mean()), number(profile.deviation()), exact_text(shown.type, profile.low())};
    for (const double q : kShownQuantiles) {
      const auto found = profile.quantile(q);
      cells.push_back(found ? exact_text(shown.type, found->value) : std::string());
    }
    cells.push_back(exact_text(shown.type, profile.high()));
    const auto top = profile.top(1);
    cells.push_back(top.empty() ? std::string() : exact_text(shown.type, top.front().value));
    cells.push_back(top.empty() ? std::string() : std::to_string(top.front().count));
    for (std::size_t i = 0; i < cells.size(); ++i) out += (i ? "," : "") + io::csv_field(cells[i]);
    out += '\n';
  }
  return out;
}

}  // namespace mlp::cli
