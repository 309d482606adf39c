#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "compiler/expr/expr_json.h"
#include "runtime/interp/evaluate.h"
#include "runtime/jit/evaluate.h"
#include "tests/property/random_expr.h"

using namespace mlp;
using random_expr::Generator;

namespace {

bool is_soak() { return std::getenv("MLP_SOAK") != nullptr; }

/// From MLP_SEED, else fixed; printed, so that a failure can be had again.
std::uint64_t seed(std::uint64_t otherwise) {
  const char* given = std::getenv("MLP_SEED");
  const std::uint64_t value = given ? std::strtoull(given, nullptr, 10) : otherwise;
  std::cout << "MLP_SEED=" << value << "\n";
  return value;
}

std::unique_ptr<jit::KernelCompiler> compiler_for(const char* cpu) {
  auto compiler = jit::load_kernel_compiler({.cpu = cpu, .cache_directory = ""});
  REQUIRE(compiler);
  return std::move(*compiler);
}

}  // namespace

TEST_CASE("interpreter and kernel give the same bits for random expressions") {
  const std::size_t count = is_soak() ? 20'000 : 1'000;
  const std::uint64_t first = seed(1);
  std::unique_ptr<jit::KernelCompiler> native, baseline;
  std::size_t compiled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 500 == 0) {  // loaded code lives as long as its compiler
      native = compiler_for("native");
      baseline = compiler_for("baseline");
    }
    Generator generator(first * 1'000'003 + i);
    generator.with_text_makers = i % 10 == 0;
    const expr::Expr e = generator.expression();
    const Batch batch = generator.batch(e, 1 + generator.below(1'500));
    const auto expected = interp::evaluate(e, batch);
    INFO("expression " << i << " of seed " << first << ": " << expr::encode(e));
    REQUIRE(expected);
    REQUIRE(expected->rows == batch.rows);
    if (!jit::interpreted_because(e).empty() || std::holds_alternative<expr::Input>(e.nodes.back().op)) continue;
    ++compiled;
    const auto kernel = (i % 4 == 3 ? baseline : native)->compile(e);
    REQUIRE(kernel);
    REQUIRE(equal_bits((*kernel)->evaluate(batch), *expected));
  }
  std::cout << compiled << " of " << count << " expressions compiled\n";
  CHECK(compiled > count / 2);
}

TEST_CASE("batches cut anywhere give the same rows") {
  const std::size_t count = is_soak() ? 4'000 : 200;
  const std::uint64_t first = seed(2);
  for (std::size_t i = 0; i < count; ++i) {
    Generator generator(first * 1'000'003 + i);
    const expr::Expr e = generator.expression();
    const Batch whole = generator.batch(e, 2'500);
    const std::size_t cut = generator.below(whole.rows + 1);
    Batch top{{}, cut, whole.first_row}, rest{{}, whole.rows - cut, whole.first_row + cut};
    for (const Column& column : whole.columns) {
      top.columns.push_back(slice(column, 0, cut));
      rest.columns.push_back(slice(column, cut, whole.rows - cut));
    }
    const Column all = *interp::evaluate(e, whole);
    INFO("expression " << i << " of seed " << first << ": " << expr::encode(e));
    REQUIRE(equal_bits(slice(all, 0, cut), *interp::evaluate(e, top)));
    REQUIRE(equal_bits(slice(all, cut, whole.rows - cut), *interp::evaluate(e, rest)));
  }
}

TEST_CASE("an expression written and read back is the same") {
  const std::size_t count = is_soak() ? 10'000 : 500;
  const std::uint64_t first = seed(3);
  for (std::size_t i = 0; i < count; ++i) {
    const expr::Expr e = Generator(first * 1'000'003 + i).expression();
    const auto back = expr::decode_expr(expr::encode(e));
    REQUIRE(back);
    CHECK(expr::encode(*back) == expr::encode(e));
    std::vector<Digest> inputs;
    for (std::size_t input = 0; input < e.inputs.size(); ++input) inputs.push_back(sha256(std::to_string(input)));
    CHECK(expr::key(*back, inputs) == expr::key(e, inputs));
  }
}

TEST_CASE("every native row function has a tier: it compiles, or its declaration gives the reason") {
  const auto compiler = compiler_for("native");
  std::size_t compiled = 0, interpreted = 0;
  for (const Signature* signature : Generator(0).functions) {
    INFO(signature->name << " (" << signature->place << ")");
    const NativeFunction* native = find_native_function(signature->native);
    REQUIRE(native);
    CHECK(native->makes_text == !signature->interpreted_because.empty());
    Generator generator(17);
    expr::Expr e;
    generator.call(e, *signature, 1);
    const Batch batch = generator.batch(e, 3'000);
    const Column expected = *interp::evaluate(e, batch);
    if (!jit::interpreted_because(e).empty()) {
      ++interpreted;
      continue;
    }
    const auto kernel = compiler->compile(e);
    REQUIRE(kernel);
    CHECK(equal_bits((*kernel)->evaluate(batch), expected));
    ++compiled;
  }
  std::cout << compiled << " functions compile, " << interpreted << " are interpreted as declared\n";
  CHECK(compiled + interpreted == native_functions().size());
}

TEST_CASE("kernels over two million rows, in fragments and at once") {
  constexpr std::size_t kRows = 2'000'000, kFragment = 131'072;
  Generator generator(5);
  jit::Kernels kernels({});
  expr::Expr e;
  // ((x * y + draw) ?? 0) where c is not "a": floats, a category, missing values and random draws.
  const Type real = Type::of(Base::float_, true), truth = Type::of(Base::bool_, true), word = Type::of(Base::category, true);
  e.inputs = {{0, real, "x"}, {1, real, "y"}, {2, word, "c"}};
  const Signature* times = nullptr;
  const Signature* plus = nullptr;
  const Signature* draw = nullptr;
  for (const Signature* signature : generator.functions) {
    const bool of_floats = signature->parameters.size() >= 2 && signature->parameters[0].types[0].base == Base::float_ &&
                           signature->parameters[1].types[0].base == Base::float_ && signature->result.base == Base::float_;
    if (signature->op == "*" && of_floats) times = signature;
    if (signature->op == "+" && of_floats) plus = signature;
    if (signature->random && of_floats) draw = signature;
  }
  REQUIRE((times && plus && draw));
  const auto x = e.push(expr::Input{0}, real), y = e.push(expr::Input{1}, real), c = e.push(expr::Input{2}, word);
  const auto product = e.push(expr::Call{times->native, {x, y}, 0}, real);
  const auto low = e.push(expr::Literal{0.0}, real), high = e.push(expr::Literal{1.0}, real);
  const auto drawn = e.push(expr::Call{draw->native, {low, high}, 99}, real);
  const auto sum = e.push(expr::Call{plus->native, {product, drawn}, 0}, real);
  const auto safe = e.push(expr::Coalesce{sum, low}, real);
  const auto in = e.push(expr::InSet{c, {std::string("a")}, true}, truth);
  const auto condition = e.push(expr::Coalesce{in, e.push(expr::IsKnown{x, false}, truth)}, truth);
  const auto nothing = e.push(expr::Literal{Value{}}, real);
  e.push(expr::Choose{condition, safe, nothing}, real);
  const expr::Expr tree = expr::subtree(e, e.root());

  const Batch batch = generator.batch(tree, kRows);
  const auto expected = interp::evaluate(tree, batch);
  const auto at_once = jit::evaluate(tree, batch, {.kernels = &kernels});
  REQUIRE((expected && at_once));
  CHECK(equal_bits(*at_once, *expected));
  std::vector<Column> parts;
  for (std::size_t from = 0; from < kRows; from += kFragment) {
    const std::size_t count = std::min(kFragment, kRows - from);
    Batch part{{}, count, batch.first_row + from};
    for (const Column& column : batch.columns) part.columns.push_back(slice(column, from, count));
    auto result = jit::evaluate(tree, part, {.kernels = &kernels, .total_rows = kRows});
    REQUIRE(result);
    parts.push_back(std::move(*result));
  }
  CHECK(equal_bits(concatenate(parts), *expected));
}
