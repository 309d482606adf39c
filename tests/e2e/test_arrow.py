"""Arrow IPC, written by pyarrow: every type, dictionaries that grow, what is nested, and bytes that are not as they should be. What holds of
every source is in test_sources.py."""

import random
import time

import pytest

from made import computed_values, edit, ran, results_of, steps_of
from sources import COLUMNS, failure, rows
from sources import workflow as shop

TYPES = """workflow types
data t from arrow("t.arrow") {{
{columns}
}}
"""


def typed(folder, columns, name="t.arrow"):
    path = folder / "types.mlp"
    path.write_text(TYPES.format(columns="\n".join(f"    {line}" for line in columns)).replace("t.arrow", name), encoding="utf-8")
    return path


def peek(run, path, check=0, **more):
    """The rows of the table as JSON values."""
    return run("peek", path, "t", "--rows", "1000", "--format", "json", check=check, cwd=path.parent, **more).json


VALUES = """
from decimal import Decimal
import datetime as d
table = pa.table({
    "i8": pa.array([-128, None, 127], pa.int8()), "u8": pa.array([255, None, 0], pa.uint8()), "i16": pa.array([-3, None, 4], pa.int16()), "u16": pa.array([65535, None, 1], pa.uint16()),
    "i32": pa.array([-5, None, 2**31 - 1], pa.int32()), "u32": pa.array([2**32 - 1, None, 0], pa.uint32()), "i64": pa.array([-2**63, None, 2**63 - 1], pa.int64()), "u64": pa.array([2**63 - 1, None, 7], pa.uint64()),
    "f32": pa.array([0.5, None, float("nan")], pa.float32()), "f64": pa.array([0.1, None, -1e300], pa.float64()),
    "b": pa.array([True, None, False]), "s": pa.array(["é, \\n", None, ""], pa.string()), "ls": pa.array(["long", None, "x" * 50], pa.large_string()),
    "sv": pa.array(["short", None, "this is longer than twelve bytes"], pa.string_view()),
    "d32": pa.array([d.date(2024, 2, 29), None, d.date(1969, 12, 31)], pa.date32()), "d64": pa.array([d.date(2024, 2, 29), None, d.date(1, 1, 1)], pa.date64()),
    "ts": pa.array([1, None, -1], pa.timestamp("s")), "tms": pa.array([1500, None, -1], pa.timestamp("ms")), "tus": pa.array([1, None, -1], pa.timestamp("us")), "tns": pa.array([2000, None, -1000], pa.timestamp("ns")),
    "tz": pa.array([3600, None, 0], pa.timestamp("s", tz="Europe/Berlin")), "du": pa.array([90, None, -1], pa.duration("s")), "dus": pa.array([1, None, 3600 * 10**6], pa.duration("us")),
    "dec": pa.array([Decimal("12.34"), None, Decimal("-0.10")], pa.decimal128(10, 2)), "deci": pa.array([Decimal("12.00"), None, Decimal("-1.00")], pa.decimal128(10, 2)),
    "n": pa.nulls(3), "dic": pa.array(["a", None, "b"]).dictionary_encode(), "dici": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.uint8()), pa.array([10, 20])),
    "f16": pa.array([1.5, None, -65504.0], pa.float64()).cast(pa.float32()).cast(pa.float16()),
})
with ipc.new_file(path, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as w:
    w.write_table(table)
"""
DECLARED = {
    "i8": "int?", "u8": "int?", "i16": "int?", "u16": "int?", "i32": "int?", "u32": "int?", "i64": "int?", "u64": "int?", "f32": "float?", "f64": "float?", "b": "bool?", "s": "string?", "ls": "string?",
    "sv": "string?", "d32": "date?", "d64": "date?", "ts": "timestamp?", "tms": "timestamp?", "tus": "timestamp?", "tns": "timestamp?", "tz": "timestamp?", "du": "duration?", "dus": "duration?", "dec": "float?",
    "deci": "int?", "n": "float?", "dic": "category?", "dici": "int?", "f16": "float?",
}  # fmt: skip
EXPECTED = {
    "i8": [-128, None, 127], "u8": [255, None, 0], "i16": [-3, None, 4], "u16": [65535, None, 1], "i32": [-5, None, 2**31 - 1], "u32": [2**32 - 1, None, 0], "i64": [-(2**63), None, 2**63 - 1],
    "u64": [2**63 - 1, None, 7], "f32": [0.5, None, None], "f64": [0.1, None, -1e300], "b": [True, None, False], "s": ["é, \n", None, None], "ls": ["long", None, "x" * 50],
    "sv": ["short", None, "this is longer than twelve bytes"], "d32": ["2024-02-29", None, "1969-12-31"], "d64": ["2024-02-29", None, "0001-01-01"],
    "ts": ["1970-01-01T00:00:01Z", None, "1969-12-31T23:59:59Z"], "tms": ["1970-01-01T00:00:01.5Z", None, "1969-12-31T23:59:59.999Z"], "tus": ["1970-01-01T00:00:00.000001Z", None, "1969-12-31T23:59:59.999999Z"],
    "tns": ["1970-01-01T00:00:00.000002Z", None, "1969-12-31T23:59:59.999999Z"], "tz": ["1970-01-01T01:00:00Z", None, "1970-01-01T00:00:00Z"], "dec": [12.34, None, -0.1], "deci": [12, None, -1],
    "n": [None, None, None], "dic": ["a", None, "b"], "dici": [20, None, 10], "f16": [1.5, None, -65504.0],
}  # fmt: skip


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_every_type_is_read_exactly(run, pyarrow, tmp_path, codec):
    pyarrow(VALUES, path=tmp_path / "t.arrow", codec=codec)
    path = typed(tmp_path, [f"{name} : {kind}" for name, kind in DECLARED.items()])
    shown = peek(run, path)
    found = {column["name"]: [row[i] for row in shown["rows"]] for i, column in enumerate(shown["columns"])}
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert found["du"][0] == "0:01:30" or "1:30" in found["du"][0] and found["du"][1] is None


@pytest.mark.parametrize(
    "made, declared, code, words",
    [
        ("pa.array([2**64 - 1], pa.uint64())", "int", "E0801", "does not fit into 64 bits"),
        ("pa.array([1.5])", "int", "E0801", "1.5"),
        ("pa.array([1], pa.timestamp('ns'))", "timestamp", "E0801", "nanoseconds"),
        ("pa.array([2**62], pa.timestamp('s'))", "timestamp", "E0801", "64 bits"),
        ("pa.array([1], pa.duration('ns'))", "duration", "E0801", "nanoseconds"),
        ("pa.array(['x'])", "int", "E0801", "holds texts; it is declared `int`"),
        ("pa.array(['x']).dictionary_encode()", "float", "E0801", "holds texts"),
        ("pa.array([1])", "string", "E0801", "holds whole numbers"),
        ("pa.array([True])", "int", "E0801", "holds truth values"),
        ("pa.array([None], pa.int64())", "int", "E0801", "missing"),
        ("pa.array([[1, 2]])", "int", "E0804", "no single values"),
        ("pa.array([{'a': 1}])", "string", "E0804", "no single values"),
        ("pa.array([b'x'])", "string", "E0804", "no single values"),
        ("pa.array([5], pa.time32('s'))", "duration", "E0804", "no single values"),
        ("pa.array([b'\\xff'], pa.binary()).view(pa.string()) if False else pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer((0).to_bytes(4, 'little') + (1).to_bytes(4, 'little')), pa.py_buffer(b'\\xff')])",
         "string", "E0801", "UTF-8"),
    ],
)  # fmt: skip
def test_what_a_column_cannot_hold_is_refused(run, pyarrow, tmp_path, made, declared, code, words):
    pyarrow(f"table = pa.table({{'x': {made}}})\nwith ipc.new_file(path, table.schema) as w: w.write_table(table)", path=tmp_path / "t.arrow")
    d = peek(run, typed(tmp_path, [f"x : {declared}"]), check=4)["diagnostics"][0]
    assert d["code"] == code and words in str(d) and d["help"], d


def test_missing_values_of_another_type_are_missing(run, pyarrow, tmp_path):
    pyarrow("table = pa.table({'x': pa.array([None, None], pa.string())})\nwith ipc.new_file(path, table.schema) as w: w.write_table(table)", path=tmp_path / "t.arrow")
    assert peek(run, typed(tmp_path, ["x : int?"]))["rows"] == [[None], [None]]


def test_columns_between_nested_ones_are_found(run, pyarrow, tmp_path):
    code = """
table = pa.table({
    "l": [[1, 2], None], "a": [1, 2], "s": [{"x": "u", "y": [1.5]}, None], "b": ["p", "q"], "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), "fl": pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
    "c": [0.5, 1.5], "u": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["x", "y"])]), "bv": pa.array([b"x" * 30, None], pa.binary_view()),
    "ls": pa.array([["a"], None], pa.list_(pa.string())), "ree": pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([7])), "d": [True, False],
    "dic": pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([[1, 2]])), "e": ["x" * 20, "y"],
})
with (ipc.new_stream if stream else ipc.new_file)(path, table.schema) as w: w.write_table(table)
"""
    for stream in (True, False):
        pyarrow(code, path=tmp_path / "t.arrow", stream=stream)
        shown = peek(run, typed(tmp_path, ["e : string", "a : int", "b : string", "c : float", "d : bool"]))
        assert shown["rows"] == [["x" * 20, 1, "p", 0.5, True], ["y", 2, "q", 1.5, False]]


def test_dictionaries_that_grow_and_that_are_replaced(run, pyarrow, tmp_path):
    code = """
schema = pa.schema([("x", pa.dictionary(pa.int8(), pa.string()))])
batches = [pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(i, pa.int8()), pa.array(v))], schema) for i, v in parts]
with (ipc.new_file if file else ipc.new_stream)(path, schema, options=ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)) as w:
    for batch in batches: w.write_batch(batch)
"""
    grow = [([0, 1], ["a", "b"]), ([2, None, 0], ["a", "b", "c"]), ([3], ["a", "b", "c", "d"])]
    for file in (False, True):
        pyarrow(code, path=tmp_path / "t.arrow", parts=grow, deltas=True, file=file)
        assert peek(run, typed(tmp_path, ["x : category?"]))["rows"] == [["a"], ["b"], ["c"], [None], ["a"], ["d"]]
    pyarrow(code, path=tmp_path / "t.arrow", parts=[([0, 1], ["a", "b"]), ([1, 0], ["x", "y"])], deltas=False, file=False)
    for options in ([], ["--fragment-rows", "1"]):
        assert peek(run, typed(tmp_path, ["x : category?"]), env={})["rows"] == [["a"], ["b"], ["y"], ["x"]]


SHOP = """
import datetime as d
names = ["id", "amount", "kind", "note", "day", "paid"]
columns = [list(c) for c in zip(*rows)] if rows else [[] for _ in names]
columns[4] = [d.date.fromisoformat(x) for x in columns[4]]
types = [pa.int32(), pa.float64(), pa.dictionary(pa.int8(), pa.string()), pa.string(), pa.date32(), pa.bool_()]
table = pa.table([pa.array(c, t) for c, t in zip(columns, types)], names=names)
with ipc.new_file(path, table.schema) as w:
    # Batches of their own: one that is cut out of a table brings bits of its neighbours along.
    def array(values, type):
        if not pa.types.is_dictionary(type): return pa.array(values, type)
        return pa.DictionaryArray.from_arrays(pa.array([["web", "shop"].index(v) for v in values], pa.int8()), pa.array(["web", "shop"]))
    for at in range(0, len(table), chunk):
        w.write_table(pa.table([array(c[at : at + chunk], t) for c, t in zip(columns, types)], names=names))
"""


def test_one_table_in_csv_parquet_and_arrow_gives_equal_peeks(run, pyarrow, tmp_path):
    made = rows(300)
    pyarrow(SHOP + "import pyarrow.csv, pyarrow.parquet\npa.parquet.write_table(table, path.replace('.arrow', '.parquet'))\nflat = table.set_column(2, 'kind', table.column(2).cast(pa.string()))\npa.csv.write_csv(flat, path.replace('.arrow', '.csv'))\n",
            path=tmp_path / "t.arrow", rows=made, chunk=100)  # fmt: skip
    shown = {}
    for source in ('csv("t.csv")', 'parquet("t.parquet")', 'arrow("t.arrow")'):
        path = shop(tmp_path, source)
        for args in ([], ["--profile"], ["--where", "amount > 500 and kind == \"web\""]):
            shown.setdefault(str(args), []).append(run("peek", path, "orders", *args, "--format", "json", cwd=tmp_path).json)
    for args, three in shown.items():
        assert three[0] == three[1] == three[2], args


def test_what_is_appended_is_all_that_is_computed(run, pyarrow, tmp_path):
    path = shop(tmp_path, 'arrow("t.arrow")', more="big : bool = amount > 500\n")
    pyarrow(SHOP, path=tmp_path / "t.arrow", rows=rows(400), chunk=100)
    run("run", path, "--fragment-rows", "100")
    pyarrow(SHOP, path=tmp_path / "t.arrow", rows=rows(401), chunk=100)
    outcome = run("run", path, "--fragment-rows", "100", "--format", "json")
    assert ran(outcome)["orders.amount"][1:] == (1, 5)


def test_bad_rows_go_into_a_file_of_their_own(run, pyarrow, tmp_path):
    made = [list(row) for row in rows(200)]
    made[17][1], made[120][1] = 5000.0, None
    path = shop(tmp_path, 'arrow("t.arrow")', more='reject up to 5% into "bad.csv"')
    pyarrow(SHOP, path=tmp_path / "t.arrow", rows=made, chunk=50)
    outcome = run("run", path, cwd=tmp_path)
    assert "W0802" in outcome.err and "t.arrow:18" in outcome.err
    bad = (tmp_path / "bad.csv").read_text().splitlines()
    assert len([line for line in bad if "t.arrow" in line]) == 2
    edit(path, "reject up to 5%", "reject up to 0.5%")
    assert "E0801" in run("run", path, check=4, cwd=tmp_path).err


def test_the_rest_of_the_columns_from_the_lock(run, pyarrow, tmp_path):
    pyarrow(SHOP, path=tmp_path / "t.arrow", rows=rows(50), chunk=50)
    path = tmp_path / "types.mlp"
    path.write_text('workflow types\ndata t from arrow("t.arrow") {\n    paid : bool\n    rest from lock\n}\n')
    run("lock", path)
    locked = run("lock", path, "--check", "--format", "json").json["locks"][0]["tables"][0]["columns"]
    assert {c["source_name"]: c["type"].rstrip("?") for c in locked} == {"id": "int", "amount": "float", "kind": "category", "note": "string", "day": "date"}
    assert len(peek(run, path)["columns"]) == 6
    pyarrow(SHOP.replace('"id"', '"number"'), path=tmp_path / "t.arrow", rows=rows(50), chunk=50)
    d = peek(run, path, check=4)["diagnostics"][0]
    assert d["code"] == "E0808" and "`id` may have been renamed to `number`" in str(d)
    pyarrow(SHOP.replace("pa.int32(), pa.float64()", "pa.string(), pa.float64()").replace("columns[4] =", "columns[0] = list(map(str, columns[0])); columns[4] ="), path=tmp_path / "t.arrow", rows=rows(50), chunk=50)
    d = peek(run, path, check=4)["diagnostics"][0]
    assert d["code"] == "E0808" and "`id` is `int` in " in str(d["notes"]) and "and `string" in str(d["notes"]) and "holds texts" in str(d["rows"])


def test_scores_of_arrow_rows(run, pyarrow, tmp_path):
    made = rows(400)
    pyarrow(SHOP, path=tmp_path / "t.arrow", rows=made, chunk=100)
    path = shop(tmp_path, 'arrow("t.arrow")')
    run("run", path)
    for name in ("t.arrow", "t.csv"):
        if name == "t.csv":
            pyarrow(SHOP + "\nimport pyarrow.csv\npa.csv.write_csv(table.set_column(2, 'kind', table.column(2).cast(pa.string())), path.replace('.arrow', '.csv'))", path=tmp_path / "t.arrow", rows=made, chunk=100)
        run("score", "payer", tmp_path / name, tmp_path / f"{name}.out.csv", "--store", tmp_path / ".mlp")
    assert (tmp_path / "t.arrow.out.csv").read_text() == (tmp_path / "t.csv.out.csv").read_text()


def test_a_query_over_two_files(run, pyarrow, tmp_path):
    made = rows(100)
    pyarrow(SHOP, path=tmp_path / "t_1.arrow", rows=made[:30], chunk=7)
    pyarrow(SHOP, path=tmp_path / "t_2.arrow", rows=made[30:], chunk=1000)
    path = shop(tmp_path, 'arrow("t_*.arrow")')
    found = run("query", path, "select count(*) as n, sum(amount) as total from orders", "--format", "json", cwd=tmp_path).json["rows"]
    assert found[0][0] == 100 and abs(found[0][1] - sum(row[1] for row in made)) < 1e-6


def test_other_things_under_the_name(run, tmp_path):
    path = typed(tmp_path, ["x : int"])
    for data, words in [(b"", "empty"), (b"FEA1" + b"\0" * 40, "Feather version 1"), (b"x,y\n1,2\n" * 20, "no Arrow file"), (b"ARROW1\0\0", "cut off"), (b"ARROW1\0\0" + b"\0" * 40 + b"ARROW1", "damaged"),
                        (b"\xff\xff\xff\xff\0\0\0\0", "no columns"), (b"\xff\xff\xff\xff\x10\0\0\0" + b"\xff" * 16, "damaged"), (b"\xff\xff\xff\xff\x10\0\0\0", "cut off")]:  # fmt: skip
        (tmp_path / "t.arrow").write_bytes(data)
        d = peek(run, path, check=4)["diagnostics"][0]
        assert d["code"] == "E0804" and words in d["message"], (data, d)


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_damaged_bytes_end_in_a_diagnostic(run, pyarrow, tmp_path, seed, soak, codec, stream):
    """Nothing but rows or E0801 and E0804 comes of any byte."""
    pyarrow(VALUES.replace("ipc.new_file", "ipc.new_stream") if stream else VALUES, path=tmp_path / "t.arrow", codec=codec)
    path = typed(tmp_path, [f"{name} : {kind}" for name, kind in DECLARED.items()])
    whole = (tmp_path / "t.arrow").read_bytes()
    draw = random.Random(seed)
    for turn in range(200 if soak else 25):
        data = bytearray(whole)
        if turn % 3 == 0:
            data = data[: draw.randrange(len(data))]
        for _ in range(draw.choice([1, 1, 2, 8]) if turn % 3 else 0):
            data[draw.randrange(len(data))] = draw.choice([0, 1, 255, 127, 128, draw.randrange(256)])
        (tmp_path / "t.arrow").write_bytes(data)
        outcome = run("peek", path, "t", "--format", "json", check=None, cwd=tmp_path, timeout=60)
        assert outcome.code in (0, 4), (turn, outcome)
        assert outcome.code == 0 or outcome.json["diagnostics"][0]["code"] in ("E0801", "E0803", "E0804"), outcome
