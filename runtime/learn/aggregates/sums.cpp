#include <algorithm>
#include <cmath>

#include "gen/native_learn_names.h"
#include "runtime/learn/aggregates/group_states.h"
#include "runtime/learn/aggregates/stretches.h"
#include "runtime/learn/exact_sum.h"
#include "runtime/learn/prefix_sums.h"

/// Aggregates that count and add. Sums are exact and rounded once.
namespace mlp::learn {
namespace {

Column count(const AggregateInput& in) {
  const auto before = counts_before(counted(in));
  std::vector<std::int64_t> values(in.begin.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = before[index(in.end[i])] - before[index(in.begin[i])];
  return whole_numbers(in.type, values);
}

/// Rows that count and are true.
std::vector<std::uint8_t> true_rows(const AggregateInput& in) {
  std::vector<std::uint8_t> counts = counted(in);
  if (in.values)
    for (std::size_t i = 0; i < in.rows; ++i) counts[i] = counts[i] && in.values->values<std::uint8_t>()[i] != 0;
  return counts;
}

Column any(const AggregateInput& in) {
  const auto before = counts_before(true_rows(in));
  std::vector<std::int64_t> values(in.begin.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = before[index(in.end[i])] > before[index(in.begin[i])];
  return whole_numbers(in.type, values);
}

Column ratio_of(const AggregateInput& in) {
  const auto all = counts_before(counted(in)), yes = counts_before(true_rows(in));
  ColumnBuilder out(in.type, in.begin.size());
  for (std::size_t i = 0; i < in.begin.size(); ++i) {
    const std::int64_t rows = all[index(in.end[i])] - all[index(in.begin[i])];
    rows == 0 ? out.push_missing() : out.push_float(static_cast<double>(yes[index(in.end[i])] - yes[index(in.begin[i])]) / static_cast<double>(rows));
  }
  return out.finish();
}

/// Calls each(i, sum) with the exact sum of every stretch, rounded once.
template <class Each>
void for_each_sum(const AggregateInput& in, std::span<const std::uint8_t> counts, Each each) {
  const auto values = in.values->values<double>();
  // Sums of all beginnings pay where the stretches overlap; groups do not.
  std::int64_t in_stretches = 0;
  for (std::size_t i = 0; i < in.begin.size(); ++i) in_stretches += in.end[i] - in.begin[i];
  if (in_stretches <= 2 * static_cast<std::int64_t>(in.rows)) {
    if (const auto numbers = FixedPoint::sums_of(values, counts)) {
      for (std::size_t i = 0; i < in.begin.size(); ++i) {
        __int128 sum = 0;
        for (std::size_t row = index(in.begin[i]); row < index(in.end[i]); ++row)
          if (counts[row]) sum += numbers->multiple(values[row]);
        each(i, numbers->value(sum));
      }
      return;
    }
  }
  if (const auto sums = PrefixSums::of(values, counts)) {
    for (std::size_t i = 0; i < in.begin.size(); ++i) each(i, sums->sum(in.begin[i], in.end[i]));
    return;
  }
  ExactSum sum;
  slide(in, counts, [&](std::int64_t row) { sum.add(values[index(row)]); }, [&](std::int64_t row) { sum.add(-values[index(row)]); },
        [&](std::size_t i) { each(i, sum.value()); });
}

/// Sums of the first i whole numbers that count.
std::vector<__int128> whole_before(const AggregateInput& in, std::span<const std::uint8_t> counts) {
  const auto values = in.values->values<std::int64_t>();
  std::vector<__int128> before(in.rows + 1, 0);
  for (std::size_t i = 0; i < in.rows; ++i) before[i + 1] = before[i] + (counts[i] ? values[i] : 0);
  return before;
}

Column sum(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  if (in.values->type.base == Base::float_) {
    ColumnBuilder out(in.type, in.begin.size());
    for_each_sum(in, counts, [&](std::size_t, double value) { out.push_float(value); });
    return out.finish();
  }
  const std::vector<__int128> before = whole_before(in, counts);
  ColumnBuilder out(in.type, in.begin.size());
  for (std::size_t i = 0; i < in.begin.size(); ++i) push_sum(out, before[index(in.end[i])] - before[index(in.begin[i])]);
  return out.finish();
}

Column mean(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  const auto rows_before = counts_before(counts);
  const auto rows = [&](std::size_t i) { return rows_before[index(in.end[i])] - rows_before[index(in.begin[i])]; };
  ColumnBuilder out(in.type, in.begin.size());
  if (in.values->type.base == Base::float_) {
    for_each_sum(in, counts, [&](std::size_t i, double value) { rows(i) == 0 ? out.push_missing() : out.push_float(value / static_cast<double>(rows(i))); });
    return out.finish();
  }
  const std::vector<__int128> before = whole_before(in, counts);
  for (std::size_t i = 0; i < in.begin.size(); ++i) {
    if (rows(i) == 0) {
      out.push_missing();
      continue;
    }
    out.push_int(whole_mean(before[index(in.end[i])] - before[index(in.begin[i])], rows(i)));
  }
  return out.finish();
}

/// Of a sample: divided by n - 1.
Column deviation(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  const auto values = in.values->values<double>();
  ColumnBuilder out(in.type, in.begin.size());
  if (auto moments = RunningMoments::of(values, counts)) {
    slide(in, counts, [&](std::int64_t row) { moments->add(values[index(row)]); }, [&](std::int64_t row) { moments->remove(values[index(row)]); },
          [&](std::size_t) { moments->rows() < 2 ? out.push_missing() : out.push_float(deviation_of_sample(moments->rows(), moments->variance())); });
    return out.finish();
  }
  ExactSum sum, squares;
  std::uint64_t rows = 0;
  slide(
      in, counts, [&](std::int64_t row) { sum.add(values[index(row)]), squares.add_product(values[index(row)], values[index(row)]), ++rows; },
      [&](std::int64_t row) { sum.add(-values[index(row)]), squares.add_product(values[index(row)], -values[index(row)]), --rows; },
      [&](std::size_t) {
        if (rows < 2) return out.push_missing();
        const Moments m = moments(rows, sum, squares);
        out.push_float(deviation_of_sample(rows, m.variance, m.exponent));
      });
  return out.finish();
}

/// Of the rows of the stretch up to the one that asks.
AggregateInput until_here(const AggregateInput& in, std::vector<std::int64_t>& ends) {
  ends.resize(in.at.size());
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = in.at[i] + 1;
  AggregateInput out = in;
  out.end = ends;
  return out;
}
Column cumsum(const AggregateInput& in) {
  std::vector<std::int64_t> ends;
  return sum(until_here(in, ends));
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_aggregate {
constinit const learn::NativeAggregate count_of_rows = {learn::count, learn::count_by_group};
constinit const learn::NativeAggregate any_of_rows = {learn::any, learn::any_by_group};
constinit const learn::NativeAggregate ratio_of_rows = {learn::ratio_of, learn::ratio_by_group};
constinit const learn::NativeAggregate sum_of_rows = {learn::sum, learn::sum_by_group, true};
constinit const learn::NativeAggregate mean_of_rows = {learn::mean, learn::mean_by_group, true};
constinit const learn::NativeAggregate std_of_rows = {learn::deviation, learn::deviation_by_group, true};
constinit const learn::NativeAggregate cumsum_of_rows = {learn::cumsum};
}  // namespace mlp::native_aggregate
