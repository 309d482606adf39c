"""Rows that break the contract of their table stop the run with exit code 4, and are shown with file, physical line,
column and value."""

import pytest

from made import CENSUS, CENSUS_HEADER, census_rows, make_census, steps_of, write_csv


def said(outcome):
    return outcome.out + outcome.err


def break_cell(folder, row, column, value, blank=" "):
    rows = census_rows(300)
    rows[row][CENSUS_HEADER.index(column)] = value
    write_csv(folder / "people.csv", CENSUS_HEADER, rows, blank=blank)


def bad_rows(outcome):
    """Rows of the contract failure of a `run --format json`."""
    (failure,) = [d for d in outcome.json["diagnostics"] if d["code"] == "E0801"]
    return failure["rows"], failure.get("more_rows", 0)


@pytest.mark.parametrize(
    "column, value",
    [("age", "abc"), ("age", "1.7"), ("age", "130"), ("age", "1e2"), ("age", "99999999999999999999"), ("sex", "male"), ("gain", "12x"), ("hours-per-week", "0")],
)
def test_a_value_that_is_not_of_its_type_is_shown_with_its_place(run, tmp_path, column, value):
    workflow = make_census(tmp_path, rows=300)
    break_cell(tmp_path, 123, column, value)
    outcome = run("run", workflow, "--format", "json", check=4)
    rows, more = bad_rows(outcome)
    assert len(rows) == 1 and more == 0
    assert rows[0]["file"].endswith("people.csv")
    assert rows[0]["line"] == 125  # the header is line 1
    assert rows[0]["column"] == column
    assert rows[0]["value"].strip() == value
    assert rows[0]["reason"]
    text = said(run("run", workflow, check=4))
    for part in ("E0801", "people.csv:125", column, value):
        assert part in text


def test_a_missing_value_where_the_type_has_none_is_shown(run, tmp_path):
    workflow = make_census(tmp_path, rows=300)
    break_cell(tmp_path, 5, "age", "?")
    rows, _ = bad_rows(run("run", workflow, "--format", "json", check=4))
    assert [(r["line"], r["column"]) for r in rows] == [(7, "age")]
    assert "missing" in rows[0]["reason"]


def test_an_untrimmed_null_is_not_taken_for_missing(run, tmp_path):
    workflow = make_census(tmp_path, rows=300, text=CENSUS.replace(", trim: true", "").replace('as "hours-per-week"', 'as " hours-per-week"'))
    text = said(run("run", workflow, check=4))
    assert "people.csv" in text and "E08" in text


def test_an_untrimmed_question_mark_in_a_number_is_shown(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,true\n ?,false\n3,true\n", encoding="utf-8")
    (tmp_path / "t.mlp").write_text(
        'workflow t\ndata rows from csv("t.csv", null: "?") { x : int?; y : bool @label }\nfeature f of rows { x }\n'
        "train m of f { predict y; split random 70/15/15; model gbdt { trees: 2 }; seed 1 }\n",
        encoding="utf-8",
    )
    text = said(run("run", tmp_path / "t.mlp", check=4))
    assert "t.csv:3" in text and " ?" in text and "x" in text


def test_swapped_columns_give_the_same_result(run, tmp_path):
    workflow = make_census(tmp_path / "a")
    before = run("run", workflow, "--format", "json").json
    swapped = make_census(tmp_path / "b")
    order = [7, 3, 0, 6, 2, 5, 1, 4]
    rows = census_rows(1500)
    write_csv(tmp_path / "b" / "people.csv", [CENSUS_HEADER[i] for i in order], [[row[i] for i in order] for row in rows], blank=" ")
    after = run("run", swapped, "--format", "json").json
    assert after["metrics"] == before["metrics"]

    def models(workflow):
        return sorted(str(s["outputs"]) for s in steps_of(run, workflow) if s["kind"] == "train")

    assert models(swapped) == models(workflow)


def test_a_bad_row_after_a_quoted_newline_is_shown_with_its_physical_line(run, tmp_path):
    (tmp_path / "q.csv").write_text('note,x,y\n"two\nlines",1,true\nplain,2,false\n"three\n\nlines",3,true\nplain,oops,false\n', encoding="utf-8")
    (tmp_path / "q.mlp").write_text(
        'workflow q\ndata rows from csv("q.csv") { note : string @ignore; x : int; y : bool @label }\nfeature f of rows { x }\n'
        "train m of f { predict y; split random 70/15/15; model gbdt { trees: 2 }; seed 1 }\n",
        encoding="utf-8",
    )
    text = said(run("run", tmp_path / "q.mlp", check=4))
    assert "q.csv:8" in text and "oops" in text and "x" in text


def test_a_row_with_a_field_too_few_is_shown(run, tmp_path):
    workflow = make_census(tmp_path, rows=300)
    lines = (tmp_path / "people.csv").read_text(encoding="utf-8").split("\n")
    lines[57] = lines[57].rsplit(",", 1)[0]
    (tmp_path / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    text = said(run("run", workflow, check=4))
    assert "people.csv:58" in text


def test_many_bad_rows_are_shown_up_to_20_and_counted(run, tmp_path):
    workflow = make_census(tmp_path, rows=300)
    rows = census_rows(300)
    for row in rows[10:61]:
        row[0] = "old"
    write_csv(tmp_path / "people.csv", CENSUS_HEADER, rows, blank=" ")
    shown, more = bad_rows(run("run", workflow, "--format", "json", check=4))
    assert [r["line"] for r in shown] == list(range(12, 32))
    assert more == 31
    assert "31 more" in said(run("run", workflow, check=4))


def test_a_column_that_the_file_lacks_is_named_with_a_near_one(run, tmp_path):
    workflow = make_census(tmp_path, rows=300, text=CENSUS.replace('as "hours-per-week"', 'as "hours-per-weak"'))
    text = said(run("run", workflow, check=4))
    assert "E0803" in text and "hours-per-weak" in text and "hours-per-week" in text


def test_an_expectation_that_does_not_hold_stops_the_run(run, tmp_path):
    workflow = make_census(tmp_path, rows=300, text=CENSUS.replace("expect rows >= 10\n", "expect rows >= 1_000\n"))
    text = said(run("run", workflow, check=4))
    assert "E0802" in text and "rows >= 1_000" in text and "300" in text


def test_an_expectation_that_only_warns_does_not_stop(run, tmp_path):
    workflow = make_census(tmp_path, text=CENSUS.replace("expect rows >= 10\n", "expect rows >= 100_000 else warn\n"))
    outcome = run("run", workflow)
    assert "W0801" in outcome.err


def test_a_missing_file_is_of_the_environment(run, tmp_path):
    workflow = make_census(tmp_path)
    (tmp_path / "people.csv").unlink()
    text = said(run("run", workflow, check=5))
    assert "people.csv" in text and "E0901" in text


def test_the_data_is_only_read(run, tmp_path):
    workflow = make_census(tmp_path)
    table = tmp_path / "people.csv"
    before = (table.read_bytes(), table.stat().st_mtime_ns, table.stat().st_ino)
    run("run", workflow)
    assert (table.read_bytes(), table.stat().st_mtime_ns, table.stat().st_ino) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [".mlp", "census.mlp", "people.csv"]


def test_what_was_computed_before_a_failure_is_kept_and_the_failure_says_where_in_the_program(run, tmp_path):
    workflow = make_census(tmp_path, rows=300)
    break_cell(tmp_path, 3, "age", "abc")
    failed = run("run", workflow, "--format", "json", check=4).json
    assert failed["status"] == "failed"
    line = next(i for i, text in enumerate(CENSUS.split("\n"), 1) if "age    : int" in text)
    assert any(d["code"] == "E0801" and d["line"] == line for d in failed["diagnostics"]), failed["diagnostics"]
    make_census(tmp_path, rows=300)
    run("run", workflow)


def test_the_names_of_a_file_without_rows_are_checked(run, tmp_path):
    (tmp_path / "w.mlp").write_text('workflow w\ndata d from csv("t*.csv") { a : int }\n')
    (tmp_path / "t1.csv").write_text("a,b\n")
    run("run", "w.mlp")
    for wrong in ("x,y\n", "x,y"):
        (tmp_path / "t1.csv").write_text(wrong)
        text = said(run("run", "w.mlp", check=4))
        assert "E0803" in text and "`t1.csv` has no column `a`" in text
    # Also beside one whose rows were read before.
    (tmp_path / "t1.csv").write_text("a\n1\n")
    run("run", "w.mlp")
    (tmp_path / "t2.csv").write_text("x\n")
    assert "`t2.csv` has no column `a`" in said(run("run", "w.mlp", check=4))


def test_times_that_an_offset_takes_out_of_the_years_are_refused(run, tmp_path):
    (tmp_path / "t.csv").write_text(
        "at,place\n0001-01-01T00:00:00Z,0001-01-01\n0001-01-01T00:00:00+01:00,2024-01-01\n9999-12-31T23:59:59.999999Z,2024-01-01\n"
        "9999-12-31T23:59:59-00:01,2024-01-01\n"
    )
    (tmp_path / "w.mlp").write_text('workflow w\ndata d from csv("t.csv") { at : timestamp }\n')
    rows, _ = bad_rows(run("run", "w.mlp", "--format", "json", check=4))
    assert [(r["line"], r["reason"]) for r in rows] == [(n, "a time that is not in the years 1 to 9999 of UTC") for n in (3, 5)]
    (tmp_path / "t.csv").write_text("at\n0001-01-01T00:00:00\n9999-12-31T23:00:00\n")
    for zone, line in (("America/New_York", 3), ("Asia/Tokyo", 2)):
        (tmp_path / "w.mlp").write_text(f'workflow w\ndata d from csv("t.csv", zone: "{zone}") {{ at : timestamp }}\n')
        rows, _ = bad_rows(run("run", "w.mlp", "--format", "json", check=4))
        assert [(r["line"], r["reason"]) for r in rows] == [(line, "a time that is not in the years 1 to 9999 of UTC")]


def test_what_stands_in_a_file_does_not_reach_the_terminal_as_control_characters(run, tmp_path):
    (tmp_path / "w.mlp").write_text('workflow w\ndata d from csv("t.csv") { a : int }\ndata e from csv("t.csv") { b : int }\n')
    (tmp_path / "t.csv").write_text("a,\x1b[31mc\n\x1b]0;title\x07,1\n")
    for name, shown in (("d", "\\x1b]0;title\\x07"), ("e", "\\x1b[31mc")):
        outcome = run("peek", "w.mlp", name, check=4)
        assert shown in outcome.err and "\x1b" not in outcome.out + outcome.err


def test_the_declaration_that_the_file_does_not_fit_is_shown(run, tmp_path):
    (tmp_path / "w.mlp").write_text('workflow w\ndata d from csv("t.csv") {\n    a : int\n    b : int\n    c : int as "see"\n}\n')
    for text, code, line in (("a,b,see\n1,2,x\n", "E0801", 5), ("a,b,see\n1,y,x\n", "E0801", 4), ("a,see\n1,2\n", "E0803", 4), ("a,b,c\n1,2,3\n", "E0803", 5)):
        (tmp_path / "t.csv").write_text(text)
        (found,) = run("run", "w.mlp", "--format", "json", check=4).json["diagnostics"]
        assert (found["code"], found["line"]) == (code, line)


def test_what_is_not_unique_is_shown(run, tmp_path):
    (tmp_path / "w.mlp").write_text('workflow w\ndata d from csv("t.csv") { id : int unique; x : float?\n expect unique(x)\n expect distinct(x) == 2\n}\n')
    (tmp_path / "t.csv").write_text("id,x\n1,1.5\n7,\n2,0.0\n7,-0.0\n")
    text = said(run("run", "w.mlp", "--fragment-rows", "2", check=4))
    assert "unique(id) is false: row 4 has `7` again" in text and "unique(x) is false: row 4 has `0` again" in text and "distinct" not in text
