#include <catch2/catch.hpp>

#include <random>

#include "compiler/lock/lock.h"
#include "compiler/sema/check.h"

using namespace mlp;

namespace {

Lock some_lock() {
  Lock lock;
  lock.tables.push_back({"b.mlp", "orders", "csv", "orders_*.csv", {{"day", Type::of(Base::date)}, {"a \"quoted\" name\n", Type::of(Base::float_, true)}}});
  lock.tables.push_back({"a.mlp", "people", "tsv", "../people.tsv", {{"Größe", Type::category({"S", "M\"", "L"}, true, true)}}});
  lock.tables.push_back({"a.mlp", "empty", "csv", "e.csv", {}});
  return lock;
}

}  // namespace

TEST_CASE("a lock reads back as it was written, sorted, one column a line") {
  const std::string text = encode(some_lock());
  const auto back = decode_lock(text, "mlp.lock");
  REQUIRE(back);
  CHECK(encode(*back) == text);
  REQUIRE(back->tables.size() == 3);
  CHECK(back->tables[0].name == "empty");
  CHECK(back->find("b.mlp", "orders")->columns == some_lock().tables[0].columns);
  CHECK(back->find("a.mlp", "people")->columns == some_lock().tables[1].columns);
  CHECK(back->find("a.mlp", "orders") == nullptr);
  CHECK(text.find("        {\"name\": \"day\", \"type\": \"date\"},\n") != std::string::npos);
  CHECK(encode(*decode_lock(encode(Lock{}), "mlp.lock")) == encode(Lock{}));
}

TEST_CASE("what is no lock is refused with its reason") {
  const std::string text = encode(some_lock());
  const auto refused = [&](const std::string& from, const std::string& to, diag::Code code, const std::string& why) {
    std::string changed = text;
    REQUIRE(changed.find(from) != std::string::npos);
    changed.replace(changed.find(from), from.size(), to);
    const auto decoded = decode_lock(changed, "mlp.lock");
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == code);
    CHECK_THAT(decoded.error().message, Catch::Contains(why));
  };
  refused("\"format_version\": 1", "\"format_version\": 2", diag::Code::E0909, "format version 2");
  refused("\"format_version\": 1", "\"format_version\": \"1\"", diag::Code::E0213, "format_version");
  refused("\"date\"", "\"day\"", diag::Code::E0213, "no type");
  refused("\"date\"", "\"vector(3)\"", diag::Code::E0213, "no type");
  refused("\"date\"", "\"" + std::string(100'000, '(') + "\"", diag::Code::E0213, "no type");
  std::string lists;
  for (int i = 0; i < 100'000; ++i) lists += "list(";
  refused("\"date\"", "\"" + lists + "\"", diag::Code::E0213, "no type");
  refused("\"name\": \"day\"", "\"name\": \"day\", \"unit\": 1", diag::Code::E0213, "`unit`");
  refused("{\"name\": \"day\", \"type\": \"date\"}", "{\"name\": \"day\", \"type\": \"date\"}, {\"name\": \"day\", \"type\": \"date\"}", diag::Code::E0213, "twice");
  refused("\"table\": \"empty\"", "\"table\": \"people\"", diag::Code::E0213, "twice");
  refused("\"path\": \"e.csv\",", "", diag::Code::E0213, "`path`");
  refused("  \"tables\"", "<<<<<<< HEAD\n  \"tables\"", diag::Code::E0213, "line 3");
}

TEST_CASE("bytes that were changed give a lock or a failure, never more") {
  std::mt19937_64 random(3);
  const std::string text = encode(some_lock());
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = text;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 4 == 0) bad.resize(random() % bad.size());
    if (const auto decoded = decode_lock(bad, "mlp.lock")) CHECK(decode_lock(encode(*decoded), "mlp.lock").has_value());
    else CHECK((decoded.error().code == diag::Code::E0213 || decoded.error().code == diag::Code::E0909));
  }
}

TEST_CASE("names of columns out of their names in a source") {
  const auto name = [](const char* text) { return name_of_source_column(text); };
  CHECK(name("capital-gain") == "capital_gain");
  CHECK(name("age") == "age");
  CHECK(name("Total_Charges") == "Total_Charges");
  CHECK(name(" price (EUR / kg) ") == "price_EUR_kg");
  CHECK(name("a__b") == "a__b");
  CHECK(name("2nd") == "_2nd");
  CHECK(name("%") == "_");
  CHECK(name("Größe") == "Größe");
  CHECK(name("in") == "in_");
  CHECK(name("missing") == "missing_");
  CHECK(name("count") == "count");
}
