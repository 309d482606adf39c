"""Tables of databases: SQLite, and PostgreSQL on a real server. What both promise is asked of both."""

import contextlib
import sqlite3
import time

import pytest

from made import computed_values, results_of, steps_of, write_csv
from postgres import PASSWORD, postgres_server
from sources import COLUMNS, everything_below, failure, fetched_files, rows, workflow

TABLE = "CREATE TABLE {name} (id {int} PRIMARY KEY, amount {float}, kind TEXT, note TEXT, day {date}, paid {bool}, changed {int} NOT NULL DEFAULT 1)"
SECRET = 'secret shop_db = env("SHOP_DB")'


class Sqlite:
    source = "sqlite"
    types = {"int": "INTEGER", "float": "REAL", "date": "TEXT", "bool": "INTEGER"}
    env = {}
    declarations = ""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "shop.db"

    def sql(self, *statements):
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            for statement in statements:
                db.execute(statement)

    def fill(self, table_rows, name="orders"):
        self.sql(TABLE.format(name=name, **self.types))
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            db.executemany(f"INSERT INTO {name} ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)", table_rows)

    def expression(self, **options):
        return f'sqlite("shop.db", {options_text(options)})'


class Postgres:
    source = "postgres"
    types = {"int": "BIGINT", "float": "DOUBLE PRECISION", "date": "DATE", "bool": "BOOLEAN"}
    declarations = SECRET

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.env = {"SHOP_DB": server.url}
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def sql(self, *statements):
        for statement in statements:
            self.server.sql(statement)

    def fill(self, table_rows, name="orders"):
        self.sql(TABLE.format(name=name, **self.types))

        def text(value):
            return "NULL" if value is None else str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"

        for at in range(0, len(table_rows), 200):
            values = ", ".join("(" + ", ".join(map(text, row)) + ")" for row in table_rows[at : at + 200])
            self.sql(f"INSERT INTO {name} ({', '.join(COLUMNS)}) VALUES {values}")

    def expression(self, **options):
        return f"postgres(shop_db, {options_text(options)})"


def options_text(options):
    return ", ".join(f'{name}: "{value}"' for name, value in options.items())


@pytest.fixture(scope="session")
def server():
    with postgres_server() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """A database without tables, and the way to say so in a workflow."""
    return Sqlite(tmp_path) if request.param == "sqlite" else Postgres(tmp_path, request.getfixturevalue("server"))


@pytest.fixture
def postgres(tmp_path, server):
    return Postgres(tmp_path, server)


@pytest.fixture
def lite(tmp_path):
    return Sqlite(tmp_path)


def shop(database, more="", version="", **options):
    source = database.expression(**(options or {"table": "orders"})) + (f" version by {version}" if version else "")
    return workflow(database.folder, source, database.declarations, more)


def settle():
    """Until the times of files are old enough to be believed."""
    time.sleep(2.1)


# ---- what is read ----------------------------------------------------------------------------------------------------------


def test_the_rows_are_those_of_a_text_file(run, database, tmp_path):
    database.fill(rows())
    path = shop(database)
    run("run", path, env=database.env)
    (tmp_path / "text").mkdir()

    def field(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else '"' + str(value).replace('"', '""') + '"'

    write_csv(tmp_path / "text" / "orders.csv", COLUMNS, [[field(v) for v in row] for row in rows()])
    text = workflow(tmp_path / "text", 'csv("orders.csv")')
    run("run", text)
    assert results_of(run, path) == results_of(run, text)


def test_the_empty_text_is_a_text_and_null_is_missing(run, database):
    made = rows(300)
    database.fill(made)
    empty, missing = sum(r[3] == "" for r in made), sum(r[3] is None for r in made)
    assert empty and missing
    run("run", shop(database, more=f"expect missing(note) > {(missing - 0.5) / 300}\n    expect missing(note) < {(missing + 0.5) / 300}"), env=database.env)


def test_equal_rows_in_another_order_of_columns_and_rows_compute_nothing(run, database):
    made = rows()
    database.fill(made)
    path = shop(database)
    run("run", path, env=database.env)
    cast = "paid, day, note, kind, amount, id, 'more' AS more"
    database.sql(f"CREATE TABLE other AS SELECT {cast} FROM orders ORDER BY amount DESC", "DROP TABLE orders", "ALTER TABLE other RENAME TO orders")
    again = run("run", path, "--format", "json", env=database.env)
    assert computed_values(again) == set()


def test_an_appended_row_reads_and_computes_its_fragment_alone(run, database):
    made = rows(1000)
    database.fill(made[:990])
    path = shop(database)
    run("run", path, "--fragment-rows", "100", env=database.env)
    database.sql(f"INSERT INTO orders (id, amount, kind, day, paid) VALUES (5000, 1.5, 'web', '2024-02-02', {'1' if database.source == 'sqlite' else 'true'})")
    again = run("run", path, "--fragment-rows", "100", "--format", "json", env=database.env)
    cells = {s["name"]: (s["cells_ran"], s["cells"]) for s in again.json["ran"]}
    assert cells["orders.amount"] == (1, 10)


def test_a_query_is_read_in_its_own_order(run, database):
    database.fill(rows())

    def amounts(**options):
        path = shop(database, **options)
        run("run", path, env=database.env)
        return next(s["outputs"] for s in steps_of(run, path) if s["name"] == "orders.amount")

    columns = "select id, amount, kind, note, day, paid from orders"
    assert amounts(query=columns + " order by id") == amounts(table="orders") != amounts(query=columns + " order by amount desc;")


def test_an_empty_table_is_a_table_without_rows(run, database):
    database.fill([])
    outcome = run("run", shop(database, more="expect rows >= 1"), "--format", "json", env=database.env, check=4)
    assert {d["code"] for d in outcome.json["diagnostics"]} <= {"E0802", "E0806", "E0807"}


def test_the_same_bits_at_any_number_of_threads_and_rows_of_a_fragment(run, database, tmp_path):
    database.fill(rows(900))
    path = shop(database)
    results = []
    for i, args in enumerate([["-j", "1"], ["-j", "2", "--fragment-rows", "100"], ["-j", "8", "--fragment-rows", "7"]]):
        run("run", path, *args, "--store", tmp_path / f"store{i}", env=database.env)
        steps = run("show", "--store", tmp_path / f"store{i}", "--format", "json").json["steps"]
        results.append({(s["kind"], s["name"]): s["outputs"] for s in steps if s["kind"] in ("train", "metrics")})
    assert results[0] and results[0] == results[1] == results[2]


# ---- what breaks the contract ----------------------------------------------------------------------------------------------


def test_a_column_that_is_not_there_is_told_with_the_nearest(run, database):
    database.fill(rows())
    database.sql("ALTER TABLE orders RENAME COLUMN amount TO amounts")
    d = failure(run("run", shop(database), "--format", "json", env=database.env, check=4), "E0803")
    assert "`amount`" in d["message"] and "table orders" in d["message"] and "did you mean `amounts`" in d["help"]
    assert fetched_files(database.folder) == []


def test_a_value_of_another_type_far_down_is_shown_with_its_row(run, database):
    count = 200_000
    if database.source == "sqlite":
        database.sql(
            TABLE.format(name="orders", **database.types),
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO orders SELECT i, i % 1000, 'web', NULL, '2024-01-01', i % 3 = 0, 1 FROM n",
            f"UPDATE orders SET amount = 'much' WHERE id = {count}",
        )
    else:
        database.sql(
            TABLE.format(name="orders", **database.types),
            f"INSERT INTO orders SELECT i, i % 1000, 'web', NULL, '2024-01-01', i % 3 = 0, 1 FROM generate_series(1, {count}) i",
            "ALTER TABLE orders ALTER amount TYPE text",
            f"UPDATE orders SET amount = 'much' WHERE id = {count}",
        )
    path = shop(database)
    (row,) = failure(run("run", path, "--format", "json", env=database.env, check=4), "E0801")["rows"]
    assert (row["line"], row["column"], row["value"]) == (count, "amount", "much")
    assert row["file"].endswith("table orders") and "fetched" not in row["file"]
    database.sql(f"UPDATE orders SET amount = 5 WHERE id = {count}")
    run("run", path, env=database.env)


def test_a_table_that_is_not_there_is_told_with_the_nearest(run, database):
    database.fill(rows(10))
    d = failure(run("run", shop(database, table="ordres"), "--format", "json", env=database.env, check=5), "E0912")
    assert "no table `ordres`" in d["message"] and "did you mean `orders`" in d["help"]


def test_a_table_and_columns_with_strange_names(run, database):
    database.fill(rows(), name='"order \'s"')
    database.sql('ALTER TABLE "order \'s" RENAME COLUMN amount TO "the amount; drop"')
    path = shop(database, table="order 's")
    path.write_text(path.read_text().replace("amount : float in 0..1_000", 'amount : float in 0..1_000 as "the amount; drop"'))
    run("run", path, env=database.env)


@pytest.mark.parametrize("query, said", [("selekt 1", "syntax error"), ("select 1; select 2", ""), ("delete from orders", "")])
def test_a_query_that_is_none_is_refused(run, database, query, said):
    database.fill(rows(10))
    d = failure(run("run", shop(database, query=query), "--format", "json", env=database.env, check=5), "E0912")
    assert said in d["message"]
    count = "SELECT count(*) FROM orders"
    if database.source == "sqlite":
        with contextlib.closing(sqlite3.connect(database.path)) as db:
            assert db.execute(count).fetchone() == (10,)
    else:
        assert database.server.sql(count) == "10"


# ---- when it is read again -------------------------------------------------------------------------------------------------


def test_plan_and_check_fetch_nothing(run, database):
    database.fill(rows())
    path = shop(database)
    run("check", path)
    plan = run("plan", path, "--format", "json").json  # without the address of the server
    assert plan["summary"]["run"] > 5 and not (database.folder / ".mlp" / "fetched").exists()
    run("run", path, env=database.env)
    (before,) = fetched_files(database.folder)
    database.sql("UPDATE orders SET amount = 1")
    plan = run("plan", path, "--format", "json").json
    assert fetched_files(database.folder) == [before]
    source = next(s for s in plan["steps"] if s["name"] == "orders")
    assert source["action"] == ("run" if database.source == "sqlite" else "may_run"), source


@pytest.mark.parametrize("version", ["", "changed"])
def test_a_run_that_finds_the_same_rows_computes_nothing(run, database, version):
    database.fill(rows())
    path = shop(database, version=version)
    run("run", path, env=database.env)
    files = fetched_files(database.folder)
    if database.source == "sqlite":
        settle()
    for _ in range(2):
        again = run("run", path, "--format", "json", env=database.env).json
        assert again["steps"]["ran"] == 0 and fetched_files(database.folder) == files


def test_version_by_decides_whether_rows_are_read_again(run, database):
    database.fill(rows())
    path = shop(database, version="changed")
    run("run", path, env=database.env)
    # What raises no version is not seen: that is what `version by` says.
    database.sql("UPDATE orders SET amount = 3 WHERE id = 1")
    assert run("run", path, "--format", "json", env=database.env).json["steps"]["ran"] == 0
    # A raised version reads everything again, also what was changed before.
    database.sql("UPDATE orders SET amount = 4, changed = 2 WHERE id = 2")
    again = run("run", path, "--format", "json", env=database.env)
    assert "orders.amount" in computed_values(again)
    # Rows that are gone, and rows that came late with an old version, are seen by their number.
    database.sql("DELETE FROM orders WHERE id = 3")
    assert "orders.amount" in computed_values(run("run", path, "--format", "json", env=database.env))


def test_a_version_column_that_is_not_there(run, database):
    database.fill(rows(10))
    d = failure(run("run", shop(database, version="change"), "--format", "json", env=database.env, check=4), "E0803")
    assert "did you mean `changed`" in d["help"]


# ---- SQLite ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_the_file_of_a_database_is_only_read(run, lite, mode):
    lite.fill(rows())
    lite.sql(f"PRAGMA journal_mode = {mode}")
    path = shop(lite)
    before = (lite.path.read_bytes(), lite.path.stat().st_mtime_ns)
    run("run", path)
    assert (lite.path.read_bytes(), lite.path.stat().st_mtime_ns) == before
    assert sorted(p.name for p in lite.folder.iterdir()) == [".mlp", "shop.db", "shop.mlp"]


def test_rows_that_are_only_in_the_log_of_a_writer_are_read(run, lite):
    lite.fill(rows())
    path = shop(lite)
    with contextlib.closing(sqlite3.connect(lite.path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        run("run", path)
        writer.execute("UPDATE orders SET amount = 7 WHERE id = 1")  # not in shop.db yet
        assert "orders.amount" in computed_values(run("run", path, "--format", "json"))


def test_a_locked_database_is_of_the_environment(run, lite):
    lite.fill(rows())
    with contextlib.closing(sqlite3.connect(lite.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        d = failure(run("run", shop(lite), "--format", "json", check=5), "E0912")
    assert "locked" in d["message"]


def test_a_file_that_is_no_database(run, lite):
    lite.path.write_text("a,b\n1,2\n")
    d = failure(run("run", shop(lite), "--format", "json", check=4), "E0804")
    assert "no SQLite database" in d["message"]


def test_a_damaged_database(run, lite):
    lite.fill(rows(5000))
    damaged = bytearray(lite.path.read_bytes())
    for at in range(4096 * 3, len(damaged), 4096):
        damaged[at : at + 100] = b"\xff" * 100
    lite.path.write_bytes(damaged)
    d = failure(run("run", shop(lite), "--format", "json", check=4), "E0804")
    assert "damaged" in d["message"] and fetched_files(lite.folder) == []


def test_a_database_without_permission(run, lite):
    import os

    lite.fill(rows(10))
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    lite.path.chmod(0)
    failure(run("run", shop(lite), "--format", "json", check=5), "E0901")


def test_bytes_are_no_value(run, lite):
    lite.fill(rows(20))
    lite.sql("UPDATE orders SET note = x'00ff' WHERE id = 12")
    d = failure(run("run", shop(lite), "--format", "json", check=4), "E0804")
    assert "row 12" in d["message"] and "`note`" in d["message"]


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------------


def test_values_of_all_types_arrive_as_they_are(run, postgres):
    postgres.sql(
        "CREATE TYPE mood AS ENUM ('fine', 'bad')",
        """CREATE TABLE t AS SELECT i AS id, (i % 2 = 0) AS y, (-i)::smallint AS small, 9223372036854775807 AS big, 0.1::float8 AS f, 0.5::real AS r,
           '-12345678.000012300'::numeric AS n, 'NaN'::float8 AS nan, date '1999-12-31' AS d, timestamp '2024-02-29 23:59:59.123456' AS ts,
           timestamptz '2024-02-29 23:59:59+02' AS tz, interval '1 day 2 seconds' AS span, 'fine'::mood AS mood, '  padded'::char(12) AS padded,
           '01234567-89ab-cdef-0123-456789abcdef'::uuid AS u, '{"a": 1}'::jsonb AS j, E'a "b",\\r\\nc' AS text, ''::varchar AS nothing, NULL::text AS absent
           FROM generate_series(1, 100) i""",
    )
    path = postgres.folder / "types.mlp"
    path.write_text(
        f"""workflow types
{SECRET}
data t from postgres(shop_db, table: "public.t") {{
    id : int @key
    y : bool @label
    small : int
    big : int
    f, r, n : float
    nan : float?
    d : date
    ts, tz : timestamp
    span : duration
    mood : category("fine", "bad")
    padded, u, j, text, nothing : string @ignore
    absent : string?

    expect small == -id for all rows
    expect big == 9_223_372_036_854_775_807 for all rows
    expect f == 0.1 and r == 0.5 and n == -12345678.0000123 for all rows
    expect missing(nan) >= 1.0
    expect missing(absent) >= 1.0
    expect year(d) == 1999 and month(d) == 12 and day(d) == 31 for all rows
    expect ts == timestamp("2024-02-29T23:59:59.123456Z") for all rows
    expect tz == timestamp("2024-02-29T21:59:59Z") for all rows
    expect span == 1d + 2s for all rows
    expect mood == "fine" for all rows
    expect padded == "  padded" for all rows
    expect u == "01234567-89ab-cdef-0123-456789abcdef" for all rows
    expect j == "{{\\"a\\": 1}}" for all rows
    expect text == "a \\"b\\",\\r\\nc" for all rows
    expect nothing == "" for all rows
}}
feature f of t {{ small }}
train m of f {{ predict y; split random 70/15/15; model gbdt {{ trees: 2 }}; seed 1 }}
""",
        encoding="utf-8",
    )
    run("run", path, env=postgres.env)


def refused(run, path, env, *words, check=5):
    outcome = run("run", path, "--format", "json", env=env, check=check)
    d = failure(outcome, "E0912")
    for word in words:
        assert word in d["message"], d
    assert d["help"]
    return outcome


def test_a_wrong_password_an_unknown_database_and_nobody_at_home(run, postgres):
    postgres.fill(rows(10))
    path, url = shop(postgres), postgres.server.url
    for bad, word in [
        (url.replace(PASSWORD, "wrong-Passw0rd"), "refuses the user or the password"),
        (url.replace("bazaar", "bazaar_nowhere"), "no such database"),
        (url.replace(f":{postgres.server.port}/", ":1/"), "nobody answers"),
        ("postgresql://[", "address is none"),
        ("no address wrong-Passw0rd", "address is none"),
    ]:
        outcome = refused(run, path, {"SHOP_DB": bad}, word)
        for secret in (bad, "wrong-Passw0rd", "shopkeeper", "bazaar_nowhere", PASSWORD):
            assert secret not in outcome.out + outcome.err
    refused(run, path, {}, "SHOP_DB", "not set")
    refused(run, path, {"SHOP_DB": ""}, "SHOP_DB", "not set")


def test_a_secret_is_nowhere_but_in_the_environment(run, postgres):
    postgres.fill(rows())
    path = shop(postgres)
    said = ""
    for args in (["check"], ["plan", "--format", "json"], ["check", "--emit", "physical", "--format", "json"], ["run"], ["run", "--format", "json"], ["why"]):
        outcome = run(args[0], path, *args[1:], *(["orders.amount"] if args[0] == "why" else []), env=postgres.env, check=None)
        said += outcome.out + outcome.err
    said += run("lineage", "orders.amount", "--store", postgres.folder / ".mlp", "--format", "json", env=postgres.env).out
    postgres.sql("ALTER TABLE orders RENAME COLUMN kind TO shopkeeper_kind")
    outcome = run("run", shop(postgres, query="select bazaar from orders"), env=postgres.env, check=5)
    said += outcome.out + outcome.err
    kept = everything_below(postgres.folder / ".mlp").decode("utf-8", "replace")
    for secret in (PASSWORD, postgres.server.url):
        assert secret not in said and secret not in kept
    assert "SHOP_DB" in said


def test_a_secret_in_a_file(run, postgres):
    postgres.fill(rows())
    (postgres.folder / "db.secret").write_text(postgres.server.url + "\n")
    path = shop(postgres)
    path.write_text(path.read_text().replace(SECRET, "").replace("shop_db", 'file("db.secret")'))
    run("run", path)


def test_no_right_to_read_a_table(run, postgres):
    postgres.fill(rows(10))
    postgres.sql("DROP ROLE IF EXISTS guest", f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'", "GRANT USAGE ON SCHEMA public TO guest")
    outcome = run("run", shop(postgres), "--format", "json", env={"SHOP_DB": postgres.server.url.replace("shopkeeper:", "guest:")}, check=5)
    d = failure(outcome, "E0912")
    assert "permission denied" in d["message"] and "GRANT SELECT" in d["help"]


def test_a_server_that_goes_away_in_the_middle_leaves_nothing_half_written(run, start, postgres):
    postgres.fill(rows(100))
    slow = "select id, amount, kind, note, day, paid, pg_sleep(0.02)::text as slow from orders, generate_series(1, 100)"
    path = shop(postgres, query=slow)
    process = start("run", path, "--format", "json", cwd=postgres.folder, env=postgres.env)
    for _ in range(600):
        if postgres.server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlpc' AND query LIKE 'COPY%'") == "1":
            break
        time.sleep(0.05)
    time.sleep(0.5)
    postgres.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mlpc'")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 5 and "E0912" in out and "broke" in out
    assert fetched_files(postgres.folder) == []
    run("run", shop(postgres), env=postgres.env)


def test_a_read_that_is_stopped_ends_at_once_on_both_sides(start, postgres):
    import signal

    postgres.fill(rows(10))
    path = shop(postgres, query="select id, amount, kind, note, day, paid, pg_sleep(60)::text as slow from orders")
    process = start("run", path, cwd=postgres.folder, env=postgres.env)
    active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlpc' AND state = 'active'"
    for _ in range(600):
        if postgres.server.sql(active) == "1":
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5 and "E0906" in err
    for _ in range(100):
        if postgres.server.sql(active) == "0":
            break
        time.sleep(0.05)
    assert postgres.server.sql(active) == "0" and fetched_files(postgres.folder) == []


def test_a_server_that_takes_too_long(run, postgres):
    postgres.fill(rows(10))
    path = shop(postgres, query="select id, amount, kind, note, day, paid, pg_sleep(60)::text as slow from orders")
    path.write_text(path.read_text().replace("postgres(shop_db,", "postgres(shop_db, timeout: 1s,"))
    refused(run, path, postgres.env, "within 1 seconds")


def test_nothing_is_written_on_the_server(run, postgres):
    postgres.fill(rows(10))
    postgres.sql("CREATE FUNCTION spoil() RETURNS bigint LANGUAGE sql AS 'DELETE FROM orders; SELECT 1::bigint'")
    refused(run, shop(postgres, query="select spoil() as id, amount, kind, note, day, paid from orders"), postgres.env, "read-only")
    assert postgres.server.sql("SELECT count(*) FROM orders") == "10"


def test_another_database_behind_the_same_name_is_read(run, postgres):
    postgres.fill(rows())
    path = shop(postgres, version="changed")
    run("run", path, env=postgres.env)
    postgres.server.sql("DROP DATABASE IF EXISTS market", database="postgres")
    postgres.server.sql("CREATE DATABASE market TEMPLATE bazaar", database="postgres")
    postgres.server.sql("UPDATE orders SET amount = 9 WHERE id = 9", database="market")
    again = run("run", path, "--format", "json", env={"SHOP_DB": postgres.server.url.replace("bazaar", "market")})
    assert "orders.amount" in computed_values(again)
