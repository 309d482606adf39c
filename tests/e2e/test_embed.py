"""Programs in C++, C and Python get the bits of `mlpc score` from the installed library, and errors that explain."""

import csv
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from made import CENSUS_HEADER, census_rows, edit, make_census

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif("MLP_SANITIZED" in os.environ, reason="a host without a sanitizer cannot load a library with one")
DEPLOY = "\ndeploy api of boosted { stage production }\n"

CHECKS = r"""
#include <mlp/mlp.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <thread>
static int failed = 0;
#define CHECK(x) ((x) ? (void)0 : (std::printf("line %d: %s\n", __LINE__, #x), (void)++failed))
int main(int, char** argv) {
  const std::string store = argv[1], workflow = argv[2], wrong = argv[3];
  auto scorer = mlp::Scorer::load(store, "api");
  CHECK(scorer);
  const auto fields = scorer->fields();
  CHECK(fields.size() == 6 && fields[0].name == "age" && fields[0].type == "int" && !fields[0].may_be_missing);
  const std::vector<mlp::Field> good = {40, 0.0, 50, std::nullopt, 0.0, "north"};  // age gain hours job loss region
  const double p = *scorer->predict(good);
  CHECK(p > 0 && p < 1);
  auto broken = [&](std::size_t at, mlp::Field value, const char* says) {
    auto row = good;
    row[at] = value;
    const auto result = scorer->predict(row);
    CHECK(!result && result.error().status == MLP_DATA && result.error().message().find(fields[at].name) != std::string::npos);
    if (!result && result.error().message().find(says) == std::string::npos) std::printf("%s\n", result.error().message().c_str()), ++failed;
  };
  broken(0, "forty", "a text where a whole number is expected");
  broken(0, 40.5, "a fraction");
  broken(0, 121, "not in 0..120");
  broken(0, std::nullopt, "missing");
  broken(0, true, "truth value");
  broken(1, "x", "a text where a number is expected");
  broken(1, INFINITY, "not a finite number");
  broken(5, 3, "a number where a text is expected");
  CHECK(scorer->predict({1, 2}).error().status == MLP_ARGUMENT);
  // Rows, columns and threads: the same bits.
  std::vector<mlp::Field> rows;
  std::vector<std::int64_t> age, hours;
  std::vector<double> zero(9000, 0.0);
  std::vector<mlp_text> region(9000, {"north", 5});
  for (int i = 0; i < 9000; ++i) {
    age.push_back(i % 121), hours.push_back(1 + i % 99);
    for (const mlp::Field& f : {mlp::Field(age.back()), mlp::Field(0.0), mlp::Field(hours.back()), mlp::Field(), mlp::Field(0.0), mlp::Field("north")}) rows.push_back(f);
  }
  const auto many = scorer->predict_rows(rows);
  CHECK(many && many->size() == 9000);
  const auto columns = scorer->predict_columns({{MLP_INT, age.data(), nullptr}, {MLP_FLOAT, zero.data(), nullptr}, {MLP_INT, hours.data(), nullptr}, {MLP_MISSING, nullptr, nullptr},
                                                {MLP_FLOAT, zero.data(), nullptr}, {MLP_TEXT, region.data(), nullptr}}, 9000);
  CHECK(columns && *columns == *many);
  std::vector<std::thread> threads;
  std::vector<int> same(8, 0);
  for (int t = 0; t < 8; ++t) threads.emplace_back([&, t] { same[t] = *scorer->predict_rows(rows) == *many; });
  for (auto& thread : threads) thread.join();
  for (int s : same) CHECK(s);
  for (int i = 0; i < 100; ++i) {
    std::vector<mlp::Field> row(rows.begin() + i * 6, rows.begin() + i * 6 + 6);
    CHECK(*scorer->predict(row) == (*many)[i]);
  }
  // What is not there.
  CHECK(mlp::Scorer::load(store, "apy").error().diagnostics[0].code == "E0908");
  CHECK(mlp::Scorer::load(store, "api", "staging").error().message().find("production") != std::string::npos);
  CHECK(mlp::Scorer::load(store + "/nowhere", "api").error().status == MLP_ENVIRONMENT);
  // The C interface and NULL.
  mlp_error* error = nullptr;
  mlp_scorer* loaded = nullptr;
  double out = 0;
  CHECK(mlp_abi_version() == MLP_ABI_VERSION);
  CHECK(mlp_scorer_load(nullptr, "api", nullptr, &loaded, &error) == MLP_ARGUMENT && std::strstr(mlp_error_message(error, 0), "store"));
  mlp_error_free(error);
  CHECK(mlp_scorer_load(store.c_str(), "api", nullptr, nullptr, nullptr) == MLP_ARGUMENT);
  CHECK(mlp_predict(nullptr, nullptr, 1, &out, nullptr) == MLP_ARGUMENT);
  CHECK(mlp_scorer_field_count(nullptr) == 0 && std::strlen(mlp_scorer_field_name(nullptr, 3)) == 0);
  CHECK(mlp_scorer_load(store.c_str(), "api", nullptr, &loaded, &error) == MLP_OK && error == nullptr);
  CHECK(mlp_predict(loaded, nullptr, 1, &out, &error) == MLP_ARGUMENT);
  mlp_error_free(error);
  mlp_value odd[6];
  std::memset(odd, 0, sizeof odd);
  odd[0].kind = static_cast<mlp_kind>(77);
  CHECK(mlp_predict(loaded, odd, 1, &out, &error) == MLP_ARGUMENT);
  mlp_error_free(error);
  CHECK(mlp_predict(loaded, odd, 0, nullptr, &error) == MLP_OK);
  mlp_scorer_free(loaded);
  mlp_scorer_free(nullptr);
  // Compile and run.
  const auto bad = mlp::Workflow::compile(wrong);
  CHECK(!bad && bad.error().status == MLP_WORKFLOW && bad.error().diagnostics.size() == 1 && bad.error().diagnostics[0].code == "E0203");
  CHECK(!bad && bad.error().diagnostics[0].line > 1 && bad.error().diagnostics[0].file == wrong);
  CHECK(mlp::Workflow::compile("nowhere.mlp").error().status == MLP_ENVIRONMENT);
  const auto compiled = mlp::Workflow::compile(workflow);
  CHECK(compiled && compiled->name() == "census");
  std::size_t told = 0, of = 0;
  const auto report = compiled->run(store + "2", [&](std::string_view step, std::size_t done, std::size_t all) { told = done, of = all, (void)step; });
  CHECK(report && report->ran > 10 && of > 10 && told > 10);
  CHECK(report && report->candidates.size() == 2 && report->candidates[0].proven + report->candidates[1].proven == 1);
  bool auc = false;
  for (const auto& metric : report->metrics) auc = auc || (metric.name == "auc" && metric.value > 0.5);
  CHECK(auc && report->gates.size() == 2 && report->gates[0].status == "passed");
  CHECK(compiled->run(store + "2")->ran == 0);
  std::puts(failed ? "failed" : "all good");
  return failed != 0;
}
"""


def run_program(*command, check=0):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
    assert done.returncode == check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def prefix(mlpc_bin, tmp_path_factory):
    """Where the tested build is installed, after it was moved there."""
    folder = tmp_path_factory.mktemp("install")
    run_program("cmake", "--install", mlpc_bin.parents[1], "--prefix", folder / "first")
    (folder / "first").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module")
def deployed(mlpc_bin, tmp_path_factory):
    workflow = make_census(tmp_path_factory.mktemp("embed"))
    edit(workflow, 'test "overtime', DEPLOY + '\ntest "overtime')
    for verb in ("run", "deploy"):
        run_program(mlpc_bin, verb, workflow, "--quiet")
    return workflow


def write_rows(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def test_all_ways_give_the_same_bits(run, prefix, deployed, tmp_path):
    rows = census_rows(5000, seed=5)
    for at in range(0, 4990, 7):
        rows[at][4], rows[at + 1][5], rows[at + 2][4] = f"elsewhere{at}", "?", "?"  # unseen, missing; each age is a cut point
    write_rows(tmp_path / "score.csv", CENSUS_HEADER, rows)
    write_rows(tmp_path / "host.csv", ["hours" if name == "hours-per-week" else name for name in CENSUS_HEADER], rows)
    store = deployed.parent / ".mlp"
    scored = run("score", "api", tmp_path / "score.csv", tmp_path / "out.csv", "--store", store, "--format", "json").json
    expected = [float(row["prediction"]) for row in csv.DictReader((tmp_path / "out.csv").open())]
    examples = ROOT / "examples" / "embed"
    run_program("cmake", "-S", examples / "cpp", "-B", tmp_path / "cpp", f"-DCMAKE_PREFIX_PATH={prefix}")
    run_program("cmake", "--build", tmp_path / "cpp")
    flags = run_program("env", f"PKG_CONFIG_PATH={prefix}/lib/pkgconfig", "pkg-config", "--cflags", "--libs", "mlp").stdout.split()
    run_program("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", examples / "c" / "main.c", *flags, f"-Wl,-rpath,{prefix}/lib", "-o", tmp_path / "c_host")
    for command in ([tmp_path / "cpp" / "host"], [tmp_path / "c_host"], [sys.executable, examples / "python" / "host.py", prefix / "lib" / "libmlp.so"]):
        lines = run_program(*command, store, "api", tmp_path / "host.csv").stdout.splitlines()
        assert lines[0] == f"census.boosted version 1 {scored['scorer']}"
        assert [float(line) for line in lines[1:]] == expected
        assert "E0908" in run_program(*command, store, "nothing", tmp_path / "host.csv", check=5).stderr or "cpp" in str(command[0])


def test_values_errors_threads_and_runs(prefix, deployed, tmp_path):
    (tmp_path / "checks.cpp").write_text(CHECKS)
    wrong = tmp_path / "wrong.mlp"
    wrong.write_text(deployed.read_text().replace("log1p(gain)", "log1p(gian)").replace("people.csv", str(deployed.parent / "people.csv")))
    run_program("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", tmp_path / "checks.cpp", f"-I{prefix}/include", f"-L{prefix}/lib", "-lmlp", "-pthread",
                f"-Wl,-rpath,{prefix}/lib", "-o", tmp_path / "checks")
    done = run_program(tmp_path / "checks", deployed.parent / ".mlp", deployed, wrong)
    assert "all good" in done.stdout


def test_a_damaged_scorer_is_refused(prefix, deployed, mlpc_bin, tmp_path):
    shutil.copytree(deployed.parent, tmp_path / "copy")
    store = tmp_path / "copy" / ".mlp"
    for pack in store.rglob("*pack*"):
        if pack.is_file():
            data = bytearray(pack.read_bytes())
            for at in range(64, len(data), 40):
                data[at] ^= 0xFF
            pack.write_bytes(bytes(data))
    done = run_program(sys.executable, ROOT / "examples" / "embed" / "python" / "host.py", prefix / "lib" / "libmlp.so", store, "api", "none.csv", check=5)
    assert "E09" in done.stderr


def test_the_installed_program_runs_from_anywhere(prefix, deployed):
    assert "boosted" in run_program(prefix / "bin" / "mlpc", "models", "--store", deployed.parent / ".mlp").stdout
