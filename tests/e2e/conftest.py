"""Fixtures of the end-to-end tests. The general ones (run, start, shared, ...) are in tests/conftest.py."""

import ctypes
import pathlib
import shutil
import subprocess

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
