#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <numeric>

#include "gen/native_learn_names.h"
#include "runtime/learn/aggregates/group_states.h"
#include "runtime/learn/aggregates/stretches.h"

/// Aggregates that choose one of the values: the smallest, the middle one, the latest, the one before.
namespace mlp::learn {
namespace {

/// Of each row of the list: its value's place among the sorted different values that count. Texts are compared by their bytes.
std::vector<std::int64_t> places(const Column& values, std::span<const std::uint8_t> counts, std::vector<std::int64_t>* example = nullptr) {
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i]) order.push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> place(counts.size(), 0);
  const auto number = [&]<class T>(std::span<const T> v) {
    std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return v[index(a)] < v[index(b)]; });
    return [v](std::int64_t a, std::int64_t b) { return v[index(a)] == v[index(b)]; };
  };
  const auto number_all = [&](auto same) {
    std::int64_t next = -1;
    for (std::size_t k = 0; k < order.size(); ++k) {
      if (k == 0 || !same(order[k - 1], order[k])) {
        ++next;
        if (example) example->push_back(order[k]);
      }
      place[index(order[k])] = next;
    }
  };
  switch (values.type.base) {
    case Base::bool_: number_all(number(values.values<std::uint8_t>())); break;
    case Base::float_: number_all(number(values.values<double>())); break;
    case Base::category: number_all(number(values.values<std::int32_t>())); break;
    case Base::string:
      std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return values.text(index(a)) < values.text(index(b)); });
      number_all([&](std::int64_t a, std::int64_t b) { return values.text(index(a)) == values.text(index(b)); });
      break;
    default: number_all(number(values.values<std::int64_t>())); break;
  }
  return place;
}

/// The first row of each stretch whose value no other of it is before, with a queue of candidates.
template <class Before>
std::vector<std::int64_t> extremes(const AggregateInput& in, std::span<const std::uint8_t> counts, Before before) {
  std::vector<std::int64_t> rows(in.begin.size(), -1);
  std::deque<std::int64_t> queue;
  std::int64_t low = 0, high = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t begin = in.begin[i], end = in.end[i];
    if (begin < low || end < high || begin >= high) queue.clear(), high = begin;
    low = begin;
    for (; high < end; ++high) {
      if (!counts[index(high)]) continue;
      while (!queue.empty() && before(high, queue.back())) queue.pop_back();
      queue.push_back(high);
    }
    while (!queue.empty() && queue.front() < begin) queue.pop_front();
    if (!queue.empty()) rows[i] = queue.front();
  }
  return rows;
}

template <bool kLargest>
Column extreme(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  const auto choose = [&]<class T>(std::span<const T> v) {
    return extremes(in, counts, [v](std::int64_t a, std::int64_t b) { return kLargest ? v[index(a)] > v[index(b)] : v[index(a)] < v[index(b)]; });
  };
  const bool is_float = in.values->type.base == Base::float_;
  return picked(*in.values, is_float ? choose(in.values->values<double>()) : choose(in.values->values<std::int64_t>()), in.type);
}

/// Of each row the last row up to it that counts, or -1.
std::vector<std::int64_t> last_counted(std::span<const std::uint8_t> counts) {
  std::vector<std::int64_t> last(counts.size(), -1);
  std::int64_t at = -1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i]) at = static_cast<std::int64_t>(i);
    last[i] = at;
  }
  return last;
}

Column latest(const AggregateInput& in) {
  const std::vector<std::int64_t> last = last_counted(counted(in));
  std::vector<std::int64_t> rows(in.begin.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (in.end[i] > in.begin[i] && last[index(in.end[i] - 1)] >= in.begin[i]) rows[i] = last[index(in.end[i] - 1)];
  return picked(*in.values, rows, in.type);
}

Column first(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  std::vector<std::int64_t> next(counts.size() + 1, INT64_MAX);
  for (std::size_t i = counts.size(); i-- > 0;) next[i] = counts[i] ? static_cast<std::int64_t>(i) : next[i + 1];
  std::vector<std::int64_t> rows(in.begin.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (next[index(in.begin[i])] < in.end[i]) rows[i] = next[index(in.begin[i])];
  return picked(*in.values, rows, in.type);
}

Column distinct(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  std::vector<std::int64_t> example;
  const std::vector<std::int64_t> place = places(*in.values, counts, &example);
  std::vector<std::int64_t> seen(example.size(), 0), values(in.begin.size());
  std::int64_t different = 0;
  slide(in, counts, [&](std::int64_t row) { different += seen[index(place[index(row)])]++ == 0; },
        [&](std::int64_t row) { different -= --seen[index(place[index(row)])] == 0; }, [&](std::size_t i) { values[i] = different; });
  return whole_numbers(in.type, values);
}

/// Counts by place, and the place of the k-th: a tree of sums (P. M. Fenwick, A new data structure for cumulative frequency tables, 1994).
class Frequencies {
 public:
  explicit Frequencies(std::size_t places) : sums_(places + 1, 0), top_(std::bit_floor(std::max<std::size_t>(places, 1))) {}
  void add(std::int64_t place, std::int64_t count) {
    for (std::size_t i = index(place) + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i] += count;
  }
  std::int64_t find(std::int64_t k) const {  ///< the place of the k-th, from 0
    std::size_t at = 0;
    for (std::size_t step = top_; step > 0; step >>= 1)
      if (at + step < sums_.size() && sums_[at + step] <= k) at += step, k -= sums_[at];
    return static_cast<std::int64_t>(at);
  }

 private:
  std::vector<std::int64_t> sums_;
  std::size_t top_;
};

/// Between the two values around share * (n - 1), linearly: R. J. Hyndman and Y. Fan, Sample quantiles (1996), type 7.
Column quantile(const AggregateInput& in) {
  const std::vector<std::uint8_t> counts = counted(in);
  double share = 0.5;
  for (const auto& [name, value] : in.options)
    if (name == "share") share = std::holds_alternative<std::int64_t>(value) ? static_cast<double>(std::get<std::int64_t>(value)) : std::get<double>(value);
  std::vector<std::int64_t> example;
  const std::vector<std::int64_t> place = places(*in.values, counts, &example);
  const auto value_at = [&](std::int64_t p) { return in.values->values<double>()[index(example[index(p)])]; };
  Frequencies frequencies(example.size());
  std::int64_t rows = 0;
  ColumnBuilder out(in.type, in.begin.size());
  slide(in, counts, [&](std::int64_t row) { frequencies.add(place[index(row)], 1), ++rows; }, [&](std::int64_t row) { frequencies.add(place[index(row)], -1), --rows; },
        [&](std::size_t) {
          if (rows == 0) return out.push_missing();
          const double position = share * static_cast<double>(rows - 1);
          const auto below = static_cast<std::int64_t>(std::floor(position));
          const double low = value_at(frequencies.find(below));
          const double part = position - static_cast<double>(below);
          const double high = part > 0 ? value_at(frequencies.find(below + 1)) : low;
          out.push_float(low + part * (high - low));
        });
  return out.finish();
}

// ---- in the order of a window: each stretch is a partition, `at` the row that asks ------------------------------------------

template <int kDirection>
Column shifted(const AggregateInput& in) {
  std::int64_t by = 1;
  for (const auto& [name, value] : in.options)
    if (const auto* rows = std::get_if<std::int64_t>(&value)) by = *rows;
  const std::vector<std::uint8_t> counts = counted(in);
  std::vector<std::int64_t> rows(in.at.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t row = in.at[i] + kDirection * by;
    if (row >= in.begin[i] && row < in.end[i] && counts[index(row)]) rows[i] = row;
  }
  return picked(*in.values, rows, in.type);
}

Column position(const AggregateInput& in) {
  std::vector<std::int64_t> values(in.at.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = in.at[i] - in.begin[i] + 1;
  return whole_numbers(in.type, values);
}

Column rank(const AggregateInput& in) {
  std::vector<std::int64_t> place_of(in.rows, 0);  // the first row equal to it, as the list stands
  for (std::size_t i = 0; i < in.rows; ++i) place_of[i] = i > 0 && in.ties[i] ? place_of[i - 1] : static_cast<std::int64_t>(i);
  std::vector<std::int64_t> values(in.at.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = place_of[index(in.at[i])] - in.begin[i] + 1;
  return whole_numbers(in.type, values);
}

template <bool kLargest>
Column running_extreme(const AggregateInput& in) {
  std::vector<std::int64_t> ends(in.at.size());
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = in.at[i] + 1;
  AggregateInput so_far = in;
  so_far.end = ends;
  return extreme<kLargest>(so_far);
}

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_aggregate {
constinit const learn::NativeAggregate min_of_rows = {learn::extreme<false>, learn::min_by_group};
constinit const learn::NativeAggregate max_of_rows = {learn::extreme<true>, learn::max_by_group};
constinit const learn::NativeAggregate latest_of_rows = {.value = learn::latest, .is_latest = true};
constinit const learn::NativeAggregate first_of_rows = {learn::first};
constinit const learn::NativeAggregate distinct_of_rows = {learn::distinct};
constinit const learn::NativeAggregate quantile_of_rows = {learn::quantile};
constinit const learn::NativeAggregate lag_in_time = {.value = learn::latest, .is_latest = true};
constinit const learn::NativeAggregate lag_in_window = {learn::shifted<-1>};
constinit const learn::NativeAggregate lead_of_rows = {learn::shifted<1>};
constinit const learn::NativeAggregate rank_of_rows = {learn::rank};
constinit const learn::NativeAggregate position_of_rows = {learn::position};
constinit const learn::NativeAggregate cummin_of_rows = {learn::running_extreme<false>};
constinit const learn::NativeAggregate cummax_of_rows = {learn::running_extreme<true>};
}  // namespace mlp::native_aggregate
