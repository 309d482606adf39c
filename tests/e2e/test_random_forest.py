"""The model `random_forest`: its meaning on a table that one can check by hand, its bits, its scorer, and its quality beside scikit-learn's."""

import csv
import os
import random
import subprocess
import sys

import pytest

from made import make_census, results_of, write_csv

FOREST = """workflow forest
data points from csv("points*.csv") {{ id : int @key; a : float?; b : float; c : category; late : bool; y : float @label }}
feature seen of points {{ a, b, c }}
split parts of points random 60/20/20 seed 5
train m of seen {{ predict {label}; split parts; model random_forest {{ {options} }}; seed {seed} }}
evaluate m {{ metrics {metrics} }}
"""


def points(count=2000):
    draw = random.Random(4)
    out = []
    for n in range(count):
        a, b, c = draw.gauss(0, 1), draw.gauss(0, 1), draw.choice("uvw")
        y = (3 if a > 0.3 else 0) + (2 if c == "v" and b < 0 else 0) + draw.gauss(0, 0.3)
        out.append([str(n), "" if draw.random() < 0.05 else f"{a:.4f}", f"{b:.4f}", c, "true" if draw.random() < (0.8 if y > 2 else 0.15) else "false", f"{y:.4f}"])
    return out


def make(folder, rows, label="y", options="trees: 30", metrics="mae, rmse", seed=1, files=1):
    for old in folder.glob("points*.csv"):
        old.unlink()
    size = -(-len(rows) // files)
    for part in range(files):
        write_csv(folder / f"points{part}.csv", ["id", "a", "b", "c", "late", "y"], rows[part * size:(part + 1) * size])
    text = FOREST.format(label=label, options=options, metrics=metrics, seed=seed)
    (folder / "forest.mlp").write_text(text if label == "y" else text.replace("late : bool; y : float @label", "late : bool @label; y : float @ignore"))
    return folder / "forest.mlp"


def predictions(run, folder):
    run("score", "m", "points0.csv", "out.csv", "--store", folder / ".mlp", cwd=folder)
    return [float(r["prediction"]) for r in csv.DictReader(open(folder / "out.csv"))]


def test_one_tree_on_one_column_says_means_of_labels(run, tmp_path):
    """A tree of one split has two leaves: near the mean label of its two sides, as the rows are drawn. Many of them average the draw away."""
    rows = [[str(n), "1.0" if n % 2 else "0.0", "0.0", "u", "false", str(float(n % 2) * 4 + (n % 10) / 10)] for n in range(4000)]
    run("run", make(tmp_path, rows, options="trees: 200, depth: 1, columns: 1.0"))
    found = predictions(run, tmp_path)
    for side in (0, 1):
        labels = [float(r[5]) for r in rows if int(r[0]) % 2 == side]
        assert len({found[i] for i in range(side, 4000, 2)}) == 1
        assert abs(found[side] - sum(labels) / len(labels)) < 0.02


def test_options_do_what_they_say(run, tmp_path):
    rows = points()

    def rmse(options):
        return run("run", make(tmp_path, rows, options=options), "--format", "json").json["metrics"]["m"]["rmse"]["value"]

    good = rmse("trees: 60, columns: 1.0")
    assert good < 0.75, "the rule is found: the noise alone is 0.3, and 5% of a are missing"
    assert rmse("trees: 60, columns: 1.0, depth: 1") > good + 0.1
    assert rmse("trees: 60, columns: 1.0, min_rows: 900") > good + 0.3
    assert rmse("trees: 1, columns: 1.0") > good
    assert rmse("trees: 60, columns: 0.01") != good
    assert rmse("trees: 60, columns: 1.0, rows: 0.02") > good
    one, two = (run("run", make(tmp_path, rows, seed=s), "--format", "json").json["metrics"]["m"]["rmse"]["value"] for s in (1, 2))
    assert one != two


def test_a_bool_label_gets_a_share(run, tmp_path):
    rows = points()
    done = run("run", make(tmp_path, rows, label="late", metrics="auc, log_loss, brier", options="trees: 100, min_rows: 5"), "--format", "json")
    assert done.json["metrics"]["m"]["auc"]["value"] > 0.75
    found = predictions(run, tmp_path)
    assert all(0 <= p <= 1 for p in found)
    # Fully grown trees of rows that say one thing alone are sure of it, and never surer than that.
    sure = [[str(n), str(n % 2), "0.0", "u", "true" if n % 2 else "false", "0"] for n in range(400)]
    run("run", make(tmp_path, sure, label="late", metrics="auc"))
    assert all(0 <= p <= 1 for p in predictions(run, tmp_path))


def test_same_bits_for_any_threads_and_files(run, tmp_path):
    rows = points(5000)
    seen = []
    for threads, fragment, files in ((1, 65536, 1), (2, 1000, 1), (8, 512, 7)):
        folder = tmp_path / f"t{threads}"
        folder.mkdir()
        workflow = make(folder, rows, options="trees: 25, columns: 0.5", files=files)
        run("run", workflow, "-j", str(threads), "--fragment-rows", str(fragment))
        seen.append(results_of(run, workflow))
    assert seen[0] == seen[1] == seen[2]


def test_threads_change_no_bit_of_a_large_forest(run, tmp_path):
    """From 200,000 rows on a train takes several threads."""
    text = """workflow large
data points from synthetic(rows: 400_000, seed: 3) { id : int = row_number() @key; a : float = normal(0, 1); b : float = exp(normal(0, 2)); c : int = uniform_int(0, 50); y : float = a * b + normal(0, 1) @label }
feature seen of points { a, b, c }
train m of seen { predict y; split random 80/10/10; model random_forest { trees: 6, depth: 12, columns: 0.5 }; seed 1 }
evaluate m { metrics rmse }
"""
    seen = []
    for threads in (1, 2, 8):
        folder = tmp_path / f"t{threads}"
        folder.mkdir()
        (folder / "large.mlp").write_text(text)
        run("run", folder / "large.mlp", "-j", str(threads))
        seen.append(results_of(run, folder / "large.mlp"))
    assert seen[0] == seen[1] == seen[2]


def test_the_scorer_says_what_was_measured(run, tmp_path):
    rows = points()
    done = run("run", make(tmp_path, rows), "--format", "json")
    found = predictions(run, tmp_path)
    peek = run("query", tmp_path / "forest.mlp", "select id from points", "--format", "json", "--rows", "100000")
    assert len(peek.json["rows"]) == len(found)
    assert done.json["candidates"][0]["version"] == 1
    # a row alone has the prediction that it has among others
    write_csv(tmp_path / "points0.csv", ["id", "a", "b", "c", "late", "y"], rows[7:8])
    assert predictions(run, tmp_path) == found[7:8]


def test_weights_of_whole_numbers_are_rows(run, tmp_path):
    """A row of weight 0 is as good as none; the rows drawn differ, so figures are near, not equal."""
    rows = [r + [str(int(r[3] != "w"))] for r in points()]
    write_csv(tmp_path / "points0.csv", ["id", "a", "b", "c", "late", "y", "w"], rows)
    text = FOREST.format(label="y", options="trees: 40, columns: 1.0", metrics="rmse", seed=1)
    (tmp_path / "forest.mlp").write_text(text.replace("c : category;", "c : category; w : float @weight;"))
    run("run", tmp_path / "forest.mlp")
    with_zero = predictions(run, tmp_path)
    (tmp_path / "forest.mlp").write_text(text.replace("seed 1 }", 'where c != "w"; seed 1 }'))
    run("run", tmp_path / "forest.mlp")
    without = predictions(run, tmp_path)
    gaps = [abs(a - b) for a, b, r in zip(with_zero, without, rows) if r[3] != "w"]
    assert sum(gaps) / len(gaps) < 0.1


PEER = """
import csv, sys
try:
    import numpy, sklearn.ensemble, sklearn.metrics
except ImportError:
    sys.exit(77)
train, test = ([r for r in csv.reader(open(path))][1:] for path in sys.argv[1:3])
kind = sys.argv[3]
X, T = (numpy.array([[float(v) for v in r[:-1]] for r in rows]) for rows in (train, test))
y, t = (numpy.array([float(r[-1]) for r in rows]) for rows in (train, test))
if kind == "bool":
    model = sklearn.ensemble.RandomForestClassifier(n_estimators=150, max_features=0.33, min_samples_leaf=5, random_state=1, n_jobs=2).fit(X, y)
    print(sklearn.metrics.roc_auc_score(t, model.predict_proba(T)[:, 1]))
else:
    model = sklearn.ensemble.RandomForestRegressor(n_estimators=150, max_features=0.33, min_samples_leaf=5, random_state=1, n_jobs=2).fit(X, y)
    print(sklearn.metrics.root_mean_squared_error(t, model.predict(T)) if hasattr(sklearn.metrics, "root_mean_squared_error") else sklearn.metrics.mean_squared_error(t, model.predict(T)) ** 0.5)
"""

def peer(tmp_path, kind):
    python = os.environ.get("MLP_PEER_PYTHON", sys.executable)
    done = subprocess.run([python, "-c", PEER, "train.csv", "test.csv", kind], cwd=tmp_path, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("scikit-learn is not there (MLP_PEER_PYTHON names a Python that has it)")
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("kind", ["float", "bool"])
def test_as_good_as_scikit_learn_on_houses(run, shared, tmp_path, kind):
    with open(shared / "data" / "california_housing.csv", newline="") as file:
        header, *rows = list(csv.reader(file))
    columns = [name for name in header if name not in ("ocean_proximity", "median_house_value")]
    kept = [[r[header.index(c)] for c in (*columns, "median_house_value")] for r in rows]
    kept = [r for r in kept if "" not in r]
    if kind == "bool":
        kept = [[*r[:-1], str(int(float(r[-1]) > 200_000))] for r in kept]
    # The rows that are held out come last, by a time of their own, so that the split leaves the parts as they are.
    train, held_out = ([r for n, r in enumerate(kept) if (n % 4 == 0) == last] for last in (False, True))
    for name, part in (("train.csv", train), ("test.csv", held_out)):
        write_csv(tmp_path / name, [*columns, "y"], part)
    theirs = peer(tmp_path, kind)
    write_csv(tmp_path / "houses.csv", ["t", *columns, "y"], [["2024-01-01", *r] for r in train] + [["2024-01-02", *r] for r in held_out])
    metric = "rmse" if kind == "float" else "auc"
    (tmp_path / "houses.mlp").write_text(f"""workflow houses
data houses from csv("houses.csv") {{ t : date @time; {'; '.join(f'{c} : float' for c in columns)}; y : {kind} @label }}
feature seen of houses {{ {', '.join(columns)} }}
train m of seen {{ predict y; split time 74/26/0; model random_forest {{ trees: 150 }}; seed 1; refit none }}
evaluate m {{ metrics {metric} }}
""")
    ours = run("run", tmp_path / "houses.mlp", "--format", "json").json["metrics"]["m"][metric]
    assert ours["rows"] == len(held_out)
    print(f"{metric} {ours['value']:.5g} here, {theirs:.5g} there")
    assert ours["value"] < theirs * 1.03 if kind == "float" else ours["value"] > theirs - 0.005
