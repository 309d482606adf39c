"""The stage `| python("prep.py:clean") -> { columns }`: a function of the workflow's own makes a table of another."""

import signal
import textwrap
import time

import pytest

from made import results_of, write_csv
from sources import COLUMNS, calls_and_steps, failure, fetched_files, rows

WORKFLOW = """workflow shop
data orders from csv("orders.csv") {{
    id     : int @key
    amount : float in 0..1_000
    kind   : category("web", "shop")
    note   : string?
    day    : date
    paid   : bool
}}
data clean = orders | where amount > 100 | python("prep.py:clean") -> {{
    id   : int @key
    size : float in 0..{most}
    when : date as "on"
    sort : category("web", "shop")
    paid : bool @label
}} {after}
feature seen of clean {{ size, sort; spring = month(when) in (3, 4, 5) }}
train payer of seen {{ predict paid; split random 70/15/15 by id seed 1; model gbdt {{ trees: 5 }}; seed 1 }}
evaluate payer {{ metrics auc }}
"""

CLEAN = """
def clean(table):
    open("called", "a").write("x")
    size = [a / 10 for a in table["amount"]]
    return {"id": table["id"], "size": size, "on": table["day"], "sort": table["kind"], "paid": table["paid"], "more": size}
"""


def field(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else '"' + str(value).replace('"', '""') + '"'


def write_orders(folder, made):
    write_csv(folder / "orders.csv", COLUMNS, [[field(v) for v in row] for row in made])


def shop(folder, code=CLEAN, after="", most=100, made=None):
    (folder / "prep.py").write_text(textwrap.dedent(code), encoding="utf-8")
    write_orders(folder, rows() if made is None else made)
    path = folder / "shop.mlp"
    path.write_text(WORKFLOW.format(after=after, most=most), encoding="utf-8")
    return path


def test_its_rows_are_those_of_a_file_with_what_the_function_returns(run, tmp_path):
    path = shop(tmp_path)
    run("run", path)
    (tmp_path / "text").mkdir()
    kept = [(r[0], r[1] / 10, r[4], r[2], r[5]) for r in rows() if r[1] > 100]
    write_csv(tmp_path / "text" / "clean.csv", ["id", "size", "on", "sort", "paid"], [[field(v) for v in row] for row in kept])
    text = path.read_text()
    block = text[text.index("-> {") + 2 : text.index("feature")]
    text = "workflow shop\n" + 'data clean from csv("clean.csv")' + block + text[text.index("feature") :]
    (tmp_path / "text" / "shop.mlp").write_text(text)
    run("run", tmp_path / "text" / "shop.mlp")
    assert results_of(run, path) == results_of(run, tmp_path / "text" / "shop.mlp")
    # What went to the function does not stay, and nothing is left beside the workflow.
    assert len(fetched_files(tmp_path)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [".mlp", "called", "orders.csv", "prep.py", "shop.mlp", "text"]


def test_values_of_all_types_go_there_and_come_back(run, tmp_path):
    code = """
        import datetime as d

        def same(table):
            assert list(table) == ["id", "y", "f", "at", "day", "span", "name", "kind", "none"]
            assert table["at"][0] == d.datetime(2024, 2, 29, 12, 0, 0, 5, tzinfo=d.timezone.utc) and table["day"][0] == d.date(2024, 2, 29)
            assert table["span"][0] == d.timedelta(minutes=90) and table["f"][0] == 0.1 and table["y"][0] is True and table["id"][0] == 2**53 + 1
            assert table["name"][0] == 'a "b",\\nc' and table["kind"][0] == "k,1" and set(table["none"]) == {None}
            return dict(table, empty=["" for _ in table["id"]])
    """
    (tmp_path / "prep.py").write_text(textwrap.dedent(code), encoding="utf-8")
    lines = [f'{2**53 + 1 + i},{"true" if i % 2 == 0 else "false"},0.1,2024-02-29T12:00:00.000005Z,2024-02-29,90min,"a ""b"",\nc","k,1",' for i in range(100)]
    (tmp_path / "t.csv").write_text("id,y,f,at,day,span,name,kind,none\n" + "\n".join(lines) + "\n", encoding="utf-8")
    columns = "id : int @key; y : bool @label; f : float; at : timestamp @available(always); day : date; span : duration; name : string @ignore; kind : category; none : float?"
    path = tmp_path / "types.mlp"
    path.write_text(
        f"""workflow types
data raw from csv("t.csv") {{ {columns} }}
data same = raw | python("prep.py:same") -> {{
    {columns}; empty : string @ignore
    expect at == timestamp("2024-02-29T12:00:00.000005Z") and day == date("2024-02-29") and span == 90min for all rows
    expect f == 0.1 and name == "a \\"b\\",\\nc" and kind == "k,1" and empty == "" for all rows
    expect missing(none) >= 1.0
}}
feature f of same {{ half = id / 2 }}
train m of f {{ predict y; split random 70/15/15; model gbdt {{ trees: 2 }}; seed 1 }}
"""
    )
    run("run", path)


def test_it_runs_again_when_its_code_or_its_table_changes_and_only_then(run, tmp_path):
    path, called = shop(tmp_path), tmp_path / "called"

    ran = calls_and_steps(run, path, called)
    path.write_text(path.read_text().replace("trees: 5", "trees: 6").replace("data clean", "# a comment\ndata clean"))
    size, steps = ran()
    assert size == 0 and steps > 0
    # Other code, the same rows: it is called, and nothing follows.
    (tmp_path / "prep.py").write_text(CLEAN + "# changed\n")
    plan = run("plan", path, "--format", "json").json
    step = next(s for s in plan["steps"] if s["name"] == "clean.python")
    assert step["action"] == "run" and "prep.py:clean" in step["reason"] and not called.exists()
    assert ran() == (1, 0)
    # A column that the function is given and does not look at: it is called.
    write_orders(tmp_path, [(*r[:3], "another", *r[4:]) for r in rows()])
    assert run("plan", path, "--format", "json").json["steps"] and not called.exists()
    size, _ = ran()
    assert size == 1
    path.write_text(path.read_text().replace("amount > 100", "amount > 200"))
    size, steps = ran()
    assert size == 1 and steps > 5


def test_stages_follow_and_functions_follow_each_other(run, tmp_path):
    code = CLEAN + "\ndef twice(table):\n    return {n: v + v for n, v in table.items()}\n"
    after = '| where size > 50 | select id, size, when, sort, paid | python("prep.py:twice") -> { id, n : int; size : float; when : date; sort : category("web", "shop"); paid : bool @label } | derive big = size > 70'
    path = shop(tmp_path, code.replace("return {n:", "table['n'] = list(range(len(table['id'])))\n    return {n:"), after)
    run("run", path)
    shown = run("peek", path, "clean", "--rows", "1000", "--format", "json").json
    many = sum(r[1] > 500 for r in rows())
    assert len(shown["rows"]) == 2 * many


def test_the_same_bits_at_any_number_of_threads_and_rows_of_a_fragment(run, tmp_path):
    path = shop(tmp_path)
    found = []
    for i, options in enumerate((["-j", "1"], ["-j", "3", "--fragment-rows", "64"])):
        run("run", path, "--store", tmp_path / f"store{i}", *options)
        found.append(sorted(p.name for p in (tmp_path / f"store{i}" / "fetched").rglob("*.rows")))
    assert found[0] == found[1] and len(found[0]) == 1


def test_a_request_has_the_columns_that_the_function_returns(run, tmp_path):
    path = shop(tmp_path)
    run("run", path)
    (tmp_path / "new.csv").write_text("size,on,sort\n5.5,2024-04-01,web\n")
    run("score", "payer", tmp_path / "new.csv", tmp_path / "out.csv", "--store", tmp_path / ".mlp")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2


def test_names_after_it_are_those_that_it_declares(run, tmp_path):
    path = shop(tmp_path, after="| where amount > 3")
    d = failure(run("check", path, "--format", "json", check=1), "E0203")
    assert "`amount`" in d["message"]


# ---- what breaks the contract, and functions that fail -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, check, error, said",
    [
        (CLEAN.replace('"sort"', '"sorts"'), 4, "E0803", "`sort`"),
        (CLEAN.replace("[a / 10 for a in", "['much' if a > 900 else 1.0 for a in"), 4, "E0801", ""),
        (CLEAN.replace('"size": size', '"size": size[1:]'), 4, "E0804", "different lengths"),
        ("def clean(table):\n    return 1\n", 4, "E0804", "returned a int"),
        ("def clean():\n    return {}\n", 5, "E0913", "takes no table"),
        ("def cleaned(table):\n    return {}\n", 5, "E0913", "no function `clean`"),
        ("def clean(table):\n    raise KeyError('no')\n", 5, "E0913", "raised KeyError"),
        ("import os\ndef clean(table):\n    os.kill(os.getpid(), 9)\n", 5, "E0913", "signal 9"),
        ("def clean(table):\n    x = bytearray(8 << 30)\n", 5, "E0913", "more than 4000 MB"),
        ("def clean(table):\n    for i in range(1 << 10):\n        print('x' * (1 << 20))\n", 5, "E0913", "more than 64 MB"),
    ],
)
def test_one_that_fails(run, tmp_path, code, check, error, said):
    path = shop(tmp_path, code)
    outcome = run("run", path, "--format", "json", check=check)
    d = failure(outcome, error)
    assert said in d["message"] and d["help"] and d["file"].endswith("shop.mlp") and d["line"] >= 10, d
    if error == "E0801":
        assert d["rows"][0]["file"] == "prep.py:clean" and d["rows"][0]["column"] == "size"
    else:
        assert fetched_files(tmp_path) == []
    if error == "E0801" or "signal" in said:
        shop(tmp_path)
        run("run", path)


def test_a_run_that_is_stopped_while_it_hangs_ends_it(start, run, tmp_path):
    path = shop(tmp_path, "import os, time\ndef clean(table):\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(600)\n")
    process = start("run", path, cwd=tmp_path)
    for _ in range(600):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5 and "E0906" in err and fetched_files(tmp_path) == []
    shop(tmp_path)
    run("run", path)
