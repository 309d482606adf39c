"""Fixtures of the end-to-end tests. The general ones (run, start, shared, ...) are in tests/conftest.py."""

import ctypes
import pathlib

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
