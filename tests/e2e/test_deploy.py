"""`mlpc deploy` takes proven candidates only, once, by who may, and leaves an entry that nobody can alter unseen."""

import json
import os
import random
import shutil
import signal
import sqlite3
import time

import pytest

from made import CENSUS, REGIONS, edit, make_census

DEPLOYS = """
deploy api of boosted {
    stage production
    serve port 8080 max_latency 20ms
}
"""
APPROVED = """
deploy api of boosted {
    stage production requires approval from "risk" valid 180d
}
"""


def census(folder, blocks=DEPLOYS, **more):
    return make_census(folder, text=CENSUS.replace('test "overtime', blocks + '\ntest "overtime'), **more)


@pytest.fixture
def deploy(run):
    """deploy(workflow, ...) -> the deployments of the document, by name."""

    def call(workflow, *args, check=0, **more):
        document = run("deploy", workflow, *args, "--format", "json", check=check, cwd=workflow.parent, **more).json
        assert document["format_version"] == 1
        return {one["name"]: one for one in document["deployments"]}

    return call


@pytest.fixture
def audit(run):
    def call(workflow, check=0):
        return run("audit", "--store", workflow.parent / ".mlp", "--format", "json", check=check).json

    return call


def token(run, workflow, who, *scopes):
    args = [part for scope in scopes for part in ("--scope", scope)]
    made = run("token", "create", *args, "--name", who, "--store", workflow.parent / ".mlp", "--format", "json").json
    assert made["name"] == who and made["scopes"] == list(scopes)
    return {"MLP_TOKEN": made["token"]}


def events(log):
    return [entry["event"] for entry in log["entries"]]


def test_a_proven_candidate_is_deployed_once_with_who_when_and_proof(run, deploy, audit, tmp_path):
    workflow = census(tmp_path)
    done = run("run", workflow, "--format", "json").json
    api = deploy(workflow)["api"]
    assert (api["model"], api["version"], api["stage"], api["status"]) == ("boosted", 1, "production", "deployed")
    assert api["scorer"] == next(c["scorer"] for c in done["candidates"] if c["model"] == "boosted")
    assert api["reason"] is None and api["current"]["version"] == 1
    entry = audit(workflow)["entries"][0]
    assert entry["event"] == "deployed" and entry["deployment"] == "census.api" and entry["model"] == "census.boosted"
    assert entry["run"] == done["run"] and entry["scorer"] == api["scorer"] and entry["stage"] == "production"
    assert [(g["text"], g["status"]) for g in entry["gates"]] == [(g["text"], g["status"]) for g in done["gates"]]
    assert entry["who"] and time.strptime(entry["at"], "%Y-%m-%dT%H:%M:%SZ")
    for _ in range(2):
        assert deploy(workflow)["api"]["status"] == "unchanged"
    assert len(audit(workflow)["entries"]) == 1
    said = run("deploy", workflow)
    assert said.out == "api: boosted version 1 in production: unchanged\n" and not said.err
    view = run("audit", "--store", tmp_path / ".mlp").out
    assert done["run"] in view and "deployed census.boosted version 1 to production as census.api" in view


def test_what_is_not_proven_is_refused_and_the_others_go_through(run, deploy, audit, tmp_path):
    text = DEPLOYS + "\ndeploy bare of plain { stage staging }\n"
    workflow = census(tmp_path, text)
    run("run", workflow)
    both = deploy(workflow, check=3)
    assert both["api"]["status"] == "deployed"
    assert both["bare"]["status"] == "refused" and both["bare"]["code"] == "E0605" and "no gates" in both["bare"]["reason"]
    edit(workflow, "require auc >= 0.6", "require auc >= 0.99")
    run("run", workflow, check=3)
    api = deploy(workflow, "api", check=3)["api"]
    assert api["status"] == "refused" and "`auc >= 0.99` failed" in api["reason"]
    said = run("deploy", workflow, "api", check=3)
    assert "error[E0605]" in said.err and "`auc >= 0.99` failed" in said.err and "refused" in said.out
    assert events(audit(workflow)) == ["deployed"]


def test_an_inconclusive_gate_proves_nothing(run, deploy, tmp_path):
    workflow = census(tmp_path)
    edit(workflow, "slice   by sex at_least 20 rows", "slice   by sex at_least 5_000 positives")
    edit(workflow, "require auc >= 0.6", "require min(auc by sex) >= 0.1")
    run("run", workflow, check=3)
    api = deploy(workflow, check=3)["api"]
    assert api["status"] == "refused" and "is inconclusive" in api["reason"]


@pytest.mark.parametrize("changed", ["nothing was run", "the code", "the data", "a param"])
def test_a_stale_candidate_is_refused_with_the_step_and_the_mend(run, deploy, audit, tmp_path, changed):
    workflow = census(tmp_path)
    args, step = [], ""
    if changed != "nothing was run":
        run("run", workflow)
        deploy(workflow)
    if changed == "the code":
        edit(workflow, "log1p(gain)", "log1p(gain + 1)")
        step = "profile.log_gain"
    elif changed == "the data":
        edit(tmp_path / "people.csv", (tmp_path / "people.csv").read_text().splitlines()[7] + "\n", f"44, 40, 0.0, 0.0, {REGIONS[0]}, clerk, Male, >50K\n")
        step = "people"
    elif changed == "a param":
        args = ["--param", "seed=4"]
    api = deploy(workflow, *args, check=3)["api"]
    assert api["status"] == "refused" and api["code"] == "E0604" and api["version"] is None
    assert f"`{step}" in api["reason"] and "is not up to date" in api["reason"]
    assert f"mlpc run {workflow}" in api["help"]
    assert (api["current"] or {}).get("version") == (None if changed == "nothing was run" else 1)
    run("run", workflow, *args)
    again = deploy(workflow, *args)["api"]
    assert again["status"] == "deployed" and again["version"] == (1 if changed == "nothing was run" else 2)


def test_a_rename_keeps_what_is_deployed(run, deploy, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    deploy(workflow)
    edit(workflow, "    age_z    =", "    # standardized\n    age_z    =")
    assert deploy(workflow)["api"]["status"] == "unchanged"


def test_approval_waits_for_a_token_of_somebody_else(run, deploy, audit, tmp_path):
    workflow = census(tmp_path, APPROVED)
    store = ["--store", tmp_path / ".mlp"]
    alice = token(run, workflow, "alice", "deploy", "approve:risk")
    bob = token(run, workflow, "bob", "approve:risk")
    carol = token(run, workflow, "carol", "approve:crm", "read")
    run("run", workflow, env=alice)
    assert run("show", *store, "--format", "json").json["author"] == "alice"
    for _ in range(2):
        api = deploy(workflow, env=alice, check=3)["api"]
        assert api["status"] == "awaiting_approval" and api["code"] == "E0606" and '"risk"' in api["reason"] and api["current"] is None
    own = run("approve", "boosted@1", *store, "--format", "json", env=alice, check=3).json
    assert own["diagnostics"][0]["code"] == "E0607" and "alice" in own["diagnostics"][0]["message"]
    assert "E0607" in run("approve", "api", *store, env=alice, check=3).err
    assert "E0607" in run("approve", "api", *store, check=3).err, "a user without a token"
    assert "E0608" in run("approve", "api", *store, env=carol, check=3).err, "another role"
    assert "E0608" in run("approve", "api", *store, env={"MLP_TOKEN": "mlp_" + "0" * 64}, check=3).err
    assert deploy(workflow, env=alice, check=3)["api"]["status"] == "awaiting_approval"
    approved = run("approve", "api", *store, "--format", "json", env=bob).json
    assert (approved["status"], approved["model"], approved["version"], approved["who"]) == ("approved", "census.boosted", 1, "bob")
    assert run("approve", "boosted@1", *store, "--format", "json", env=bob).json["status"] == "unchanged"
    assert deploy(workflow, env=alice)["api"]["status"] == "deployed"
    log = audit(workflow)
    assert events(log) == ["token_created"] * 3 + ["requested", "approved", "deployed"]
    assert [entry["who"] for entry in log["entries"][3:]] == ["alice", "bob", "alice"]
    assert log["entries"][-1]["approved_by"] == "bob"
    # Another version needs another approval.
    edit(workflow, "trees: 20", "trees: 25")
    run("run", workflow, env=alice)
    assert deploy(workflow, env=alice, check=3)["api"]["status"] == "awaiting_approval"


def test_an_approval_ahead_counts_and_one_of_the_deployer_does_not(run, deploy, tmp_path):
    workflow = census(tmp_path, APPROVED)
    store = ["--store", tmp_path / ".mlp"]
    bob = token(run, workflow, "bob", "approve", "deploy")
    run("run", workflow)
    run("approve", "boosted@1", *store, env=bob)
    api = deploy(workflow, env=bob, check=3)["api"]
    assert api["status"] == "awaiting_approval" and "`bob`" in api["reason"]
    erin = token(run, workflow, "erin", "approve:risk")
    run("approve", "api", *store, env=erin)
    assert deploy(workflow)["api"]["status"] == "deployed"


def test_an_approval_per_code_holds_for_other_data(run, deploy, tmp_path):
    workflow = census(tmp_path, APPROVED.replace("valid 180d", "per code valid 180d"))
    bob = token(run, workflow, "bob", "approve:risk")
    run("run", workflow)
    deploy(workflow, check=3)
    run("approve", "api", "--store", tmp_path / ".mlp", env=bob)
    assert deploy(workflow)["api"]["status"] == "deployed"
    make_census(tmp_path, seed=2, text=workflow.read_text())
    run("run", workflow)
    assert deploy(workflow)["api"]["status"] == "deployed"
    edit(workflow, "trees: 20", "trees: 21")
    run("run", workflow)
    assert deploy(workflow, check=3)["api"]["status"] == "awaiting_approval"


def test_an_approval_ends(run, deploy, tmp_path):
    workflow = census(tmp_path, APPROVED.replace("180d", "1s"))
    bob = token(run, workflow, "bob", "approve:risk")
    run("run", workflow)
    run("approve", "boosted@1", "--store", tmp_path / ".mlp", env=bob)
    time.sleep(2.1)
    api = deploy(workflow, check=3)["api"]
    assert api["status"] == "awaiting_approval" and "no longer valid" in api["reason"]


def test_a_stage_that_asks_for_final_takes_proof_on_test_rows_alone(run, deploy, tmp_path):
    workflow = census(tmp_path, "deploy api of boosted { stage production requires final }")
    run("run", workflow)
    api = deploy(workflow, check=3)["api"]
    assert api["status"] == "refused" and "--final" in api["help"]
    run("run", workflow, "--final")
    assert deploy(workflow)["api"]["status"] == "deployed"


def test_a_token_has_to_be_known_and_of_the_right_scope(run, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow, env={"MLP_TOKEN": "nonsense"}, check=3)
    reader = token(run, workflow, "rita", "read")
    run("run", workflow, env=reader)
    refused = run("deploy", workflow, "--format", "json", env=reader, check=3).json["deployments"][0]
    assert refused["status"] == "refused" and refused["code"] == "E0608"
    run("token", "create", "--scope", "admin", "--store", tmp_path / ".mlp", env=reader, check=3)
    run("token", "create", "--scope", "all", "--store", tmp_path / ".mlp", check=2)
    run("token", "create", "--store", tmp_path / ".mlp", check=2)
    shown = run("token", "create", "--scope", "read", "--store", tmp_path / ".mlp").out.strip()
    assert shown.startswith("mlp_")
    for file in (tmp_path / ".mlp").rglob("*"):
        assert file.is_dir() or shown.encode() not in file.read_bytes()


def test_rollback_takes_the_version_before_and_is_refused_without_one(run, deploy, audit, tmp_path):
    workflow = census(tmp_path)
    store = ["--store", tmp_path / ".mlp"]
    assert "E0908" in run("rollback", "api", *store, check=5).err
    run("run", workflow)
    deploy(workflow)
    assert "E0609" in run("rollback", "api", *store, check=3).err
    edit(workflow, "trees: 20", "trees: 25")
    run("run", workflow)
    assert deploy(workflow)["api"]["version"] == 2
    back = run("rollback", "api", *store, "--format", "json").json
    assert back["status"] == "rolled_back" and back["deployment"] == "census.api"
    assert (back["from"]["version"], back["to"]["version"]) == (2, 1)
    assert "E0609" in run("rollback", "census.api", *store, check=3).err
    log = audit(workflow)
    assert events(log) == ["deployed", "deployed", "rolled_back"]
    assert log["entries"][2]["gates"] == log["entries"][0]["gates"]
    api = deploy(workflow)["api"]
    assert api["status"] == "deployed" and api["version"] == 2


def test_an_altered_line_is_found_and_stops_every_transition(run, deploy, audit, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    deploy(workflow)
    token(run, workflow, "bob", "approve")
    edit(workflow, "trees: 20", "trees: 25")
    run("run", workflow)
    deploy(workflow)
    path = tmp_path / ".mlp" / "audit.jsonl"
    whole = path.read_text()
    assert run("audit", "--verify", "--store", tmp_path / ".mlp").out == "3 entries, none altered\n"
    lines = whole.splitlines(keepends=True)
    who = json.loads(lines[1])["who"]
    for text, line in [
        (lines[0] + lines[1].replace(f'"who":"{who}"', '"who":"nobody"') + lines[2], 2),
        (lines[0].replace('"version":1', '"version":2') + lines[1] + lines[2], 1),
        (lines[0] + lines[2], 2),
        (lines[0] + lines[1], 3),
    ]:
        path.write_text(text)
        found = audit(workflow, check=5)
        assert found["unaltered"] is False and found["altered"]["line"] == line
        assert f"line {line} of" in run("audit", "--verify", "--store", tmp_path / ".mlp", check=5).err
        assert "E0910" in run("deploy", workflow, check=5).err
        assert "E0910" in run("rollback", "api", "--store", tmp_path / ".mlp", check=5).err
        verified = run("cache", "verify", "--store", tmp_path / ".mlp", "--format", "json", check=5).json
        assert verified["clean"] is False and verified["audit"]["altered"]["line"] == line
    path.write_text(whole)
    assert deploy(workflow)["api"]["status"] == "unchanged"


def test_options_that_cannot_be_honoured_yet_stop_before_anything_is_deployed(run, audit, tmp_path):
    workflow = census(tmp_path, DEPLOYS + """
deploy careful of boosted {
    stage production
    serve port 8080
    canary 10% for 1h at_least 1_000 requests
    batch people into parquet("scores.parquet") key age
}

schedule monday 04:00 { batch careful }
""")
    run("check", workflow)
    run("run", workflow)
    said = run("deploy", workflow, "--format", "json", check=1)
    assert [d["code"] for d in said.json["diagnostics"]] == ["E0601", "E0601"]
    assert "canary" in said.err and "schedule" in said.err and "`batch`" not in said.err
    assert audit(workflow)["entries"] == []
    workflow.write_text(workflow.read_text().replace("per code", ""))
    bad = run("check", census(tmp_path / "bad", APPROVED.replace("valid", "per model valid")), check=1)
    assert "E0701" in bad.err


def test_a_file_without_the_deployment_says_so(run, tmp_path):
    workflow = census(tmp_path)
    assert "did you mean `api`" in run("deploy", workflow, "apy", check=1).err
    assert "has no `deploy` block" in run("deploy", make_census(tmp_path / "none"), check=1).err


def test_two_deploys_at_once_are_one_entry(run, start, audit, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    for turn in range(3):
        edit(workflow, "trees: 20" if turn == 0 else f"trees: {20 + turn - 1}", f"trees: {20 + turn}")
        run("run", workflow)
        processes = [start("deploy", workflow, "--format", "json") for _ in range(4)]
        documents = [json.loads(process.communicate()[0]) for process in processes]
        status = sorted(document["deployments"][0]["status"] for document in documents)
        assert status == ["deployed", "unchanged", "unchanged", "unchanged"]
        assert len(audit(workflow)["entries"]) == turn + 1


def test_kill_during_deploy_leaves_the_old_or_the_new(run, start, deploy, audit, tmp_path, soak, seed):
    workflow = census(tmp_path / "whole")
    run("run", workflow)
    deploy(workflow)
    edit(workflow, "trees: 20", "trees: 25")
    run("run", workflow)
    began = time.monotonic()
    deploy(copy_folder_with_state(workflow, tmp_path / "timed"))
    seconds = time.monotonic() - began
    draw = random.Random(seed)
    for turn in range(300 if soak else 15):
        copy = copy_folder_with_state(workflow, tmp_path / f"copy{turn}")
        process = start("deploy", copy)
        time.sleep(draw.uniform(0, seconds * 1.1))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        log = audit(copy)
        assert log["unaltered"] and log["entries"][-1]["version"] in (1, 2), f"MLP_SEED={seed}, turn {turn}"
        after = deploy(copy)["api"]
        assert after["version"] == 2 and after["status"] == ("deployed" if log["entries"][-1]["version"] == 1 else "unchanged")
        assert [entry["version"] for entry in audit(copy)["entries"]] == [1, 2]


def copy_folder_with_state(workflow, target):
    shutil.copytree(workflow.parent, target)
    return target / workflow.name


def test_a_torn_line_is_taken_up_by_the_next_writer(run, deploy, audit, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    deploy(workflow)
    with open(tmp_path / ".mlp" / "audit.jsonl", "a") as log:
        log.write('{"format_version":1,"number":2,"at":"20')
    assert events(audit(workflow)) == ["deployed"]
    edit(workflow, "trees: 20", "trees: 25")
    run("run", workflow)
    assert deploy(workflow)["api"]["status"] == "deployed"
    assert events(audit(workflow)) == ["deployed", "deployed"]


def test_income_is_deployed(run, income):
    done = run("run", income, "--format", "json").json
    said = run("deploy", income, "income_api", "--format", "json").json["deployments"]
    assert said[0]["name"] == "income_api" and said[0]["model"] == "earner" and said[0]["status"] == "deployed"
    assert said[0]["run"] == done["run"] and said[0]["version"] == 1 and said[0]["stage"] == "production"
    assert run("deploy", income, "--format", "json").json["deployments"][0]["status"] == "unchanged"


def test_what_is_deployed_is_a_root_of_the_store(run, deploy, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    api = deploy(workflow)["api"]
    with sqlite3.connect(tmp_path / ".mlp" / "catalog.sqlite") as catalog:
        roots = {digest for digest, why in catalog.execute("SELECT digest, why FROM roots") if why == "deployed census.boosted version 1 as census.api"}
    steps = run("show", "--store", tmp_path / ".mlp", "--format", "json").json["steps"]
    assert api["scorer"] in roots
    assert {d for s in steps if s["kind"] == "train" and s["name"].startswith("boosted") for d in s["outputs"]} < roots
    assert roots <= {d for s in steps if s["kind"] in ("scorer", "train", "fit", "bins") for d in s["outputs"]}
    assert len(roots) > 4


def test_a_catalog_of_an_older_version_is_read_as_it_is_and_brought_up_by_the_next_run(run, deploy, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    with sqlite3.connect(tmp_path / ".mlp" / "catalog.sqlite") as catalog:
        catalog.execute("ALTER TABLE runs DROP COLUMN author")
        catalog.execute("PRAGMA user_version = 1")
    catalog.close()
    assert [one["author"] for one in run("runs", "--store", tmp_path / ".mlp", "--format", "json").json["runs"]] == [""]
    run("run", workflow)
    assert [one["author"] != "" for one in run("runs", "--store", tmp_path / ".mlp", "--format", "json").json["runs"]] == [True, False]
    assert deploy(workflow)["api"]["status"] == "deployed"
