#include "runtime/learn/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "compiler/support/check.h"
#include "kernels/abi.h"
#include "runtime/column/parallel.h"

namespace mlp::learn {
namespace {

constexpr double kLow = 0.025, kHigh = 0.975;
constexpr std::size_t kMostCopies = 18;  // 1 - P(copies <= 18) is below 2^-53

/// P(copies <= k) of Poisson(1).
constexpr std::array<double, kMostCopies> kCumulative = [] {
  std::array<double, kMostCopies> out{};
  double term = 0x1.78b56362cef38p-2, sum = 0;  // exp(-1)
  for (std::size_t k = 0; k < kMostCopies; ++k) {
    sum += term;
    out[k] = sum;
    term /= static_cast<double>(k + 1);
  }
  return out;
}();

/// The rows that are scored, one behind the other.
struct Selected {
  std::vector<double> p, y, weight;
  std::vector<std::uint64_t> ordinals;
  std::vector<std::uint32_t> order;
};

Selected select(const Scored& rows, std::span<const std::uint8_t> use) {
  MLP_CHECK(rows.p.size() == rows.y.size() && rows.ordinals.size() == rows.y.size());
  Selected s;
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    if (!use.empty() && use[i] == 0) continue;
    s.p.push_back(rows.p[i]);
    s.y.push_back(rows.y[i]);
    s.weight.push_back(rows.weight.empty() ? 1.0 : rows.weight[i]);
    s.ordinals.push_back(rows.ordinals[i]);
  }
  return s;
}

std::vector<double> draw_weights(const Selected& rows, std::uint64_t seed, std::uint32_t replicate) {
  std::vector<double> weight(rows.weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = rows.weight[i] * copies(seed, replicate, rows.ordinals[i]);
  return weight;
}

double percentile(const std::vector<double>& sorted, double q) {
  const double position = static_cast<double>(sorted.size() - 1) * q;
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size() || sorted[below] == sorted[below + 1]) return sorted[below];
  const double share = position - static_cast<double>(below);
  return sorted[below] * (1 - share) + sorted[below + 1] * share;
}

void fill_interval(Figure& figure, std::span<const std::optional<double>> values) {
  std::vector<double> defined;
  for (const auto& v : values)
    if (v) defined.push_back(*v);
  if (!figure.value || defined.empty() || 2 * defined.size() < values.size()) return;
  std::ranges::sort(defined);
  figure.low = percentile(defined, kLow);
  figure.high = percentile(defined, kHigh);
}

/// `score` scores the selected rows under the weights given.
template <class Score>
Replicates resample(const Selected& rows, const BootstrapSettings& settings, Score score) {
  Replicates out;
  out.figure.rows = rows.y.size();
  out.figure.value = score(rows.weight);
  out.values.resize(static_cast<std::size_t>(settings.replicates));
  parallel_for(out.values.size(), [&](std::size_t r) {
    out.values[r] = score(draw_weights(rows, settings.seed, static_cast<std::uint32_t>(r)));
  });
  fill_interval(out.figure, out.values);
  return out;
}

}  // namespace

std::uint32_t copies(std::uint64_t seed, std::uint32_t r, std::uint64_t ordinal) {
  const double u = unit_double(draw_bits(draw_bits(seed, r), ordinal));
  std::uint32_t k = 0;
  while (k < kMostCopies && u >= kCumulative[k]) ++k;
  return k;
}

Replicates replicates(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings) {
  Selected s = select(rows, use);
  if (measure.metric->ordered) s.order = sort_order(s.p);
  return resample(s, settings, [&](std::span<const double> weight) {
    return measure.metric->value(measure.options, {s.p, s.y, weight, s.order});
  });
}

Replicates constant_replicates(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings) {
  Selected s = select(rows, use);
  if (measure.metric->ordered) s.order = sort_order(std::vector<double>(s.y.size(), 0.0));
  return resample(s, settings, [&](std::span<const double> weight) -> std::optional<double> {
    const auto constant = measure.metric->best_constant(measure.options, s.y, weight);
    if (!constant) return std::nullopt;
    const std::vector<double> p(s.y.size(), *constant);
    return measure.metric->value(measure.options, {p, s.y, weight, s.order});
  });
}

Figure figure(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings) {
  return replicates(measure, rows, use, settings).figure;
}

Figure constant_figure(const Measure& measure, const Scored& rows, std::span<const std::uint8_t> use, const BootstrapSettings& settings) {
  return constant_replicates(measure, rows, use, settings).figure;
}

Figure combine(std::span<const Replicates> parts, const std::function<double(std::span<const double>)>& of, std::uint64_t rows) {
  Figure out;
  out.rows = rows;
  if (parts.empty()) return out;
  std::vector<double> values(parts.size());
  const auto all = [&](auto value_of) -> std::optional<double> {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::optional<double> v = value_of(parts[i]);
      if (!v) return std::nullopt;
      values[i] = *v;
    }
    return of(values);
  };
  out.value = all([](const Replicates& part) { return part.figure.value; });
  std::vector<std::optional<double>> combined;
  for (std::size_t r = 0; r < parts[0].values.size(); ++r) combined.push_back(all([r](const Replicates& part) { return part.values[r]; }));
  fill_interval(out, combined);
  return out;
}

Figure over_groups(const Measure& measure, Over over, const Scored& rows, std::span<const std::int32_t> group, const BootstrapSettings& settings) {
  MLP_CHECK(group.size() == rows.y.size());
  std::int32_t groups = 0;
  std::uint64_t counted = 0;
  for (const std::int32_t g : group) {
    groups = std::max(groups, g + 1);
    counted += g >= 0;
  }
  std::vector<Replicates> parts;
  std::vector<std::uint8_t> use(group.size());
  for (std::int32_t g = 0; g < groups; ++g) {
    bool any = false;
    for (std::size_t i = 0; i < group.size(); ++i) any |= (use[i] = group[i] == g) != 0;
    if (any) parts.push_back(replicates(measure, rows, use, settings));
  }
  return combine(
      parts,
      [over](std::span<const double> values) {
        const auto [low, high] = std::ranges::minmax(values);
        return over == Over::min ? low : over == Over::max ? high : high - low;
      },
      counted);
}

Figure paired_difference(const Measure& left, const Scored& left_rows, const Measure& right, const Scored& right_rows, double scale,
                         std::span<const std::uint8_t> use, const BootstrapSettings& settings) {
  const std::array parts = {replicates(left, left_rows, use, settings), replicates(right, right_rows, use, settings)};
  return combine(parts, [scale](std::span<const double> v) { return v[0] - scale * v[1]; }, parts[0].figure.rows);
}

std::optional<std::string> too_few(Task task, std::span<const double> y, std::span<const std::uint8_t> use) {
  constexpr std::uint64_t kEach = 10, kRows = 30;
  std::uint64_t positives = 0, rows = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!use.empty() && use[i] == 0) continue;
    ++rows;
    positives += y[i] != 0;
  }
  if (task == Task::real) {
    if (rows >= kRows) return std::nullopt;
    return fmt::format("{} rows, at least {} are needed", rows, kRows);
  }
  const std::uint64_t negatives = rows - positives;
  if (positives >= kEach && negatives >= kEach) return std::nullopt;
  return fmt::format("{} positive and {} negative rows, at least {} of each are needed", positives, negatives, kEach);
}

}  // namespace mlp::learn
