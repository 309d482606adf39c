#include <catch2/catch.hpp>

#include "compiler/diag/render.h"

using namespace mlp;

namespace {

struct Example {
  SourceMap sources;
  diag::Diagnostic diagnostic;
};

Example example() {
  Example e;
  const std::uint32_t file = e.sources.add("bank.mlp", "workflow bank\n\nduration : int @available(after 1h)\ncall = log1p(duration)\n");
  e.diagnostic = diag::make(diag::Code::E0412, {file, 64, 72}, "`duration` is not known when `subscribed` is predicted");
  e.diagnostic.label = "available after the call ends";
  e.diagnostic.secondary.push_back({{file, 30, 50}, "declared here"});
  e.diagnostic.help = "drop it, or predict `at` a time later than the call";
  return e;
}

}  // namespace

TEST_CASE("a diagnostic shows code, place, line, carets, the other place and the mend") {
  const Example e = example();
  const std::string text = diag::render_text(e.diagnostic, e.sources);
  CHECK(text.starts_with("error[E0412]: `duration` is not known when `subscribed` is predicted\n --> bank.mlp:4:14\n  |\n"));
  CHECK(text.find("4 | call = log1p(duration)\n  |              ^^^^^^^^ available after the call ends\n") != std::string::npos);
  CHECK(text.find("3 | duration : int @available(after 1h)\n  |                -------------------- declared here\n") != std::string::npos);
  CHECK(text.ends_with("  = help: drop it, or predict `at` a time later than the call\n"));
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("columns count code points, so carets stand below text that is not ASCII") {
  SourceMap sources;
  const std::uint32_t file = sources.add("a.mlp", "größe = brite\n");
  const diag::Diagnostic d = diag::make(diag::Code::E0203, {file, 10, 15}, "no such column");
  const std::string text = diag::render_text(d, sources);
  CHECK(text.find("a.mlp:1:9") != std::string::npos);
  CHECK(text.find("1 | größe = brite\n  |         ^^^^^\n") != std::string::npos);
}

TEST_CASE("at most twenty diagnostics are shown in full, the rest is counted") {
  SourceMap sources;
  const std::uint32_t file = sources.add("a.mlp", "x\n");
  const std::vector<diag::Diagnostic> many(23, diag::make(diag::Code::E0201, {file, 0, 1}, "`x` is not declared"));
  const std::string text = diag::render_text(many, sources);
  CHECK(text.find("… and 3 more that are not shown\n") != std::string::npos);
  CHECK(text.ends_with("23 errors\n"));
}

TEST_CASE("JSON has the stable keys, also for bytes that are not UTF-8") {
  Example e = example();
  e.diagnostic.places.push_back({"bank.csv", 7, "age", "\xff\xfe", "is not a whole number"});
  const std::string json = diag::render_json(std::vector{e.diagnostic}, e.sources);
  for (const char* key : {"\"format_version\":1", "\"valid\":false", "\"error_count\":1", "\"warning_count\":0", "\"code\":\"E0412\"", "\"severity\":\"error\"",
                          "\"line\":4", "\"column\":14", "\"end_line\":4", "\"end_column\":22", "\"labels\"", "\"help\""})
    CHECK(json.find(key) != std::string::npos);
}

TEST_CASE("the sink keeps one report of a code at a place, in the order of places") {
  diag::Sink sink;
  sink.report(diag::make(diag::Code::E0301, {0, 9, 10}, "later"));
  sink.report(diag::make(diag::Code::E0201, {0, 1, 2}, "first"));
  sink.report(diag::make(diag::Code::E0201, {0, 1, 2}, "again"));
  sink.sort();
  REQUIRE(sink.diagnostics().size() == 2);
  CHECK(sink.diagnostics()[0].message == "first");
  CHECK(sink.error_count() == 2);
}

TEST_CASE("a near name is meant, a far one is not") {
  CHECK(diag::did_you_mean("educaton_num", {"education_num", "age"}) == "education_num");
  CHECK(diag::did_you_mean("gae", {"age", "sex"}) == "age");
  CHECK(diag::did_you_mean("Age", {"age"}) == "age");
  CHECK(diag::did_you_mean("zebra", {"age", "sex"}).empty());
}

TEST_CASE("the family of a code tells the exit status") {
  CHECK(diag::exit_status(diag::Code::E0203) == 1);
  CHECK(diag::exit_status(diag::Code::E0801) == 4);
  CHECK(diag::exit_status(diag::Code::E0901) == 5);
}
