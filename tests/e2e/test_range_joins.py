"""Joins on more than equal values, and values of whole tables: each against its definition in plain Python, over all pairs of rows."""

import csv
import math
import random
import statistics

import pytest

SOURCES = """workflow ranged
data trips from csv("trips*.csv") { id : int @key; zone : string?; fare : float?; hour : int; big : bool @label }
data bands from csv("bands.csv") { band : string; of_zone : string?; low : float?; high : int; note : category("x", "y") }
"""

KINDS = ("", "left", "one", "one left")


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        for row in rows:
            writer.writerow({k: "" if v is None else str(v).lower() if isinstance(v, bool) else v for k, v in row.items()})


@pytest.fixture
def world(tmp_path):
    draw = random.Random(11)
    trips = [{"id": n, "zone": draw.choice(["n", "s", "e", None]), "fare": round(draw.uniform(0, 40), 1) if draw.random() > 0.1 else None, "hour": draw.randrange(24),
              "big": draw.random() < 0.5} for n in range(1, 211)]  # fmt: skip
    bands = [{"band": f"b{n}", "of_zone": draw.choice(["n", "s", None]), "low": draw.choice([None, *range(0, 40, 4)]), "high": draw.randrange(0, 44), "note": draw.choice("xy")} for n in range(23)]
    write(tmp_path / "trips.csv", trips)
    write(tmp_path / "bands.csv", bands)

    def make(program):
        (tmp_path / "ranged.mlp").write_text(SOURCES + program)
        return tmp_path / "ranged.mlp"

    make.trips, make.bands, make.folder = trips, bands, tmp_path
    return make


def table(run, file, name, *more, check=0):
    shown = run("peek", file, name, "--rows", "100000", "--format", "json", *more, check=check)
    return shown if check else [dict(zip([c["name"] for c in shown.json["columns"]], row)) for row in shown.json["rows"]]


def lt(a, b):
    return a is not None and b is not None and a < b


def le(a, b):
    return a is not None and b is not None and a <= b


def eq(a, b):
    return a is not None and a == b


CONDITIONS = {
    # without an equal value: comparisons alone, from both sides, and of expressions
    "fare >= bands.low and fare < high": lambda t, b: le(b["low"], t["fare"]) and lt(t["fare"], b["high"]),
    "bands.high <= hour": lambda t, b: b["high"] <= t["hour"],
    "hour * 2 > high + 3 and low < fare and hour > low": lambda t, b: t["hour"] * 2 > b["high"] + 3 and lt(b["low"], t["fare"]) and lt(b["low"], t["hour"]),
    # with one
    "zone == of_zone and fare >= low": lambda t, b: eq(t["zone"], b["of_zone"]) and le(b["low"], t["fare"]),
    "zone == of_zone and fare >= low and hour < high": lambda t, b: eq(t["zone"], b["of_zone"]) and le(b["low"], t["fare"]) and t["hour"] < b["high"],
    # more than comparisons
    "zone == of_zone and (fare >= low or note == \"x\")": lambda t, b: eq(t["zone"], b["of_zone"]) and (le(b["low"], t["fare"]) or b["note"] == "x"),
    "fare > low and mod(hour, 5) == mod(high, 5) and (zone is missing or zone == of_zone)": lambda t, b: lt(b["low"], t["fare"]) and t["hour"] % 5 == b["high"] % 5 and (t["zone"] is None or eq(t["zone"], b["of_zone"])),
    "mod(hour + high, 7) == 3": lambda t, b: (t["hour"] + b["high"]) % 7 == 3,
    "abs(hour - high) <= 1": lambda t, b: abs(t["hour"] - b["high"]) <= 1,
}


def joined(world, holds, left):
    for trip in world.trips:
        matches = [b["band"] for b in world.bands if holds(trip, b)]
        yield from ((trip["id"], m) for m in matches or ([None] if left else []))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_pairs_are_those_for_which_the_condition_holds(run, world, condition):
    holds = CONDITIONS[condition]
    file = world("".join(f"data j{i} = trips | join {kind} bands on {condition} | select id, band\n" for i, kind in enumerate(("", "left"))))
    for i, left in enumerate((False, True)):
        expected = list(joined(world, holds, left))
        assert 50 < len(expected)
        assert [(r["id"], r["band"]) for r in table(run, file, f"j{i}")] == expected


@pytest.mark.parametrize("condition", CONDITIONS)
def test_one_allows_one_match(run, world, condition):
    holds = CONDITIONS[condition]
    file = world(f"data j = trips | join one left bands on {condition}")
    failed = table(run, file, "j", check=4)
    assert "E0801" in failed.err and "`bands` has more than one row for " in failed.err
    # With the first match of each trip alone there is one; what has none is missing, or gone.
    kept, seen = [], set()
    for band in world.bands:
        of = {t["id"] for t in world.trips if holds(t, band)}
        if not of & seen:
            kept.append(band)
            seen |= of
    assert 0 < len(seen) < len(world.trips) or condition == "mod(hour + high, 7) == 3"
    write(world.folder / "bands.csv", kept)
    world.bands[:] = kept
    file = world(f"data whole = trips | join one left bands on {condition} | derive n = high ?? 0\ndata inner = trips | join one bands on {condition} | derive n = high")
    of = {id_: band for id_, band in joined(world, holds, True)}
    high = {b["band"]: b["high"] for b in kept}
    assert [(r["id"], r["band"], r["n"]) for r in table(run, file, "whole")] == [(t["id"], of[t["id"]], high.get(of[t["id"]], 0)) for t in world.trips]
    assert [(r["id"], r["band"], r["n"]) for r in table(run, file, "inner")] == [(id_, band, high[band]) for id_, band in of.items() if band]


def test_same_bits_for_any_threads_fragments_and_files(run, world):
    file = world("".join(f"data j{i} = trips | join {'left' if i % 2 else ''} bands on {condition}\n" for i, condition in enumerate(CONDITIONS)))

    def everything(*more):
        return [table(run, file, f"j{i}", *more) for i in range(len(CONDITIONS))]

    expected = everything("-j", "1", "--store", world.folder / "one")
    for threads, fragment in ((2, 64), (8, 37)):
        assert everything("-j", str(threads), "--fragment-rows", str(fragment), "--store", world.folder / f"t{threads}") == expected
    (world.folder / "trips.csv").unlink()
    for part in range(7):
        write(world.folder / f"trips{part}.csv", world.trips[part * 30:(part + 1) * 30])
    assert everything("-j", "2", "--store", world.folder / "seven") == expected


def test_rows_that_fall_into_intervals_are_found_without_looking_at_all_pairs(run, world):
    count = 120_000  # 14 thousand million pairs, more than a join looks at
    (world.folder / "trips.csv").write_text("id,zone,fare,hour,big\n" + "".join(f"{n},n,{n * 7 % count}.5,1,true\n" for n in range(count)))
    (world.folder / "bands.csv").write_text("band,of_zone,low,high,note\n" + "".join(f"b{n},n,{n},{n + 1},x\n" for n in range(count)))
    file = world("data j = trips | join one left bands on fare >= low and fare < high | derive good = band == \"b\" + string(int(floor(fare ?? 0)))\n"
                 "data all = trips | join bands on fare > low\ndata pairs = trips | join bands on mod(hour + high, 2) == 0")  # fmt: skip
    found = run("query", file, "select count(*), count_if(good) from j", "--format", "json").json
    assert found["rows"] == [[count, count]]
    for name in ("all", "pairs"):
        failed = table(run, file, name, check=4)
        assert "E0801" in failed.err and "too many rows of `bands` match rows of `trips`" in failed.err and "50 million" in failed.err


def test_a_model_on_such_a_join_asks_for_what_the_join_found(run, world):
    world.bands[:] = [{"band": f"b{n}", "of_zone": "n", "low": n * 10, "high": n * 10 + 10, "note": "xy"[n % 2]} for n in range(4)]
    write(world.folder / "bands.csv", world.bands)
    file = world("""data j = trips | join one left bands on fare >= low and fare < high
feature seen of j { hour, low, note }
train m of seen { predict big; split random 60/20/20 by id; model gbdt { trees: 3 }; seed 1 }
evaluate m { metrics log_loss }
""")
    run("run", file)
    requests = [{"hour": 3, "low": 10, "note": "y"}, {"hour": 20, "low": None, "note": None}]
    write(world.folder / "in.csv", requests)
    run("score", "m", "in.csv", "out.csv", "--store", world.folder / ".mlp", cwd=world.folder)
    assert len(list(csv.DictReader(open(world.folder / "out.csv")))) == 2


WHOLE = """
feature seen of trips {
    mean_low  = mean(bands.low) ?? 0.0
    highest   = max(bands.high) ?? 0
    rows      = count(bands)
    cheap     = count(bands where low < 12)
    kinds     = distinct(bands.of_zone)
    spread    = quantile(bands.low, 0.3) ?? 0.0
    any_dear  = any(bands where low > 35)
    own       = mean(trips.fare where hour > 12) ?? 0.0
    above     = (fare ?? 0.0) - (mean(trips.fare) ?? 0.0)
    none      = sum(bands.high where high > 1_000)
}
train m of seen { predict big; split random 60/20/20 by id; model gbdt { trees: 5, depth: 3 }; seed 1 }
evaluate m { metrics log_loss; require log_loss <= 100.0 }
"""


def test_values_of_a_whole_table(run, world):
    file = world(WHOLE)
    lows = sorted(b["low"] for b in world.bands if b["low"] is not None)
    fares = [t["fare"] for t in world.trips if t["fare"] is not None]
    position = 0.3 * (len(lows) - 1)
    at = int(position)
    expected = {
        "mean_low": statistics.fmean(lows), "highest": max(b["high"] for b in world.bands), "rows": len(world.bands), "cheap": sum(low < 12 for low in lows),
        "kinds": len({b["of_zone"] for b in world.bands} - {None}), "spread": lows[at] + (position - at) * (lows[at + 1] - lows[at]), "any_dear": any(low > 35 for low in lows),
        "own": statistics.fmean(t["fare"] for t in world.trips if t["fare"] is not None and t["hour"] > 12), "none": 0,
    }  # fmt: skip
    rows = table(run, file, "seen")
    assert len(rows) == len(world.trips)
    for row, trip in zip(rows, world.trips):
        for name, value in expected.items():
            assert row[name] == value if isinstance(value, (bool, int)) else math.isclose(row[name], value, rel_tol=1e-12), name
        assert math.isclose(row["above"], (trip["fare"] or 0.0) - statistics.fmean(fares), rel_tol=1e-12, abs_tol=1e-12)
    for threads, fragment in ((1, 65536), (2, 64), (8, 37)):
        assert table(run, file, "seen", "-j", str(threads), "--fragment-rows", str(fragment), "--store", world.folder / f"t{threads}") == rows
    (world.folder / "trips.csv").unlink()
    for part in range(7):
        write(world.folder / f"trips{part}.csv", world.trips[part * 30:(part + 1) * 30])
    assert table(run, file, "seen", "--store", world.folder / "seven") == rows


def test_the_scorer_has_the_values_of_whole_tables(run, world):
    file = world(WHOLE)
    run("run", file)
    run("score", "m", "trips.csv", "all.csv", "--store", world.folder / ".mlp", cwd=world.folder)
    together = [r["prediction"] for r in csv.DictReader(open(world.folder / "all.csv"))]
    assert len(set(together)) > 3
    # One row alone is told what all rows together are: its history is that of the run.
    write(world.folder / "one.csv", world.trips[5:6])
    run("score", "m", "one.csv", "out.csv", "--store", world.folder / ".mlp", cwd=world.folder)
    assert [r["prediction"] for r in csv.DictReader(open(world.folder / "out.csv"))] == together[5:6]


def test_tables_without_rows(run, world):
    file = world("data none = trips | where fare > 1_000 because \"tests\" | select id, fare, hour\ndata no_bands = bands | where high > 1_000 because \"tests\" | select band, low, high\n" + "".join(
        f"data a{i} = none | join left no_bands on {c} | select id, band\ndata b{i} = trips | join one left no_bands on {c} | select id, band\ndata c{i} = none | join bands on {c} | select id, band\n"
        for i, c in enumerate(("fare >= low and fare < high", "mod(hour + high, 7) == 3", "hour == high and (fare > low or low is missing)"))))  # fmt: skip
    for i in range(3):
        assert table(run, file, f"a{i}") == [] and table(run, file, f"c{i}") == []
        assert [(r["id"], r["band"]) for r in table(run, file, f"b{i}")] == [(t["id"], None) for t in world.trips]
    (world.folder / "empty.mlp").write_text(file.read_text() + "feature seen of trips { n = count(no_bands); low = mean(no_bands.low) ?? -1.0; hour }\n")
    assert {(r["n"], r["low"]) for r in table(run, world.folder / "empty.mlp", "seen")} == {(0, -1.0)}
