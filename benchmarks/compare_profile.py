"""Profiles one table by turns and writes docs/benchmarks-profile.md. usage: compare_profile.py MLPC WORK_FOLDER OUT.md"""

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
from wide_table import COLUMNS

HERE = pathlib.Path(__file__).resolve().parent
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
QUANTILES = {"1%": 0.01, "5%": 0.05, "25%": 0.25, "50%": 0.5, "75%": 0.75, "95%": 0.95, "99%": 0.99}


def processor():
    """Seconds of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def number(value, kind):
    if kind in ("date", "timestamp"):
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).replace(tzinfo=datetime.timezone.utc).timestamp()
    return value


def seconds_of(kind):
    return {"date": 86400, "timestamp": 1e-6}.get(kind, 1)


def compare(found, profile):
    """Stops where the profile is not what pandas found, within the bounds that it states. Gives the worst errors."""
    worst = {"distinct": 0.0, "quantile": 0.0}
    for name, kind, _ in COLUMNS:
        theirs, ours = found[name], profile[name]
        assert ours["rows"] == ROWS and ours["rows"] - ours["missing"] == theirs["count"], name
        off = abs(ours["distinct"] / theirs["distinct"] - 1)
        worst["distinct"] = max(worst["distinct"], off)
        assert off <= 4 * ours["distinct_error"], (name, ours["distinct"], theirs["distinct"])
        if "top" in theirs:
            first = ours["top"][0] if ours["top"] else {"value": None, "count": 0}
            assert first["count"] <= theirs["freq"] <= first["count"] + ours["top_short_by"], name
            continue
        for end in ("min", "max"):  # seconds of times as doubles have half a microsecond
            assert abs(number(ours[end], kind) - theirs[end]) <= (1e-6 if kind == "timestamp" else 0), (name, end)
        if "mean" in ours:
            assert math.isclose(ours["mean"], theirs["mean"], rel_tol=1e-9, abs_tol=1e-9) and math.isclose(ours["deviation"], theirs["std"], rel_tol=1e-9), name
        for each in ours["quantiles"]:
            truth = theirs[next(text for text, q in QUANTILES.items() if q == each["at"])]
            # Of times the lower of two neighbours is given, where pandas goes between them.
            room = each["within"] * seconds_of(kind) + (86400 if kind == "date" else 600 if kind == "timestamp" else 1e-9 * abs(truth))
            off = abs(number(each["value"], kind) - truth)
            assert off <= room, (name, each, truth)
            worst["quantile"] = max(worst["quantile"], off / (theirs["95%"] - theirs["5%"]))
    return worst


def main():
    mlpc, work, out = sys.argv[1], pathlib.Path(sys.argv[2]) / "profile", pathlib.Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    table = work / f"wide_{ROWS}.parquet"
    if not table.exists():
        subprocess.run([sys.executable, HERE / "wide_table.py", str(ROWS), table], check=True)
    declared = "\n".join(f"    {name} : {kind}" for name, kind, _ in COLUMNS)
    workflow = work / "wide.mlp"
    workflow.write_text(f'workflow wide\n\ndata wide from parquet("{table.name}") {{\n{declared}\n}}\n')
    peer = lambda name: [sys.executable, HERE / "peer_profile.py", name, table]  # noqa: E731
    asked = [mlpc, "peek", workflow, "wide", "--profile", "--format", "json"]
    ways = {
        "pandas": ("pandas: `describe`, `nunique` and seven quantiles by `quantile`, of a frame in memory", peer("pandas")),
        "described": ("the same, with the quantiles asked of `describe`", peer("described")),
        "duckdb": ("DuckDB `SUMMARIZE` of a table in memory, 2 threads: three quantiles, all but min, max and mean estimated", peer("duckdb")),
        "first": ("`mlpc peek --profile`, the whole process, columns read from the store", asked),
        "again": ("the same again: the profiles are kept", asked),
    }
    load = os.getloadavg()[0]
    best, memory, last = dict.fromkeys(ways, (math.inf, math.inf)), dict.fromkeys(ways, 0), {}
    for _ in range(TURNS):
        shutil.rmtree(work / ".mlp", ignore_errors=True)
        measure([mlpc, "peek", workflow, "wide", "--rows", "0"])
        for name, (_, command) in ways.items():
            before = processor()
            seconds, peak, output = measure(command)
            spent, answer = processor() - before, json.loads(output)
            if name in ("pandas", "described", "duckdb"):
                seconds, spent, peak = answer["seconds"], answer["cpu"], answer["peak"]
            last[name] = answer
            best[name] = min(best[name], (seconds, spent))
            memory[name] = max(memory[name], peak)
    assert last["first"]["profile"] == last["again"]["profile"]
    compare(last["described"]["found"], {column["name"]: column for column in last["first"]["profile"]})
    worst = compare(last["pandas"]["found"], {column["name"]: column for column in last["first"]["profile"]})
    lines = ["| what | seconds | times as fast as pandas | processor seconds | peak memory |", "|---|---:|---:|---:|---:|"]
    for name, (what, _) in ways.items():
        lines.append(f"| {what} | {best[name][0]:.2f} | {best['pandas'][0] / best[name][0]:.1f} | {best[name][1]:.2f} | {memory[name]:.0f} MB |")
    figures = "\n".join(lines)
    versions = subprocess.run([sys.executable, "-c", "import pandas, duckdb; print(f'pandas {pandas.__version__}, DuckDB {duckdb.__version__}')"], check=True, capture_output=True, text=True).stdout.strip()
    text = f"""# Profiles of columns

`benchmarks/profile.sh` makes a table of {ROWS:,} rows and {len(COLUMNS)} columns (40 of floats, 25 of whole numbers, 15 categories, 5 texts, 5 truth values, 5 dates, 5 times; from 2 to {ROWS:,} distinct
values), and asks by turns what its columns are like: missing and distinct values, least and greatest, mean and deviation, seven quantiles; mlpc also gives the ten most frequent
values. Seconds of pandas and DuckDB are of that alone, with the table in memory; those of mlpc are of the whole process, which reads the columns from its store; the best of
{TURNS} turns. pandas has one thread where the others have two; processor seconds are all that the threads took together. Memory is of the whole process, with the table where that is held.
Seconds depend on what else the machine does, and most so those of what has two threads: where others use it too, processor seconds say more.

{figures}

The results are compared in the run: rows, missing values, least and greatest are equal, mean and deviation to 9 digits; of columns with at most 2,048 distinct values also these
and the quantiles; of the others each quantile is as near as its `within` says, and distinct values within four of the stated standard errors. The farthest off were a number of distinct
values by {100 * worst["distinct"]:.2f} %, and a quantile by {100 * worst["quantile"]:.3f} % of the distance from the 5 % to the 95 % quantile of its column.

Written by `benchmarks/profile.sh` on {datetime.date.today().isoformat()}; {os.cpu_count()} cores ({cpu()}), load {load:.1f} before the first turn; {versions}.
"""
    out.write_text(text, encoding="utf-8")
    print(figures)
    print(worst)


main()
