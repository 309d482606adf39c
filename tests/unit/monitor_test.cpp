#include <catch2/catch.hpp>

#include <numeric>

#include "runtime/learn/native.h"
#include "runtime/monitor/false_alarms.h"
#include "runtime/monitor/histogram.h"

using namespace mlp;
using monitor::Histogram;

namespace {

std::shared_ptr<const learn::Bins> bins_of(const Column& column) {
  const std::vector<std::uint8_t> use(column.rows, 1);
  const std::string partial = learn::partial_bins(column, use);
  const std::string_view view = partial;
  const auto merged = learn::merge_bins(std::span(&view, 1));
  REQUIRE(merged);
  const auto finished = learn::finish_bins(*merged);
  REQUIRE(finished);
  const auto bins = learn::load_bins(*finished);
  REQUIRE(bins);
  return *bins;
}

Column ints(const std::vector<std::int64_t>& values, std::size_t missing = 0) {
  ColumnBuilder builder(Type::of(Base::int_, true));
  for (const std::int64_t value : values) builder.push_int(value);
  for (std::size_t i = 0; i < missing; ++i) builder.push_missing();
  return builder.finish();
}

Column texts(const std::vector<std::string>& values) {
  ColumnBuilder builder(Type::of(Base::category, true));
  for (const std::string& value : values) builder.push_text(value);
  return builder.finish();
}

std::vector<double> counted(const Histogram& h, const Column& column, std::vector<std::uint32_t> skip = {}) {
  std::vector<double> counts(h.labels.size());
  monitor::count(h, column, skip, counts);
  return counts;
}

}  // namespace

TEST_CASE("numbers are cut at the deciles of the fitted rows") {
  std::vector<std::int64_t> values(1000);
  std::iota(values.begin(), values.end(), 1);
  const Column column = ints(values, 50);
  const Histogram h = monitor::make_histogram(column.type, bins_of(column));
  REQUIRE(h.labels.size() == 11);
  CHECK(h.labels.front().starts_with("≤ "));
  CHECK(h.labels[9].starts_with("≥ "));
  CHECK(h.labels.back() == "missing");
  for (std::size_t i = 0; i < 10; ++i) CHECK(std::abs(h.reference[i] - 100) <= 4);  // to the width of a bin of training
  CHECK(h.reference.back() == 50);
  CHECK(counted(h, column) == h.reference);
}

TEST_CASE("deciles that fall together on a frequent value are one slot") {
  std::vector<std::int64_t> values(920, 0);
  for (std::int64_t i = 1; i <= 80; ++i) values.push_back(i);
  const Histogram h = monitor::make_histogram(Type::of(Base::int_), bins_of(ints(values)));
  CHECK(h.labels == std::vector<std::string>{"≤ 0", "≥ 1", "missing"});
  CHECK(h.reference == std::vector<double>{920, 80, 0});
}

TEST_CASE("rows that are set aside are not counted") {
  const Column column = ints({1, 2, 3, 4, 5, 6, 7, 8});
  const Histogram h = monitor::make_histogram(column.type, bins_of(column));
  const std::vector<double> all = counted(h, column), some = counted(h, column, {0, 7});
  CHECK(std::accumulate(all.begin(), all.end(), 0.0) == 8);
  CHECK(std::accumulate(some.begin(), some.end(), 0.0) == 6);
  CHECK(some.front() == all.front() - 1);
}

TEST_CASE("rare categories share a slot, and unseen ones are expected as often as single ones were seen") {
  std::vector<std::string> values(600, "a");
  values.insert(values.end(), 392, "b");
  values.insert(values.end(), {"c", "c", "c", "d", "d", "e", "f", "g"});
  const Histogram h = monitor::make_histogram(Type::of(Base::category), bins_of(texts(values)));
  CHECK(h.labels == std::vector<std::string>{"a", "b", "rare", "unseen", "missing"});
  CHECK(h.reference == std::vector<double>{600, 392, 5, 3, 0});
  CHECK(counted(h, texts({"a", "c", "e", "zebra", "zebra"})) == std::vector<double>{1, 0, 2, 2, 0});
}

TEST_CASE("the slots of a category with more values than bins hold every row") {
  std::vector<std::string> values(5000, "often");
  for (int i = 0; i < 400; ++i) values.push_back("value " + std::to_string(i));
  const Column column = texts(values);
  const Histogram h = monitor::make_histogram(column.type, bins_of(column));
  CHECK(std::accumulate(h.reference.begin(), h.reference.end(), 0.0) == 5400);
  CHECK(h.reference[*h.unseen] > 100);
  const std::vector<double> now = counted(h, column);
  CHECK(now[0] == 5000);
  CHECK(now[*h.unseen] == 0);
}

TEST_CASE("slots are named in the type of the column") {
  ColumnBuilder dates(Type::of(Base::date)), bools(Type::of(Base::bool_)), floats(Type::of(Base::float_));
  for (int i = 0; i < 100; ++i) dates.push_int(19'000 + i), bools.push_bool(i < 30), floats.push_float(i / 100.0);
  const Column date = dates.finish(), boolean = bools.finish(), number = floats.finish();
  CHECK(monitor::make_histogram(date.type, bins_of(date)).labels[0] == "≤ 2022-01-17");
  CHECK(monitor::make_histogram(boolean.type, bins_of(boolean)).labels == std::vector<std::string>{"false", "true", "missing"});
  CHECK(monitor::make_histogram(number.type, bins_of(number)).labels[1] == "0.095 to 0.195");
}

TEST_CASE("the rate of false alarms is that of chance") {
  // For many fitted rows, rows * psi of k slots follows the chi-squared distribution with k - 1 degrees of freedom.
  const std::vector<double> reference(10, 1e6);
  const learn::NativeDrift* psi = learn::find_drift("psi");
  REQUIRE(psi);
  const std::uint64_t rows = 5000;
  const double upper_tenth = 14.684, median = 8.343;  // of 9 degrees of freedom
  CHECK(std::abs(monitor::false_alarm_rate(*psi, "<", upper_tenth / rows, reference, rows) - 0.1) < 0.05);
  CHECK(std::abs(monitor::false_alarm_rate(*psi, "<", median / rows, reference, rows) - 0.5) < 0.08);
  CHECK(monitor::false_alarm_rate(*psi, "<", 0.2, reference, rows) == 0);
  CHECK(monitor::false_alarm_rate(*psi, "<", 0.2, reference, 20) > 0.5);
  CHECK(monitor::false_alarm_rate(*psi, "<", 0.02, reference, 300) == monitor::false_alarm_rate(*psi, "<", 0.02, reference, 300));
  CHECK(monitor::false_alarm_rate(*psi, "<", 0.2, std::vector<double>(10, 0.0), 300) == 0);
}
