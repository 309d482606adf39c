// The corpus of the fuzzers (tests/fuzz/corpus) and every program of the repository, through the same rules, without clang.
#include <catch2/catch.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/fuzz/rules.h"

namespace fs = std::filesystem;

TEST_CASE("the corpus of the fuzzers and all programs keep the rules for every text") {
  const fs::path root = MLP_SOURCE_DIR;
  std::vector<fs::path> paths;
  for (const char* folder : {"tests/fuzz/corpus", "tests/golden", "examples", "benchmarks", "stdlib"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file() && (std::string_view(folder) == "tests/fuzz/corpus" || entry.path().extension() == ".mlp")) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    INFO(path.string());
    CHECK(mlp::rules::parse(text.str()) == "");
    CHECK(mlp::rules::check(text.str()) == "");
    CHECK(mlp::rules::arrow(text.str()) == "");
  }
  std::cout << paths.size() << " texts\n";
}
