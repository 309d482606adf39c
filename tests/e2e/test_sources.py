"""Every source that is files: the same rows give the same bits in all of them, however they are cut; and what is said of files that are
not as they should be, with the place and the mend, after which the next run is right."""

import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading

import pytest

from made import copy_folder, results_of
from test_same_bits import WAYS

COLUMNS = ["n", "x", "kind", "day", "at", "flag"]
TYPES = {"n": "BIGINT", "x": "DOUBLE", "kind": "VARCHAR", "day": "DATE", "at": "TIMESTAMP", "flag": "BOOLEAN"}

WORKFLOW = """workflow t

data rows from SOURCE {
    n    : int in 0..1_000
    x    : float?
    kind : category("red", "green", "blü")
    day  : date
    at   : timestamp
    flag : bool @label
}

feature seen of rows { n, kind; x_z = standardize(x); weekday = weekday(day); hour = hour(at) }
train m of seen { predict flag; split random 70/15/15; model gbdt { trees: 5, depth: 3 }; seed 1 }
evaluate m { metrics auc }
"""


def make_rows(count, seed=1):
    draw = random.Random(seed)
    return [
        [
            draw.randint(0, 1000),
            None if draw.random() < 0.1 else draw.gauss(0, 1) * 10 ** draw.randint(-8, 8),
            draw.choice(["red", "green", "blü"]),
            f"20{draw.randint(10, 29)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02} {draw.randint(0, 23):02}:{draw.randint(0, 59):02}:07.25",
            draw.random() < 0.4,
        ]
        for _ in range(count)
    ]


def field(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def delimited(mark):
    def text(rows, columns=COLUMNS):
        return "\n".join(mark.join(map(field, row)) for row in [columns, *rows]) + "\n"

    return text


def lines(rows, columns=COLUMNS):
    return "".join(json.dumps(dict(zip(columns, row)), ensure_ascii=False) + "\n" for row in rows)


class Form:
    """How a source is declared, and how rows become a file of it."""

    def __init__(self, ending, call, text=None, encoding="utf-8", pack=None):
        self.ending, self.call, self.text, self.encoding, self.pack = ending, call, text, encoding, pack

    def source(self, pattern):
        return self.call.replace("PATH", f"{pattern}.{self.ending}")

    def write(self, path, rows, columns=COLUMNS, duckdb=None, types=None):
        """The file `path`, without its ending."""
        path = pathlib.Path(f"{path}.{self.ending}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.text:
            data = self.text(rows, columns).encode(self.encoding)
            if self.pack == "zst":
                with_duckdb_zstd(duckdb, path, data)
            else:
                path.write_bytes(gzip.compress(data, 1) if self.pack == "gz" else data)
            return path
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as text:
            text.write(delimited(",")(rows, columns))
            text.flush()
            types = types or TYPES
            selected = ", ".join(f'"{name}"::{types.get(name, "VARCHAR")} AS "{name}"' for name in columns)
            duckdb(f"COPY (SELECT {selected} FROM read_csv('{text.name}', all_varchar = true, header = true)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
        return path


def with_duckdb_zstd(duckdb, path, data):
    """The text as a .zst file, line by line: DuckDB packs it."""
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as text:
        text.write(data)
        text.flush()
        duckdb(f"""COPY (SELECT column0 FROM read_csv('{text.name}', header = false, sep = '\x01', quote = '', escape = '', all_varchar = true, columns = {{'column0': 'VARCHAR'}}))
                   TO '{path}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)""")


ARROW_TYPES = {"BIGINT": "pa.int64()", "DOUBLE": "pa.float64()", "VARCHAR": "pa.string()", "DATE": "pa.date32()", "TIMESTAMP": 'pa.timestamp("us")', "BOOLEAN": "pa.bool_()"}


class Arrow(Form):
    """`how`: stream, lz4, zstd, dictionary, large; written by pyarrow in batches of 700 rows."""

    def __init__(self, ending, *how):
        super().__init__(ending, 'arrow("PATH")')
        self.how = how

    def write(self, path, rows, columns=COLUMNS, types=None):
        path = pathlib.Path(f"{path}.{self.ending}")
        path.parent.mkdir(parents=True, exist_ok=True)
        types = types or TYPES
        arrow_types = [ARROW_TYPES[types.get(name, "VARCHAR")].replace("string", "large_string" if "large" in self.how else "string") for name in columns]
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as text:
            text.write(delimited(",")(rows, columns))
            text.flush()
            self.pyarrow(
                """
convert = pa.csv.ConvertOptions(column_types=dict(zip(columns, map(eval, types))), strings_can_be_null=True)
table = pa.csv.read_csv(text, convert_options=convert) if rows else pa.schema(zip(columns, map(eval, types))).empty_table()
if "dictionary" in how:
    for i, name in enumerate(columns):
        if pa.types.is_string(table.schema.field(i).type):
            table = table.set_column(i, name, table.column(i).combine_chunks().dictionary_encode() if rows else pa.array([], pa.dictionary(pa.int32(), pa.string())))
codec = next((c for c in ("lz4", "zstd") if c in how), None)
with pa.OSFile(path, "wb") as out:
    with (ipc.new_stream if "stream" in how else ipc.new_file)(out, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=700)
""",
                text=text.name, path=str(path), columns=columns, types=arrow_types, how=self.how, rows=len(rows),
            )  # fmt: skip
        return path


FORMS = {
    "csv": Form("csv", 'csv("PATH")', delimited(",")),
    "tsv": Form("tsv", 'tsv("PATH")', delimited("\t")),
    "csv, latin1": Form("csv", 'csv("PATH", encoding: "latin1")', delimited(","), "latin1"),
    "csv, utf-16": Form("csv", 'csv("PATH", encoding: "utf-16")', delimited(","), "utf-16"),
    "csv.gz": Form("csv.gz", 'csv("PATH")', delimited(","), pack="gz"),
    "csv.zst": Form("csv.zst", 'csv("PATH")', delimited(","), pack="zst"),
    "json": Form("jsonl", 'json("PATH")', lines),
    "json.gz": Form("jsonl.gz", 'json("PATH")', lines, pack="gz"),
    "parquet": Form("parquet", 'parquet("PATH")'),
    "arrow": Arrow("arrow"),
    "arrow, stream": Arrow("arrows", "stream", "dictionary"),
    "arrow, lz4": Arrow("feather", "lz4", "large"),
    "arrow, zstd": Arrow("arrow", "zstd", "dictionary"),
}
NEED_DUCKDB = ("parquet", "csv.zst")


@pytest.fixture(params=FORMS)
def form(request):
    chosen = FORMS[request.param]
    chosen.name = request.param
    if request.param in NEED_DUCKDB:
        chosen.duckdb = request.getfixturevalue("duckdb")
        plain = Form.write
        chosen.write = lambda path, rows, columns=COLUMNS, **more: plain(chosen, path, rows, columns, duckdb=chosen.duckdb, **more)
    if isinstance(chosen, Arrow):
        chosen.pyarrow = request.getfixturevalue("pyarrow")
    return chosen


def make(folder, form, pattern="t", workflow=WORKFLOW):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.mlp").write_text(workflow.replace("SOURCE", form.source(pattern)), encoding="utf-8")
    return folder / "t.mlp"


@pytest.fixture(scope="module")
def rows():
    return make_rows(5000)


@pytest.fixture(scope="module")
def expected(rows, tmp_path_factory, mlpc_bin):
    """What comes of the rows in one CSV file."""
    folder = tmp_path_factory.mktemp("expected")
    FORMS["csv"].write(folder / "t", rows)
    workflow = make(folder, FORMS["csv"])

    def call(*args, cwd=folder):
        done = subprocess.run([str(mlpc_bin), *map(str, args)], cwd=cwd, capture_output=True, text=True, check=True)
        call.json = json.loads(done.stdout) if "json" in args else None
        return call

    call("run", workflow)
    return results_of(call, workflow)


# ---- the same rows ----------------------------------------------------------------------------------------------------------


def test_the_same_rows_give_the_same_bits_in_every_form_and_way(run, tmp_path, form, rows, expected):
    form.write(tmp_path / "one" / "t", rows)
    workflow = make(tmp_path / "one", form)
    run("run", workflow)
    assert results_of(run, workflow) == expected
    assert run("run", workflow, "--format", "json").json["steps"]["ran"] == 0
    whole = form.name in ("csv", "json", "parquet", "arrow")  # the others are unpacked, and then they are those
    for name, options in WAYS.items() if whole else [("tiny fragments", WAYS["tiny fragments"])]:
        copy = copy_folder(tmp_path / "one", tmp_path / name) / "t.mlp"
        run("run", copy, *options)
        assert results_of(run, copy) == expected, name
    ends = [0, 3, 700, 1400, 2999, 3000, 4100, 5000]
    for i in range(7):
        form.write(tmp_path / "seven" / f"t_{i}", rows[ends[i] : ends[i + 1]])
    workflow = make(tmp_path / "seven", form, "t_*")
    run("run", workflow, "--fragment-rows", "999")
    assert results_of(run, workflow) == expected


def test_columns_in_another_order_and_further_ones_change_nothing(run, tmp_path, form, rows, expected):
    turned = ["other", *reversed(COLUMNS)]
    form.write(tmp_path / "t", [["new", *reversed(row)] for row in rows], turned)
    workflow = make(tmp_path, form)
    run("run", workflow)
    assert results_of(run, workflow) == expected


def test_folders_of_partitions_are_columns(run, tmp_path, form, rows):
    """`kind` stands in the path, as Hive writes it. The rows come in the order of the files."""
    by_kind = sorted(rows, key=lambda row: row[2].encode())
    form.write(tmp_path / "whole" / "t", by_kind)
    whole = make(tmp_path / "whole", form)
    run("run", whole)
    for kind in ("red", "green", "blü"):
        part = [row[:2] + row[3:] for row in by_kind if row[2] == kind]
        form.write(tmp_path / "parts" / f"kind={kind.replace('ü', '%C3%BC')}" / "t", part, COLUMNS[:2] + COLUMNS[3:])
    parts = make(tmp_path / "parts", form, "kind=*/t")
    run("run", parts)
    assert results_of(run, parts) == results_of(run, whole)
    # a file that moves to another partition has other rows
    (tmp_path / "parts" / "kind=red").rename(tmp_path / "parts" / "kind=violet")
    outcome = run("run", parts, check=4)
    assert "E0801" in outcome.err and "kind" in outcome.err and "violet" in outcome.err


# ---- files that are not as they should be -----------------------------------------------------------------------------------


def mended(run, workflow, form, rows, expected):
    """Nothing is half there: the run after the mend is that of the good file."""
    assert run("models", "--store", workflow.parent / ".mlp", "--format", "json").json["models"] == []
    form.write(workflow.parent / "t", rows)
    run("run", workflow)
    assert results_of(run, workflow) == expected


def fails(run, workflow, code, *words, exit_code=4):
    outcome = run("run", workflow, check=exit_code)
    for word in (code, *words):
        assert word in outcome.err, (word, outcome.err)
    assert "help:" in outcome.err and "exception" not in outcome.err.lower() and "duckdb" not in outcome.err.lower()
    return outcome


def test_an_empty_file(run, tmp_path, form, rows, expected):
    workflow = make(tmp_path, form)
    (tmp_path / f"t.{form.ending}").write_bytes(b"")
    fails(run, workflow, "E0804", f"t.{form.ending}")
    if form.pack == "gz":
        (tmp_path / f"t.{form.ending}").write_bytes(gzip.compress(b""))
        fails(run, workflow, "E0804", f"t.{form.ending}", "empty")
    mended(run, workflow, form, rows, expected)


def test_a_file_without_rows(run, tmp_path, form, rows, expected):
    workflow = make(tmp_path, form)
    form.write(tmp_path / "t", [])
    fails(run, workflow, "E0804" if form.text is lines else "E0806")
    mended(run, workflow, form, rows, expected)


def test_a_file_that_is_cut_off(run, tmp_path, form, rows, expected):
    workflow = make(tmp_path, form)
    path = form.write(tmp_path / "t", rows)
    whole = path.read_bytes()
    cut = whole[: len(whole) // 2]
    if form.text and not form.pack:
        cut = cut[: cut.rindex(b"\n")][:-12] if form.encoding != "utf-16" else cut[: (cut.rindex(b"\n\0") - 24) // 2 * 2]
    path.write_bytes(cut)
    if form.text and not form.pack:
        line = cut.decode(form.encoding).count("\n") + 1
        fails(run, workflow, "E0801", f"t.{form.ending}:{line}")
    else:
        fails(run, workflow, "E0804", f"t.{form.ending}")
    mended(run, workflow, form, rows, expected)


def test_damaged_bytes(run, tmp_path, form, rows, expected):
    workflow = make(tmp_path, form)
    path = form.write(tmp_path / "t", rows)
    whole = path.read_bytes()
    middle = len(whole) // 2 if form.text else 4  # the values of a Parquet file have no check sum, so it is its first page that is hit
    path.write_bytes(whole[:middle] + b"\xff\xff\xff\0\xff\xff\xff\xff" * 8 + whole[middle + 64 :])
    if form.encoding == "latin1":  # every byte is a letter there, but it is no number
        fails(run, workflow, "E0801", f"t.{form.ending}:")
    elif form.text and not form.pack and form.encoding == "utf-8":
        outcome = fails(run, workflow, "E0801", f"t.{form.ending}:")
        assert "UTF-8" in outcome.err or "NUL" in outcome.err or "fields" in outcome.err or "not JSON" in outcome.err
    else:
        outcome = run("run", workflow, check=4)
        assert "E0804" in outcome.err or "E0801" in outcome.err
    mended(run, workflow, form, rows, expected)


def test_a_missing_and_a_renamed_column(run, tmp_path, form, rows, expected):
    workflow = make(tmp_path, form)
    form.write(tmp_path / "t", [row[1:] for row in rows], COLUMNS[1:])
    fails(run, workflow, "E0803", "`n`", f"t.{form.ending}")
    form.write(tmp_path / "t", rows, ["n", "x", "kinds", "day", "at", "flag"])
    fails(run, workflow, "E0803", "`kind`", "did you mean `kinds`")
    mended(run, workflow, form, rows, expected)


def test_a_column_that_one_of_several_files_lacks(run, tmp_path, form, rows):
    workflow = make(tmp_path, form, "t_*")
    form.write(tmp_path / "t_0", rows)
    form.write(tmp_path / "t_1", [row[1:] for row in rows[:10]], COLUMNS[1:])
    outcome = fails(run, workflow, "E0801" if form.text is lines else "E0803", "`n`", f"t_1.{form.ending}")
    if form.text is lines:
        assert "10 × `n`: missing" in outcome.err


@pytest.mark.parametrize(
    "column, value, reason",
    [("n", 1001, "not in 0..1000"), ("kind", "violet", "none of"), ("day", "", "missing"), ("kind", "", "missing")],
)
def test_a_value_that_breaks_the_contract_is_told_alike(run, tmp_path, form, rows, expected, column, value, reason):
    workflow = make(tmp_path, form)
    bad = [list(row) for row in rows]
    bad[3210][COLUMNS.index(column)] = value if value != "" else None
    form.write(tmp_path / "t", bad)
    number = 3211 if form.text is lines or not form.text else 3212
    fails(run, workflow, "E0801", f"t.{form.ending}:{number}", f"`{column}`" if not form.text else column, reason)
    mended(run, workflow, form, rows, expected)


def test_no_file_and_no_permission(run, tmp_path, form, rows, expected, mlpc_bin):
    workflow = make(tmp_path, form)
    outcome = run("run", workflow, check=5)
    assert "E0901" in outcome.err and f"t.{form.ending}" in outcome.err
    form.write(tmp_path / "t", rows)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as outside:  # not below a folder that only its owner enters
        folder = pathlib.Path(outside) / "here"
        shutil.copytree(tmp_path, folder)
        for path in [pathlib.Path(outside), folder]:
            path.chmod(0o777)
        secret = folder / f"t.{form.ending}"
        secret.chmod(0)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        store = ["--store", str(folder / "store")]
        try:
            done = subprocess.run([str(mlpc_bin), "run", str(folder / "t.mlp"), *store], cwd=folder, capture_output=True, text=True, **who)
        except PermissionError:
            pytest.skip("another user cannot run this mlpc")
        assert done.returncode == 5 and "E0901" in done.stderr and "permission" in done.stderr, done.stderr
        secret.chmod(0o644)
        done = subprocess.run([str(mlpc_bin), "run", str(folder / "t.mlp"), *store], cwd=folder, capture_output=True, text=True, **who)
        assert done.returncode == 0, done.stderr
    mended(run, workflow, form, rows, expected)


def test_a_file_that_is_replaced_while_it_is_read(run, tmp_path, form, rows, expected):
    """Somebody writes a new file again and again: the run says so, or it got one of them whole; nothing between the two."""
    workflow = make(tmp_path, form)
    many = rows * 12
    first = form.write(tmp_path / "t", many)
    second = form.write(tmp_path / "next", many[1:])
    copies = [first.read_bytes(), second.read_bytes()]
    done = threading.Event()

    def replace():
        turn = 0
        while not done.is_set():
            turn += 1
            (tmp_path / "new").write_bytes(copies[turn % 2])
            os.replace(tmp_path / "new", first)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        outcomes = [run("run", workflow, check=None) for _ in range(4)]
    finally:
        done.set()
        writer.join()
    for outcome in outcomes:
        assert outcome.code in (0, 4), outcome
        assert outcome.code == 0 or "E0805" in outcome.err, outcome
    assert any(outcome.code == 4 for outcome in outcomes)
    form.write(tmp_path / "t", rows)
    run("run", workflow)
    assert results_of(run, workflow) == expected


LARGE = """workflow large
data rows from SOURCE { n : int in 0..9; y : bool @label }
feature seen of rows { n }
train m of seen { predict y; split random 70/15/15; model gbdt { trees: 1, depth: 1 }; seed 1 }
"""


@pytest.mark.parametrize("form", ["csv", "json", "csv.gz", "parquet", "arrow"], indirect=True)
def test_a_wrong_type_at_row_a_million(run, tmp_path, form):
    workflow = make(tmp_path, form, workflow=LARGE)
    rows = [[i % 10, i % 3 == 0] for i in range(1_000_100)]
    rows[999_999][0] = "7.5"
    if form.text is lines:
        rows[999_999][0] = 7.5
    form.write(tmp_path / "t", rows, ["n", "y"], **({} if form.text else {"types": {"n": "DOUBLE", "y": "BOOLEAN"}}))
    line = 1_000_000 if form.text is lines or not form.text else 1_000_001
    outcome = fails(run, workflow, "E0801", f"t.{form.ending}:{line}", "7.5")
    assert "1 value of `rows` breaks the contract" in outcome.err
    rows[999_999][0] = 7
    form.write(tmp_path / "t", rows, ["n", "y"], **({} if form.text else {"types": {"n": "DOUBLE", "y": "BOOLEAN"}}))
    run("run", workflow)


# ---- what is particular to one form -----------------------------------------------------------------------------------------


def test_parquet_types_are_mapped_exactly_and_loss_is_an_error(run, duckdb, tmp_path):
    """A column of each kind, and of each a value that the declared type cannot hold."""
    good = {
        "a": ("int in 0..300", "200::UTINYINT"), "b": ("int", "9223372036854775807::UBIGINT"), "c": ("int", "-12.00::DECIMAL(9, 2)"),
        "d": ("float", "0.1::DECIMAL(38, 20)"), "e": ("float", "12345678901.25::DECIMAL(18, 2)"), "f": ("float?", "'NaN'::DOUBLE"),
        "g": ("category", "'red'::ENUM('red', 'blue')"), "h": ("timestamp", "TIMESTAMP '2024-02-29 12:00:00.000001'"),
        "i": ("timestamp", "TIMESTAMPTZ '2024-02-29 12:00:00+02'"), "j": ("timestamp", "'2024-02-29 12:00:00.5'::TIMESTAMP_MS"),
        "k": ("timestamp", "'2024-02-29 12:00:00.000001'::TIMESTAMP_NS"), "l": ("string", "DATE '2024-02-29'"), "m": ("date", "'2024-02-29'"),
        "n": ('bool values ("yes", "no")', "'no'"), "o": ("float", "7::BIGINT"), "p": ("int", "4.0::FLOAT"), "q": ("string", "TIMESTAMP '2024-02-29 12:00:00.50'"),
    }  # fmt: skip
    declared = "; ".join(f"{name} : {kind}" for name, (kind, _) in good.items())
    expects = """
        expect a == 200 for all rows
        expect b == 9_223_372_036_854_775_807 for all rows
        expect c == -12 for all rows
        expect d == 0.1 for all rows
        expect e == 12345678901.25 for all rows
        expect missing(f) >= 1.0
        expect g == "red" for all rows
        expect i == timestamp("2024-02-29T10:00:00") for all rows
        expect l == "2024-02-29" for all rows
        expect q == "2024-02-29T12:00:00.5Z" for all rows
        expect not n for all rows
        expect o == 7.0 and p == 4 for all rows
    """
    (tmp_path / "w.mlp").write_text(f'workflow w\ndata t from parquet("t.parquet") {{ {declared}\n{expects} }}\n', encoding="utf-8")

    def write(**other):
        chosen = ", ".join(f"{other.get(name, value)} AS {name}" for name, (_, value) in good.items())
        duckdb(f"COPY (SELECT {chosen} FROM range(3)) TO '{tmp_path}/t.parquet' (FORMAT parquet)")

    write()
    run("run", tmp_path / "w.mlp")
    bad = {
        "a": ("301::SMALLINT", "not in 0..300"), "b": ("9223372036854775808::UBIGINT", "64 bits"), "c": ("-12.50::DECIMAL(9, 2)", "fraction"),
        "f": ("'inf'::DOUBLE", "not a finite number"), "h": ("TIMESTAMP 'infinity'", "years"), "k": ("'2024-02-29 12:00:00.000000001'::TIMESTAMP_NS", "nanoseconds"),
        "m": ("'2024-02-30'", "day that does not exist"), "n": ("'maybe'", "neither"), "o": ("'seven'", "holds texts"), "p": ("4.5::FLOAT", "fraction"),
        "g": ("7", "holds whole numbers"), "d": ("true", "holds truth values"), "i": ("DATE '2024-01-01'", "holds dates"), "l": ("[1, 2]", "single values"),
        "e": ("TIME '12:00'", "single values"),
    }  # fmt: skip
    for name, (value, reason) in bad.items():
        write(**{name: value})
        outcome = run("run", tmp_path / "w.mlp", check=4)
        assert reason in outcome.err and f"`{name}`" in outcome.err.replace(f" {name} ", f" `{name}` "), (name, outcome.err)


def test_a_file_with_signs_of_a_pattern_in_its_name(run, duckdb, tmp_path, rows, expected):
    form = Form("parquet", 'parquet("PATH")')
    form.write(tmp_path / "t[1]*", rows, duckdb=duckdb)
    workflow = make(tmp_path, form, "t[1]*")
    run("run", workflow)
    assert results_of(run, workflow) == expected


def test_gzip_members_one_after_the_other_are_one_file(run, tmp_path, rows, expected):
    form = FORMS["csv.gz"]
    text = form.text(rows).encode()
    (tmp_path / "t.csv.gz").write_bytes(b"".join(gzip.compress(text[i : i + 10_007]) for i in range(0, len(text), 10_007)))
    workflow = make(tmp_path, form)
    run("run", workflow)
    assert results_of(run, workflow) == expected


def test_a_packed_file_is_known_by_its_ending_alone(run, tmp_path, rows):
    form = FORMS["csv"]
    (tmp_path / "t.csv").write_bytes(gzip.compress(form.text(rows).encode()))
    fails(run, make(tmp_path, form), "E0804", "gzip", "name it .gz")
    (tmp_path / "t.csv").write_bytes(form.text(rows).encode("utf-16"))
    fails(run, make(tmp_path, form), "E0804", 'encoding: "utf-16"')


def test_an_option_that_a_source_does_not_have_is_a_compile_error(run, tmp_path):
    for source, code in (('json("a.jsonl", delimiter: ";")', "E0208"), ('parquet("a.parquet", null: "?")', "E0208"), ('csv("a.csv", encoding: "utf8")', "E0305")):
        (tmp_path / "w.mlp").write_text(f"workflow w\ndata t from {source} {{ a : int }}\n", encoding="utf-8")
        assert code in run("check", tmp_path / "w.mlp", check=1).err


def test_a_run_of_text_loads_no_module_for_other_forms(run, tmp_path, rows, mlpc_bin):
    for name, modules in (("csv", set()), ("csv.gz", {"compression"})):
        form = FORMS[name]
        form.write(tmp_path / name / "t", rows)
        workflow = make(tmp_path / name, form)
        log = tmp_path / f"log-{name}"
        subprocess.run([str(mlpc_bin), "run", str(workflow)], check=True, capture_output=True, env={**os.environ, "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(log)})
        reports = list(tmp_path.glob(f"log-{name}.*"))
        if not reports:
            pytest.skip("the loader of this system reports nothing (LD_DEBUG)")
        text = "".join(path.read_text(errors="replace") for path in reports)
        assert {module for module in ("compression", "duckdb") if f"libmlp_{module}.so" in text} == modules
