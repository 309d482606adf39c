#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <map>

#include "compiler/plan/scorer.h"
#include "runtime/io/json_records.h"
#include "runtime/learn/native.h"
#include "runtime/scorer/matrix.h"
#include "runtime/scorer/records.h"

using namespace mlp;
using Catch::Contains;

namespace {

plan::RawField field(std::string name, Type type) {
  plan::RawField f{name, {}};
  f.read.source_name = name;
  f.read.type = std::move(type);
  return f;
}

/// Objects by digest, as a store has them.
struct Objects {
  std::map<Digest, std::string> bytes = {};
  Digest put(std::string text) {
    const Digest digest = Hasher("object").add(text).finish();
    bytes[digest] = std::move(text);
    return digest;
  }
  scorer::Fetch fetch() {
    return [this](const Digest& digest) -> Result<std::string> {
      const auto at = bytes.find(digest);
      if (at == bytes.end()) return failure(diag::Code::E0908, "there is no such object");
      return at->second;
    };
  }
};

/// A least-squares model of `hours`, with fields of every type beside it.
std::shared_ptr<const scorer::LoadedScorer> load_with_every_type(Objects& objects) {
  std::vector<double> x = {1, 2, 3, 4}, y = {2, 4, 6, 8};
  learn::TrainInput input;
  input.matrix = {4, {{nullptr, x.data()}}};
  input.label = y;
  input.task = learn::Task::real;
  input.options = {{"l2", 0.0}};
  const learn::NativeModel* native = learn::find_model("linear");
  REQUIRE(native);
  const auto model = native->train(input);
  REQUIRE(model);

  plan::Scorer code;
  code.workflow = "w", code.model = "m", code.native = "linear", code.binary = false;
  code.trained = objects.put(*model);
  code.source = {{"null", std::string("?")}, {"trim", true}};
  code.request = {field("hours", Type::of(Base::float_)), field("age", Type::of(Base::int_)), field("on", Type::of(Base::bool_, true)),
                  field("day", Type::of(Base::date, true)), field("sex", Type::category({"F", "M"}, false, true)),
                  field("note", Type::of(Base::string, true)), field("length", Type::of(Base::duration, true))};
  code.request[0].read.range = Interval{0, 1e9};
  code.request[1].read.range = Interval{0, 120};
  code.request[1].read.source_name = "the age";
  code.request[2].read.bool_values = {"Yes", "No"};
  code.request[5].read.matches = "[a-z]+";
  code.matrix = {0};
  const auto loaded = scorer::load(objects.put(plan::encode(code)), objects.fetch());
  if (!loaded) FAIL(loaded.error().message);
  return *loaded;
}

const std::vector<std::optional<Value>> kGood = {Value(2.5), Value(std::int64_t{40}), Value(true), Value(std::string("2020-02-29")),
                                                 Value(std::string("F")), Value(std::string("abc")), Value(std::string("90min"))};

}  // namespace

TEST_CASE("a record becomes columns of the request's types") {
  Objects objects;
  const auto loaded = load_with_every_type(objects);
  scorer::Record texts = kGood;
  texts[0] = Value(std::int64_t{3});     // a whole number is a number
  texts[1] = Value(41.0);                // and 41.0 is a whole number
  texts[2] = Value(std::string("No"));
  texts[4] = Value(std::string(" M "));  // the source trims
  texts[5] = Value(std::string(" ? "));  // and has a text for missing values
  texts[6] = std::nullopt;
  const scorer::RecordBatch batch = scorer::to_columns(*loaded, std::vector{kGood, texts});
  for (const auto& fault : batch.faults) INFO(fault.reason);
  CHECK(batch.faults.empty());
  REQUIRE(batch.columns.size() == 7);
  CHECK(batch.columns[0].values<double>()[1] == 3.0);
  CHECK(batch.columns[1].values<std::int64_t>()[1] == 41);
  CHECK(batch.columns[2].values<std::uint8_t>()[0] == 1);
  CHECK(batch.columns[2].values<std::uint8_t>()[1] == 0);
  CHECK(batch.columns[3].values<std::int64_t>()[0] == 18321);
  CHECK(batch.columns[4].text(1) == "M");
  CHECK_FALSE(batch.columns[5].is_known(1));
  CHECK_FALSE(batch.columns[6].is_known(1));
  CHECK(batch.columns[6].values<std::int64_t>()[0] == 5'400'000'000);
  CHECK(scorer::field_position(scorer::schema(*loaded), "the age") == 1u);
  CHECK(scorer::field_position(scorer::schema(*loaded), "age") == 1u);
  CHECK_FALSE(scorer::field_position(scorer::schema(*loaded), "Age"));
}

TEST_CASE("a value that breaks the contract names its field and what is expected") {
  Objects objects;
  const auto loaded = load_with_every_type(objects);
  const auto broken = [&](std::size_t at, std::optional<Value> value, const std::string& words) {
    scorer::Record record = kGood;
    record[at] = std::move(value);
    const scorer::RecordBatch batch = scorer::to_columns(*loaded, std::vector{kGood, record});
    INFO(words);
    REQUIRE(batch.faults.size() == 1);
    CHECK(batch.faults[0].field == at);
    CHECK(batch.faults[0].record == 1);
    CHECK_THAT(batch.faults[0].reason, Contains(words));
    CHECK(batch.bad == std::vector<std::uint32_t>{1});
    const auto predicted = scorer::predict_records(*loaded, std::vector<scorer::Record>{record});
    REQUIRE_FALSE(predicted);
    CHECK(predicted.error().code == diag::Code::E0801);
    CHECK_THAT(predicted.error().message, Contains(scorer::schema(*loaded).request[at].name) && Contains(words));
  };
  broken(0, std::nullopt, "missing");
  broken(0, Value(), "missing");
  broken(0, Value(-0.5), "0..");
  broken(0, Value(HUGE_VAL), "finite");
  broken(0, Value(std::string("2.5")), "a text where a number");
  broken(1, Value(std::int64_t{121}), "0..120");
  broken(1, Value(40.5), "whole number");
  broken(1, Value(1e300), "whole number");
  broken(1, Value(true), "truth value");
  broken(2, Value(std::string("maybe")), "Yes");
  broken(2, Value(std::int64_t{1}), "true or false");
  broken(3, Value(std::string("2021-02-29")), "day");
  broken(3, Value(std::int64_t{3}), "date");
  broken(4, Value(std::string("X")), "none of");
  broken(4, Value(std::int64_t{3}), "text");
  broken(5, Value(std::string("ABC")), "[a-z]+");
  broken(5, Value(std::string("\xff")), "UTF-8");
  broken(6, Value(std::string("long")), "duration");
}

TEST_CASE("a record has the same bits alone, among others and as a column") {
  Objects objects;
  const auto loaded = load_with_every_type(objects);
  std::vector<scorer::Record> records(10'000, kGood);
  for (std::size_t i = 0; i < records.size(); ++i) records[i][0] = Value(static_cast<double>(i) / 7);
  const auto all = scorer::predict_records(*loaded, records);
  REQUIRE(all);
  for (std::size_t i = 0; i < records.size(); i += 997) {
    const auto one = scorer::predict_records(*loaded, std::span(records).subspan(i, 1));
    REQUIRE(one);
    CHECK(std::bit_cast<std::uint64_t>((*one)[0]) == std::bit_cast<std::uint64_t>((*all)[i]));
  }
  CHECK(scorer::predict_records(*loaded, {})->empty());
}

TEST_CASE("no model is asked about a number that is undefined") {
  Objects objects;
  const auto loaded = load_with_every_type(objects);
  scorer::RecordBatch batch = scorer::to_columns(*loaded, std::vector{kGood, kGood});
  batch.columns[0].known = Buffer::copy("\0\1", 2);
  const auto predicted = scorer::predict(*loaded, batch.columns, batch.rows);
  REQUIRE(predicted);
  CHECK(std::isnan((*predicted)[0]));
  CHECK(std::isfinite((*predicted)[1]));
}

TEST_CASE("a JSON object is read by name; what is no object is told apart from what a field has") {
  io::JsonRecordReader reader({{"age", 0}, {"the age", 0}, {"job", 1}}, 2);
  std::vector<std::optional<Value>> record;
  std::vector<std::string> unknown;
  REQUIRE_FALSE(reader.read(R"({"job":"cl\u0065rk","more":[1,{"x":2}],"the age":40})", record, &unknown));
  CHECK(record[0] == Value(std::int64_t{40}));
  CHECK(record[1] == Value(std::string("clerk")));
  CHECK(unknown == std::vector<std::string>{"more"});
  REQUIRE_FALSE(reader.read(R"({"age":1e2,"job":null})", record));
  CHECK(record[0] == Value(100.0));
  CHECK(record[1] == Value());
  REQUIRE_FALSE(reader.read("{}", record));
  CHECK_FALSE(record[0]);
  REQUIRE_FALSE(reader.read(R"({"age":18446744073709551615})", record));
  CHECK(record[0] == Value(18446744073709551615.0));
  const auto fault = [&](std::string_view text) {
    const auto found = reader.read(text, record);
    REQUIRE(found);
    return *found;
  };
  CHECK(fault(R"({"age":1,"the age":1})").reason == "given twice");
  CHECK(fault(R"({"age":[1]})").field == "age");
  CHECK(fault(R"({"age":{}})").is_object);
  for (const std::string& text : {std::string("[]"), std::string(""), std::string("{\"age\":"), std::string("{\"age\":1}}"), std::string("{\"job\":\"\xff\"}"),
                                  std::string(100'000, '['), std::string("7"), std::string("{'age':1}"), std::string("{\"age\":01}")}) {
    INFO(text.substr(0, 20));
    CHECK_FALSE(fault(text).is_object);
  }
}
