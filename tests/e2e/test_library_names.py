"""The names of the standard library mean nothing to the code: all of them are changed in a copy of the sources, and a
transform is added to it by a declaration and one definition."""

import json
import os
import pathlib
import re
import shutil
import string
import subprocess
import time

import pytest

from made import CENSUS_HEADER, census_rows, write_csv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KINDS = "fn transform model metric drift source".split()
# Texts and comments, which a change of names leaves alone.
KEPT_IN_MLP = re.compile(r'"(?:\\.|[^"\\])*"|#.*')
KEPT_IN_CPP = re.compile(r'"(?:\\.|[^"\\])*"|//.*')

WHAT_MLPC_IS_MADE_OF = "CMakeLists.txt CMakePresets.json cmake cli compiler runtime kernels grammar stdlib docs tests/CMakeLists.txt tests/catch_main.cpp".split()

# $name is a name of the standard library.
READ = """workflow read

data people from $csv("people.csv", null: "?", trim: true) {
    age    : int in 0..120
    hours  : int in 1..99 as "hours-per-week"
    gain   : float in 0..1_000_000
    loss   : float in 0..1_000_000
    region : category?
    job    : category?
    sex    : category("Male", "Female") @protected
    income : string @ignore
    rich   : bool = income == ">50K" @label

    expect rows >= 10
}

fn span(low: float, high: float) -> float = $abs(high - low)

feature profile of people {
    age, hours
    net      = gain - loss
    log_gain = $log1p(gain)
    overtime = hours > 45
    ratio    = ($sqrt(gain) ?? 0.0) + $span_of
    work     = job ?? "unknown"
    place    = $target_encode(region, smoothing: 20)
    often    = $frequency_encode(job)
    age_z    = $standardize(age)
    age_q    = $quantile_bins(age, n: 5)
    capped   = $clip_quantiles(gain, low: 0.05, high: 0.95)
}

split holdout of people random 70/15/15 stratified rich seed 3

train boosted of profile {
    predict rich
    split   holdout
    model   $gbdt { trees: 15, depth: 4, learning_rate: 0.15, subsample: 0.8 }
    seed    5
}

train plain of profile {
    predict rich
    split   holdout
    model   $logistic { l2: 1.0 }
    seed    5
}

evaluate boosted {
    metrics $auc, $log_loss, $brier, $calibration_error
    slice   by sex at_least 20 rows
    require $auc >= 0.5
    require $auc >= plain.$auc - 0.5
}
""".replace("$span_of", "span(loss, gain)")

MADE = """workflow made

data made from $synthetic(rows: 1_500, seed: 11) {
    id    : int = $row_number() @key
    x     : float = $normal(0, 1)
    wait  : float? = if $bernoulli(0.1) then missing else $exponential(2.0)
    kind  : category = $choice("a": 50%, "b": 30%, "c": 20%)
    count : int = $poisson($exp(0.3 * x))
    shop  : int = $zipf(1, 9, 1.2)
    yes   : bool = $bernoulli($sigmoid(x + 0.4 * $float(kind == "b") - 0.1 * $float(shop))) @label
}

feature seen of made {
    x, kind, count
    wait_full = $impute(wait, how: median)
    wait_0_1  = $min_max(wait)
    parity    = $mod(shop, 2) == 0
    larger    = $max(x, wait) ?? 0.0
}

split parts of made fold 3 seed 4

train folded of seen {
    predict yes
    split   parts
    model   $gbdt { trees: 8, depth: 3 }
    seed    6
    refit   all
}

evaluate folded { metrics $auc, $pr_auc, $brier }
"""

ADDED_DECLARATION = """# A transform of a test.

## Sets what lies above a share of the largest known training value to that bound. Missing stays missing.
transform zz_test(x: float?, share: float in 0..1 = 0.5) -> float? fits { bound: float } = native
"""

ADDED_DEFINITION = """#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "gen/native_learn_names.h"
#include "runtime/learn/transform_adaptor.h"

namespace mlp::learn {
namespace {

struct Bound {
  static constexpr std::uint32_t kFormat = 0x7f01;
  struct Partial {
    double largest = 0;
    template <class A>
    void fields(A& a) { a(largest); }
  };
  struct Fitted {
    double bound = 0;
    template <class A>
    void fields(A& a) { a(bound); }
  };
  static void add(const Options&, Partial& partial, const Rows& rows) {
    const Numbers x(rows.args[0]);
    for (std::size_t i = 0; i < x.rows(); ++i)
      if (rows.use[i] != 0 && x.known(i)) partial.largest = std::max(partial.largest, x[i]);
  }
  static void merge(Partial& into, Partial&& from) { into.largest = std::max(into.largest, from.largest); }
  static Result<Fitted> finish(const Options& options, Partial&& partial) {
    return Fitted{partial.largest * number_option(options, "share")};
  }
  static Column apply(const Fitted& fitted, std::span<const Column> args, std::uint64_t&) {
    const Numbers x(args[0]);
    FloatCells out(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i)
      if (x.known(i)) out.set(i, std::min(x[i], fitted.bound));
    return std::move(out).finish(true);
  }
  static Type result(const Fitted&) { return Type::of(Base::float_, true); }
  static std::vector<std::pair<std::string, std::string>> describe(const Fitted& f) {
    return {{"bound", fmt::format("{:.6g}", f.bound)}};
  }
};

}  // namespace
}  // namespace mlp::learn

namespace mlp::native_transform {
constinit const learn::NativeTransform zz_test = learn::adapt<learn::Bound>();
}  // namespace mlp::native_transform
"""

WITH_ADDED = """workflow added

data made from $synthetic(rows: 1_200, seed: 2) {
    x   : float = $normal(1, 2)
    yes : bool = $bernoulli($sigmoid(x)) @label
}

feature seen of made {
    bounded = zz_test(x, share: 0.25)
}

split parts of made fold 3 seed 4

train m of seen {
    predict yes
    split   parts
    model   $logistic { l2: 1.0 }
    seed    1
    refit   all
}

evaluate m { metrics $auc }
"""


def other(name):
    """The changed name. Their order by letters is another one, too."""
    return f"zz{chr(ord('a') + ord('z') - ord(name[0]))}_{name}"


def outside(kept, text, change):
    """`change` of every piece of a source that is not `kept`."""
    pieces, end = [], 0
    for found in kept.finditer(text):
        pieces += [change(text[end : found.start()]), found.group()]
        end = found.end()
    return "".join([*pieces, change(text[end:])])


def library_names(stdlib):
    """Names of all entries by their kind, from the declarations."""
    names = {kind: set() for kind in KINDS}
    for path in stdlib.glob("*.mlp"):
        for kind, name in re.findall(rf"^({'|'.join(KINDS)}) (\w+)", path.read_text(encoding="utf-8"), re.M):
            names[kind].add(name)
    assert all(names.values()), names
    return names


def native_names(header):
    """Names of native definitions by their namespace, from headers that the build has generated."""
    names = {}
    for namespace, body in re.findall(r"namespace mlp::(native_\w+) \{(.*?)\n\}", header, re.S):
        names[namespace] = set(re.findall(r"^extern const [\w:]+ (\w+);", body, re.M)) or set(re.findall(r"^[^/\n]*?(\w+)\(", body, re.M))
        assert names[namespace], namespace
    return names


def rename_declarations(stdlib, names):
    """Every entry of stdlib/*.mlp, its uses in other entries, and the symbols after `native`."""
    called = "|".join(sorted(names["fn"] | names["transform"]))
    for path in stdlib.glob("*.mlp"):
        text = path.read_text(encoding="utf-8")

        def change(piece):
            piece = re.sub(rf"^({'|'.join(KINDS)}) (\w+)", lambda m: f"{m.group(1)} {other(m.group(2))}", piece, flags=re.M)
            return re.sub(rf"(?<![\w.])({called})(?=\()", lambda m: other(m.group()), piece)

        text = outside(KEPT_IN_MLP, text, change)
        path.write_text(re.sub(r'\bnative\("(\w+)"\)', lambda m: f'native("{other(m.group(1))}")', text), encoding="utf-8")


def rename_definitions(folder, namespaces):
    """The definitions in the namespaces of native code, and their uses there. What belongs to another namespace or to a
    value (`std::min`, `fitted.mean`) is not theirs. Gives the number of changed places."""
    places = 0
    for path in folder.rglob("*.cpp"):
        text = path.read_text(encoding="utf-8")

        def change_block(block, names):
            nonlocal places
            glued = {name[: i + 1] for name in names for i, letter in enumerate(name) if letter == "_"}  # equal_##TYPE

            def change_name(found):
                nonlocal places
                owner, name, after = found.groups()
                if owner or name not in (glued if after else names):
                    return found.group()
                places += 1
                return other(name) + after

            return outside(KEPT_IN_CPP, block, lambda piece: re.sub(r"(::|->|\.|)\b(\w+)((?:##)?)", change_name, piece))

        def change_heads(block):
            """First arguments of macros that make names by NAME##_of_date."""
            nonlocal places
            for macro, parameter in re.findall(r"^#define (\w+)\((\w+)", block, re.M):
                body = re.search(rf"^#define {macro}\b(?:.*\\\n)*.*", block, re.M).group()
                if re.search(rf"(?<![\w#]){parameter}##_", body):
                    block, count = re.subn(rf"^({macro}\()(\w+)", lambda m: m.group(1) + other(m.group(2)), block, flags=re.M)
                    places += count
            return block

        for namespace, names in namespaces.items():
            text = re.sub(
                rf"(namespace mlp::{namespace} \{{\n)(.*?)(\n\}}  // namespace mlp::{namespace})",
                lambda m, names=names: m.group(1) + change_heads(change_block(m.group(2), names)) + m.group(3), text, flags=re.S,
            )  # fmt: skip
        path.write_text(text, encoding="utf-8")
    return places


def copy_sources(target):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *WHAT_MLPC_IS_MADE_OF],
        cwd=ROOT, capture_output=True,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        for name in listed.stdout.decode().rstrip("\0").split("\0"):
            if (ROOT / name).is_file():  # else: deleted, and not committed yet
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target / name)
        return
    for name in WHAT_MLPC_IS_MADE_OF:  # no repository: a tree that was unpacked
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, target / name)


def settings_of(build):
    """What a build directory was configured with, as arguments for another."""
    wanted = re.compile(r"^(CMAKE_BUILD_TYPE|CMAKE_CXX_FLAGS\w*|CMAKE_CXX_COMPILER|MLP_SANITIZED)(:\w+=.*)$")
    found = map(wanted.match, (build / "CMakeCache.txt").read_text(encoding="utf-8").splitlines())
    return [f"-D{m.group(1)}{m.group(2)}" for m in found if m and not m.group(2).startswith(":INTERNAL")]


def made_by(command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace", **more)
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def template(text, naming):
    """The program with `naming` of the names of the standard library."""

    class Names(dict):
        def __missing__(self, name):
            return naming(name)

    return string.Template(text).substitute(Names())


@pytest.fixture(scope="module")
def renamed(mlpc_bin, tmp_path_factory):
    """mlpc from a copy of the sources in which every name of the standard library is changed and a transform is added;
    configured as the binary under test. What does not see a name comes from ccache."""
    if os.environ.get("MLP_SOAK") != "1":
        pytest.skip("builds the whole tree anew; scripts/soak.sh runs it")
    build = mlpc_bin.parent.parent
    if not (build / "CMakeCache.txt").exists() or not (build / "gen" / "native_names.h").exists():
        pytest.skip("the binary under test does not lie in its build directory")
    tree = tmp_path_factory.mktemp("renamed") / "tree"
    copy_sources(tree)

    names = library_names(tree / "stdlib")
    natives = {}
    for header in ("native_names.h", "native_learn_names.h"):
        natives |= native_names((build / "gen" / header).read_text(encoding="utf-8"))
    assert sorted(natives) == ["native_drift", "native_fn", "native_metric", "native_model", "native_transform"]
    rename_declarations(tree / "stdlib", names)
    # a definition that was missed is one that the generated headers ask for and the linker does not find
    changed = rename_definitions(tree / "kernels", natives) + rename_definitions(tree / "runtime" / "learn", natives)
    assert changed >= sum(len(v) for v in natives.values()) / 2

    before = {p: p.stat().st_mtime_ns for p in tree.rglob("*") if p.is_file()}
    (tree / "stdlib" / "zz_test.mlp").write_text(ADDED_DECLARATION, encoding="utf-8")
    (tree / "runtime" / "learn" / "transforms" / "zz_test.cpp").write_text(ADDED_DEFINITION, encoding="utf-8")
    assert {p: p.stat().st_mtime_ns for p in before} == before

    out = tree / "build" / build.name
    began = time.monotonic()
    made_by(["cmake", "-S", tree, "-B", out, "-G", "Ninja", *settings_of(build)])
    made_by(["ninja", "-C", out, "-j", os.environ.get("MLP_JOBS", os.cpu_count()), "bin/mlpc"])
    print(f"the renamed mlpc was built in {time.monotonic() - began:.0f} s")
    return out / "bin" / "mlpc"


@pytest.fixture
def run_renamed(renamed, tmp_path):
    """As `run`, for the renamed mlpc."""

    def call(*args, cwd=tmp_path, check=0):
        done = subprocess.run([str(renamed), *map(str, args)], cwd=cwd, capture_output=True, text=True, env={"NO_COLOR": "1", "PATH": os.environ["PATH"]})
        assert check is None or done.returncode == check, f"{args}\n{done.stdout}\n{done.stderr}"
        return done

    return call


def json_of(done):
    return json.loads(done.stdout)


def digests(shown, trains):
    """Digests of all models and figures of a run, whatever their steps are called."""
    found = sorted((s["kind"], *s["outputs"]) for s in shown["steps"] if s["kind"] in ("train", "metrics"))
    assert [kind for kind, *_ in found] == ["metrics", *["train"] * trains]
    return found


def compare(run, run_renamed, folder, program, trains):
    for name, naming in (("as_it_is", str), ("renamed", other)):
        (folder / name).mkdir()
        write_csv(folder / name / "people.csv", CENSUS_HEADER, census_rows(1500), blank=" ")
        (folder / name / "program.mlp").write_text(template(program, naming), encoding="utf-8")
    first, second = folder / "as_it_is", folder / "renamed"
    run("run", "program.mlp", cwd=first)
    run_renamed("run", "program.mlp", cwd=second)
    expected = digests(run("show", "--format", "json", cwd=first).json, trains)
    assert digests(json_of(run_renamed("show", "--format", "json", cwd=second)), trains) == expected
    # and the former names are gone
    assert run_renamed("check", first / "program.mlp", check=None).returncode == 1


def test_changed_names_of_the_library_give_the_same_models_and_figures(run, run_renamed, tmp_path):
    compare(run, run_renamed, tmp_path, READ, trains=2)


def test_changed_names_of_the_library_make_the_same_rows(run, run_renamed, tmp_path):
    compare(run, run_renamed, tmp_path, MADE, trains=4)


def test_an_added_transform_is_fitted_per_fold_keyed_and_explained(run_renamed, tmp_path):
    workflow = tmp_path / "added.mlp"
    workflow.write_text(template(WITH_ADDED, other), encoding="utf-8")
    plan = json_of(run_renamed("plan", workflow, "--format", "json"))
    fits = [s["name"] for s in plan["steps"] if s["kind"] == "fit" and s["name"].startswith("seen.bounded.fit")]
    assert sorted(fits) == [f"seen.bounded.fit [{part}]" for part in ("fold 1", "fold 2", "fold 3", "refit")]

    explained = run_renamed("explain", "zz_test").stdout
    assert "zz_test(x: float?" in explained and "share" in explained
    assert "above a share of the largest known training value" in " ".join(explained.split())

    run_renamed("run", workflow)
    assert json_of(run_renamed("run", workflow, "--format", "json"))["steps"]["ran"] == 0
    fitted = {s["name"]: s["outputs"] for s in json_of(run_renamed("show", "--format", "json"))["steps"] if s["kind"] == "fit"}
    bounds = [tuple(fitted[name]) for name in sorted(fits)]
    assert len(bounds) == 4 and len(set(bounds)) > 1, "each fold is fitted on rows of its own"

    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text.replace("share: 0.25", "share: 0.75"), encoding="utf-8")
    edited = json_of(run_renamed("plan", workflow, "--format", "json"))
    assert {s["name"] for s in edited["steps"] if s["action"] == "run"} >= set(fits)
    keys, keys_after = ({s["name"]: s["id"] for s in p["steps"]} for p in (plan, edited))
    assert all(keys[name] != keys_after[name] for name in fits)
    assert [keys[n] for n in keys if n.startswith("made.")] == [keys_after[n] for n in keys if n.startswith("made.")]
    # the default value, written or not, is one and the same
    workflow.write_text(text.replace(", share: 0.25", ", share: 0.5"), encoding="utf-8")
    run_renamed("run", workflow)
    workflow.write_text(text.replace(", share: 0.25", ""), encoding="utf-8")
    assert json_of(run_renamed("run", workflow, "--format", "json"))["steps"]["ran"] == 0
