#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>

#include "compiler/support/check.h"
#include "runtime/column/utf8.h"
#include "runtime/io/csv.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/date_text.h"
#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

/// Records parsed together: the fields of so many stay in the cache while column after column is read.
constexpr std::size_t kBlockRows = 512;

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

/// Records of one block: the fields asked for, row by row.
struct Block {
  std::vector<std::string_view> fields;  ///< rows × width
  std::vector<std::uint64_t> lines;
  std::vector<bool> usable;  ///< the record as a whole is well formed
  std::size_t width = 0;

  std::string_view field(std::size_t row, std::size_t slot) const { return fields[row * width + slot]; }
};

struct BadValue {
  std::size_t row;     ///< in the block
  std::size_t column;  ///< order in which columns were asked for; their number: the record as a whole
  std::string text;    ///< shortened
  std::string reason;
};

/// Reads one column out of blocks, with its contract.
class ColumnReader {
 public:
  static Result<ColumnReader> make(const CsvColumn& column, const CsvOptions& options, std::size_t expected_rows) {
    ColumnReader reader(column, options, expected_rows);
    const Base base = column.type.base;
    const auto unreadable = [&](diag::Code code, std::string what, std::string help = "") {
      return failure(code, fmt::format("the column `{}` {}", column.name, what), std::move(help));
    };
    if (base == Base::list || base == Base::vector || base == Base::map || base == Base::error) {
      return unreadable(diag::Code::E0601,
                        fmt::format("cannot be read from CSV: no field holds a {}", to_string(column.type)));
    }
    if (base == Base::timestamp && !options.zone.empty() && options.zone != "UTC") {
      return unreadable(diag::Code::E0601,
                        fmt::format("has times in the zone \"{}\"; mlpc cannot convert them to UTC yet", options.zone),
                        "write the times in UTC, or with an offset such as +02:00");
    }
    if (base == Base::date || base == Base::timestamp) {
      MLP_TRY(reader.format_, DateFormat::parse(column.format, base == Base::timestamp));
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
    std::ranges::sort(reader.allowed_ints_);
    std::ranges::sort(reader.allowed_floats_);
    std::ranges::sort(reader.allowed_texts_);
    return reader;
  }

  void read(const Block& block, std::size_t slot, std::size_t column, std::vector<BadValue>& bad) {
    switch (spec_->type.base) {
      case Base::bool_:
        return read_as<bool>(block, slot, column, bad, [this](auto text) { return to_bool(text); });
      case Base::int_:
        return read_as<std::int64_t>(block, slot, column, bad, [](auto text) { return parse_int(text); });
      case Base::float_:
        return read_as<double>(block, slot, column, bad, [this](auto text) { return parse_float(text, decimal_); });
      case Base::date:
        return read_as<std::int64_t>(block, slot, column, bad, [this](auto text) { return format_.read_date(text); });
      case Base::timestamp:
        return read_as<std::int64_t>(block, slot, column, bad,
                                     [this](auto text) { return format_.read_timestamp(text); });
      case Base::duration:
        return read_as<std::int64_t>(block, slot, column, bad, [](auto text) { return parse_duration(text); });
      default:
        return read_as<std::string_view>(block, slot, column, bad, [](auto text) {
          return is_utf8(text) && text.find('\0') == std::string_view::npos ? std::optional(text) : std::nullopt;
        });
    }
  }

  Column finish() { return builder_.finish(); }

 private:
  ColumnReader(const CsvColumn& column, const CsvOptions& options, std::size_t expected_rows)
      : spec_(&column), null_(options.null), decimal_(options.decimal), builder_(column.type, expected_rows) {}

  static std::optional<std::int64_t> iso(Base base, std::string_view text) {
    const DateFormat format;
    return base == Base::date ? format.read_date(text) : format.read_timestamp(text);
  }

  std::optional<bool> to_bool(std::string_view text) const {
    if (spec_->bool_values.empty()) return parse_bool(text);
    if (text == spec_->bool_values[0]) return true;
    if (text == spec_->bool_values[1]) return false;
    return std::nullopt;
  }

  template <class T, class Parse>
  void read_as(const Block& block, std::size_t slot, std::size_t column, std::vector<BadValue>& bad, Parse parse) {
    for (std::size_t row = 0; row < block.lines.size(); ++row) {
      if (!block.usable[row]) {
        builder_.push_missing();
        continue;
      }
      const std::string_view text = block.field(row, slot);
      if (text.empty() || text == null_) {
        builder_.push_missing();
        if (!spec_->type.missing) {
          bad.push_back({row, column, shortened(text),
                         fmt::format("missing; `{}?` would allow it", to_string(spec_->type.known()))});
        }
        continue;
      }
      const std::optional<T> value = parse(text);
      if (!value) {
        builder_.push_missing();
        bad.push_back({row, column, shortened(text), why_unreadable(text)});
        continue;
      }
      if (const std::string wrong = broken_rule(*value, text); !wrong.empty()) {
        builder_.push_missing();
        bad.push_back({row, column, shortened(text), wrong});
        continue;
      }
      push(*value);
    }
  }

  void push(bool value) { builder_.push_bool(value); }
  void push(std::int64_t value) { builder_.push_int(value); }
  void push(double value) { builder_.push_float(value); }
  void push(std::string_view value) { builder_.push_text(value); }

  static bool within(const Interval& range, double x) { return range.contains(x); }
  /// Ends beyond 2^53 are compared without rounding the value: a long double holds every int64.
  static bool within(const Interval& range, std::int64_t x) {
    const auto exact = static_cast<long double>(x);
    return static_cast<long double>(range.low) <= exact && exact <= static_cast<long double>(range.high);
  }
  static bool within(const Interval&, bool) { return true; }
  static bool within(const Interval&, std::string_view) { return true; }

  bool is_allowed(bool value) const { return is_allowed(static_cast<std::int64_t>(value)); }
  bool is_allowed(std::int64_t value) const { return std::ranges::binary_search(allowed_ints_, value); }
  bool is_allowed(double value) const { return std::ranges::binary_search(allowed_floats_, value); }
  bool is_allowed(std::string_view value) const { return std::ranges::binary_search(allowed_texts_, value); }

  /// The rule that the value breaks, in words; empty when it breaks none.
  template <class T>
  std::string broken_rule(T value, std::string_view text) const {
    if (spec_->range && !within(*spec_->range, value)) return range_text(*spec_->range);
    if (only_allowed_ && !is_allowed(value)) {
      std::string why = "none of " + list_text(spec_->allowed.empty() ? spec_->type.domain() : spec_->allowed);
      return why += hint_of_blanks(text);
    }
    if (pattern_ && !RE2::FullMatch({text.data(), text.size()}, *pattern_)) {
      return fmt::format("does not match r\"{}\"{}", spec_->matches, hint_of_blanks(text));
    }
    return {};
  }

  std::string why_unreadable(std::string_view text) const {
    if (text.find('\0') != std::string_view::npos) return "has a NUL byte";
    switch (spec_->type.base) {
      case Base::bool_:
        if (spec_->bool_values.empty()) {
          return fmt::format("none of true, false, 0, 1{}; `values (…, …)` names others", hint_of_blanks(text));
        }
        return fmt::format("neither \"{}\" nor \"{}\"{}", spec_->bool_values[0], spec_->bool_values[1],
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
        return "not UTF-8 text";
    }
  }

  const CsvColumn* spec_;
  std::string null_;
  char decimal_;
  ColumnBuilder builder_;
  DateFormat format_;
  std::shared_ptr<const RE2> pattern_;
  bool only_allowed_ = false;
  std::vector<std::int64_t> allowed_ints_;
  std::vector<double> allowed_floats_;
  std::vector<std::string> allowed_texts_;
};

Result<std::vector<ColumnReader>> make_readers(std::span<const CsvColumn> columns, const CsvOptions& options,
                                               std::size_t rows) {
  std::vector<ColumnReader> readers;
  readers.reserve(columns.size());
  for (const CsvColumn& column : columns) {
    MLP_TRY(ColumnReader reader, ColumnReader::make(column, options, rows));
    readers.push_back(std::move(reader));
  }
  return readers;
}

std::unexpected<diag::Diagnostic> changed(const std::string& path) {
  return failure(diag::Code::E0805, fmt::format("`{}` changed since its rows were counted", path),
                 "run again when nothing writes to it");
}

/// The part of the physical line at `line` that a message shows.
std::string record_text(std::span<const std::string_view> fields, char delimiter) {
  std::string out;
  for (std::size_t i = 0; i < fields.size() && out.size() < 400; ++i) {
    if (i) out += delimiter;
    out += fields[i].substr(0, 400);
  }
  return out;
}

}  // namespace

Result<void> check_csv(std::span<const CsvColumn> columns, const CsvOptions& options) {
  const auto wrong = [](std::string what) { return failure(diag::Code::E0308, std::move(what)); };
  if (std::string_view("\"\n\r\0", 4).find(options.delimiter) != std::string_view::npos) {
    return wrong("columns cannot be separated by a quote, a line end or a NUL byte");
  }
  if (options.decimal == options.delimiter) {
    return wrong(fmt::format("`{}` cannot both separate columns and be the decimal mark", options.decimal));
  }
  if (std::string_view("\"\n\r\0+-eE0123456789 \t", 20).find(options.decimal) != std::string_view::npos) {
    return wrong("the decimal mark is a point, a comma or another sign that no number is written with");
  }
  if (options.fragment_rows == 0) return wrong("a fragment has at least one row");
  MLP_TRY_VOID(make_readers(columns, options, 0));
  return {};
}

Result<ReadOutcome> read_fragment(FileSystem& files, const FileScan& scan, const Fragment& fragment,
                                  std::span<const CsvColumn> columns, const CsvOptions& options) {
  MLP_CHECK(scan.was_made_with(options));
  MLP_TRY(std::vector<ColumnReader> readers, make_readers(columns, options, fragment.rows));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(scan, columns));
  MLP_TRY(const std::unique_ptr<File> file, files.open(scan.path));
  const auto bytes_size = static_cast<std::size_t>(fragment.end - fragment.begin);
  const auto bytes = std::make_unique_for_overwrite<char[]>(bytes_size);
  MLP_TRY(const std::size_t got, file->read_at(fragment.begin, {bytes.get(), bytes_size}));
  MLP_TRY(const FileStamp stamp, file->stamp());
  if (got != bytes_size || stamp != scan.stamp) return changed(scan.path);

  ReadOutcome outcome;
  outcome.batch.first_row = fragment.first_row;
  outcome.batch.rows = fragment.rows;
  RecordReader records({bytes.get(), bytes_size}, fragment.first_line, options.delimiter, options.trim,
                       scan.header.size() > 1);
  Block block;
  block.width = columns.size();
  block.fields.reserve(kBlockRows * block.width);
  std::vector<std::string_view> fields;
  std::vector<BadValue> bad;
  std::uint64_t rows = 0;
  for (bool more = true; more;) {
    records.forget();
    block.fields.clear();
    block.lines.clear();
    block.usable.clear();
    bad.clear();
    while (block.lines.size() < kBlockRows && (more = records.next(fields))) {
      const std::size_t row = block.lines.size();
      block.lines.push_back(records.line());
      std::string reason;
      if (records.fault() == RecordReader::Fault::unclosed_quote) {
        reason = "has a quote that is never closed";
      } else if (records.fault() == RecordReader::Fault::text_after_quote) {
        reason = "has text after a closing quote; a quote inside a quoted field is written twice";
      } else if (fields.size() != scan.header.size()) {
        reason = fmt::format("has {} field{}; the header names {} columns", fields.size(),
                             fields.size() == 1 ? "" : "s", scan.header.size());
      }
      block.usable.push_back(reason.empty());
      if (reason.empty()) {
        for (const std::uint32_t position : positions)
          block.fields.push_back(fields[position]);
      } else {
        block.fields.resize(block.fields.size() + block.width);
        bad.push_back({row, columns.size(), shortened(record_text(fields, options.delimiter)), std::move(reason)});
      }
    }
    rows += block.lines.size();
    for (std::size_t i = 0; i < readers.size(); ++i)
      readers[i].read(block, i, i, bad);
    std::ranges::stable_sort(bad, [](const BadValue& a, const BadValue& b) {
      return std::pair(a.row, a.column) < std::pair(b.row, b.column);
    });
    for (BadValue& value : bad) {
      const std::string column = value.column < columns.size() ? columns[value.column].name : "";
      ++outcome.bad.count;
      ++outcome.bad.by_reason[column.empty() ? value.reason : fmt::format("`{}`: {}", column, value.reason)];
      if (outcome.bad.first.size() == BadValues::kShown) continue;
      outcome.bad.first.push_back(
          {scan.path, block.lines[value.row], column, std::move(value.text), std::move(value.reason)});
    }
  }
  if (rows != fragment.rows) return changed(scan.path);
  for (ColumnReader& reader : readers) {
    outcome.batch.columns.push_back(reader.finish());
    outcome.profiles.push_back(profile_of(outcome.batch.columns.back()));
  }
  return outcome;
}

}  // namespace mlp::io
