"""Tables and workflows that the tests make themselves, and questions that several of them ask."""

import math
import random
import shutil
import time

CENSUS = """workflow census

param seed: int in 0..1_000 = 3

data people from csv("people.csv", null: "?", trim: true) {
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

feature profile of people {
    age, hours
    net      = gain - loss
    log_gain = log1p(gain)
    overtime = hours > 45
    work     = job ?? "unknown"
    place    = target_encode(region, smoothing: 20)
    age_z    = standardize(age)
}

split holdout of people random 70/15/15 stratified rich seed seed

train boosted of profile {
    predict rich
    split   holdout
    model   gbdt { trees: 20, depth: 4, learning_rate: 0.15 }
    seed    seed
}

train plain of profile {
    predict rich
    split   holdout
    model   logistic { l2: 1.0 }
    seed    seed
}

evaluate boosted {
    metrics auc, log_loss, brier
    slice   by sex at_least 20 rows
    require auc >= 0.6
    require auc >= plain.auc - 0.2
}

test "overtime starts above 45 hours" of profile {
    given  { hours: 46 }
    expect overtime == true
}
"""

CENSUS_HEADER = ["age", "hours-per-week", "gain", "loss", "region", "job", "sex", "income"]
REGIONS = ["north", "east", "south", "west", "centre", "islands"]
JOBS = ["clerk", "craft", "sales", "service", "tech"]


def census_rows(rows, seed=1):
    """Rows of the census table: lists of texts, as they stand in the file."""
    draw = random.Random(seed)
    made = []
    for _ in range(rows):
        age = draw.randint(17, 85)
        hours = min(99, max(1, round(draw.gauss(40, 11))))
        gain = round(math.exp(draw.gauss(7, 1)), 2) if draw.random() < 0.15 else 0.0
        loss = round(draw.uniform(100, 2000), 2) if draw.random() < 0.05 else 0.0
        region, job = draw.randrange(len(REGIONS)), draw.randrange(len(JOBS))
        sex = "Male" if draw.random() < 0.6 else "Female"
        score = -2.4 + 0.03 * (age - 40) + 0.05 * (hours - 40) + 0.0012 * gain + 0.35 * job - 0.2 * region
        score += 0.4 if sex == "Male" else 0
        rich = draw.random() < 1 / (1 + math.exp(-score))
        made.append([
            str(age), str(hours), repr(gain), repr(loss),
            "?" if draw.random() < 0.04 else REGIONS[region],
            "?" if draw.random() < 0.06 else JOBS[job],
            sex, ">50K" if rich else "<=50K",
        ])  # fmt: skip
    return made


def write_csv(path, header, rows, blank=""):
    """A CSV file with `blank` after each comma, as in the census."""
    separator = "," + blank
    lines = [separator.join(header)] + [separator.join(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_census(folder, rows=1500, seed=1, text=CENSUS):
    """The census workflow with its table in `folder`; gives the path of the workflow."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "people.csv", CENSUS_HEADER, census_rows(rows, seed), blank=" ")
    (folder / "census.mlp").write_text(text, encoding="utf-8")
    return folder / "census.mlp"


def copy_folder(source, target):
    """A copy of a workflow's folder without its state."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".mlp"))
    return target


def edit(path, old, new):
    """Replaces the one place of `old` in a workflow."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def ran(outcome):
    """What a run computed: {name of the step: (kind, cells computed, cells)}."""
    return {step["name"]: (step["kind"], step["cells_ran"], step["cells"]) for step in outcome.json["ran"]}


def computed_values(outcome):
    """Names of the steps of a run that computed values; those that only show names are left out."""
    return {step["name"] for step in outcome.json["ran"] if not step["shows_names"]}


def steps_of(run, workflow, which=None):
    """The steps of a run (default: the newest) as `mlpc show` gives them."""
    store = workflow.parent / ".mlp"
    args = ["show", *([which] if which else []), "--store", store, "--format", "json"]
    return run(*args, cwd=workflow.parent).json["steps"]


def results_of(run, workflow, which=None):
    """Digests of models and metrics of a run: {(kind, name): outputs}."""
    steps = steps_of(run, workflow, which)
    results = {(s["kind"], s["name"]): s["outputs"] for s in steps if s["kind"] in ("train", "metrics")}
    assert any(kind == "train" for kind, _ in results), f"no model among {[(s['kind'], s['name']) for s in steps]}"
    return results


def settle(run, workflow):
    """Waits until the files of a table are old enough for their times to be believed, and lets a run note them."""
    time.sleep(2.1)
    run("run", workflow)
