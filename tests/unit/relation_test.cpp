#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "compiler/plan/physical.h"
#include "runtime/learn/time_cuts.h"
#include "runtime/relation/join.h"
#include "runtime/relation/order.h"

using namespace mlp;
using namespace mlp::relation;

namespace {

Column texts(const std::vector<const char*>& values, Base base = Base::category) {
  ColumnBuilder b(Type::of(base, true));
  for (const char* v : values) v ? b.push_text(v) : b.push_missing();
  return b.finish();
}
Column numbers(const std::vector<std::optional<std::int64_t>>& values, Base base = Base::int_) {
  ColumnBuilder b(Type::of(base, true));
  for (const auto& v : values) v ? b.push_int(*v) : b.push_missing();
  return b.finish();
}
Column floats(const std::vector<double>& values) {
  ColumnBuilder b(Type::of(Base::float_, true));
  for (const double v : values) b.push_float(v);
  return b.finish();
}
std::vector<SortKeys> keys(const Column& column, bool descending = false) { return {sort_keys(column, descending)}; }

}  // namespace

TEST_CASE("a sort is ascending or descending, missing values last, equal rows as they stand") {
  CHECK(sorted(keys(numbers({3, {}, 1, 3, 2})), 5) == Rows{2, 4, 0, 3, 1});
  CHECK(sorted(keys(numbers({3, {}, 1, 3, 2}), true), 5) == Rows{0, 3, 4, 2, 1});
  CHECK(sorted(keys(floats({0.5, -1.5, -0.0, 0.0, -1e300})), 5) == Rows{4, 1, 2, 3, 0});
  CHECK(sorted(keys(texts({"b", "a", nullptr, "B"})), 4) == Rows{3, 1, 0, 2});
  CHECK(sorted(keys(numbers({INT64_MAX, {}, INT64_MIN})), 3) == Rows{2, 0, 1});
}

TEST_CASE("an ordered category sorts in its declared order") {
  ColumnBuilder b(Type::category({"low", "mid", "high"}, true));
  for (const char* v : {"high", "low", "mid", "low"}) b.push_text(v);
  CHECK(sorted(keys(b.finish()), 4) == Rows{1, 3, 2, 0});
}

TEST_CASE("groups stand in the order of their keys; a missing key is a group") {
  const std::vector<SortKeys> by = {sort_keys(texts({"b", "a", nullptr, "b", nullptr})), sort_keys(numbers({1, 1, 1, 1, 1}))};
  const Groups groups = group_sorted(by, 5);
  CHECK(groups.representative == std::vector<std::int64_t>{1, 0, 2});
  CHECK(groups.group_of == std::vector<std::int64_t>{1, 0, 2, 1, 2});
  const Partition parts = partition(groups);
  CHECK(parts.rows == Rows{1, 0, 3, 2, 4});
  CHECK(parts.ends == std::vector<std::int64_t>{1, 3, 5});
}

TEST_CASE("numbers far apart are grouped like those that lie close") {
  const auto far = group_rows(keys(numbers({INT64_MIN, 5, INT64_MAX - 1, 5, {}})), 5);
  CHECK(far.group_of == std::vector<std::int64_t>{0, 1, 2, 1, 3});
  const auto close = group_rows(keys(numbers({7, 5, 6, 5, {}})), 5);
  CHECK(close.group_of == std::vector<std::int64_t>{0, 1, 2, 1, 3});
}

TEST_CASE("rows of another table find their group, whether keys are counted or hashed") {
  for (const std::int64_t far : {std::int64_t{9}, INT64_MAX - 1}) {
    std::vector<std::optional<std::int64_t>> ours;
    for (std::int64_t i = 0; i < 3000; ++i) ours.push_back(i % 5 == 4 ? far : i % 3 == 1 ? -far : i);  // more groups than the first table of slots has
    const std::vector<SortKeys> left = {sort_keys(numbers(ours)), sort_keys(numbers(std::vector<std::optional<std::int64_t>>(3000, 1)))};
    const KeyTable table(left, 3000);
    const std::vector<SortKeys> other = {sort_keys(numbers({0, far, -far, 5000, -5000, 3, {}})), sort_keys(numbers({1, 1, 1, 1, 1, 2, 1}))};
    CHECK(table.find(other, 0) == 0);
    CHECK(table.groups.representative[static_cast<std::size_t>(table.find(other, 1))] == 4);
    CHECK(table.groups.representative[static_cast<std::size_t>(table.find(other, 2))] == 1);
    for (const std::size_t none : {3, 4, 5, 6}) CHECK(table.find(other, none) == -1);
  }
}

TEST_CASE("dedupe keeps the row that is first in the order; without one the first") {
  const Groups groups = group_rows(keys(texts({"a", "b", "a", "b", "a"})), 5);
  const Column time = numbers({1, 9, 5, 9, {}}, Base::timestamp);
  CHECK(deduped(groups, keys(time, true), true) == Rows{2, 3});    // latest; of equally late ones the last
  CHECK(deduped(groups, keys(time), false) == Rows{0, 1});         // earliest
  CHECK(deduped(groups, {}, false) == Rows{0, 1});
}

TEST_CASE("a join keeps the order of the left, and a missing value is equal to nothing") {
  const Column left[] = {texts({"x", nullptr, "y", "x", "z"})};
  const JoinSide right = join_side({texts({"y", "x", "x", nullptr}, Base::string)}, nullptr);
  const Joined inner = join(right, left, false, false);
  CHECK(inner.left == Rows{0, 0, 2, 3, 3});
  CHECK(inner.right == Rows{1, 2, 0, 1, 2});
  const Joined outer = join(right, left, true, false);
  CHECK(outer.left == Rows{0, 0, 1, 2, 3, 3, 4});
  CHECK(outer.right == Rows{1, 2, -1, 0, 1, 2, -1});
  CHECK(join(right, left, false, true).second == 0);
}

TEST_CASE("a join on comparisons finds what looking at all pairs finds") {
  using Is = Compared::Is;
  std::mt19937_64 draw(7);
  const auto some = [&](std::size_t rows) {
    std::vector<std::optional<std::int64_t>> values(rows);
    for (auto& value : values)
      if (draw() % 9 != 0) value = static_cast<std::int64_t>(draw() % 12) - 4;
    return values;
  };
  const auto holds = [](Is is, std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
    return a && b && (is == Is::less ? *a < *b : is == Is::at_most ? *a <= *b : is == Is::more ? *a > *b : *a >= *b);
  };
  for (int round = 0; round < 300; ++round) {
    const std::size_t ours = draw() % 40, theirs = draw() % 20, count = draw() % 4;
    Matched matched;
    matched.groups = 1 + draw() % 3;
    for (std::size_t i = 0; i < ours; ++i) matched.left.push_back(static_cast<std::int64_t>(draw() % (matched.groups + 1)) - 1);
    for (std::size_t i = 0; i < theirs; ++i) matched.right.push_back(static_cast<std::int64_t>(draw() % (matched.groups + 1)) - 1);
    std::vector<Compared> compared;
    std::vector<std::vector<std::optional<std::int64_t>>> left, right;
    for (std::size_t c = 0; c < count; ++c) {
      left.push_back(some(ours)), right.push_back(some(theirs));
      auto [a, b] = sort_keys(numbers(left.back()), numbers(right.back()));
      compared.push_back({static_cast<Is>(draw() % 4), a, b});
    }
    for (const bool keep : {false, true}) {
      Joined expected;
      for (std::size_t i = 0; i < ours; ++i) {
        const std::size_t before = expected.left.size();
        for (std::size_t j = 0; j < theirs; ++j) {
          bool pair = matched.left[i] >= 0 && matched.left[i] == matched.right[j];
          for (std::size_t c = 0; c < count; ++c) pair = pair && holds(compared[c].is, left[c][i], right[c][j]);
          if (pair) expected.left.push_back(static_cast<std::int64_t>(i)), expected.right.push_back(static_cast<std::int64_t>(j));
        }
        if (expected.left.size() - before > 1 && !expected.second) expected.second = static_cast<std::int64_t>(i);
        if (keep && expected.left.size() == before) expected.left.push_back(static_cast<std::int64_t>(i)), expected.right.push_back(-1);
      }
      const RangeJoined found = range_join(matched, compared, keep, false, {1'000'000, 1'000'000});
      CHECK_FALSE(found.too_many);
      CHECK(found.joined.left == expected.left);
      CHECK(found.joined.right == expected.right);
      CHECK(range_join(matched, compared, keep, true, {1'000'000, 1'000'000}).joined.second == expected.second);
      const auto pairs = static_cast<std::uint64_t>(std::count_if(expected.right.begin(), expected.right.end(), [](std::int64_t row) { return row >= 0; }));
      if (pairs > 0) CHECK(range_join(matched, compared, keep, false, {pairs - 1, 1'000'000}).too_many);
      CHECK_FALSE(range_join(matched, compared, keep, false, {pairs, 1'000'000}).too_many);
    }
  }
}

TEST_CASE("an asof join takes the latest row that is not later, of equally late ones the last") {
  const Column left[] = {texts({"a", "a", "b", "a"})};
  const Column asked = numbers({5, 2, 7, {}}, Base::timestamp), times = numbers({5, 3, 5, {}}, Base::timestamp);
  const Joined joined = asof_join(join_side({texts({"a", "a", "a", "b"})}, &times), left, asked);
  CHECK(joined.left == Rows{0, 1, 2, 3});
  CHECK(joined.right == Rows{2, -1, -1, -1});
}

TEST_CASE("fill adds the times that are missing, up to the table's last and ahead, and keeps the rows between") {
  const Column key = texts({"a", "b", "a", "a"}), time = numbers({10, 12, 13, 11}, Base::date);
  const Filled filled = fill(group_sorted(keys(key), 4), time, 2, 1);
  // a from 10 by 2 up to 14, with the rows of 11 and 13 between; b from 12.
  CHECK(filled.time == std::vector<std::int64_t>{10, 11, 12, 13, 14, 12, 14});
  CHECK(filled.row == Rows{0, 3, -1, 2, -1, 1, -1});
  CHECK(filled.of_key == Rows{0, 3, 0, 2, 0, 1, 1});
}

TEST_CASE("a split by time gives the parts their shares of the rows that are left") {
  std::vector<learn::TimedRow> rows;
  for (std::int64_t i = 0; i < 1000; ++i) rows.push_back({i, i});
  std::string empty;
  const int percent[] = {70, 10, 20};
  auto cuts = learn::time_cuts(rows, percent, empty);
  REQUIRE(cuts);
  CHECK(cuts->validation == 700);
  CHECK(cuts->test == 800);
  // Labels that come 100 later: what is between is left out, and the shares are of the others.
  for (learn::TimedRow& row : rows) row.known = row.time + 100;
  cuts = learn::time_cuts(rows, percent, empty);
  REQUIRE(cuts);
  std::size_t counts[5] = {};
  for (const learn::TimedRow& row : rows) ++counts[learn::part_at(row, *cuts)];
  const double left = static_cast<double>(counts[0] + counts[1] + counts[2]);
  CHECK(counts[3] > 90);
  CHECK(counts[4] > 90);
  CHECK(static_cast<double>(counts[0]) / left == Approx(0.7).margin(0.01));
  CHECK(static_cast<double>(counts[1]) / left == Approx(0.1).margin(0.01));
  for (const learn::TimedRow& row : rows)
    if (learn::part_at(row, *cuts) == 0) CHECK(row.known <= cuts->validation);
}

TEST_CASE("rows of one time stay together, and a part without rows is told") {
  std::vector<learn::TimedRow> rows(10, learn::TimedRow{5, 5});
  std::string empty;
  const int percent[] = {70, 15, 15};
  CHECK_FALSE(learn::time_cuts(rows, percent, empty));
  CHECK_FALSE(empty.empty());
}

TEST_CASE("windows of a rolling origin end with the last row") {
  std::vector<learn::TimedRow> rows;
  for (std::int64_t i = 0; i <= 100; ++i) rows.push_back({i, i});
  CHECK(learn::window_cuts(rows, 2, 10, 10) == std::vector<std::int64_t>{81, 91, 91, 101});
  CHECK(learn::window_cuts(rows, 3, 10, 25) == std::vector<std::int64_t>{56, 66, 76, 81, 91, 101});
}

TEST_CASE("a window holds out the segments from its begin to its end, also where windows overlap") {
  for (const std::int64_t every : {1, 3, 7, 12})
    for (const std::int64_t horizon : {1, 3, 7, 12, 25})
      for (int windows = 1; windows <= 6; ++windows) {
        const std::vector<std::int64_t> bounds = plan::window_bounds(windows, every, horizon);
        for (std::int64_t t = -2; t <= windows * every + horizon; ++t) {
          const auto segment = std::upper_bound(bounds.begin(), bounds.end(), t) - bounds.begin();
          const auto known = std::lower_bound(bounds.begin(), bounds.end(), t) - bounds.begin();
          for (int window = 0; window < windows; ++window) {
            const plan::WindowSegments held = plan::window_segments(window, windows, every, horizon);
            CHECK((segment >= held.first && segment <= held.last) == (t >= window * every && t < window * every + horizon));
            CHECK((segment < held.first) == (t < window * every));
            CHECK((known <= held.first - 1) == (t <= window * every));  // a label known at the very begin may be learned from
          }
        }
      }
}
