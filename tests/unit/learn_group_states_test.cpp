#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <random>

#include "runtime/learn/native.h"
#include "runtime/relation/order.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

constexpr std::size_t kRows = 400, kGroups = 9;

/// Values some of which are missing.
Column random_values(std::mt19937_64& random, Base base, double scale) {
  ColumnBuilder b(Type::of(base, true));
  for (std::size_t i = 0; i < kRows; ++i) {
    if (random() % 7 == 0) b.push_missing();
    else if (base == Base::bool_) b.push_bool(random() % 2 == 0);
    else if (base == Base::int_) b.push_int(static_cast<std::int64_t>(random() % 100) - 50);
    else b.push_float((static_cast<double>(random() % 2000) - 1000) * (random() % 3 == 0 ? scale : 1.0));
  }
  return b.finish();
}

/// What the aggregate gives where all rows are at hand.
Column whole(const NativeAggregate& native, const Column* values, const std::vector<std::uint8_t>& use, const std::vector<std::int64_t>& group, const Type& type) {
  const relation::Partition parts = relation::partition(group, kGroups);
  std::vector<std::int64_t> begin = {0}, end = parts.ends;
  begin.insert(begin.end(), parts.ends.begin(), parts.ends.end() - 1);
  std::vector<std::uint8_t> used;
  for (const std::int64_t row : parts.rows) used.push_back(use[static_cast<std::size_t>(row)]);
  AggregateInput input;
  const Column ordered = values ? take(*values, parts.rows, std::monostate{}, values->type) : Column{};
  input.values = values ? &ordered : nullptr;
  input.rows = kRows;
  input.use = used;
  input.begin = begin, input.end = end;
  input.type = type;
  return native.value(input);
}

}  // namespace

TEST_CASE("aggregates of groups have the same bits in pieces as of all rows together") {
  struct Asked { const char* native; std::optional<Base> argument; Base result; };
  constexpr Asked kAsked[] = {{"count_of_rows", {}, Base::int_}, {"count_of_rows", Base::float_, Base::int_}, {"any_of_rows", {}, Base::bool_}, {"any_of_rows", Base::bool_, Base::bool_},
                              {"ratio_of_rows", Base::bool_, Base::float_}, {"sum_of_rows", Base::int_, Base::int_}, {"sum_of_rows", Base::float_, Base::float_}, {"mean_of_rows", Base::int_, Base::int_},
                              {"mean_of_rows", Base::float_, Base::float_}, {"std_of_rows", Base::float_, Base::float_}, {"min_of_rows", Base::int_, Base::int_}, {"min_of_rows", Base::float_, Base::float_},
                              {"max_of_rows", Base::int_, Base::int_}, {"max_of_rows", Base::float_, Base::float_}};
  std::mt19937_64 random(11);
  for (int n = 0; n < 60; ++n) {
    std::vector<std::int64_t> group;
    std::vector<std::uint8_t> use;
    // One group stays empty, as after a `where`.
    for (std::size_t i = 0; i < kRows; ++i) group.push_back(static_cast<std::int64_t>(random() % (kGroups - 1))), use.push_back(random() % 4 != 0);
    for (const Asked& asked : kAsked) {
      const NativeAggregate* native = find_aggregate(asked.native);
      REQUIRE(native);
      REQUIRE(native->by_group);
      const std::optional<Column> values = asked.argument ? std::optional(random_values(random, *asked.argument, n % 2 == 0 ? 1e-9 : 1e7)) : std::nullopt;
      const Type result = Type::of(asked.result, true);
      std::vector<std::size_t> cuts = {0, random() % kRows, random() % kRows, kRows};
      std::sort(cuts.begin(), cuts.end());
      struct Part { std::optional<Column> values; std::vector<std::uint8_t> use; std::vector<std::int64_t> group; };
      std::vector<Part> parts;
      BitSpread spread;
      for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
        const auto from = static_cast<std::ptrdiff_t>(cuts[c]), to = static_cast<std::ptrdiff_t>(cuts[c + 1]);
        Part part{{}, {use.begin() + from, use.begin() + to}, {group.begin() + from, group.begin() + to}};
        if (values) part.values = slice(*values, cuts[c], cuts[c + 1] - cuts[c]);
        if (asked.argument == Base::float_) spread.add(part.values->values<double>(), part.use);
        parts.push_back(std::move(part));
      }
      const Type* argument = values ? &values->type : nullptr;
      // Each piece with units of its own and groups in an order of its own.
      const auto all = native->by_group(kGroups, argument, spread);
      REQUIRE(all);
      for (const Part& part : parts) {
        std::vector<std::int64_t> map(kGroups), to(kGroups), groups;
        std::iota(map.begin(), map.end(), 0);
        std::shuffle(map.begin(), map.end(), random);
        for (std::size_t g = 0; g < kGroups; ++g) to[static_cast<std::size_t>(map[g])] = static_cast<std::int64_t>(g);
        for (const std::int64_t g : part.group) groups.push_back(to[static_cast<std::size_t>(g)]);
        BitSpread own;
        if (asked.argument == Base::float_) own.add(part.values->values<double>(), part.use);
        const auto state = native->by_group(kGroups, argument, own);
        REQUIRE(state);
        state->add({part.values ? &*part.values : nullptr, part.use, groups});
        all->merge(*state, map);
      }
      INFO(asked.native << " " << n);
      CHECK(equal_bits(all->values(result), whole(*native, values ? &*values : nullptr, use, group, result)));
    }
  }
}

TEST_CASE("numbers that lie too far apart for one unit are not added by groups") {
  BitSpread spread;
  const double far[] = {1e-200, 1e200};
  spread.add(far, {});
  const Type type = Type::of(Base::float_);
  CHECK(find_aggregate("sum_of_rows")->by_group(2, &type, spread) == nullptr);
  CHECK(find_aggregate("std_of_rows")->by_group(2, &type, spread) == nullptr);
}
