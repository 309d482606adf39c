"""The stage `| sql("select … from input")`: rows that DuckDB makes of those before it."""

import csv
import io

import pytest

from made import edit, results_of
from sources import COLUMNS, failure, rows
from test_python_stage import write_orders

ORDERS = """workflow shop
data orders from csv("orders.csv") {
    id     : int @key
    amount : float in 0..1_000
    kind   : category("web", "shop")
    note   : string?
    day    : date
    paid   : bool @label
}
"""


def shop(folder, tail, made=None):
    folder.mkdir(exist_ok=True)
    write_orders(folder, rows() if made is None else made)
    path = folder / "shop.mlp"
    path.write_text(ORDERS + tail, encoding="utf-8")
    return path


def table(run, path, name, *options):
    """The rows of a table, as texts, and its types."""
    out = run("peek", path, name, "--rows", "1000", "--format", "csv", *options).out
    return list(csv.DictReader(io.StringIO(out)))


def types(run, path, name):
    return {c["name"]: c["type"] for c in run("peek", path, name, "--rows", "1", "--format", "json").json["columns"]}


def test_groups_with_the_values_and_the_order_that_the_statement_gives(run, tmp_path):
    path = shop(tmp_path, 'data kinds = orders | sql("select kind, count(*) as n, min(id) as first, max(day) as last, sum(id) as ids from input group by kind order by n desc, kind")\n')
    expected = []
    for kind in ("web", "shop"):
        of = [r for r in rows() if r[2] == kind]
        expected.append({"kind": kind, "n": len(of), "first": min(r[0] for r in of), "last": max(r[4] for r in of), "ids": sum(r[0] for r in of)})
    expected.sort(key=lambda r: (-r["n"], r["kind"]))
    assert table(run, path, "kinds") == [{k: str(v) for k, v in r.items()} for r in expected]
    assert types(run, path, "kinds") == {"kind": 'category("web", "shop")', "n": "int?", "first": "int?", "last": "date?", "ids": "int?"}


def test_rows_come_in_the_order_of_the_statement_also_behind_further_stages(run, tmp_path):
    path = shop(tmp_path, 'data late = orders | sql("select id, amount, day from input where amount > 500 order by day desc, id") | derive twice = amount * 2\n')
    kept = sorted((r for r in rows() if r[1] > 500), key=lambda r: r[0])
    kept.sort(key=lambda r: r[4], reverse=True)
    got = table(run, path, "late", "--fragment-rows", "17")
    assert [int(r["id"]) for r in got] == [r[0] for r in kept]
    assert [float(r["twice"]) for r in got] == [2 * r[1] for r in kept]


def test_a_table_joined_with_itself(run, tmp_path):
    text = '''data pairs = orders | sql("""
        with daily as (select day, avg(amount) as usual from input group by day)
        select a.id, a.amount - daily.usual as above, b.id as before
        from input a join daily on a.day = daily.day left join input b on b.id = a.id - 1
        order by a.id""")
'''
    path = shop(tmp_path, text)
    got = table(run, path, "pairs")
    by_day = {}
    for r in rows():
        by_day.setdefault(r[4], []).append(r[1])
    assert [int(r["id"]) for r in got] == [r[0] for r in rows()]
    assert got[0]["before"] == "" and got[1]["before"] == "1"
    for one, r in zip(got, rows(), strict=True):
        assert float(one["above"]) == pytest.approx(r[1] - sum(by_day[r[4]]) / len(by_day[r[4]]), abs=1e-9)


def test_values_of_all_types_go_there_and_come_back(run, tmp_path):
    lines = [f'{2**53 + 1 + i},{"true" if i % 2 == 0 else "false"},0.1,2024-02-29T12:00:00.000005Z,2024-02-29,90min,"a ""b"",\nc","k,1",' for i in range(40)]
    (tmp_path / "t.csv").write_text("id,y,f,moment,day,span,name,kind,none\n" + "\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "types.mlp"
    path.write_text(
        """workflow types
data raw from csv("t.csv") { id : int @key; y : bool; f : float; moment : timestamp; day : date; span : duration; name : string; kind : category("k,1"); none : float? }
data same = raw | sql("select * from input")
data made = raw | sql(\"\"\"select id + 0 as id, not y as y, f * 1 as f, moment + interval 1 day as moment, day + 1 as day, span + interval 1 minute as span, name || '' as name, kind || '' as kind,
    none, '' as nothing, 1e308 * 10 as much, case when id = 0 then 1 end as gone, moment - timestamp '2024-02-29' as since from input\"\"\")
"""
    )
    same = types(run, path, "same")
    assert same == {"id": "int", "y": "bool", "f": "float", "moment": "timestamp", "day": "date", "span": "duration", "name": "string", "kind": 'category("k,1")', "none": "float?"}
    assert table(run, path, "same") == table(run, path, "raw")
    assert set(types(run, path, "made").values()) == {"int?", "bool?", "float?", "timestamp?", "date?", "duration?", "string?"}
    first = table(run, path, "made")[0]
    before = table(run, path, "raw")[0]
    assert first["id"] == str(2**53 + 1) and first["y"] == "false" and first["f"] == "0.1" and first["day"] == "2024-03-01"
    assert first["moment"] == before["moment"].replace("02-29", "03-01") and first["name"] == 'a "b",\nc'
    assert first["much"] == "" and first["gone"] == "" and first["none"] == ""
    assert len(table(run, path, "made", "--where", 'span == 91min and since > 12h and since < 12h + 1s and nothing == "" and much is missing')) == 40


TRAINED = '''data seen = orders
    | sql("select id, amount, kind, day, paid, amount * amount as square from input where day >= date '2024-02-01' order by id")
feature f of seen { amount, square, kind }
train payer of f { predict paid; split random 70/15/15 by id seed 1; model gbdt { trees: 5 }; seed 1 }
evaluate payer { metrics auc }
'''


def test_a_model_behind_it_has_the_same_bits_with_any_threads_and_fragments(run, tmp_path):
    results = []
    for name, options in {"one": ["-j", "1"], "two": ["-j", "2", "--fragment-rows", "13"]}.items():
        path = shop(tmp_path / name, TRAINED)
        run("run", path, *options)
        results.append(results_of(run, path))
    assert results[0] == results[1]


def test_an_edit_of_the_statement_runs_that_stage_and_what_follows(run, tmp_path):
    path = shop(tmp_path, TRAINED)
    run("run", path)
    assert run("run", path, "--format", "json").json["steps"]["ran"] == 0
    edit(path, "data seen", "# a comment\ndata seen")
    assert run("run", path, "--format", "json").json["steps"]["ran"] == 0
    edit(path, "amount * amount as square", "amount * amount + 0 as square")
    outcome = run("run", path, "--format", "json").json["steps"]
    # The statement runs again; the columns that come out as they were change nothing behind them.
    assert 0 < outcome["ran"] < outcome["total"] / 2


def test_an_error_on_the_rows_stops_the_run_and_leaves_nothing(run, tmp_path):
    path = shop(tmp_path, 'data bad = orders | sql("select id, cast(note as integer) as n from input")\n')
    failed = run("run", path, "--format", "json", check=5)
    said = failure(failed, "E0913")
    assert "failed on the rows" in said["message"] and "Could not convert string" in said["message"]
    assert said["line"] == ORDERS.count("\n") + 1 and said["help"]
    assert not list((tmp_path / ".mlp").rglob("*.rows"))
    edit(path, "cast(note as integer)", "try_cast(note as integer)")
    run("run", path)


def test_a_sum_that_does_not_fit_stops_the_run(run, tmp_path):
    path = shop(tmp_path, 'data big = orders | sql("select sum(id + 9000000000000000000) as s from input")\n')
    assert failure(run("run", path, "--format", "json", check=5), "E0913")


def test_rows_without_any(run, tmp_path):
    path = shop(tmp_path, 'data none = orders | sql("select id from input where amount < 0")\n')
    assert table(run, path, "none") == []
    assert COLUMNS[0] in run("peek", path, "none").out


WRONG = {
    "unknown column": ("select id, amounts from input", "E0111", "amounts", "Referenced column"),
    "another table": ("select * from input join people on true", "E0111", None, "no table `people` here"),
    "syntax": ("select id form input x", "E0111", None, "cannot be carried out"),
    "a word of SQL": ("select max(at) as at from input", "E0111", ")", '`"at"`'),
    "a word of SQL before": ("select id, order from input", "E0111", None, '`"order"`'),
    "two statements": ("select 1 as a; select 2 as a", "E0111", None, "2 statements"),
    "no select": ("drop table input", "E0111", None, ""),
    "no name": ("select kind, sum(amount) from input group by kind", "E0111", None, "has no name"),
    "name twice": ("select id, amount as id from input", "E0111", None, "two columns `id`"),
    "decimal": ("select id, id * 1.5 as more from input", "E0111", None, "DECIMAL"),
    "random": ("select id, random() as r from input", "E0111", None, "`random` gives another value"),
    "now": ("select id, current_timestamp as t from input", "E0111", None, "`current_timestamp` gives another value"),
    "sample": ("select id from input using sample 10%", "E0111", None, "sample"),
    "a file": ("select * from read_csv('orders.csv')", "E0111", None, "read_csv"),
    "a file by name": ("select * from 'orders.csv'", "E0111", None, "no table `orders.csv` here"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_before_there_are_rows(run, tmp_path, name):
    statement, code, place, said = WRONG[name]
    path = shop(tmp_path, f'data made = orders | sql("{statement}")\n')
    found = failure(run("check", path, "--format", "json", check=1), code)
    assert said in found["message"] + "".join(found["notes"]) and found["help"], found
    line = path.read_text().splitlines()[found["line"] - 1]
    assert line.startswith("data made") and "mlp_" not in str(found)
    if place:
        assert line[found["column"] - 1 : found["end_column"] - 1] == place


FEATURES = {
    "of the label": ("orders", "select *, case when paid then 1 else 0 end as guess from input", "guess"),
    "of a name": ("people", "select id, seen, length(name) as letters from input", "letters"),
    "of later rows": ("people", "select id, seen, count(*) over () as many from input", "many"),
    "of names inside": ("people", "select id, seen, (select max(name) from input) as last from input", "last"),
}


@pytest.mark.parametrize("name", FEATURES)
def test_tags_go_through_a_statement(run, tmp_path, name):
    of, statement, column = FEATURES[name]
    people = 'data people from csv("people.csv") { id : int @key; seen : timestamp @time; name : string @pii; n : int }\n'
    at = " at seen" if of == "people" else ""
    text = f'{people}data made = {of} | sql("{statement}")\nfeature f of made{at} {{ one = {column} }}\n'
    path = shop(tmp_path, text)
    found = run("check", path, "--format", "json", check=1).json["diagnostics"]
    assert {d["code"][:3] for d in found if d["severity"] == "error"} <= {"E04", "E05"} and found
    # Without the column it is right.
    path.write_text(path.read_text().replace(f"one = {column}", "one = amount" if of == "orders" else "one = n").replace("select id, seen,", "select id, seen, n,"))
    run("check", path)
