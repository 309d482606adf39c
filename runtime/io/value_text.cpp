#include "runtime/io/value_text.h"

#include "runtime/io/date_text.h"

namespace mlp::io {

Value without_type(const Column& column, std::size_t row) {
  const Value value = value_at(column, row);
  if (std::holds_alternative<std::monostate>(value)) return value;
  switch (column.type.base) {
    case Base::int_:
    case Base::float_: return value;
    case Base::date: return text_of_date(std::get<std::int64_t>(value));
    case Base::timestamp: return text_of_timestamp(std::get<std::int64_t>(value));
    default: return column.type.is_text() ? value : Value(to_string(value));
  }
}

std::string value_text(const Column& column, std::size_t row) {
  const Value value = without_type(column, row);
  if (std::holds_alternative<std::monostate>(value)) return {};
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : to_string(value);
}

}  // namespace mlp::io
