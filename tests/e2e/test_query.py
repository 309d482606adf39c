"""`mlpc query`: SQL over the tables and views of a workflow."""

import csv
import io
import sqlite3

import pytest

from made import make_census

pytestmark = pytest.mark.usefixtures("duckdb")  # skips where it was not fetched


@pytest.fixture
def census(tmp_path):
    return make_census(tmp_path / "census", rows=900)


@pytest.fixture
def oracle(census):
    """The same table in SQLite."""
    base = sqlite3.connect(":memory:")
    with open(census.parent / "people.csv", newline="") as file:
        rows = list(csv.reader(file, skipinitialspace=True))
    base.execute("create table people (age int, hours int, gain real, loss real, region text, job text, sex text, income text)")
    base.executemany("insert into people values (?, ?, ?, ?, ?, ?, ?, ?)", [[None if v == "?" else v for v in row] for row in rows[1:]])
    yield lambda sql: [list(row) for row in base.execute(sql)]
    base.close()


def ask(run, file, sql, *more):
    return run("query", file, sql, "--format", "json", *more).json


@pytest.mark.parametrize(
    "sql",
    [
        "select job, count(*), sum(age), min(hours) from people group by job order by job nulls first",
        "select age, gain from people where region is null order by age, gain limit 7",
        "select count(*) from people where gain > 0 and sex = 'Female'",
        "select a.job, count(*) from people a join people b on a.age = b.age and a.job = b.job group by 1 order by 1",
        "with old as (select * from people where age > 60) select region, count(*) from old where region is not null group by region order by 2 desc, 1",
        "select age from people except select age from people where age > 30 order by age",
        "select 1 as one, 'x' as text",
    ],
)
def test_rows_are_those_of_another_database(run, census, oracle, sql):
    assert ask(run, census, sql, "--fragment-rows", 100)["rows"] == oracle(sql)


def test_types_names_and_missing_values(run, tmp_path):
    (tmp_path / "t.csv").write_text('id,name,day,at,x,ok\n1,"a,b",2024-02-29,2024-01-01 10:00:00.5,0.1,true\n2,,1999-12-31,1969-12-31 23:59:59,,false\n')
    (tmp_path / "t.mlp").write_text("""workflow t
data things from csv("t.csv") { id : int; name : category?; day : date; at : timestamp; x : float?; ok : bool }
feature v of things { twice = x * 2; kind = one_hot(name) }
train m of v { predict ok; split random 70/15/15; model logistic { l2: 1.0 }; seed 1 }
""")
    found = ask(run, "t.mlp", "select * from things")
    assert found["columns"] == [{"name": n, "type": t} for n, t in [("id", "int"), ("name", "string?"), ("day", "date"), ("at", "timestamp"), ("x", "float?"), ("ok", "bool")]]
    assert found["rows"] == [[1, "a,b", "2024-02-29", "2024-01-01T10:00:00.5Z", 0.1, True], [2, None, "1999-12-31", "1969-12-31T23:59:59Z", None, False]]
    more = ask(run, "t.mlp", "select sum(id) as total, 9223372036854775807::hugeint + 1 as large, 1.5 as tenth, max(\"at\") - min(\"at\") as took, interval 2 month as months, [1, 2] as list, null as nothing from THINGS")
    assert [c["type"] for c in more["columns"]] == ["int", "float", "float", "duration", "string", "string", "int?"]
    assert more["rows"] == [[3, 2.0**63, 1.5, more["rows"][0][3], "2 months", "[1, 2]", None]]
    assert ask(run, "t.mlp", "select twice from v")["rows"] == [[0.2], [None]]
    assert ask(run, "t.mlp", "describe things")["total_rows"] == 6
    assert ask(run, "t.mlp", "summarize things;")["total_rows"] == 6
    assert ask(run, "t.mlp", 'from "things" order by id desc')["rows"][0][0] == 2


def test_a_view_with_fitted_columns_is_that_of_its_train(run, census):
    shown = run("peek", census, "profile", "--rows", "900", "--format", "json").json
    z = [row[[c["name"] for c in shown["columns"]].index("age_z")] for row in shown["rows"]]
    assert ask(run, census, "select age_z from profile")["rows"] == [[v] for v in z]
    assert [c["name"] for c in ask(run, census, "select * from profile")["columns"]] == ["age", "hours", "net", "log_gain", "overtime", "work", "place", "age_z"]
    assert "fitted as in boosted" in run("query", census, "select count(*) from profile").out


def test_only_the_tables_that_are_named_are_computed_and_nothing_twice(run, census):
    steps = lambda: run("show", "--store", census.parent / ".mlp", "--format", "json").json["steps"]
    run("query", census, "select count(*) from people")
    assert {step["name"].split(".")[0] for step in steps()} == {"people"}
    ask(run, census, "select avg(net) from profile")
    assert any(step["name"] == "profile.net" for step in steps())
    ask(run, census, "select avg(net) from profile")
    assert {step["action"] for step in steps()} == {"reused"}
    before = run("runs", "--store", census.parent / ".mlp", "--format", "json").json["runs"]
    run("query", census, "select 1")
    assert run("runs", "--store", census.parent / ".mlp", "--format", "json").json["runs"] == before


def test_equal_answers_however_it_is_run(run, census):
    sql = "select job, avg(gain), stddev(age) from people group by job"
    found = [run("query", census, sql, "--format", "csv", "-j", j, "--fragment-rows", n, "--store", census.parent / f"s{j}{n}").out for j, n in [(1, 65536), (2, 100), (8, 7)]]
    assert found[0] == found[1] == found[2]


def test_an_imported_table(run, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/t.csv").write_text("x\n1\n2\n")
    (tmp_path / "shared/t.mlp").write_text('data t from csv("t.csv") { x : int }\n')
    (tmp_path / "main.mlp").write_text('workflow main\nimport "shared/t.mlp" as shared\ndata t from csv("shared/t.csv") { x : int }\n')
    assert ask(run, "main.mlp", "select a.x, b.x from shared.t a join t b on a.x = b.x order by 1")["rows"] == [[1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("sql", "said", "place"),
    [
        ("select agee from people", "agee", "1:8"),
        ("select age\nfrom peple", "peple", "2:6"),
        ("selec age from people", "selec", "1:1"),
        ("select age from people where", "", None),
        ("select 1; select 2", "2 statements", None),
        ("", "empty", None),
        ("select cast(job as integer) from people", "", None),
        ("select * from read_csv('people.csv')", "", None),
        ("copy people to 'stolen.csv'", "", None),
        ("install httpfs", "", None),
        ("set enable_external_access = true", "", None),
        ("drop view people", "write one SELECT", "1:1"),
        ("explain select 1", "write one SELECT", "1:1"),
        ("select 9223372036854775807 + age from people", "CASE for what may fail", None),
        ("select cast('x' as int) from people", "TRY_CAST", None),
    ],
)
def test_what_is_wrong_or_not_allowed_is_said(run, census, sql, said, place):
    outcome = run("query", census, sql, cwd=census.parent, check=1)
    assert "error[E0111]" in outcome.err and said in outcome.err and not outcome.out
    assert "Error:" not in outcome.err.split("help")[0] and "mlp_" not in outcome.err
    if place:
        assert f"SQL:{place}" in outcome.err
    assert not (census.parent / "stolen.csv").exists()


def test_a_name_that_is_not_there_shows_those_that_are(run, census):
    told = run("query", census, "select * from nobody", check=1).err
    assert "`people`" in told and "`profile`" in told


def test_the_text_is_cut_and_says_so(run, census):
    out = run("query", census, "select age, job from people").out
    assert out.rstrip().endswith("100 of 900 rows; --rows shows more") and out.splitlines()[0].split() == ["age", "job"]
    assert run("query", census, "select age from people", "--rows", "900").out.rstrip().endswith("900 rows")
    assert len(list(csv.reader(io.StringIO(run("query", census, "select age from people", "--format", "csv").out)))) == 901


def test_data_that_break_the_contract_are_told_as_by_a_run(run, census):
    path = census.parent / "people.csv"
    path.write_text(path.read_text() + "x" * 3 + "\n")
    assert "E0801" in run("query", census, "select count(*) from people", check=4).err
