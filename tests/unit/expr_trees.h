#pragma once

// Typed trees and columns, written shortly.

#include <optional>
#include <string>
#include <vector>

#include "compiler/expr/expr.h"
#include "runtime/column/column.h"

namespace mlp::trees {

using namespace mlp::expr;

inline const Type kBool = Type::of(Base::bool_, true), kInt = Type::of(Base::int_, true), kFloat = Type::of(Base::float_, true),
                  kString = Type::of(Base::string, true), kDate = Type::of(Base::date, true),
                  kTimestamp = Type::of(Base::timestamp, true), kDuration = Type::of(Base::duration, true),
                  kCategory = Type::of(Base::category, true);

struct Tree {
  Expr e;
  NodeId input(Type type, std::string name = "x") {
    e.inputs.push_back({static_cast<std::uint32_t>(e.inputs.size()), type, std::move(name)});
    return e.push(Input{static_cast<std::uint32_t>(e.inputs.size() - 1)}, type);
  }
  NodeId literal(Value value, Type type) { return e.push(Literal{std::move(value)}, std::move(type)); }
  NodeId call(std::string native, std::vector<NodeId> args, Type result, std::uint64_t stream = 0) {
    return e.push(Call{std::move(native), std::move(args), stream}, std::move(result));
  }
};

inline Column column_of(const Type& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type, values.size());
  for (const Value& value : values) {
    if (const auto* v = std::get_if<bool>(&value)) builder.push_bool(*v);
    else if (const auto* v = std::get_if<std::int64_t>(&value)) builder.push_int(*v);
    else if (const auto* v = std::get_if<double>(&value)) builder.push_float(*v);
    else if (const auto* v = std::get_if<std::string>(&value)) builder.push_text(*v);
    else builder.push_missing();
  }
  return builder.finish();
}

inline std::vector<Value> values_of(const Column& column) {
  std::vector<Value> values;
  for (std::size_t row = 0; row < column.rows; ++row) values.push_back(value_at(column, row));
  return values;
}

inline Value i(std::int64_t v) { return v; }
inline Value s(std::string v) { return v; }
inline const Value kMissing = std::monostate{};

}  // namespace mlp::trees
