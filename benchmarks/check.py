"""How long `mlpc check` takes in a process of its own.

usage: check.py MLPC WORK_FOLDER FILE...

Makes WORK_FOLDER/dense.mlp: 2,000 lines without a blank or a comment, a table of 600 columns, 1,160 features in two views, 20 models with their
evaluations. Checks it and each FILE by turns and prints a table: best and median of the wall time of the process, its time on the CPU, its
peak memory. BENCH_CHECKS (100) is the number of turns.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

TURNS = int(os.environ.get("BENCH_CHECKS", "100"))


def dense():
    """Lines of a workflow in which every line says something: all types, calls, operators, fitted and cross-fitted transforms."""
    draw = random.Random(7)
    lines = ["workflow dense", "param seed : int in 0..1_000_000 = 7", 'data events from csv("events.csv", null: "?") {', "    id : int @key"]
    numbers, maybe, words = [], [], []
    for i in range(598):
        name = f"column_{i}"
        kind = i % 6
        if kind in (0, 1):
            numbers.append(name)
            lines.append(f"    {name} : float in 0..{draw.randrange(10, 10_000)} as \"source column {i}\"")
        elif kind in (2, 3):
            numbers.append(name)
            lines.append(f"    {name} : int in 0..{draw.randrange(2, 1_000)}")
        elif kind == 4:
            maybe.append(name)
            lines.append(f"    {name} : float?")
        else:
            words.append(name)
            lines.append(f"    {name} : category{'?' if i % 4 == 3 else ''}")
    lines += ["    left : bool @label", "    expect rows >= 1_000", "}"]
    for view in range(2):
        lines.append(f"feature view_{view} of events {{")
        for i in range(580):
            a, b, c = draw.choice(numbers), draw.choice(numbers), draw.choice(maybe)
            word = draw.choice(words)
            code = (
                f"{a} * 2 + {b} / ({draw.choice(numbers)} + 1) > 3",
                f"log1p({a}) - 0.5 * log1p({b})",
                f"if {a} > {b} and {c} is known then {a} else {b} + 1",
                f"standardize({a})",
                f"({c} ?? 0.0) + max({a}, {b}) ^ 2",
                f"target_encode({word}, smoothing: 20)",
                f"{word} in (\"a\", \"b\", \"c\") and not {a} <= 7",
                f"clamp({a} - {b}, -100, 100)",
            )[i % 8]
            lines.append(f"    feature_{view}_{i} = {code}")
        lines.append("}")
    lines.append("split holdout of events random 70/15/15 stratified left seed seed")
    for i in range(20):
        model = "logistic { l2: 1.0 }" if i % 2 else f"gbdt {{ trees: {100 + i}, depth: 5 }}"
        lines += [f"train model_{i} of view_{i % 2} {{", "    predict left", "    split holdout", f"    model {model}", "    seed seed", "}"]
        lines += [f"evaluate model_{i} {{", "    metrics auc, log_loss", "    require auc >= 0.6 with 95%", "}"]
    return lines[:2] + [f"param spare_{i} : int in 0..100 = {i % 100}" for i in range(2000 - len(lines))] + lines[2:]


def check(mlpc, file):
    """(wall seconds, CPU seconds, peak MB) of one check."""
    began = time.perf_counter()
    with subprocess.Popen([mlpc, "check", file, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"check {file} ended with {process.returncode}\n{said.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(mlpc, work, files):
    """The figures as lines of Markdown."""
    work.mkdir(parents=True, exist_ok=True)
    made = work / "dense.mlp"
    lines = dense()
    assert len(lines) == 2000
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = [*files, made]
    figures = {file: [] for file in files}
    for _ in range(TURNS):
        for file in files:
            figures[file].append(check(mlpc, file))
    out = ["| file | lines | best ms | median ms | median CPU ms | peak memory |", "|---|---:|---:|---:|---:|---:|"]
    for file in files:
        wall, cpu, memory = zip(*figures[file])
        count = len(file.read_text(encoding="utf-8").splitlines())
        example = " (example)" if "examples" in file.parts else ""
        out.append(f"| {file.name}{example} | {count:,} | {min(wall) * 1e3:.1f} | {statistics.median(wall) * 1e3:.1f} | {statistics.median(cpu) * 1e3:.1f} | {max(memory):.0f} MB |")
    return out


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1], pathlib.Path(sys.argv[2]), [pathlib.Path(name) for name in sys.argv[3:]])))
