"""`mlpc batch` scores tables into sinks: all rows or none, twice is once, with the predictions of `mlpc score`."""

import contextlib
import csv
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import pytest

from made import edit, write_csv
from postgres import PASSWORD, postgres_server
from sources import everything_below

WORKFLOW = """workflow shop
{declarations}
data orders from csv("orders.csv") {{
    id     : int @key
    who    : string @pii
    day    : date
    moment : timestamp @available(always)
    big    : bool
    amount : float in 0..1_000
    kind   : category("web", "shop")
    paid   : bool @label
}}
{tables}
feature seen of {of} {{ amount, kind; late = month(day) > 6 }}
train payer of seen {{ predict paid; split random 70/15/15 by id seed 1; model gbdt {{ trees: {trees} }}; seed 1 }}
evaluate payer {{ metrics auc; require auc >= 0.1 }}
deploy scores of payer {{
    stage production
    {batches}
}}
"""
SECRET = 'secret shop_db = env("SHOP_DB")'
HEADER = ["id", "who", "day", "moment", "big", "amount", "kind", "paid"]


def order_rows(count, seed=1):
    draw = random.Random(seed)
    made = []
    for i in range(1, count + 1):
        amount = round(draw.uniform(0, 1000), 2)
        day = f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
        made.append([str(i), f"o'neill; {i}\\ é" if i % 5 else f'"a", b {i}', day, f"{day}T{i % 24:02}:00:00.5Z", "true" if i % 2 else "false", repr(amount), draw.choice(["web", "shop"]),
                     "true" if draw.random() < 0.2 + amount / 2000 else "false"])  # fmt: skip
    return made


def write_orders(folder, made):
    quoted = [['"' + field.replace('"', '""') + '"' if '"' in field or ";" in field else field for field in row] for row in made]
    write_csv(folder / "orders.csv", HEADER, quoted)


def shop(folder, batches, tables="", of="orders", declarations="", rows=300, trees=5):
    folder.mkdir(parents=True, exist_ok=True)
    write_orders(folder, order_rows(rows))
    path = folder / "shop.mlp"
    path.write_text(WORKFLOW.format(batches=batches, tables=tables, of=of, declarations=declarations, trees=trees), encoding="utf-8")
    return path


def ready(run, path, env=None):
    """The workflow with its candidate deployed."""
    run("run", path, env=env)
    run("deploy", path, env=env)
    return path


def batch(run, path, *args, check=0, env=None):
    document = run("batch", path, *args, "--format", "json", check=check, env=env, cwd=path.parent).json
    assert document["format_version"] == 1
    return document["batches"]


def one(run, path, *args, **more):
    (line,) = batch(run, path, *args, **more)
    return line


def only_failure(line, code):
    assert line["status"] == "failed" and [d["code"] for d in line["diagnostics"]] == [code], line
    return line["diagnostics"][0]


class Csv:
    declared, env, declarations = 'csv("scores.csv")', {}, ""

    def __init__(self, folder, _):
        self.path = folder / "scores.csv"

    def read(self):
        """The rows by the texts of their keys; None where there is nothing."""
        if not self.path.exists():
            return None
        with open(self.path, encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header[-1] == "prediction"
        return {tuple(row[:-1]): float(row[-1]) for row in rows}

    def spoil(self):
        text = self.path.read_text(encoding="utf-8").splitlines()
        self.path.write_text("\n".join(text[:-1]) + "\n", encoding="utf-8")

    def remove(self):
        self.path.unlink()


class Parquet(Csv):
    declared = 'parquet("scores.parquet")'

    def __init__(self, folder, duckdb):
        self.path, self.duckdb = folder / "scores.parquet", duckdb

    def read(self):
        if not self.path.exists():
            return None
        as_csv = self.path.with_suffix(".read.csv")
        self.duckdb(f"COPY (SELECT * FROM '{self.path}') TO '{as_csv}' (HEADER)")
        found = Csv.read(type("File", (), {"path": as_csv}))
        as_csv.unlink()
        return found

    def spoil(self):
        self.duckdb(f"COPY (SELECT * FROM '{self.path}' LIMIT 1) TO '{self.path}.new' (FORMAT parquet)")
        os.replace(f"{self.path}.new", self.path)


class Sqlite:
    declared, env, declarations = 'sqlite("plan.db", table: "plan")', {}, ""
    types = {"int": "INTEGER", "text": "TEXT", "float": "REAL"}

    def __init__(self, folder, _):
        self.path = folder / "plan.db"

    def sql(self, statement):
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            return db.execute(statement).fetchall()

    def read(self):
        if not self.path.exists() or not self.sql("SELECT 1 FROM sqlite_schema WHERE name = 'plan'"):
            return None
        return {tuple(map(str, row[:-1])): row[-1] for row in self.sql("SELECT * FROM plan")}

    def spoil(self):
        self.sql("DELETE FROM plan WHERE rowid = (SELECT min(rowid) FROM plan)")

    def remove(self):
        self.sql("DROP TABLE plan")


class Postgres(Sqlite):
    declared, declarations = 'postgres(shop_db, table: "plan")', SECRET
    types = {"int": "BIGINT", "text": "TEXT", "float": "DOUBLE PRECISION"}

    def __init__(self, _, server):
        self.server, self.env = server, {"SHOP_DB": server.url}
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def sql(self, statement):
        return [line.split("|") for line in self.server.sql(statement).splitlines()]

    def read(self):
        if self.sql("SELECT to_regclass('plan') IS NULL") == [["t"]]:
            return None
        return {tuple(row[:-1]): float(row[-1]) for row in self.sql("SELECT * FROM plan")}

    def spoil(self):
        self.sql("DELETE FROM plan WHERE ctid = (SELECT min(ctid) FROM plan)")


@pytest.fixture(scope="session")
def server():
    with postgres_server() as made:
        yield made


@pytest.fixture(params=[Csv, Parquet, Sqlite, Postgres], ids=lambda kind: kind.__name__.lower())
def sink(request, tmp_path):
    needs = {Parquet: "duckdb", Postgres: "server"}.get(request.param)
    return request.param(tmp_path, needs and request.getfixturevalue(needs))


@pytest.fixture(params=[Sqlite, Postgres], ids=["sqlite", "postgres"])
def database(request, tmp_path):
    return request.param(tmp_path, request.getfixturevalue("server") if request.param is Postgres else None)


def scores(run, path, env=None):
    """What `mlpc score` writes for the rows of orders.csv."""
    out = path.parent / "score-out.csv"
    run("score", "scores", path.parent / "orders.csv", out, "--store", path.parent / ".mlp", env=env)
    found = Csv.read(type("File", (), {"path": out}))
    out.unlink()
    return found


def test_a_sink_gets_the_predictions_of_score_once(run, tmp_path, sink):
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=sink.declarations), env=sink.env)
    line = one(run, path, env=sink.env)
    assert (line["deployment"], line["model"], line["version"], line["table"], line["key"]) == ("scores", "shop.payer", 1, "orders", ["id"])
    assert (line["status"], line["rows"], line["written"], line["set_aside"], line["out_of_population"], line["undefined"]) == ("written", 300, 300, 0, 0, 0)
    assert sink.read() == scores(run, path) and len(sink.read()) == 300
    before = getattr(sink, "path", path).stat()
    for _ in range(2):
        again = one(run, path, "scores", env=sink.env)
        assert again["status"] == "unchanged" and (again["rows"], again["written"]) == (300, 300)
    after = getattr(sink, "path", path).stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    said = run("batch", path, env=sink.env)
    assert re.search(r"scores +payer 1 +orders +300 +300 +.*id +unchanged", said.out) and not said.err
    assert run("batch", path, "--quiet", env=sink.env).out == ""


@pytest.mark.parametrize("how", ["removed", "spoilt"])
def test_a_sink_that_changed_is_written_again(run, tmp_path, sink, how):
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=sink.declarations), env=sink.env)
    one(run, path, env=sink.env)
    whole = sink.read()
    sink.remove() if how == "removed" else sink.spoil()
    assert sink.read() != whole
    assert one(run, path, env=sink.env)["status"] == "written"
    assert sink.read() == whole
    assert one(run, path, env=sink.env)["status"] == "unchanged"


def test_a_sink_that_is_only_touched_is_unchanged(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into csv("scores.csv") key id'))
    one(run, path)
    os.utime(tmp_path / "scores.csv")
    assert one(run, path)["status"] == "unchanged"


def test_composite_keys_of_every_type_come_back(run, tmp_path, sink):
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key who, id, day, moment, big, kind", declarations=sink.declarations), env={**sink.env, "TZ": "America/New_York"})
    one(run, path, env={**sink.env, "TZ": "America/New_York"})
    found, expected = sink.read(), scores(run, path)
    assert len(found) == 300
    for number, who, day, moment, big, _, kind, _ in order_rows(300):
        match = [p for key, p in found.items() if key[0] == who and key[1] == number]
        assert match == [expected[(number,)]], (who, number)
        (key,) = [key for key in found if key[1] == number]
        assert key[2] == day and key[5] == kind
        assert key[4] in {"true": ("true", "1", "t"), "false": ("false", "0", "f")}[big]
        text = key[3].replace("Z", "").replace("+00", "").replace(" ", "T")
        assert datetime.datetime.fromisoformat(text.ljust(26, "0") if "." in text else text) == datetime.datetime.fromisoformat(moment[:-1].ljust(26, "0")), key[3]


def test_rows_of_an_equal_key_are_replaced_and_others_stay(run, tmp_path, database):
    path = ready(run, shop(tmp_path, f"batch orders into {database.declared} key id", declarations=database.declarations), env=database.env)
    one(run, path, env=database.env)
    first = database.read()
    made = order_rows(300)[:200]
    made[0][5] = "999.5" if float(made[0][5]) < 500 else "1.5"
    made.append(["1000", *order_rows(301)[300][1:]])
    write_orders(tmp_path, made)
    line = one(run, path, env=database.env)
    assert (line["status"], line["written"]) == ("written", 201)
    second, expected = database.read(), scores(run, path)
    assert len(second) == 301 and {key: second[key] for key in expected} == expected
    assert all(second[(str(i),)] == first[(str(i),)] for i in range(201, 301))


def test_a_new_version_writes_and_a_rollback_writes_again(run, tmp_path, sink):
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=sink.declarations), env=sink.env)
    one(run, path, env=sink.env)
    first = sink.read()
    edit(path, "trees: 5", "trees: 9")
    run("run", path)
    assert one(run, path, env=sink.env)["status"] == "unchanged"  # what is deployed decides, not what the file would make
    run("deploy", path)
    line = one(run, path, env=sink.env)
    assert (line["version"], line["status"]) == (2, "written") and sink.read() != first
    run("rollback", "scores", "--store", tmp_path / ".mlp")
    line = one(run, path, env=sink.env)
    assert (line["version"], line["status"]) == (1, "written") and sink.read() == first


def test_nothing_deployed_says_what_to_do(run, tmp_path):
    path = shop(tmp_path, 'batch orders into csv("scores.csv") key id')
    run("run", path)
    d = run("batch", path, "--format", "json", check=5).json["diagnostics"][0]
    assert d["code"] == "E0908" and f"mlpc deploy {path} scores" in d["help"] and d["line"]
    assert not (tmp_path / "scores.csv").exists()
    assert "did you mean `scores`" in run("batch", path, "score", check=1).err
    bare = shop(tmp_path / "bare", "")
    assert "has no `batch`" in run("batch", bare, "scores", check=1).err and "has a `batch`" in run("batch", bare, check=1).err


def test_keys_that_tell_no_rows_apart(run, tmp_path, sink):
    table = 'data others from csv("others.csv") { id : int?; day : date; amount : float; kind : category }'
    (tmp_path / "others.csv").write_text("id,day,amount,kind\n1,2024-01-01,5,web\n,2024-01-02,6,web\n1,2024-01-03,7,shop\n2,2024-01-04,8,shop\n")
    path = ready(run, shop(tmp_path, f"batch others into {sink.declared} key id", tables=table, declarations=sink.declarations), env=sink.env)
    d = only_failure(one(run, path, check=4, env=sink.env), "E0809")
    assert d["message"] == "`others` has 1 row without a key and 1 row with the key of another"
    assert [(r["line"], r["column"], r["value"], r["reason"]) for r in d["rows"]] == [(2, "id", "", "missing; a key has a value in every row"), (3, "id", "1", "the key of row 1 too")]
    assert sink.read() is None
    (tmp_path / "others.csv").write_text("id,day,amount,kind\n1,2024-01-01,5,web\n2,2024-01-04,8,shop\n")
    assert one(run, path, env=sink.env)["written"] == 2 and len(sink.read()) == 2


def test_rows_that_break_the_contract_are_set_aside_and_counted(run, tmp_path):
    table = 'data others from csv("others.csv") { id : int; day : date; amount : int; kind : string }'
    (tmp_path / "others.csv").write_text("id,day,amount,kind\n1,2024-01-01,5,web\n2,2024-01-02,5000,web\n3,2024-01-03,7,post\n4,2024-01-04,8,shop\n")
    path = ready(run, shop(tmp_path, 'batch others into csv("scores.csv") key id', tables=table))
    line = one(run, path)
    assert (line["status"], line["rows"], line["written"], line["set_aside"]) == ("written", 4, 2, 2)
    (d,) = line["diagnostics"]
    assert d["code"] == "W0802" and [(r["line"], r["column"]) for r in d["rows"]] == [(2, "amount"), (3, "kind")] and "0..1000" in d["rows"][0]["reason"].replace("1_000", "1000")
    assert set(Csv(tmp_path, None).read()) == {("1",), ("4",)}
    again = one(run, path)
    assert again["status"] == "unchanged" and again["set_aside"] == 2


def test_rows_that_the_model_was_not_made_for_have_no_prediction(run, tmp_path):
    chosen = "data chosen = orders | where amount > 100"
    path = ready(run, shop(tmp_path, 'batch orders into csv("scores.csv") key id', tables=chosen, of="chosen"))
    line = one(run, path)
    few = [row[0] for row in order_rows(300) if float(row[5]) <= 100]
    assert few and (line["out_of_population"], line["written"]) == (len(few), 300 - len(few))
    assert "not made for such rows" in line["diagnostics"][0]["message"]
    assert not set(Csv(tmp_path, None).read()) & {(key,) for key in few}


def test_the_table_behind_a_pipeline_is_scored_as_it_was_trained(run, tmp_path):
    """A stage took the name of a raw column for another value: the model is asked with the raw one."""
    tables = "data priced = orders | derive double = amount * 2 | select id, day, kind, paid, double as amount"
    path = ready(run, shop(tmp_path, 'batch priced into csv("scores.csv") key id', tables=tables, of="priced"))
    one(run, path)
    assert Csv(tmp_path, None).read() == scores(run, path)


def test_a_table_that_is_made_is_computed_as_a_run_does(run, tmp_path):
    tables = "data late = orders | where month(day) > 6 | sort by amount desc | limit 20"
    path = ready(run, shop(tmp_path, 'batch late into csv("scores.csv", delimiter: ";") key who, id', tables=tables))
    one(run, path)
    lines = (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "who;id;prediction" and len(lines) == 21
    expected = sorted((row for row in order_rows(300) if int(row[2][5:7]) > 6), key=lambda row: -float(row[5]))[:20]
    read = list(csv.reader(lines[1:], delimiter=";"))
    assert [row[:2] for row in read] == [[row[1], row[0]] for row in expected]
    every = scores(run, path)
    assert [float(row[2]) for row in read] == [every[(row[0],)] for row in expected]


def test_cuts_and_threads_change_no_byte(run, tmp_path, duckdb):
    path = ready(run, shop(tmp_path, 'batch orders into csv("scores.csv") key id, who\n    batch orders into parquet("scores.parquet") key id, who'))
    found = set()
    for args in [("-j", "1"), ("-j", "4", "--fragment-rows", "7"), ("--fragment-rows", "100", "--baseline-cpu")]:
        for name in ("scores.csv", "scores.parquet"):
            (tmp_path / name).unlink(missing_ok=True)
        batch(run, path, *args)
        found.add(((tmp_path / "scores.csv").read_bytes(), (tmp_path / "scores.parquet").read_bytes()))
    assert len(found) == 1


def test_a_deployed_version_that_asks_for_more_than_the_table_has(run, tmp_path):
    table = 'data others from csv("others.csv") { id : int; day : date; amount : float; kind : category }'
    (tmp_path / "others.csv").write_text("id,day,amount,kind\n1,2024-01-01,5,web\n")
    path = ready(run, shop(tmp_path, 'batch others into csv("scores.csv") key id', tables=table))
    edit(path, "id : int; day : date; amount : float; kind : category", "id : int; day : date; amount : float")
    edit(path, "amount, kind; late", "amount; late")
    d = only_failure(one(run, path, check=4), "E0803")
    assert "`kind`" in d["message"] and not (tmp_path / "scores.csv").exists()


def test_one_sink_that_fails_keeps_no_other_from_being_written(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into csv("nowhere/scores.csv") key id\n    batch orders into csv("scores.csv") key id'))
    first, second = batch(run, path, check=5)
    assert only_failure(first, "E0904")["line"] and first["rows"] is None and second["status"] == "written"
    said = run("batch", path, check=5)
    assert "error[E0904]" in said.err and re.search(r"scores\.csv +id +unchanged", said.out) and "failed" in said.out


def test_a_sink_is_no_source_of_the_workflow(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into csv("sub/../orders.csv") key id'))
    (tmp_path / "sub").mkdir()
    before = (tmp_path / "orders.csv").read_bytes()
    said = run("batch", path, check=5)
    assert "E0904" in said.err and "is read by table `orders`" in said.err
    assert (tmp_path / "orders.csv").read_bytes() == before


UNFIT = {
    "a column is missing": ("CREATE TABLE plan (id {int} PRIMARY KEY, score {float})", ["it has no column `prediction`"]),
    "other types": ("CREATE TABLE plan (id {text} PRIMARY KEY, prediction {int})", ["`id` is {text}, and", "`prediction` is {int}, and"]),
    "a column that needs a value": ("CREATE TABLE plan (id {int} PRIMARY KEY, prediction {float}, note {text} NOT NULL)", ["its column `note` needs a value"]),
    "another key": ("CREATE TABLE plan (id {int}, day {text}, prediction {float}, PRIMARY KEY (id, day))", ["`key id` is no primary or unique key of it", "(id, day)"]),
    "no key": ("CREATE TABLE plan (id {int}, prediction {float})", ["and it has none"]),
    "a view": ("CREATE VIEW plan AS SELECT 1 AS id, 0.5 AS prediction", ["view"]),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_table_that_does_not_fit_is_left_as_it_is(run, tmp_path, database, what):
    path = ready(run, shop(tmp_path, f"batch orders into {database.declared} key id", declarations=database.declarations), env=database.env)
    statement, words = UNFIT[what]
    types = {name: kind.lower() if isinstance(database, Postgres) else kind for name, kind in database.types.items()}
    database.sql(statement.format(**types))
    before = database.sql("SELECT * FROM plan")
    d = only_failure(one(run, path, check=5, env=database.env), "E0914")
    for word in words:
        # A part of a composite key is never left out in PostgreSQL.
        assert word.format(**types) in " ".join([d["message"], *d["notes"]]) or (what == "another key" and "`day` needs a value" in d["message"]), d
    assert d["help"] and database.sql("SELECT * FROM plan") == before


def test_a_table_with_more_than_is_written_keeps_it(run, tmp_path, database):
    database.sql("CREATE TABLE plan (note {text} DEFAULT 'new', id {int} NOT NULL UNIQUE, prediction {float})".format(**database.types))
    database.sql("INSERT INTO plan (note, id, prediction) VALUES ('kept', 7, 99)")
    path = ready(run, shop(tmp_path, f"batch orders into {database.declared} key id", declarations=database.declarations), env=database.env)
    assert one(run, path, env=database.env)["status"] == "written"
    expected = scores(run, path)
    assert {(str(i),): float(p) for i, p in database.sql("SELECT id, prediction FROM plan")} == expected
    assert list(map(list, database.sql("SELECT note FROM plan WHERE id = 7"))) == [["kept"]] and list(map(list, database.sql("SELECT DISTINCT note FROM plan WHERE id <> 7"))) == [["new"]]
    assert one(run, path, env=database.env)["status"] == "unchanged"


def test_a_file_that_is_no_database(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into sqlite("plan.db", table: "plan") key id'))
    (tmp_path / "plan.db").write_text("certainly no database, but some text that is long enough to be looked at\n" * 20)
    d = only_failure(one(run, path, check=5), "E0914")
    assert "is no SQLite database" in d["message"] and (tmp_path / "plan.db").read_text().startswith("certainly")


def test_a_database_that_is_locked(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into sqlite("plan.db", table: "plan") key id'))
    one(run, path)
    Sqlite(tmp_path, None).spoil()
    with contextlib.closing(sqlite3.connect(tmp_path / "plan.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        d = only_failure(one(run, path, check=5), "E0914")
    assert "is locked" in d["message"]
    assert one(run, path)["status"] == "written"


def test_a_database_with_a_write_ahead_log(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into sqlite("plan.db", table: "plan") key id'))
    with contextlib.closing(sqlite3.connect(tmp_path / "plan.db")) as db:
        db.execute("PRAGMA journal_mode = wal")
        db.execute("CREATE TABLE other (x)")
    assert one(run, path)["status"] == "written" and Sqlite(tmp_path, None).read() == scores(run, path)
    assert one(run, path)["status"] == "unchanged"


def inside(folder, declared):
    """The sink with its file in a folder."""
    return declared.replace('("', f'("{folder}/', 1)


@pytest.mark.parametrize("declared", [Csv.declared, Parquet.declared, Sqlite.declared], ids=["csv", "parquet", "sqlite"])
def test_no_permission_to_write(mlpc_bin, run, declared):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlp-batch-"))  # all of its path may be entered by others
    try:
        path = ready(run, shop(folder / "here", "batch orders into " + inside("out", declared) + " key id"))
        out = folder / "here" / "out"
        out.mkdir(mode=0o555)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        if who:
            folder.chmod(0o755)
            for one_path in [folder / "here", *(folder / "here").rglob("*")]:
                if one_path != out:
                    os.chown(one_path, 65534, 65534)
        call = [str(mlpc_bin), "batch", str(path), "--format", "json"]
        done = subprocess.run(call, capture_output=True, text=True, env={**os.environ, "HOME": str(folder)}, **who)
        assert done.returncode == 5, done
        d = only_failure(json.loads(done.stdout)["batches"][0], "E0904")
        assert d["help"] and os.listdir(out) == []
        out.chmod(0o777)
        done = subprocess.run(call, capture_output=True, text=True, env={**os.environ, "HOME": str(folder)}, **who)
        assert done.returncode == 0 and json.loads(done.stdout)["batches"][0]["status"] == "written"
    finally:
        for one_path in folder.rglob("out"):
            one_path.chmod(0o777)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 96 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no small file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("declared", [Csv.declared, Parquet.declared, Sqlite.declared], ids=["csv", "parquet", "sqlite"])
def test_a_full_disk_leaves_what_was_there(run, tmp_path, small_disk, declared):
    path = ready(run, shop(tmp_path, "batch orders into " + inside("disk", declared) + " key who, id", rows=30_000))
    write_orders(tmp_path, order_rows(100))
    one(run, path)
    before = everything_below(small_disk)
    write_orders(tmp_path, order_rows(30_000))
    d = only_failure(one(run, path, check=5), "E0904")
    assert "disk" in d["message"] + d["help"] or "space" in d["message"]
    if "sqlite" in declared:
        with contextlib.closing(sqlite3.connect(small_disk / "plan.db")) as db:
            assert db.execute("SELECT count(*) FROM plan").fetchone() == (100,) and db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    else:
        assert everything_below(small_disk) == before and len(os.listdir(small_disk)) == 1
    write_orders(tmp_path, order_rows(150))
    assert one(run, path)["status"] == "written"


@pytest.mark.parametrize("declared", [Parquet, Sqlite], ids=["parquet", "sqlite"])
def test_killed_in_the_middle_there_is_all_or_nothing(run, start, tmp_path, duckdb, seed, soak, declared):
    sink = declared(tmp_path, duckdb)
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key who, id", rows=30_000))
    began = time.monotonic()
    one(run, path)
    seconds = time.monotonic() - began
    whole = sink.read()
    draw = random.Random(seed)
    met = set()
    for _ in range(60 if soak else 12):
        sink.path.unlink()
        process = start("batch", path)
        time.sleep(draw.uniform(0.2, 1.1) * seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        found = sink.read()
        assert found in (None, whole)
        met.add(found is None)
        if declared is Sqlite and sink.path.exists():
            assert sink.sql("PRAGMA integrity_check") == [("ok",)]
        assert one(run, path)["status"] in ("written", "unchanged") and sink.read() == whole
        assert not [name for name in os.listdir(tmp_path) if name.endswith("-journal")]
    assert True in met, "no kill came in time"


def test_a_server_that_goes_away_in_the_middle_leaves_nothing(run, start, tmp_path, server):
    sink = Postgres(tmp_path, server)
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=SECRET), env=sink.env)
    sink.sql("CREATE TABLE plan (id BIGINT PRIMARY KEY, prediction DOUBLE PRECISION)")
    sink.sql("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END'")
    sink.sql("CREATE TRIGGER slow BEFORE INSERT ON plan FOR EACH ROW EXECUTE FUNCTION wait()")
    process = start("batch", path, "--format", "json", env=sink.env)
    for _ in range(600):
        if server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlpc' AND query LIKE 'INSERT%'") == "1":
            break
        time.sleep(0.05)
    time.sleep(0.3)
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mlpc'")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 5
    d = only_failure(json.loads(out)["batches"][0], "E0914")
    assert "broke" in d["message"] and "all rows of this batch were written or none" in d["help"] and sink.read() == {}
    sink.sql("DROP TRIGGER slow ON plan")
    assert one(run, path, env=sink.env)["status"] == "written" and len(sink.read()) == 300


def test_a_batch_that_is_stopped_ends_at_once_on_both_sides(run, start, tmp_path, server):
    sink = Postgres(tmp_path, server)
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=SECRET), env=sink.env)
    sink.sql("CREATE TABLE plan (id BIGINT PRIMARY KEY, prediction DOUBLE PRECISION)")
    with contextlib.ExitStack() as stack:
        lock = subprocess.Popen([shutil.which("psql") or "psql", server.url], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        stack.callback(lock.wait)
        stack.callback(lock.stdin.close)
        lock.stdin.write("BEGIN; LOCK TABLE plan IN EXCLUSIVE MODE;\n")
        lock.stdin.flush()
        time.sleep(0.5)
        process = start("batch", path, env=sink.env)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlpc' AND wait_event_type = 'Lock'"
        for _ in range(200):
            if server.sql(waits) == "1":
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5 and "E0906" in err and "nothing of this batch was written" in err
    assert server.sql(waits) == "0" and sink.read() == {}


def test_more_than_fits_into_the_buffers_of_a_connection(run, tmp_path, server):
    sink = Postgres(tmp_path, server)
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key who, id", declarations=SECRET, rows=60_000), env=sink.env)
    assert one(run, path, env=sink.env)["written"] == 60_000
    assert server.sql("SELECT count(*) FROM plan") == "60000"
    assert one(run, path, env=sink.env)["status"] == "unchanged"


def test_the_address_of_a_server_is_nowhere(run, tmp_path, server):
    sink = Postgres(tmp_path, server)
    path = ready(run, shop(tmp_path, f"batch orders into {sink.declared} key id", declarations=SECRET), env=sink.env)
    one(run, path, env=sink.env)
    wrong = {"SHOP_DB": server.url.replace(PASSWORD, "wrong-" + PASSWORD)}
    said = run("batch", path, "--format", "json", env=wrong, check=5)
    d = only_failure(said.json["batches"][0], "E0914")
    assert "refuses the user or the password" in d["message"]
    assert PASSWORD not in said.out + said.err
    assert PASSWORD.encode() not in everything_below(tmp_path)
    d = only_failure(one(run, path, check=5), "E0912")
    assert "SHOP_DB" in d["message"]


def test_lineage_shows_the_sink_and_what_of_its_key_is_declassified(run, tmp_path):
    path = ready(run, shop(tmp_path, 'batch orders into sqlite("plan.db", table: "plan") key who, id'))
    store = ["--store", tmp_path / ".mlp"]
    up = run("lineage", "plan.db, table plan", "--up", "--file", path, *store, "--format", "json").json
    edges = {(e["from"], e["to"]): e.get("how") for e in up["edges"]}
    assert edges[("orders.who", "plan.db, table plan")] == "declassified key" and edges[("orders.id", "plan.db, table plan")] == "key"
    assert edges[("scores", "plan.db, table plan")] is None and ("orders", "plan.db, table plan") in edges
    for asked in ("orders.who", "scores", "payer"):
        down = run("lineage", asked, "--down", "--file", path, *store).out
        assert re.search(r"plan\.db, table plan +sink", down), down
    said = run("lineage", "orders.who", "--down", "--file", path, *store).out
    assert re.search(r"orders\.who +declassified key +of plan\.db, table plan", said)
