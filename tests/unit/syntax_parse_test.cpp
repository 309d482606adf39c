#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"

using namespace mlp;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Parsed {
  SourceMap sources;
  diag::Sink sink;
  ast::File file;

  explicit Parsed(std::string text, std::string path = "test.mlp") {
    sources.add(std::move(path), std::move(text));
    file = parse(sources, 0, sink);
    sink.sort();
  }
  std::string report() const { return diag::render_text(sink.diagnostics(), sources); }
  std::string text(Span span) const { return std::string(sources.text(span)); }
  std::vector<std::string> codes() const {
    std::vector<std::string> out;
    for (const diag::Diagnostic& d : sink.diagnostics())
      out.emplace_back(diag::name(d.code));
    return out;
  }
};

/// The dump of `fn f() -> int = TEXT`, its body alone.
std::string body(const std::string& text) {
  const Parsed parsed("fn f() -> int = " + text);
  INFO(parsed.report());
  CHECK(parsed.sink.diagnostics().empty());
  const std::string all = dump(parsed.file);
  const std::size_t at = all.find("body ");
  return at == std::string::npos ? all : all.substr(at + 5, all.find('\n', at) - at - 5);
}

std::vector<fs::path> files(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".mlp") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

const fs::path kRoot = MLP_SOURCE_DIR;
const fs::path kGoldens = kRoot / "tests/golden/syntax";

/// Programs that have to parse: those of the language's contract where they are at hand, the library, the examples, our own.
std::vector<fs::path> programs() {
  std::vector<fs::path> out = {kGoldens / "every_form.mlp"};
  for (const char* folder : {"../shared/workflows", "stdlib", "examples"})
    for (const fs::path& path : files(kRoot / folder))
      out.push_back(path);
  return out;
}

}  // namespace

TEST_CASE("every program of the language parses without a word") {
  for (const fs::path& path : programs()) {
    const Parsed parsed(read(path), path.filename().string());
    INFO(parsed.report());
    CHECK(parsed.sink.diagnostics().empty());
    CHECK_FALSE(parsed.file.declarations.empty());
  }
}

TEST_CASE("the grammar decides with two tokens and never falls back to full context") {
  std::vector<fs::path> paths = programs();
  for (const fs::path& path : files(kRoot / "tests/golden")) paths.push_back(path);
  CHECK(paths.size() > 300);
  for (const fs::path& path : paths) {
    SourceMap sources;
    sources.add(path.filename().string(), read(path));
    const GrammarProfile profile = profile_grammar(sources, 0);
    INFO(path.filename() << ": looks farthest in " << profile.farthest_rule << ", falls back in "
                         << profile.retrying_rule);
    CHECK(profile.most_lookahead <= 2);
    CHECK(profile.full_context_retries == 0);
  }
}

TEST_CASE("syntax errors are reported as the goldens say, and the rest of the file is read") {
  const bool update = std::getenv("MLP_UPDATE_GOLDENS") != nullptr;
  std::size_t count = 0;
  for (const fs::path& path : files(kGoldens)) {
    const Parsed parsed(read(path), path.filename().string());
    const std::pair<const char*, std::string> views[] = {{".diag", parsed.report()}, {".ast", dump(parsed.file)}};
    for (const auto& [extension, text] : views) {
      fs::path expected = path;
      expected.replace_extension(extension);
      if (!fs::exists(expected)) continue;
      ++count;
      if (update) std::ofstream(expected, std::ios::binary) << text;
      INFO(path.filename() << " against its " << extension);
      CHECK(text == read(expected));
    }
  }
  CHECK(count >= 30);
}

TEST_CASE("operators bind from `if` over comparisons to `^`") {
  CHECK(body("1 + 2 * 3") == "(1 + (2 * 3))");
  CHECK(body("1 - 2 - 3") == "((1 - 2) - 3)");
  CHECK(body("-2 ^ 2") == "(neg (2 ^ 2))");
  CHECK(body("2 ^ -3 ^ 2") == "(2 ^ (neg (3 ^ 2)))");
  CHECK(body("-a * b") == "((neg a) * b)");
  CHECK(body("not a == b and c") == "((not (a == b)) and c)");
  CHECK(body("a or b and not c or d") == "((a or (b and (not c))) or d)");
  CHECK(body("a ?? b + 1 > 3") == "((a ?? (b + 1)) > 3)");
  CHECK(body("x in 1 .. n + 1 and y not in (1, 2)") == "((x in (1 .. (n + 1))) and (y not in (1, 2)))");
  CHECK(body("x in (6)") == "(x in (6))");
  CHECK(body("(6)") == "6");
  CHECK(body("x is known and y + 1 is missing") == "((x is known) and ((y + 1) is missing))");
  CHECK(body("if a then b else if c then d else e + 1") == "(if a then b else (if c then d else (e + 1)))");
  CHECK(body("missing(x) < 10%") == "(missing(x) < <share 0.1>)");
  CHECK(body("mean(t.x by k, j where y > 0) over 30d ending 7d ago ?? 1.5") ==
        "(mean(t.x by k, j where (y > 0)) over 2592000000000us ending 604800000000us ago ?? 1.5)");
}

TEST_CASE("a line goes on after and before operators, and inside of parentheses") {
  CHECK(body("1 +\n 2") == "(1 + 2)");
  CHECK(body("1\n + 2\n - 3") == "((1 + 2) - 3)");
  CHECK(body("a\n not in (1,\n 2\n)") == "(a not in (1, 2))");
  CHECK(body("if a\n then 1\n else 2") == "(if a then 1 else 2)");
  const Parsed stars("feature f of t {\n    *\n    * except (a)\n    b = c\n      * d\n}\n");
  CHECK(dump(stars.file) == "feature f of t\n  all except\n  all except a\n  b = (c * d)\n");
}

TEST_CASE("literals keep their exact values") {
  CHECK(body("0.1%") == "<share 0.001>");
  CHECK(body("15%") == "<share 0.15>");
  CHECK(body("1_000") == "1000");
  CHECK(body("1e-3") == "0.001");
  CHECK(body("1.5h") == "5400000000us");
  CHECK(body("1y") == "31536000000000us");
  CHECK(body("20ms") == "20000us");
  CHECK(body(R"("a\"b\n\u{20AC}")") == "\"a\\\"b\\n\u20AC\"");
  CHECK(body(R"(r"\d+")") == R"("\\d+")");
  CHECK(body("\"\"\"\none \"two\"\n\"\"\"") == R"("one \"two\"\n")");
}

TEST_CASE("names and values know where they stand, in bytes, also after other letters") {
  const Parsed parsed(
      "# K\u00E4se\ndata gr\u00F6\u00DFe from csv(\"\u20AC.csv\") {\n    `caf\u00E9 au lait` : int in 0..9\n}\n");
  REQUIRE(parsed.sink.diagnostics().empty());
  const ast::Declaration& data = parsed.file.declarations.at(0);
  CHECK(data.name.text == "gr\u00F6\u00DFe");
  CHECK(parsed.text(data.name.span) == "gr\u00F6\u00DFe");
  const auto& column = std::get<ast::Column>(std::get<ast::Data>(data.kind).entries.at(0).kind);
  CHECK(column.names.at(0).text == "caf\u00E9 au lait");
  CHECK(column.names.at(0).quoted);
  CHECK(parsed.text(column.type.span) == "int");
  CHECK(parsed.text(parsed.file.expr(column.in).span) == "0..9");
}

TEST_CASE("spans of gates and checks are the text that reports show") {
  const Parsed parsed(
      "evaluate e { require  auc >= plain.auc - 0.02  with 95% }\nmonitor m { drift psi < 0.2 on features -> alert "
      "}\n");
  const auto& gate =
      std::get<ast::Gate>(std::get<ast::Evaluate>(parsed.file.declarations.at(0).kind).entries.at(0).kind);
  CHECK(parsed.text(gate.text) == "auc >= plain.auc - 0.02  with 95%");
  const auto& check = std::get<ast::Monitor>(parsed.file.declarations.at(1).kind).entries.at(0);
  CHECK(parsed.text(check.text) == "psi < 0.2 on features");
}

TEST_CASE("three mistakes in three blocks, or in one, give three messages") {
  CHECK(Parsed("train a of f { predit y }\ntrain b of f { seeed 1 }\ntrain c of f { modl gbdt }\n").codes() ==
        std::vector<std::string>{"E0206", "E0206", "E0206"});
  const Parsed one("train a of f {\n    predit y\n    seed 1\n    seed = 1\n    model gbdt { trees = 1 }\n}\n");
  CHECK(one.codes().size() == 3);
  const auto& declaration = one.file.declarations.at(0);
  CHECK(declaration.incomplete);
  CHECK(std::get<ast::Train>(declaration.kind).entries.size() == 1);
}

TEST_CASE("a declaration that cannot be read keeps its name") {
  const Parsed parsed("split holdout of people rando 70/15/15\n");
  CHECK(parsed.codes() == std::vector<std::string>{"E0101"});
  CHECK(std::holds_alternative<ast::BrokenDeclaration>(parsed.file.declarations.at(0).kind));
  CHECK(parsed.file.declarations.at(0).name.text == "holdout");
}

TEST_CASE("an expression of a signature is read on its own") {
  ast::File into;
  diag::Sink sink;
  const auto id = parse_expression("x > -1 or x is missing", {}, into, sink);
  REQUIRE(id);
  CHECK(std::holds_alternative<ast::Binary>(into.expr(*id).kind));
  CHECK_FALSE(parse_expression("x >", {}, into, sink));
  CHECK_FALSE(parse_expression("x; y", {}, into, sink));
  CHECK_FALSE(parse_expression("", {}, into, sink));
  CHECK(sink.error_count() == 3);
}

TEST_CASE("files that are no workflows are refused before they are read") {
  CHECK(Parsed(std::string("a\0b", 3)).codes() == std::vector<std::string>{"E0106"});
  CHECK(Parsed("\xED\xA0\x80").codes() == std::vector<std::string>{"E0106"});
  SourceMap sources;
  sources.add("big.mlp", std::string(2000, ' '));
  diag::Sink sink;
  parse(sources, 0, sink, {.most_bytes = 1000});
  CHECK(sink.diagnostics().at(0).code == diag::Code::E0109);
  CHECK(Parsed("").codes().empty());
  CHECK(Parsed("\xEF\xBB\xBFworkflow w\r\n\r\nexplore t\r\n").file.workflow->text == "w");
}

TEST_CASE("nesting is bounded, also of `else if` and of long sums") {
  for (const int depth : {100, 150}) {
    CHECK(Parsed("fn f() -> int = " + std::string(depth, '(') + "1" + std::string(depth, ')')).codes().empty());
    CHECK(Parsed("fn f() -> int = " + std::string(200000, '(') + "1").codes().size() == 1);
  }
  std::string chain, sum = "1", signs;
  for (int i = 0; i < 20000; ++i)
    chain += "if x then 1 else ", sum += " + 1", signs += "- ";
  CHECK(Parsed("fn f() -> int = " + chain + "0").codes() == std::vector<std::string>{"E0105"});
  CHECK(Parsed("fn f() -> int = " + sum).codes() == std::vector<std::string>{"E0105"});
  CHECK(Parsed("fn f() -> int = " + signs + "1").codes() == std::vector<std::string>{"E0105"});
}

TEST_CASE("no damage to a program makes the parser fall") {
  const std::string whole = read(kGoldens / "every_form.mlp");
  std::mt19937 random(20240607);  // NOLINT: the same damage in every run
  const std::string alphabet = "(){}[]=:,;|@\"`'#.-+*/^?<>% \nx7\\";
  for (int round = 0; round < 300; ++round) {
    std::string text = whole;
    for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1 + random() % 20);
          break;
        case 1:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        default:
          text.resize(at + 1);
      }
    }
    INFO("round " << round);
    const Parsed parsed(text);
    for (const ast::Expr& expr : parsed.file.exprs)
      REQUIRE(expr.span.end <= text.size());
    dump(parsed.file);
    parsed.report();
  }
}
