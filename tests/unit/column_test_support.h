#pragma once

#include <random>
#include <string>
#include <vector>

#include "runtime/column/column.h"

namespace mlp::testing {

inline const std::vector<Type>& column_types() {
  static const std::vector<Type> types = {
      Type::of(Base::bool_, true),
      Type::of(Base::int_, true),
      Type::of(Base::float_, true),
      Type::of(Base::string, true),
      Type::of(Base::date, true),
      Type::of(Base::timestamp, true),
      Type::of(Base::duration, true),
      Type::category({}, false, true),
      Type::category({"a", "b", "", "\xC3\xA4", "long enough to leave the small buffer"}, false, true)};
  return types;
}

/// A value of the type, or missing.
inline Value random_value(const Type& type, std::mt19937_64& random, double missing = 0.2) {
  static const std::vector<std::string> texts = {"a", "b", "", "\xC3\xA4", "long enough to leave the small buffer"};
  if (type.missing && std::uniform_real_distribution<>(0, 1)(random) < missing) return std::monostate{};
  switch (type.base) {
    case Base::bool_:
      return random() % 2 == 0;
    case Base::float_:
      return std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), -60);
    case Base::string:
    case Base::category:
      return texts[random() % texts.size()];
    default:
      return static_cast<std::int64_t>(random());
  }
}

inline Column build(const Type& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) {
    if (std::holds_alternative<std::monostate>(value))
      builder.push_missing();
    else if (const auto* b = std::get_if<bool>(&value))
      builder.push_bool(*b);
    else if (const auto* i = std::get_if<std::int64_t>(&value))
      builder.push_int(*i);
    else if (const auto* f = std::get_if<double>(&value))
      builder.push_float(*f);
    else
      builder.push_text(std::get<std::string>(value));
  }
  return builder.finish();
}

inline Column random_column(const Type& type, std::size_t rows, std::mt19937_64& random, double missing = 0.2) {
  std::vector<Value> values;
  for (std::size_t i = 0; i < rows; ++i)
    values.push_back(random_value(type, random, missing));
  return build(type, values);
}

/// Three runs of doubles.
inline Column random_vector_column(std::size_t rows, std::mt19937_64& random) {
  Column column;
  column.type = Type::vector(3, true);
  column.rows = rows;
  column.data = Buffer(rows * 3 * sizeof(double));
  for (double& x : column.data.as_mutable<double>())
    x = static_cast<double>(random() % 1000) / 8;
  if (rows) {
    column.known = Buffer(rows);
    for (auto& k : column.known.as_mutable<std::uint8_t>())
      k = random() % 4 != 0;
  }
  return canonical(std::move(column));
}

}  // namespace mlp::testing
