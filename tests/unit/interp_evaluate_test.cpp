#include <catch2/catch.hpp>

#include "runtime/interp/evaluate.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

std::vector<Value> run(const Tree& tree, std::vector<Column> columns) {
  Batch batch;
  batch.rows = columns.front().rows;
  batch.columns = std::move(columns);
  auto result = interp::evaluate(tree.e, batch);
  REQUIRE(result);
  CHECK(result->type == tree.e.type());
  return values_of(*result);
}

const Value T = true, F = false, M = std::monostate{};

}  // namespace

TEST_CASE("and, or and not follow Kleene's logic") {
  const Column a = column_of(kBool, {T, T, T, F, F, F, M, M, M}), b = column_of(kBool, {T, F, M, T, F, M, T, F, M});
  Tree both, either, no;
  {
    const NodeId x = both.input(kBool), y = both.input(kBool);
    both.e.push(And{x, y}, kBool);
  }
  {
    const NodeId x = either.input(kBool), y = either.input(kBool);
    either.e.push(Or{x, y}, kBool);
  }
  no.e.push(Not{no.input(kBool)}, kBool);
  CHECK(run(both, {a, b}) == std::vector<Value>{T, F, M, F, F, F, M, F, M});
  CHECK(run(either, {a, b}) == std::vector<Value>{T, T, T, T, F, M, T, M, M});
  CHECK(run(no, {a}) == std::vector<Value>{F, F, F, T, T, T, M, M, M});
}

TEST_CASE("a call is missing where an argument is") {
  Tree tree;
  const NodeId x = tree.input(kFloat), y = tree.input(kFloat);
  tree.call("add_float", {x, y}, kFloat);
  CHECK(run(tree, {column_of(kFloat, {1.0, M, 2.0}), column_of(kFloat, {1.0, 1.0, M})}) == std::vector<Value>{2.0, M, M});
}

TEST_CASE("if, ?? and is known never look at what they do not take") {
  Tree tree;
  const NodeId x = tree.input(kFloat);
  const NodeId known = tree.e.push(IsKnown{x, false}, kBool);
  const NodeId root = tree.call("log", {x}, kFloat);
  const NodeId zero = tree.literal(Value(0.0), kFloat);
  const NodeId safe = tree.e.push(Coalesce{root, zero}, kFloat);
  const NodeId minus = tree.literal(Value(-1.0), kFloat);
  tree.e.push(Choose{known, safe, minus}, kFloat);
  CHECK(run(tree, {column_of(kFloat, {1.0, -5.0, M})}) == std::vector<Value>{0.0, 0.0, -1.0});
}

TEST_CASE("a category result has a dictionary of its own values, sorted by bytes") {
  Tree tree;
  const NodeId x = tree.input(kCategory);
  const NodeId unknown = tree.literal(s("unknown"), kCategory);
  tree.e.push(Coalesce{x, unknown}, Type::of(Base::category));
  Batch batch{{column_of(kCategory, {s("web"), M, s("atm"), s("web")})}, 4, 0};
  const Column column = *interp::evaluate(tree.e, batch);
  CHECK(column.dictionary->values == std::vector<std::string>{"atm", "unknown", "web"});
  CHECK(values_of(column) == std::vector<Value>{s("web"), s("unknown"), s("atm"), s("web")});
  CHECK_FALSE(column.known);
}

TEST_CASE("a category cell's dictionary holds no value that no row has") {
  Tree tree;
  const NodeId x = tree.input(kCategory);
  const NodeId yes = tree.e.push(InSet{x, {s("a")}, false}, kBool);
  const NodeId condition = tree.e.push(Coalesce{yes, tree.literal(Value(false), kBool)}, kBool);
  const NodeId none = tree.literal(M, kCategory);
  tree.e.push(Choose{condition, x, none}, kCategory);
  Batch batch{{column_of(kCategory, {s("a"), s("b"), M})}, 3, 0};
  const Column column = *interp::evaluate(tree.e, batch);
  CHECK(column.dictionary->values == std::vector<std::string>{"a"});
  CHECK(column.values<std::int32_t>()[1] == 0);
}

TEST_CASE("in tests membership, and is missing where the value is") {
  Tree in, not_in, texts;
  in.e.push(InSet{in.input(kInt), {i(3), i(1)}, false}, kBool);
  not_in.e.push(InSet{not_in.input(kFloat), {Value(0.5), i(2)}, true}, kBool);
  texts.e.push(InSet{texts.input(kString), {s("b"), s("")}, false}, kBool);
  CHECK(run(in, {column_of(kInt, {i(1), i(2), M})}) == std::vector<Value>{T, F, M});
  CHECK(run(not_in, {column_of(kFloat, {0.5, 2.0, 3.0})}) == std::vector<Value>{F, F, T});
  CHECK(run(texts, {column_of(kString, {s(""), s("a"), M})}) == std::vector<Value>{T, F, M});
}

TEST_CASE("widening keeps every value") {
  Tree number, time, text;
  number.e.push(Convert{number.input(kInt)}, kFloat);
  time.e.push(Convert{time.input(kDate)}, kTimestamp);
  text.e.push(Convert{text.input(kCategory)}, kString);
  CHECK(run(number, {column_of(kInt, {i(-3), M})}) == std::vector<Value>{-3.0, M});
  CHECK(run(time, {column_of(kDate, {i(1), i(1'000'000'000'000)})}) == std::vector<Value>{i(86'400'000'000), M});
  CHECK(run(text, {column_of(kCategory, {s("x"), M, s("y")})}) == std::vector<Value>{s("x"), M, s("y")});
}

TEST_CASE("chunks of rows do not show") {
  std::vector<Value> numbers;
  for (int row = 0; row < 5000; ++row) numbers.push_back(row % 7 == 0 ? M : i(row));
  Tree tree;
  const NodeId x = tree.input(kInt);
  tree.call("string_of_int", {x}, kString);
  const std::vector<Value> texts = run(tree, {column_of(kInt, numbers)});
  for (int row = 0; row < 5000; ++row)
    REQUIRE(texts[static_cast<std::size_t>(row)] == (row % 7 == 0 ? M : s(std::to_string(row))));
}

TEST_CASE("rows are counted from the batch's first row") {
  Tree tree;
  tree.call("row_number", {}, Type::of(Base::int_));
  Batch batch;
  batch.rows = 3;
  batch.first_row = 40;
  CHECK(values_of(*interp::evaluate(tree.e, batch)) == std::vector<Value>{i(40), i(41), i(42)});
}

TEST_CASE("no rows give an empty column") {
  Tree tree;
  const NodeId x = tree.input(kCategory);
  tree.e.push(Coalesce{x, tree.literal(s("a"), kCategory)}, kCategory);
  // The literal stands behind the column it replaces, so the tree's order is that of pushing.
  Batch batch{{column_of(kCategory, {})}, 0, 0};
  CHECK(interp::evaluate(tree.e, batch)->rows == 0);
}
