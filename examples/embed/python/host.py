"""Predictions of a deployed version for the rows of a CSV file, through the C interface: host.py LIBMLP.so STORE DEPLOYMENT FILE.csv"""

import csv
import ctypes
import sys

MISSING, BOOL, INT, FLOAT, TEXT = range(5)


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Of(ctypes.Union):
    _fields_ = [("boolean", ctypes.c_int), ("integer", ctypes.c_int64), ("number", ctypes.c_double), ("text", Text)]


class Value(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("of", Of)]


def declare(mlp):
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    to_pointer = ctypes.POINTER(pointer)
    for name, result, *arguments in (
        ("mlp_scorer_load", ctypes.c_int, text, text, text, to_pointer, to_pointer),
        ("mlp_scorer_model", text, pointer), ("mlp_scorer_version", ctypes.c_uint32, pointer), ("mlp_scorer_digest", text, pointer),
        ("mlp_scorer_field_count", size, pointer), ("mlp_scorer_field_name", text, pointer, size), ("mlp_scorer_field_type", text, pointer, size),
        ("mlp_predict", ctypes.c_int, pointer, ctypes.POINTER(Value), size, ctypes.POINTER(ctypes.c_double), to_pointer),
        ("mlp_error_code", text, pointer, size), ("mlp_error_message", text, pointer, size), ("mlp_error_free", None, pointer),
        ("mlp_scorer_free", None, pointer),
    ):  # fmt: skip
        function = getattr(mlp, name)
        function.restype, function.argtypes = result, arguments


def check(mlp, status, error):
    if status:
        print(f"{mlp.mlp_error_code(error, 0).decode()}: {mlp.mlp_error_message(error, 0).decode()}", file=sys.stderr)
        mlp.mlp_error_free(error)
        sys.exit(status)


def value_of(text, kind):
    value = Value(MISSING)
    text = text.strip()
    if text in ("", "?"):
        return value
    if kind.startswith("int"):
        value.kind, value.of.integer = INT, int(text)
    elif kind.startswith("float"):
        value.kind, value.of.number = FLOAT, float(text)
    elif kind.startswith("bool"):
        value.kind, value.of.boolean = BOOL, text == "true"
    else:
        value.kind, value.of.text = TEXT, Text(text.encode(), len(text.encode()))
    return value


def main():
    library, store, deployment, table = sys.argv[1:]
    mlp = ctypes.CDLL(library)
    declare(mlp)
    scorer, error = ctypes.c_void_p(), ctypes.c_void_p()
    check(mlp, mlp.mlp_scorer_load(store.encode(), deployment.encode(), b"production", ctypes.byref(scorer), ctypes.byref(error)), error)
    print(mlp.mlp_scorer_model(scorer).decode(), "version", mlp.mlp_scorer_version(scorer), mlp.mlp_scorer_digest(scorer).decode())
    count = range(mlp.mlp_scorer_field_count(scorer))
    names = [mlp.mlp_scorer_field_name(scorer, i).decode() for i in count]
    kinds = [mlp.mlp_scorer_field_type(scorer, i).decode() for i in count]
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    values = (Value * (len(rows) * len(names)))(*(value_of(row[n], k) for row in rows for n, k in zip(names, kinds)))
    predictions = (ctypes.c_double * len(rows))()
    check(mlp, mlp.mlp_predict(scorer, values, len(rows), predictions, ctypes.byref(error)), error)
    for prediction in predictions:
        print(repr(prediction))
    mlp.mlp_scorer_free(scorer)


main()
