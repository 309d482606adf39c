#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/syntax/parse.h"
#include "compiler/types/signature.h"

using namespace mlp;

TEST_CASE("the table of the standard library is sorted by kind and name, and says where each entry stands") {
  const auto all = standard_library();
  REQUIRE_FALSE(all.empty());
  CHECK(std::ranges::is_sorted(all, {}, [](const Signature& s) { return std::pair(s.kind, s.name); }));
  for (const Signature& entry : all) {
    INFO(entry.name << " at " << entry.place);
    CHECK(entry.place.starts_with("stdlib/"));
    CHECK_FALSE(entry.doc.empty());
    CHECK((entry.native.empty() || entry.body.empty()));  // neither: declared, so that programs are checked; nothing runs it yet
  }
}

TEST_CASE("a native symbol is bound once in its kind, save by the overloads of an aggregate, and found") {
  std::map<std::pair<EntryKind, std::string>, std::string> seen;
  for (const Signature& entry : standard_library()) {
    if (entry.native.empty()) continue;
    INFO(entry.name << " at " << entry.place);
    const auto [at, fresh] = seen.emplace(std::pair(entry.kind, entry.native), entry.name);
    CHECK((fresh || (entry.kind == EntryKind::aggregate && at->second == entry.name)));
    REQUIRE(find_native(entry.native));
    CHECK(find_native(entry.native)->native == entry.native);
    const auto overloads = find_entries(entry.kind, entry.name);
    CHECK(std::ranges::find(overloads, &entry) != overloads.end());
    if (!entry.op.empty()) {
      const auto bound = find_operators(entry.op);
      CHECK(std::ranges::find(bound, &entry) != bound.end());
    }
  }
  CHECK(find_native("") == nullptr);
  CHECK(find_operators("").empty());
}

TEST_CASE("the expressions inside of signatures are expressions") {
  for (const Signature& entry : standard_library()) {
    INFO(entry.name << " at " << entry.place);
    ast::File into;
    diag::Sink sink;
    if (!entry.known_when.empty()) CHECK(parse_expression(entry.known_when, {}, into, sink));
    if (!entry.body.empty()) CHECK(parse_expression(entry.body, {}, into, sink));
    for (const auto& [type, outputs] : entry.prepares)
      for (const std::string& output : outputs)
        CHECK(parse_expression(output, {}, into, sink));
    CHECK(sink.diagnostics().empty());
  }
}

TEST_CASE("defaults lie inside of their parameters' ranges and types") {
  for (const Signature& entry : standard_library()) {
    for (const Parameter& parameter : entry.parameters) {
      INFO(entry.name << "." << parameter.name << " at " << entry.place);
      REQUIRE_FALSE(parameter.types.empty());
      if (!parameter.fallback) continue;
      if (const auto* whole = std::get_if<std::int64_t>(&*parameter.fallback); whole && parameter.range)
        CHECK(parameter.range->contains(static_cast<double>(*whole)));
      if (const auto* real = std::get_if<double>(&*parameter.fallback); real && parameter.range)
        CHECK(parameter.range->contains(*real));
      if (!parameter.one_of.empty())
        CHECK(std::ranges::find(parameter.one_of, std::get<std::string>(*parameter.fallback)) !=
              parameter.one_of.end());
    }
  }
}
