"""Tables out of a Python function of the workflow's own, in a process of its own."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from made import computed_values, results_of, write_csv
from sources import COLUMNS, calls_and_steps, everything_below, failure, fetched_files, rows, workflow

LOAD = """
def load(columns=None):
    made = {rows!r}
    return dict(zip({columns!r}, map(list, zip(*made))))
"""


def write_code(folder, text, name="prep.py"):
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def write_load(folder, made, before=""):
    write_code(folder, before + LOAD.format(rows=made, columns=COLUMNS))


def shop(folder, options="", declarations="", more="", function="prep.py:load"):
    return workflow(folder, f'python("{function}"{", " + options if options else ""})', declarations, more)


def as_text(folder, made):
    """The same rows as a CSV file, in a workflow of its own."""
    folder.mkdir()

    def field(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else '"' + str(value).replace('"', '""') + '"'

    write_csv(folder / "orders.csv", COLUMNS, [[field(v) for v in row] for row in made])
    return workflow(folder, 'csv("orders.csv")')


def test_the_rows_are_those_of_a_text_file(run, tmp_path):
    write_load(tmp_path, rows())
    path = shop(tmp_path)
    run("run", path)
    text = as_text(tmp_path / "text", rows())
    run("run", text)
    assert results_of(run, path) == results_of(run, text)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".mlp", "prep.py", "shop.mlp", "text"]


def test_batches_are_one_table(run, tmp_path):
    write_code(
        tmp_path,
        f"""
        def load():
            made = {rows()!r}
            for at in range(0, len(made), 37):
                yield dict(zip({COLUMNS!r}, map(list, zip(*made[at:at + 37]))))
        """,
    )
    path = shop(tmp_path)
    run("run", path)
    text = as_text(tmp_path / "text", rows())
    run("run", text)
    assert results_of(run, path) == results_of(run, text)


def test_values_of_all_kinds(run, tmp_path):
    write_code(
        tmp_path,
        """
        import datetime as d, decimal, uuid

        def load():
            n = 100
            return {
                "id": list(range(n)), "y": [i % 2 == 0 for i in range(n)], "big": [2**63 - 1] * n, "f": [0.1] * n, "nan": [float("nan")] * n,
                "n": [decimal.Decimal("1E-2")] * n, "day": [d.date(2024, 2, 29)] * n, "at": [d.datetime(2024, 2, 29, 23, 59, 59, 5)] * n,
                "zoned": [d.datetime(2024, 3, 1, tzinfo=d.timezone(d.timedelta(hours=2)))] * n, "span": [d.timedelta(days=1, seconds=2)] * n,
                "text": ['a "b",\\r\\nc, é'] * n, "blank": ["  "] * n, "nothing": [""] * n, "absent": [None] * n, "u": [uuid.UUID(int=5)] * n,
            }
        """,
    )
    path = tmp_path / "kinds.mlp"
    path.write_text(
        """workflow kinds
data t from python("prep.py:load") {
    id : int @key
    y : bool @label
    big : int
    f, n : float
    nan : float?
    day : date
    at, zoned : timestamp
    span : duration
    text, blank, nothing, u : string @ignore
    absent : string?

    expect big == 9_223_372_036_854_775_807 for all rows
    expect f == 0.1 and n == 0.01 for all rows
    expect missing(nan) >= 1.0
    expect missing(absent) >= 1.0
    expect day == date("2024-02-29") for all rows
    expect at == timestamp("2024-02-29T23:59:59.000005Z") for all rows
    expect zoned == timestamp("2024-02-29T22:00:00Z") for all rows
    expect span == 1d + 2s for all rows
    expect text == "a \\"b\\",\\r\\nc, é" for all rows
    expect blank == "  " and nothing == "" for all rows
    expect u == "00000000-0000-0000-0000-000000000005" for all rows
}
feature f of t { id_half = id / 2 }
train m of f { predict y; split random 70/15/15; model gbdt { trees: 2 }; seed 1 }
""",
        encoding="utf-8",
    )
    run("run", path)


# ---- when it runs again ----------------------------------------------------------------------------------------------------


def test_it_runs_again_when_its_code_changes_and_only_then(run, tmp_path):
    (tmp_path / "lib").mkdir()
    write_code(tmp_path, "FACTOR = 1\n", "numbers_of.py")
    write_code(tmp_path / "lib", "def same(x):\n    return x\n", "deep.py")
    write_code(tmp_path, "unrelated = 1\n", "other.py")
    before = "from numbers_of import FACTOR\nimport lib.deep\nopen('called', 'a').write('x')\n"
    write_load(tmp_path, rows(), before=before)
    path, called = shop(tmp_path), tmp_path / "called"

    ran = calls_and_steps(run, path, called)
    write_code(tmp_path, "unrelated = 2\n", "other.py")
    assert ran() == (0, 0)
    # Run again, but the rows are the same: nothing follows.
    write_code(tmp_path, "FACTOR = 1  # one\n", "numbers_of.py")
    assert ran() == (1, 0)
    write_code(tmp_path / "lib", "def same(x):\n    return x + 0\n", "deep.py")
    assert ran() == (1, 0)
    write_load(tmp_path, rows(seed=2), before=before)
    size, steps = ran()
    assert size == 1 and steps > 5


def test_plan_and_check_run_nothing(run, tmp_path):
    write_load(tmp_path, rows(), before="open('called', 'a').write('x')\n")
    path = shop(tmp_path)
    run("check", path)
    plan = run("plan", path, "--format", "json").json
    assert plan["summary"]["run"] > 5 and not (tmp_path / "called").exists()
    run("run", path)
    (tmp_path / "called").unlink()
    write_load(tmp_path, rows(), before="open('called', 'a').write('y')\n")
    plan = run("plan", path, "--format", "json").json
    assert not (tmp_path / "called").exists()
    assert next(s for s in plan["steps"] if s["name"] == "orders")["action"] == "run"


def test_as_of_and_the_columns_reach_the_function(run, tmp_path):
    write_load(tmp_path, rows())
    text = (tmp_path / "prep.py").read_text() + "\nall_of = load\ndef load(columns, as_of, other=1):\n    open('asked', 'w').write(repr((columns, as_of)))\n    return all_of()\n"
    (tmp_path / "prep.py").write_text(text)
    path = shop(tmp_path, options="as_of: day", declarations='param day: string = "2024-05-01"')
    run("run", path)
    assert (tmp_path / "asked").read_text() == repr((COLUMNS, "2024-05-01"))
    run("run", path, "--param", "day=2024-06-01")
    assert "2024-06-01" in (tmp_path / "asked").read_text()


# ---- what breaks the contract ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [f"{{name: [] for name in {COLUMNS!r}}}", "iter([])"])
def test_an_empty_table(run, tmp_path, empty):
    write_code(tmp_path, f"def load():\n    return {empty}\n")
    outcome = run("run", shop(tmp_path, more="expect rows >= 1"), "--format", "json", check=4)
    assert {d["code"] for d in outcome.json["diagnostics"]} <= {"E0802", "E0806", "E0807"}


def test_more_columns_in_another_order(run, tmp_path):
    write_load(tmp_path, rows())
    path = shop(tmp_path)
    run("run", path)
    (tmp_path / "prep.py").write_text((tmp_path / "prep.py").read_text() + "\nfirst = load\ndef load():\n    table = first()\n    return {'extra': table['id'], **dict(reversed(table.items()))}\n")
    assert computed_values(run("run", path, "--format", "json")) == set()


def test_a_column_that_is_not_there_is_told_with_the_nearest(run, tmp_path):
    write_load(tmp_path, rows())
    (tmp_path / "prep.py").write_text((tmp_path / "prep.py").read_text().replace("'amount'", "'Amount'"))
    d = failure(run("run", shop(tmp_path), "--format", "json", check=4), "E0803")
    assert "prep.py:load" in d["message"] and "`amount`" in d["message"] and "did you mean `Amount`" in d["help"]
    assert fetched_files(tmp_path) == []


def test_a_value_of_another_type_far_down_is_shown_with_its_row(run, tmp_path):
    code = """
        def load():
            n = 200_000
            amount = [float(i % 1000) for i in range(n)]
            amount[-1] = {last}
            return dict(id=range(n), amount=amount, kind=["web"] * n, note=[None] * n, day=["2024-01-01"] * n, paid=[i % 3 == 0 for i in range(n)])
        """
    write_code(tmp_path, code.format(last="'much'"))
    path = shop(tmp_path)
    (row,) = failure(run("run", path, "--format", "json", check=4), "E0801")["rows"]
    assert (row["line"], row["column"], row["value"]) == (200_000, "amount", "much") and row["file"] == "prep.py:load"
    write_code(tmp_path, code.format(last="1"))
    run("run", path)


@pytest.mark.parametrize(
    "result, said",
    [
        ("{'id': [1, 2], 'amount': [1.0]}", "different lengths"),
        ("{'id': 1}", "not a list"),
        ("None", "NoneType"),
        ("'text'", "returned a str"),
        ("[1, 2]", "returned a int"),
        ("{1: [1]}", "is no text"),
    ],
)
def test_what_is_no_table(run, tmp_path, result, said):
    write_code(tmp_path, f"def load():\n    return {result}\n")
    path = tmp_path / "t.mlp"
    path.write_text('workflow t\ndata t from python("prep.py:load") { id : int; amount : float @label }\nfeature f of t { id }\n'
                    "train m of f { predict amount; split random 70/15/15; model gbdt { trees: 2 }; seed 1 }\n")  # fmt: skip
    outcome = run("run", path, "--format", "json", check=4)
    (d,) = outcome.json["diagnostics"]
    assert d["code"].startswith("E08") and said in d["message"] and fetched_files(tmp_path) == []


def test_a_value_that_no_column_can_have(run, tmp_path):
    write_load(tmp_path, [(*row[:3], [1, 2] if row[0] == 7 else row[3], *row[4:]) for row in rows(20)])
    d = failure(run("run", shop(tmp_path), "--format", "json", check=4), "E0804")
    assert "row 7" in d["message"] and "list" in d["message"] and "`note`" in d["message"]


# ---- functions that fail ---------------------------------------------------------------------------------------------------


def failed(run, path, *said, options=(), check=5):
    outcome = run("run", path, "--format", "json", *options, check=check)
    d = failure(outcome, "E0913")
    for text in said:
        assert text in d["message"], d
    assert d["help"] and d["file"].endswith("shop.mlp") and d["line"] == 3
    assert fetched_files(path.parent) == []
    return d


def mended(run, folder, path):
    write_load(folder, rows())
    run("run", path)


def test_one_that_raises(run, tmp_path):
    write_code(tmp_path, "def helper():\n    print('so far so good')\n    raise ValueError('no such shop')\n\ndef load():\n    return helper()\n")
    path = shop(tmp_path)
    d = failed(run, path, "`prep.py:load` raised ValueError: no such shop")
    notes = "\n".join(d["notes"])
    assert "prep.py:3" in notes and "so far so good" in notes and "Traceback" in notes
    log = next(note for note in d["notes"] if "the whole log is" in note).split("the whole log is ")[1]
    assert "ValueError: no such shop" in (tmp_path / log).read_text()
    mended(run, tmp_path, path)


@pytest.mark.parametrize("code, said", [("def load(:\n", "SyntaxError"), ("import nothing_of_that_name\n", "ModuleNotFoundError"), ("import sys\nsys.exit(3)\n", "SystemExit"), ("def loads():\n    pass\n", "no function `load`")])
def test_one_that_is_none(run, tmp_path, code, said):
    write_code(tmp_path, code)
    d = failed(run, shop(tmp_path), said)
    if "loads" in code:
        assert "did you mean `loads`" in d["help"]


def test_a_file_that_is_not_there(run, tmp_path):
    failure(run("run", shop(tmp_path), "--format", "json", check=5), "E0901")


def test_one_that_asks_for_what_nobody_gives(run, tmp_path):
    write_code(tmp_path, "def load(connection):\n    return {}\n")
    assert "columns" in failed(run, shop(tmp_path), "`connection`")["help"]


def test_one_that_hangs_is_ended_with_all_that_it_started(run, tmp_path):
    write_code(tmp_path, "import subprocess, time\ndef load():\n    child = subprocess.Popen(['sleep', '600'])\n    open('pid', 'w').write(str(child.pid))\n    time.sleep(600)\n")
    path = shop(tmp_path, options="timeout: 2s")
    began = time.monotonic()
    failed(run, path, "did not end within 2 seconds")
    assert time.monotonic() - began < 60
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not alive(pid):
            break
        time.sleep(0.05)
    assert not alive(pid)
    mended(run, tmp_path, path)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_one_that_is_killed(run, tmp_path):
    write_code(tmp_path, "import os, signal\ndef load():\n    print('before the end', flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    path = shop(tmp_path)
    assert "before the end" in "\n".join(failed(run, path, "signal 9")["notes"])
    mended(run, tmp_path, path)


def test_one_that_leaves_without_a_word(run, tmp_path):
    write_code(tmp_path, "import os\ndef load():\n    os._exit(7)\n")
    failed(run, shop(tmp_path), "status 7")


def test_one_that_needs_too_much_memory(run, tmp_path):
    write_code(tmp_path, "def load():\n    return {'id': bytearray(1 << 30)}\n")
    failed(run, shop(tmp_path, options="megabytes: 300"), "more than 300 MB")


def test_one_that_prints_a_gigabyte(run, tmp_path):
    write_code(tmp_path, "def load():\n    for i in range(1 << 10):\n        print('x' * (1 << 20))\n    return {}\n")
    path = shop(tmp_path)
    failed(run, path, "more than 64 MB")
    assert sum(p.stat().st_size for p in (tmp_path / ".mlp").rglob("*") if p.is_file()) < 80 << 20
    mended(run, tmp_path, path)


def test_a_run_that_is_stopped_ends_the_function(start, tmp_path):
    write_code(tmp_path, "import os, time\ndef load():\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(600)\n")
    process = start("run", shop(tmp_path), cwd=tmp_path)
    for _ in range(600):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5 and "E0906" in err
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_run_that_is_killed_leaves_no_function_behind(start, tmp_path):
    write_code(tmp_path, "import os, time\ndef load():\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(600)\n")
    process = start("run", shop(tmp_path), cwd=tmp_path)
    for _ in range(600):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.05)
    process.kill()
    process.communicate()
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not alive(pid):
            break
        time.sleep(0.05)
    assert not alive(pid)


# ---- what it sees ----------------------------------------------------------------------------------------------------------


def test_its_environment_has_no_secret_and_a_token_goes_by_a_pipe(run, tmp_path):
    write_load(tmp_path, rows())
    (tmp_path / "prep.py").write_text(
        (tmp_path / "prep.py").read_text()
        + "\nimport os, sys\nall_of = load\ndef load(token):\n    open('seen', 'w').write(token)\n    open('around', 'w').write(repr((dict(os.environ), sys.argv)) + open('/proc/self/cmdline').read())\n"
        "    print('the token is', token)\n    return all_of()\n"
    )
    path = shop(tmp_path, options="token: key", declarations='secret key = env("SHOP_TOKEN")\nsecret other = env("SHOP_OTHER")')
    env = {"SHOP_TOKEN": "s3cret-t0ken", "SHOP_OTHER": "an0ther-secret", "SHOP_PLAIN": "pl4in"}
    outcome = run("run", path, env=env)
    assert (tmp_path / "seen").read_text() == "s3cret-t0ken"
    around = (tmp_path / "around").read_text()
    for value in env.values():
        assert value not in around
    assert "PYTHONHASHSEED" in around
    kept = everything_below(tmp_path / ".mlp").decode("utf-8", "replace")
    assert "the token is ..." in kept and "s3cret-t0ken" not in kept + outcome.out + outcome.err
    (tmp_path / "prep.py").write_text("def load(token):\n    raise RuntimeError('refused ' + token)\n")
    outcome = run("run", path, env=env, check=5)
    assert "refused ..." in outcome.err and "s3cret-t0ken" not in outcome.err


def test_sets_have_one_order(run, tmp_path):
    write_load(tmp_path, rows())
    (tmp_path / "prep.py").write_text((tmp_path / "prep.py").read_text() + "\nopen('order', 'a').write(repr(list({'a', 'b', 'c', 'd', 'e', 'f'})) + '\\n')\n")
    path = shop(tmp_path)
    for i in range(3):
        run("run", path, "--store", tmp_path / f"store{i}")
    assert len(set((tmp_path / "order").read_text().splitlines())) == 1


def python_with(module):
    """A Python that has the module: this one, or MLP_TEST_PYTHON."""
    for program in (os.environ.get("MLP_TEST_PYTHON"), sys.executable, "/usr/bin/python3"):
        if program and subprocess.run([program, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return program
    pytest.skip(f"there is no Python with {module} (MLP_TEST_PYTHON)")


@pytest.mark.parametrize("module", ["pandas", "pyarrow", "polars", "numpy"])
def test_tables_of_libraries(run, tmp_path, module):
    program = python_with(module)
    write_load(tmp_path, [(*row[:3], row[3] or "x", *row[4:]) for row in rows()])
    make = {"pandas": "import pandas\n    return pandas.DataFrame(table)", "pyarrow": "import pyarrow\n    return pyarrow.table(table)",
            "polars": "import polars\n    return polars.DataFrame(table)", "numpy": "import numpy\n    return {n: numpy.array(v) for n, v in table.items()}"}  # fmt: skip
    (tmp_path / "prep.py").write_text((tmp_path / "prep.py").read_text() + f"\nplain = load\ndef load():\n    table = plain()\n    {make[module]}\n")
    path = shop(tmp_path)
    run("run", path, env={"MLP_PYTHON": program})
    text = as_text(tmp_path / "text", [(*row[:3], row[3] or "x", *row[4:]) for row in rows()])
    run("run", text)
    assert results_of(run, path) == results_of(run, text)


def test_a_python_that_is_not_there(run, tmp_path):
    write_load(tmp_path, rows())
    d = failure(run("run", shop(tmp_path), "--format", "json", env={"MLP_PYTHON": "/nowhere/python"}, check=5), "E0905")
    assert "/nowhere/python" in d["message"]
