#include <catch2/catch.hpp>

#include "compiler/expr/expr.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

const Digest kA = sha256("a"), kB = sha256("b");

/// (x + y) * 2, written in one order or the other, with or without a dead node.
Expr product(bool y_first, bool dead, double factor = 2) {
  Tree tree;
  NodeId x, y;
  if (y_first) {
    y = tree.input(kFloat, "y");
    x = tree.input(kFloat, "x");
  } else {
    x = tree.input(kFloat, "first");
    y = tree.input(kFloat, "second");
  }
  if (dead) tree.call("log", {x}, kFloat);
  const NodeId sum = tree.call("add_float", {x, y}, kFloat);
  const NodeId two = tree.literal(Value(factor), kFloat);
  tree.call("multiply_float", {sum, two}, kFloat);
  return tree.e;
}

}  // namespace

TEST_CASE("names, order of nodes and dead nodes are in no key") {
  const Digest plain = key(product(false, false), {kA, kB});
  CHECK(plain == key(product(false, true), {kA, kB}));
  CHECK(plain == key(product(true, false), {kB, kA}));
  CHECK(plain != key(product(false, false), {kB, kA}));
  CHECK(plain != key(product(false, false, 3), {kA, kB}));
}

TEST_CASE("literals are told apart by type and bits") {
  const auto of = [](Value value, Type type) {
    Tree tree;
    tree.literal(std::move(value), std::move(type));
    return key(tree.e, {});
  };
  CHECK(of(i(1), kInt) != of(Value(1.0), kFloat));
  CHECK(of(Value(0.0), kFloat) != of(Value(-0.0), kFloat));
  CHECK(of(s("a"), kString) != of(s("b"), kString));
  CHECK(of(M_PI, kFloat) == of(M_PI, kFloat));
}

TEST_CASE("streams tell random calls apart") {
  const auto of = [](std::uint64_t stream) {
    Tree tree;
    const NodeId p = tree.literal(Value(0.5), kFloat);
    tree.call("bernoulli", {p}, kBool, stream);
    return key(tree.e, {});
  };
  CHECK(of(1) != of(2));
  CHECK(of(1) == of(1));
}

TEST_CASE("a subtree keeps only what it reads") {
  Tree tree;
  tree.input(kFloat, "unused");
  const NodeId x = tree.input(kFloat, "x");
  const NodeId log = tree.call("log", {x}, kFloat);
  tree.call("negate_float", {log}, kFloat);
  const Expr part = subtree(tree.e, log);
  REQUIRE(part.inputs.size() == 1);
  CHECK(part.inputs[0].name == "x");
  CHECK(part.nodes.size() == 2);
  CHECK(key(part, {kA}) == key(subtree(part, part.root()), {kA}));
}

TEST_CASE("an operand shared by many nodes is hashed once") {
  Tree tree;
  NodeId x = tree.input(kFloat);
  for (int depth = 0; depth < 200; ++depth) x = tree.call("add_float", {x, x}, kFloat);
  CHECK(key(tree.e, {kA}) != Digest{});
}
