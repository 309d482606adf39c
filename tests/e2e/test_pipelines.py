"""Tables made of tables, histories, labels that lie ahead and splits by time: each against its definition in plain Python."""

import csv
import datetime
import random
import statistics

import pytest

DAY = datetime.timedelta(days=1)
START = datetime.datetime(2024, 1, 1)


def rows_of_trips(count=400, seed=3):
    rng = random.Random(seed)
    rows, clock = [], START
    for number in range(1, count + 1):
        clock += datetime.timedelta(minutes=rng.choice([0, 7, 30, 95, 400]))
        rows.append({"id": number, "at": clock, "driver": rng.choice("abcde") if rng.random() > 0.05 else None, "zone": rng.choice(["n", "s", "e", None]),
                     "fare": round(rng.uniform(1, 30), 2), "tip": round(rng.uniform(0, 6), 2) if rng.random() > 0.1 else None})
    return rows


def text(value):
    return "" if value is None else value.strftime("%Y-%m-%dT%H:%M:%S") if isinstance(value, datetime.datetime) else str(value)


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0].keys())
        for row in rows:
            writer.writerow([text(v) for v in row.values()])


SOURCES = """workflow piped
data trips from csv("trips*.csv") {{
    id : int @key
    at : timestamp @time
    driver : category?
    zone : string?
    fare : float in 0..1_000
    tip : float? @available(after 2h)
}}
data zones from csv("zones.csv") {{ name : string @key; area : int @available(always); opened : timestamp @time }}
{}
"""


@pytest.fixture
def world(tmp_path):
    trips = rows_of_trips()
    write(tmp_path / "trips.csv", trips)
    write(tmp_path / "zones.csv", [{"name": "n", "area": 5, "opened": START}, {"name": "s", "area": 7, "opened": START + DAY}, {"name": "w", "area": 9, "opened": START}])

    def make(program):
        path = tmp_path / "piped.mlp"
        path.write_text(SOURCES.format(program))
        return path

    make.trips = trips
    make.folder = tmp_path
    return make


def table(run, file, name, *more):
    """The rows of a table as dictionaries."""
    shown = run("peek", file, name, "--rows", "100000", "--format", "json", *more)
    columns = [c["name"] for c in shown.json["columns"]]
    return [dict(zip(columns, row)) for row in shown.json["rows"]]


def test_where_keeps_what_is_true(run, world):
    file = world("data some = trips | where fare > 10 and zone is known")
    found = table(run, file, "some")
    assert [r["id"] for r in found] == [t["id"] for t in world.trips if t["fare"] > 10 and t["zone"] is not None]
    # a comparison with a missing value is not true
    file = world('data some = trips | where not (driver == "a")')
    assert [r["id"] for r in table(run, file, "some")] == [t["id"] for t in world.trips if t["driver"] not in ("a", None)]


def test_joins_keep_the_order_of_the_left(run, world):
    area = {"n": 5, "s": 7, "w": 9}
    file = world("data inner = trips | join one zones on zone == zones.name\ndata outer = trips | join one left zones on zone == zones.name | derive big = (area ?? 0) > 5")
    inner = table(run, file, "inner")
    assert [(r["id"], r["area"]) for r in inner] == [(t["id"], area[t["zone"]]) for t in world.trips if t["zone"] in area]
    outer = table(run, file, "outer")
    assert [(r["id"], r["area"], r["big"]) for r in outer] == [(t["id"], area.get(t["zone"]), area.get(t["zone"], 0) > 5) for t in world.trips]


def test_a_join_on_more_than_equal_values(run, world):
    write(world.folder / "prices.csv", [{"zone": z, "low": low, "high": low + 12, "label": f"{z}{low}"} for z in "nsw" for low in (0, 10, 20)])
    file = world("""data prices from csv("prices.csv") { zone : string; low : int; high : int; label : string }
data priced = trips | join prices on zone == prices.zone and fare >= prices.low and fare < high
data one = trips | where zone is known | join prices on zone == prices.zone and (fare < low or tip is missing) | select id, label""")
    bands = [(z, low, f"{z}{low}") for z in "nsw" for low in (0, 10, 20)]
    assert [(r["id"], r["label"]) for r in table(run, file, "priced")] == [(t["id"], label) for t in world.trips for z, low, label in bands if z == t["zone"] and low <= t["fare"] < low + 12]
    assert [(r["id"], r["label"]) for r in table(run, file, "one")] == [(t["id"], label) for t in world.trips for z, low, label in bands if z == t["zone"] and (t["fare"] < low or t["tip"] is None)]


def test_lineage_goes_through_the_stages(run, world):
    file = world("""data groups = trips | where tip is known | join one zones on zone == zones.name | derive share = tip / fare | group by area { total = sum(share), n = count() }
feature past of trips at at { before = mean(trips.fare by driver) over 7d }""")

    def edges(name, *more):
        found = run("lineage", name, "--file", file, "--format", "json", *more).out
        return {part for part in ("trips.tip", "trips.fare", "trips.driver", "trips.zone", "zones.area", "groups.total", "groups.n", "groups.area", "past.before", "zones.opened") if f'"{part}"' in found}

    assert edges("groups.total") == {"groups.total", "trips.tip", "trips.fare"}
    assert edges("groups.area") == {"groups.area", "zones.area"}
    assert edges("groups") >= {"trips.tip", "trips.zone", "zones.area"}  # which decide the rows
    assert edges("past.before") >= {"past.before", "trips.fare", "trips.driver"}
    assert edges("trips.fare", "--down") == {"trips.fare", "groups.total", "past.before"}


def test_a_second_match_is_an_error_of_the_data(run, world):
    write(world.folder / "zones.csv", [{"name": "n", "area": 5, "opened": START}, {"name": "n", "area": 6, "opened": START}])
    failed = run("run", world("data inner = trips | join one zones on zone == zones.name"), check=4)
    assert "E0801" in failed.err and "`zones` has more than one row for " in failed.err


def test_dedupe_group_sort_and_limit(run, world):
    file = world("""data last = trips | dedupe by driver keep latest at
data groups = trips | group by driver { n = count(), known = count(tip), total = sum(fare), mid = quantile(fare, 0.5), spread = std(fare), top = max(fare), zones_seen = distinct(zone), final = latest(zone) }
data best = groups | sort by n desc, driver | limit 2""")
    latest = {}
    for t in world.trips:
        if t["driver"] not in latest or t["at"] >= latest[t["driver"]]["at"]:
            latest[t["driver"]] = t
    assert sorted(r["id"] for r in table(run, file, "last")) == sorted(t["id"] for t in latest.values())
    groups = table(run, file, "groups")
    assert [g["driver"] for g in groups] == ["a", "b", "c", "d", "e", None]
    for g in groups:
        mine = [t for t in world.trips if t["driver"] == g["driver"]]
        fares = sorted(t["fare"] for t in mine)
        assert g["n"] == len(mine) and g["known"] == sum(t["tip"] is not None for t in mine) and g["top"] == fares[-1]
        assert g["total"] == pytest.approx(sum(fares), rel=1e-14) and g["mid"] == pytest.approx(statistics.median(fares), rel=1e-14)
        assert g["spread"] == pytest.approx(statistics.stdev(fares), rel=1e-12)
        assert g["zones_seen"] == len({t["zone"] for t in mine if t["zone"]}) and g["final"] == [t["zone"] for t in mine if t["zone"]][-1]
    ranked = sorted(groups, key=lambda g: (-g["n"], g["driver"] is None, g["driver"] or ""))
    assert [b["driver"] for b in table(run, file, "best")] == [g["driver"] for g in ranked[:2]]


def test_windows_rank_and_run(run, world):
    file = world("data ranked = trips | window by driver order by fare desc { place = rank(), number = position(), so_far = cumsum(fare), before = lag(fare, 1), all = count() }")
    found = {r["id"]: r for r in table(run, file, "ranked")}
    assert list(found) == [t["id"] for t in world.trips]
    for driver in {t["driver"] for t in world.trips}:
        mine = sorted((t for t in world.trips if t["driver"] == driver), key=lambda t: (-t["fare"], t["id"]))
        total = 0
        for i, t in enumerate(mine):
            total += t["fare"]
            r = found[t["id"]]
            assert r["place"] == 1 + sum(o["fare"] > t["fare"] for o in mine) and r["number"] == i + 1 and r["all"] == len(mine)
            assert r["so_far"] == pytest.approx(total, rel=1e-13) and r["before"] == (mine[i - 1]["fare"] if i else None)


def test_a_sum_beyond_64_bits_is_missing(run, tmp_path):
    most = 2**63 - 1
    (tmp_path / "t.csv").write_text(f"k,n\na,{most}\na,1\na,-1\nb,{most}\nb,1\nc,{-most - 1}\nc,-1\nd,{most - 1}\nd,1\n")
    (tmp_path / "t.mlp").write_text("""workflow t
data rows from csv("t.csv") { k : string; n : int }
data sums = rows | group by k { n = sum(n) }
data running = rows | window by k { whole = sum(n), so_far = cumsum(n) }
""")
    assert [r["n"] for r in table(run, "t.mlp", "sums")] == [most, None, None, most]
    running = table(run, "t.mlp", "running")
    assert [r["whole"] for r in running] == [most] * 3 + [None] * 4 + [most] * 2
    assert [r["so_far"] for r in running] == [most, None, most, most, None, -most - 1, None, most - 1, most]


def test_union_unpivot_cross_and_select(run, world):
    file = world("""data few = trips | limit 3 | select id, fare
data both = few | union trips
data long = trips | limit 2 | select id, fare, tip | unpivot fare, tip as what, amount
data steps = trips | limit 2 | cross range(2..4) as h | derive later = id * 10 + h""")
    both = table(run, file, "both")
    assert [(r["id"], r["fare"]) for r in both] == [(t["id"], t["fare"]) for t in world.trips[:3] + world.trips]
    long = table(run, file, "long")
    assert [(r["id"], r["what"], r["amount"]) for r in long] == [(t["id"], w, t[w]) for t in world.trips[:2] for w in ("fare", "tip")]
    assert [(r["id"], r["h"], r["later"]) for r in table(run, file, "steps")] == [(t["id"], h, t["id"] * 10 + h) for t in world.trips[:2] for h in (2, 3, 4)]


def test_fill_makes_a_calendar(run, world):
    file = world("""data daily = trips | where driver is known | derive day = date(at) @time | group by driver, day { n = count() }
data full = daily | fill by driver every 1d until 2d ahead with n: 0""")
    counts = {}
    for t in world.trips:
        if t["driver"]:
            key = (t["driver"], t["at"].date())
            counts[key] = counts.get(key, 0) + 1
    last = max(day for _, day in counts)
    expected = []
    for driver in "abcde":
        day = min(d for who, d in counts if who == driver)
        while day <= last + 2 * DAY:
            expected.append((driver, day.isoformat(), counts.get((driver, day), 0)))
            day += DAY
    assert [(r["driver"], r["day"], r["n"]) for r in table(run, file, "full")] == expected


def test_asof_takes_the_latest_that_is_not_later(run, world):
    write(world.folder / "zones.csv", [{"name": "n", "area": a, "opened": START + i * DAY} for i, a in enumerate([1, 2, 3])] + [{"name": "s", "area": 9, "opened": START + 90 * DAY}])
    file = world("data dated = trips | select id, at @time, zone as name | asof join zones by name at at")
    for r, t in zip(table(run, file, "dated"), world.trips):
        opened = [a for i, a in enumerate([1, 2, 3]) if START + i * DAY <= t["at"]]
        assert r["id"] == t["id"] and r["area"] == (opened[-1] if t["zone"] == "n" else None)


def test_samples_are_drawn_by_place_and_seed(run, world):
    file = world("data s = trips | sample 30% seed 3\ndata again = trips | sample 30% seed 3\ndata other = trips | sample 30% seed 4")
    one, same, other = ([r["id"] for r in table(run, file, name)] for name in ("s", "again", "other"))
    assert one == same != other and 80 < len(one) < 160


HISTORY = """
feature seen of trips at at {
    fare
    n_1d   = count(trips by driver) over 1d
    fares  = sum(trips.fare by driver where fare > 5) over 2d
    tips   = mean(trips.tip by driver) over 3d
    tip_0  = latest(trips.tip by driver) over 30d ending 1d ago
    week   = lag(trips.fare, 1d by driver)
    areas  = max(zones.area) over 900d
}
"""


def test_histories_hold_what_was_known_before(run, world):
    file = world(HISTORY)
    for r, t in zip(table(run, file, "seen"), world.trips):
        mine = [o for o in world.trips if o["driver"] == t["driver"]] if t["driver"] else []
        now = t["at"]
        assert r["n_1d"] == sum(now - DAY <= o["at"] < now for o in mine)
        assert r["fares"] == pytest.approx(sum(o["fare"] for o in mine if now - 2 * DAY <= o["at"] < now and o["fare"] > 5), rel=1e-13)
        late = datetime.timedelta(hours=2)  # tips are known two hours later
        tips = [o["tip"] for o in mine if now - 3 * DAY <= o["at"] + late < now and o["tip"] is not None]
        assert r["tips"] == (pytest.approx(sum(tips) / len(tips), rel=1e-13) if tips else None)
        old = sorted((o for o in mine if now - 31 * DAY <= o["at"] + late < now - DAY and o["tip"] is not None), key=lambda o: o["at"])
        assert r["tip_0"] == (old[-1]["tip"] if old else None)
        back = [o for o in mine if o["at"] <= now - DAY]
        assert r["week"] == (back[-1]["fare"] if back else None)
        assert r["areas"] == max([a for a, opened in ((5, START), (7, START + DAY), (9, START)) if opened < now], default=None)


MODEL = HISTORY + """
train late of seen {
    predict busy = count(trips by driver) over next 2d
    split   time 60/20/20
    model   linear { }
    refit   none
}
evaluate late { metrics mae }
"""


def test_tables_that_are_declared_alike_are_two(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,g,at\n1,a,2024-01-09\n2,b,2024-01-09\n")
    for name, (a, b) in {"clicks": (1, 2), "buys": (10, 20), "none": (0, 0)}.items():
        (tmp_path / f"{name}.csv").write_text("g,at,r\n" + (f"a,2024-01-08,{a}\nb,2024-01-08,{b}\n" if a else ""))
        (tmp_path / f"{name}_rates.csv").write_text("k,v\n" + (f"x,{a}\n" if a else ""))
    like = "{ g : category; at : timestamp @time; r : float }"
    tables = "".join(f'data {n} from csv("{n}.csv") {like}\ndata {n}_rates from csv("{n}_rates.csv") {{ k : string; v : float }}\n' for n in ("clicks", "buys", "none"))
    features = "".join(f"    {n}_of = sum({n}.r by g) over 9d\n    {n}_all = sum({n}.r) over 9d\n    {n}_latest = latest({n}.r by g) over 9d\n    {n}_rate = sum({n}_rates.v)\n" for n in ("clicks", "buys", "none"))
    (tmp_path / "t.mlp").write_text(f'workflow t\ndata t from csv("t.csv") {{ id : int @key; g : category; at : timestamp @time }}\n{tables}feature v of t {{\n{features}}}\n')
    assert [list(r.values()) for r in table(run, "t.mlp", "v")] == [[1, 3, 1, 1, 10, 30, 10, 10, 0, 0, None, 0], [2, 3, 2, 1, 20, 30, 20, 10, 0, 0, None, 0]]


def test_labels_wait_until_they_are_known(run, world):
    done = run("run", world(MODEL.replace("model   linear { }", "model   gbdt { trees: 5 }")), "--format", "json")
    newest = max(t["at"] for t in world.trips)
    young = sum(t["at"] + 2 * DAY > newest for t in world.trips)
    rows = done.json["rows"][0]
    assert rows["without_label"] == young and rows["rows"] == len(world.trips)
    assert rows["left_out"] > 0 and rows["used"] + rows["without_label"] + rows["left_out"] == rows["rows"]
    text_of = run("run", world(MODEL.replace("model   linear { }", "model   gbdt { trees: 6 }")))
    assert f"the label of {young} is missing or not known yet" in text_of.out
    # earlier, fewer labels are known
    as_of = (newest - 3 * DAY).strftime("%Y-%m-%dT%H:%M:%S")
    earlier = run("run", world(MODEL.replace("model   linear { }", "model   gbdt { trees: 5 }")), "--as-of", as_of, "--format", "json")
    assert earlier.json["rows"][0]["without_label"] == sum(t["at"] + 2 * DAY > newest - 3 * DAY for t in world.trips)


SCORED = """
data paid = trips | where zone is known because "trips without a zone are tests" | join one zones on zone == zones.name | derive double = fare * 2
feature view of paid at at {
    double, area
    n_1d = count(paid by driver) over 1d
    tips = mean(paid.fare by driver) over 3d ?? 0.0
}
train model_of of view {
    predict fare_class
    split   time 60/20/20
    model   gbdt { trees: 20, depth: 3 }
    refit   none
}
evaluate model_of { metrics mae, rmse }
"""


def test_score_gives_what_the_run_measured(run, world):
    program = SCORED.replace("fare_class", "tip")
    file = world(program)
    done = run("run", file, "--format", "json")
    out = world.folder / "scored.csv"
    scored = run("score", "model_of", world.folder / "trips.csv", out, "--store", world.folder / ".mlp", "--format", "json")
    predictions = {int(r["id"]): float(r["prediction"]) for r in csv.DictReader(open(out))}
    inside = [t for t in world.trips if t["zone"] in ("n", "s", "w")]
    assert set(predictions) == {t["id"] for t in inside}
    assert scored.json["out_of_population"] == len(world.trips) - len(inside)
    # The validation rows by the rule of the split: the mean error of what `score` wrote is the figure of the run, bit for bit as far as sums go.
    parts = {r["id"] for r in table(run, file, "paid") if r["tip"] is not None}
    times = sorted(t["at"] for t in inside if t["id"] in parts)
    best = None
    for cut in sorted(set(times)):
        for end in sorted(set(times)):
            rows = [t for t in inside if t["tip"] is not None and cut <= t["at"] < end and t["at"] + datetime.timedelta(hours=2) <= end]
            if len(rows) != done.json["metrics"]["model_of"]["mae"]["rows"]:
                continue
            error = sum(abs(predictions[t["id"]] - t["tip"]) for t in rows) / len(rows)
            if abs(error - done.json["metrics"]["model_of"]["mae"]["value"]) < 1e-12:
                best = (cut, end)
    assert best is not None


ALL = """
data a = trips | where fare > 3 | join one left zones on zone == zones.name | dedupe by id keep latest at
data b = a | group by driver { n = count(), total = sum(fare), mean_tip = mean(tip), dev = std(fare), q = quantile(fare, 0.9) } | sort by total desc
data c = a | window by driver order by at { r = rank(), s = cumsum(fare) } | sample 80% seed 1
data d = a | select id, fare | union c | limit 300
data e = trips | select driver, at @time, fare | where driver is known | fill by driver every 1d with fare: 0 | cross range(1..2) as h
feature view of trips at at { m = mean(trips.fare by driver) over 2d; s = std(trips.fare by driver) over 9d; q = quantile(trips.fare by driver, 0.25) over 9d; d = distinct(trips.zone) over 5d }
"""


def test_same_bits_for_any_threads_fragments_and_files(run, world):
    file = world(ALL.replace("quantile(trips.fare by driver, 0.25)", "quantile(trips.fare, 0.25 by driver)"))

    def everything(*more):
        return {name: table(run, file, name, *more) for name in ("a", "b", "c", "d", "e", "view")}

    expected = everything("-j", "1", "--store", world.folder / "one")
    for threads, fragment in ((2, 64), (8, 37)):
        assert everything("-j", str(threads), "--fragment-rows", str(fragment), "--store", world.folder / f"t{threads}") == expected
    (world.folder / "trips.csv").unlink()
    for part in range(7):
        write(world.folder / f"trips{part}.csv", world.trips[part * 60:(part + 1) * 60])
    assert everything("-j", "2", "--store", world.folder / "seven") == expected


def test_an_edit_of_one_feature_computes_one_column(run, world):
    file = world(HISTORY)
    run("run", file)
    changed = run("run", world(HISTORY.replace("over 3d", "over 4d")), "--format", "json")
    assert [s["kind"] for s in changed.json["ran"]] == ["history"], changed.json["ran"]
    again = run("run", file, "--format", "json")
    assert again.json["steps"]["ran"] == 0


def test_rolling_windows_learn_from_what_was_known(run, world):
    program = HISTORY + """
train next_tip of seen {
    predict tip
    split   rolling 3 every 2d horizon 2d
    model   gbdt { trees: 5 }
    refit   all
}
evaluate next_tip { metrics mae }
"""
    done = run("run", world(program.replace("    tips ", "    t ").replace("tip_0", "t_0")), "--format", "json")
    labelled = [t for t in world.trips if t["tip"] is not None and t["at"] + datetime.timedelta(hours=2) <= max(o["at"] for o in world.trips)]
    newest = max(t["at"] for t in labelled)
    measured = [t for t in labelled if t["at"] > newest - 6 * DAY]
    assert done.json["metrics"]["next_tip"]["mae"]["rows"] == len(measured)
    too_long = run("run", world(program.replace("rolling 3", "rolling 30")), check=4)
    assert "E0806" in too_long.err


def test_groups_stay_together(run, world):
    program = """
data known = trips | where driver is known and tip is known because "labels"
feature view of known { fare }
train t of view { predict tip; split group by driver 60/20/20; model linear { }; seed 3 }
evaluate t { metrics mae; slice by driver }
"""
    done = run("run", world(program), "--format", "json")
    drivers = {s["by"]["driver"]: s["figure"]["rows"] for s in done.json["slices"]}
    assert drivers
    for driver, rows in drivers.items():
        assert rows == sum(t["driver"] == driver and t["tip"] is not None for t in world.trips)


def test_times_of_a_place(run, tmp_path):
    (tmp_path / "t.csv").write_text("at\n2019-03-10 01:30:00\n2019-03-10 03:30:00\n2019-11-03 01:30:00\n2019-07-01 12:00:00+02:00\n")
    file = tmp_path / "z.mlp"
    file.write_text('workflow z\ndata t from csv("t.csv", zone: "America/New_York") { at : timestamp @time }\n')
    assert [r["at"] for r in table(run, file, "t")] == ["2019-03-10T06:30:00Z", "2019-03-10T07:30:00Z", "2019-11-03T05:30:00Z", "2019-07-01T10:00:00Z"]
    (tmp_path / "t.csv").write_text("at\n2019-03-10 02:30:00\n")
    failed = run("run", file, check=4)
    assert "a time that clocks in America/New_York leave out" in failed.err
