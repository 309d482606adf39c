"""The shared programs with what runs of them: their tables, features, labels and splits, and a gbdt on them."""

import pytest


def without(path, *lines, **replaced):
    """The program without some of its lines, and with others."""
    text = path.read_text()
    for line in lines:
        assert line in text, line
        text = "\n".join(other for other in text.split("\n") if line not in other)
    for old, new in replaced.get("replaced", {}).items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_tips(run, shared):
    done = run("run", shared / "workflows" / "tips.mlp", "--final", "--format", "json")
    mae, constant = done.json["metrics"]["tipper"]["mae"], done.json["metrics"]["tipper"]["constant.mae"]
    # A plain script: 1.10 on rows where cash counts as no tip; the constant is the same.
    assert mae["value"] <= 1.10 and constant["value"] == pytest.approx(1.49, abs=0.02) and mae["on"] == "test"
    assert [c["proven"] for c in done.json["candidates"]] == [True]


def test_bikes(run, shared):
    file = without(shared / "workflows" / "bikes.mlp", "tune    minimize", "publish online", "explain top", replaced={"tune 100..600": "300", "tune 4..8": "6"})
    done = run("run", file, "--final", "--format", "json")
    figures = done.json["metrics"]["demand"]
    assert figures["r2"]["value"] >= 0.66 and figures["mae"]["value"] <= 91
    assert run("run", file, "--format", "json").json["steps"]["failed"] == 0


def test_fraud_leaves_out_rows_that_are_too_young(run, shared):
    file = without(shared / "workflows" / "fraud.mlp", "publish online", "sample    false", "tune      maximize", "calibrate sigmoid", "decide    when", "require cost",
                   replaced={"tune 100..500": "30", "tune 3..7": "4", ", recall at precision 20%, precision at top 200, cost": "", "rows: 200_000": "rows: 120_000"})
    done = run("run", file, "--format", "json", check=None)  # so few rows may leave a gate inconclusive
    assert done.code in (0, 3)
    rows = done.json["rows"][0]
    # A transaction every 400 seconds: those of the last 90 days, and of the ones between the parts, are no training rows.
    assert rows["without_label"] == pytest.approx(90 * 86_400 / 400, abs=400 * 90) and rows["without_label"] >= 90 * 86_400 // 400
    assert done.json["metrics"]["scorer"]["auc"]["rows"] > 1000


def test_demand(run, shared):
    file = without(shared / "workflows" / "demand.mlp", "require wape < seasonal.wape", replaced={"rows: 150_000": "rows: 24_000", "trees: 200": "trees: 30", "rolling 4 every 14d": "rolling 2 every 14d"})
    text = file.read_text()
    begin, end = text.index("train seasonal"), text.index("evaluate planner")
    file.write_text(text[:begin] + text[end:])
    done = run("run", file, "--format", "json")
    assert done.json["metrics"]["planner"]["wape"]["on"] == "folds" and done.json["metrics"]["planner"]["wape"]["value"] < 1

