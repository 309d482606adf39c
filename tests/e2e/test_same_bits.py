"""Same input, same bits: nothing that only says how to compute changes a model or a figure."""

import math
import random

import pytest

from made import copy_folder, edit, make_census, results_of, steps_of, write_csv

HEAVY = """workflow heavy

data losses from csv("losses*.csv") {
    a, b, c : float
    kind    : category
    paid    : float @label
}

feature seen of losses {
    a, b, kind
    ab   = a * b
    c_z  = standardize(c)
    kind_mean = target_encode(kind)
}

split parts of losses random 70/15/15 seed 5

train boosted of seen {
    predict paid
    split   parts
    model   gbdt { trees: 25, depth: 5, learning_rate: 0.1, subsample: 0.8 }
    seed    1
}

train line of seen {
    predict paid
    split   parts
    model   ridge { l2: 1.0 }
    seed    1
}

evaluate boosted {
    metrics rmse, mae, r2
    slice   by kind
    require rmse <= 1_000 * line.rmse
}
"""


def heavy_rows(rows):
    """Rows with a label of infinite variance: sums of it depend on their order unless they are exact."""
    draw = random.Random(4)
    made = []
    for _ in range(rows):
        a, b, c = (draw.gauss(0, 1) for _ in range(3))
        kind = draw.choice(["car", "house", "storm", "theft"])
        paid = math.exp(a + 0.5 * b) * draw.paretovariate(1.1) * (1000 if kind == "storm" else 1)
        made.append([f"{a:.6f}", f"{b:.6f}", f"{c * 1e6:.3f}", kind, repr(paid)])
    return made


def make_heavy(folder, rows=9000):
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "losses.csv", ["a", "b", "c", "kind", "paid"], heavy_rows(rows))
    (folder / "heavy.mlp").write_text(HEAVY, encoding="utf-8")
    return folder / "heavy.mlp"


def cut_into(folder, name, files):
    """Cuts the table name.csv of a folder into files name_0.csv, name_1.csv, ... of unequal lengths."""
    path = folder / f"{name}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    header, rows = lines[0], lines[1:]
    draw = random.Random(9)
    ends = sorted(draw.sample(range(1, len(rows)), files - 1)) + [len(rows)]
    begin = 0
    for i, end in enumerate(ends):
        (folder / f"{name}_{i}.csv").write_text("\n".join([header, *rows[begin:end]]) + "\n", encoding="utf-8")
        begin = end
    path.unlink()


WAYS = {
    "one thread": ["-j", "1"],
    "two threads": ["-j", "2"],
    "eight threads": ["-j", "8"],
    "small fragments": ["--fragment-rows", "1000"],
    "tiny fragments": ["--fragment-rows", "137", "-j", "2"],
    "a CPU without AVX-512 and FMA": ["--baseline-cpu"],
}


def compare_all_ways(run, workflow, tmp_path, table):
    folder = workflow.parent
    run("run", workflow)
    expected = results_of(run, workflow)
    figures = run("run", workflow, "--format", "json").json["metrics"]
    for name, options in WAYS.items():
        copy = copy_folder(folder, tmp_path / name.replace(" ", "_")) / workflow.name
        result = run("run", copy, *options, "--format", "json").json
        assert results_of(run, copy) == expected, name
        assert result["metrics"] == figures, name
    copy = copy_folder(folder, tmp_path / "seven files")
    cut_into(copy, table, 7)
    edited = copy / workflow.name
    text = edited.read_text(encoding="utf-8")
    edited.write_text(text.replace(f'"{table}.csv"', f'"{table}_*.csv"'), encoding="utf-8")
    run("run", edited)
    assert results_of(run, edited) == expected, "seven files under a glob"


def test_a_classification_is_the_same_in_all_ways(run, tmp_path):
    workflow = make_census(tmp_path / "here", rows=6000)
    compare_all_ways(run, workflow, tmp_path, "people")


def test_a_regression_with_a_heavy_tailed_label_is_the_same_in_all_ways(run, tmp_path):
    workflow = make_heavy(tmp_path / "here")
    compare_all_ways(run, workflow, tmp_path, "losses")


def test_made_rows_are_the_same_in_all_ways(run, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "made.mlp").write_text(
        """workflow made
data rows from synthetic(rows: 5_000, seed: 3) {
    id  : int = row_number() @key
    x   : float = normal(0, 1)
    k   : category = choice("a": 50%, "b": 30%, "c": 20%)
    n   : int = poisson(exp(0.3 * x))
    y   : bool = bernoulli(sigmoid(x + 0.4 * float(k == "b"))) @label
}
feature seen of rows { x, k, n; z = standardize(x) }
train m of seen { predict y; split random 70/15/15; model gbdt { trees: 10, depth: 3 }; seed 2 }
evaluate m { metrics auc, brier }
""",
        encoding="utf-8",
    )
    run("run", folder / "made.mlp")
    expected = results_of(run, folder / "made.mlp")
    for i, options in enumerate(WAYS.values()):
        copy = copy_folder(folder, tmp_path / f"copy{i}") / "made.mlp"
        run("run", copy, *options)
        assert results_of(run, copy) == expected, options


def test_income_is_the_same_in_all_ways(run, income, tmp_path, shared):
    run("run", income)
    expected = results_of(run, income)
    for i, options in enumerate(WAYS.values()):
        store = tmp_path / f"store{i}"
        run("run", income, "--store", store, *options)
        steps = run("show", "--store", store, "--format", "json").json["steps"]
        assert {(s["kind"], s["name"]): s["outputs"] for s in steps if s["kind"] in ("train", "metrics")} == expected, options
    cut_into(shared / "data", "adult", 7)
    edit(income, '"../../data/adult.csv"', '"../../data/adult_*.csv"')
    run("run", income, "--store", tmp_path / "cut")
    steps = run("show", "--store", tmp_path / "cut", "--format", "json").json["steps"]
    assert {(s["kind"], s["name"]): s["outputs"] for s in steps if s["kind"] in ("train", "metrics")} == expected


@pytest.mark.parametrize("options", [["-j", "1"], ["--baseline-cpu"]], ids=" ".join)
def test_threads_and_kind_of_cpu_are_in_no_key(run, tmp_path, options):
    workflow = make_census(tmp_path)
    run("run", workflow)
    assert run("run", workflow, *options, "--format", "json").json["steps"]["ran"] == 0


def test_a_function_of_the_ordinal_is_computed_at_each_place(run, tmp_path):
    """Two files with the same bytes: columns that are read are equal, ordinals and draws are not."""
    text = "x,y\n" + "".join(f"{i},{'true' if i % 2 else 'false'}\n" for i in range(50))
    for name in ("p_0.csv", "p_1.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    workflow = tmp_path / "w.mlp"
    workflow.write_text(
        'workflow w\ndata rows from csv("p_*.csv") { x : int; y : bool @label }\nfeature f of rows { x; n = row_number(); r = uniform(0, 1) }\n'
        "train m of f { predict y; split random 60/20/20; model gbdt { trees: 2 }; seed 1 }\n",
        encoding="utf-8",
    )
    for _ in range(2):
        assert "W0901" not in run("run", workflow).err
        outputs = {s["name"]: s["outputs"] for s in steps_of(run, workflow)}
        assert outputs["rows.x"][0] == outputs["rows.x"][1]
        assert outputs["f.n"][0] != outputs["f.n"][1]
        assert outputs["f.r"][0] != outputs["f.r"][1]
