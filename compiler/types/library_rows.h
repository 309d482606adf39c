#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "compiler/types/signature.h"

/// The standard library as constant data: what mlp-stdlib-gen writes into gen/stdlib_table.cpp, and compiler/types/library.cpp reads.
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

/// All entries in the order of standard_library(), and their positions in other orders, each without those whose text is empty.
struct LibraryRows {
  std::span<const SignatureRow> rows;
  std::span<const std::uint16_t> by_op;      ///< by (op, position)
  std::span<const std::uint16_t> by_native;  ///< by (native, position)
};
LibraryRows library_rows();

}  // namespace mlp::stdlib
