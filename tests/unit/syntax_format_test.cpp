#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "compiler/diag/render.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"

using namespace mlp;
namespace fs = std::filesystem;

namespace {

struct Read {
  std::string text, tree;
  bool right = false;
};

Read read(std::string text) {
  SourceMap sources;
  sources.add("test.mlp", text);
  diag::Sink sink;
  const ast::File file = parse(sources, 0, sink);
  return {std::move(text), dump(file), !sink.has_errors()};
}

std::optional<std::string> formatted(const std::string& text) {
  SourceMap sources;
  sources.add("test.mlp", text);
  diag::Sink sink;
  return format_source(sources, 0, sink);
}

/// Every program of the tree that is well formed.
std::vector<Read> programs() {
  std::vector<Read> out;
  for (const char* folder : {"examples", "stdlib", "tests/golden"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(MLP_SOURCE_DIR) / folder)) {
      if (!entry.is_regular_file() || entry.path().extension() != ".mlp") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      if (Read program = read(std::string(std::istreambuf_iterator<char>(in), {})); program.right) out.push_back(std::move(program));
    }
  REQUIRE(out.size() > 40);
  return out;
}

std::vector<std::string> comments(const std::string& text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string line = text.substr(from, end - from);
    // Good enough for these programs: a sign outside of texts.
    bool in_text = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) in_text = !in_text;
      if (line[i] != '#' || in_text) continue;
      line = line.substr(i);
      while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
      out.push_back(line);
      break;
    }
    from = end + 1;
  }
  return out;
}

}  // namespace

TEST_CASE("a formatted program means the same, keeps its comments and stays as it is") {
  for (const Read& program : programs()) {
    const auto once = formatted(program.text);
    REQUIRE(once);
    INFO(program.text);
    const Read again = read(*once);
    CHECK(again.right);
    CHECK(again.tree == program.tree);
    CHECK(comments(*once) == comments(program.text));
    CHECK(formatted(*once) == once);
    CHECK(once->find(" \n") == std::string::npos);
    CHECK(once->find("\n\n\n") == std::string::npos);
  }
}

TEST_CASE("blanks, indentation and empty lines of the source do not show") {
  const char* seed = std::getenv("MLP_SEED");
  std::mt19937_64 random(seed ? std::strtoull(seed, nullptr, 10) : 1);
  const int rounds = std::getenv("MLP_SOAK") ? 200 : 10;
  for (const Read& program : programs()) {
    if (program.text.find("\"\"\"") != std::string::npos) continue;  // blanks inside a text are no blanks
    const std::string wanted = *formatted(program.text);
    for (int round = 0; round < rounds; ++round) {
      std::string other;
      bool in_text = false, in_comment = false, at_begin = true;
      for (const char c : wanted) {
        if (c == '\n') in_text = in_comment = false;
        if (c == '"' && !in_comment) in_text = !in_text;
        if (c == '#' && !in_text) in_comment = true;
        if (c == ' ' && at_begin) continue;
        if (at_begin && c != '\n') other.append(random() % 12, random() % 2 ? ' ' : '\t'), at_begin = false;
        if (c == ' ' && !in_text && !in_comment) other.append(random() % 3, ' ');
        if (c == '\n') {
          other.append(random() % 3, ' ');
          if (random() % 4 == 0) other += '\r';
          if (!other.empty() && other.size() > 1 && wanted.size() && random() % 3 == 0 && at_begin) other += '\n';
          at_begin = true;
        }
        other += c;
      }
      INFO(other);
      CHECK(formatted(other) == wanted);
    }
  }
}

TEST_CASE("the style: columns, indentation, comments") {
  const std::string source =
      "workflow  w\n\n\n\n# about people\ndata people from csv( \"p.csv\",null:\"?\" ){\n"
      "  age:int in 0 .. 120   # years\n  marital_status :category ?   # as told\n\n\n  sex : category(\"a\",\"b\")@protected\n old : bool=age>45@label\n by_card:category=choice(\"x\")\n\n}\n"
      "feature f of people{ age\nlong_name=age*-1+2 # doubled\nx = age>45\n   and age<60\n}\ntrain m of f {\npredict y\nsplit random 70/15/15\n"
      "model gbdt{trees:300,\n depth : 6\n}\n}\nevaluate m{ metrics auc,brier\nrequire auc beats production by -0.005 }\n";
  const std::string wanted = R"(workflow w

# about people
data people from csv("p.csv", null: "?") {
    age            : int in 0..120  # years
    marital_status : category?      # as told

    sex     : category("a", "b") @protected
    old     : bool     = age > 45 @label
    by_card : category = choice("x")
}

feature f of people { age
    long_name = age * -1 + 2  # doubled
    x         = age > 45
        and age < 60
}

train m of f {
    predict y
    split   random 70/15/15
    model   gbdt { trees: 300,
        depth: 6
    }
}

evaluate m { metrics auc, brier
    require auc beats production by -0.005 }
)";
  CHECK(formatted(source).value_or("nothing") == wanted);
  CHECK(formatted("").value_or("nothing").empty());
  CHECK(formatted("# only this").value_or("nothing") == "# only this\n");
  CHECK_FALSE(formatted("data people from {"));
}
