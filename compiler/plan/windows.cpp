#include <algorithm>

#include "compiler/plan/physical.h"
#include "compiler/support/check.h"

namespace mlp::plan {

std::vector<std::int64_t> window_bounds(int windows, std::int64_t every_us, std::int64_t horizon_us) {
  std::vector<std::int64_t> bounds;
  for (int window = 0; window < windows; ++window) {
    bounds.push_back(window * every_us);
    bounds.push_back(window * every_us + horizon_us);
  }
  std::sort(bounds.begin(), bounds.end());
  return bounds;
}

WindowSegments window_segments(int window, int windows, std::int64_t every_us, std::int64_t horizon_us) {
  MLP_CHECK(window >= 0 && window < windows && horizon_us > 0);
  const std::vector<std::int64_t> bounds = window_bounds(windows, every_us, horizon_us);
  // A time is in the segment whose number is how many bounds are not behind it.
  const std::int64_t begin = window * every_us, end = begin + horizon_us;
  return {static_cast<int>(std::upper_bound(bounds.begin(), bounds.end(), begin) - bounds.begin()), static_cast<int>(std::lower_bound(bounds.begin(), bounds.end(), end) - bounds.begin())};
}

}  // namespace mlp::plan
