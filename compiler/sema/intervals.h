#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "compiler/types/type.h"

/// Arithmetic of closed intervals: from the ranges of the operands to one that holds every result, as it is rounded.
namespace mlp::sema {

Interval exactly(double value);
Interval unite(Interval a, Interval b);
Interval intersect(Interval a, Interval b);
bool is_empty(Interval a);
/// Whether every value of `inner` lies in `outer`.
bool inside(Interval inner, Interval outer);
/// Result of an operator token ("+", "neg" …) over numbers; everything for tokens whose result is no number.
Interval range_of_operator(std::string_view op, const std::vector<Interval>& operands);
/// What a comparison token says about any two values of the intervals; nullopt: it depends on the values.
std::optional<bool> decide_comparison(std::string_view op, Interval a, Interval b);
/// As the language writes it: `0..120`.
std::string range_text(Interval range);

}  // namespace mlp::sema
