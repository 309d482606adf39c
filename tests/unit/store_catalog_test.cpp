#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "runtime/store/catalog.h"

namespace fs = std::filesystem;
using namespace mlp;
using namespace mlp::store;

namespace {

struct Folder {
  fs::path path;
  explicit Folder(const std::string& inside = ".mlp") : inside_(inside) {
    std::string name = (fs::temp_directory_path() / "mlp-catalog-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string store() const { return (path / inside_).string(); }
  Catalog open(bool read_only = false) const { return Catalog(store(), read_only); }

 private:
  std::string inside_;
};

Run run_of(std::string workflow) {
  Run run;
  run.workflow = std::move(workflow);
  run.file = "income.mlp";
  run.command = "mlpc run income.mlp";
  run.started = "2026-11-23T22:02:33Z";
  run.params = R"({"folds":5})";
  run.as_of = "2026-11-01";
  run.plan = sha256("plan");
  return run;
}

RunStep step_of(std::uint32_t ordinal, std::string name, StepAction action = StepAction::ran) {
  RunStep step;
  step.ordinal = ordinal;
  step.name = std::move(name);
  step.kind = "Kernel";
  step.action = action;
  step.key = sha256("key");
  step.code = sha256("code");
  step.code_text = "log1p(gain)";
  step.inputs = {{"gain", sha256("gain")}, {"a \"name\" with ' and \xc3\xa9", sha256("x")}};
  step.outputs = {sha256("o1"), sha256("o2")};
  step.reason = "the expression changed";
  step.seconds = 0.1 + 0.2;
  step.span = "income.mlp:12:3";
  return step;
}

std::vector<std::string> listing(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& file : fs::recursive_directory_iterator(path))
    names.push_back(file.path().string() + " " + (file.is_regular_file() ? std::to_string(file.file_size()) : "/"));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("a run comes back with everything that was recorded for it") {
  const Folder folder;
  std::string id;
  const RunMetric metric{"earner", "auc", "sex", "it's \"x\"; DROP TABLE runs", "validation", 0.9151234567890123, 0.1, std::nullopt, 7};
  const RunGate gate{"earner", "auc >= 0.9", "inconclusive", std::nullopt, 1e-300, 1e300, "income.mlp:40:5"};
  {
    Catalog catalog = folder.open();
    auto begun = catalog.begin_run(run_of("income"));
    REQUIRE(begun.has_value());
    id = *begun;
    CHECK(id.starts_with("r-20261123-"));
    CHECK(id.size() == 15);
    REQUIRE(catalog.record_steps(id, {step_of(0, "one"), step_of(1, "two", StepAction::failed)}).has_value());
    REQUIRE(catalog.record_steps(id, {step_of(1, "two", StepAction::reused)}).has_value());
    REQUIRE(catalog.record_metrics(id, {metric, metric}).has_value());
    REQUIRE(catalog.record_gates(id, {gate}).has_value());
    CHECK(catalog.record_candidate({"earner", 0, id, sha256("scorer"), true, ""}) == 1u);
    REQUIRE(catalog.record_opening({id, "earner", sha256("split"), ""}).has_value());
    CHECK(catalog.load_run(id)->run.status == "running");
    REQUIRE(catalog.set_plan(id, sha256("later plan")).has_value());
    REQUIRE(catalog.finish_run(id, "ok").has_value());
  }
  Catalog catalog = folder.open(true);
  auto record = catalog.load_run(id);
  REQUIRE(record.has_value());
  CHECK(record->run.workflow == "income");
  CHECK(record->run.status == "ok");
  CHECK(record->run.ended.size() == 20);
  CHECK(record->run.plan == sha256("later plan"));
  CHECK(record->run.params == R"({"folds":5})");
  CHECK(record->steps == std::vector{step_of(0, "one"), step_of(1, "two", StepAction::reused)});
  CHECK(record->metrics == std::vector{metric, metric});
  CHECK(record->gates == std::vector{gate});
  CHECK(record->candidates == std::vector<Candidate>{{"earner", 1, id, sha256("scorer"), true, ""}});
  REQUIRE(record->openings.size() == 1);
  CHECK(record->openings[0].at.ends_with("Z"));
  CHECK(catalog.load_run(id.substr(0, 13))->run.id == id);
  CHECK(catalog.load_run("r-2025").error().code == diag::Code::E0908);
  CHECK(catalog.check_integrity()->empty());
}

TEST_CASE("runs are listed from the newest, and the last run and step of a workflow are found") {
  const Folder folder;
  Catalog catalog = folder.open();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(*catalog.begin_run(run_of(i % 2 == 0 ? "income" : "other")));
    RunStep step = step_of(3, "train", i == 4 ? StepAction::failed : StepAction::ran);
    step.reason = std::to_string(i);
    REQUIRE(catalog.record_steps(ids.back(), {step}).has_value());
  }
  CHECK(catalog.list_runs()->size() == 5);
  CHECK(catalog.list_runs(2)->at(1).id == ids[3]);
  CHECK((*catalog.last_run_of("income"))->id == ids[4]);
  CHECK((*catalog.last_run_of("other"))->id == ids[3]);
  CHECK_FALSE(catalog.last_run_of("none")->has_value());
  CHECK((*catalog.last_step("train", "income"))->reason == "2");
  CHECK((*catalog.last_step("train", "other"))->reason == "3");
  CHECK_FALSE(catalog.last_step("none", "income")->has_value());
  CHECK(catalog.load_run("r-20261123").error().code == diag::Code::E0908);
}

TEST_CASE("a candidate with the scorer of an earlier one keeps its version") {
  const Folder folder;
  Catalog catalog = folder.open();
  const std::string first = *catalog.begin_run(run_of("w")), second = *catalog.begin_run(run_of("w"));
  CHECK(catalog.record_candidate({"m", 0, first, sha256("a"), false, "the gate failed"}) == 1u);
  CHECK(catalog.record_candidate({"m", 0, first, sha256("b"), true, ""}) == 2u);
  CHECK(catalog.record_candidate({"n", 0, first, sha256("a"), true, ""}) == 1u);
  CHECK(catalog.record_candidate({"m", 0, second, sha256("a"), true, "better"}) == 1u);
  const auto models = catalog.models();
  REQUIRE(models.has_value());
  CHECK(*models == std::vector<Candidate>{{"m", 1, second, sha256("a"), true, "better"},
                                          {"m", 2, first, sha256("b"), true, ""},
                                          {"n", 1, first, sha256("a"), true, ""}});
  CHECK(catalog.load_run(first)->candidates.size() == 3);
  CHECK(catalog.load_run(second)->candidates.size() == 1);
  CHECK(catalog.record_metrics("r-none", {RunMetric{}}).error().code == diag::Code::E0908);
}

TEST_CASE("openings are counted by model and split, roots are kept once") {
  const Folder folder;
  Catalog catalog = folder.open();
  const std::string run = *catalog.begin_run(run_of("w"));
  for (const char* model : {"a", "b", "a"}) REQUIRE(catalog.record_opening({run, model, sha256("s"), "2026-11-23T00:00:00Z"}).has_value());
  CHECK(catalog.openings_of("a", sha256("s"))->size() == 2);
  CHECK(catalog.openings_of("", sha256("s"))->size() == 3);
  CHECK(catalog.openings_of("a", sha256("t"))->empty());
  for (int i = 0; i < 2; ++i) REQUIRE(catalog.add_root({sha256("r"), "model m"}).has_value());
  CHECK(*catalog.roots() == std::vector<Root>{{sha256("r"), "model m"}});
}

TEST_CASE("a catalog that is only read is not written, also beside a writer and after one that was killed") {
  const Folder folder("a folder's %20 \"name\"?x=1#y");
  CHECK(folder.open(true).list_runs()->empty());
  CHECK(folder.open(true).load_run("r-1").error().code == diag::Code::E0908);
  CHECK(folder.open(false).list_runs()->empty());
  CHECK(fs::is_empty(folder.path));
  Catalog reader = folder.open(true);
  CHECK(reader.list_runs()->empty());
  { REQUIRE(folder.open().begin_run(run_of("one")).has_value()); }
  const auto before = listing(folder.path);
  CHECK(reader.list_runs()->size() == 1);
  CHECK(listing(folder.path) == before);
  {
    Catalog writer = folder.open();
    REQUIRE(writer.begin_run(run_of("two")).has_value());
    CHECK(reader.list_runs()->size() == 2);
    REQUIRE(writer.begin_run(run_of("three")).has_value());
    CHECK(reader.list_runs()->size() == 3);
  }
  CHECK(reader.list_runs()->size() == 3);
  const pid_t child = fork();
  if (child == 0) {
    Catalog writer = folder.open();
    const bool done = writer.begin_run(run_of("four")).has_value();
    (void)!write(1, "", 0);
    if (done) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(folder.open(true).list_runs()->size() == 4);
  CHECK(folder.open(true).check_integrity()->empty());
  { REQUIRE(folder.open().begin_run(run_of("five")).has_value()); }
  CHECK(folder.open(true).list_runs()->size() == 5);
}

TEST_CASE("two writers of one catalog wait for each other") {
  const Folder folder;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      Catalog catalog = folder.open();
      for (int i = 0; i < 15; ++i) {
        const auto id = catalog.begin_run(run_of("w"));
        if (!id || !catalog.record_steps(*id, {step_of(0, "s")}) || !catalog.finish_run(*id, "ok")) ++failed;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(folder.open(true).list_runs()->size() == 30);
}

TEST_CASE("two that make one new catalog at once both get it") {
  std::atomic<int> failed = 0;
  for (int turn = 0; turn < 20; ++turn) {
    const Folder folder;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        if (!folder.open().begin_run(run_of("w"))) ++failed;
      });
    for (auto& thread : threads) thread.join();
    CHECK(folder.open(true).list_runs()->size() == 3);
  }
  CHECK(failed == 0);
}

TEST_CASE("a damaged catalog and one of a newer format are refused with a mend") {
  const Folder folder;
  { REQUIRE(folder.open().begin_run(run_of("w")).has_value()); }
  const std::string file = folder.store() + "/catalog.sqlite";
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::string newer = bytes;
  newer[63] = 9;  // user_version, big-endian at byte 60
  std::ofstream(file, std::ios::binary) << newer;
  CHECK(folder.open(true).list_runs().error().code == diag::Code::E0909);
  CHECK(folder.open().begin_run(run_of("w")).error().code == diag::Code::E0909);
  std::ofstream(file, std::ios::binary) << "this is not a database, whatever its name says, and long enough to be read as one";
  CHECK(folder.open(true).list_runs().error().code == diag::Code::E0903);
  CHECK_FALSE(folder.open().begin_run(run_of("w")).error().help.empty());
}
