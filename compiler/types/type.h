#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mlp {

enum class Base : std::uint8_t {
  error,  ///< poison: something was reported already; fits everything
  bool_,
  int_,       ///< 64 bits
  float_,     ///< IEEE double; NaN and infinities do not occur, they are missing
  string,     ///< UTF-8
  date,       ///< days since 1970-01-01
  timestamp,  ///< microseconds since 1970-01-01T00:00:00Z
  duration,   ///< microseconds
  category,
  list,
  vector,  ///< of floats; the width is symbolic (0) where it is fitted
  map,
};

struct Type;

/// What the base alone does not say.
struct TypeDetail {
  std::vector<std::string> domain;  ///< category("a","b"): the values as declared; empty: open, fitted on training rows
  bool ordered = false;             ///< category("a" < "b")
  std::shared_ptr<const Type> element;  ///< list(T)
  std::uint32_t width = 0;              ///< vector(N); 0 where fitted
  bool sparse = false;                  ///< sparse(N): a vector of which few places are not 0
};

struct Type {
  Base base = Base::error;
  bool missing = false;  ///< T?: a value may be missing
  std::shared_ptr<const TypeDetail> detail;

  static Type error() { return {}; }
  static Type of(Base base, bool missing = false) { return {base, missing, nullptr}; }
  static Type category(std::vector<std::string> domain, bool ordered = false, bool missing = false);
  static Type list(Type element, bool missing = false);
  static Type vector(std::uint32_t width, bool missing = false);
  static Type sparse(std::uint32_t width, bool missing = false);

  bool is_error() const { return base == Base::error; }
  bool is_number() const { return base == Base::int_ || base == Base::float_; }
  bool is_text() const { return base == Base::string || base == Base::category; }
  Type known() const { Type t = *this; t.missing = false; return t; }
  Type maybe(bool m = true) const { Type t = *this; t.missing = t.missing || m; return t; }
  const std::vector<std::string>& domain() const;
  bool closed() const { return base == Base::category && !domain().empty(); }
};

/// Equal in base, missing and detail.
bool operator==(const Type& a, const Type& b);
/// As the language writes it: `float?`, `category("a", "b")`, `vector(3)`, `sparse(3)`.
std::string to_string(const Type& type);
/// The inverse of to_string for types without user text problems; nullopt if it is no type.
std::optional<Type> parse_type(std::string_view text);

/// Closed interval that holds all known values of a number; unbounded ends are infinite. Flows through expressions.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool bounded() const { return low > -std::numeric_limits<double>::infinity() && high < std::numeric_limits<double>::infinity(); }
  bool contains(double x) const { return low <= x && x <= high; }
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// A constant of the language; monostate is `missing`. date, timestamp and duration are their int64; category is its text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
std::string to_string(const Value& value);

}  // namespace mlp
