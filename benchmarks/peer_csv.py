"""Reads the table of typed_csv_table.py into memory: peer_csv.py pandas|duckdb FILE.csv. Prints JSON: seconds and processor
seconds of the reading alone, the peak memory of the process until then, and sums."""

import json
import resource
import sys
import time

TYPES = {
    "id": "BIGINT", "age": "BIGINT", "items": "BIGINT", "delta": "BIGINT", "code": "BIGINT", "units": "BIGINT", "price": "DOUBLE", "amount": "DOUBLE",
    "lat": "DOUBLE", "lon": "DOUBLE", "share": "DOUBLE", "score": "DOUBLE", "rating": "DOUBLE", "plan": "VARCHAR", "region": "VARCHAR",
    "city": "VARCHAR", "note": "VARCHAR", "active": "BOOLEAN", "day": "DATE", "at": "TIMESTAMP",
}  # fmt: skip


class Cost:
    """What the process has spent since this was made."""

    def __init__(self):
        self.wall, self.used = time.perf_counter(), self.processor()

    @staticmethod
    def processor():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def so_far(self):
        return {"seconds": time.perf_counter() - self.wall, "cpu": self.processor() - self.used, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def with_pandas(path):
    import pandas

    cost = Cost()
    table = pandas.read_csv(path)
    spent = cost.so_far()
    sums, totals = {}, {}
    for name, kind in TYPES.items():
        column = table[name]
        missing = int(column.isna().sum())
        # Its floats are not always the nearest ones, so that only their totals can be compared, nearly; its dates and times are texts.
        sums[name] = [int(column.sum()) % 2**64 if kind in ("BIGINT", "BOOLEAN") else None, missing]
        if kind == "DOUBLE":
            totals[name] = float(column.sum())
    return spent, len(table), sums, totals


def with_duckdb(path):
    import duckdb

    database = duckdb.connect(config={"threads": 2})
    cost = Cost()
    database.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, columns = {TYPES})")
    spent = cost.so_far()
    import numpy

    sums, totals = {}, {}
    for name, kind in TYPES.items():
        missing = database.execute(f"SELECT count(*) - count(\"{name}\") FROM t").fetchone()[0]
        if kind == "DOUBLE":
            values = database.execute(f"SELECT \"{name}\" FROM t WHERE \"{name}\" IS NOT NULL").fetchnumpy()[name]
            totals[name] = float(values.sum())
            total = int(numpy.ascontiguousarray(values, dtype=numpy.float64).view(numpy.uint64).sum(dtype=numpy.uint64))
        else:
            expressions = {"VARCHAR": "sum(list_sum(list_transform(string_split({}, ''), lambda c: ord(c))))", "BOOLEAN": "sum({}::INT)", "DATE": "sum({} - DATE '1970-01-01')", "TIMESTAMP": "sum(epoch_us({})::HUGEINT)"}
            expression = expressions.get(kind, "sum({})").format(f'"{name}"')
            total = int(database.execute(f"SELECT {expression} FROM t").fetchone()[0]) % 2**64
        sums[name] = [total, missing]
    return spent, database.execute("SELECT count(*) FROM t").fetchone()[0], sums, totals


if __name__ == "__main__":
    spent, rows, sums, totals = {"pandas": with_pandas, "duckdb": with_duckdb}[sys.argv[1]](sys.argv[2])
    print(json.dumps(spent | {"rows": rows, "sums": sums, "totals": totals}))
