"""`beats production` scores the deployed version and the candidate on the same rows, unseen by both."""

import json

import pytest

from made import edit, make_census

DEPLOY = """
deploy api of boosted {
    stage production
    serve port 8080
}
"""


def census(folder, gate="require auc beats production by -0.01", **more):
    workflow = make_census(folder, **more)
    edit(workflow, "require auc >= 0.6\n", gate + "\n")
    edit(workflow, 'test "overtime', DEPLOY + '\ntest "overtime')
    return workflow


def gate_of(result):
    return next(gate for gate in result["gates"] if "beats production" in gate["text"])


@pytest.fixture
def first(run, tmp_path):
    """A workflow whose version 1 stands in production."""

    def call(**more):
        workflow = census(tmp_path, **more)
        gate = gate_of(run("run", workflow, "--format", "json").json)
        assert gate["status"] == "not_applicable" and "nothing is in production" in gate["why"]
        run("deploy", workflow)
        return workflow

    return call


def test_what_was_deployed_is_not_stale_for_it(run, first):
    workflow = first()
    again = run("run", workflow, "--format", "json").json
    assert again["steps"]["ran"] == 0 and gate_of(again)["status"] == "not_applicable"
    assert run("deploy", workflow, "--format", "json").json["deployments"][0]["status"] == "unchanged"


def test_a_better_version_beats_the_first_and_replaces_it(run, first):
    workflow = first()
    edit(workflow, "trees: 20", "trees: 24")
    result = run("run", workflow, "--format", "json").json
    gate = gate_of(result)
    assert gate["status"] == "passed" and "version 1" in gate["why"]
    figures = result["metrics"]["boosted"]
    assert gate["value"] == figures["auc"]["value"]
    assert gate["bound"] == pytest.approx(figures["production.auc"]["value"] - 0.01, abs=1e-12)
    assert figures["production.auc"]["rows"] == figures["auc"]["rows"]
    assert run("deploy", workflow, "--format", "json").json["deployments"][0]["status"] == "deployed"
    # What it replaced is still what it is compared with.
    again = run("run", workflow, "--format", "json").json
    assert again["steps"]["ran"] == 0 and gate_of(again)["status"] == "passed"


def test_the_champion_is_measured_with_the_bits_of_its_own_run(run, first):
    workflow = first()
    before = run("run", workflow, "--format", "json").json["metrics"]["boosted"]["auc"]
    edit(workflow, "trees: 20", "trees: 24")
    # Features of today that the champion does not know, and one of its columns that nobody declares any more.
    edit(workflow, "    log_gain = log1p(gain)\n", "    twice = age * 2\n")
    edit(workflow, "    work     = job ?? \"unknown\"\n", "")
    edit(workflow, "    job    : category?\n", "")
    after = run("run", workflow, "--format", "json", check=None).json["metrics"]["boosted"]
    assert after["production.auc"] == before


def test_a_worse_version_is_not_proven(run, first):
    workflow = first()
    edit(workflow, "trees: 20, depth: 4", "trees: 1, depth: 1")
    failed = run("run", workflow, "--format", "json", check=3).json
    assert gate_of(failed)["status"] == "failed"
    assert run("deploy", workflow, "--format", "json", check=3).json["deployments"][0]["status"] == "refused"


@pytest.mark.parametrize("metric, worse", [("log_loss", "learning_rate: 0.01"), ("brier", "learning_rate: 0.01")])
def test_where_lower_is_better_the_margin_is_below(run, first, metric, worse):
    workflow = first(gate=f"require {metric} beats production by -0.005")
    edit(workflow, "seed    seed\n}\n\ntrain plain", "seed    8\n}\n\ntrain plain")
    assert gate_of(run("run", workflow, "--format", "json", check=None).json)["status"] in ("passed", "not_applicable")
    edit(workflow, "learning_rate: 0.15", worse)
    assert gate_of(run("run", workflow, "--format", "json", check=3).json)["status"] == "failed"


def test_with_confidence_the_paired_difference_decides(run, first):
    workflow = first(gate="require auc beats production by -0.2 with 95%")
    edit(workflow, "trees: 20", "trees: 24")
    assert gate_of(run("run", workflow, "--format", "json").json)["status"] == "passed"
    edit(workflow, "by -0.2 with", "by 0 with")
    assert gate_of(run("run", workflow, "--format", "json", check=3).json)["status"] == "inconclusive"
    edit(workflow, "by 0 with", "by 0.3 with")
    assert gate_of(run("run", workflow, "--format", "json", check=3).json)["status"] == "failed"


def test_rows_that_production_may_have_seen_decide_nothing(run, first):
    workflow = first()
    edit(workflow, "70/15/15 stratified rich seed seed", "70/15/15 stratified rich seed 11")
    gate = gate_of(run("run", workflow, "--format", "json", check=3).json)
    assert gate["status"] == "inconclusive" and "another split" in gate["why"]


def test_rows_that_production_was_fitted_on_decide_nothing(run, tmp_path):
    workflow = census(tmp_path)
    edit(workflow, "    model   gbdt", "    refit   train+validation\n    model   gbdt")
    run("run", workflow)
    run("deploy", workflow)
    edit(workflow, "trees: 20", "trees: 24")
    gate = gate_of(run("run", workflow, "--format", "json", check=3).json)
    assert gate["status"] == "inconclusive" and "fitted on these rows" in gate["why"]


def test_production_that_does_not_answer_all_rows_decides_nothing(run, first):
    workflow = first()
    edit(workflow, "in 0..120", "in 0..200")
    table = workflow.parent / "people.csv"
    lines = table.read_text().splitlines()
    lines += [line.replace(line.split(",")[0], "150", 1) for line in lines[1:60]]
    table.write_text("\n".join(lines) + "\n")
    gate = gate_of(run("run", workflow, "--format", "json", check=3).json)
    assert gate["status"] == "inconclusive" and "has no prediction for" in gate["why"]


def test_a_version_deployed_since_makes_the_proof_stale(run, first):
    workflow = first()
    one = workflow.read_text()
    two = one.replace("trees: 20", "trees: 24")
    three = one.replace("trees: 20", "trees: 26")
    for text in (two, three):
        workflow.write_text(text)
        run("run", workflow)
    workflow.write_text(two)
    run("deploy", workflow)
    workflow.write_text(three)
    refused = run("deploy", workflow, "--format", "json", check=3).json["deployments"][0]
    assert refused["status"] == "refused" and "boosted.champion" in refused["reason"]
    ran = run("run", workflow, "--format", "json").json
    assert {step["name"] if isinstance(step, dict) else step for step in ran["ran"]} <= {
        "boosted.champion", "boosted.champion.predict", "boosted.metrics", "boosted.gates", "boosted.register"}
    assert run("deploy", workflow, "--format", "json").json["deployments"][0]["status"] == "deployed"


def test_a_stage_that_is_not_production_is_no_rival(run, tmp_path):
    workflow = census(tmp_path)
    edit(workflow, "stage production", "stage staging")
    run("run", workflow)
    run("deploy", workflow)
    edit(workflow, "trees: 20", "trees: 24")
    assert gate_of(run("run", workflow, "--format", "json").json)["status"] == "not_applicable"


def test_a_synthetic_table_is_compared_too(run, tmp_path):
    workflow = tmp_path / "made.mlp"
    workflow.write_text("""workflow made
data rows from synthetic(rows: 4_000, seed: 3) {
    tenure : int  = uniform_int(0, 72)
    fee    : float = 20 + normal(0, 4)
    left   : bool = bernoulli(sigmoid(1.2 - 0.08 * tenure + 0.02 * fee)) @label
}
feature view of rows { tenure, fee }
split parts of rows random 70/15/15 seed 1
train leaves of view { predict left; split parts; model gbdt { trees: 10, depth: 3 }; seed 1 }
evaluate leaves { metrics auc; require auc beats production by -0.05 }
deploy api of leaves { stage production }
""")
    run("run", workflow)
    run("deploy", workflow)
    workflow.write_text(workflow.read_text().replace("trees: 10", "trees: 14"))
    gate = gate_of(run("run", workflow, "--format", "json").json)
    assert gate["status"] == "passed" and json.dumps(gate["bound"])
