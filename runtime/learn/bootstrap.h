#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/learn/native.h"

/// Intervals of figures by resampling rows: each replicate gives every row (or group of rows) a Poisson(1) number of copies, drawn
/// from (seed, replicate, ordinal of the row) alone. Percentile intervals (Efron 1979; the Poisson form: Chamandy et al. 2012).
namespace mlp::learn {

struct Figure {
  std::optional<double> value;      ///< on the rows as they are; nullopt: not defined
  std::optional<double> low, high;  ///< 2.5% and 97.5% of the replicates; nullopt when fewer than half of them are defined
  std::uint64_t rows = 0;
};

/// A model's predictions on the rows scored; all spans have one length.
struct Scored {
  std::span<const double> p;
  std::span<const double> y;
  std::span<const double> weight;           ///< empty: 1 each
  std::span<const std::uint64_t> ordinals;  ///< of the row in its table, or equal for the rows of a group that is resampled as one
};

struct BootstrapSettings {
  std::uint64_t seed = 0;
  int replicates = 400;
};

/// What is resampled: a metric over all rows, or over the groups of a column.
struct Measure {
  const NativeMetric* metric = nullptr;
  Options options;
};

/// The metric on the rows with use[i] != 0 (empty: all).
Figure figure(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings);

/// `constant.METRIC`: the score of the best constant on the same rows, found anew in each replicate.
Figure constant_figure(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings);

/// min, max or gap (largest minus smallest) of the metric over groups; group[i] < 0: the row is in none. All groups are resampled
/// with one draw a row. Groups whose figure is not defined make the whole one undefined.
enum class Over : std::uint8_t { min, max, gap };
Figure over_groups(const Measure& measure, Over over, const Scored& rows, std::span<const std::int32_t> group,
                   const BootstrapSettings& settings);

/// left - scale * right on the same rows, each replicate drawn once for both. `right` may have another metric.
Figure paired_difference(const Measure& left, const Scored& left_rows, const Measure& right, const Scored& right_rows, double scale,
                         std::span<const std::uint8_t> use, const BootstrapSettings& settings);

/// All replicates of one figure, in order, for combinations of a caller's own; nullopt where not defined. The same ordinals and
/// seed give the same draws, so replicates of figures over the same table are paired.
struct Replicates {
  Figure figure;
  std::vector<std::optional<double>> values;
};
Replicates replicates(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings);
Replicates constant_replicates(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use,
                               const BootstrapSettings& settings);
/// The figure whose replicates are `combine` of those of `parts` (undefined where one part is).
Figure combine(std::span<const Replicates> parts, const std::function<double(std::span<const double>)>& of, std::uint64_t rows);

/// Copies of row `ordinal` in replicate `r`: Poisson(1), by inversion of 53 random bits.
std::uint32_t copies(std::uint64_t seed, std::uint32_t r, std::uint64_t ordinal);

/// Enough rows to decide a gate: 10 positives and 10 negatives (bool), or 30 rows (float). The sentence says what is missing.
std::optional<std::string> too_few(Task task, std::span<const double> y, std::span<const std::uint8_t> use);

}  // namespace mlp::learn
