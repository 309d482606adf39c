#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  /// Empty, or the source's text for missing values.
  bool is_missing(std::string_view text) const { return text.empty() || text == null_; }
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

  // The rule that a value breaks, in words; empty when it breaks none. `text` is how it was written.
  std::string broken_rule(bool value, std::string_view text) const;
  std::string broken_rule(std::int64_t value, std::string_view text) const;
  std::string broken_rule(double value, std::string_view text) const;
  std::string broken_rule(std::string_view value, std::string_view text) const;

 private:
  FieldReader(const plan::ReadColumn& column, const ReadOptions& options) : column_(column), null_(options.null), decimal_(options.decimal) {}
  template <class T>
  std::string broken(T value, std::string_view text) const;
  bool is_allowed(bool value) const { return is_allowed(static_cast<std::int64_t>(value)); }
  bool is_allowed(std::int64_t value) const;
  bool is_allowed(double value) const;
  bool is_allowed(std::string_view value) const;

  plan::ReadColumn column_;
  std::string null_;
  char decimal_;
  DateFormat format_;
  std::shared_ptr<const re2::RE2> pattern_;
  bool only_allowed_ = false;
  std::vector<std::int64_t> allowed_ints_;
  std::vector<double> allowed_floats_;
  std::vector<std::string> allowed_texts_;
};

}  // namespace mlp::io
