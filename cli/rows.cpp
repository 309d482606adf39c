#include "cli/rows.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "compiler/support/text.h"
#include "kernels/calendar.h"
#include "runtime/io/csv_records.h"

namespace mlp::cli {

namespace {

constexpr std::size_t kWidestName = 32, kWidestText = 40, kNarrowText = 16;
constexpr int kDigits = 6;  ///< of a float, at least
constexpr std::int64_t kMicros = 1'000'000, kDay = 86'400;

std::string date_text(std::int64_t days) {
  if (!has_civil_date(days)) return fmt::format("{}", days);
  const CivilDate date = civil_date(days);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

/// ".5" of half a million microseconds, "" of none.
std::string fraction_text(std::int64_t micros) {
  if (micros == 0) return {};
  std::string text = fmt::format(".{:06}", micros);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string timestamp_text(std::int64_t micros) {
  const std::int64_t seconds = floor_div(micros, kMicros), days = floor_div(seconds, kDay), of_day = seconds - days * kDay;
  return fmt::format("{}T{:02}:{:02}:{:02}{}Z", date_text(days), of_day / 3600, of_day / 60 % 60, of_day % 60, fraction_text(micros - seconds * kMicros));
}

std::string duration_text(std::int64_t micros) {
  const std::uint64_t size = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  const std::uint64_t seconds = size / kMicros;
  return fmt::format("{}{}:{:02}:{:02}{}", micros < 0 ? "-" : "", seconds / 3600, seconds / 60 % 60, seconds % 60, fraction_text(static_cast<std::int64_t>(size % kMicros)));
}

/// How many decimals show six digits of x, without zeros at the end.
int decimals_of(double x) {
  const double size = std::fabs(x);
  int decimals = std::max(0, kDigits - (size < 1 ? 1 : static_cast<int>(std::log10(size)) + 1));
  for (double shown = std::round(size * std::pow(10, decimals)); decimals > 0 && std::fmod(shown, 10) == 0; shown /= 10) --decimals;
  return decimals;
}

bool needs_exponent(double x) { return x != 0 && (std::fabs(x) >= 1e15 || std::fabs(x) < 1e-4); }

bool is_right_aligned(const Type& type) { return type.is_number() || type.base == Base::duration; }

/// One column as it is laid out.
struct Laid {
  std::string name, type, owner;
  std::vector<std::string> cells;
  std::vector<bool> missing;
  std::size_t width = 0;
  bool right = false;
  bool text = false;
};

Laid lay_out(const RowsColumn& column) {
  Laid out;
  out.name = cut(escaped(column.name), kWidestName);
  out.type = short_type(column.type);
  out.owner = column.owner;
  out.right = is_right_aligned(column.type);
  out.text = column.type.is_text() || column.type.base == Base::vector;
  int decimals = 0;
  if (column.type.base == Base::float_)
    for (std::size_t row = 0; row < column.values.rows; ++row)
      if (column.values.is_known(row) && !needs_exponent(column.values.values<double>()[row])) decimals = std::max(decimals, decimals_of(column.values.values<double>()[row]));
  for (std::size_t row = 0; row < column.values.rows; ++row) {
    const bool known = column.values.is_known(row);
    out.missing.push_back(!known);
    if (known && column.type.base == Base::float_) {
      const double x = column.values.values<double>()[row];
      out.cells.push_back(needs_exponent(x) ? fmt::format("{:.{}e}", x, kDigits - 1) : fmt::format("{:.{}f}", x, decimals));
      continue;
    }
    std::string text = escaped(value_text(column.values, row));
    // A text that reads like nothing, or like something else, is shown as a text.
    if (known && column.type.is_text() && (text.empty() || text == "missing")) text = '"' + text + '"';
    out.cells.push_back(std::move(text));
  }
  return out;
}

void set_width(Laid& column, std::size_t most) {
  column.width = std::max(terminal_columns(column.name), terminal_columns(column.type));
  for (const std::string& cell : column.cells) column.width = std::max(column.width, terminal_columns(cell));
  if (column.text) column.width = std::max({std::min(column.width, most), terminal_columns(column.name), terminal_columns(column.type)});
}

std::size_t width_of(const std::vector<Laid>& columns) {
  std::size_t width = 0;
  for (const Laid& column : columns) width += column.width + 2;
  return width;
}

/// Which columns fit: those of the last owner first, from the left, then the others. One is always there.
std::vector<bool> choose(const std::vector<Laid>& columns, std::size_t room) {
  std::vector<bool> shown(columns.size(), false);
  bool full = false, any = false;
  for (const bool last : {true, false}) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if ((columns[i].owner == columns.back().owner) != last || full) continue;
      full = columns[i].width + 2 > room && any;
      if (full) continue;
      shown[i] = any = true;
      room -= std::min(room, columns[i].width + 2);
    }
  }
  return shown;
}

void append_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

std::string cut(const std::string& text, std::size_t most) {
  if (terminal_columns(text) <= most) return text;
  return std::string(first_terminal_columns(text, most - 1)) + "…";
}

std::string short_type(const Type& type) { return to_string(Type::of(type.base, type.missing)); }

std::string padded(const std::string& text, std::size_t width, bool right, const char* paint) {
  const std::size_t used = terminal_columns(text);
  const std::string blanks(width > used ? width - used : 0, ' ');
  const std::string shown = *paint && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", paint, text) : text;
  return right ? blanks + shown : shown + blanks;
}

std::string value_text(const Column& column, std::size_t row) {
  if (!column.is_known(row)) return "missing";
  switch (column.type.base) {
    case Base::bool_: return column.values<std::uint8_t>()[row] ? "true" : "false";
    case Base::int_: return fmt::format("{}", column.values<std::int64_t>()[row]);
    case Base::float_: return fmt::format("{}", column.values<double>()[row]);
    case Base::date: return date_text(column.values<std::int64_t>()[row]);
    case Base::timestamp: return timestamp_text(column.values<std::int64_t>()[row]);
    case Base::duration: return duration_text(column.values<std::int64_t>()[row]);
    case Base::vector: {
      std::string out = "[";
      for (std::size_t i = 0; i < column.width(); ++i) out += fmt::format("{}{}", i ? ", " : "", column.values<double>()[i * column.rows + row]);
      return out + "]";
    }
    default: return std::string(column.text(row));
  }
}

std::string rows_text(const Rows& rows, std::size_t width, bool colour) {
  if (rows.columns.empty()) return {};
  std::vector<Laid> columns;
  for (const RowsColumn& column : rows.columns) columns.push_back(lay_out(column));
  std::size_t number_width = rows.numbers.empty() ? 0 : 3;
  for (const std::uint64_t number : rows.numbers) number_width = std::max(number_width, std::to_string(number).size());
  const std::size_t margin = number_width ? number_width + 2 : 0;
  const auto fits = [&] { return width == 0 || margin + width_of(columns) <= width + 2; };  // no blanks behind the last
  for (const std::size_t most : {kWidestText, kNarrowText}) {
    for (Laid& column : columns) set_width(column, most);
    if (fits()) break;
  }
  std::vector<bool> shown(columns.size(), true);
  if (!fits()) shown = choose(columns, width + 2 > margin ? width + 2 - margin : 0);

  const char* const bold = colour ? "1" : "";
  const char* const dim = colour ? "2" : "";
  std::string owners = std::string(margin, ' '), names = padded(number_width ? "row" : "", margin, false), types(margin, ' ');
  std::vector<std::pair<std::string, std::size_t>> groups;  // columns of one owner, with the room that they have
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!shown[i]) continue;
    const Laid& column = columns[i];
    if (groups.empty() || groups.back().first != column.owner) groups.emplace_back(column.owner, 0);
    groups.back().second += column.width + 2;
    names += padded(column.name, column.width, column.right, bold) + "  ";
    types += padded(column.type, column.width, column.right, dim) + "  ";
  }
  for (const auto& [owner, room] : groups) owners += padded(cut(owner, room - 2), room, false);
  std::string out;
  if (groups.size() > 1) append_line(out, owners);
  append_line(out, names);
  append_line(out, types);
  const std::size_t count = rows.columns.front().values.rows;
  for (std::size_t row = 0; row < count; ++row) {
    std::string line = number_width ? padded(std::to_string(rows.numbers[row]), number_width, true, dim) + "  " : std::string();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!shown[i]) continue;
      const Laid& column = columns[i];
      line += padded(cut(column.cells[row], column.width), column.width, column.right, column.missing[row] ? dim : "") + "  ";
    }
    append_line(out, std::move(line));
  }
  std::vector<std::string> left_out;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!shown[i]) left_out.push_back(columns[i].name);
  constexpr std::size_t kListed = 12;
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, left_out.size()); ++i) list += (i ? ", " : "") + left_out[i];
  if (left_out.size() > kListed) list += ", …";
  if (!left_out.empty()) out += fmt::format("… and {} column{} that {} not fit: {}\n", left_out.size(), left_out.size() == 1 ? "" : "s", left_out.size() == 1 ? "does" : "do", list);
  std::string codes;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (shown[i] && !rows.columns[i].code.empty()) codes += fmt::format("{} = {}\n", columns[i].name, escaped(rows.columns[i].code));
  return codes.empty() ? out : out + "\n" + codes;
}

std::string rows_csv(const Rows& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.columns.size(); ++i) out += (i ? "," : "") + io::csv_field(rows.columns[i].name);
  out += '\n';
  const std::size_t count = rows.columns.empty() ? 0 : rows.columns.front().values.rows;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      const Column& values = rows.columns[i].values;
      out += (i ? "," : "") + (values.is_known(row) ? io::csv_field(value_text(values, row)) : std::string());
    }
    out += '\n';
  }
  return out;
}

std::size_t terminal_width() {
  if (const char* said = std::getenv("COLUMNS"); said && *said) {
    const long columns = std::strtol(said, nullptr, 10);
    if (columns > 0) return static_cast<std::size_t>(columns);
  }
  winsize size{};
  return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace mlp::cli
