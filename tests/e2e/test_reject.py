"""`reject up to SHARE into "FILE"`: rows that break the contract are no rows of the table, and stand in a file with place and reason."""

import csv
import gzip
import json
import sqlite3

import pytest

from made import settle

WORKFLOW = """workflow shop
data orders from {source} {{
    id     : int @key
    amount : float in 0..1_000
    kind   : category("a", "b")
    day    : date
    late   : bool @label
    {reject}
    expect rows >= 10
}}
feature order of orders {{ amount, kind }}
train m of order {{ predict late; split random 70/15/15; model logistic; seed 1 }}
evaluate m {{ metrics log_loss, brier }}
"""
BAD = {17: ("amount", "5000"), 40: ("kind", "z"), 41: ("day", "2024-13-01"), 399: ("amount", "")}


def rows(without=()):
    for i in range(400):
        if i not in without:
            yield {"id": str(i), "amount": f"{i * 37 % 1000}.5", "kind": "ab"[i % 2], "day": "2024-01-02", "late": str(i * i % 7 < 3).lower()} | ({BAD[i][0]: BAD[i][1]} if i in BAD else {})


def write(path, table):
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, ["id", "amount", "kind", "day", "late"])
        out.writeheader()
        out.writerows(table)


def workflow(folder, reject='reject up to 2% into "bad.csv"', source='csv("orders.csv")'):
    (folder / "w.mlp").write_text(WORKFLOW.format(reject=reject, source=source))
    return folder / "w.mlp"


def rejected(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def metrics(outcome):
    return outcome.json["metrics"]


@pytest.fixture
def good(run, tmp_path):
    """The metrics of the rows that break nothing."""
    folder = tmp_path / "good"
    folder.mkdir()
    write(folder / "orders.csv", rows(BAD))
    return metrics(run("run", workflow(folder, reject=""), "--format", "json"))


def test_bad_rows_are_set_aside(run, tmp_path, good):
    write(tmp_path / "orders.csv", rows())
    outcome = run("run", workflow(tmp_path), "--format", "json")
    assert metrics(outcome) == good
    warning = next(d for d in outcome.json["diagnostics"] if d["code"] == "W0802")
    assert "4 rows of `orders` are set aside" in warning["message"] and "bad.csv" in warning["help"]
    assert [place["line"] for place in warning["rows"]] == [19, 42, 43, 401]
    table = rejected(tmp_path / "bad.csv")
    assert [(r["id"], int(r["reject_line"]), r["reject_column"], r["reject_value"]) for r in table] == [(str(i), i + 2, *BAD[i]) for i in BAD]
    assert all(r["reject_file"].endswith("orders.csv") and r["reject_reason"] for r in table)
    assert table[0]["amount"] == "" and table[0]["kind"] == "b" and table[0]["day"] == "2024-01-02"
    assert table[1]["kind"] == "" and table[1]["amount"] == "480.5"
    peeked = run("peek", tmp_path / "w.mlp", "orders", "--where", "id >= 16 and id <= 18", "--format", "json")
    assert [row[0] for row in peeked.json["rows"]] == [16, 18]


def test_nothing_is_done_twice_and_the_file_is_kept(run, tmp_path):
    write(tmp_path / "orders.csv", rows())
    path = workflow(tmp_path)
    settle(run, path)
    before = (tmp_path / "bad.csv").read_bytes()
    inode = (tmp_path / "bad.csv").stat().st_ino
    again = run("run", path, "--format", "json")
    assert again.json["steps"]["ran"] == 0 and (tmp_path / "bad.csv").stat().st_ino == inode
    assert {step["action"] for step in run("plan", path, "--format", "json").json["steps"]} == {"reuse"}
    (tmp_path / "bad.csv").unlink()
    assert run("run", path, "--format", "json").json["steps"]["ran"] == 0
    assert (tmp_path / "bad.csv").read_bytes() == before
    # A wider range lets a row in; another share computes nothing anew.
    path.write_text(path.read_text().replace("up to 2%", "up to 3%"))
    assert run("run", path, "--format", "json").json["steps"]["ran"] == 0
    path.write_text(path.read_text().replace("0..1_000", "0..10_000"))
    run("run", path)
    assert [r["id"] for r in rejected(tmp_path / "bad.csv")] == ["40", "41", "399"]
    write(tmp_path / "orders.csv", rows(BAD))
    run("run", path)
    assert rejected(tmp_path / "bad.csv") == []


def test_more_than_the_share_ends_the_run(run, tmp_path):
    write(tmp_path / "orders.csv", rows())
    path = workflow(tmp_path, 'reject up to 0.5% into "bad.csv"')
    for _ in range(2):  # what the store knows of the rows changes nothing
        outcome = run("run", path, check=4)
        assert "E0801" in outcome.err and "orders.csv:19" in outcome.err and "4 of 400 rows break it, 1%" in outcome.err
        assert not (tmp_path / "bad.csv").exists()
    path.write_text(path.read_text().replace("0.5%", "1%"))
    run("run", path)
    assert len(rejected(tmp_path / "bad.csv")) == 4


@pytest.mark.parametrize("fragment_rows, threads", [(7, 1), (41, 2), (100_000, 8)])
def test_the_cut_changes_nothing(run, tmp_path, good, fragment_rows, threads):
    write(tmp_path / "orders.csv", rows())
    outcome = run("run", workflow(tmp_path), "--format", "json", "--fragment-rows", str(fragment_rows), "-j", str(threads))
    assert metrics(outcome) == good
    assert [r["id"] for r in rejected(tmp_path / "bad.csv")] == [str(i) for i in BAD]


def test_a_fragment_of_bad_rows_alone(run, tmp_path, good):
    table = list(rows(BAD))
    bad = [dict(row, amount="-1", id=str(1000 + i)) for i, row in enumerate(table[:40])]
    write(tmp_path / "orders.csv", table[:100] + bad + table[100:])
    outcome = run("run", workflow(tmp_path, 'reject up to 20% into "bad.csv"'), "--format", "json", "--fragment-rows", "20")
    assert metrics(outcome) == good and len(rejected(tmp_path / "bad.csv")) == 40


def test_rows_that_are_bad_as_a_whole(run, tmp_path, good):
    write(tmp_path / "orders.csv", rows(BAD))
    lines = (tmp_path / "orders.csv").read_text().splitlines()
    lines[5:5] = ["1,2", '9,"open" x,a,2024-01-02,true']
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n")
    assert metrics(run("run", workflow(tmp_path), "--format", "json")) == good
    table = rejected(tmp_path / "bad.csv")
    assert [(r["id"], r["reject_line"], r["reject_column"]) for r in table] == [("", "6", ""), ("", "7", "")]
    assert "2 fields" in table[0]["reject_reason"] and table[0]["reject_value"] == "1,2"


def test_other_forms(run, tmp_path, good, duckdb):
    with gzip.open(tmp_path / "orders.jsonl.gz", "wt") as file:
        for row in rows():
            values = {k: int(v) if k == "id" else float(v) if k == "amount" and v else v == "true" if k == "late" else v or None for k, v in row.items()}
            file.write(json.dumps(values) + "\n")
    path = workflow(tmp_path, 'reject up to 2% into "bad.parquet"', 'json("orders.jsonl.gz")')
    assert metrics(run("run", path, "--format", "json")) == good
    duckdb(f"COPY (SELECT * FROM read_parquet('{tmp_path}/bad.parquet')) TO '{tmp_path}/bad.csv' (HEADER true)")
    assert [(r["id"], int(r["reject_line"]), r["reject_column"]) for r in rejected(tmp_path / "bad.csv")] == [(str(i), i + 1, BAD[i][0]) for i in BAD]


def test_the_source_is_never_written_over(run, tmp_path):
    write(tmp_path / "orders.csv", rows())
    before = (tmp_path / "orders.csv").read_bytes()
    outcome = run("run", workflow(tmp_path, 'reject up to 2% into "orders.csv"'), check=5)
    assert "E0904" in outcome.err and (tmp_path / "orders.csv").read_bytes() == before


def test_a_row_that_is_set_aside_is_no_row_for_expectations(run, tmp_path):
    write(tmp_path / "orders.csv", rows())
    path = workflow(tmp_path)
    path.write_text(path.read_text().replace("rows >= 10", "rows == 396\n    expect id != 17 for all rows"))
    run("run", path)


def test_rows_of_a_database(run, tmp_path, good):
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, amount REAL, kind TEXT, day TEXT, late BOOLEAN)")
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", [(int(r["id"]), float(r["amount"]) if r["amount"] else None, r["kind"], r["day"], r["late"] == "true") for r in rows()])
    database.commit()
    database.close()
    outcome = run("run", workflow(tmp_path, source='sqlite("shop.db", table: "orders")'), "--format", "json", "--fragment-rows", "50")
    assert metrics(outcome) == good
    table = rejected(tmp_path / "bad.csv")
    assert [(r["id"], int(r["reject_line"]), r["reject_column"]) for r in table] == [(str(i), i + 1, BAD[i][0]) for i in BAD]
