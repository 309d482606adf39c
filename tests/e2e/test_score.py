"""`mlpc score`: the rows of a file through the scorer, and what it says of rows that it cannot take."""

import json

import pytest

from made import CENSUS, CENSUS_HEADER, census_rows, make_census, write_csv

FIELDS = {"age": int, "hours-per-week": int, "gain": float, "loss": float}


def store_of(workflow):
    return workflow.parent / ".mlp"


@pytest.fixture
def census(run, tmp_path):
    """The census with 5,000 rows, trained once; 2,000 further rows with values that training never saw."""
    workflow = make_census(tmp_path / "census", rows=5000)
    run("run", workflow)
    rows = census_rows(2000, seed=9)
    for i, row in enumerate(rows):
        if i % 7 == 0:
            row[4] = f"nowhere {i}"
        if i % 11 == 0:
            row[5] = "?"
        if i % 13 == 0:
            row[0], row[1] = "120", "99"
    write_csv(workflow.parent / "new.csv", CENSUS_HEADER, rows, blank=" ")
    return workflow


def as_json(rows):
    """The same rows as JSON Lines, as a program that has typed values writes them."""
    lines = []
    for row in rows:
        values = {name: FIELDS.get(name, str)(text) for name, text in zip(CENSUS_HEADER, row) if text != "?"}
        lines.append(json.dumps(values))
    return "\n".join(lines) + "\n"


def read_rows(path):
    return [[field.strip() for field in line.split(",")] for line in path.read_text().splitlines()[1:]]


def score(run, workflow, model, source, target, *more, **options):
    return run("score", model, source, target, "--store", store_of(workflow), *more, cwd=workflow.parent, **options)


@pytest.mark.parametrize("model", ["boosted", "plain"])
def test_csv_tsv_and_json_lines_give_the_same_bits_however_rows_are_cut(run, census, model):
    folder = census.parent
    for table in ("people", "new"):
        source = folder / f"{table}.csv"
        rows = read_rows(source)
        (folder / "rows.jsonl").write_text(as_json(rows))
        write_csv(folder / "rows.tsv", ["\t".join(CENSUS_HEADER)], [["\t".join(row)] for row in rows])
        outcome = score(run, census, model, source, "a.csv", "--format", "json")
        assert outcome.json["rows"] == outcome.json["scored"] == len(rows) and outcome.json["set_aside"] == 0
        expected = (folder / "a.csv").read_bytes()
        score(run, census, model, source, "b.csv", "--fragment-rows", "77")
        score(run, census, model, "rows.tsv", "c.csv")
        score(run, census, model, "rows.jsonl", "d.csv")
        for other in "bcd":
            assert (folder / f"{other}.csv").read_bytes() == expected, other
        score(run, census, model, "rows.jsonl", "e.jsonl")
        lines = [json.loads(line) for line in (folder / "e.jsonl").read_text().splitlines()]
        assert [f"{line['row']},{float(line['prediction'])!r}" for line in lines] == [
            f"{int(row)},{float(p)!r}" for row, p in (text.split(",") for text in expected.decode().splitlines()[1:])
        ]
        assert all(0 <= line["prediction"] <= 1 for line in lines)
    assert not [path.name for path in folder.iterdir() if path.name.endswith((".tmp", "~"))]


def test_names_of_the_workflow_and_the_file_are_both_known_in_json(run, census):
    row = {"age": 40, "hours-per-week": 50, "gain": 10, "loss": 0.5, "region": "north", "job": None, "other": [1]}
    renamed = {"hours_per_week": 1, **{("hours" if k == "hours-per-week" else k): v for k, v in row.items()}}
    lacking = {k: v for k, v in row.items() if k != "job"}
    (census.parent / "r.jsonl").write_text("\n".join(map(json.dumps, [row, renamed, lacking])) + "\n\n")
    outcome = score(run, census, "boosted", "r.jsonl", "r.csv", "--format", "json")
    assert outcome.json["scored"] == 3
    lines = (census.parent / "r.csv").read_text().splitlines()[1:]
    assert len({line.split(",")[1] for line in lines}) == 1


def test_the_summary_names_what_scored(run, census):
    folder = census.parent
    models = {m["model"]: m for m in run("models", "--store", store_of(census), "--format", "json").json["models"]}
    (name,) = [model for model in models if model.split(".")[-1] == "boosted"]
    outcome = score(run, census, "boosted", "new.csv", "o.csv", "--format", "json").json
    assert outcome["format_version"] == 1
    assert (outcome["model"], outcome["version"], outcome["scorer"]) == (name, 1, models[name]["scorer"])
    assert score(run, census, f"{name}@1", "new.csv", "p.csv", "--format", "json").json["scorer"] == outcome["scorer"]
    assert (folder / "o.csv").read_bytes() == (folder / "p.csv").read_bytes()
    # plain has no evaluate block, so nothing proves it.
    said = score(run, census, "plain", "new.csv", "q.csv")
    assert "not proven" in said.out
    assert "version 1" in said.out and "2000 of 2000 rows" in said.out


GOOD = ["40", "50", "10.5", "0.0", "north", "clerk", "Male", ">50K"]
BAD_ROWS = [  # column, text in the file, words of the reason
    ("age", "121", "0..120"),
    ("hours-per-week", "0", "1..99"),
    ("age", "forty", "whole number"),
    ("age", "40.5", "whole number"),
    ("gain", "?", "missing"),
    ("gain", "1e400", "number"),
]


def test_a_bad_row_of_a_csv_file_is_set_aside_with_line_field_and_reason(run, census):
    rows = [GOOD]
    for column, text, _ in BAD_ROWS:
        rows += [[text if name == column else value for name, value in zip(CENSUS_HEADER, GOOD)], GOOD]
    write_csv(census.parent / "bad.csv", CENSUS_HEADER, [*rows, GOOD[:3]])
    outcome = score(run, census, "boosted", "bad.csv", "o.csv", "--format", "json")
    result = outcome.json
    assert (result["rows"], result["scored"], result["set_aside"]) == (len(rows) + 1, len(BAD_ROWS) + 1, len(BAD_ROWS) + 1)
    lines = (census.parent / "o.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["row", *[str(2 * i + 1) for i in range(len(BAD_ROWS) + 1)]]
    assert len({line.split(",")[1] for line in lines[1:]}) == 1
    for i, (column, text, words) in enumerate(BAD_ROWS):
        places = [line for line in outcome.err.splitlines() if f"bad.csv:{2 * i + 3}" in line]
        assert places, outcome.err
        assert column in outcome.err and words in outcome.err
    assert "W0802" in outcome.err and "8 columns" in outcome.err


BAD_RECORDS = [
    ({"age": 121}, "age", "0..120"),
    ({"age": "40"}, "age", "whole number"),
    ({"age": 40.5}, "age", "whole number"),
    ({"age": None}, "age", "missing"),
    ({"age": True}, "age", "whole number"),
    ({"age": [40]}, "age", "list"),
    ({"age": {"x": 1}}, "age", "object"),
    ({"gain": "much"}, "gain", "number"),
    ({"gain": -1}, "gain", "0..1"),
    ({"job": 7}, "job", "text"),
]


def test_a_bad_record_of_json_lines_is_set_aside_with_line_field_and_reason(run, census):
    good = json.loads(as_json([GOOD]))
    lines = [json.dumps(good)]
    for change, _, _ in BAD_RECORDS:
        lines += [json.dumps({**good, **change}), json.dumps(good)]
    lines += ['{"age": 40, "age": 41}', '{"age": 4', "[1]", "[" * 5000, '{"age": 40}']
    text = "\n".join(lines).encode() + b'\n{"job": "\xff"}\n'
    (census.parent / "bad.jsonl").write_bytes(text)
    outcome = score(run, census, "boosted", "bad.jsonl", "o.csv", "--format", "json")
    result = outcome.json
    assert (result["scored"], result["set_aside"]) == (len(BAD_RECORDS) + 1, len(BAD_RECORDS) + 6)
    (warning,) = result["diagnostics"]
    assert warning["code"] == "W0802" and warning["severity"] == "warning"
    places = warning["rows"]
    for i, (_, field, words) in enumerate(BAD_RECORDS):
        (place,) = [p for p in places if p["line"] == 2 * i + 2]
        assert place["column"] == field and words in place["reason"], place
        assert place["file"] == "bad.jsonl"
    reasons = " ".join(place["reason"] for place in places)
    for words in ("given twice", "not JSON", "no JSON object"):
        assert words in reasons
    # 40.0 is a whole number, and texts for missing values mean the same as in the table's files.
    same = [good, {**good, "age": 40.0}, {**good, "age": 40, "more": 1}]
    (census.parent / "same.jsonl").write_text("\n".join(map(json.dumps, same)))
    (census.parent / "missing.jsonl").write_text("\n".join(json.dumps({**good, "job": job}) for job in (None, "?", " ? ", "")))
    for name, count in (("same", 3), ("missing", 4)):
        score(run, census, "boosted", f"{name}.jsonl", "s.csv")
        scores = [line.split(",")[1] for line in (census.parent / "s.csv").read_text().splitlines()[1:]]
        assert len(scores) == count and len(set(scores)) == 1


@pytest.mark.parametrize(
    "model, source, target, code, words",
    [
        ("boosted", "absent.csv", "o.csv", "E0901", "absent.csv"),
        ("boosted", "new.xls", "o.csv", "E0601", "new.xls"),
        ("boosted", "new.csv", "o.xls", "E0601", "o.xls"),
        ("bosted", "new.csv", "o.csv", "E0908", "boosted"),
        ("boosted@7", "new.csv", "o.csv", "E0908", "boosted@7"),
        ("boosted", "short.csv", "o.csv", "E0803", "hours-per-week"),
        ("boosted", "table.jsonl", "o.csv", "E0804", "table.jsonl"),
        ("boosted", "new.csv", "none/o.csv", "E0904", "none"),
        ("boosted", "new.csv", "new.csv", "E0904", "new.csv"),
    ],
)
def test_what_cannot_be_scored_is_said_and_nothing_is_written(run, census, model, source, target, code, words):
    folder = census.parent
    (folder / "short.csv").write_text("age,gain,loss,region,job\n40,1,2,north,clerk\n")
    (folder / "table.jsonl").write_bytes((folder / "new.csv").read_bytes())
    (folder / "new.xls").write_bytes(b"PAR1")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    outcome = score(run, census, model, source, target, "--format", "json", check=None)
    assert outcome.code in (1, 4, 5), str(outcome)
    (said,) = outcome.json["diagnostics"]
    assert said["code"] == code and words in said["message"] + str(said.get("help")) + str(said.get("notes")), said
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_rows_go_by_the_key_of_the_table_where_the_file_has_it(run, tmp_path):
    text = CENSUS.replace("    age    : int in 0..120\n", '    person : string @key as "person id"\n    age    : int in 0..120\n')
    workflow = tmp_path / "keyed" / "census.mlp"
    workflow.parent.mkdir()
    workflow.write_text(text)
    rows = census_rows(1500)
    header = ["person id", *CENSUS_HEADER]
    named = [[f'"p, ""{i}"""', *row] for i, row in enumerate(rows)]
    write_csv(workflow.parent / "people.csv", header, named)
    run("run", workflow)
    score(run, workflow, "boosted", "people.csv", "o.csv")
    lines = (workflow.parent / "o.csv").read_text().splitlines()
    assert lines[0] == "person id,prediction" and lines[3].startswith('"p, ""2""",0.')
    records = [{"person id": f'p, "{i}"', **json.loads(as_json([row]))} for i, row in enumerate(rows)]
    (workflow.parent / "people.jsonl").write_text("\n".join(map(json.dumps, records)))
    score(run, workflow, "boosted", "people.jsonl", "p.csv")
    assert (workflow.parent / "p.csv").read_text().splitlines() == lines
    score(run, workflow, "boosted", "people.jsonl", "q.jsonl")
    assert json.loads((workflow.parent / "q.jsonl").read_text().splitlines()[2])["person id"] == 'p, "2"'
    write_csv(workflow.parent / "nameless.csv", CENSUS_HEADER, rows)
    score(run, workflow, "boosted", "nameless.csv", "n.csv")
    assert (workflow.parent / "n.csv").read_text().splitlines()[0] == "row,prediction"


def test_the_real_census_is_scored_by_the_model_of_its_run(run, income):
    run("run", income)
    store = store_of(income)
    table = next((income.parent.parent.parent / "data").rglob("adult*.csv"))
    out = income.parent / "scores.csv"
    outcome = run("score", "earner", table, out, "--store", store, "--format", "json", cwd=income.parent).json
    assert outcome["set_aside"] == 0 and outcome["scored"] == outcome["rows"] == 32_561
    assert outcome["proven"] is True
    lines = out.read_text().splitlines()
    assert len(lines) == outcome["rows"] + 1
    again = income.parent / "again.csv"
    run("score", "earner", table, again, "--store", store, "--fragment-rows", "1000", cwd=income.parent)
    assert again.read_bytes() == out.read_bytes()
