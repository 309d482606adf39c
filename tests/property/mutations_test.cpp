// Every right program under random edits: no crash, no hang, and a message that helps for everything that is rejected.
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "tests/fuzz/rules.h"
#include "tests/property/mutations.h"

namespace fs = std::filesystem;
using namespace mlp;

namespace {

bool is_soak() { return std::getenv("MLP_SOAK") != nullptr; }

std::uint64_t seed(std::uint64_t otherwise) {
  const char* given = std::getenv("MLP_SEED");
  const std::uint64_t value = given ? std::strtoull(given, nullptr, 10) : otherwise;
  std::cout << "MLP_SEED=" << value << "\n";
  return value;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Programs without mistakes: the examples, the right goldens, and the shared workflows where they are there.
std::vector<fs::path> right_programs() {
  const fs::path root = MLP_SOURCE_DIR;
  std::vector<fs::path> found;
  for (const fs::path& folder : {root / "examples", root / "benchmarks", root / "tests/golden", root.parent_path() / "shared/workflows"}) {
    if (!fs::exists(folder)) {
      std::cout << "skipped: " << folder.filename() << " is not there\n";
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".mlp" && !entry.path().stem().string().starts_with("fail_")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The mutant at work, kept in a file so that it is there after a crash; SIGALRM ends a hang.
struct Kept {
  fs::path path = fs::temp_directory_path() / ("mlp-mutant-" + std::to_string(getpid()) + ".mlp");
  void hold(const std::string& text) const {
    std::ofstream(path, std::ios::binary) << text;
    itimerval limit{};
    limit.it_value.tv_sec = 60;
    setitimer(ITIMER_REAL, &limit, nullptr);
  }
  ~Kept() {
    const itimerval none{};
    setitimer(ITIMER_REAL, &none, nullptr);
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

}  // namespace

TEST_CASE("a right program under one random edit is accepted, or rejected with help") {
  const std::size_t count = is_soak() ? 10'000 : 500;
  const std::uint64_t first = seed(4);
  const std::vector<fs::path> paths = right_programs();
  REQUIRE(paths.size() >= 20);
  std::vector<std::string> programs;
  std::vector<std::size_t> errors_before;  // of what is well formed and no more, such as every form of the syntax
  for (const fs::path& path : paths) {
    programs.push_back(read(path));
    rules::Outcome outcome;
    rules::check(programs.back(), &outcome);
    errors_before.push_back(outcome.errors);
  }

  const Kept kept;
  std::cout << "the mutant at work is kept in " << kept.path << " until the test ends\n";
  std::size_t rejected = 0, told = 0, most = 0, single = 0;
  double slowest = 0;
  std::string worst, slowest_edit;
  std::map<std::string, std::size_t> codes;
  for (std::size_t i = 0; i < count; ++i) {
    std::mt19937_64 random(first * 1'000'003 + i);
    std::optional<mutations::Mutant> mutant;
    std::size_t program = 0;
    // Every kind gets its turn, with the first program that it can change.
    while (!mutant) {
      program = static_cast<std::size_t>(random() % programs.size());
      mutant = mutations::mutate(programs[program], i % mutations::kinds().size(), random);
    }
    kept.hold(mutant->text);
    INFO("mutant " << i << " of seed " << first << ", " << paths[program].string() << "\n" << mutant->edit << "\n" << mutant->text);
    rules::Outcome outcome;
    const double before = cpu_seconds();
    const std::string broken = rules::check(mutant->text, &outcome);
    const double took = cpu_seconds() - before;
    CHECK(broken == "");
    CHECK(rules::parse(mutant->text) == "");
    CHECK(took < 1);
    if (took > slowest) slowest = took, slowest_edit = paths[program].filename().string() + ", " + mutant->edit;
    if (outcome.accepted) continue;
    ++rejected;
    if (errors_before[program] > 0) continue;
    ++told;
    single += outcome.errors == 1;
    ++codes[outcome.codes.substr(0, outcome.codes.find(' '))];
    if (outcome.errors > most) {
      most = outcome.errors;
      worst = paths[program].filename().string() + ", " + mutant->edit + ": " + outcome.codes;
    }
  }
  std::cout << count << " mutants of " << programs.size() << " programs: " << rejected << " rejected, " << single << " of " << told
            << " right programs with one error; slowest " << slowest * 1e3 << " ms of CPU (" << slowest_edit << ")\nmost errors, " << most << ": " << worst << "\nfirst codes:";
  for (const auto& [code, times] : codes) std::cout << " " << code << " " << times;
  std::cout << "\n";
  CHECK(rejected > count / 3);
}
