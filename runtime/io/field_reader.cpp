#include "runtime/io/field_reader.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "compiler/support/utf8.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

/// Nearly all texts are, and this is sooner told; false is no answer.
bool is_ascii_without_nul(std::string_view text) {
  const std::size_t size = text.size();
  if (size < 8) return false;
  std::uint64_t seen = 0;
  const auto look = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    seen |= word | (word - 0x0101010101010101);  // a NUL borrows, and sets the highest bit of a byte
  };
  for (std::size_t at = 0; at + 8 <= size; at += 8) look(at);
  look(size - 8);
  return (seen & 0x8080808080808080) == 0;
}

/// Why a value is not in `range`.
std::string range_text(const Interval& range) {
  const bool low = range.low > -std::numeric_limits<double>::infinity();
  const bool high = range.high < std::numeric_limits<double>::infinity();
  if (low && high) return fmt::format("not in {}..{}", range.low, range.high);
  return low ? fmt::format("less than {}", range.low) : fmt::format("more than {}", range.high);
}

std::string list_text(const std::vector<std::string>& values) {
  constexpr std::size_t kListed = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(kListed, values.size()); ++i)
    out += fmt::format("{}\"{}\"", i ? ", " : "", shortened(values[i]));
  if (values.size() > kListed) out += fmt::format(" and {} more", values.size() - kListed);
  return out;
}

std::optional<std::int64_t> iso(Base base, std::string_view text) {
  const DateFormat format;
  return base == Base::date ? format.read_date(text) : format.read_timestamp(text);
}

/// Whether the values of a column are written as field_parse.h reads them: nothing of the table's or the column's own says otherwise.
bool written_plainly(const plan::ReadColumn& column, const ReadOptions& options) {
  // A text for missing values may be one that is read as a value: "0", "-1", "false".
  if (!options.null.empty() && std::string_view("-0123456789tf").find(options.null[0]) != std::string_view::npos) return false;
  switch (column.type.base) {
    case Base::bool_: return column.bool_values.empty();
    case Base::int_: return true;
    case Base::float_: return options.decimal == '.';
    case Base::date: return column.format.empty();
    case Base::timestamp: return column.format.empty() && (options.zone.empty() || options.zone == "UTC");
    default: return false;
  }
}

bool within(const Interval& range, double x) { return range.contains(x); }
/// The least and the greatest whole number in the range; the first is the greater one where there is none.
std::pair<std::int64_t, std::int64_t> whole_range(const Interval& range) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min(), kMost = std::numeric_limits<std::int64_t>::max();
  constexpr double kEnd = 0x1p63;  // of the whole numbers of 64 bits
  const double low = std::ceil(range.low), high = std::floor(range.high);
  if (low >= kEnd || high < -kEnd) return {kMost, kLeast};
  return {low < -kEnd ? kLeast : static_cast<std::int64_t>(low), high >= kEnd ? kMost : static_cast<std::int64_t>(high)};
}
bool within(const Interval& range, std::int64_t x) {
  const auto [low, high] = whole_range(range);
  return low <= x && x <= high;
}
bool within(const Interval&, bool) { return true; }
bool within(const Interval&, std::string_view) { return true; }

}  // namespace

Result<FieldReader> FieldReader::make(const plan::ReadColumn& column, const ReadOptions& options) {
  FieldReader reader(column, options);
  const Base base = column.type.base;
  const auto unreadable = [&](diag::Code code, std::string what, std::string help = "") {
    return failure(code, fmt::format("the column `{}` {}", column.source_name, what), std::move(help));
  };
  if (base == Base::list || base == Base::vector || base == Base::map || base == Base::error) {
    return unreadable(diag::Code::E0601,
                      fmt::format("cannot be read from a file: no field holds a {}", to_string(column.type)));
  }
  if (base == Base::date || base == Base::timestamp) {
    MLP_TRY(reader.format_, DateFormat::parse(column.format, base == Base::timestamp));
    if (base == Base::timestamp) MLP_TRY_VOID(reader.format_.use_zone(options.zone));
  }
  if (!column.bool_values.empty() &&
      (column.bool_values.size() != 2 || column.bool_values[0] == column.bool_values[1])) {
    return unreadable(diag::Code::E0308, "needs two different texts, one for true and one for false");
  }
  if (!column.matches.empty()) {
    RE2::Options re;
    re.set_log_errors(false);
    reader.pattern_ = std::make_shared<const RE2>(column.matches, re);
    if (!reader.pattern_->ok()) {
      return unreadable(diag::Code::E0308,
                        fmt::format("has a pattern that is no regular expression: {}", reader.pattern_->error()));
    }
  }
  for (const std::string& text : column.allowed) {
    bool good = true;
    switch (base) {
      case Base::float_:
        if (const auto x = parse_float(text))
          reader.allowed_floats_.push_back(*x);
        else
          good = false;
        break;
      case Base::bool_:
        if (const auto x = parse_bool(text))
          reader.allowed_ints_.push_back(*x);
        else
          good = false;
        break;
      case Base::string:
      case Base::category:
        reader.allowed_texts_.push_back(text);
        break;
      default:
        // Constants of a workflow are ISO, however the file writes its dates.
        if (const auto x = base == Base::int_       ? parse_int(text)
                           : base == Base::duration ? parse_duration(text)
                                                    : iso(base, text)) {
          reader.allowed_ints_.push_back(*x);
        } else {
          good = false;
        }
    }
    if (!good)
      return unreadable(diag::Code::E0308, fmt::format("cannot have the value \"{}\": it is no {}", text,
                                                       to_string(column.type.known())));
  }
  if (column.type.closed()) {
    const auto& domain = column.type.domain();
    if (column.allowed.empty())
      reader.allowed_texts_ = domain;
    else
      std::erase_if(reader.allowed_texts_,
                    [&](const std::string& text) { return std::ranges::find(domain, text) == domain.end(); });
    reader.only_allowed_ = true;
  }
  reader.only_allowed_ = reader.only_allowed_ || !column.allowed.empty();
  reader.is_plain_ = written_plainly(column, options);
  reader.has_rules_ = reader.only_allowed_ || reader.pattern_ || column.range;
  if (column.range) std::tie(reader.low_, reader.high_) = whole_range(*column.range);
  std::ranges::sort(reader.allowed_ints_);
  std::ranges::sort(reader.allowed_floats_);
  std::ranges::sort(reader.allowed_texts_);
  return reader;
}

Result<std::vector<FieldReader>> make_field_readers(std::span<const plan::ReadColumn> columns, const ReadOptions& options) {
  std::vector<FieldReader> readers;
  for (const plan::ReadColumn& column : columns) {
    MLP_TRY(FieldReader reader, FieldReader::make(column, options));
    readers.push_back(std::move(reader));
  }
  return readers;
}

std::string FieldReader::why_not_missing() const { return fmt::format("missing; `{}?` would allow it", to_string(column_.type.known())); }

std::optional<bool> FieldReader::read_bool(std::string_view text) const {
  if (column_.bool_values.empty()) return parse_bool(text);
  if (text == column_.bool_values[0]) return true;
  if (text == column_.bool_values[1]) return false;
  return std::nullopt;
}

std::optional<std::int64_t> FieldReader::read_int(std::string_view text) const { return parse_int(text); }
std::optional<double> FieldReader::read_float(std::string_view text) const { return parse_float(text, decimal_); }
std::optional<std::int64_t> FieldReader::read_duration(std::string_view text) const { return parse_duration(text); }

std::optional<std::string_view> FieldReader::read_text(std::string_view text) const {
  if (is_ascii_without_nul(text)) return text;
  return is_utf8(text) && text.find('\0') == std::string_view::npos ? std::optional(text) : std::nullopt;
}

bool FieldReader::is_allowed(std::int64_t value) const { return std::ranges::binary_search(allowed_ints_, value); }
bool FieldReader::is_allowed(double value) const { return std::ranges::binary_search(allowed_floats_, value); }
bool FieldReader::is_allowed(std::string_view value) const { return std::ranges::binary_search(allowed_texts_, value); }

template <class T>
std::string FieldReader::broken(T value, std::string_view text) const {
  if (column_.range && !within(*column_.range, value)) return range_text(*column_.range);
  if (only_allowed_ && !is_allowed(value)) {
    std::string why = "none of " + list_text(column_.allowed.empty() ? column_.type.domain() : column_.allowed);
    return why += hint_of_blanks(text);
  }
  if (pattern_ && !RE2::FullMatch({text.data(), text.size()}, *pattern_)) {
    return fmt::format("does not match r\"{}\"{}", column_.matches, hint_of_blanks(text));
  }
  return {};
}

std::string FieldReader::broken_rule(bool value, std::string_view text) const { return broken(value, text); }
std::string FieldReader::broken_rule(std::int64_t value, std::string_view text) const { return broken(value, text); }
std::string FieldReader::broken_rule(double value, std::string_view text) const { return broken(value, text); }
std::string FieldReader::broken_rule(std::string_view value, std::string_view text) const { return broken(value, text); }

std::string FieldReader::why_unreadable(std::string_view text) const {
  if (text.find('\0') != std::string_view::npos) return "has a NUL byte";
  switch (column_.type.base) {
    case Base::bool_:
      if (column_.bool_values.empty()) {
        return fmt::format("none of true, false, 0, 1{}; `values (…, …)` names others", hint_of_blanks(text));
      }
      return fmt::format("neither \"{}\" nor \"{}\"{}", column_.bool_values[0], column_.bool_values[1],
                         hint_of_blanks(text));
    case Base::int_:
      return why_no_int(text);
    case Base::float_:
      return why_no_float(text, decimal_);
    case Base::date:
      return format_.why_no_date(text);
    case Base::timestamp:
      return format_.why_no_timestamp(text);
    case Base::duration:
      return fmt::format("not a duration like 90min or 1:30:00{}", hint_of_blanks(text));
    default:
      return "not UTF-8 text; is it another `encoding:`, such as \"latin1\"?";
  }
}

}  // namespace mlp::io
