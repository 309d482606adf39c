"""Splits move nobody: seen from the digests of the split's cells, which hold the part of every row."""

import random

import pytest

from made import steps_of, write_csv

KEYED = """workflow keyed
data rows from csv("rows_*.csv") {{
    id : string {tag}
    x  : float
    y  : bool @label
}}
feature seen of rows {{ x }}
split parts of rows random 60/20/20 seed 11
train m of seen {{ predict y; split parts; model gbdt {{ trees: 3, depth: 2 }}; seed 1 }}
evaluate m {{ metrics auc }}
"""


def make_rows(count, seed=1):
    draw = random.Random(seed)
    return [[f"r{i:05d}", f"{draw.gauss(0, 1):.5f}", "true" if draw.random() < 0.4 else "false"] for i in range(count)]


def make(folder, files, tag):
    folder.mkdir(exist_ok=True)
    for old in folder.glob("rows_*.csv"):
        old.unlink()
    for i, rows in enumerate(files):
        write_csv(folder / f"rows_{i:03d}.csv", ["id", "x", "y"], rows)
    (folder / "keyed.mlp").write_text(KEYED.format(tag=tag), encoding="utf-8")
    return folder / "keyed.mlp"


def split_cells(run, workflow):
    """One digest for each file of the table: the parts of its rows."""
    run("run", workflow)
    (cells,) = [s["outputs"] for s in steps_of(run, workflow) if s["kind"] == "split"]
    return cells


def test_with_a_key_a_row_inserted_anywhere_moves_no_other(run, tmp_path):
    rows = make_rows(600)
    files = [rows[i : i + 20] for i in range(0, 600, 20)]
    before = split_cells(run, make(tmp_path, files, "@key"))
    assert len(before) == 30
    for position in (0, 13, 29):
        with_one = [list(f) for f in files]
        with_one[position].insert(position % 20, ["inserted", "0.5", "true"])
        after = split_cells(run, make(tmp_path, with_one, "@key"))
        assert [i for i in range(30) if after[i] != before[i]] == [position]


def test_with_a_key_the_order_of_rows_means_nothing(run, tmp_path):
    rows = make_rows(400)
    alone = [[row] for row in rows[:60]]
    before = split_cells(run, make(tmp_path, [*alone, rows[60:]], "@key"))
    order = list(range(60))
    random.Random(3).shuffle(order)
    after = split_cells(run, make(tmp_path, [*(alone[i] for i in order), rows[60:]], "@key"))
    assert [after[order.index(i)] for i in range(60)] == before[:60]


@pytest.mark.parametrize("stratified", ["", "stratified y "])
def test_without_a_key_appended_rows_move_nobody(run, tmp_path, stratified):
    rows = make_rows(600)
    files = [rows[i : i + 20] for i in range(0, 600, 20)]
    workflow = make(tmp_path, files, "")
    text = workflow.read_text(encoding="utf-8").replace("60/20/20 ", f"60/20/20 {stratified}")
    workflow.write_text(text, encoding="utf-8")
    before = split_cells(run, workflow)
    added = make_rows(35, seed=2)
    write_csv(tmp_path / "rows_030.csv", ["id", "x", "y"], added)
    assert split_cells(run, workflow)[:30] == before


def test_rows_appended_to_a_file_move_nobody(run, tmp_path):
    rows = make_rows(600)
    workflow = make(tmp_path, [rows], "")
    run("run", workflow, "--fragment-rows", "50")
    (before,) = [s["outputs"] for s in steps_of(run, workflow) if s["kind"] == "split"]
    make(tmp_path, [rows + make_rows(77, seed=2)], "")
    run("run", workflow, "--fragment-rows", "50")
    (after,) = [s["outputs"] for s in steps_of(run, workflow) if s["kind"] == "split"]
    assert after[:12] == before


def test_shares_are_as_written(run, tmp_path):
    workflow = make(tmp_path, [make_rows(5000)], "@key")
    validation = run("run", workflow, "--format", "json").json["metrics"]["m"]["auc"]["rows"]
    test = run("run", workflow, "--final", "--format", "json").json["metrics"]["m"]["auc"]["rows"]
    assert abs(validation - 1000) < 120 and abs(test - 1000) < 120


def test_an_empty_part_is_said(run, tmp_path):
    workflow = make(tmp_path, [make_rows(3)], "")
    outcome = run("run", workflow, check=4)
    assert "E0806" in outcome.err or "E0807" in outcome.err
