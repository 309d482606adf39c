#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"
#include "runtime/io/source.h"
#include "runtime/io/date_text.h"

namespace re2 {
class RE2;
}

namespace mlp::io {

/// A column's part of the contract, ready to judge single values, wherever they come from. Immutable.
class FieldReader {
 public:
  /// E0601 and E0308 where the contract cannot be read.
  static Result<FieldReader> make(const plan::ReadColumn& column, const ReadOptions& options);

  const plan::ReadColumn& column() const { return column_; }
  /// Empty, or the source's text for missing values; of rows of our own that alone.
  bool is_missing(std::string_view text) const { return text.empty() ? !of_rows_ || !text.data() : text == null_; }
  /// Blanks around texts are no part of them.
  bool trims() const { return trim_; }
  /// Texts that field_parse.h reads are read here to the same value.
  bool is_plain() const { return is_plain_; }
  /// Why a missing value is none that the column may have.
  std::string why_not_missing() const;

  // The value of a text; the column has that type. nullopt: why_unreadable says why.
  std::optional<bool> read_bool(std::string_view text) const;
  std::optional<std::int64_t> read_int(std::string_view text) const;
  std::optional<double> read_float(std::string_view text) const;
  std::optional<std::int64_t> read_date(std::string_view text) const { return format_.read_date(text); }
  std::optional<std::int64_t> read_timestamp(std::string_view text) const { return format_.read_timestamp(text); }
  std::optional<std::int64_t> read_duration(std::string_view text) const;
  std::optional<std::string_view> read_text(std::string_view text) const;
  std::string why_unreadable(std::string_view text) const;

  // Whether a value breaks no rule: broken_rule would be empty.
  bool keeps_rules(bool value) const { return !has_rules_ || broken_rule(value, {}).empty(); }
  bool keeps_rules(std::int64_t value) const { return low_ <= value && value <= high_ && (!only_allowed_ || is_allowed(value)); }
  bool keeps_rules(double value) const { return column_.range ? column_.range->contains(value) && (!only_allowed_ || is_allowed(value)) : !only_allowed_ || is_allowed(value); }
  bool keeps_rules(std::string_view value) const { return !has_rules_ || broken_rule(value, value).empty(); }

  // The rule that a value breaks, in words; empty when it breaks none. `text` is how it was written.
  std::string broken_rule(bool value, std::string_view text) const;
  std::string broken_rule(std::int64_t value, std::string_view text) const;
  std::string broken_rule(double value, std::string_view text) const;
  std::string broken_rule(std::string_view value, std::string_view text) const;

 private:
  FieldReader(const plan::ReadColumn& column, const ReadOptions& options) : column_(column), null_(options.null), decimal_(options.decimal), trim_(options.trim), of_rows_(options.of_rows) {}
  template <class T>
  std::string broken(T value, std::string_view text) const;
  bool is_allowed(bool value) const { return is_allowed(static_cast<std::int64_t>(value)); }
  bool is_allowed(std::int64_t value) const;
  bool is_allowed(double value) const;
  bool is_allowed(std::string_view value) const;

  plan::ReadColumn column_;
  std::string null_;
  char decimal_;
  bool trim_, of_rows_;
  DateFormat format_;
  std::shared_ptr<const re2::RE2> pattern_;
  bool only_allowed_ = false, has_rules_ = false, is_plain_ = false;
  std::int64_t low_ = std::numeric_limits<std::int64_t>::min(), high_ = std::numeric_limits<std::int64_t>::max();  ///< the range, of whole numbers
  std::vector<std::int64_t> allowed_ints_;
  std::vector<double> allowed_floats_;
  std::vector<std::string> allowed_texts_;
};

/// One for each column, in order.
Result<std::vector<FieldReader>> make_field_readers(std::span<const plan::ReadColumn> columns, const ReadOptions& options);

}  // namespace mlp::io
