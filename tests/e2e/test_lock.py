"""`rest from lock` and `mlpc lock`: types of columns that nobody declares, found in a user's own file, kept beside the workflow."""

import csv
import json
import os
import random

import pytest

from lsp_wire import Wire, place
from made import settle

WORKFLOW = """workflow shop

data orders from csv("orders.csv", null: "?") {
    id : int @key
    rest from lock
}

feature order of orders {
    amount, channel
    dear = amount > 100
    old  = age_in_days ?? 0
}
"""


def write_orders(path, rows=400, head=("id", "amount", "channel", "age-in-days", "code", "day", "at", "paid", "note"), change=None):
    draw = random.Random(5)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        for i in range(rows):
            row = [i, f"{draw.random() * 200:.2f}", draw.choice(["web", "shop", "phone"]), draw.choice(["?", str(draw.randint(0, 99))]), f"{i % 7:03}",
                   f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}", f"2024-01-{i % 28 + 1:02} 12:{i % 60:02}:00", draw.choice(["true", "false"]), f"note {i}, with a comma"]
            out.writerow(change(i, row) if change else row)


@pytest.fixture
def shop(tmp_path):
    write_orders(tmp_path / "orders.csv")
    (tmp_path / "shop.mlp").write_text(WORKFLOW)
    return tmp_path / "shop.mlp"


def locked(folder, table=0):
    return {c["name"]: c["type"] for c in json.loads((folder / "mlp.lock").read_text())["tables"][table]["columns"]}


def ran(outcome):
    return {step["name"] for step in outcome.json["ran"]}


def codes(outcome):
    return [d["code"] for d in outcome.json["diagnostics"]]


def test_the_whole_way(run, shop, tmp_path):
    missing = run("check", shop, "--format", "json", check=1)
    assert codes(missing) == ["E0212"] and f"mlpc lock {shop}" in missing.json["diagnostics"][0]["help"]

    assert run("lock", shop, "--check", "--format", "json", check=1).json["changed"] is True
    assert not (tmp_path / "mlp.lock").exists()
    done = run("lock", shop, "--format", "json").json
    assert done["changed"] and done["written"] and done["diagnostics"] == []
    assert locked(tmp_path) == {"amount": "float", "channel": "category", "age-in-days": "int?", "code": "category", "day": "date", "at": "timestamp", "paid": "bool", "note": "string"}
    (table,) = done["locks"][0]["tables"]
    assert table["status"] == "new" and table["file"] == "shop.mlp" and table["path"] == "orders.csv"
    assert {"name": "age_in_days", "source_name": "age-in-days", "type": "int?"} in table["columns"]
    lines = (tmp_path / "mlp.lock").read_text().splitlines()
    assert sum('"type"' in line for line in lines) == 8 and '        {"name": "amount", "type": "float"},' in lines

    run("check", shop)
    assert run("lock", shop, "--check", "--format", "json").json["changed"] is False
    assert "orders.old" not in ran(run("run", shop, "--format", "json"))
    assert ran(run("run", shop, "--format", "json")) == set()


def test_check_reads_the_lock_and_no_data(run, shop, tmp_path):
    run("lock", shop)
    (tmp_path / "orders.csv").unlink()
    run("check", shop)
    os.mkfifo(tmp_path / "orders.csv")  # to open it would wait for ever
    run("check", shop, timeout=20)


def test_a_column_that_is_declared_is_not_in_the_lock_and_is_the_same_column(run, shop, tmp_path):
    run("lock", shop)
    run("run", shop)
    shop.write_text(WORKFLOW.replace("    rest from lock", '    age_in_days : int? as "age-in-days"\n    rest from lock'))
    assert ran(run("run", shop, "--format", "json")) == set()
    changes = run("lock", shop, "--format", "json").json["locks"][0]["tables"][0]["changes"]
    assert changes == [{"what": "removed", "source_name": "age-in-days", "before": "int?", "after": None}]
    assert "age-in-days" not in locked(tmp_path)


def test_a_table_without_a_declared_column(run, tmp_path):
    write_orders(tmp_path / "orders.csv")
    (tmp_path / "w.mlp").write_text('workflow w\ndata orders from csv("orders.csv") { rest from lock }\nfeature v of orders { amount; big = amount > 10 }\n')
    run("lock", "w.mlp")
    assert len(locked(tmp_path)) == 9 and locked(tmp_path)["id"] == "int"
    run("run", "w.mlp")


# ---- a source that changed ---------------------------------------------------------------------------------------------------------


def test_a_renamed_and_a_new_column_are_told_and_taken_by_a_new_lock(run, shop, tmp_path):
    run("lock", shop)
    run("run", shop)
    head = ("id", "amount", "chanel", "age-in-days", "code", "day", "at", "paid", "note")
    write_orders(tmp_path / "orders.csv", head=head)
    outcome = run("run", shop, "--format", "json", check=4)
    (told,) = outcome.json["diagnostics"]
    assert told["code"] == "E0808" and "mlpc lock" in told["help"]
    assert any("`channel` may have been renamed to `chanel`" in note for note in told["notes"])
    said = run("lock", shop, check=1)  # the workflow still speaks of the old column
    assert "- channel: category" in said.out and "+ chanel: category" in said.out
    assert "E0203" in said.err and "did you mean `chanel`" in said.err
    shop.write_text(WORKFLOW.replace("amount, channel", "amount, chanel"))
    run("run", shop)


@pytest.mark.parametrize(
    ("column", "value", "was", "now"),
    [(1, "12,5 EUR", "float", "string"), (3, "1.5", "int?", "float?"), (5, "31.12.2024", "date", "string"), (6, "noon", "timestamp", "string"), (7, "maybe", "bool", "category"), (2, "?", "category", "category?")],
)
def test_values_of_another_type_are_shown_with_the_difference(run, shop, tmp_path, column, value, was, now):
    run("lock", shop)
    run("run", shop)
    before = (tmp_path / "mlp.lock").read_text()

    def change(i, row):
        if i == 300:
            row[column] = value
        return row

    write_orders(tmp_path / "orders.csv", change=change)
    outcome = run("run", shop, "--format", "json", check=4)
    (told,) = outcome.json["diagnostics"]
    name = ("id", "amount", "channel", "age-in-days", "code", "day", "at", "paid", "note")[column]
    assert told["code"] == "E0808" and told["rows"][0]["line"] == 302 and told["rows"][0]["column"] == name
    assert any(f"`{name}` is `{was}` in" in note and f"`{now}` in the data" in note for note in told["notes"])
    assert (tmp_path / "mlp.lock").read_text() == before
    changes = run("lock", shop, "--check", "--format", "json", check=1).json["locks"][0]["tables"][0]["changes"]
    assert changes == [{"what": "type", "source_name": name, "before": was, "after": now}]


def test_a_bad_value_of_a_declared_column_is_a_broken_contract_as_ever(run, shop, tmp_path):
    run("lock", shop)
    write_orders(tmp_path / "orders.csv", change=lambda i, row: ["x", *row[1:]] if i == 3 else row)
    assert codes(run("run", shop, "--format", "json", check=4)) == ["E0801"]


def test_plan_sees_the_misfit_once_the_file_is_known(run, shop, tmp_path):
    run("lock", shop)
    settle(run, shop)
    lock = tmp_path / "mlp.lock"
    lock.write_text(lock.read_text().replace('        {"name": "note", "type": "string"}', '        {"name": "remark", "type": "string"}'))
    outcome = run("plan", shop, "--format", "json", check=4)
    assert codes(outcome) == ["E0808"]


def test_an_edit_of_the_lock_is_seen_by_a_plan_that_was_kept(run, shop, tmp_path):
    run("lock", shop)
    run("run", shop)
    lock = tmp_path / "mlp.lock"
    lock.write_text(lock.read_text().replace('"amount", "type": "float"', '"amount", "type": "float?"'))
    assert "orders.amount" in ran(run("run", shop, "--format", "json"))
    lock.unlink()
    assert codes(run("run", shop, "--format", "json", check=1)) == ["E0212"]


# ---- what is inferred --------------------------------------------------------------------------------------------------------------

EXPECTED = {
    "int": (["1", "-5", "0", "9223372036854775807"], "int"),
    "zeros in front": (["001", "002", "010"], "string"),
    "plus": (["+49", "+1"], "string"),
    "too large": (["9223372036854775808", "1"], "string"),
    "float": (["1", "2.5", "-1e3"], "float"),
    "large and broken": (["9007199254740993", "0.5"], "string"),
    "bool": (["true", "False", "TRUE"], "bool"),
    "zero and one": (["0", "1", "1"], "int"),
    "date": (["2024-02-29", "1999-12-31"], "date"),
    "no date": (["2023-02-29", "1999-12-31"], "string"),
    "date and time": (["2024-02-29", "2024-02-29T10:00:00+02:00"], "timestamp"),
    "blank before": ([" 1", " 2"], "string"),
    "nothing": (["", "?"], "string?"),
    "missing int": (["1", ""], "int?"),
    "missing by word": (["?", "2"], "int?"),
    "infinite": (["inf", "1.0"], "string"),
    "hex": (["0x10", "1"], "string"),
    "quoted number": (['"5"', "6"], "int"),
}


def make_table(path, columns, rows):
    names = list(columns)
    with open(path, "w") as file:
        file.write(",".join(names) + "\n")
        for i in range(rows):
            file.write(",".join(columns[name][i % len(columns[name])] for name in names) + "\n")


def infer(run, folder, text='csv("t.csv", null: "?")', *more):
    (folder / "t.mlp").write_text(f"workflow t\ndata t from {text} {{ rest from lock }}\n")
    run("lock", "t.mlp", *more, cwd=folder)
    return locked(folder)


def test_each_kind_of_column(run, tmp_path):
    make_table(tmp_path / "t.csv", {name: values for name, (values, _) in EXPECTED.items()}, rows=6)
    found = infer(run, tmp_path)
    # Texts of six rows, each different: too many for a category in some.
    wanted = {name: kind for name, (_, kind) in EXPECTED.items()}
    for name in ("zeros in front", "plus", "too large", "large and broken", "no date", "blank before", "infinite", "hex"):
        wanted[name] = "category"  # two or three texts, each at least twice
    assert found == wanted
    make_table(tmp_path / "t.csv", {name: values for name, (values, _) in EXPECTED.items()}, rows=3)
    assert {name: kind for name, kind in infer(run, tmp_path).items() if name == "zeros in front"} == {"zeros in front": "string"}


@pytest.mark.parametrize(("different", "rows", "kind"), [(20, 40, "category"), (20, 39, "string"), (21, 209, "string"), (21, 210, "category"), (1000, 10_000, "category"), (1001, 20_000, "string")])
def test_few_different_texts_are_a_category(run, tmp_path, different, rows, kind):
    make_table(tmp_path / "t.csv", {"a": [f"v{i}" for i in range(different)], "b": ["1"]}, rows)
    assert infer(run, tmp_path)["a"] == kind


def test_the_options_of_the_source_count(run, tmp_path):
    (tmp_path / "t.csv").write_text("a;b ;c\n 1;2,5 ;x\n 2;-;y\n 3;1,0 ;x\n 4;1,5;y\n")
    assert infer(run, tmp_path, 'csv("t.csv", delimiter: ";", decimal: ",", trim: true, null: "-")') == {"a": "int", "b": "float?", "c": "category"}
    (tmp_path / "t.csv").write_text("a\tb\n1\t2\n")
    assert infer(run, tmp_path, 'tsv("t.csv")') == {"a": "int", "b": "int"}


def test_one_value_in_the_last_row_counts_wherever_files_are_cut(run, tmp_path):
    (tmp_path / "t_1.csv").write_text("a,b\n" + "1,x\n" * 5000)
    (tmp_path / "t_2.csv").write_text("b,a\n" + "x,1\n" * 4999 + "x,1.5\n")
    found = [infer(run, tmp_path, 'csv("t_*.csv")', "--fragment-rows", n) for n in (1, 77, 65536)]
    assert found == [{"a": "float", "b": "category"}] * 3


def test_whatever_was_inferred_can_be_read(run, tmp_path, seed, soak):
    draw = random.Random(seed)
    values = sorted({value for values, _ in EXPECTED.values() for value in values} | {"2024-01-01 24:00:00", "1e400", "-0", "0.1", ".5", "5.", "nan", "TRUE", "yes", "1_000", "−1", "1e-400", "00:10", '"a\nb"'})
    for i in range(60 if soak else 8):
        pools = {f"c{n}": draw.sample(values, draw.choice([1, 1, 2, 3])) for n in range(40)}
        columns = {name: [draw.choice(pool) for _ in range(30)] for name, pool in pools.items()}
        folder = tmp_path / str(i)
        folder.mkdir()
        make_table(folder / "t.csv", columns, 30)
        infer(run, folder)
        run("run", "t.mlp", cwd=folder)


def test_rows_that_are_no_rows_and_files_without_rows(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "t.mlp").write_text('workflow t\ndata t from csv("t.csv") { rest from lock }\n')
    broken = run("lock", "t.mlp", "--format", "json", check=4)
    assert codes(broken) == ["E0801"] and broken.json["diagnostics"][0]["rows"][0]["line"] == 3
    assert not (tmp_path / "mlp.lock").exists()
    assert codes(run("lock", "t.mlp", "--format", "json", check=4)) == ["E0801"]
    (tmp_path / "t.csv").write_text("a,,b\n")
    run("lock", "t.mlp")
    assert locked(tmp_path) == {"a": "string?", "b": "string?"}  # a column without a name cannot be asked for
    (tmp_path / "t.csv").unlink()
    assert codes(run("lock", "t.mlp", "--format", "json", check=5)) == ["E0901"]


def test_files_of_a_table_with_different_columns(run, tmp_path):
    (tmp_path / "t_1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "t_2.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "t.mlp").write_text('workflow t\ndata t from csv("t_*.csv") { rest from lock }\n')
    outcome = run("lock", "t.mlp", "--format", "json", check=4)
    assert codes(outcome) == ["E0803"] and "t_1.csv" in outcome.err and "`c`" in outcome.err


# ---- one lock, several tables and files --------------------------------------------------------------------------------------------


def test_a_lock_keeps_what_other_workflows_of_the_folder_have_there(run, shop, tmp_path):
    run("lock", shop)
    (tmp_path / "other.mlp").write_text('workflow other\ndata orders from csv("orders.csv") { rest from lock }\ndata again from csv("orders.csv") { note : string; rest from lock }\n')
    run("lock", "other.mlp")
    tables = json.loads((tmp_path / "mlp.lock").read_text())["tables"]
    assert [(t["file"], t["table"], len(t["columns"])) for t in tables] == [("other.mlp", "again", 8), ("other.mlp", "orders", 9), ("shop.mlp", "orders", 8)]
    run("check", "other.mlp", shop)
    (tmp_path / "other.mlp").write_text('workflow other\ndata orders from csv("orders.csv") { rest from lock }\n')
    assert "again: no longer" in run("lock", "other.mlp").out
    (tmp_path / "other.mlp").rename(tmp_path / "renamed.mlp")
    run("lock", "renamed.mlp")
    tables = json.loads((tmp_path / "mlp.lock").read_text())["tables"]
    assert [(t["file"], t["table"]) for t in tables] == [("renamed.mlp", "orders"), ("shop.mlp", "orders")]


def test_an_imported_table_has_its_types_beside_its_own_file(run, tmp_path):
    (tmp_path / "shared").mkdir()
    write_orders(tmp_path / "shared/orders.csv")
    (tmp_path / "shared/tables.mlp").write_text('data orders from csv("orders.csv") { rest from lock }\n')
    (tmp_path / "main.mlp").write_text('workflow main\nimport "shared/tables.mlp" as shared\nfeature v of shared.orders { twice = amount * 2 }\n')
    assert codes(run("check", "main.mlp", "--format", "json", check=1)) == ["E0212"]
    run("lock", "main.mlp")
    assert not (tmp_path / "mlp.lock").exists()
    (table,) = json.loads((tmp_path / "shared/mlp.lock").read_text())["tables"]
    assert (table["file"], table["table"], table["path"]) == ("tables.mlp", "orders", "orders.csv")
    run("run", "main.mlp")
    lock = tmp_path / "shared/mlp.lock"
    lock.write_text(lock.read_text().replace('"amount", "type": "float"', '"amount", "type": "float?"'))
    assert "v.twice" in ran(run("run", "main.mlp", "--format", "json"))


def test_an_environment_is_held_to_the_same_types(run, tmp_path):
    write_orders(tmp_path / "orders.csv")
    write_orders(tmp_path / "prod.csv", rows=50)
    (tmp_path / "w.mlp").write_text('workflow w\ndata orders from csv("orders.csv", null: "?") { rest from lock }\nenv prod { data orders from csv("prod.csv", null: "?") }\nfeature v of orders { amount }\n')
    run("lock", "w.mlp")
    before = (tmp_path / "mlp.lock").read_text()
    run("lock", "w.mlp", "--env", "prod", "--check")
    run("run", "w.mlp", "--env", "prod")
    write_orders(tmp_path / "prod.csv", rows=50, change=lambda i, row: [*row[:3], "1.5", *row[4:]])
    assert codes(run("run", "w.mlp", "--env", "prod", "--format", "json", check=4)) == ["E0808"]
    run("lock", "w.mlp", "--env", "prod", "--check", check=1)
    assert (tmp_path / "mlp.lock").read_text() == before


def test_names_and_their_collisions(run, tmp_path):
    (tmp_path / "t.csv").write_text("capital-gain,in,2024,Größe (cm),%\n1,2,3,4,5\n")
    (tmp_path / "t.mlp").write_text('workflow t\ndata t from csv("t.csv") { rest from lock }\nfeature v of t { a = capital_gain; b = in_; c = _2024; d = Größe_cm; e = _ }\n')
    run("lock", "t.mlp")
    run("run", "t.mlp")
    (tmp_path / "t.csv").write_text("capital-gain,capital gain,in,2024,Größe (cm),%\n1,2,3,4,5,6\n")
    outcome = run("lock", "t.mlp", "--format", "json", check=1)
    assert codes(outcome) == ["E0202"] and outcome.json["written"]
    (tmp_path / "t.mlp").write_text((tmp_path / "t.mlp").read_text().replace("{ rest", '{ gain : int as "capital gain"; rest'))
    run("lock", "t.mlp")
    run("run", "t.mlp")


def test_a_lock_that_is_none_is_told_and_left_as_it_is(run, shop, tmp_path):
    for text, code, status in [("{", "E0213", 1), ('{"format_version": 9, "tables": []}', "E0909", 5), ("[" * 100_000, "E0213", 1)]:
        (tmp_path / "mlp.lock").write_text(text)
        for command in (("check", shop), ("lock", shop), ("run", shop)):
            assert codes(run(*command, "--format", "json", check=status)) == [code]
        assert (tmp_path / "mlp.lock").read_text() == text


def test_nothing_to_lock_and_a_folder_that_cannot_be_written(run, shop, tmp_path):
    (tmp_path / "none.mlp").write_text('workflow none\ndata t from csv("orders.csv") { id : int }\n')
    assert "nothing to lock" in run("lock", "none.mlp").out
    assert not (tmp_path / "mlp.lock").exists()
    run("lock", shop)
    assert not (tmp_path / ".mlp").exists()


# ---- the language server -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(mlpc_bin):
    wire = Wire(mlpc_bin)
    yield wire
    wire.close()


def test_the_language_server_knows_the_columns_and_sees_a_new_lock(run, shop, tmp_path, server):
    uri = shop.as_uri()
    server.begin(workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}})
    asked = server.notified("client/registerCapability")
    assert asked["registrations"][0]["registerOptions"]["watchers"] == [{"globPattern": "**/mlp.lock"}, {"globPattern": "**/*.mlp"}]
    assert [d["code"] for d in server.open(WORKFLOW, uri=uri)] == ["E0212"]
    run("lock", shop)
    server.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": (tmp_path / "mlp.lock").as_uri(), "type": 1}]})
    assert server.diagnostics(uri) == []
    assert "age_in_days: int?" in server.at("hover", place(WORKFLOW, "age_in_days"), uri=uri)["contents"]["value"]
    items = server.at("completion", place(WORKFLOW, "> 100"), uri=uri)["items"]
    assert {"channel", "age_in_days", "paid"} <= {item["label"] for item in items}
    server.end()


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_files_with_types_of_their_own(run, tmp_path, form, request):
    """JSON Lines and Parquet: numbers are numbers, texts with digits stay texts, a field that an object lacks may be missing."""
    rows = [{"id": i, "amount": i / 4 if i % 3 else i, "code": f"{i % 7:03}", "paid": i % 2 == 0, "day": f"2024-01-{i % 28 + 1:02}", "kind": "ab"[i % 2], "size": None if i == 5 else 3} for i in range(100)]
    (tmp_path / "part=7").mkdir()
    path = tmp_path / "part=7" / f"t.{'jsonl' if form == 'json' else form}"
    lines = "".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows)
    if form == "json":
        path.write_text(lines)
    else:
        (tmp_path / "all.jsonl").write_text(lines)
        types = "{id: 'BIGINT', amount: 'DOUBLE', code: 'VARCHAR', paid: 'BOOLEAN', day: 'VARCHAR', kind: 'VARCHAR', size: 'DECIMAL(4, 0)'}"
        request.getfixturevalue("duckdb")(f"COPY (SELECT * FROM read_json('{tmp_path}/all.jsonl', columns = {types})) TO '{path}' (FORMAT parquet)")
    (tmp_path / "w.mlp").write_text(f'workflow w\ndata t from {form}("part=*/{path.name}") {{ rest from lock }}\nfeature f of t {{ amount, kind, part }}\n')
    run("lock", tmp_path / "w.mlp")
    assert locked(tmp_path) == {"id": "int", "amount": "float", "code": "category", "paid": "bool", "day": "date", "kind": "category", "size": "int?", "part": "int"}
    run("run", tmp_path / "w.mlp")
    assert run("lock", tmp_path / "w.mlp", "--check", "--format", "json").json["changed"] is False
