#include "kernels/table.h"

#include <algorithm>

namespace mlp {

const NativeFunction* find_native_function(std::string_view symbol) {
  const std::span<const NativeFunction> all = native_functions();
  const auto at = std::ranges::lower_bound(all, symbol, {}, &NativeFunction::symbol);
  return at != all.end() && at->symbol == symbol ? &*at : nullptr;
}

}  // namespace mlp
