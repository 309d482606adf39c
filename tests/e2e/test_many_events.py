"""Histories and labels ahead of many events: against their definition for some rows, in bounded memory. MLP_SOAK=1: 10 million events of 100,000
users; else 200,000 events."""

import bisect
import datetime
import json
import math
import os
import random
import resource
import statistics
import subprocess

import pytest

SOAK = "MLP_SOAK" in os.environ
EVENTS = 10_000_000 if SOAK else 200_000
USERS = EVENTS // 100
MOST_MEMORY = 4 << 30
DAY = 86_400
START = 1_700_000_000
PROGRAM = """workflow many
data events from csv("events.csv") { id : int @key; at : timestamp @time; user : int; amount : float }
feature past of events at at {
    n = count(events by user) over 30d
    total = sum(events.amount by user) over 7d
    average = mean(events.amount by user) over 30d
    most = max(events.amount by user) over 30d
    spread = std(events.amount by user) over 30d
    last = latest(events.amount by user) over 365d
    kinds = distinct(events.amount by user) over 30d
}
train m of past { predict ahead = sum(events.amount by user) over next 14d; split time 70/15/15; model gbdt { trees 5 }; refit none; seed 1 }
"""


@pytest.mark.skipif("MLP_SANITIZED" in os.environ, reason="sizes are those of a release build")
def test_histories_of_many_events(mlpc_bin, tmp_path):
    rng = random.Random(5)
    seconds = sorted(rng.randrange(365 * DAY) for _ in range(EVENTS))
    history = {}  # user -> times, amounts
    chosen = set(rng.sample(range(EVENTS), 40))
    asked = {}
    with open(tmp_path / "events.csv", "w") as file:
        file.write("id,at,user,amount\n")
        for i, second in enumerate(seconds):
            user, amount = rng.randrange(USERS), rng.randrange(10_000) / 100
            times, amounts = history.setdefault(user, ([], []))
            times.append(second), amounts.append(amount)
            if i in chosen:
                asked[i] = (second, user)
            at = datetime.datetime.fromtimestamp(START + second, datetime.timezone.utc)
            file.write(f"{i},{at:%Y-%m-%dT%H:%M:%S},{user},{amount}\n")
    (tmp_path / "many.mlp").write_text(PROGRAM)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run([str(mlpc_bin), "run", "many.mlp", "--quiet"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if used > before:
        print(f"{EVENTS} events of {USERS} users: {used >> 10} MB")
        assert used << 10 < MOST_MEMORY
    rows = json.loads(subprocess.run([str(mlpc_bin), "peek", "many.mlp", "past", "--format", "json", "--rows", "40", "--where", "id in (" + ", ".join(map(str, asked)) + ")"],
                                     cwd=tmp_path, capture_output=True, text=True, check=True).stdout)  # fmt: skip
    names = [column["name"] for column in rows["columns"]]
    assert len(rows["rows"]) == len(asked)
    for number, row in zip(rows["row_numbers"], rows["rows"], strict=True):
        seen = dict(zip(names, row, strict=True))
        second, user = asked[number - 1]
        times, amounts = history[user]
        now = bisect.bisect_left(times, second)  # strictly before

        def window(days, times=times, amounts=amounts, second=second, now=now):
            return amounts[bisect.bisect_left(times, second - days * DAY) : now]

        month, week, year = window(30), window(7), window(365)
        assert seen["n"] == len(month)
        assert seen["total"] == math.fsum(week)
        assert seen["average"] == (math.fsum(month) / len(month) if month else None)
        assert seen["most"] == (max(month) if month else None)
        assert seen["kinds"] == len(set(month))
        assert seen["last"] == (year[-1] if year else None)
        assert seen["spread"] == (pytest.approx(statistics.stdev(month), rel=1e-9) if len(month) > 1 else None)
