"""Runs mlpc and the plain script by turns and writes docs/benchmarks.md.

usage: compare.py MLPC PYTHON WORK_FOLDER OUT.md [REAL_TABLE.csv]

Each turn: the script, the script without bootstrap intervals, `mlpc run` into an empty store, `mlpc run` again. Medians over the turns; wall time of the whole process,
peak memory as the kernel counted it for the process.
"""

import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import check

HERE = pathlib.Path(__file__).resolve().parent
TURNS = int(os.environ.get("BENCH_TURNS", "5"))
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
NO_OPS = 5
REPLICATES = 400  # of the bootstrap; as in runtime/learn/bootstrap.h


def measure(command):
    """(seconds, peak MB, stdout) of a process."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLP_")}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        out = process.stdout.read()
        err = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}\n{err.decode()}")
    return seconds, usage.ru_maxrss / 1024, out


def compare(mlpc, python, folder, table, rounds):
    """One row of medians for a table."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(table, folder / "census.csv")
    shutil.copyfile(HERE / "census.mlp", folder / "census.mlp")
    script, bare, cold, noop, auc = [], [], [], [], {}
    for _ in range(TURNS):
        seconds, memory, out = measure([python, HERE / "plain.py", folder / "census.csv", str(rounds)])
        script.append((seconds, memory))
        auc["script"] = json.loads(out)["auc"]
        seconds, memory, _ = measure([python, HERE / "plain.py", folder / "census.csv", "0"])
        bare.append((seconds, memory))
        shutil.rmtree(folder / ".mlp", ignore_errors=True)
        seconds, memory, out = measure([mlpc, "run", folder / "census.mlp", "--format", "json", "--quiet"])
        cold.append((seconds, memory))
        result = json.loads(out)
        auc["mlpc"] = result["metrics"]["earner"]["auc"]["value"]
        for _ in range(NO_OPS):
            seconds, memory, out = measure([mlpc, "run", folder / "census.mlp", "--format", "json", "--quiet"])
            assert json.loads(out)["steps"]["ran"] == 0
            noop.append((seconds, memory))
    middle = lambda pairs, at: statistics.median(pair[at] for pair in pairs)  # noqa: E731
    return {
        "script": (middle(script, 0), max(m for _, m in script)),
        "bare": (middle(bare, 0), max(m for _, m in bare)),
        "cold": (middle(cold, 0), max(m for _, m in cold)),
        "noop": (middle(noop, 0), max(m for _, m in noop)),
        "auc": auc,
    }


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    mlpc, python, work, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    made = work / f"made_{ROWS}.csv"
    if not made.exists():
        subprocess.run([python, HERE / "make_table.py", str(ROWS), made], check=True)
    tables = [(f"made, {ROWS:,} rows x 15 columns", made)]
    if len(sys.argv) > 5 and pathlib.Path(sys.argv[5]).exists():
        tables.append(("census of 1994, 32,561 rows x 15 columns", pathlib.Path(sys.argv[5])))
    versions = subprocess.run(
        [python, "-c", "import pandas, sklearn, xgboost, sys; print(f'Python {sys.version.split()[0]}, pandas {pandas.__version__}, scikit-learn {sklearn.__version__}, xgboost {xgboost.__version__}')"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    lines = [
        "| table | what | seconds | of the script | peak memory | auc |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, table in tables:
        row = compare(mlpc, python, work / table.stem, table, REPLICATES)
        base, _ = row["script"]
        for what, key in (("script", "script"), ("script without its intervals", "bare"), ("`mlpc run`, empty store", "cold"), ("`mlpc run` again", "noop")):
            seconds, memory = row[key]
            ratio = "1" if key == "script" else f"{base / seconds:.1f} times as fast" if seconds < base else f"{seconds / base:.2f} times as long"
            auc = row["auc"]["mlpc" if key in ("cold", "noop") else "script"]
            lines.append(f"| {name} | {what} | {seconds:.3f} | {ratio} | {memory:.0f} MB | {auc:.4f} |")
    figures = "\n".join(lines)
    checks = "\n".join(check.table(mlpc, work, sorted([*HERE.parent.glob("examples/*/*.mlp"), *HERE.parent.parent.glob("shared/workflows/**/*.mlp")])))
    text = f"""# Benchmarks

`benchmarks/run.sh` makes a table in the shape of the census of 1994, and runs two programs that do the same work by turns:
`benchmarks/plain.py`, a script with pandas, scikit-learn and xgboost in an environment of its own, and `benchmarks/census.mlp`.
Both read and check the table, make the same eleven features (one cross-fitted target encoding), deal 70/15/15, train 300 boosted trees
of depth 6 and a logistic regression, and give area under the curve, log loss and Brier score, whole and by sex, with bootstrap
intervals of {REPLICATES} replicates. Times are of the whole process, start of the interpreter and imports included. Medians of {TURNS} turns, of
{TURNS * NO_OPS} for the run that finds everything done; peak memory is the largest that was seen.

{figures}

Written by `benchmarks/run.sh` on {datetime.date.today().isoformat()}; {os.cpu_count()} cores ({cpu()}); {versions}.
Splits are dealt by each program in its own way, so the areas differ in the third digit.

## Checking a workflow

`benchmarks/check.sh` runs `mlpc check` in a process of its own for each file, by turns, {check.TURNS} times: the examples, the workflows of the language's
contract, and `dense.mlp`, which it makes: 600 columns, 1,160 features, 20 models with their evaluations, no blank line.

{checks}

Single rows and HTTP: [benchmarks-serving.md](benchmarks-serving.md).
"""
    out.write_text(text, encoding="utf-8")
    print(figures)


if __name__ == "__main__":
    main()
