"""`mlpc monitor`: rows like those of training are silent, a shift is found, named and told, a short window decides nothing."""

import http.server
import json
import os
import random
import threading

import pytest

from made import CENSUS, CENSUS_HEADER, census_rows, edit, make_census, settle, write_csv
from test_serve import record_of, serve  # noqa: F401  (a fixture)

BLOCKS = """
deploy api of boosted {
    stage production
    serve port 8080
}

monitor api {
    over  last 7d at_least 200 rows
    drift psi < 0.2 on features -> alert
    drift js < 0.1 on prediction -> alert
    quality missing(job) < 15% -> alert
    alert file("alerts.jsonl")
}
"""
SOAK = os.environ.get("MLP_SOAK") == "1"


@pytest.fixture
def census(run, tmp_path):
    """The census with 6,000 rows, trained and deployed."""
    workflow = make_census(tmp_path / "census", rows=6000, text=CENSUS + BLOCKS)
    run("run", workflow)
    run("deploy", workflow)
    return workflow


def window(workflow, name, rows):
    write_csv(workflow.parent / name, CENSUS_HEADER, rows, blank=" ")
    return workflow.parent / name


def later(rows, by=15):
    return [[row[0], str(min(99, int(row[1]) + by)), *row[2:]] for row in rows]


def alerts(workflow, name="alerts.jsonl"):
    path = workflow.parent / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def monitor(run, workflow, *args, code):
    outcome = run("monitor", workflow, *args, "--format", "json", check=None)
    assert outcome.code == code, str(outcome)
    return outcome.json


def breached(result):
    return {check["column"] for check in result["checks"] if check["status"] == "breach"}


def test_other_rows_of_the_same_table_are_ok(run, census):
    result = monitor(run, census, "--data", window(census, "new.csv", census_rows(3000, seed=77)), code=0)
    assert result["status"] == "ok" and result["actions"] == [] and not alerts(census)
    assert result["deployment"] == "api" and result["version"] == 1 and result["window"]["rows"] == 3000
    by_text = {}
    for check in result["checks"]:
        by_text.setdefault(check["text"], []).append(check)
    assert {c["column"] for c in by_text["psi < 0.2 on features"]} == {"age", "hours", "net", "log_gain", "overtime", "work", "place", "age_z"}
    assert [c["column"] for c in by_text["js < 0.1 on prediction"]] == ["prediction"]
    [missing] = by_text["missing(job) < 15%"]
    assert 0.03 < missing["statistic"] < 0.09
    [contract] = by_text["rows that break the contract < 1%"]
    assert contract["statistic"] == 0
    assert all(c["status"] == "ok" for c in result["checks"])


def test_resampled_windows_are_silent(run, census):
    rows, draw, count = census_rows(4000, seed=5), random.Random(int(os.environ.get("MLP_SEED", "1"))), 200 if SOAK else 40
    silent = 0
    for _ in range(count):
        result = run("monitor", census, "--data", window(census, "w.csv", draw.choices(rows, k=2000)), check=None)
        silent += result.code == 0
    assert silent >= count - count // 40, f"{silent} of {count}"  # 195 of 200


def test_a_shift_is_named_with_what_moved_and_where_it_comes_from(run, census):
    shifted = window(census, "shifted.csv", later(census_rows(3000, seed=77)))
    result = monitor(run, census, "--data", shifted, code=6)
    assert result["status"] == "breach" and {"hours", "overtime"} <= breached(result)
    assert not {"age", "net", "work", "place", "log_gain"} & breached(result)
    assert result["actions"] == [{"action": "alert", "to": "file", "status": "done", "detail": "alerts.jsonl"}]
    [alert] = alerts(census)
    assert {check["column"] for check in alert["checks"]} == breached(result)
    overtime = next(check for check in alert["checks"] if check["column"] == "overtime")
    assert overtime["upstream"] == ["people.hours", "people.csv"]
    shares = {bin["value"]: (bin["reference"], bin["now"]) for bin in overtime["histogram"]}
    assert shares["true"][1] > 0.6 > 0.4 > shares["true"][0]
    for kind in (0, 1):
        assert abs(sum(pair[kind] for pair in shares.values()) - 1) < 1e-9
    assert "overtime" in alert["text"] and "█" in alert["text"] and "now" in alert["text"]
    text = run("monitor", census, "--data", shifted, check=None)
    assert text.code == 6 and "hours <- people.hours <- people.csv" in text.out and "alert sent to file" in text.out
    assert len(alerts(census)) == 2


def test_however_rows_are_cut_the_figures_are_the_same(run, census):
    path = window(census, "new.csv", census_rows(3000, seed=77))
    first = monitor(run, census, "--data", path, code=0)
    assert monitor(run, census, "--data", path, "--fragment-rows", "97", code=0) == first


def test_a_short_window_decides_nothing(run, census):
    result = monitor(run, census, "--data", window(census, "few.csv", later(census_rows(150, seed=4))), code=3)
    assert result["status"] == "inconclusive" and {c["status"] for c in result["checks"]} == {"inconclusive"}
    assert all("150 rows, fewer than 200" in c["why"] for c in result["checks"]) and not alerts(census)
    empty = monitor(run, census, "--data", window(census, "none.csv", []), code=3)
    assert {c["why"] for c in empty["checks"]} == {"no rows"}


def test_rows_that_break_the_contract_are_set_aside_and_a_check(run, census):
    rows = census_rows(1000, seed=8)
    for row in rows[:30]:
        row[0] = "abc"
    for row in rows[100:400]:
        row[5] = "?"
    result = monitor(run, census, "--data", window(census, "bad.csv", rows), code=6)
    assert result["window"] == {"file": str(census.parent / "bad.csv"), "rows": 1000, "set_aside": 30}
    statuses = {c["text"]: (c["status"], c["statistic"]) for c in result["checks"] if c["column"] in (None, "job")}
    assert statuses["rows that break the contract < 1%"] == ("breach", 0.03)
    status, share = statuses["missing(job) < 15%"]
    assert status == "breach" and share > 0.3
    assert "W0802" in {d["code"] for d in result["diagnostics"]}


def test_unseen_categories_are_counted(run, census):
    rows = census_rows(1000, seed=8)
    for row in rows[:400]:
        row[5] = "astronaut"
    result = monitor(run, census, "--data", window(census, "unseen.csv", rows), code=6)
    work = next(c for c in result["checks"] if c["column"] == "work")
    assert work["status"] == "breach"
    assert next(b for b in work["histogram"] if b["value"] == "unseen")["now"] == pytest.approx(0.4)


def test_requests_are_the_window_and_those_of_another_version_are_not(run, census, serve):  # noqa: F811
    server = serve(census)
    rows = census_rows(600, seed=12)
    status, _, _ = server.predict([record_of(row) for row in later(rows)])
    assert status == 200
    server.stop()
    result = monitor(run, census, code=6)
    assert result["window"]["rows"] == 600 and {"hours", "overtime"} <= breached(result)
    assert {check["column"] for check in alerts(census)[0]["checks"]} == breached(result)
    edit(census, "trees: 20", "trees: 21")
    run("run", census)
    run("deploy", census)
    again = monitor(run, census, code=3)
    assert again["version"] == 2 and again["window"]["rows"] == 0
    server = serve(census)
    assert server.predict([record_of(row) for row in rows])[0] == 200
    server.stop()
    assert monitor(run, census, code=0)["window"]["rows"] == 600


def test_three_short_windows_in_a_row_alert(run, census):
    for already in (0, 0, 1, 1, 1, 2):
        monitor(run, census, code=3)
        assert len(alerts(census)) == already
    assert "too few rows" in alerts(census)[0]["reason"]


def test_a_command_and_a_webhook_get_the_alert(run, census, monkeypatch):
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Content-Type"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(204 if self.path == "/hook/s3cret" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    hook = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    try:
        edit(census, 'alert file("alerts.jsonl")', 'alert file("alerts.jsonl"), command("cat > from_command.json; echo told"), webhook(hook_url)')
        edit(census, "param seed", 'secret hook_url = env("TEST_HOOK_URL")\nparam seed')
        shifted = window(census, "shifted.csv", later(census_rows(1000, seed=77)))
        monkeypatch.setenv("TEST_HOOK_URL", f"http://127.0.0.1:{hook.server_port}/hook/s3cret")
        run("run", census)
        outcome = run("monitor", census, "--data", shifted, "--format", "json", check=None)
        assert [(a["to"], a["status"]) for a in outcome.json["actions"]] == [("file", "done"), ("command", "done"), ("webhook", "done")]
        [(path, kind, body)] = got
        assert path == "/hook/s3cret" and kind == "application/json" and body == alerts(census)[0]
        assert json.loads((census.parent / "from_command.json").read_text()) == body
        assert "s3cret" not in outcome.out + outcome.err + json.dumps(body)
        # What fails is said, and the others are told all the same.
        monkeypatch.setenv("TEST_HOOK_URL", f"http://127.0.0.1:{hook.server_port}/other/s3cret")
        edit(census, "echo told", "exit 7")
        outcome = run("monitor", census, "--data", shifted, "--format", "json", check=None)
        assert outcome.code == 6 and [a["status"] for a in outcome.json["actions"]] == ["done", "failed", "failed"]
        assert "status 7" in outcome.json["actions"][1]["detail"] and "500" in outcome.json["actions"][2]["detail"]
        assert "s3cret" not in outcome.out + outcome.err
        assert {d["code"] for d in outcome.json["diagnostics"]} == {"E0911"}
        monkeypatch.delenv("TEST_HOOK_URL")
        outcome = run("monitor", census, "--data", shifted, check=None)
        assert outcome.code == 6 and "TEST_HOOK_URL" in outcome.err and "is not set" in outcome.err
    finally:
        hook.shutdown()
        hook.server_close()
    for path in (census.parent / ".mlp").rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes(), path


def test_a_check_that_alarms_by_chance_is_told(run, census):
    edit(census, "psi < 0.2 on features", "psi < 0.02 on features")
    edit(census, "over  last 7d at_least 200 rows", "every 1h over last 7d at_least 200 rows")
    result = monitor(run, census, "--data", window(census, "new.csv", census_rows(300, seed=77)), code=6)
    warnings = [d["message"] for d in result["diagnostics"] if d["code"] == "W0803"]
    assert [message for message in warnings if "psi < 0.02 on features" in message]
    assert max(c["false_alarm_rate"] for c in result["checks"] if c["text"].startswith("psi")) > 0.3


def test_what_cannot_be_carried_out_is_said_before_anything(run, census):
    path = window(census, "new.csv", census_rows(300, seed=77))
    edit(census, "quality missing(job) < 15% -> alert", "quality missing(job) < 15% -> stop")
    outcome = run("monitor", census, "--data", path, check=None)
    assert outcome.code == 1 and "E0601" in outcome.err and "`stop`" in outcome.err and not outcome.out
    run("check", census)
    edit(census, "quality missing(job) < 15% -> stop", "quality missing(sex) < 15% -> alert")
    outcome = run("monitor", census, "--data", path, check=None)
    assert outcome.code == 1 and "is not asked about `sex`" in outcome.err


def test_wrong_calls_are_told(run, census, tmp_path):
    other = make_census(tmp_path / "other", rows=300)
    assert "has no `monitor` block" in run("monitor", other, check=None).err
    other.write_text(CENSUS + BLOCKS, encoding="utf-8")
    outcome = run("monitor", other, "--data", tmp_path / "x.csv", check=None)
    assert outcome.code == 5 and "mlpc deploy" in outcome.err
    outcome = run("monitor", census, "apy", check=None)
    assert outcome.code == 1 and "did you mean `api`?" in outcome.err
    outcome = run("monitor", census, "--data", "nowhere.csv", check=None)
    assert outcome.code == 5 and "nowhere.csv" in outcome.err
    outcome = run("monitor", census, "--data", "rows.xls", check=None)
    assert "E0601" in outcome.err


def test_the_real_census_with_longer_hours(run, shared, tmp_path):
    lines = [line for line in (shared / "data" / "adult.csv").read_text(encoding="utf-8").splitlines() if line.strip()]
    head, rows = lines[0], lines[1:]
    random.Random(3).shuffle(rows)
    cut = len(rows) * 4 // 5
    text = (shared / "workflows" / "first" / "income.mlp").read_text(encoding="utf-8")
    text = text.replace("../../data/adult.csv", "train.csv").replace("rows >= 30_000", "rows >= 20_000").replace("auc >= 0.915", "auc >= 0.9")
    (tmp_path / "income.mlp").write_text(text, encoding="utf-8")
    hours = [name.strip() for name in head.split(",")].index("hours-per-week")

    def save(name, chosen):
        (tmp_path / name).write_text("\n".join([head, *chosen]) + "\n", encoding="utf-8")
        return tmp_path / name

    def longer(row):
        fields = row.split(",")
        fields[hours] = str(min(99, int(fields[hours]) + 15))
        return ",".join(fields)

    save("train.csv", rows[:cut])
    run("run", tmp_path / "income.mlp")
    run("deploy", tmp_path / "income.mlp")
    monitor(run, tmp_path / "income.mlp", "--data", save("other.csv", rows[cut:]), code=0)
    draw, count = random.Random(int(os.environ.get("MLP_SEED", "1"))), 200 if SOAK else 40
    silent = 0
    for _ in range(count):
        silent += run("monitor", tmp_path / "income.mlp", "--data", save("w.csv", draw.choices(rows[cut:], k=2000)), check=None).code == 0
    assert silent >= count - count // 40, f"{silent} of {count}"  # 195 of 200
    result = monitor(run, tmp_path / "income.mlp", "--data", save("longer.csv", map(longer, rows[cut:])), code=6)
    assert {"hours_per_week", "works_overtime"} <= breached(result)
    [alert] = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"hours_per_week", "works_overtime"} <= {check["column"] for check in alert["checks"]} == breached(result)


def test_plan_says_what_follows_for_production(run, census):
    def consequences():
        return [(c["what"], c["name"]) for c in run("plan", census, "--format", "json").json["consequences"]]

    settle(run, census)
    assert consequences() == []
    edit(census, "trees: 20", "trees: 21")
    assert consequences() == [("refit", "boosted"), ("redeploy", "api"), ("reset_baseline", "api")]
    text = run("plan", census).out
    assert "boosted will be refitted" in text and "api can then be deployed anew" in text and "monitoring of api begins anew" in text
    edit(census, "l2: 1.0", "l2: 2.0")
    assert ("redeploy", "plain") not in consequences() and ("refit", "plain") in consequences()
