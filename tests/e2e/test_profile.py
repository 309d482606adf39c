"""`mlpc peek --profile`: what the columns of a table or view are like, against plain Python."""

import csv
import fractions
import io
import math
import random
import statistics
from collections import Counter

import pytest

WORKFLOW = """workflow shop

data orders from csv("orders.csv", null: "-") {
    id      : int
    items   : int?
    price   : float?
    plan    : category?
    note    : string?
    paid    : bool
    day     : date
    at      : timestamp
}

feature facts of orders {
    cheap = if price is known then price < 10 else missing
    items
}
"""
QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
ROWS = 6000


def order(chance, i):
    maybe = lambda value: "-" if chance.random() < 0.1 else value  # noqa: E731
    return {
        "id": i * 7 - 9000,
        "items": maybe(chance.randrange(40)),
        "price": maybe(0.25 if chance.random() < 0.2 else round(chance.lognormvariate(3, 1), 9)),
        "plan": maybe(chance.choices(["basic", "plus", "pro"], [6, 3, 1])[0]),
        "note": maybe("often" if chance.random() < 0.1 else f"note {chance.randrange(4000)}"),
        "paid": chance.choice(["true", "false"]),
        "day": f"2024-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        "at": f"2024-01-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}Z",
    }


def write(path, orders):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(orders[0]))
        writer.writeheader()
        writer.writerows(orders)


@pytest.fixture
def shop(tmp_path):
    chance = random.Random(3)
    orders = [order(chance, i) for i in range(ROWS)]
    write(tmp_path / "orders.csv", orders)
    (tmp_path / "shop.mlp").write_text(WORKFLOW)
    return tmp_path / "shop.mlp", orders


def profile(run, *args):
    outcome = run("peek", *args, "--profile", "--format", "json")
    return {column["name"]: column for column in outcome.json["profile"]}


def known(orders, name, kind=lambda text: text):
    return sorted(kind(row[name]) for row in orders if row[name] != "-")


def quantile(ordered, q):
    at = (len(ordered) - 1) * q
    low = math.floor(at)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)


def check_numbers(shown, values):
    assert shown["missing"] == ROWS - len(values) and shown["rows"] == ROWS
    assert (shown["min"], shown["max"]) == (values[0], values[-1])
    assert math.isclose(shown["mean"], statistics.fmean(values), rel_tol=1e-14)
    assert math.isclose(shown["deviation"], statistics.stdev(values), rel_tol=1e-12)
    assert [each["at"] for each in shown["quantiles"]] == QUANTILES
    for each in shown["quantiles"]:
        assert abs(each["value"] - quantile(values, each["at"])) <= each["within"] + 1e-9 * abs(each["value"])


def test_columns_of_few_values_are_exact(run, shop):
    file, orders = shop
    shown = profile(run, file, "orders")
    assert list(shown) == list(orders[0])
    items = known(orders, "items", int)
    check_numbers(shown["items"], items)
    assert all(each["within"] == 0 for each in shown["items"]["quantiles"])
    for name, kind in {"items": int, "plan": str, "paid": lambda text: text == "true", "day": str}.items():
        counts = Counter(known(orders, name, kind))
        assert shown[name]["distinct"] == len(counts) and shown[name]["distinct_error"] == shown[name]["top_short_by"] == 0
        top = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:10]
        assert shown[name]["top"] == [{"value": value, "count": count} for value, count in top]
        assert (shown[name]["min"], shown[name]["max"]) == (min(counts), max(counts))
        assert shown[name]["missing"] == sum(row[name] == "-" for row in orders)
    days = known(orders, "day")
    for each in shown["day"]["quantiles"]:
        assert each["value"] == days[math.floor((ROWS - 1) * each["at"])] and each["within"] == 0
    assert "mean" not in shown["day"] and "quantiles" not in shown["plan"]


def test_columns_of_many_values_are_within_their_bounds(run, shop):
    file, orders = shop
    shown = profile(run, file, "orders")
    check_numbers(shown["id"], known(orders, "id", int))
    check_numbers(shown["price"], known(orders, "price", float))
    for name, kind, often in (("id", int, None), ("price", float, 0.25), ("note", str, "often"), ("at", str, None)):
        counts = Counter(known(orders, name, kind))
        assert len(counts) > 2048
        column = shown[name]
        assert 0 < column["distinct_error"] < 0.02
        assert abs(column["distinct"] / len(counts) - 1) < 3 * column["distinct_error"]
        assert (column["min"], column["max"]) == (min(counts), max(counts))
        assert 0 <= column["top_short_by"] <= ROWS / 512
        for each in column["top"]:
            assert each["count"] <= counts[each["value"]] <= each["count"] + column["top_short_by"]
        if often is not None:
            assert column["top"][0]["value"] == often
    # narrow: a quarter of a percent of where most of the values are
    assert max(each["within"] for each in shown["id"]["quantiles"]) < 7 * ROWS / 400


def test_the_same_for_every_number_of_threads_and_fragments(run, shop, tmp_path):
    file, _ = shop
    texts, profiles = set(), []
    for i, (threads, fragment) in enumerate([(1, 65536), (2, 65536), (8, 65536), (1, 500), (2, 500), (8, 500), (2, 3001)]):
        args = [file, "orders", "-j", threads, "--fragment-rows", fragment, "--store", tmp_path / f"store{i}"]
        profiles.append(profile(run, *args))
        texts.add((fragment, run("peek", *args, "--profile").out))
    assert len(texts) == 3
    for each in profiles:
        for name, column in each.items():
            if column["distinct_error"] > 0:  # counts of frequent values alone depend on the fragments
                column = {key: value for key, value in column.items() if not key.startswith("top")}
            assert column == {key: profiles[0][name][key] for key in column}


def test_a_profile_is_kept_and_new_rows_alone_are_profiled(run, shop, tmp_path):
    file, orders = shop
    count = lambda: run("cache", "stats", "--store", tmp_path / ".mlp", "--format", "json").json["entries"]  # noqa: E731
    run("peek", file, "orders", "--fragment-rows", "1000", "--rows", "0")
    before = count()
    first = profile(run, file, "orders", "--fragment-rows", "1000")
    profiled = count() - before
    assert profiled == 8 * 6  # columns, fragments
    assert profile(run, file, "orders", "--fragment-rows", "1000") == first and count() == before + profiled
    chance = random.Random(4)
    more = [order(chance, i) for i in range(ROWS, ROWS + 1000)]
    with open(tmp_path / "orders.csv", "a", newline="") as out:
        csv.DictWriter(out, list(more[0])).writerows(more)
    run("peek", file, "orders", "--fragment-rows", "1000", "--rows", "0")
    before = count()
    second = profile(run, file, "orders", "--fragment-rows", "1000")
    assert count() - before == 8
    assert second["items"]["rows"] == ROWS + 1000
    assert second["items"]["missing"] == sum(row["items"] == "-" for row in orders + more)


def test_where_takes_the_rows_for_which_it_holds(run, shop):
    file, orders = shop
    outcome = run("peek", file, "orders", "--where", 'plan == "pro" and items < 5', "--profile", "--format", "json", "--fragment-rows", "700")
    good = [row for row in orders if row["plan"] == "pro" and row["items"] != "-" and int(row["items"]) < 5]
    assert outcome.json["total_rows"] == ROWS and outcome.json["matching_rows"] == len(good)
    shown = {column["name"]: column for column in outcome.json["profile"]}
    assert shown["plan"]["top"] == [{"value": "pro", "count": len(good)}]
    assert shown["items"]["mean"] == pytest.approx(statistics.fmean(int(row["items"]) for row in good), rel=1e-14)
    nothing = run("peek", file, "orders", "--where", "items > 100", "--profile", "--format", "json").json
    assert nothing["matching_rows"] == 0
    assert nothing["profile"][1]["min"] is None and nothing["profile"][1]["mean"] is None and nothing["profile"][1]["top"] == []


def test_a_view_has_its_columns_and_those_of_its_table(run, shop):
    file, orders = shop
    outcome = run("peek", file, "facts", "--profile", "--format", "json")
    of = [(column["of"], column["name"]) for column in outcome.json["profile"]]
    assert ("orders", "price") in of and ("facts", "cheap") in of and outcome.json["kind"] == "view"
    cheap = next(column for column in outcome.json["profile"] if column["name"] == "cheap")
    assert cheap["type"] == "bool?" and "price" in cheap["code"]
    prices = known(orders, "price", float)
    assert {each["value"]: each["count"] for each in cheap["top"]} == Counter(price < 10 for price in prices)


def test_text_fits_into_the_terminal(run, shop):
    file, _ = shop
    for width in (40, 80, 120, 400):
        out = run("peek", file, "orders", "--profile", env={"COLUMNS": str(width)}).out
        head, *lines = out.split("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines[:8]] == ["id", "items", "price", "plan", "note", "paid", "day", "at"]
        assert all(len(line) <= width for line in [head, *lines[:8]])
        assert ("what does not fit" in out) == (width < 200)
        assert "6,000 of 6,000 rows" in out
    assert "basic 5" in out and "99%" in head and "~" in out


def test_csv_has_a_line_a_column(run, shop):
    file, orders = shop
    rows = {row["column"]: row for row in csv.DictReader(io.StringIO(run("peek", file, "orders", "--profile", "--format", "csv").out))}
    assert list(rows) == list(orders[0])
    counts = Counter(known(orders, "plan"))
    assert (rows["plan"]["most_frequent"], rows["plan"]["its_count"]) == ("basic", str(counts["basic"]))
    items = known(orders, "items", int)
    assert float(rows["items"]["p95"]) == quantile(items, 0.95) and rows["items"]["max"] == str(items[-1]) and rows["plan"]["mean"] == ""


def test_rows_and_profile_exclude_each_other(run, shop):
    assert "--rows" in run("peek", shop[0], "orders", "--profile", "--rows", "3", check=2).err


@pytest.mark.parametrize("values", [[1e308, -1e308], [1e308, -0.0, 5e-324, 0.1], [1e200, 1e200, 1e200], [3e160, 1e160, -2e155, 7.0], [8e307, 9e307] * 1000])
def test_the_deviation_of_numbers_whose_squares_are_no_doubles(run, tmp_path, values):
    (tmp_path / "t.csv").write_text("k,x\n" + "".join(f"a,{x!r}\n" for x in values))
    (tmp_path / "t.mlp").write_text('workflow t\ndata t from csv("t.csv") { k : string; x : float }\ndata g = t | group by k { deviation = std(x) }\n')
    exact = statistics.mean(map(fractions.Fraction, values))
    shown = run("peek", "t.mlp", "t", "--profile", "--format", "json").json["profile"][1]
    assert math.isclose(shown["mean"], exact, rel_tol=1e-14)
    deviation = statistics.stdev(values)
    assert math.isclose(shown["deviation"], deviation, rel_tol=1e-12)
    assert math.isclose(run("peek", "t.mlp", "g", "--format", "json").json["rows"][0][1], deviation, rel_tol=1e-12)
