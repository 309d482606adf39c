#include "compiler/diag/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "compiler/support/text.h"
#include "compiler/support/utf8.h"

namespace mlp::diag {

namespace {

struct Paint {
  bool on;
  std::string operator()(const char* code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};
constexpr const char* kRed = "1;31";
constexpr const char* kYellow = "1;33";
constexpr const char* kBlue = "1;34";
constexpr const char* kCyan = "36";
constexpr const char* kBold = "1";

constexpr std::size_t kWidest = 400;  ///< characters of a line that are shown
constexpr std::size_t kBefore = 100;  ///< of these before the mark, where it stands farther right than all of them

/// What is shown of a line: a tab takes one column, so that carets stand below their text; control characters and bytes that are
/// no UTF-8 are hidden.
std::string shown(std::string_view line) {
  std::string out(line);
  const bool good = is_utf8(line);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (!good && static_cast<unsigned char>(c) >= 0x80)) c = good ? ' ' : '?';
  return out;
}

/// The bytes of the first `characters` code points.
std::size_t bytes_of(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && characters-- == 0) break;
  return at;
}

/// One marked place: the line of source and a line of carets with the words. Of a long line the part around the mark is shown.
void append_place(std::string& out, const SourceMap& sources, Span span, std::string_view words, bool primary, std::size_t gutter,
                  const Paint& paint, const char* colour) {
  const LineColumn at = sources.locate(span.file, span.begin);
  std::string_view line = sources.line(span.file, at.line);
  const std::string margin(gutter, ' ');
  const std::size_t length = count_code_points(line);
  std::size_t column = std::min<std::size_t>(at.column, length + 1);
  const LineColumn end = sources.locate(span.file, span.end);
  std::size_t width = end.line == at.line ? end.column - at.column : length + 1 - column;
  const std::size_t skipped = length > kWidest && column > kWidest - kBefore ? column - 1 - kBefore : 0, rest = length - skipped;
  const std::string_view before = skipped > 0 ? "… " : "", after = rest > kWidest ? " …" : "";
  line.remove_prefix(bytes_of(line, skipped));
  line = line.substr(0, bytes_of(line, kWidest));
  const std::size_t indent = count_code_points(before);
  column += indent - skipped;
  width = std::clamp<std::size_t>(width, 1, std::max<std::size_t>(1, indent + std::min(rest, kWidest) + 1 - column));
  out += fmt::format("{} {}{}{}\n", paint(kBlue, fmt::format("{:>{}} |", at.line, gutter)), before, shown(line), after);
  std::string mark(width, primary ? '^' : '-');
  if (!words.empty()) mark += fmt::format(" {}", words);
  out += fmt::format("{} {}{}\n", paint(kBlue, margin + " |"), std::string(column - 1, ' '), paint(primary ? colour : kBlue, mark));
}

void append_detail(std::string& out, std::size_t gutter, const Paint& paint, std::string_view word, std::string_view text) {
  const std::string margin(gutter, ' ');
  std::size_t from = 0;
  bool first = true;
  while (from <= text.size()) {
    std::size_t to = text.find('\n', from);
    if (to == std::string_view::npos) to = text.size();
    if (first)
      out += fmt::format("{} {} {}: {}\n", margin, paint(kBlue, "="), paint(kBold, word), escaped(text.substr(from, to - from)));
    else
      out += fmt::format("{}   {} {}\n", margin, std::string(word.size() + 1, ' '), escaped(text.substr(from, to - from)));
    first = false;
    from = to + 1;
  }
}

std::string place_text(const DataPlace& place) {
  std::string out = place.file;
  if (place.line) out += fmt::format(":{}", place.line);
  out += ": ";
  if (!place.column.empty()) out += fmt::format("`{}` ", place.column);
  if (!place.value.empty() || !place.column.empty()) out += fmt::format("is \"{}\": ", place.value);
  return out + place.reason;
}

}  // namespace

std::string render_text(const Diagnostic& d, const SourceMap& sources, const TextOptions& options) {
  const Paint paint{options.colour};
  const bool error = severity(d.code) == Severity::error;
  const char* colour = error ? kRed : kYellow;
  std::string out = paint(colour, fmt::format("{}[{}]", error ? "error" : "warning", name(d.code)));
  out += paint(kBold, fmt::format(": {}\n", escaped(d.message)));

  std::uint32_t largest = 0;
  const auto widen = [&](Span span) {
    if (span && span.file < sources.size()) largest = std::max(largest, sources.locate(span.file, span.begin).line);
  };
  widen(d.span);
  for (const Label& label : d.secondary) widen(label.span);
  const std::size_t gutter = largest ? std::to_string(largest).size() : 1;
  const std::string margin(gutter, ' ');

  std::uint32_t file = Span::kNowhere;
  if (d.span && d.span.file < sources.size()) {
    file = d.span.file;
    const LineColumn at = sources.locate(file, d.span.begin);
    out += fmt::format("{}{} {}:{}:{}\n", margin, paint(kBlue, "-->"), sources.file(file).path, at.line, at.column);
    out += paint(kBlue, margin + " |") + "\n";
    append_place(out, sources, d.span, d.label, true, gutter, paint, colour);
  }
  for (const Label& label : d.secondary) {
    if (!label.span || label.span.file >= sources.size()) continue;
    if (label.span.file != file) {
      file = label.span.file;
      const LineColumn at = sources.locate(file, label.span.begin);
      out += fmt::format("{}{} {}:{}:{}\n", margin, paint(kBlue, ":::"), sources.file(file).path, at.line, at.column);
    }
    out += paint(kBlue, margin + " |") + "\n";
    append_place(out, sources, label.span, label.text, false, gutter, paint, colour);
  }
  for (const DataPlace& place : d.places) out += fmt::format("{}   {}\n", margin, escaped(place_text(place)));
  if (d.more_places) out += fmt::format("{}   … and {} more\n", margin, d.more_places);
  for (const std::string& note : d.notes) append_detail(out, gutter, paint, "note", note);
  if (!d.help.empty()) append_detail(out, gutter, paint, "help", d.help);
  return out;
}

std::string render_text(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources, const TextOptions& options) {
  std::string out;
  std::size_t errors = 0, warnings = 0, shown_in_full = 0;
  for (const Diagnostic& d : diagnostics) {
    ++(severity(d.code) == Severity::error ? errors : warnings);
    if (shown_in_full++ < options.most) out += render_text(d, sources, options) + "\n";
  }
  if (diagnostics.size() > options.most) out += fmt::format("… and {} more that are not shown\n", diagnostics.size() - options.most);
  const auto count = [](std::size_t n, const char* word) { return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s"); };
  if (errors && warnings)
    out += count(errors, "error") + ", " + count(warnings, "warning") + "\n";
  else if (errors || warnings)
    out += (errors ? count(errors, "error") : count(warnings, "warning")) + "\n";
  return out;
}

std::string_view did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
  // Optimal string alignment distance (Damerau 1964, restricted): a swap of neighbours is one edit.
  std::vector<std::size_t> before, previous, current;  // rows of the table, kept for all candidates
  const auto distance = [&](std::string_view a, std::string_view b) {
    before.clear();
    previous.assign(b.size() + 1, 0);
    current.assign(b.size() + 1, 0);
    std::iota(previous.begin(), previous.end(), std::size_t{0});
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (std::size_t i = 1; i <= a.size(); ++i) {
      current[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const std::size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
        current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + differs});
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
          current[j] = std::min(current[j], before[j - 2] + 1);
      }
      std::swap(before, previous);
      std::swap(previous, current);
      current.resize(b.size() + 1);
    }
    return previous[b.size()];
  };
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    if (candidate == name || candidate.size() > name.size() + best_distance || name.size() > candidate.size() + best_distance) continue;
    const std::size_t d = distance(name, candidate);
    if (d < best_distance) best = candidate, best_distance = d;
  }
  return best;
}

}  // namespace mlp::diag
