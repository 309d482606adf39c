"""Reads one CSV file by turns and writes docs/benchmarks-csv.md. usage: compare_csv.py MLPC READ_TYPED_CSV WORK_FOLDER OUT.md"""

import datetime
import json
import math
import os
import pathlib
import resource
import shutil
import subprocess
import sys

from compare import cpu, measure

HERE = pathlib.Path(__file__).resolve().parent
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
ROWS = int(os.environ.get("BENCH_ROWS", "2000000"))


def processor():
    """Seconds of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    mlpc, reader, work, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]) / "csv", pathlib.Path(sys.argv[4])
    work.mkdir(parents=True, exist_ok=True)
    table = work / f"orders_{ROWS}.csv"
    if not table.exists():
        subprocess.run([sys.executable, HERE / "typed_csv_table.py", str(ROWS), table], check=True)
    shutil.copyfile(HERE / "typed_csv.mlp", work / "typed_csv.mlp")
    (work / "orders.csv").unlink(missing_ok=True)
    os.link(table, work / "orders.csv")
    peer = lambda name: [sys.executable, HERE / "peer_csv.py", name, table]  # noqa: E731
    ways = {
        "pandas": ("`pandas.read_csv`, no contract", peer("pandas")),
        "duckdb": ("DuckDB `read_csv`, types given, into a table, 2 threads", peer("duckdb")),
        "read": ("mlpc: rows found, values typed, contract checked", [reader, "read", table]),
        "hash": ("the same, and rows hashed", [reader, "hash", table]),
        "profile": ("the same, and columns profiled", [reader, "profile", table]),
        "run": ("`mlpc run`, the whole process: the same without profile, and every column stored on disk", [mlpc, "run", work / "typed_csv.mlp", "--format", "json", "--quiet"]),
    }
    load = os.getloadavg()[0]
    best, memory, last = dict.fromkeys(ways, (math.inf, math.inf)), dict.fromkeys(ways, 0), {}
    for _ in range(TURNS):
        for name, (_, command) in ways.items():
            shutil.rmtree(work / ".mlp", ignore_errors=True)
            before = processor()
            whole, peak, output = measure(command)
            whole = {"seconds": whole, "cpu": processor() - before, "peak": peak}
            answer = last[name] = json.loads(output)
            cost = whole if name == "run" else answer
            best[name] = min(best[name], (cost["seconds"], cost["cpu"]))
            memory[name] = max(memory[name], cost["peak"])
    assert all(last[name]["rows"] == ROWS for name in ways if name != "run")
    for name in ("hash", "profile", "duckdb"):
        assert last[name]["sums"] == last["read"]["sums"], name
    for column, (total, missing) in last["pandas"]["sums"].items():
        assert missing == last["read"]["sums"][column][1], column
        assert total is None or total == last["read"]["sums"][column][0], column
    for column, total in last["pandas"]["totals"].items():
        assert math.isclose(total, last["duckdb"]["totals"][column], rel_tol=1e-9), column
    lines = ["| what | seconds | times as fast as pandas | as DuckDB | processor seconds | peak memory |", "|---|---:|---:|---:|---:|---:|"]
    for name, (what, _) in ways.items():
        lines.append(f"| {what} | {best[name][0]:.3f} | {best['pandas'][0] / best[name][0]:.2f} | {best['duckdb'][0] / best[name][0]:.2f} | {best[name][1]:.2f} | {memory[name]:.0f} MB |")
    figures = "\n".join(lines)
    versions = subprocess.run([sys.executable, "-c", "import pandas, duckdb; print(f'pandas {pandas.__version__}, DuckDB {duckdb.__version__}')"], check=True, capture_output=True, text=True).stdout.strip()
    text = f"""# Reading CSV

`benchmarks/csv.sh` makes a CSV file of {ROWS:,} rows and 20 columns ({table.stat().st_size / 1e6:.0f} MB: whole numbers, floats of 2 to 17 digits, categories, texts, truth values, dates, times), and
reads it into memory by turns. mlpc checks ranges, closed domains, a pattern and missing values meanwhile. Seconds are of the reading alone, but for `mlpc run`; the best of {TURNS}
turns. The values of mlpc and DuckDB are compared bit for bit; those of pandas too where it reads the same (its
floats are not always the nearest ones, and it leaves dates and times texts). Seconds depend on what else the machine does, and pandas has one thread where the others have
two; processor seconds are all that the threads of a process took together.

{figures}

Written by `benchmarks/csv.sh` on {datetime.date.today().isoformat()}; {os.cpu_count()} cores ({cpu()}), load {load:.1f} before the first turn; {versions}.
"""
    out.write_text(text, encoding="utf-8")
    print(figures)


main()
