#include <stdlib.h>

#include <bit>
#include <catch2/catch.hpp>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "compiler/driver/compile.h"
#include "runtime/column/codec.h"
#include "runtime/exec/run.h"
#include "runtime/batch/score.h"
#include "runtime/scorer/scorer.h"

using namespace mlp;

namespace {

constexpr int kRows = 5000;

constexpr const char* kWorkflow = R"(workflow w

data people from csv("people.csv", null: "?", trim: true) {
    age    : int in 0..120
    gain   : float in 0..1_000_000
    loss   : float?
    region : category?
    job    : category
    sex    : category("F", "M") @protected
    rich   : bool @label
}

feature profile of people {
    age, loss, job
    net      = gain - (loss ?? 0.0)
    log_gain = log1p(gain)
    place    = target_encode(region, smoothing: 20)
    age_z    = standardize(age)
    often    = frequency_encode(job)
    seen     = loss is known
}

split holdout of people random 60/20/20 seed 3

train boosted of profile { predict rich; split holdout; model gbdt { trees: 40, depth: 4 }; seed 5 }
train plain of profile   { predict rich; split holdout; model logistic { l2: 1.0 }; seed 5 }

evaluate boosted { metrics auc; require auc >= plain.auc - 0.5 }
)";

/// Missing values, values that only few rows have, and many rows exactly at a cut point.
void write_people(const std::string& path) {
  std::mt19937_64 random(7);
  std::ofstream out(path);
  out << "age, gain,loss,region,job,sex,rich\n";
  for (int i = 0; i < kRows; ++i) {
    const auto draw = [&](std::uint64_t n) { return random() % n; };
    const std::uint64_t age = 17 + draw(60);
    const std::uint64_t gain = draw(4) ? 0 : draw(100'000);
    out << age << ", " << gain << "." << draw(100) << "," << (draw(5) ? std::to_string(draw(5000)) : "?") << ",";
    out << (draw(9) ? "r" + std::to_string(draw(draw(2) ? 10 : 2000)) : "?") << ",j" << draw(draw(3) ? 6 : 900) << "," << (draw(2) ? "F" : "M") << ",";
    out << (draw(100) < age ? "true" : "false") << "\n";
  }
}

std::map<std::uint64_t, double> read_scores(const std::string& path) {
  std::map<std::uint64_t, double> scores;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    double value = 0;
    std::from_chars(line.data() + comma + 1, line.data() + line.size(), value);
    scores[std::stoull(line.substr(0, comma))] = value;
  }
  return scores;
}

template <class T>
T value_of(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

}  // namespace

TEST_CASE("a scored file has the same bits as the run's own predictions, interpreted or compiled, however the rows are cut") {
  std::string folder = (std::filesystem::temp_directory_path() / "mlp-scorer-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  write_people(folder + "/people.csv");
  std::ofstream(folder + "/w.mlp") << kWorkflow;

  driver::Compiled compiled = driver::compile(folder + "/w.mlp", {});
  for (const auto& d : compiled.sink.diagnostics()) {
    INFO(d.message);
    CHECK(diag::severity(d.code) != diag::Severity::error);
  }
  REQUIRE(compiled.plan);
  {
    store::Store store = value_of(store::Store::open(folder + "/.mlp", store::Mode::read_write));
    store::Catalog catalog(folder + "/.mlp", false);
    exec::RunOptions options;
    options.fragment_rows = 700;
    const exec::RunReport report = value_of(exec::run(*compiled.plan, store, catalog, options));
    INFO((report.failure ? report.failure->message : ""));
    REQUIRE(!report.failure);
    const store::RunRecord record = value_of(catalog.load_run(report.id));
    const auto files = io::real_file_system();
    REQUIRE(report.candidates.size() == 2);
    for (const exec::CandidateReport& candidate : report.candidates) {
      const auto fetch = [&](const Digest& digest) { return store.get(digest); };
      const auto interpreted = value_of(scorer::load(candidate.scorer, fetch));
      const auto compiled_one = value_of(scorer::load_compiled(candidate.scorer, fetch, {"native", folder + "/kernels"}));
      CHECK_FALSE(scorer::interpreted(*interpreted).empty());
      CHECK(scorer::interpreted(*compiled_one).empty());
      for (const auto& loaded : {interpreted, compiled_one})  // one body, two ways
      for (const std::uint64_t fragment_rows : {7u, 333u, 1u << 16}) {
        const batch::ScoreReport scored = value_of(batch::score_file(*loaded, *files, folder + "/people.csv", folder + "/out.csv", fragment_rows));
        CHECK(scored.rows == kRows);
        CHECK(scored.scored == kRows);
        const std::map<std::uint64_t, double> scores = read_scores(folder + "/out.csv");
        std::uint64_t row = 0, compared = 0, different = 0;
        for (const store::RunStep& step : record.steps) {
          if (step.kind != "predict" || candidate.model.find(step.name.substr(0, step.name.find('.'))) == std::string::npos) continue;
          for (const Digest& output : step.outputs) {
            const Column column = value_of(decode_column(value_of(store.get(output))));
            for (std::size_t i = 0; i < column.rows; ++i, ++row) {
              if (!column.is_known(i)) continue;
              ++compared;
              different += std::bit_cast<std::uint64_t>(column.values<double>()[i]) != std::bit_cast<std::uint64_t>(scores.at(row + 1));
            }
          }
        }
        CHECK(row == kRows);
        CHECK(compared > 900);
        CHECK(different == 0);
      }
    }
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a scorer with an object that is not there is refused, and so is one that is no scorer") {
  const auto nothing = [](const Digest&) -> Result<std::string> { return failure(diag::Code::E0908, "there is no such object"); };
  const auto absent = scorer::load(Digest{}, nothing);
  REQUIRE(!absent);
  CHECK(absent.error().code == diag::Code::E0908);
  const auto text = scorer::load(Digest{}, [](const Digest&) -> Result<std::string> { return std::string("{}"); });
  REQUIRE(!text);
  CHECK((text.error().code == diag::Code::E0903 || text.error().code == diag::Code::E0909));
}
