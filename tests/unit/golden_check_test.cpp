// tests/golden/check/**/*.mlp: a program `fail_NAME.mlp` gives exactly what `fail_NAME.diag` says, any other checks without an
// error. Beside a right program `.diag` holds its warnings and `.hir` its dump, where there are such files.
// MLP_UPDATE_GOLDENS=1 rewrites the files; review the difference.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "compiler/diag/render.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Checked {
  std::string diagnostics;
  std::set<std::string> codes;
  std::optional<std::string> hir;
};

/// `folder`: where a program finds its mlp.lock.
Checked check_text(const std::string& name, const std::string& text, const fs::path& folder = {}) {
  mlp::SourceMap sources;
  mlp::diag::Sink sink;
  const auto file = mlp::parse(sources, sources.add(name, text), sink);
  mlp::CheckOptions options;
  options.read_lock = [&](const std::string& path) {
    auto lock = mlp::read_lock((folder / path).string());
    // As it is said in the folder of the program.
    if (std::string at = folder.string() + "/"; !lock && lock.error().message.find(at) != std::string::npos) lock.error().message.erase(lock.error().message.find(at), at.size());
    return lock;
  };
  const auto workflow = mlp::check(file, sources, options, sink);
  sink.sort();
  Checked out;
  for (const auto& d : sink.diagnostics()) {
    out.diagnostics += mlp::diag::render_text(d, sources) + "\n";
    out.codes.emplace(mlp::diag::name(d.code));
  }
  if (workflow) out.hir = mlp::hir::dump(*workflow);
  return out;
}

std::vector<fs::path> programs() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(MLP_SOURCE_DIR) / "tests/golden/check"))
    if (entry.path().extension() == ".mlp") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

bool updating() { return std::getenv("MLP_UPDATE_GOLDENS") != nullptr; }

void compare(const fs::path& path, const std::string& text, bool wanted) {
  if (updating()) {
    if (wanted) std::ofstream(path, std::ios::binary) << text;
    else fs::remove(path);
    return;
  }
  const std::string expected = fs::exists(path) ? read(path) : std::string();
  CHECK(text == expected);
}

}  // namespace

TEST_CASE("a wrong program gives exactly its diagnostics, a right one none") {
  if (!updating()) CHECK(programs().size() >= 210);
  for (const fs::path& path : programs()) {
    const std::string stem = path.stem().string();
    INFO(path.string());
    const Checked checked = check_text(path.filename().string(), read(path), path.parent_path());
    const bool wrong = stem.starts_with("fail_");
    CHECK(checked.hir.has_value() == !wrong);
    fs::path sibling = path;
    compare(sibling.replace_extension(".diag"), checked.diagnostics, !checked.diagnostics.empty());
    if (fs::path hir = path; fs::exists(hir.replace_extension(".hir"))) compare(hir, checked.hir.value_or(""), true);
  }
}

TEST_CASE("the first workflow checks as written") {
  const fs::path path = fs::path(MLP_SOURCE_DIR) / "tests/golden/check/whole/income.mlp";
  const Checked checked = check_text("income.mlp", read(path));
  INFO(checked.diagnostics);
  REQUIRE(checked.hir);
  CHECK(checked.diagnostics.empty());
}

TEST_CASE("three independent mistakes in one file give three messages") {
  const Checked checked = check_text("three.mlp", read(fs::path(MLP_SOURCE_DIR) / "tests/golden/check/poison/fail_three_mistakes.mlp"));
  std::size_t messages = 0;
  for (std::size_t at = 0; (at = checked.diagnostics.find("error[", at)) != std::string::npos; ++at) ++messages;
  CHECK(messages == 3);
}

TEST_CASE("every diagnostic code has a page whose first line names it") {
  for (const mlp::diag::Code code : mlp::diag::all_codes()) {
    const std::string name(mlp::diag::name(code));
    INFO(name);
    const std::string page = read(fs::path(MLP_SOURCE_DIR) / "docs/diagnostics" / (name + ".md"));
    CHECK(page.starts_with("# " + name + ": " + std::string(mlp::diag::title(code)) + "\n"));
  }
}
