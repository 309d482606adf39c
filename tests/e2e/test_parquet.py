"""Parquet in and out of `mlpc score` and `mlpc monitor`: the bits of CSV, and what is said of files that do not fit. The files are
written and read by DuckDB itself."""

import pytest

from made import CENSUS, CENSUS_HEADER, census_rows, make_census, write_csv
from test_monitor import BLOCKS

@pytest.fixture
def census(run, duckdb, tmp_path):
    """The census, deployed; new.csv and new.parquet with the same 5,000 rows, some of them missing or unseen."""
    workflow = make_census(tmp_path / "census", rows=3000, text=CENSUS + BLOCKS)
    run("run", workflow)
    run("deploy", workflow)
    rows = census_rows(5000, seed=9)
    for at in range(0, 4990, 7):
        rows[at][4], rows[at + 1][5] = f"elsewhere {at}", "?"
    write_csv(workflow.parent / "new.csv", CENSUS_HEADER, rows)
    columns = ", ".join(
        [
            'age::SMALLINT AS age', '"hours-per-week"::INTEGER AS hours', 'gain::DOUBLE AS gain', 'loss::DECIMAL(18, 2) AS loss',
            "nullif(region, '?') AS region", "nullif(job, '?') AS job", "sex", "income", "[1, 2] AS list",
        ]
    )  # fmt: skip
    source = f"read_csv('{workflow.parent}/new.csv', all_varchar = true, header = true)"
    duckdb(f"COPY (SELECT {columns} FROM {source}) TO '{workflow.parent}/new.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return workflow


def score(run, workflow, source, target, **options):
    return run("score", "api", source, target, "--store", workflow.parent / ".mlp", "--format", "json", cwd=workflow.parent, **options)


def test_parquet_and_csv_give_the_same_bits(run, census, duckdb):
    folder = census.parent
    from_csv, from_parquet = score(run, census, "new.csv", "a.csv"), score(run, census, "new.parquet", "b.csv")
    assert from_csv.json["scored"] == from_parquet.json["scored"] == 5000
    assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()
    for source in ("new.csv", "new.parquet"):
        score(run, census, source, "c.parquet")
        first = (folder / "c.parquet").read_bytes()
        duckdb(f"COPY (SELECT * FROM read_parquet('{folder}/c.parquet')) TO '{folder}/c.csv' (FORMAT csv, HEADER true)")
        written = [line.split(",") for line in (folder / "c.csv").read_text().splitlines()]
        expected = [line.split(",") for line in (folder / "a.csv").read_text().splitlines()]
        assert written[0] == expected[0] == ["row", "prediction"]
        assert [(int(row), float(p).hex()) for row, p in written[1:]] == [(int(row), float(p).hex()) for row, p in expected[1:]]
        score(run, census, source, "c.parquet")
        assert (folder / "c.parquet").read_bytes() == first


def test_monitor_reads_it(run, census):
    by_csv = run("monitor", census, "--data", census.parent / "new.csv", "--format", "json", check=None).json
    by_parquet = run("monitor", census, "--data", census.parent / "new.parquet", "--format", "json", check=None).json
    assert by_csv["checks"] == by_parquet["checks"] and by_csv["window"]["rows"] == 5000


def test_rows_that_break_the_contract_are_set_aside(run, census, duckdb):
    folder = census.parent
    duckdb(f"COPY (SELECT * REPLACE (CASE WHEN age = 40 THEN 400 ELSE age END AS age) FROM read_parquet('{folder}/new.parquet')) TO '{folder}/bad.parquet' (FORMAT parquet)")
    outcome = score(run, census, "bad.parquet", "bad.csv")
    assert 0 < outcome.json["set_aside"] == 5000 - outcome.json["scored"]
    [warning] = outcome.json["diagnostics"]
    assert warning["code"] == "W0802" and warning["rows"][0]["column"] == "age" and warning["rows"][0]["value"] == "400"


def test_what_does_not_fit_is_said(run, census, duckdb):
    folder = census.parent
    duckdb(f"COPY (SELECT * EXCLUDE (age, gain) FROM read_parquet('{folder}/new.parquet')) TO '{folder}/lacks.parquet' (FORMAT parquet)")
    outcome = score(run, census, "lacks.parquet", "x.csv", check=None)
    assert outcome.code == 4 and "E0803" in outcome.err and "`age`, `gain`" in outcome.err
    duckdb(f"COPY (SELECT * REPLACE ([age] AS age) FROM read_parquet('{folder}/new.parquet')) TO '{folder}/lists.parquet' (FORMAT parquet)")
    outcome = score(run, census, "lists.parquet", "x.csv", check=None)
    assert outcome.code == 4 and "E0804" in outcome.err and "`age`" in outcome.err
    whole = (folder / "new.parquet").read_bytes()
    for name, damaged in (("no", b"age,hours\n1,2\n"), ("cut", whole[: len(whole) // 2]), ("empty", b""), ("turned", whole[:2000] + bytes(500) + whole[2500:])):
        (folder / f"{name}.parquet").write_bytes(damaged)
        outcome = score(run, census, f"{name}.parquet", "x.csv", check=None)
        assert outcome.code == 4 and "E0804" in outcome.err and f"{name}.parquet" in outcome.err, name
        assert "exception" not in outcome.err.lower() and "duckdb" not in outcome.err.lower()
    assert score(run, census, "nowhere.parquet", "x.csv", check=None).code == 5
    assert not (folder / "x.csv").exists()


def test_dates_and_times_are_those_of_text_files(run, duckdb, tmp_path):
    (tmp_path / "d.csv").write_text("day,at,x,y\n" + "".join(f"{i % 28 + 1:02}.{i % 12 + 1:02}.2024,2024-{i % 12 + 1:02}-{i % 28 + 1:02} {i % 24:02}:30:00,{i % 7},{'yes' if (i * 7) % 12 > 5 else 'no'}\n" for i in range(400)))
    (tmp_path / "d.mlp").write_text(
        """workflow d
data t from csv("d.csv") {
    day : date format "%d.%m.%Y"
    at  : timestamp
    x   : int
    y   : bool values ("yes", "no") @label
}
feature f of t {
    x
    month = month(day)
    hour  = hour(at)
}
train m of f {
    predict y
    split   random 60/20/20 seed 1
    model   gbdt { trees: 10, depth: 3 }
    seed    1
}
""",
        encoding="utf-8",
    )
    run("run", tmp_path / "d.mlp")
    duckdb(f"""COPY (SELECT strptime(day, '%d.%m.%Y')::DATE AS day, "at"::TIMESTAMP AS "at", x::BIGINT AS x FROM read_csv('{tmp_path}/d.csv', all_varchar = true, header = true))
               TO '{tmp_path}/d.parquet' (FORMAT parquet)""")
    for name in ("csv", "parquet"):
        run("score", "m", f"d.{name}", f"{name}.out.csv", "--store", tmp_path / ".mlp", cwd=tmp_path)
    assert (tmp_path / "csv.out.csv").read_bytes() == (tmp_path / "parquet.out.csv").read_bytes()
