"""What the columns of a Parquet file are like: peer_profile.py pandas|described|duckdb FILE. The table is in memory before the clock starts. Prints JSON: seconds,
processor seconds, the peak memory of the process, and what was found of each column."""

import json
import sys

from peer_csv import Cost

QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def plain(value):
    """Times as Unix seconds, numbers as floats."""
    if hasattr(value, "timestamp"):
        import pandas

        return (pandas.Timestamp(value) - pandas.Timestamp(0)) / pandas.Timedelta(seconds=1)
    return value if isinstance(value, (str, bool)) else float(value)


def with_pandas(path, quantiles_apart=True):
    import duckdb

    table = duckdb.sql(f"SELECT * FROM '{path}'").df()
    ordered = table.select_dtypes(["number", "datetime"])
    cost = Cost()
    if quantiles_apart:
        described, distinct, quantiles = table.describe(include="all"), table.nunique(), ordered.quantile(QUANTILES)
    else:
        described, distinct = table.describe(include="all", percentiles=QUANTILES), table.nunique()
    spent = cost.so_far()
    if quantiles_apart:
        described = described.reindex(described.index.union([f"{q:.0%}" for q in QUANTILES], sort=False))
        for q in QUANTILES:
            described.loc[f"{q:.0%}", quantiles.columns] = quantiles.loc[q]
    found = {}
    for name in table.columns:
        column = described[name].dropna()
        found[name] = {key: plain(value) for key, value in column.items()} | {"distinct": int(distinct[name])}
    return spent, found


def with_duckdb(path):
    import duckdb

    base = duckdb.connect(config={"threads": 2})
    base.execute(f"CREATE TABLE t AS SELECT * FROM '{path}'")
    cost = Cost()
    base.execute("SUMMARIZE t").fetchall()
    return cost.so_far(), {}


spent, found = {"pandas": with_pandas, "described": lambda path: with_pandas(path, False), "duckdb": with_duckdb}[sys.argv[1]](sys.argv[2])
print(json.dumps(spent | {"found": found}))
