"""`mlpc test` runs the test blocks of a workflow, without reading data."""

from made import CENSUS, edit, make_census

MORE = CENSUS + """
fn band(x: float, width: float in 1..100) -> float = floor(x / width)

feature bands of people {
    age_band = band(float(age), 10.0)
    known    = job is known
    rest     = gain - loss
}

test "a missing job has a name" of profile {
    given  { job: missing }
    expect work == "unknown"
}

test "bands are of ten years" of bands {
    given  { age: 39 }
    expect age_band == 3.0
}

test "several expectations" of bands {
    given  { gain: 5.0, loss: 7.5, job: "tech" }
    expect rest == -2.5
    expect known
}
"""


def test_test_blocks_pass_and_read_no_data(run, tmp_path):
    workflow = make_census(tmp_path, text=MORE)
    (tmp_path / "people.csv").unlink()
    result = run("test", workflow, "--format", "json").json
    assert [(t["name"], t["status"]) for t in result["tests"]] == [
        ("overtime starts above 45 hours", "passed"),
        ("a missing job has a name", "passed"),
        ("bands are of ten years", "passed"),
        ("several expectations", "passed"),
    ]
    assert not (tmp_path / ".mlp").exists()


def test_a_failing_test_block_shows_the_values_and_exits_with_3(run, tmp_path):
    workflow = make_census(tmp_path)
    edit(workflow, "given  { hours: 46 }", "given  { hours: 45 }")
    outcome = run("test", workflow, check=3)
    said = outcome.out + outcome.err
    assert "overtime starts above 45 hours" in said and "failed" in said
    assert "overtime == true" in said and "false" in said
    assert run("test", workflow, "--format", "json", check=3).json["failed"] == 1


def test_a_test_that_lacks_a_value_says_which(run, tmp_path):
    workflow = make_census(tmp_path)
    edit(workflow, "given  { hours: 46 }", "given  { age: 46 }")
    outcome = run("test", workflow, check=1)
    assert "E0603" in outcome.err and "hours" in outcome.err


def test_the_tests_of_income(run, income):
    result = run("test", income, "--format", "json").json
    assert [t["status"] for t in result["tests"]] == ["passed", "passed"]
