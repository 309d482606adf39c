"""`--sample`: a share of the rows, chosen by what they are, with the values that they have in a whole run."""

import random

import pytest

from made import edit, write_csv

PROGRAM = """workflow sampled
data trips from csv("trips*.csv") {{
    {key}
    at     : timestamp @time
    driver : category
    fare   : float
    tip    : bool @label
    expect rows >= 500
}}
data drivers from csv("drivers.csv") {{ name : category @key; rating : float; since : date @available(always) }}
data rated = trips | where fare > 1 because "tests" | join one left drivers on driver == drivers.name
feature seen of rated at at {{
    fare, rating
    before = count(trips by driver) over 3d
    share  = mean(rated.fare by driver) over 9d ?? 0.0
    fare_z = standardize(fare)
}}
train m of seen {{ predict tip; split time 60/20/20; model logistic {{ }}; seed 1; refit none }}
evaluate m {{ metrics auc; slice by driver; require auc >= 0.01 }}
deploy api of m {{ stage production }}
"""


def rows_of(count, seed=2):
    draw = random.Random(seed)
    return [[str(n), f"2024-01-{1 + n * 27 // count:02d}T{draw.randrange(24):02d}:00:00", draw.choice("abcdefgh"), f"{draw.uniform(0, 40):.2f}", draw.choice(["true", "false"])] for n in range(count)]


def write_trips(folder, rows, files=1, key=True):
    for old in folder.glob("trips*.csv"):
        old.unlink()
    header = ["id", "at", "driver", "fare", "tip"]
    size = -(-len(rows) // files)
    for part in range(files):
        some = rows[part * size:(part + 1) * size]
        write_csv(folder / f"trips{part}.csv", header if key else header[1:], some if key else [r[1:] for r in some])


@pytest.fixture
def world(tmp_path):
    def make(rows, key="id : int @key", files=1):
        write_trips(tmp_path, rows, files, "id" in key)
        write_csv(tmp_path / "drivers.csv", ["name", "rating", "since"], [[d, str(i), "2020-01-01"] for i, d in enumerate("abcdefg")])
        (tmp_path / "sampled.mlp").write_text(PROGRAM.format(key=key))
        return tmp_path / "sampled.mlp"

    make.folder = tmp_path
    return make


def table(run, file, name, *more):
    shown = run("peek", file, name, "--rows", "100000", "--format", "json", *more)
    return [dict(zip([c["name"] for c in shown.json["columns"]], row)) for row in shown.json["rows"]]


def ids(run, file, *more):
    return [r["id"] for r in table(run, file, "trips", *more)]


def test_a_row_that_is_kept_has_the_values_of_the_whole_run(run, world):
    rows = rows_of(3000)
    file = world(rows)
    whole = {r["id"]: r for r in table(run, file, "rated")}
    sampled = table(run, file, "rated", "--sample", "10%")
    assert 200 < len(sampled) < 400
    assert all(whole[r["id"]] == r for r in sampled)
    assert any(r["rating"] is not None for r in sampled), "the table that is joined is whole"
    # Histories look at all rows; what is fitted is fitted on those that are kept.
    by_row = {(r["fare"], r["before"], r["share"], r["rating"]) for r in table(run, file, "seen")}
    seen = table(run, file, "seen", "--sample", "10%")
    assert len(seen) == len(sampled) and all((r["fare"], r["before"], r["share"], r["rating"]) in by_row for r in seen)
    done = run("run", file, "--sample", "10%", "--format", "json")
    assert done.json["rows"][0]["rows"] == len(sampled)
    assert done.json["sample"] == {"share": 0.1, "tables": [{"table": "rated", "rows": len(sampled), "of": len(whole)}]}


def test_columns_are_shown_as_those_of_the_table_that_is_sampled(run, tmp_path):
    write_trips(tmp_path, rows_of(600))
    (tmp_path / "t.mlp").write_text("""workflow t
data trips from csv("trips*.csv") { id : int @key; at : timestamp @time; fare : float }
feature f of trips { late = hour(at) > 12 }
""")
    for more in ([], ["--profile"]):
        shown = run("peek", "t.mlp", "f", "--sample", "10%", "--format", "json", *more).json
        assert [c["of"] for c in shown["profile" if more else "columns"]] == ["trips", "f"]


def test_a_row_moves_no_other(run, world):
    rows = rows_of(2000)
    expected = ids(run, world(rows), "--sample", "5%")
    assert 60 < len(expected) < 140
    for threads, fragment, files in ((1, 100, 1), (2, 77, 3), (8, 65536, 7)):
        file = world(rows, files=files)
        assert ids(run, file, "--sample", "5%", "-j", str(threads), "--fragment-rows", str(fragment), "--store", world.folder / f"s{threads}") == expected
    # appended, inserted, taken out, in another order: a row is in the sample, or it is not
    assert [i for i in ids(run, world(rows + rows_of(4000, 5)[2000:]), "--sample", "5%") if i < 2000] == expected
    assert ids(run, world(rows[::-1]), "--sample", "5%") == expected[::-1]
    assert ids(run, world(rows[::2]), "--sample", "5%") == [i for i in expected if i % 2 == 0]
    # a larger share holds the smaller
    assert set(expected) < set(ids(run, world(rows), "--sample", "20%"))


def test_without_a_key_rows_are_told_apart_by_what_they_hold(run, world):
    rows = rows_of(2000)
    whole = world(rows, key="")

    def held(file, *more):
        return [tuple(r.values()) for r in table(run, file, "trips", "--sample", "10%", *more)]

    expected = held(whole)
    assert 140 < len(expected) < 270
    assert held(world(rows, key="", files=7), "-j", "8", "--fragment-rows", "50", "--store", world.folder / "seven") == expected
    assert sorted(held(world(rows[::-1], key=""))) == sorted(expected)
    assert held(world(rows + rows_of(100, 9), key=""))[: len(expected)] == expected
    # two thousand rows that are equal are not all in or all out
    same = [["1", "2024-01-05T01:00:00", "a", "5.00", "true"]] * 2000
    assert 140 < len(held(world(same, key=""))) < 270


def test_a_sample_is_told_and_proves_nothing(run, world):
    file = world(rows_of(3000))
    sampled = run("run", file, "--sample", "20%")
    assert "sample of 20%: " in sampled.out and "rows of rated" in sampled.out
    assert "not proven, a sample proves nothing" in sampled.out
    assert run("run", file, "--sample", "20%", "--format", "json").json["steps"]["ran"] == 0
    listed = run("models", "--store", world.folder / ".mlp", "--format", "json")
    assert '"proven":false' in listed.out.replace(" ", "") and "it was made of 20% of the rows" in listed.out
    refused = run("deploy", file, check=3)
    assert "refused" in refused.out + refused.err
    whole = run("run", file, "--format", "json")
    assert whole.json["sample"] is None and whole.json["candidates"][0]["proven"]
    # all rows are no sample: the same steps
    everything = run("run", file, "--sample", "100%", "--format", "json")
    assert everything.json["steps"]["ran"] == 0 and everything.json["sample"] is None
    run("deploy", file)
    planned = run("plan", file, "--sample", "30%", "--format", "json")
    assert planned.json["sample"] == 0.3 and run("plan", file, "--format", "json").json["sample"] is None
    assert [s["name"] for s in planned.json["steps"] if s["action"] == "run" and s["kind"] == "train"] == ["m"]
    assert "run" not in {s["action"] for s in planned.json["steps"] if s["name"].startswith("trips.")}


@pytest.mark.parametrize("share", ["0%", "101%", "-1%", "1", "0.5", "many", "%", "1%%", "nan%", "1e400%", "10 %"])
@pytest.mark.parametrize("command", ["run", "plan", "peek"])
def test_a_share_that_is_none_is_refused(run, world, command, share):
    file = world(rows_of(10))
    failed = run(command, file, *(["trips"] if command == "peek" else []), f"--sample={share}", check=2)
    assert "E0303" in failed.err and "1% or 0.5%" in failed.err


def test_synthetic_and_grouped_tables(run, tmp_path):
    (tmp_path / "g.mlp").write_text("""workflow g
data rows from synthetic(rows: 5_000, seed: 3) { id : int = row_number() @key; k : int = uniform_int(0, 999); x : float = normal(0, 1) }
data groups = rows | group by k { n = count(), total = sum(x) }
data pairs = rows | where x > 0 because "tests" | join groups on k == groups.k | select id, n
data days = rows | where k < 40 because "tests" | derive day = date("2024-01-01") + days(mod(id, 90)) @time
    | fill by k every 1d with x: 0.0 | cross range(1..3) as ahead | derive y = x * ahead
""")
    file = tmp_path / "g.mlp"
    for name, low, high in (("rows", 400, 600), ("groups", 60, 145), ("pairs", 180, 330), ("days", 700, 1200)):
        whole = [tuple(r.values()) for r in table(run, file, name)]
        sampled = [tuple(r.values()) for r in table(run, file, name, "--sample", "10%")]
        assert low < len(sampled) < high, name
        assert set(sampled) <= set(whole), "a group has all its rows"
    # What is computed on the way moves no row: those of a calendar are told apart by key, day and number.
    before = [(r["k"], r["day"], r["ahead"]) for r in table(run, file, "days", "--sample", "10%")]
    edit(file, "normal(0, 1)", "normal(0, 2)"), edit(file, "x * ahead", "x * ahead + 1")
    assert [(r["k"], r["day"], r["ahead"]) for r in table(run, file, "days", "--sample", "10%")] == before
