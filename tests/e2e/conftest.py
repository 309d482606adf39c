"""Fixtures of the end-to-end tests. The general ones (run, start, shared, ...) are in tests/conftest.py."""

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

DUCKDB = pathlib.Path(__file__).resolve().parents[2] / "build" / "duckdb" / "libduckdb.so"


@pytest.fixture(scope="session")
def duckdb():
    """duckdb(sql) runs one statement in DuckDB itself, which writes and reads the Parquet files of the tests."""
    if not DUCKDB.exists():
        pytest.skip("DuckDB was not fetched from npm (scripts/setup.sh)")
    library = ctypes.CDLL(str(DUCKDB))
    database, connection, result = ctypes.c_void_p(), ctypes.c_void_p(), (ctypes.c_char * 256)()
    assert library.duckdb_open(None, ctypes.byref(database)) == 0
    assert library.duckdb_connect(database, ctypes.byref(connection)) == 0
    library.duckdb_result_error.restype = ctypes.c_char_p

    def call(sql):
        assert library.duckdb_query(connection, sql.encode(), result) == 0, library.duckdb_result_error(result)
        library.duckdb_destroy_result(result)

    yield call
    library.duckdb_disconnect(ctypes.byref(connection))
    library.duckdb_close(ctypes.byref(database))


@pytest.fixture
def income(shared):
    """The path of first/income.mlp in a writable copy of the shared files."""
    return shared / "workflows" / "first" / "income.mlp"


@pytest.fixture(scope="session")
def npm(mlpc_bin):
    """npm(folder, packages...) -> their node_modules beside the build, fetched once a build. A test is skipped where npm's packages cannot be had."""

    def fetch(name, *packages):
        folder = mlpc_bin.parents[1] / name
        if not (folder / "ready").exists():
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text("{}")
            try:
                subprocess.run(
                    ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1", *packages],
                    cwd=folder, check=True, capture_output=True, timeout=150,
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                pytest.skip(f"npm's packages are not there: {error}")
            (folder / "ready").touch()
        return folder / "node_modules"

    return fetch


ARROW_WORKER = """
import json, sys, traceback
import pyarrow as pa, pyarrow.ipc as ipc, pyarrow.feather as feather, pyarrow.csv, pyarrow.parquet
for line in sys.stdin:
    task = json.loads(line)
    names = {"pa": pa, "ipc": ipc, "feather": feather, **task["names"]}
    try:
        exec(task["code"], names)
        print(json.dumps(names.get("result")), flush=True)
    except Exception:
        print(json.dumps({"failed": traceback.format_exc()}), flush=True)
"""


@pytest.fixture(scope="session")
def pyarrow(mlpc_bin):
    """pyarrow(code, **names) runs code in a Python with pyarrow from PyPI, fetched once a build; gives its `result`. Without PyPI the test is skipped."""
    folder = mlpc_bin.parents[1] / "python-arrow"
    if not (folder / "ready").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=60)
            subprocess.run([folder / "bin" / "pip", "install", "-q", "pyarrow==17.0.0"], check=True, capture_output=True, timeout=150)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"pyarrow cannot be had from PyPI: {error}")
        (folder / "ready").touch()
    worker = subprocess.Popen([folder / "bin" / "python", "-c", ARROW_WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(code, **names):
        worker.stdin.write(json.dumps({"code": code, "names": {name: str(value) if isinstance(value, pathlib.Path) else value for name, value in names.items()}}) + "\n")
        worker.stdin.flush()
        result = json.loads(worker.stdout.readline())
        assert not (isinstance(result, dict) and "failed" in result), result["failed"]
        return result

    yield call
    worker.stdin.close()
    worker.wait(60)
