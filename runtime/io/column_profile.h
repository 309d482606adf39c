#pragma once

#include <cstdint>

#include "runtime/column/column.h"

namespace mlp::io {

/// What one scan tells about a column. Merging is associative and commutative, so fragments do not matter.
struct ColumnProfile {
  std::uint64_t rows = 0;
  std::uint64_t missing = 0;
  Value low;  ///< the least known value (texts by bytes); monostate when there is none
  Value high;

  void merge(const ColumnProfile& other);
  friend bool operator==(const ColumnProfile&, const ColumnProfile&) = default;
};

/// Of a column of single values.
ColumnProfile profile_of(const Column& column);

}  // namespace mlp::io
