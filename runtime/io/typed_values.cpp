#include "runtime/io/typed_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/io/field_text.h"

namespace mlp::io {

namespace {

std::pair<std::string_view, std::string_view> words_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::truth: return {"truth values", "bool"};
    case ValueKind::whole: case ValueKind::large: return {"whole numbers", "int"};
    case ValueKind::real: case ValueKind::decimal: return {"numbers", "float"};
    case ValueKind::text: return {"texts", "string"};
    case ValueKind::day: return {"dates", "date"};
    case ValueKind::moment: return {"times", "timestamp"};
    case ValueKind::duration: return {"durations", "duration"};
    default: return {"nothing", "string"};
  }
}

}  // namespace

bool fits(ValueKind kind, const plan::ReadColumn& column) {
  const Base base = column.type.base;
  switch (kind) {
    case ValueKind::none: return false;
    case ValueKind::nothing: return true;
    case ValueKind::truth: return base == Base::bool_;
    case ValueKind::whole: case ValueKind::real: case ValueKind::decimal: case ValueKind::large: return base == Base::int_ || base == Base::float_;
    case ValueKind::text: return base != Base::int_ && base != Base::float_ && (base != Base::bool_ || !column.bool_values.empty());
    case ValueKind::day: return base == Base::date || base == Base::string;
    case ValueKind::moment: return base == Base::timestamp || base == Base::string;
    case ValueKind::duration: return base == Base::duration;
  }
  return false;
}

std::unexpected<diag::Diagnostic> other_kind(const std::string& path, const plan::ReadColumn& column, ValueKind kind) {
  const auto [holds, declared] = words_of(kind);
  auto d = diag::make(diag::Code::E0801, {}, fmt::format("the column `{}` of `{}` holds {}; it is declared `{}`", column.source_name, path, holds, to_string(column.type)));
  d.places.push_back({path, 0, column.source_name, "", fmt::format("all of it holds {}", holds)});
  d.help = fmt::format("declare it as it is: `{}`; an expression can make another type of it", declared);
  return failure(std::move(d));
}

std::unexpected<diag::Diagnostic> no_single_values(const std::string& path, const plan::ReadColumn& column) {
  return failure(diag::Code::E0804, fmt::format("column `{}` of `{}` holds no single values that a column of a table can have", column.source_name, path),
                 "write numbers, texts, dates, times or truth values");
}

void add_decimal(ContractColumn& column, Base base, __int128 value, unsigned scale) {
  __int128 power = 1;
  for (unsigned i = 0; i < scale; ++i) power *= 10;
  const bool fits_int = value / power <= std::numeric_limits<std::int64_t>::max() && value / power >= std::numeric_limits<std::int64_t>::min();
  if (value % power == 0 && fits_int && base == Base::int_) return column.add(static_cast<std::int64_t>(value / power));
  // Both are doubles without rounding, so the quotient is the nearest one (IEEE 754, 5.4.1); 10^22 is the last power that is.
  constexpr __int128 kExact = __int128{1} << 53;
  if (base == Base::float_ && value <= kExact && value >= -kExact && scale <= 22) {
    double divisor = 1;
    for (unsigned i = 0; i < scale; ++i) divisor *= 10;
    return column.add(static_cast<double>(static_cast<std::int64_t>(value)) / divisor);
  }
  std::string digits;
  for (unsigned __int128 rest = value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value); rest > 0 || digits.size() <= scale; rest /= 10) digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  std::ranges::reverse(digits);
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  if (value < 0) digits.insert(0, "-");
  if (base == Base::float_) return column.add(*parse_float(digits));
  column.add_bad(digits, scale > 0 && value % power != 0 ? "a fraction where a whole number is expected" : "does not fit into 64 bits");
}

}  // namespace mlp::io
