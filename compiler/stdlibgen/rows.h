#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "compiler/types/signature.h"

/// The constant data of the generated table, and how signatures are made of it. Included by gen/stdlib_table.cpp only.
namespace mlp::stdlib {

/// A Value: kind is one of none, missing, bool, int, float, text.
struct ValueRow {
  enum Kind : unsigned char { none, missing, bool_, int_, float_, text } kind = none;
  long long whole = 0;
  double real = 0;
  std::string_view string = {};
};

struct IntervalRow {
  bool there = false;
  double low = 0, high = 0;
};

struct ParameterRow {
  std::string_view name;
  std::span<const std::string_view> types;  ///< as parse_type reads them
  std::span<const std::string_view> one_of;
  bool secret;
  IntervalRow range;
  ValueRow fallback;
  std::string_view doc;
};

struct PreparationRow {
  std::string_view type;
  std::span<const std::string_view> outputs;
};

struct FitRow {
  std::string_view name, type;
};

struct SignatureRow {
  EntryKind kind;
  std::string_view name, op;
  std::span<const ParameterRow> parameters;
  std::string_view result;
  IntervalRow result_range;
  std::string_view domain_of, known_when, body, native;
  bool row, random, can_fail;
  std::string_view interpreted_because;
  std::span<const FitRow> fits;
  bool uses_label;
  int cross_fit;
  std::span<const std::string_view> predicts, takes;
  bool binned;
  std::span<const PreparationRow> prepares;
  bool higher_is_better, of_decision, of_window, declassifies;
  std::string_view doc, place;
};

/// The signatures that the rows describe, in their order.
inline std::vector<Signature> make_signatures(std::span<const SignatureRow> rows) {
  const auto type = [](std::string_view text) { return text.empty() ? Type::error() : parse_type(text).value(); };
  const auto types = [&](std::span<const std::string_view> texts) {
    std::vector<Type> out;
    for (const std::string_view text : texts)
      out.push_back(type(text));
    return out;
  };
  const auto strings = [](std::span<const std::string_view> texts) {
    return std::vector<std::string>(texts.begin(), texts.end());
  };
  const auto interval = [](const IntervalRow& row) {
    return row.there ? std::optional(Interval{row.low, row.high}) : std::nullopt;
  };
  const auto value = [](const ValueRow& row) -> std::optional<Value> {
    switch (row.kind) {
      case ValueRow::none:
        return std::nullopt;
      case ValueRow::missing:
        return Value();
      case ValueRow::bool_:
        return Value(row.whole != 0);
      case ValueRow::int_:
        return Value(std::int64_t{row.whole});
      case ValueRow::float_:
        return Value(row.real);
      case ValueRow::text:
        return Value(std::string(row.string));
    }
    return std::nullopt;
  };
  std::vector<Signature> out;
  out.reserve(rows.size());
  for (const SignatureRow& row : rows) {
    Signature& s = out.emplace_back();
    s.kind = row.kind;
    s.name = row.name;
    s.op = row.op;
    for (const ParameterRow& p : row.parameters)
      s.parameters.push_back({std::string(p.name), types(p.types), strings(p.one_of), interval(p.range),
                              p.secret, value(p.fallback), std::string(p.doc)});
    s.result = type(row.result);
    s.result_range = interval(row.result_range);
    s.domain_of = row.domain_of;
    s.known_when = row.known_when;
    s.body = row.body;
    s.native = row.native;
    s.row = row.row;
    s.random = row.random;
    s.can_fail = row.can_fail;
    s.interpreted_because = row.interpreted_because;
    for (const FitRow& fit : row.fits)
      s.fits.emplace_back(std::string(fit.name), type(fit.type));
    s.uses_label = row.uses_label;
    s.cross_fit = row.cross_fit;
    s.predicts = types(row.predicts);
    s.takes = types(row.takes);
    s.binned = row.binned;
    for (const PreparationRow& p : row.prepares)
      s.prepares.emplace_back(type(p.type), strings(p.outputs));
    s.higher_is_better = row.higher_is_better;
    s.of_decision = row.of_decision;
    s.of_window = row.of_window;
    s.declassifies = row.declassifies;
    s.doc = row.doc;
    s.place = row.place;
  }
  return out;
}

}  // namespace mlp::stdlib
