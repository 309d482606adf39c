#include "runtime/python/python.h"

namespace mlp::python {

const std::string_view kDriver = R"py(
import collections.abc, csv, datetime, decimal, importlib.util, inspect, json, os, sys, traceback, uuid

MISSING = "\0"
TABLES = ("pandas", "pyarrow", "polars")
request = json.load(sys.stdin)


class Refused(Exception):
    def __init__(self, kind, **more):
        self.report = dict(more, kind=kind)


def library_of(kind):
    return getattr(kind, "__module__", "").split(".")[0]


def load_function():
    path = os.path.abspath(request["file"])
    sys.path[0] = os.path.dirname(path)
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    function = getattr(module, request["function"], None)
    if not callable(function):
        names = [n for n, value in vars(module).items() if callable(value) and getattr(value, "__module__", None) == name]
        raise Refused("no_function", has=names)
    return function


def parse(kind, values):
    """Texts of a column of the stage's input, as values."""
    if kind == "string":
        convert = None
    elif kind == "bool":
        convert = lambda text: text == "true"
    elif kind == "date":
        convert = datetime.date.fromisoformat
    elif kind == "timestamp":
        convert = lambda text: datetime.datetime.fromisoformat(text)
    elif kind == "duration":
        convert = lambda text: datetime.timedelta(microseconds=int(text[:-2]))
    else:
        convert = {"int": int, "float": float}[kind]
    return [None if v == MISSING else convert(v) if convert else v for v in values]


def read_input():
    csv.field_size_limit(sys.maxsize)
    with open(request["input"], newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        names = next(reader)
        columns = list(zip(*reader)) or [()] * len(names)
    return {name: parse(kind, values) for name, kind, values in zip(names, request["types"], columns)}


def as_asked(table, annotation):
    library = library_of(annotation)
    if library == "pandas":
        import pandas
        return pandas.DataFrame(table)
    if library == "pyarrow":
        import pyarrow
        return pyarrow.table(table)
    if library == "polars":
        import polars
        return polars.DataFrame(table)
    return table


def arguments(function):
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    given, named = [], {}
    offered = {"columns": request["columns"] or None, "as_of": request["as_of"] or None, "token": request["token"] or None}
    if "input" in request:
        first = next(iter(parameters), None)
        if first is None:
            raise Refused("arguments", missing="")
        given.append(as_asked(read_input(), first.annotation))
        parameters, offered = list(parameters)[1:], {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in offered and parameter.kind != parameter.POSITIONAL_ONLY:
            named[parameter.name] = offered[parameter.name]
        elif parameter.default is parameter.empty:
            raise Refused("arguments", missing=parameter.name)
    return given, named


def columns_of(table):
    library = library_of(type(table))
    if isinstance(table, collections.abc.Mapping):
        columns = dict(table)
    elif library == "pandas" and hasattr(table, "columns"):
        if not table.columns.is_unique:
            raise Refused("shape", message="two columns have one name")
        columns = {name: table[name] for name in table.columns}
    elif library == "pyarrow" and hasattr(table, "to_pydict"):
        columns = table.to_pydict()
    elif library == "polars" and hasattr(table, "to_dict"):
        columns = table.to_dict(as_series=False)
    else:
        raise Refused("shape", message=f"it returned a {type(table).__name__}")
    for name in columns:
        if not isinstance(name, str):
            raise Refused("shape", message=f"the name {name!r} of a column is no text")
    out = {}
    for name, values in columns.items():
        if hasattr(values, "tolist"):
            values = values.tolist()
        if isinstance(values, (str, bytes)) or not isinstance(values, collections.abc.Iterable):
            raise Refused("shape", message=f"column {name!r} is a {type(values).__name__}, not a list")
        out[name] = values if isinstance(values, (list, tuple)) else list(values)
    return out


def tables_of(result):
    if isinstance(result, collections.abc.Mapping) or library_of(type(result)) in TABLES:
        yield result
    elif isinstance(result, (str, bytes)) or not isinstance(result, collections.abc.Iterable):
        raise Refused("shape", message=f"it returned a {type(result).__name__}")
    else:
        yield from result


def written(value, column, row):
    if value is None:
        return MISSING
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("value", column=column, row=row, type="text with a NUL byte")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return MISSING if value != value else repr(float(value))
    if type(value).__name__ in ("NaTType", "NAType"):
        return MISSING
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return f"{value // datetime.timedelta(microseconds=1)}us"
    if isinstance(value, decimal.Decimal):
        return MISSING if value.is_nan() else format(value, "f")
    if isinstance(value, uuid.UUID):
        return str(value)
    if library_of(type(value)) == "numpy" and hasattr(value, "item"):
        plain = value.item()
        if type(plain) is not type(value):
            return written(plain, column, row)
    raise Refused("value", column=column, row=row, type=type(value).__name__)


def write_values(values, column, first):
    kinds = set(map(type, values))
    if kinds <= {int}:
        return values
    if kinds <= {float}:
        return [MISSING if v != v else v for v in values]
    return [written(v, column, first + i) for i, v in enumerate(values)]


def write_rows(result):
    wanted, rows = request["columns"], 0
    with open(request["output"], "w", newline="", encoding="utf-8") as file:
        # With both marks of a line's end as the end, texts that have one of them are quoted.
        writer = csv.writer(file, lineterminator="\r\n")
        began = False
        for table in tables_of(result):
            columns = columns_of(table)
            names = list(columns)
            if not began and not wanted:
                wanted = names
                if not wanted:
                    raise Refused("shape", message="the table that it returned has no columns")
            if any(name not in columns for name in wanted):
                raise Refused("columns", has=names)
            lengths = {name: len(columns[name]) for name in wanted}
            if len(set(lengths.values())) > 1:
                raise Refused("shape", message="its columns have different lengths: " + ", ".join(f"{n} {c}" for n, c in list(lengths.items())[:8]))
            if not began:
                writer.writerow(wanted)
                began = True
            writer.writerows(zip(*(write_values(columns[name], name, rows + 1) for name in wanted)))
            rows += lengths[wanted[0]]
        if not began:
            if not wanted:
                raise Refused("shape", message="it returned no table")
            writer.writerow(wanted)


def place_of(error):
    """The innermost line of the workflow's own code, rather than of a library."""
    folder = os.path.dirname(os.path.abspath(request["file"])) + os.sep
    frames = [f for f in traceback.extract_tb(error.__traceback__) if os.path.abspath(f.filename).startswith(folder)]
    return {"at_file": frames[-1].filename, "at_line": frames[-1].lineno} if frames else {}


def main():
    try:
        function = load_function()
        given, named = arguments(function)
        write_rows(function(*given, **named))
        return {"kind": "done"}
    except Refused as error:
        return error.report
    except MemoryError:
        return {"kind": "memory"}
    except SyntaxError as error:
        traceback.print_exc()
        return {"kind": "raised", "type": "SyntaxError", "message": str(error.msg), "at_file": error.filename or "", "at_line": error.lineno or 0}
    except UnicodeEncodeError as error:
        traceback.print_exc()
        return {"kind": "raised", "type": "UnicodeEncodeError", "message": str(error), **place_of(error)}
    except SystemExit as error:
        return {"kind": "raised", "type": "SystemExit", "message": str(error.code), **place_of(error)}
    except BaseException as error:
        traceback.print_exc()
        return {"kind": "raised", "type": type(error).__name__, "message": str(error), **place_of(error)}


outcome = main()
with open(request["report"], "w", encoding="utf-8", errors="replace") as file:
    json.dump(outcome, file)
sys.stdout.flush()
os._exit(0)
)py";

}  // namespace mlp::python
