"""Gates have three states, and only passed ones prove a candidate."""

from made import CENSUS, edit, make_census


def test_a_failed_gate_is_shown_with_value_and_interval_and_proves_nothing(run, tmp_path):
    workflow = make_census(tmp_path)
    edit(workflow, "require auc >= 0.6", "require auc >= 0.99")
    outcome = run("run", workflow, "--format", "json", check=3)
    result = outcome.json
    assert result["status"] == "ok", "the steps did what they should: a gate is told apart"
    gate = next(g for g in result["gates"] if g["text"] == "auc >= 0.99")
    assert gate["status"] == "failed"
    auc = result["metrics"]["boosted"]["auc"]
    assert abs(gate["value"] - auc["value"]) < 1e-12
    assert auc["low"] < auc["value"] < auc["high"]
    assert [c["proven"] for c in result["candidates"] if c["model"] == "boosted"] == [False]
    text = run("run", workflow, check=3)
    said = text.out + text.err
    assert "auc >= 0.99" in said and "failed" in said
    assert f"{auc['value']:.4f}" in said
    assert f"{auc['low']:.3f}"[:4] in said and f"{auc['high']:.3f}"[:4] in said
    models = run("models", "--store", tmp_path / ".mlp", "--format", "json").json
    assert [m["proven"] for m in models["models"] if m["model"] == "census.boosted"] == [False]


def test_too_few_positives_in_a_slice_are_inconclusive(run, tmp_path):
    text = CENSUS.replace("slice   by sex at_least 20 rows", "slice   by sex at_least 5_000 positives").replace(
        "require auc >= 0.6", "require min(auc by sex) >= 0.1"
    )
    workflow = make_census(tmp_path, text=text)
    outcome = run("run", workflow, "--format", "json", check=3)
    gate = next(g for g in outcome.json["gates"] if g["text"] == "min(auc by sex) >= 0.1")
    assert gate["status"] == "inconclusive"
    assert [c["proven"] for c in outcome.json["candidates"] if c["model"] == "boosted"] == [False]
    again = run("run", workflow, check=3)
    assert "inconclusive" in again.out + again.err


def test_a_gate_with_a_confidence_passes_fails_or_is_inconclusive_by_its_interval(run, tmp_path):
    workflow = make_census(tmp_path)
    auc = run("run", workflow, "--format", "json").json["metrics"]["boosted"]["auc"]
    inside, below, above = auc["value"], auc["low"] - 0.02, auc["high"] + 0.02
    edit(
        workflow, "require auc >= 0.6",
        f"require auc >= {below:.4f} with 95%\n    require auc >= {inside:.4f} with 95%\n    require auc >= {above:.4f} with 95%",
    )  # fmt: skip
    gates = run("run", workflow, "--format", "json", check=3).json["gates"]
    assert [g["status"] for g in gates[:3]] == ["passed", "inconclusive", "failed"]


def test_a_comparison_with_production_is_not_applicable_while_there_is_none(run, tmp_path):
    workflow = make_census(tmp_path)
    edit(workflow, "require auc >= 0.6", "require auc beats production by -0.01")
    result = run("run", workflow, "--format", "json").json
    assert result["gates"][0]["status"] == "not_applicable"
    assert [c["proven"] for c in result["candidates"] if c["model"] == "boosted"] == [True]


def test_test_rows_are_opened_by_final_alone_and_openings_are_counted(run, tmp_path):
    workflow = make_census(tmp_path)
    assert run("run", workflow, "--format", "json").json["metrics"]["boosted"]["auc"]["on"] == "validation"
    final = run("run", workflow, "--final", "--format", "json").json
    assert final["metrics"]["boosted"]["auc"]["on"] == "test"
    said = run("show", final["run"], "--store", tmp_path / ".mlp", "--format", "json").json
    assert len(said["openings"]) >= 1


def test_a_gate_without_an_evaluation_proves_nothing(run, tmp_path):
    workflow = make_census(tmp_path)
    candidates = run("run", workflow, "--format", "json").json["candidates"]
    assert {c["model"]: c["proven"] for c in candidates} == {"boosted": True, "plain": False}
