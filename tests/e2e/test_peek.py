"""`mlpc peek`: rows of tables and views as the steps of a run make them."""

import csv
import io
import os
import pty
import re
import select
import subprocess
import time

import pytest

from made import make_census


@pytest.fixture
def census(tmp_path):
    return make_census(tmp_path / "census", rows=900)


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def names(outcome):
    return [column["name"] for column in outcome.json["columns"]]


def values(outcome, name):
    at = names(outcome).index(name)
    return [row[at] for row in outcome.json["rows"]]


def test_a_table_shows_its_rows_in_order_with_their_types(run, census):
    shown = run("peek", census, "people", "--format", "json", "--rows", "7")
    assert names(shown) == ["age", "hours", "gain", "loss", "region", "job", "sex", "income", "rich"]
    assert {c["name"]: c["type"] for c in shown.json["columns"]}["sex"] == 'category("Male", "Female")'
    assert shown.json["total_rows"] == shown.json["matching_rows"] == 900 and shown.json["row_numbers"] == list(range(1, 8))
    rows = rows_of(census.parent / "people.csv")[:7]
    assert values(shown, "age") == [int(row["age"]) for row in rows]
    assert values(shown, "gain") == [float(row["gain"]) for row in rows]
    assert values(shown, "region") == [None if row["region"].strip() in ("?", "") else row["region"].strip() for row in rows]
    assert values(shown, "rich") == [row["income"].strip() == ">50K" for row in rows]


def test_where_is_an_expression_of_the_language(run, census):
    condition = 'age > 40 and (job ?? "none") != "none" and hours in 20..60'
    shown = run("peek", census, "people", "--where", condition, "--rows", "5", "--format", "json", "--fragment-rows", "100")
    rows = rows_of(census.parent / "people.csv")
    good = [i for i, r in enumerate(rows) if int(r["age"]) > 40 and r["job"].strip() not in ("?", "") and 20 <= int(r["hours-per-week"]) <= 60]
    assert shown.json["matching_rows"] == len(good) and shown.json["row_numbers"] == [i + 1 for i in good[:5]]
    assert values(shown, "age") == [int(rows[i]["age"]) for i in good[:5]]
    nothing = run("peek", census, "people", "--where", "age > 119", "--format", "json")
    assert nothing.json["rows"] == [] and nothing.json["matching_rows"] == 0 and names(nothing)
    # missing is not true
    known = run("peek", census, "people", "--where", 'region == "north"', "--format", "json").json["matching_rows"]
    other = run("peek", census, "people", "--where", 'not (region == "north")', "--format", "json").json["matching_rows"]
    assert known + other == sum(r["region"].strip() not in ("?", "") for r in rows)


def test_a_view_shows_what_its_columns_are_computed_from(run, census):
    shown = run("peek", census, "profile", "--format", "json")
    of = {c["name"]: c["of"] for c in shown.json["columns"]}
    assert {n for n, owner in of.items() if owner == "people"} == {"gain", "loss", "region", "job"}
    assert [n for n, owner in of.items() if owner == "profile"] == ["age", "hours", "net", "log_gain", "overtime", "work", "place", "age_z"]
    assert values(shown, "net") == [g - l for g, l in zip(values(shown, "gain"), values(shown, "loss"))]
    assert values(shown, "overtime") == [h > 45 for h in values(shown, "hours")]
    assert {c["name"]: c.get("code") for c in shown.json["columns"]}["net"] == "gain - loss"
    assert shown.json["fitted_as"] == "boosted" and shown.json["left_out"] == []
    by_feature = run("peek", census, "profile", "--where", "net > 100 and sex == \"Male\"", "--format", "json")
    assert all(v > 100 for v in values(by_feature, "net")) and by_feature.json["matching_rows"] > 0


def test_fitted_columns_are_those_of_the_train(run, census):
    shown = run("peek", census, "profile", "--rows", "900", "--format", "json")
    assert abs(sum(values(shown, "age_z"))) / 900 < 0.2 and max(values(shown, "age_z")) > 1
    assert run("peek", census, "profile", "--where", "age_z > 1", "--format", "json").json["matching_rows"] == sum(v > 1 for v in values(shown, "age_z"))


def test_nothing_is_computed_twice(run, census):
    run("run", census)
    run("peek", census, "profile")
    (newest, *_) = run("runs", "--store", census.parent / ".mlp", "--format", "json").json["runs"]
    assert newest["command"].startswith("peek")
    steps = run("show", newest["run"], "--store", census.parent / ".mlp", "--format", "json").json["steps"]
    assert steps and {step["action"] for step in steps} == {"reused"}
    # and a run takes what a peek has computed
    other = make_census(census.parent / "other", rows=500, seed=9)
    run("peek", other, "profile")
    ran = {step["name"] for step in run("run", other, "--format", "json").json["ran"]}
    assert not {"people.age", "profile.log_gain", "profile.age_z"} & ran and "boosted" in ran


def test_only_what_is_shown_is_computed(run, census):
    run("peek", census, "people")
    steps = run("show", "--store", census.parent / ".mlp", "--format", "json").json["steps"]
    assert all(step["name"].startswith("people") for step in steps)


def test_a_fitted_column_of_a_view_that_nothing_is_trained_on(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "t.mlp").write_text('workflow t\ndata t from csv("t.csv") { a : int; b : float }\nfeature v of t { twice = a * 2; z = standardize(b) }\nfeature w of t { z = standardize(b) }\n')
    shown = run("peek", "t.mlp", "v", "--format", "json")
    assert names(shown) == ["a", "twice"] or names(shown) == ["a", "b", "twice"]
    assert shown.json["left_out"] == ["z"]
    assert "no train" in run("peek", "t.mlp", "v").out
    failed = run("peek", "t.mlp", "v", "--where", "z > 0", check=1)
    assert "E0309" in failed.err and "z > 0" in failed.err


@pytest.mark.parametrize(
    ("name", "where", "code", "said"),
    [
        ("peple", None, "E0201", "did you mean `people`"),
        ("holdout", None, "E0211", "is a split"),
        ("people", "agee > 3", "E0203", "did you mean `age`"),
        ("people", "age + 1", "E0301", "true or false"),
        ("people", "age >", "E0101", "something is missing after `>`"),
        ("people", " ", "E0101", "is not one expression"),
        ("people", "age > 3 expect", "E0101", "--where:1"),
        ("people", 'job == 3', "E0301", "--where:1"),
    ],
)
def test_a_mistake_in_the_question_is_shown_in_it(run, census, name, where, code, said):
    outcome = run("peek", census, name, *(["--where", where] if where else []), check=1)
    assert f"error[{code}]" in outcome.err and said in outcome.err and not outcome.out
    assert not (census.parent / ".mlp").exists()


def test_an_empty_condition_is_none(run, census):
    assert "--where" in run("peek", census, "people", "--where", "", check=2).err


def test_params_and_environments_hold(run, tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n2\n3\n")
    (tmp_path / "b.csv").write_text("x\n10\n20\n")
    (tmp_path / "t.mlp").write_text('workflow t\nparam low: int = 2\ndata t from csv("a.csv") { x : int; big : bool = x >= low }\nenv prod { data t from csv("b.csv") }\n')
    assert values(run("peek", "t.mlp", "t", "--format", "json", "--where", "x >= low"), "x") == [2, 3]
    assert values(run("peek", "t.mlp", "t", "--format", "json", "--param", "low=3"), "big") == [False, False, True]
    assert values(run("peek", "t.mlp", "t", "--format", "json", "--env", "prod"), "x") == [10, 20]


def test_an_imported_table(run, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/t.csv").write_text("x\n1\n")
    (tmp_path / "shared/t.mlp").write_text('param low: int = 1\ndata t from csv("t.csv") { x : int }\n')
    (tmp_path / "main.mlp").write_text('workflow main\nimport "shared/t.mlp" as shared\n')
    assert values(run("peek", "main.mlp", "shared.t", "--where", "x >= shared.low", "--format", "json"), "x") == [1]
    assert "did you mean `t`" in run("peek", "main.mlp", "shared.tt", check=1).err


def test_what_cannot_run_yet_elsewhere_in_the_file_is_in_nobodys_way(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,true\n2,false\n")
    (tmp_path / "t.mlp").write_text("""workflow t
data t from csv("t.csv") { x : sparse(3); y : bool @label }
data u from csv("t.csv") { x : int }
""")
    assert run("run", "t.mlp", check=1).code == 1
    assert values(run("peek", "t.mlp", "u", "--format", "json"), "x") == [1, 2]
    assert "E0601" in run("peek", "t.mlp", "t", check=1).err


def test_data_that_break_the_contract(run, census):
    path = census.parent / "people.csv"
    path.write_text(path.read_text() + "x" * 3 + "\n")
    assert "E0801" in run("peek", census, "people", check=4).err


# ---- how it looks ------------------------------------------------------------------------------------------------------------------

ODD = """workflow odd

data odd from csv("odd.csv", null: "-") {
    id        : int
    name      : string?
    share     : float?
    day       : date
    at        : timestamp
    long_text : string
    took      : duration? = if id > 1 then at - at else missing
}
"""
ODD_ROWS = [
    "id,name,share,day,at,long_text",
    '1,"two\nlines",0.5,2024-02-29,2024-01-01 10:00:00,' + "x" * 100,
    "2,missing,1234567.891,1999-12-31,1970-01-01T00:00:00.5Z,\x1b[31mred",
    "300,日本,-,0001-01-01,1969-12-31 23:59:59,ok",
]


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.csv").write_text("\n".join(ODD_ROWS) + "\n")
    (tmp_path / "odd.mlp").write_text(ODD.replace("    took      : duration? = if id > 1 then at - at else missing\n", ""))
    return tmp_path / "odd.mlp"


def test_the_text_is_aligned_and_harmless(run, odd):
    out = run("peek", odd, "odd").out
    assert "\x1b" not in out
    head, types, *rows = out.splitlines()[:5]
    assert head.split() == ["row", "id", "name", "share", "day", "at", "long_text"]
    assert types.split() == ["int", "string?", "float?", "date", "timestamp", "string"]
    assert r"two\nlines" in rows[0] and "2024-01-01T10:00:00Z" in rows[0] and "x" * 39 + "…" in rows[0] and "x" * 40 not in rows[0]
    assert '"missing"' in rows[1] and "1234567.9" in rows[1] and r"\x1b[31mred" in rows[1] and "1970-01-01T00:00:00.5Z" in rows[1]
    assert re.search(r"日本 +missing +0001-01-01 +1969-12-31T23:59:59Z", rows[2])
    # numbers to the right, under one another
    assert rows[2].index("300") + 3 == rows[0].index("1  two") + 1
    assert out.rstrip().endswith("3 of 3 rows")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_a_wide_table_is_fitted_to_the_terminal(run, census, width):
    out = run("peek", census, "profile", env={"COLUMNS": width}).out
    table = out.split("\n\n")[0].splitlines()
    body = [line for line in table if not line.startswith("…")]
    assert all(len(line) <= width for line in body), out
    shown = [line for line in body if line.startswith("row")][0].split()[1:]
    left = [line for line in table if line.startswith("…")]
    assert len(shown) + (int(re.search(r"and (\d+) column", left[0])[1]) if left else 0) == 12
    assert "age" in shown  # the view's own come first
    if width == 200:
        assert not left and table[0].split() == ["people", "profile"]


def test_csv_reads_back(run, odd, census):
    rows = list(csv.reader(io.StringIO(run("peek", odd, "odd", "--format", "csv").out)))
    assert rows[0] == ["id", "name", "share", "day", "at", "long_text"] and rows[1][1] == "two\nlines" and rows[3][2] == ""
    shown = run("peek", census, "people", "--format", "csv", "--rows", "900").out
    assert len(list(csv.reader(io.StringIO(shown)))) == 901


def test_on_a_terminal_it_is_coloured_and_as_wide_as_that(mlpc_bin, census):
    def on_terminal(**extra):
        leader, follower = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TERM": "xterm", **extra}
        subprocess.run(["stty", "cols", "50"], stdin=follower, check=True)
        process = subprocess.Popen([str(mlpc_bin), "peek", str(census), "people"], stdout=follower, stderr=subprocess.PIPE, env=environment)
        os.close(follower)
        out, until = b"", time.monotonic() + 60
        while time.monotonic() < until:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    part = os.read(leader, 1 << 16)
                except OSError:  # the other end is closed
                    break
                if not part:
                    break
                out += part
        assert process.wait(20) == 0, process.stderr.read()
        os.close(leader)
        return out.decode()

    painted = on_terminal()
    assert "\x1b[1m" in painted and "\x1b[2m" in painted
    plain = on_terminal(NO_COLOR="1")
    assert "\x1b" not in plain and re.sub(r"\x1b\[\d*m", "", painted).splitlines() == plain.splitlines()
    assert all(len(line) <= 50 for line in plain.splitlines() if not line.startswith("…"))


def test_columns_that_read_nothing_of_their_table(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,x\n1,2.5\n2,3.5\n")
    (tmp_path / "rates.csv").write_text("k,v\na,1\nb,2\n")
    (tmp_path / "t.mlp").write_text("""workflow t
data t from csv("t.csv") { id : int @key; x : float }
data rates from csv("rates.csv") { k : string; v : float }
data ones = t | derive one = 1 | select one
data some = t | where x > 3 | derive one = 1 | select one
feature f of t { one = 1; rate = mean(rates.v) }
""")
    for name, rows in (("ones", [[1], [1]]), ("some", [[1]]), ("f", [[1, 1.5], [1, 1.5]])):
        assert run("peek", "t.mlp", name, "--format", "json").json["rows"] == rows
    assert run("peek", "t.mlp", "f", "--where", "true", "--profile", "--format", "json").json["total_rows"] == 2
