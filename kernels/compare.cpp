// Comparisons: false before true, text by its bytes.

#include "gen/native_names.h"
#include "kernels/checked.h"

namespace mlp::native_fn {

#define MLP_COMPARISONS(NAME, TYPE)                           \
  bool equal_##NAME(TYPE a, TYPE b) { return a == b; }        \
  bool unequal_##NAME(TYPE a, TYPE b) { return a != b; }      \
  bool less_##NAME(TYPE a, TYPE b) { return a < b; }          \
  bool at_most_##NAME(TYPE a, TYPE b) { return a <= b; }      \
  bool greater_##NAME(TYPE a, TYPE b) { return a > b; }       \
  bool at_least_##NAME(TYPE a, TYPE b) { return a >= b; }
MLP_COMPARISONS(bool, bool)
MLP_COMPARISONS(int, std::int64_t)
MLP_COMPARISONS(float, double)
MLP_COMPARISONS(date, std::int64_t)
MLP_COMPARISONS(timestamp, std::int64_t)
MLP_COMPARISONS(duration, std::int64_t)
#undef MLP_COMPARISONS

bool equal_string(Text a, Text b) { return a.size == b.size && compare_text(a, b) == 0; }
bool unequal_string(Text a, Text b) { return !equal_string(a, b); }
bool less_string(Text a, Text b) { return compare_text(a, b) < 0; }
bool at_most_string(Text a, Text b) { return compare_text(a, b) <= 0; }
bool greater_string(Text a, Text b) { return compare_text(a, b) > 0; }
bool at_least_string(Text a, Text b) { return compare_text(a, b) >= 0; }
bool equal_category(Text a, Text b) { return equal_string(a, b); }
bool unequal_category(Text a, Text b) { return !equal_string(a, b); }

}  // namespace mlp::native_fn
