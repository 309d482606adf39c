#pragma once

#include <string>
#include <vector>

#include "compiler/expr/expr.h"
#include "compiler/support/id.h"
#include "compiler/support/span.h"

/// What has to be computed, as a graph of operators over whole tables; nothing of fragments, keys or stores yet.
namespace mlp::plan {

using OperatorId = Id<struct OperatorTag>;

enum class LogicalKind : std::uint8_t {
  source, filter, sample, sort, limit, dedupe, aggregate, join, asof_join, union_, unpivot, fill, cross, derive, project, point_in_time, split, fit, apply, train, predict, evaluate, gate, build_scorer, register_candidate
};

struct Operator {
  LogicalKind kind = LogicalKind::source;
  std::string name;  ///< for people: "people", "profile", "earner"
  Span span;
  std::uint32_t subject = 0;  ///< position of the declaration in its list of the HIR: table, view, split, train or evaluate
  std::vector<OperatorId> inputs;
  std::vector<std::string> columns;  ///< it makes
};

struct Logical {
  std::string workflow;
  std::vector<Operator> operators;  ///< topologically ordered
};

std::string dump(const Logical& plan);

}  // namespace mlp::plan
