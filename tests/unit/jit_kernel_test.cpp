#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "runtime/interp/evaluate.h"
#include "runtime/jit/evaluate.h"
#include "tests/unit/expr_trees.h"

using namespace mlp;
using namespace mlp::trees;

namespace {

/// A new folder under the system's temporary one, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "mlp-jit-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// log1p(x) * 2 + (if c in ("a", "bc") then y else x) ?? -1
Expr mixed() {
  Tree tree;
  const NodeId x = tree.input(kFloat), y = tree.input(kInt), c = tree.input(kCategory);
  const NodeId product = tree.call("multiply_float", {tree.call("log1p", {x}, kFloat), tree.literal(Value(2.0), kFloat)}, kFloat);
  const NodeId in = tree.e.push(InSet{c, {s("a"), s("bc")}, false}, kBool);
  const NodeId condition = tree.e.push(Coalesce{in, tree.literal(Value(false), kBool)}, kBool);
  const NodeId chosen = tree.e.push(Choose{condition, tree.e.push(Convert{y}, kFloat), x}, kFloat);
  const NodeId sum = tree.call("add_float", {product, chosen}, kFloat);
  tree.e.push(Coalesce{sum, tree.literal(Value(-1.0), kFloat)}, kFloat);
  // The root stands last.
  tree.e.nodes.push_back(tree.e.nodes.back());
  return tree.e;
}

Batch rows(std::size_t count) {
  std::vector<Value> x, y, c;
  for (std::size_t row = 0; row < count; ++row) {
    x.push_back(row % 11 == 3 ? kMissing : Value(static_cast<double>(row % 1000) / 7 - 2));
    y.push_back(row % 13 == 5 ? kMissing : i(static_cast<std::int64_t>(row)));
    c.push_back(row % 5 == 0 ? kMissing : s(std::vector<std::string>{"a", "bc", "d", ""}[row % 4]));
  }
  return {{column_of(kFloat, x), column_of(kInt, y), column_of(kCategory, c)}, count, 7};
}

}  // namespace

TEST_CASE("a kernel gives the interpreter's bits, on this CPU and on the baseline") {
  const Expr e = mixed();
  for (const char* cpu : {"native", "baseline"}) {
    auto compiler = jit::load_kernel_compiler({.cpu = cpu, .cache_directory = ""});
    REQUIRE(compiler);
    const auto kernel = (*compiler)->compile(e);
    REQUIRE(kernel);
    for (const std::size_t count : {0u, 1u, 1023u, 10'000u}) {
      const Batch batch = rows(count);
      CHECK(equal_bits((*kernel)->evaluate(batch), *interp::evaluate(e, batch)));
    }
  }
}

TEST_CASE("a kernel that makes categories builds a sorted dictionary") {
  Tree tree;
  const NodeId c = tree.input(kCategory);
  tree.e.push(Coalesce{c, tree.literal(s("unknown"), kCategory)}, kCategory);
  tree.e.nodes.push_back(tree.e.nodes.back());
  auto compiler = jit::load_kernel_compiler({});
  REQUIRE(compiler);
  const Batch all = rows(9000);
  const Batch batch{{all.columns[2]}, 9000, 0};
  const Column column = (*(*compiler)->compile(tree.e))->evaluate(batch);
  CHECK(column.dictionary->values == std::vector<std::string>{"", "a", "bc", "d", "unknown"});
  CHECK(equal_bits(column, *interp::evaluate(tree.e, batch)));
}

TEST_CASE("an expression that makes text is interpreted, for the reason its function declares") {
  Tree tree;
  const NodeId x = tree.input(kInt);
  tree.call("string_of_int", {x}, kString);
  CHECK(jit::interpreted_because(tree.e) == "it makes new text");
  CHECK(jit::interpreted_because(mixed()).empty());
  jit::Kernels kernels({});
  const Batch batch{{column_of(kInt, {i(1), kMissing})}, 2, 0};
  const auto column = jit::evaluate(tree.e, batch, {.kernels = &kernels, .compile_from_rows = 0});
  REQUIRE(column);
  CHECK(values_of(*column) == std::vector<Value>{s("1"), kMissing});
}

TEST_CASE("object code comes from the cache the second time, and a damaged file is compiled anew") {
  const Folder folder;
  const Expr e = mixed();
  const Batch batch = rows(3000);
  const Column expected = *interp::evaluate(e, batch);
  const auto run = [&](const char* cpu) {
    auto compiler = jit::load_kernel_compiler({.cpu = cpu, .cache_directory = folder.path.string()});
    REQUIRE(compiler);
    CHECK(equal_bits((*(*compiler)->compile(e))->evaluate(batch), expected));
    return (*compiler)->cache_hits();
  };
  CHECK(run("native") == 0);
  CHECK(run("native") == 1);
  CHECK(run("baseline") == 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('\x7f');
    file.put('\x01');
  }
  CHECK(run("native") == 0);
  CHECK(run("native") == 1);
}

TEST_CASE("a kernel outlives its compiler") {
  const Expr e = mixed();
  std::shared_ptr<const jit::Kernel> kernel;
  {
    auto compiler = jit::load_kernel_compiler({});
    REQUIRE(compiler);
    kernel = *(*compiler)->compile(e);
  }
  const Batch batch = rows(100);
  CHECK(equal_bits(kernel->evaluate(batch), *interp::evaluate(e, batch)));
}

TEST_CASE("an unknown CPU is said so") {
  const auto compiler = jit::load_kernel_compiler({.cpu = "abacus", .cache_directory = ""});
  REQUIRE_FALSE(compiler);
  CHECK(compiler.error().code == diag::Code::E0907);
  CHECK(compiler.error().message.find("abacus") != std::string::npos);
}
