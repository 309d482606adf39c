#include <catch2/catch.hpp>

#include "compiler/expr/expr_json.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

Expr with_every_op() {
  Tree tree;
  const NodeId x = tree.input(kFloat, "x");
  const NodeId c = tree.input(Type::category({"a \"quoted\"", "b\n"}, true), "c");
  const NodeId half = tree.literal(Value(-0.0), kFloat);
  const NodeId sum = tree.call("add_float", {x, x}, kFloat, 0xFFFF'FFFF'FFFF'FFFFu);
  const NodeId other = tree.e.push(Coalesce{sum, half}, Type::of(Base::float_), {-1, std::numeric_limits<double>::infinity()},
                                   {1, 2, 3});
  const NodeId text = tree.e.push(Convert{c}, kString);
  const NodeId in = tree.e.push(InSet{text, {s("ü"), s("")}, true}, kBool);
  const NodeId known = tree.e.push(IsKnown{x, true}, kBool);
  const NodeId both = tree.e.push(And{in, known}, kBool);
  const NodeId either = tree.e.push(Or{both, known}, kBool);
  const NodeId no = tree.e.push(Not{either}, kBool);
  const NodeId missing = tree.literal(kMissing, kFloat);
  const NodeId chosen = tree.e.push(Choose{no, other, missing}, kFloat);
  tree.e.push(Fitted{"standardize", {chosen}, {{"a", Value(1.0)}, {"b", i(1)}, {"c", Value(true)}}}, kFloat);
  return tree.e;
}

}  // namespace

TEST_CASE("an expression read back is the one that was written") {
  const Expr e = with_every_op();
  const std::string text = encode(e);
  const auto back = decode_expr(text);
  REQUIRE(back);
  CHECK(encode(*back) == text);
  const std::vector<Digest> inputs{sha256("1"), sha256("2")};
  CHECK(key(*back, inputs) == key(e, inputs));
  CHECK(back->nodes[4].range == e.nodes[4].range);
  CHECK(back->nodes[4].span == e.nodes[4].span);
  CHECK(std::signbit(std::get<double>(std::get<Literal>(back->nodes[2].op).value)));
}

TEST_CASE("a damaged expression is refused, never read wrongly") {
  const std::string text = encode(with_every_op());
  for (std::size_t at = 0; at < text.size(); ++at) {
    CHECK_FALSE(decode_expr(text.substr(0, at)));
    std::string changed = text;
    changed[at] = changed[at] == '9' ? '0' : '9';
    if (const auto e = decode_expr(changed))
      for (std::size_t node = 0; node < e->nodes.size(); ++node)
        for (const NodeId operand : operands(e->nodes[node].op)) REQUIRE(operand.index() < node);
  }
  CHECK(decode_expr(R"({"expr":2,"nodes":[],"inputs":[]})").error().code == diag::Code::E0909);
  CHECK(decode_expr("[1]").error().code == diag::Code::E0903);
}
