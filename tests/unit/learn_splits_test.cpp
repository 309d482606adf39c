#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "runtime/learn/splits.h"

using namespace mlp;
using namespace mlp::learn;

namespace {

Column ints(const std::vector<std::int64_t>& v) {
  ColumnBuilder b(Type::of(Base::int_));
  for (const auto x : v) b.push_int(x);
  return b.finish();
}
Column labels(std::size_t rows, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  ColumnBuilder b(Type::of(Base::bool_, true));
  for (std::size_t i = 0; i < rows; ++i) random() % 50 == 0 ? b.push_missing() : b.push_bool(random() % 5 == 0);
  return b.finish();
}
const SplitShape kThree{{70, 15, 15}, 0, 7};

}  // namespace

TEST_CASE("a row with a key stays in its part wherever rows are inserted") {
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(i * 37 % 5003);
  const Column before = ints(ids);
  const auto parts = assign_by_key(kThree, std::span(&before, 1), nullptr);
  std::map<std::int64_t, int> part_of;
  for (std::size_t i = 0; i < ids.size(); ++i) part_of[ids[i]] = parts[i];
  ids.insert(ids.begin(), 99'999);
  ids.insert(ids.begin() + 2500, 88'888);
  const Column after = ints(ids);
  const auto again = assign_by_key(kThree, std::span(&after, 1), nullptr);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (part_of.contains(ids[i])) REQUIRE(again[i] == part_of[ids[i]]);
  std::array<int, 3> n{};
  for (const int p : parts) ++n[static_cast<std::size_t>(p)];
  CHECK(std::abs(n[0] - 3500) < 150);
  CHECK(std::abs(n[1] - 750) < 100);
}

TEST_CASE("a key means the same as a category of another dictionary and as a string") {
  ColumnBuilder a(Type::category({})), b(Type::category({})), c(Type::of(Base::string));
  a.push_text("zebra"), a.push_text("horse");
  b.push_text("zebra"), b.push_text("aardvark");
  c.push_text("zebra");
  const Column one = a.finish(), two = b.finish(), three = c.finish();
  const SplitShape folds{{}, 97, 1};
  const auto part = [&](const Column& k) { return assign_by_key(folds, std::span(&k, 1), nullptr)[0]; };
  CHECK(part(one) == part(two));
  CHECK(part(one) == part(three));
}

TEST_CASE("decks deal the exact shares to every hundred rows, in every stratum") {
  DeckPosition position;
  const auto parts = assign_by_decks(kThree, 1000, nullptr, position);
  for (std::size_t deck = 0; deck < 10; ++deck) {
    std::array<int, 3> n{};
    for (std::size_t i = 0; i < 100; ++i) ++n[static_cast<std::size_t>(parts[deck * 100 + i])];
    CHECK(n == std::array<int, 3>{70, 15, 15});
  }
  const Column y = labels(20'000, 1);
  DeckPosition of_strata;
  const auto dealt = assign_by_decks(kThree, 20'000, &y, of_strata);
  std::array<std::array<double, 3>, 2> n{};
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    if (!y.is_known(i)) {
      REQUIRE(dealt[i] == -1);
      continue;
    }
    ++n[y.values<std::uint8_t>()[i]][static_cast<std::size_t>(dealt[i])];
  }
  for (const auto& stratum : n) CHECK(stratum[0] / (stratum[0] + stratum[1] + stratum[2]) == Approx(0.7).margin(0.005));
  CHECK(parts[0] + parts[1] + parts[2] + parts[3] != 0);  // shuffled, not laid end to end
}

TEST_CASE("dealing does not depend on fragments, and appended rows move nobody") {
  const Column y = labels(5000, 2);
  for (const SplitShape& shape : {kThree, SplitShape{{}, 5, 3}}) {
    DeckPosition whole_position;
    const auto whole = assign_by_decks(shape, 5000, &y, whole_position);
    DeckPosition position, counted;
    std::vector<std::int32_t> pieces;
    std::size_t begin = 0;
    for (const std::size_t end : {1uz, 17uz, 1200uz, 1200uz, 4999uz, 5000uz}) {
      const Column part = slice(y, begin, end - begin);
      CHECK(counted.dealt == position.dealt);
      for (const int p : assign_by_decks(shape, end - begin, &part, position)) pieces.push_back(p);
      counted = advance(std::move(counted), count_strata(end - begin, &part));
      begin = end;
    }
    CHECK(pieces == whole);
    CHECK(position.dealt == whole_position.dealt);
    DeckPosition fewer;
    const Column head = slice(y, 0, 3210);
    CHECK(assign_by_decks(shape, 3210, &head, fewer) == std::vector<std::int32_t>(whole.begin(), whole.begin() + 3210));
  }
}

TEST_CASE("another seed deals otherwise") {
  DeckPosition a, b;
  CHECK(assign_by_decks({{50, 50}, 0, 1}, 500, nullptr, a) != assign_by_decks({{50, 50}, 0, 2}, 500, nullptr, b));
}
