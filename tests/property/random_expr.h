#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "compiler/expr/expr.h"
#include "compiler/types/signature.h"
#include "kernels/table.h"
#include "runtime/column/column.h"

/// Random well-typed expressions over all native row functions, and random rows for their inputs.
namespace mlp::random_expr {

using namespace mlp::expr;

struct Generator {
  std::mt19937_64 random;
  std::vector<const Signature*> functions;  ///< those bound to natives
  bool with_text_makers = true;

  explicit Generator(std::uint64_t seed) : random(seed) {
    for (const Signature& signature : standard_library())
      if (signature.kind == EntryKind::fn && !signature.native.empty()) functions.push_back(&signature);
  }

  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random() % count); }
  bool chance(double p) { return static_cast<double>(random() >> 11) * 0x1p-53 < p; }

  /// Small numbers often, ends of the range sometimes.
  std::int64_t whole(Base base) {
    switch (below(8)) {
      case 0: return static_cast<std::int64_t>(random());
      case 1: return base == Base::date ? 19'000 : std::numeric_limits<std::int64_t>::max();
      case 2: return std::numeric_limits<std::int64_t>::min() + static_cast<std::int64_t>(below(3));
      case 3: return static_cast<std::int64_t>(below(40'000)) * 86'400'000'000;
      default: return static_cast<std::int64_t>(below(41)) - 20;
    }
  }
  double real() {
    switch (below(8)) {
      case 0: return std::bit_cast<double>(random());
      case 1: return chance(0.5) ? 0.0 : -0.0;
      case 2: return chance(0.5) ? 1e308 : 5e-324;
      case 3: return static_cast<double>(below(100)) / 4 - 10;
      default: return static_cast<double>(static_cast<std::int64_t>(random())) * 0x1p-60;
    }
  }
  std::string text() {
    static const char* const texts[] = {"", "a", "ab", "abc", "b", "ü", "Zürich", " 12 ", "-7", "1e3", "2024-02-29", "2024-02-30",
                                        "2024-01-31T12:30:00Z", "a,b,,c", "ΑΣ ς", "x y"};
    return texts[below(std::size(texts))];
  }
  Value value(const Type& type) {
    switch (type.base) {
      case Base::bool_: return chance(0.5);
      case Base::float_: {
        double x = real();
        while (!(x - x == 0)) x = real();
        return x;
      }
      case Base::string:
      case Base::category: return text();
      default: return whole(type.base);
    }
  }
  Type any_type() {
    constexpr Base bases[] = {Base::bool_, Base::int_, Base::float_, Base::float_, Base::string, Base::date, Base::timestamp,
                              Base::duration, Base::category};
    return Type::of(bases[below(std::size(bases))], true);
  }

  /// A tree of the type; `depth` bounds its height.
  NodeId grow(Expr& e, const Type& type, int depth) {
    if (depth == 0 || chance(0.1)) return leaf(e, type);
    if (!e.nodes.empty() && chance(0.1)) {  // a shared operand
      const NodeId old(below(e.nodes.size()));
      if (e[old].type.base == type.base) return old;
    }
    switch (below(12)) {
      case 0: {
        const NodeId condition = grow(e, Type::of(Base::bool_, true), depth - 1);
        const NodeId yes = grow(e, type, depth - 1), no = grow(e, type, depth - 1);
        return e.push(Choose{condition, yes, no}, type);
      }
      case 1: {
        const NodeId value = grow(e, type, depth - 1), fallback = grow(e, type, depth - 1);
        return e.push(Coalesce{value, fallback}, type);
      }
      case 2:
        if (type.base == Base::float_) return e.push(Convert{grow(e, Type::of(Base::int_, true), depth - 1)}, type);
        if (type.base == Base::timestamp) return e.push(Convert{grow(e, Type::of(Base::date, true), depth - 1)}, type);
        if (type.base == Base::string) return e.push(Convert{grow(e, Type::of(Base::category, true), depth - 1)}, type);
        if (type.base == Base::category) return e.push(Convert{grow(e, Type::of(Base::string, true), depth - 1)}, type);
        break;
      case 3:
      case 4:
      case 5:
        if (type.base == Base::bool_) return logic(e, depth);
        break;
      default: break;
    }
    return call(e, type, depth);
  }

  NodeId leaf(Expr& e, const Type& type) {
    if (chance(0.3)) return e.push(Literal{chance(0.1) ? Value{} : value(type)}, type);
    for (std::uint32_t i = 0; i < e.inputs.size(); ++i)
      if (e.inputs[i].type.base == type.base && chance(0.5)) return e.push(Input{i}, type);
    e.inputs.push_back({static_cast<std::uint32_t>(e.inputs.size()), type, "x" + std::to_string(e.inputs.size())});
    return e.push(Input{static_cast<std::uint32_t>(e.inputs.size() - 1)}, type);
  }

  NodeId logic(Expr& e, int depth) {
    const Type truth = Type::of(Base::bool_, true);
    switch (below(5)) {
      case 0: {
        const NodeId left = grow(e, truth, depth - 1), right = grow(e, truth, depth - 1);
        return e.push(And{left, right}, truth);
      }
      case 1: {
        const NodeId left = grow(e, truth, depth - 1), right = grow(e, truth, depth - 1);
        return e.push(Or{left, right}, truth);
      }
      case 2: return e.push(Not{grow(e, truth, depth - 1)}, truth);
      case 3: return e.push(IsKnown{grow(e, any_type(), depth - 1), chance(0.5)}, truth);
      default: {
        const Type type = any_type();
        InSet set{grow(e, type, depth - 1), {}, chance(0.5)};
        for (std::size_t i = below(4) + 1; i > 0; --i) set.set.push_back(value(type));
        return e.push(std::move(set), truth);
      }
    }
  }

  NodeId call(Expr& e, const Type& type, int depth) {
    std::vector<const Signature*> fitting;
    for (const Signature* signature : functions) {
      const NativeFunction* native = find_native_function(signature->native);
      if (signature->result.base == type.base && native && (with_text_makers || !native->makes_text)) fitting.push_back(signature);
    }
    if (fitting.empty()) return leaf(e, type);
    return call(e, *fitting[below(fitting.size())], depth);
  }

  NodeId call(Expr& e, const Signature& signature, int depth) {
    Call call{signature.native, {}, signature.random ? random() : 0};
    for (const Parameter& parameter : signature.parameters) {
      if (signature.random && parameter.name == "seed") continue;
      const Type type = parameter.types.front();
      if (type.base == Base::map) {
        for (std::size_t i = below(4) + 1; i > 0; --i) {
          call.args.push_back(e.push(Literal{text()}, Type::of(Base::string)));
          call.args.push_back(e.push(Literal{0.25 + static_cast<double>(below(4))}, Type::of(Base::float_)));
        }
      } else {
        call.args.push_back(grow(e, type.maybe(), depth - 1));
      }
    }
    return e.push(std::move(call), signature.result.maybe());
  }

  Expr expression() {
    Expr e;
    const NodeId root = grow(e, any_type(), 1 + static_cast<int>(below(5)));
    return subtree(e, root);
  }
  Column column(const Type& type, std::size_t rows) {
    ColumnBuilder builder(type, rows);
    const bool any_missing = chance(0.8);
    for (std::size_t row = 0; row < rows; ++row) {
      if (any_missing && chance(0.15)) {
        builder.push_missing();
        continue;
      }
      const Value v = value(type);
      if (const auto* truth = std::get_if<bool>(&v)) builder.push_bool(*truth);
      else if (const auto* number = std::get_if<std::int64_t>(&v)) builder.push_int(*number);
      else if (const auto* real = std::get_if<double>(&v)) builder.push_float(*real);
      else builder.push_text(std::get<std::string>(v));
    }
    return builder.finish();
  }
  Batch batch(const Expr& e, std::size_t rows) {
    Batch batch;
    batch.rows = rows;
    batch.first_row = below(1'000'000);
    for (const InputColumn& input : e.inputs) batch.columns.push_back(column(input.type, rows));
    return batch;
  }
};

}  // namespace mlp::random_expr
